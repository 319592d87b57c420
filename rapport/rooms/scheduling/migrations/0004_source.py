"""An appointment may be the mirror of another system's."""

from django.db import migrations, models

# For programs of the release before, which do not name the column.
DEFAULT = """
ALTER TABLE scheduling_appointment ALTER COLUMN source_system SET DEFAULT 'rapport';
"""


class Migration(migrations.Migration):

    dependencies = [
        ('coding', '0003_practice_unbound'),
        ('roster', '0007_source'),
        ('scheduling', '0003_practice_unbound'),
        ('tenancy', '0004_system'),
    ]

    operations = [
        migrations.AddField(
            model_name='appointment',
            name='source_as_of',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='appointment',
            name='source_remote_id',
            field=models.CharField(max_length=200, null=True),
        ),
        migrations.AddField(
            model_name='appointment',
            name='source_system',
            field=models.CharField(default='rapport', max_length=60),
        ),
        migrations.AddConstraint(
            model_name='appointment',
            constraint=models.UniqueConstraint(condition=models.Q(('source_remote_id__isnull', False)), fields=('practice', 'source_system', 'source_remote_id'), name='appointment_source_once'),
        ),
        migrations.RunSQL(DEFAULT, migrations.RunSQL.noop),
    ]
