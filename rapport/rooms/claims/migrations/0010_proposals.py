"""What should be asked of further payers; claims that a later one replaced; money that waits for the next payer."""

import django.contrib.postgres.fields
import django.db.models.deletion
import rapport.kernel.ids
import rapport.platform.tenancy.models
from django.db import migrations, models

from rapport.platform.db.secure import SecurePracticeTable


class Migration(migrations.Migration):

    dependencies = [
        ('claims', '0009_other_payers'),
        ('coverage', '0005_source'),
        ('roster', '0007_source'),
        ('tenancy', '0006_sends_to_next_payer'),
    ]

    operations = [
        migrations.CreateModel(
            name='Proposal',
            fields=[
                ('id', models.UUIDField(default=rapport.kernel.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ('version', models.IntegerField(default=1)),
                ('created_at', models.DateTimeField()),
                ('updated_at', models.DateTimeField()),
                ('kind', models.CharField(max_length=10)),
                ('state', models.CharField(default='open', max_length=10)),
                ('left_cents', models.BigIntegerField()),
                ('denied', models.BooleanField()),
                ('reason', models.CharField(blank=True, max_length=200)),
                ('moved_entry_ids', django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), default=list, size=None)),
            ],
        ),
        migrations.RemoveConstraint(
            model_name='claim',
            name='claim_state_known',
        ),
        migrations.AddField(
            model_name='decision',
            name='awaits_next',
            field=models.BooleanField(default=False),
        ),
        migrations.AddConstraint(
            model_name='claim',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['draft', 'validated', 'held', 'queued', 'sending', 'unknown', 'submitted', 'acknowledged', 'accepted', 'rejected', 'paid', 'denied', 'voided', 'replaced'])), name='claim_state_known'),
        ),
        migrations.AddField(
            model_name='proposal',
            name='claim',
            field=rapport.platform.tenancy.models.PracticeForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='claims.claim'),
        ),
        migrations.AddField(
            model_name='proposal',
            name='made',
            field=rapport.platform.tenancy.models.PracticeForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='claims.claim'),
        ),
        migrations.AddField(
            model_name='proposal',
            name='patient',
            field=rapport.platform.tenancy.models.PracticeForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='roster.patient'),
        ),
        migrations.AddField(
            model_name='proposal',
            name='policy',
            field=rapport.platform.tenancy.models.PracticeForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='coverage.policy'),
        ),
        migrations.AddField(
            model_name='proposal',
            name='practice',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='tenancy.practice'),
        ),
        migrations.AddIndex(
            model_name='proposal',
            index=models.Index(fields=['practice', 'state', '-created_at', 'id'], name='proposal_by_state'),
        ),
        migrations.AddIndex(
            model_name='proposal',
            index=models.Index(fields=['practice', 'claim'], name='proposal_by_claim'),
        ),
        migrations.AddConstraint(
            model_name='proposal',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['open', 'accepted', 'dismissed', 'withdrawn'])), name='proposal_state_known'),
        ),
        migrations.AddConstraint(
            model_name='proposal',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['next_payer', 'replace'])), name='proposal_kind_known'),
        ),
        migrations.AddConstraint(
            model_name='proposal',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'open')), fields=('practice', 'claim', 'policy'), name='proposal_open_once'),
        ),
        SecurePracticeTable("Proposal", patient_column="patient_id"),
        migrations.AddField("acknowledgement", "segment", models.IntegerField(default=0)),
        migrations.RunSQL(
            "ALTER TABLE claims_acknowledgement ALTER COLUMN segment SET DEFAULT 0", migrations.RunSQL.noop
        ),
        # For programs of the release before, which do not name the column.
        migrations.RunSQL(
            "ALTER TABLE claims_decision ALTER COLUMN awaits_next SET DEFAULT false", migrations.RunSQL.noop
        ),
        migrations.RunSQL(
            "INSERT INTO audit_kind (kind, table_name) VALUES ('claim_proposal', 'claims_proposal')",
            "DELETE FROM audit_kind WHERE kind = 'claim_proposal'",
        ),
    ]
