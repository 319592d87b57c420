"""Practices, the wall's helper functions, and the house practice."""

import uuid

from django.db import migrations, models

import rapport.kernel.ids
from rapport.platform.db.secure import wall

REFUSE_CHANGE = """
CREATE FUNCTION rapport_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are never changed or removed', TG_TABLE_NAME
        USING ERRCODE = '42501';
END $$;
"""


def secure(apps, schema_editor):
    for statement in wall("tenancy_practice", home_column="id"):
        schema_editor.execute(statement)
    schema_editor.execute(
        "INSERT INTO tenancy_practice (id, name, time_zone, livemode, caseload_only, npi, tax_id,"
        " taxonomy_code, phone, address_line1, address_line2, city, state_code, postal_code,"
        " version, created_at, updated_at)"
        " VALUES (%s, 'House', 'UTC', false, true, '', '', '', '', '', '', '', '', '', 1,"
        " now(), now())",
        [str(uuid.UUID(int=0))],
    )


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.RunSQL(REFUSE_CHANGE, migrations.RunSQL.noop),
        migrations.CreateModel(
            name="Practice",
            fields=[
                ("id", models.UUIDField(default=rapport.kernel.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=200)),
                ("time_zone", models.CharField(max_length=64)),
                ("livemode", models.BooleanField(default=False)),
                ("caseload_only", models.BooleanField(default=True)),
                ("npi", models.CharField(blank=True, max_length=10)),
                ("tax_id", models.CharField(blank=True, max_length=9)),
                ("taxonomy_code", models.CharField(blank=True, max_length=10)),
                ("phone", models.CharField(blank=True, max_length=20)),
                ("address_line1", models.CharField(blank=True, max_length=55)),
                ("address_line2", models.CharField(blank=True, max_length=55)),
                ("city", models.CharField(blank=True, max_length=30)),
                ("state_code", models.CharField(blank=True, max_length=2)),
                ("postal_code", models.CharField(blank=True, max_length=10)),
                ("version", models.IntegerField(default=1)),
                ("created_at", models.DateTimeField()),
                ("updated_at", models.DateTimeField()),
            ],
            options={"abstract": False},
        ),
        migrations.RunPython(secure, migrations.RunPython.noop),
    ]
