"""Work lists: what nobody knows, and what payers denied."""

import django.contrib.postgres.fields
import django.db.models.deletion
import rapport.kernel.ids
import rapport.platform.tenancy.models
from django.db import migrations, models

from rapport.platform.db.secure import SecurePracticeTable

# For programs of the release before, which do not name the columns.
DEFAULTS = """
ALTER TABLE remittance_remittanceline ALTER COLUMN set_aside SET DEFAULT false, ALTER COLUMN by_hand SET DEFAULT '[]';
INSERT INTO audit_kind (kind, table_name) VALUES
    ('remittance_line', 'remittance_remittanceline'), ('denial', 'remittance_denial');
"""


class Migration(migrations.Migration):

    dependencies = [
        ('remittance', '0007_posting_policy'),
        ('roster', '0007_source'),
        ('tenancy', '0005_seen_at'),
    ]

    operations = [
        migrations.CreateModel(
            name='Denial',
            fields=[
                ('id', models.UUIDField(default=rapport.kernel.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ('version', models.IntegerField(default=1)),
                ('created_at', models.DateTimeField()),
                ('updated_at', models.DateTimeField()),
                ('claim_id', models.UUIDField()),
                ('appointment_id', models.UUIDField(null=True)),
                ('kind', models.CharField(max_length=16)),
                ('reasons', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=10), default=list, size=None)),
                ('cents', models.BigIntegerField()),
                ('deadline_on', models.DateField()),
                ('state', models.CharField(default='open', max_length=9)),
                ('resolution', models.CharField(blank=True, max_length=20)),
                ('note', models.CharField(blank=True, max_length=500)),
                ('letter_id', models.UUIDField(null=True)),
            ],
        ),
        migrations.AddField(
            model_name='remittanceline',
            name='by_hand',
            field=models.JSONField(default=list),
        ),
        migrations.AddField(
            model_name='remittanceline',
            name='set_aside',
            field=models.BooleanField(default=False),
        ),
        migrations.AddIndex(
            model_name='remittanceline',
            index=models.Index(condition=models.Q(('claim_id', None), ('appointment_id', None), _connector='OR'), fields=['practice', 'id'], name='remittance_line_unmatched'),
        ),
        migrations.AddField(
            model_name='denial',
            name='line',
            field=rapport.platform.tenancy.models.PracticeForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='remittance.remittanceline'),
        ),
        migrations.AddField(
            model_name='denial',
            name='patient',
            field=rapport.platform.tenancy.models.PracticeForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='roster.patient'),
        ),
        migrations.AddField(
            model_name='denial',
            name='practice',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='tenancy.practice'),
        ),
        migrations.AddIndex(
            model_name='denial',
            index=models.Index(fields=['practice', 'state', 'deadline_on', 'id'], name='denial_by_deadline'),
        ),
        migrations.AddIndex(
            model_name='denial',
            index=models.Index(fields=['practice', 'claim_id'], name='denial_by_claim'),
        ),
        migrations.AddConstraint(
            model_name='denial',
            constraint=models.UniqueConstraint(fields=('practice', 'line'), name='denial_once'),
        ),
        migrations.AddConstraint(
            model_name='denial',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['open', 'resolved', 'withdrawn'])), name='denial_state_known'),
        ),
        SecurePracticeTable("Denial", patient_column="patient_id"),
        migrations.RunSQL(DEFAULTS, migrations.RunSQL.noop),
    ]
