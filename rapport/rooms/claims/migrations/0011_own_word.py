"""How payers want their claims, the practice's own rules, the work list, time limits, papers and the printer."""

import django.contrib.postgres.fields
import django.db.models.deletion
import rapport.kernel.ids
import rapport.platform.tenancy.models
from django.db import migrations, models

from rapport.platform.db.secure import SecurePracticeTable

FURTHER = """
-- For programs of the release before, which do not name the columns.
ALTER TABLE claims_claim ALTER COLUMN told_by_rules SET DEFAULT '[]', ALTER COLUMN waived_rules SET DEFAULT '{}';

CREATE FUNCTION rapport_filing_practices() RETURNS TABLE (practice_id uuid, time_zone text)
LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT DISTINCT c.practice_id, p.time_zone::text FROM claims_claim c JOIN tenancy_practice p ON p.id = c.practice_id
    WHERE c.warn_on <= (now() AT TIME ZONE 'UTC')::date + 1 AND c.state IN ('draft', 'validated', 'held', 'rejected')
$$;
REVOKE ALL ON FUNCTION rapport_filing_practices() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rapport_filing_practices() TO rapport_app;

INSERT INTO audit_kind (kind, table_name) VALUES ('work_item', 'claims_workitem'),
    ('claim_rules', 'claims_claimrules'), ('claim_attachment', 'claims_claimattachment');
"""


