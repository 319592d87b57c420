"""Working hours may be the mirror of another system's."""

import django.db.models.deletion
import rapport.kernel.ids
import rapport.platform.tenancy.models
from django.db import migrations, models

from rapport.platform.db.secure import SecurePracticeTable

# For programs of the release before, which do not name the column.
DEFAULT = "ALTER TABLE scheduling_workschedule ALTER COLUMN source_system SET DEFAULT 'rapport';"

class Migration(migrations.Migration):

    dependencies = [
        ('roster', '0007_source'),
        ('scheduling', '0004_source'),
        ('tenancy', '0005_seen_at'),
    ]

    operations = [
        migrations.AddField(
            model_name='workschedule',
            name='source_system',
            field=models.CharField(default='rapport', max_length=60),
        ),
        migrations.RunSQL(DEFAULT, migrations.RunSQL.noop),
        migrations.CreateModel(
            name='MirroredShift',
            fields=[
                ('id', models.UUIDField(default=rapport.kernel.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ('version', models.IntegerField(default=1)),
                ('created_at', models.DateTimeField()),
                ('updated_at', models.DateTimeField()),
                ('source_system', models.CharField(default='rapport', max_length=60)),
                ('source_remote_id', models.CharField(max_length=200, null=True)),
                ('source_as_of', models.DateTimeField(null=True)),
                ('weekday', models.CharField(max_length=9)),
                ('starts', models.CharField(max_length=5)),
                ('ends', models.CharField(max_length=5)),
                ('clinician', rapport.platform.tenancy.models.PracticeForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='roster.clinician')),
                ('practice', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='tenancy.practice')),
            ],
            options={
                'constraints': [models.UniqueConstraint(condition=models.Q(('source_remote_id__isnull', False)), fields=('practice', 'source_system', 'source_remote_id'), name='mirrored_shift_source_once')],
            },
        ),
        SecurePracticeTable('MirroredShift'),
    ]
