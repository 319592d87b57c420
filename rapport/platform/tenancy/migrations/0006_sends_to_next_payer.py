"""Whether claims to further payers leave by themselves; as it was: a person is asked."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('tenancy', '0005_seen_at'),
    ]

    operations = [
        migrations.AddField(
            model_name='practice',
            name='sends_to_next_payer',
            field=models.BooleanField(default=False),
        ),
        # For programs of the release before, which do not name the column.
        migrations.RunSQL(
            "ALTER TABLE tenancy_practice ALTER COLUMN sends_to_next_payer SET DEFAULT false",
            migrations.RunSQL.noop,
        ),
    ]
