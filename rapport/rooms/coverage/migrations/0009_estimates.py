"""Good-faith estimates: frozen once they are given."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.expressions
import rapport.kernel.ids
import rapport.platform.tenancy.models
from django.db import migrations, models

from rapport.platform.db.secure import SecurePracticeTable

RULES = """
CREATE FUNCTION coverage_freeze_estimate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state <> 'draft' AND (TG_OP = 'DELETE' OR NEW.state = 'draft' OR
        (OLD.practice_id, OLD.id, OLD.patient_id, OLD.number, OLD.starts_on, OLD.ends_on, OLD.asked_on,
         OLD.first_service_on, OLD.due_on, OLD.diagnosis_codes, OLD.total_cents, OLD.given_at, OLD.given_by,
         OLD.document_id, OLD.created_at)
        IS DISTINCT FROM
        (NEW.practice_id, NEW.id, NEW.patient_id, NEW.number, NEW.starts_on, NEW.ends_on, NEW.asked_on,
         NEW.first_service_on, NEW.due_on, NEW.diagnosis_codes, NEW.total_cents, NEW.given_at, NEW.given_by,
         NEW.document_id, NEW.created_at))
    THEN
        RAISE EXCEPTION 'an estimate that was given is frozen' USING ERRCODE = '42501';
    END IF;
    RETURN COALESCE(NEW, OLD);
END $$;
CREATE TRIGGER coverage_estimate_frozen BEFORE UPDATE OR DELETE ON coverage_estimate
    FOR EACH ROW EXECUTE FUNCTION coverage_freeze_estimate();

CREATE FUNCTION rapport_estimating_practices() RETURNS TABLE (practice_id uuid, time_zone text)
LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT p.id, p.time_zone::text FROM tenancy_practice p WHERE p.id IN (
        SELECT e.practice_id FROM coverage_estimate e WHERE e.state = 'given')
$$;
REVOKE ALL ON FUNCTION rapport_estimating_practices() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rapport_estimating_practices() TO rapport_app;

INSERT INTO audit_kind (kind, table_name) VALUES ('estimate', 'coverage_estimate');
"""


class Migration(migrations.Migration):

    dependencies = [
        ('coverage', '0008_eligibility'),
        ('roster', '0007_source'),
        ('tenancy', '0005_seen_at'),
    ]

    operations = [
        migrations.CreateModel(
            name='Estimate',
            fields=[
                ('id', models.UUIDField(default=rapport.kernel.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ('version', models.IntegerField(default=1)),
                ('created_at', models.DateTimeField()),
                ('updated_at', models.DateTimeField()),
                ('number', models.IntegerField(null=True)),
                ('state', models.CharField(choices=[('draft', 'draft'), ('given', 'given'), ('replaced', 'replaced')], default='draft', max_length=8)),
                ('starts_on', models.DateField()),
                ('ends_on', models.DateField()),
                ('asked_on', models.DateField()),
                ('first_service_on', models.DateField(null=True)),
                ('due_on', models.DateField(null=True)),
                ('diagnosis_codes', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=8), default=list, size=None)),
                ('total_cents', models.BigIntegerField()),
                ('given_at', models.DateTimeField(null=True)),
                ('given_by', models.CharField(blank=True, max_length=10)),
                ('document_id', models.UUIDField(null=True)),
                ('replaced_at', models.DateTimeField(null=True)),
                ('near_at', models.DateTimeField(null=True)),
                ('exceeded_at', models.DateTimeField(null=True)),
                ('patient', rapport.platform.tenancy.models.PracticeForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='roster.patient')),
                ('practice', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='tenancy.practice')),
            ],
        ),
        migrations.CreateModel(
            name='EstimateLine',
            fields=[
                ('id', models.UUIDField(default=rapport.kernel.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ('position', models.IntegerField()),
                ('service_code_id', models.UUIDField()),
                ('code', models.CharField(max_length=5)),
                ('label', models.CharField(max_length=200)),
                ('clinician_id', models.UUIDField()),
                ('quantity', models.IntegerField()),
                ('rate_cents', models.BigIntegerField()),
                ('rate_rule', models.CharField(max_length=80)),
                ('amount_cents', models.BigIntegerField()),
                ('estimate', rapport.platform.tenancy.models.PracticeForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='coverage.estimate')),
                ('practice', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='tenancy.practice')),
            ],
        ),
        migrations.AddIndex(
            model_name='estimate',
            index=models.Index(fields=['practice', 'patient', 'starts_on'], name='estimate_by_patient'),
        ),
        migrations.AddIndex(
            model_name='estimate',
            index=models.Index(fields=['practice', '-created_at', 'id'], name='estimate_by_creation'),
        ),
        migrations.AddConstraint(
            model_name='estimate',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['draft', 'given', 'replaced'])), name='estimate_state_known'),
        ),
        migrations.AddConstraint(
            model_name='estimate',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'draft'), models.Q(('document_id__isnull', False), ('given_at__isnull', False), ('number__isnull', False)), _connector='OR'), name='estimate_given_is_whole'),
        ),
        migrations.AddConstraint(
            model_name='estimate',
            constraint=models.CheckConstraint(condition=models.Q(('ends_on__gte', models.F('starts_on'))), name='estimate_span_in_order'),
        ),
        migrations.AddConstraint(
            model_name='estimate',
            constraint=models.UniqueConstraint(fields=('practice', 'number'), name='estimate_number_once'),
        ),
        migrations.AddConstraint(
            model_name='estimateline',
            constraint=models.UniqueConstraint(fields=('practice', 'estimate', 'position'), name='estimate_line_once'),
        ),
        migrations.AddConstraint(
            model_name='estimateline',
            constraint=models.CheckConstraint(condition=models.Q(('amount_cents', django.db.models.expressions.CombinedExpression(models.F('quantity'), '*', models.F('rate_cents'))), ('quantity__gt', 0), ('rate_cents__gte', 0)), name='estimate_line_adds_up'),
        ),
        SecurePracticeTable("Estimate", patient_column="patient_id"),
        SecurePracticeTable("EstimateLine", append_only=True),
        migrations.RunSQL(RULES, migrations.RunSQL.noop),
    ]
