"""What payers decided about claims, for the payers after them; and who answers for a finding."""

import django.contrib.postgres.fields
import django.db.models.deletion
import rapport.kernel.ids
import rapport.platform.tenancy.models
from django.db import migrations, models

from rapport.platform.db.secure import SecurePracticeTable


class Migration(migrations.Migration):

    dependencies = [
        ('claims', '0008_line_authorization'),
        ('tenancy', '0005_seen_at'),
    ]

    operations = [
        migrations.CreateModel(
            name='Decision',
            fields=[
                ('id', models.UUIDField(default=rapport.kernel.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ('number', models.IntegerField()),
                ('status_code', models.CharField(max_length=2)),
                ('decided_on', models.DateField()),
                ('charge_cents', models.BigIntegerField()),
                ('paid_cents', models.BigIntegerField()),
                ('payer_claim_number', models.CharField(blank=True, max_length=50)),
                ('adjustments', models.JSONField(default=list)),
                ('services', models.JSONField(default=list)),
                ('remarks', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=10), default=list, size=None)),
                ('crossover', models.BooleanField(default=False)),
                ('remittance_id', models.UUIDField()),
                ('era_file_id', models.UUIDField()),
                ('segment', models.IntegerField(default=0)),
                ('at', models.DateTimeField()),
                ('withdrawn_at', models.DateTimeField(null=True)),
                ('claim', rapport.platform.tenancy.models.PracticeForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='claims.claim')),
                ('practice', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='tenancy.practice')),
            ],
            options={
                'indexes': [models.Index(fields=['practice', 'remittance_id'], name='decision_by_remittance')],
                'constraints': [models.UniqueConstraint(fields=('practice', 'claim', 'number'), name='decision_number_once')],
            },
        ),
        migrations.CreateModel(
            name='Override',
            fields=[
                ('id', models.UUIDField(default=rapport.kernel.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ('code', models.CharField(max_length=40)),
                ('reason', models.CharField(max_length=200)),
                ('by', models.UUIDField()),
                ('at', models.DateTimeField()),
                ('claim', rapport.platform.tenancy.models.PracticeForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='claims.claim')),
                ('practice', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='tenancy.practice')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('practice', 'claim', 'code'), name='override_once')],
            },
        ),
        SecurePracticeTable("Decision"),
        SecurePracticeTable("Override", append_only=True),
    ]
