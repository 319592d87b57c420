"""Payment plans behind the wall; what was agreed is frozen; and which practices have one to be looked at."""

from django.db import migrations

from rapport.platform.db.secure import SecurePracticeTable

SQL = """
CREATE FUNCTION accounting_plan_adds_up() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.cents <> (SELECT sum(part) FROM unnest(NEW.amounts) AS part)
       OR EXISTS (SELECT 1 FROM unnest(NEW.amounts) AS part WHERE part <= 0) THEN
        RAISE EXCEPTION 'the instalments of a plan add up to it'
            USING ERRCODE = '23514', CONSTRAINT = 'plan_adds_up', TABLE = 'accounting_paymentplan';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER accounting_plan_adds_up BEFORE INSERT ON accounting_paymentplan
    FOR EACH ROW EXECUTE FUNCTION accounting_plan_adds_up();

CREATE FUNCTION accounting_freeze_plan() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a payment plan is never removed' USING ERRCODE = '42501';
    END IF;
    IF (OLD.practice_id, OLD.id, OLD.patient_id, OLD.cents, OLD.amounts, OLD.first_due_on, OLD.interval,
        OLD.day_of_month, OLD.agreed_by, OLD.agreed_at, OLD.agreed_how, OLD.recorded_by_type, OLD.recorded_by_id,
        OLD.replaces_id, OLD.content, OLD.sha256, OLD.created_at)
       IS DISTINCT FROM
       (NEW.practice_id, NEW.id, NEW.patient_id, NEW.cents, NEW.amounts, NEW.first_due_on, NEW.interval,
        NEW.day_of_month, NEW.agreed_by, NEW.agreed_at, NEW.agreed_how, NEW.recorded_by_type, NEW.recorded_by_id,
        NEW.replaces_id, NEW.content, NEW.sha256, NEW.created_at)
    THEN
        RAISE EXCEPTION 'what was agreed is frozen' USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER accounting_plan_frozen BEFORE UPDATE OR DELETE ON accounting_paymentplan
    FOR EACH ROW EXECUTE FUNCTION accounting_freeze_plan();

CREATE FUNCTION accounting_freeze_plan_visit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE'
       OR (OLD.practice_id, OLD.id, OLD.plan_id, OLD.patient_id, OLD.appointment_id, OLD.service_on, OLD.cents,
           OLD.paid_before)
          IS DISTINCT FROM
          (NEW.practice_id, NEW.id, NEW.plan_id, NEW.patient_id, NEW.appointment_id, NEW.service_on, NEW.cents,
           NEW.paid_before)
    THEN
        RAISE EXCEPTION 'what a plan holds is frozen' USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER accounting_plan_visit_frozen BEFORE UPDATE OR DELETE ON accounting_planvisit
    FOR EACH ROW EXECUTE FUNCTION accounting_freeze_plan_visit();

REVOKE DELETE, TRUNCATE ON accounting_paymentplan, accounting_planvisit FROM rapport_app;

CREATE FUNCTION rapport_plan_practices(before timestamptz) RETURNS TABLE (practice_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT DISTINCT n.practice_id FROM accounting_paymentplan n
    WHERE n.status = 'active' AND (n.looked_at IS NULL OR n.looked_at < before)
$$;
REVOKE ALL ON FUNCTION rapport_plan_practices(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rapport_plan_practices(timestamptz) TO rapport_app;

INSERT INTO audit_kind (kind, table_name) VALUES ('payment_plan', 'accounting_paymentplan');
"""


class Migration(migrations.Migration):
    dependencies = [("accounting", "0004_payment_plans"), ("audit", "0002_wall"), ("roster", "0002_wall")]
    operations = [
        SecurePracticeTable("PaymentPlan", patient_column="patient_id"),
        SecurePracticeTable("PlanVisit", patient_column="patient_id"),
        SecurePracticeTable("PlanDeed", patient_column="patient_id", append_only=True),
        migrations.RunSQL(SQL, migrations.RunSQL.noop),
    ]
