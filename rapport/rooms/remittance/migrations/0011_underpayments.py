"""What payers allowed beside what their contracts say."""

import django.db.models.deletion
import rapport.kernel.ids
import rapport.platform.tenancy.models
from django.db import migrations, models

from rapport.platform.db.secure import SecurePracticeTable

# For programs of the release before, which do not name the columns.
DEFAULTS = """
ALTER TABLE remittance_postingpolicy ALTER COLUMN tolerance_cents SET DEFAULT 100,
    ALTER COLUMN tolerance_percent SET DEFAULT 0;
INSERT INTO audit_kind (kind, table_name) VALUES ('underpayment', 'remittance_underpayment');
"""


class Migration(migrations.Migration):

    dependencies = [
        ('remittance', '0010_other_payers'),
        ('roster', '0007_source'),
        ('tenancy', '0005_seen_at'),
    ]

    operations = [
        migrations.AddField(
            model_name='postingpolicy',
            name='tolerance_cents',
            field=models.BigIntegerField(default=100),
        ),
        migrations.AddField(
            model_name='postingpolicy',
            name='tolerance_percent',
            field=models.IntegerField(default=0),
        ),
        migrations.CreateModel(
            name='Underpayment',
            fields=[
                ('id', models.UUIDField(default=rapport.kernel.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ('version', models.IntegerField(default=1)),
                ('created_at', models.DateTimeField()),
                ('updated_at', models.DateTimeField()),
                ('claim_id', models.UUIDField()),
                ('appointment_id', models.UUIDField(null=True)),
                ('payer_id', models.UUIDField()),
                ('service_code', models.CharField(max_length=5)),
                ('units', models.IntegerField()),
                ('expected_cents', models.BigIntegerField()),
                ('allowed_cents', models.BigIntegerField()),
                ('stated', models.BooleanField()),
                ('rule', models.CharField(max_length=120)),
                ('decided_on', models.DateField()),
                ('deadline_on', models.DateField()),
                ('state', models.CharField(default='open', max_length=9)),
                ('state_before', models.CharField(blank=True, max_length=9)),
                ('recovered_cents', models.BigIntegerField(null=True)),
                ('note', models.CharField(blank=True, max_length=500)),
                ('letter_id', models.UUIDField(null=True)),
                ('line', rapport.platform.tenancy.models.PracticeForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='remittance.remittanceline')),
                ('patient', rapport.platform.tenancy.models.PracticeForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='roster.patient')),
                ('practice', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='tenancy.practice')),
            ],
            options={
                'indexes': [models.Index(fields=['practice', 'state', 'deadline_on', 'id'], name='underpayment_by_deadline'), models.Index(fields=['practice', 'decided_on'], name='underpayment_by_day'), models.Index(fields=['practice', 'claim_id'], name='underpayment_by_claim')],
                'constraints': [models.UniqueConstraint(fields=('practice', 'line'), name='underpayment_once'), models.CheckConstraint(condition=models.Q(('state__in', ['open', 'disputed', 'accepted', 'recovered', 'noted', 'withdrawn'])), name='underpayment_state_known')],
            },
        ),
        SecurePracticeTable("Underpayment", patient_column="patient_id"),
        migrations.RunSQL(DEFAULTS, migrations.RunSQL.noop),
    ]
