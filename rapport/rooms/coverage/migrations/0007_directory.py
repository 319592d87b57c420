"""How the practice and its clinicians stand with payers."""

import django.db.models.deletion
import rapport.kernel.ids
import rapport.platform.tenancy.models
from django.db import migrations, models

from rapport.platform.db.secure import SecurePracticeTable

RULES = """
ALTER TABLE coverage_credentialspan ADD CONSTRAINT credential_span_no_overlap EXCLUDE USING gist (
    practice_id WITH =, payer_id WITH =, clinician_id WITH =,
    daterange(starts_on, ends_on, '[]') WITH &&);
INSERT INTO audit_kind (kind, table_name) VALUES ('credential_span', 'coverage_credentialspan');
"""


class Migration(migrations.Migration):

    dependencies = [
        ('coverage', '0006_authorizations'),
        ('roster', '0007_source'),
        ('tenancy', '0005_seen_at'),
    ]

    operations = [
        migrations.CreateModel(
            name='CredentialSpan',
            fields=[
                ('id', models.UUIDField(default=rapport.kernel.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ('version', models.IntegerField(default=1)),
                ('created_at', models.DateTimeField()),
                ('updated_at', models.DateTimeField()),
                ('starts_on', models.DateField()),
                ('ends_on', models.DateField(null=True)),
                ('payer_number', models.CharField(blank=True, max_length=50)),
                ('clinician', rapport.platform.tenancy.models.PracticeForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='roster.clinician')),
                ('payer', rapport.platform.tenancy.models.PracticeForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='coverage.payer')),
                ('practice', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='tenancy.practice')),
            ],
            options={
                'indexes': [models.Index(fields=['practice', 'payer', 'clinician'], name='credential_by_payer'), models.Index(fields=['practice', 'updated_at', 'id'], name='credential_by_update')],
                'constraints': [models.CheckConstraint(condition=models.Q(('ends_on', None), ('ends_on__gte', models.F('starts_on')), _connector='OR'), name='credential_span_in_order')],
            },
        ),
        migrations.CreateModel(
            name='EnrollmentChange',
            fields=[
                ('id', models.UUIDField(default=rapport.kernel.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ('transaction', models.CharField(choices=[('837P', '837P'), ('835', '835'), ('270', '270'), ('276', '276'), ('275', '275')], max_length=4)),
                ('needed', models.BooleanField(default=True)),
                ('state', models.CharField(choices=[('none', 'none'), ('requested', 'requested'), ('active', 'active'), ('refused', 'refused')], max_length=9)),
                ('effective_on', models.DateField(null=True)),
                ('note', models.CharField(blank=True, max_length=200)),
                ('by_type', models.CharField(max_length=10)),
                ('by_id', models.UUIDField()),
                ('at', models.DateTimeField()),
                ('payer', rapport.platform.tenancy.models.PracticeForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='coverage.payer')),
                ('practice', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='tenancy.practice')),
            ],
            options={
                'indexes': [models.Index(fields=['practice', 'payer', 'transaction', '-at'], name='enrollment_newest')],
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['none', 'requested', 'active', 'refused']), ('transaction__in', ['837P', '835', '270', '276', '275'])), name='enrollment_words_known')],
            },
        ),
        SecurePracticeTable("EnrollmentChange", append_only=True),
        SecurePracticeTable("CredentialSpan"),
        migrations.RunSQL(RULES, migrations.RunSQL.noop),
    ]
