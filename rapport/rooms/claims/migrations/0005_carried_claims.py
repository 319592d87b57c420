"""Which claims a file carries that another system sent to a payer."""

import django.db.models.deletion
import rapport.kernel.ids
from django.db import migrations, models

from rapport.platform.db.secure import SecurePracticeTable


class Migration(migrations.Migration):

    dependencies = [
        ('claims', '0004_source'),
        ('tenancy', '0005_seen_at'),
    ]

    operations = [
        migrations.CreateModel(
            name='CarriedClaim',
            fields=[
                ('id', models.UUIDField(default=rapport.kernel.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ('system', models.CharField(max_length=60)),
                ('document_id', models.UUIDField()),
                ('control_number', models.CharField(max_length=38)),
                ('at', models.DateTimeField()),
                ('practice', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='tenancy.practice')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('practice', 'document_id', 'control_number'), name='carried_claim_once')],
            },
        ),
        SecurePracticeTable('CarriedClaim', append_only=True),
    ]
