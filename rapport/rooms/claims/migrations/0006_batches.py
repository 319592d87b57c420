"""Batches: many claims in one file, and where each stands in it; files of one claim say so in the same way."""

import django.db.models.deletion
import rapport.kernel.ids
import rapport.platform.tenancy.models
from django.db import migrations, models

from rapport.platform.db.secure import SecurePracticeTable

# What the files of before say of their one claim moves to where those of batches say it. The seal of a
# snapshot is bound to its row's id, so the row has the submission's.
CARRY_OVER = """
INSERT INTO claims_submittedclaim (id, practice_id, claim_id, submission_id, attempt, set_number, batch_id,
    first_position, last_position, lines, snapshot_sealed, created_at)
SELECT id, practice_id, claim_id, id, attempt, 1, batch_id, 1, 1000000, positions, snapshot_sealed, created_at
FROM claims_submission;
INSERT INTO audit_kind (kind, table_name) VALUES ('claim_batch', 'claims_claimbatch');
"""


class Migration(migrations.Migration):

    dependencies = [
        ('claims', '0005_carried_claims'),
        ('coverage', '0005_source'),
        ('tenancy', '0005_seen_at'),
    ]

    operations = [
        migrations.AlterField(
            model_name='submission',
            name='claim',
            field=rapport.platform.tenancy.models.PracticeForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='claims.claim'),
        ),
        migrations.AlterField(
            model_name='submission',
            name='snapshot_sealed',
            field=models.BinaryField(null=True),
        ),
        migrations.CreateModel(
            name='ClaimBatch',
            fields=[
                ('id', models.UUIDField(default=rapport.kernel.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ('version', models.IntegerField(default=1)),
                ('created_at', models.DateTimeField()),
                ('updated_at', models.DateTimeField()),
                ('by', models.UUIDField()),
                ('state', models.CharField(default='making', max_length=8)),
                ('total', models.IntegerField()),
                ('done', models.IntegerField(default=0)),
                ('included', models.IntegerField(default=0)),
                ('charge_cents', models.BigIntegerField(default=0)),
                ('batch_id', models.CharField(max_length=30)),
                ('submission_id', models.UUIDField()),
                ('findings', models.JSONField(default=list)),
                ('channel', rapport.platform.tenancy.models.PracticeForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='claims.channel')),
                ('follows', rapport.platform.tenancy.models.PracticeForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='claims.claimbatch')),
                ('payer', rapport.platform.tenancy.models.PracticeForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='coverage.payer')),
                ('practice', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='tenancy.practice')),
            ],
        ),
        migrations.CreateModel(
            name='BatchSet',
            fields=[
                ('id', models.UUIDField(default=rapport.kernel.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ('number', models.IntegerField()),
                ('blob_key', models.CharField(max_length=64)),
                ('sha256', models.CharField(max_length=64)),
                ('practice', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='tenancy.practice')),
                ('batch', rapport.platform.tenancy.models.PracticeForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='claims.claimbatch')),
            ],
        ),
        migrations.CreateModel(
            name='BatchClaim',
            fields=[
                ('id', models.UUIDField(default=rapport.kernel.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ('position', models.IntegerField()),
                ('outcome', models.CharField(default='waiting', max_length=8)),
                ('codes', models.JSONField(default=list)),
                ('claim', rapport.platform.tenancy.models.PracticeForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='claims.claim')),
                ('practice', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='tenancy.practice')),
                ('batch', rapport.platform.tenancy.models.PracticeForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='claims.claimbatch')),
            ],
        ),
        migrations.CreateModel(
            name='SubmittedClaim',
            fields=[
                ('id', models.UUIDField(default=rapport.kernel.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ('submission_id', models.UUIDField()),
                ('attempt', models.IntegerField()),
                ('set_number', models.IntegerField(default=1)),
                ('batch_id', models.CharField(max_length=30)),
                ('first_position', models.IntegerField()),
                ('last_position', models.IntegerField()),
                ('lines', models.JSONField(default=dict)),
                ('snapshot_sealed', models.BinaryField()),
                ('created_at', models.DateTimeField()),
                ('claim', rapport.platform.tenancy.models.PracticeForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='claims.claim')),
                ('practice', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='tenancy.practice')),
            ],
        ),
        migrations.AddIndex(
            model_name='claimbatch',
            index=models.Index(fields=['practice', '-created_at', 'id'], name='claim_batch_by_creation'),
        ),
        migrations.AddConstraint(
            model_name='claimbatch',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['making', 'made', 'empty', 'failed'])), name='claim_batch_state_known'),
        ),
        migrations.AddConstraint(
            model_name='claimbatch',
            constraint=models.UniqueConstraint(fields=('practice', 'submission_id'), name='claim_batch_submission'),
        ),
        migrations.AddConstraint(
            model_name='batchset',
            constraint=models.UniqueConstraint(fields=('practice', 'batch', 'number'), name='batch_set_number'),
        ),
        migrations.AddIndex(
            model_name='batchclaim',
            index=models.Index(fields=['practice', 'batch', 'outcome', 'position'], name='batch_claim_by_outcome'),
        ),
        migrations.AddConstraint(
            model_name='batchclaim',
            constraint=models.CheckConstraint(condition=models.Q(('outcome__in', ['waiting', 'included', 'left_out'])), name='batch_claim_outcome_known'),
        ),
        migrations.AddConstraint(
            model_name='batchclaim',
            constraint=models.UniqueConstraint(fields=('practice', 'batch', 'claim'), name='batch_claim_once'),
        ),
        migrations.AddIndex(
            model_name='submittedclaim',
            index=models.Index(fields=['practice', 'batch_id'], name='submitted_claim_by_batch'),
        ),
        migrations.AddConstraint(
            model_name='submittedclaim',
            constraint=models.UniqueConstraint(fields=('practice', 'claim', 'attempt'), name='submitted_claim_attempt'),
        ),
        migrations.AddConstraint(
            model_name='submittedclaim',
            constraint=models.UniqueConstraint(fields=('practice', 'submission_id', 'claim'), name='submitted_claim_once'),
        ),
        SecurePracticeTable("ClaimBatch"),
        SecurePracticeTable("BatchClaim"),
        SecurePracticeTable("BatchSet"),
        SecurePracticeTable("SubmittedClaim", append_only=True),
        migrations.RunSQL(CARRY_OVER, migrations.RunSQL.noop),
    ]
