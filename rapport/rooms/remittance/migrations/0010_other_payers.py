"""What a payer said beside its money: payers after it are told."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('remittance', '0009_deposits'),
    ]

    operations = [
        migrations.AddField(
            model_name='remittanceline',
            name='said',
            field=models.JSONField(default=dict),
        ),
        # For programs of the release before, which do not name the column.
        migrations.RunSQL(
            "ALTER TABLE remittance_remittanceline ALTER COLUMN said SET DEFAULT '{}'::jsonb",
            migrations.RunSQL.noop,
        ),
    ]
