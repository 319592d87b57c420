"""What payers authorised, and for which services a payer wants that."""

import django.contrib.postgres.fields
import django.db.models.deletion
import rapport.kernel.ids
import rapport.platform.tenancy.models
from django.db import migrations, models

from rapport.platform.db.secure import SecurePracticeTable

# The default is for programs of the release before, which do not name the column.
RULES = """
ALTER TABLE coverage_payer ALTER COLUMN authorization_for SET DEFAULT '{}';
INSERT INTO audit_kind (kind, table_name) VALUES ('authorization', 'coverage_authorization');
"""


class Migration(migrations.Migration):

    dependencies = [
        ('coverage', '0005_source'),
        ('roster', '0007_source'),
        ('tenancy', '0005_seen_at'),
    ]

    operations = [
        migrations.AddField(
            model_name='payer',
            name='authorization_for',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=5), default=list, size=None),
        ),
        migrations.CreateModel(
            name='Authorization',
            fields=[
                ('id', models.UUIDField(default=rapport.kernel.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ('version', models.IntegerField(default=1)),
                ('created_at', models.DateTimeField()),
                ('updated_at', models.DateTimeField()),
                ('number', models.CharField(max_length=50)),
                ('service_codes', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=5), default=list, size=None)),
                ('counted_by', models.CharField(choices=[('visit', 'visit'), ('unit', 'unit')], max_length=5)),
                ('allowed', models.IntegerField(null=True)),
                ('used_before', models.IntegerField(default=0)),
                ('starts_on', models.DateField()),
                ('ends_on', models.DateField(null=True)),
                ('active', models.BooleanField(default=True)),
                ('patient', rapport.platform.tenancy.models.PracticeForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='roster.patient')),
                ('policy', rapport.platform.tenancy.models.PracticeForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='coverage.policy')),
                ('practice', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='tenancy.practice')),
            ],
            options={
                'indexes': [models.Index(fields=['practice', 'patient', 'starts_on'], name='authorization_by_patient'), models.Index(fields=['practice', 'policy'], name='authorization_by_policy'), models.Index(fields=['practice', 'updated_at', 'id'], name='authorization_by_update')],
                'constraints': [models.CheckConstraint(condition=models.Q(('counted_by__in', ['visit', 'unit'])), name='authorization_counted_known'), models.CheckConstraint(condition=models.Q(('ends_on', None), ('ends_on__gte', models.F('starts_on')), _connector='OR'), name='authorization_span_in_order'), models.CheckConstraint(condition=models.Q(models.Q(('allowed', None), ('allowed__gt', 0), _connector='OR'), ('used_before__gte', 0)), name='authorization_not_negative'), models.UniqueConstraint(fields=('practice', 'policy', 'number'), name='authorization_number_once')],
            },
        ),
        SecurePracticeTable("Authorization", patient_column="patient_id"),
        migrations.RunSQL(RULES, migrations.RunSQL.noop),
    ]
