"""Files of questions about eligibility, and which payers are asked by them."""

import django.db.models.deletion
import rapport.kernel.ids
import rapport.platform.tenancy.models
from django.db import migrations, models

from rapport.platform.db.secure import SecurePracticeTable

# The defaults are for programs of the release before, which do not name the columns.
RULES = """
ALTER TABLE coverage_payer ALTER COLUMN eligibility_by SET DEFAULT '';
ALTER TABLE coverage_eligibilitycheck ALTER COLUMN by_file SET DEFAULT false;
ALTER TABLE coverage_eligibilityexchange ADD CONSTRAINT coverage_eligibilityexchange_file_id_fk
    FOREIGN KEY (practice_id, file_id) REFERENCES coverage_eligibilityfile (practice_id, id)
    DEFERRABLE INITIALLY IMMEDIATE;

CREATE OR REPLACE FUNCTION coverage_freeze_exchange() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a question that was asked is never removed' USING ERRCODE = '42501';
    END IF;
    IF (OLD.practice_id, OLD.id, OLD.check_of_id, OLD.number, OLD.key, OLD.file_id, OLD.request_blob_key,
        OLD.request_sha256, OLD.created_at)
       IS DISTINCT FROM
       (NEW.practice_id, NEW.id, NEW.check_of_id, NEW.number, NEW.key, NEW.file_id, NEW.request_blob_key,
        NEW.request_sha256, NEW.created_at)
       OR (OLD.response_blob_key <> '' AND (OLD.response_blob_key, OLD.response_sha256)
           IS DISTINCT FROM (NEW.response_blob_key, NEW.response_sha256))
    THEN
        RAISE EXCEPTION 'what was asked and answered is frozen' USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION rapport_asking_practices() RETURNS TABLE (practice_id uuid, time_zone text)
LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT p.id, p.time_zone::text FROM tenancy_practice p WHERE p.id IN (
        SELECT s.practice_id FROM coverage_coveragesettings s WHERE s.check_days_before > 0
        UNION SELECT k.practice_id FROM coverage_eligibilitycheck k WHERE k.state IN ('queued', 'asking', 'asked'))
$$;

INSERT INTO audit_kind (kind, table_name) VALUES ('eligibility_file', 'coverage_eligibilityfile');
"""


class Migration(migrations.Migration):

    dependencies = [
        ('coverage', '0012_medicare_reason'),
        ('roster', '0007_source'),
        ('tenancy', '0006_sends_to_next_payer'),
    ]

    operations = [
        migrations.CreateModel(
            name='EligibilityFile',
            fields=[
                ('id', models.UUIDField(default=rapport.kernel.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ('channel_id', models.UUIDField()),
                ('reference', models.CharField(max_length=30)),
                ('created_at', models.DateTimeField()),
                ('answer_by', models.DateTimeField()),
            ],
        ),
        migrations.RemoveConstraint(
            model_name='eligibilitycheck',
            name='eligibility_words_known',
        ),
        migrations.RemoveConstraint(
            model_name='eligibilitycheck',
            name='eligibility_one_under_way',
        ),
        migrations.AddField(
            model_name='eligibilitycheck',
            name='answer_by',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='eligibilitycheck',
            name='by_file',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='payer',
            name='eligibility_by',
            field=models.CharField(blank=True, choices=[('at_once', 'at_once'), ('file', 'file')], max_length=7),
        ),
        migrations.AlterField(
            model_name='eligibilitycheck',
            name='state',
            field=models.CharField(choices=[('queued', 'queued'), ('asking', 'asking'), ('asked', 'asked'), ('answered', 'answered'), ('refused', 'refused'), ('unanswered', 'unanswered')], max_length=10),
        ),
        migrations.AlterField(
            model_name='eligibilityexchange',
            name='request_blob_key',
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddConstraint(
            model_name='eligibilitycheck',
            constraint=models.CheckConstraint(condition=models.Q(('reason__in', ['asked', 'before_visit']), ('state__in', ['queued', 'asking', 'asked', 'answered', 'refused', 'unanswered'])), name='eligibility_words_known'),
        ),
        migrations.AddConstraint(
            model_name='eligibilitycheck',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ['queued', 'asking', 'asked'])), fields=('practice', 'policy'), name='eligibility_one_under_way'),
        ),
        migrations.AddField(
            model_name='eligibilityfile',
            name='payer',
            field=rapport.platform.tenancy.models.PracticeForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='coverage.payer'),
        ),
        migrations.AddField(
            model_name='eligibilityfile',
            name='practice',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='tenancy.practice'),
        ),
        migrations.AddField(
            model_name='eligibilityexchange',
            name='file',
            field=rapport.platform.tenancy.models.PracticeForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='coverage.eligibilityfile'),
        ),
        migrations.AddIndex(
            model_name='eligibilityexchange',
            index=models.Index(fields=['practice', 'file'], name='eligibility_exchange_by_file'),
        ),
        migrations.AddConstraint(
            model_name='eligibilityexchange',
            constraint=models.UniqueConstraint(fields=('practice', 'key'), name='eligibility_exchange_key_once'),
        ),
        migrations.AddIndex(
            model_name='eligibilityfile',
            index=models.Index(fields=['practice', '-created_at', 'id'], name='eligibility_file_by_time'),
        ),
        migrations.AddConstraint(
            model_name='eligibilityfile',
            constraint=models.UniqueConstraint(fields=('practice', 'reference'), name='eligibility_file_reference'),
        ),
        SecurePracticeTable("EligibilityFile", append_only=True),
        migrations.RunSQL(RULES, migrations.RunSQL.noop),
    ]