class Migration(migrations.Migration):

    dependencies = [
        ('claims', '0010_proposals'),
        ('coverage', '0005_source'),
        ('documents', '0003_practice_unbound'),
        ('roster', '0007_source'),
        ('tenancy', '0005_seen_at'),
    ]

    operations = [
        migrations.CreateModel(
            name='ClaimAttachment',
            fields=[
                ('id', models.UUIDField(default=rapport.kernel.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ('version', models.IntegerField(default=1)),
                ('created_at', models.DateTimeField()),
                ('updated_at', models.DateTimeField()),
                ('patient_id', models.UUIDField()),
                ('report_type', models.CharField(max_length=2)),
                ('way', models.CharField(max_length=2)),
                ('control_number', models.CharField(max_length=50)),
                ('state', models.CharField(default='to_send', max_length=8)),
                ('sent_at', models.DateTimeField(null=True)),
                ('sent_by', models.UUIDField(null=True)),
                ('sent_how', models.CharField(blank=True, max_length=6)),
            ],
        ),
        migrations.CreateModel(
            name='ClaimRules',
            fields=[
                ('id', models.UUIDField(default=rapport.kernel.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ('number', models.IntegerField()),
                ('rules', models.JSONField(default=list)),
                ('note', models.CharField(blank=True, max_length=200)),
                ('by', models.UUIDField()),
                ('created_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='PayerProfile',
            fields=[
                ('id', models.UUIDField(default=rapport.kernel.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ('version', models.IntegerField(default=1)),
                ('created_at', models.DateTimeField()),
                ('updated_at', models.DateTimeField()),
                ('own', models.JSONField(default=dict)),
            ],
        ),
        migrations.CreateModel(
            name='PrintSetting',
            fields=[
                ('id', models.UUIDField(default=rapport.kernel.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ('version', models.IntegerField(default=1)),
                ('created_at', models.DateTimeField()),
                ('updated_at', models.DateTimeField()),
                ('dx', models.IntegerField(default=0)),
                ('dy', models.IntegerField(default=0)),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='WorkItem',
            fields=[
                ('id', models.UUIDField(default=rapport.kernel.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ('version', models.IntegerField(default=1)),
                ('created_at', models.DateTimeField()),
                ('updated_at', models.DateTimeField()),
                ('patient_id', models.UUIDField()),
                ('kind', models.CharField(max_length=10)),
                ('code', models.CharField(max_length=80)),
                ('times', models.IntegerField(default=1)),
                ('owner', models.UUIDField(null=True)),
                ('due_on', models.DateField(null=True)),
                ('resolved_at', models.DateTimeField(null=True)),
                ('resolved_by', models.UUIDField(null=True)),
                ('resolution', models.CharField(blank=True, max_length=200)),
            ],
        ),
        migrations.RemoveConstraint(
            model_name='channel',
            name='channel_kind_known',
        ),
        migrations.AddField(
            model_name='claim',
            name='file_by_on',
            field=models.DateField(null=True),
        ),
        migrations.AddField(
            model_name='claim',
            name='told_by_rules',
            field=models.JSONField(default=list),
        ),
        migrations.AddField(
            model_name='claim',
            name='waived_rules',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), default=list, size=None),
        ),
        migrations.AddField(
            model_name='claim',
            name='warn_on',
            field=models.DateField(null=True),
        ),
        migrations.AddIndex(
            model_name='claim',
            index=models.Index(condition=models.Q(('warn_on__isnull', False)), fields=['practice', 'warn_on'], name='claim_to_warn_of'),
        ),
        migrations.AddConstraint(
            model_name='channel',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['http', 'sftp', 'download', 'portal'])), name='channel_kind_known'),
        ),
        migrations.AddField(
            model_name='claimattachment',
            name='claim',
            field=rapport.platform.tenancy.models.PracticeForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='claims.claim'),
        ),
        migrations.AddField(
            model_name='claimattachment',
            name='document',
            field=rapport.platform.tenancy.models.PracticeForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='documents.document'),
        ),
        migrations.AddField(
            model_name='claimattachment',
            name='practice',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='tenancy.practice'),
        ),
        migrations.AddField(
            model_name='claimrules',
            name='practice',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='tenancy.practice'),
        ),
        migrations.AddField(
            model_name='payerprofile',
            name='payer',
            field=rapport.platform.tenancy.models.PracticeForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='coverage.payer'),
        ),
        migrations.AddField(
            model_name='payerprofile',
            name='practice',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='tenancy.practice'),
        ),
        migrations.AddField(
            model_name='printsetting',
            name='practice',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='tenancy.practice'),
        ),
        migrations.AddField(
            model_name='workitem',
            name='claim',
            field=rapport.platform.tenancy.models.PracticeForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='claims.claim'),
        ),
        migrations.AddField(
            model_name='workitem',
            name='practice',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='tenancy.practice'),
        ),
        migrations.AddIndex(
            model_name='claimattachment',
            index=models.Index(fields=['practice', 'claim', 'created_at'], name='claim_attachment_by_claim'),
        ),
        migrations.AddConstraint(
            model_name='claimattachment',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['to_send', 'sent'])), name='claim_attachment_state_known'),
        ),
        migrations.AddConstraint(
            model_name='claimattachment',
            constraint=models.UniqueConstraint(fields=('practice', 'control_number'), name='claim_attachment_number'),
        ),
        migrations.AddConstraint(
            model_name='claimrules',
            constraint=models.UniqueConstraint(fields=('practice', 'number'), name='claim_rules_number'),
        ),
        migrations.AddConstraint(
            model_name='payerprofile',
            constraint=models.UniqueConstraint(fields=('practice', 'payer'), name='payer_profile_once'),
        ),
        migrations.AddIndex(
            model_name='workitem',
            index=models.Index(condition=models.Q(('resolved_at__isnull', True)), fields=['practice', 'due_on', 'created_at'], name='work_item_open'),
        ),
        migrations.AddIndex(
            model_name='workitem',
            index=models.Index(fields=['practice', '-created_at', 'id'], name='work_item_by_creation'),
        ),
        migrations.AddConstraint(
            model_name='workitem',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['rejected', 'refused', 'filing'])), name='work_item_kind_known'),
        ),
        migrations.AddConstraint(
            model_name='workitem',
            constraint=models.UniqueConstraint(condition=models.Q(('resolved_at__isnull', True)), fields=('practice', 'claim', 'kind'), name='work_item_open_once'),
        ),
        SecurePracticeTable("PayerProfile"),
        SecurePracticeTable("WorkItem", patient_column="patient_id"),
        SecurePracticeTable("ClaimRules", append_only=True),
        SecurePracticeTable("ClaimAttachment", patient_column="patient_id"),
        SecurePracticeTable("PrintSetting"),
        migrations.RunSQL(FURTHER, migrations.RunSQL.noop),
    ]
