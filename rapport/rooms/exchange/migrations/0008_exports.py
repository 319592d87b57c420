"""Exports that are ordered on schedule and compared with the lists; since when a copy is as it is."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
import rapport.kernel.ids
import rapport.platform.tenancy.models
from django.db import migrations, models

from rapport.platform.db.secure import SecurePracticeTable

# For programs of the release before, which do not name the columns. A copy that was here already is taken to be as it is
# since now: nothing is said of it that nobody looked at.
DEFAULTS = """
ALTER TABLE exchange_connection ALTER COLUMN exports_every_hours SET DEFAULT 24;
ALTER TABLE exchange_shadow ALTER COLUMN changed_at SET DEFAULT now();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('exchange', '0007_artefact_kind'),
        ('tenancy', '0005_seen_at'),
    ]

    operations = [
        migrations.AddField(
            model_name='connection',
            name='exports_every_hours',
            field=models.IntegerField(default=24),
        ),
        migrations.AddField(
            model_name='shadow',
            name='changed_at',
            field=models.DateTimeField(default=django.utils.timezone.now),
            preserve_default=False,
        ),
        migrations.RunSQL(DEFAULTS, migrations.RunSQL.noop),
        migrations.CreateModel(
            name='ExportOrder',
            fields=[
                ('id', models.UUIDField(default=rapport.kernel.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(max_length=30)),
                ('state', models.CharField(default='ordered', max_length=12)),
                ('state_changed_at', models.DateTimeField()),
                ('reason', models.CharField(blank=True, max_length=30)),
                ('write_id', models.UUIDField()),
                ('artefact_id', models.UUIDField(null=True)),
                ('asked_at', models.DateTimeField()),
                ('fetched_at', models.DateTimeField(null=True)),
                ('rows', models.IntegerField(default=0)),
                ('unsettled', models.IntegerField(default=0)),
                ('differing', models.IntegerField(default=0)),
                ('marks', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=32), default=list, size=None)),
                ('connection', rapport.platform.tenancy.models.PracticeForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='exchange.connection')),
                ('practice', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='tenancy.practice')),
            ],
            options={
                'indexes': [models.Index(fields=['practice', 'connection', 'kind', '-asked_at'], name='export_by_time')],
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['ordered', 'preparing', 'fetched', 'agrees', 'differs', 'unreadable', 'failed'])), name='export_state_known'), models.UniqueConstraint(condition=models.Q(('state__in', ['ordered', 'preparing', 'fetched'])), fields=('practice', 'connection', 'kind'), name='export_open_once')],
            },
        ),
        SecurePracticeTable('ExportOrder'),
    ]
