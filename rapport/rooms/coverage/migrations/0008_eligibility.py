"""What payers were asked of policies and what they answered; and what a practice wants of that."""

import django.contrib.postgres.fields
import django.db.models.deletion
import rapport.kernel.ids
import rapport.platform.tenancy.models
from django.db import migrations, models

from rapport.platform.db.secure import SecurePracticeTable

RULES = """
CREATE FUNCTION coverage_freeze_exchange() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a question that was asked is never removed' USING ERRCODE = '42501';
    END IF;
    IF (OLD.practice_id, OLD.id, OLD.check_of_id, OLD.number, OLD.key, OLD.request_blob_key, OLD.request_sha256,
        OLD.created_at)
       IS DISTINCT FROM
       (NEW.practice_id, NEW.id, NEW.check_of_id, NEW.number, NEW.key, NEW.request_blob_key, NEW.request_sha256,
        NEW.created_at)
       OR (OLD.response_blob_key <> '' AND (OLD.response_blob_key, OLD.response_sha256)
           IS DISTINCT FROM (NEW.response_blob_key, NEW.response_sha256))
    THEN
        RAISE EXCEPTION 'what was asked and answered is frozen' USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER coverage_exchange_frozen BEFORE UPDATE OR DELETE ON coverage_eligibilityexchange
    FOR EACH ROW EXECUTE FUNCTION coverage_freeze_exchange();

CREATE FUNCTION rapport_asking_practices() RETURNS TABLE (practice_id uuid, time_zone text)
LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT p.id, p.time_zone::text FROM tenancy_practice p WHERE p.id IN (
        SELECT s.practice_id FROM coverage_coveragesettings s WHERE s.check_days_before > 0
        UNION SELECT k.practice_id FROM coverage_eligibilitycheck k WHERE k.state IN ('queued', 'asking'))
$$;
REVOKE ALL ON FUNCTION rapport_asking_practices() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rapport_asking_practices() TO rapport_app;

INSERT INTO audit_kind (kind, table_name) VALUES ('eligibility_check', 'coverage_eligibilitycheck');
"""


class Migration(migrations.Migration):

    dependencies = [
        ('coverage', '0007_directory'),
        ('roster', '0007_source'),
        ('tenancy', '0005_seen_at'),
    ]

    operations = [
        migrations.CreateModel(
            name='EligibilityCheck',
            fields=[
                ('id', models.UUIDField(default=rapport.kernel.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ('version', models.IntegerField(default=1)),
                ('created_at', models.DateTimeField()),
                ('updated_at', models.DateTimeField()),
                ('channel_id', models.UUIDField()),
                ('reason', models.CharField(choices=[('asked', 'asked'), ('before_visit', 'before_visit')], max_length=12)),
                ('service_on', models.DateField()),
                ('service_types', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=2), size=None)),
                ('trace', models.CharField(max_length=30)),
                ('state', models.CharField(choices=[('queued', 'queued'), ('asking', 'asking'), ('answered', 'answered'), ('refused', 'refused'), ('unanswered', 'unanswered')], max_length=10)),
                ('fence', models.IntegerField(default=0)),
                ('leased_until', models.DateTimeField(null=True)),
                ('retry_at', models.DateTimeField(null=True)),
                ('last_code', models.CharField(blank=True, max_length=60)),
                ('refusals', models.JSONField(default=list)),
                ('snapshot', models.JSONField(null=True)),
                ('answered_at', models.DateTimeField(null=True)),
                ('patient', rapport.platform.tenancy.models.PracticeForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='roster.patient')),
                ('payer', rapport.platform.tenancy.models.PracticeForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='coverage.payer')),
                ('policy', rapport.platform.tenancy.models.PracticeForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='coverage.policy')),
                ('practice', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='tenancy.practice')),
            ],
        ),
        migrations.CreateModel(
            name='EligibilityExchange',
            fields=[
                ('id', models.UUIDField(default=rapport.kernel.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ('number', models.IntegerField()),
                ('key', models.CharField(max_length=60)),
                ('request_blob_key', models.CharField(max_length=64)),
                ('request_sha256', models.CharField(max_length=64)),
                ('tries', models.IntegerField(default=0)),
                ('response_blob_key', models.CharField(blank=True, max_length=64)),
                ('response_sha256', models.CharField(blank=True, max_length=64)),
                ('outcome', models.CharField(blank=True, max_length=60)),
                ('created_at', models.DateTimeField()),
                ('answered_at', models.DateTimeField(null=True)),
                ('check_of', rapport.platform.tenancy.models.PracticeForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='coverage.eligibilitycheck')),
                ('practice', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='tenancy.practice')),
            ],
        ),
        migrations.CreateModel(
            name='CoverageSettings',
            fields=[
                ('id', models.UUIDField(default=rapport.kernel.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ('version', models.IntegerField(default=1)),
                ('created_at', models.DateTimeField()),
                ('updated_at', models.DateTimeField()),
                ('check_days_before', models.IntegerField(default=0)),
                ('check_again_days', models.IntegerField(default=7)),
                ('estimate_warning_cents', models.BigIntegerField(default=30000)),
                ('practice', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='tenancy.practice')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('practice',), name='coverage_settings_once'), models.CheckConstraint(condition=models.Q(('check_again_days__gte', 1), ('check_again_days__lte', 365), ('check_days_before__gte', 0), ('check_days_before__lte', 14), ('estimate_warning_cents__gte', 0), ('estimate_warning_cents__lte', 40000)), name='coverage_settings_in_range')],
            },
        ),
        migrations.AddIndex(
            model_name='eligibilitycheck',
            index=models.Index(fields=['practice', 'policy', '-created_at'], name='eligibility_by_policy'),
        ),
        migrations.AddIndex(
            model_name='eligibilitycheck',
            index=models.Index(fields=['practice', 'patient', '-created_at'], name='eligibility_by_patient'),
        ),
        migrations.AddIndex(
            model_name='eligibilitycheck',
            index=models.Index(fields=['practice', '-created_at', 'id'], name='eligibility_by_creation'),
        ),
        migrations.AddConstraint(
            model_name='eligibilitycheck',
            constraint=models.CheckConstraint(condition=models.Q(('reason__in', ['asked', 'before_visit']), ('state__in', ['queued', 'asking', 'answered', 'refused', 'unanswered'])), name='eligibility_words_known'),
        ),
        migrations.AddConstraint(
            model_name='eligibilitycheck',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ['queued', 'asking'])), fields=('practice', 'policy'), name='eligibility_one_under_way'),
        ),
        migrations.AddConstraint(
            model_name='eligibilitycheck',
            constraint=models.UniqueConstraint(fields=('practice', 'trace'), name='eligibility_trace_once'),
        ),
        migrations.AddConstraint(
            model_name='eligibilityexchange',
            constraint=models.UniqueConstraint(fields=('practice', 'check_of', 'number'), name='eligibility_exchange_once'),
        ),
        SecurePracticeTable("EligibilityCheck", patient_column="patient_id"),
        SecurePracticeTable("EligibilityExchange"),
        SecurePracticeTable("CoverageSettings"),
        migrations.RunSQL(RULES, migrations.RunSQL.noop),
    ]
