"""What reached the bank."""

import django.db.models.deletion
import rapport.kernel.ids
from django.db import migrations, models

from rapport.platform.db.secure import SecurePracticeTable

KINDS = "INSERT INTO audit_kind (kind, table_name) VALUES ('deposit', 'remittance_deposit');"


class Migration(migrations.Migration):

    dependencies = [
        ('remittance', '0008_work_lists'),
        ('tenancy', '0005_seen_at'),
    ]

    operations = [
        migrations.CreateModel(
            name='Deposit',
            fields=[
                ('id', models.UUIDField(default=rapport.kernel.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ('version', models.IntegerField(default=1)),
                ('created_at', models.DateTimeField()),
                ('updated_at', models.DateTimeField()),
                ('received_on', models.DateField()),
                ('cents', models.BigIntegerField()),
                ('trace', models.CharField(blank=True, max_length=60)),
                ('description', models.CharField(blank=True, max_length=140)),
                ('remittance_id', models.UUIDField(null=True)),
                ('digest', models.CharField(max_length=64)),
                ('practice', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='tenancy.practice')),
            ],
            options={
                'indexes': [models.Index(fields=['practice', 'received_on', 'id'], name='deposit_by_day')],
                'constraints': [models.UniqueConstraint(fields=('practice', 'digest'), name='deposit_once')],
            },
        ),
        SecurePracticeTable("Deposit"),
        migrations.RunSQL(KINDS, migrations.RunSQL.noop),
    ]
