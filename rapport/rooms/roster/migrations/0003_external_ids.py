"""Clinicians and places have external ids too, each behind the wall."""

import django.db.models.deletion
import rapport.kernel.ids
import rapport.platform.tenancy.models
from django.db import migrations, models

from rapport.platform.db.secure import SecurePracticeTable


class Migration(migrations.Migration):

    dependencies = [
        ('roster', '0002_wall'),
        ('tenancy', '0002_probe'),
    ]

    operations = [
        migrations.AddField(
            model_name='clinician',
            name='external_ids',
            field=models.JSONField(default=list),
        ),
        migrations.AddField(
            model_name='location',
            name='external_ids',
            field=models.JSONField(default=list),
        ),
        migrations.CreateModel(
            name='ClinicianExternalId',
            fields=[
                ('id', models.UUIDField(default=rapport.kernel.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ('system', models.CharField(max_length=200)),
                ('value', models.CharField(max_length=200)),
                ('clinician', rapport.platform.tenancy.models.PracticeForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='roster.clinician')),
                ('practice', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='tenancy.practice')),
            ],
            options={
                'indexes': [models.Index(fields=['practice', 'clinician'], name='clinician_external_by_owner')],
                'constraints': [models.UniqueConstraint(fields=('practice', 'system', 'value'), name='clinician_external_once')],
            },
        ),
        migrations.CreateModel(
            name='LocationExternalId',
            fields=[
                ('id', models.UUIDField(default=rapport.kernel.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ('system', models.CharField(max_length=200)),
                ('value', models.CharField(max_length=200)),
                ('location', rapport.platform.tenancy.models.PracticeForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='roster.location')),
                ('practice', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='tenancy.practice')),
            ],
            options={
                'indexes': [models.Index(fields=['practice', 'location'], name='location_external_by_owner')],
                'constraints': [models.UniqueConstraint(fields=('practice', 'system', 'value'), name='location_external_once')],
            },
        ),
        SecurePracticeTable("ClinicianExternalId"),
        SecurePracticeTable("LocationExternalId"),
    ]
