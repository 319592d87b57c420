"""What contracts with payers say that services are worth."""

import django.db.models.deletion
import rapport.kernel.ids
import rapport.platform.tenancy.models
from django.db import migrations, models

from rapport.platform.db.secure import SecurePracticeTable

RULES = """
ALTER TABLE coverage_contractrate ADD CONSTRAINT contract_rate_no_overlap EXCLUDE USING gist (
    practice_id WITH =, payer_id WITH =, service_code WITH =, modifier WITH =, credential WITH =,
    (coalesce(telehealth::int, -1)) WITH =, place_of_service_code WITH =, daterange(starts_on, ends_on, '[]') WITH &&);
"""


class Migration(migrations.Migration):

    dependencies = [
        ('coverage', '0009_estimates'),
        ('tenancy', '0005_seen_at'),
    ]

    operations = [
        migrations.CreateModel(
            name='ContractRate',
            fields=[
                ('id', models.UUIDField(default=rapport.kernel.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ('service_code', models.CharField(max_length=5)),
                ('modifier', models.CharField(blank=True, max_length=2)),
                ('credential', models.CharField(blank=True, max_length=12)),
                ('telehealth', models.BooleanField(null=True)),
                ('place_of_service_code', models.CharField(blank=True, max_length=2)),
                ('allowed_cents', models.BigIntegerField()),
                ('starts_on', models.DateField()),
                ('ends_on', models.DateField(null=True)),
                ('created_at', models.DateTimeField()),
                ('payer', rapport.platform.tenancy.models.PracticeForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='coverage.payer')),
                ('practice', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='tenancy.practice')),
            ],
            options={
                'indexes': [models.Index(fields=['practice', 'payer', 'service_code'], name='contract_rate_by_code')],
                'constraints': [models.CheckConstraint(condition=models.Q(('allowed_cents__gte', 0)), name='contract_rate_not_negative'), models.CheckConstraint(condition=models.Q(('ends_on', None), ('ends_on__gte', models.F('starts_on')), _connector='OR'), name='contract_rate_in_order')],
            },
        ),
        SecurePracticeTable("ContractRate"),
        migrations.RunSQL(RULES, migrations.RunSQL.noop),
    ]
