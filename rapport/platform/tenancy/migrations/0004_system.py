"""A practice is native, or connected: another system is then its truth."""

from django.db import migrations, models

# For programs of the release before, which do not name the column.
DEFAULT = """
ALTER TABLE tenancy_practice ALTER COLUMN system SET DEFAULT 'native';
"""


class Migration(migrations.Migration):

    dependencies = [
        ('tenancy', '0003_lasting'),
    ]

    operations = [
        migrations.AddField(
            model_name='practice',
            name='system',
            field=models.CharField(choices=[('native', 'native'), ('connected', 'connected')], default='native', max_length=9),
        ),
        migrations.RunSQL(DEFAULT, migrations.RunSQL.noop),
    ]
