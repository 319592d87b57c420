"""Copies of lists that are asked for by patient say whose it was; files that do not come are waited for."""

from django.db import migrations, models

# For programs of the release before, which do not name the columns.
DEFAULT = """
ALTER TABLE exchange_shadow ALTER COLUMN part SET DEFAULT '';
ALTER TABLE exchange_artefact ALTER COLUMN tries SET DEFAULT 0;
"""


class Migration(migrations.Migration):
    dependencies = [("exchange", "0002_wall")]
    operations = [
        migrations.AddField(
            "shadow", "part", models.CharField(blank=True, default="", max_length=200),
            preserve_default=False,
        ),
        migrations.AddField("artefact", "retry_at", models.DateTimeField(null=True)),
        migrations.AddField("artefact", "tries", models.IntegerField(default=0)),
        migrations.RunSQL(DEFAULT, migrations.RunSQL.noop),
    ]
