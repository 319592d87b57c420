"""A patient's payment may be the mirror of another system's."""

from django.db import migrations, models

# For programs of the release before, which do not name the column.
DEFAULT = "ALTER TABLE ledger_payment ALTER COLUMN source_system SET DEFAULT 'rapport';"


class Migration(migrations.Migration):
    dependencies = [("ledger", "0003_practice_unbound")]
    operations = [
        migrations.AddField("payment", "source_as_of", models.DateTimeField(null=True)),
        migrations.AddField("payment", "source_remote_id", models.CharField(max_length=200, null=True)),
        migrations.AddField(
            "payment", "source_system", models.CharField(default="rapport", max_length=60)
        ),
        migrations.AddIndex(
            "payment",
            models.Index(
                fields=["practice", "source_system", "source_remote_id"], name="payment_by_source",
                condition=models.Q(source_remote_id__isnull=False),
            ),
        ),
        migrations.RunSQL(DEFAULT, migrations.RunSQL.noop),
    ]
