"""When a page is looked at in a browser next, and with which revision of the definition it was last."""

from django.db import migrations, models

# For programs of the release before, which do not name the column.
DEFAULT = "ALTER TABLE exchange_connection ALTER COLUMN looked_revision SET DEFAULT 0"


class Migration(migrations.Migration):
    dependencies = [("exchange", "0011_accounts")]
    operations = [
        migrations.AddField("connection", "look_at", models.DateTimeField(null=True)),
        migrations.AddField("connection", "looked_revision", models.IntegerField(default=0)),
        migrations.RunSQL(DEFAULT, migrations.RunSQL.noop),
    ]
