"""When the list of each patient was read last, of kinds that are asked for patient by patient."""

import django.db.models.deletion
import rapport.kernel.ids
import rapport.platform.tenancy.models
from django.db import migrations, models

from rapport.platform.db.secure import SecurePracticeTable


class Migration(migrations.Migration):

    dependencies = [
        ('exchange', '0008_exports'),
    ]

    operations = [
        migrations.CreateModel(
            name='PartRead',
            fields=[
                ('id', models.UUIDField(default=rapport.kernel.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(max_length=30)),
                ('part', models.CharField(max_length=200)),
                ('read_at', models.DateTimeField()),
                ('connection', rapport.platform.tenancy.models.PracticeForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='exchange.connection')),
                ('practice', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='tenancy.practice')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('practice', 'connection', 'kind', 'part'), name='part_once')],
            },
        ),
        SecurePracticeTable('PartRead'),
    ]
