"""A remittance file may come from a portal, which has it under an id of its own."""

from django.db import migrations, models

# For programs of the release before, which do not name the column.
DEFAULT = "ALTER TABLE remittance_erafile ALTER COLUMN source_system SET DEFAULT 'rapport';"


class Migration(migrations.Migration):
    dependencies = [("remittance", "0005_practice_unbound"), ("tenancy", "0004_system")]
    operations = [
        migrations.AddField("erafile", "source_as_of", models.DateTimeField(null=True)),
        migrations.AddField("erafile", "source_remote_id", models.CharField(max_length=200, null=True)),
        migrations.AddField(
            "erafile", "source_system", models.CharField(default="rapport", max_length=60)
        ),
        migrations.RunSQL(DEFAULT, migrations.RunSQL.noop),
    ]
