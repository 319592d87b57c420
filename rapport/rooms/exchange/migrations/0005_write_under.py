"""A write may make a record under another one: which one is frozen with it."""

import django.contrib.postgres.fields
from django.db import migrations, models

FREEZE = """
CREATE OR REPLACE FUNCTION exchange_freeze_write() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'the journal of writes keeps every row' USING ERRCODE = '42501';
    END IF;
    IF (OLD.practice_id, OLD.id, OLD.connection_id, OLD.patient_id, OLD.ability, OLD.read_back, OLD.key,
        OLD.payload_digest, OLD.values_sealed, OLD.makes_new, OLD.parent_id, OLD.key_fields, OLD.natural_key,
        OLD.attended, OLD.asked_by, OLD.created_at)
       IS DISTINCT FROM
       (NEW.practice_id, NEW.id, NEW.connection_id, NEW.patient_id, NEW.ability, NEW.read_back, NEW.key,
        NEW.payload_digest, NEW.values_sealed, NEW.makes_new, NEW.parent_id, NEW.key_fields, NEW.natural_key,
        NEW.attended, NEW.asked_by, NEW.created_at)
    THEN
        RAISE EXCEPTION 'what is to be written is frozen' USING ERRCODE = '42501';
    END IF;
    IF OLD.known_before IS NOT NULL AND OLD.known_before IS DISTINCT FROM NEW.known_before THEN
        RAISE EXCEPTION 'what was there before is looked at once' USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
"""

# For programs of the release before, which do not name the column.
DEFAULT = "ALTER TABLE exchange_write ALTER COLUMN parent_id SET DEFAULT '';"


class Migration(migrations.Migration):
    dependencies = [("exchange", "0004_mailbox")]
    operations = [
        migrations.AddField(
            model_name="write",
            name="parent_id",
            field=models.CharField(blank=True, default="", max_length=200),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="write",
            name="known_before",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=200), null=True, size=None
            ),
        ),
        migrations.RunSQL(DEFAULT, migrations.RunSQL.noop),
        migrations.RunSQL(FREEZE, migrations.RunSQL.noop),
    ]
