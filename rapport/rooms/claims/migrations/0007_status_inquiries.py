"""What payers were asked of claims, and what they said."""

import django.db.models.deletion
import rapport.kernel.ids
import rapport.platform.tenancy.models
from django.db import migrations, models

from rapport.platform.db.secure import SecurePracticeTable


class Migration(migrations.Migration):

    dependencies = [
        ('claims', '0006_batches'),
        ('tenancy', '0005_seen_at'),
    ]

    operations = [
        migrations.CreateModel(
            name='StatusInquiry',
            fields=[
                ('id', models.UUIDField(default=rapport.kernel.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ('trace', models.CharField(max_length=30)),
                ('reason', models.CharField(max_length=8)),
                ('by', models.UUIDField()),
                ('asked_at', models.DateTimeField()),
                ('claim', rapport.platform.tenancy.models.PracticeForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='claims.claim')),
                ('practice', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='tenancy.practice')),
                ('submission', rapport.platform.tenancy.models.PracticeForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='claims.submission')),
            ],
        ),
        migrations.CreateModel(
            name='ToldStatus',
            fields=[
                ('id', models.UUIDField(default=rapport.kernel.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ('standing', models.CharField(max_length=24)),
                ('codes', models.JSONField(default=list)),
                ('effective_on', models.DateField(null=True)),
                ('charge_cents', models.BigIntegerField(null=True)),
                ('paid_cents', models.BigIntegerField(null=True)),
                ('paid_on', models.DateField(null=True)),
                ('payment_number', models.CharField(blank=True, max_length=50)),
                ('payer_claim_number', models.CharField(blank=True, max_length=50)),
                ('source', models.CharField(blank=True, max_length=60)),
                ('received_at', models.DateTimeField()),
                ('claim', rapport.platform.tenancy.models.PracticeForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='claims.claim')),
                ('inbound_file', rapport.platform.tenancy.models.PracticeForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='claims.inboundfile')),
                ('inquiry', rapport.platform.tenancy.models.PracticeForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='claims.statusinquiry')),
                ('practice', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='tenancy.practice')),
            ],
        ),
        migrations.AddIndex(
            model_name='statusinquiry',
            index=models.Index(fields=['practice', 'claim', '-asked_at'], name='status_inquiry_by_claim'),
        ),
        migrations.AddIndex(
            model_name='statusinquiry',
            index=models.Index(fields=['practice', 'submission'], name='status_inquiry_by_file'),
        ),
        migrations.AddConstraint(
            model_name='statusinquiry',
            constraint=models.CheckConstraint(condition=models.Q(('reason__in', ['person', 'schedule'])), name='status_inquiry_reason_known'),
        ),
        migrations.AddConstraint(
            model_name='statusinquiry',
            constraint=models.UniqueConstraint(fields=('practice', 'trace'), name='status_inquiry_trace'),
        ),
        migrations.AddIndex(
            model_name='toldstatus',
            index=models.Index(fields=['practice', 'claim', '-received_at'], name='told_status_by_claim'),
        ),
        migrations.AddIndex(
            model_name='toldstatus',
            index=models.Index(fields=['practice', 'inquiry'], name='told_status_by_inquiry'),
        ),
        migrations.AddConstraint(
            model_name='toldstatus',
            constraint=models.UniqueConstraint(fields=('practice', 'inbound_file', 'inquiry'), name='told_status_once'),
        ),
        SecurePracticeTable("StatusInquiry", append_only=True),
        SecurePracticeTable("ToldStatus", append_only=True),
    ]
