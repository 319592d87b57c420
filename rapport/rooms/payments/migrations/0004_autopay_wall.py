"""AutoPay behind the wall; a consent is frozen but for its end; and which practices have a rule that is on."""

from django.db import migrations

from rapport.platform.db.secure import SecurePracticeTable

SQL = """
CREATE FUNCTION payments_freeze_consent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a consent is never removed' USING ERRCODE = '42501';
    END IF;
    IF (OLD.practice_id, OLD.id, OLD.patient_id, OLD.card_id, OLD.max_cents, OLD.consent_words, OLD.consented_by,
        OLD.consented_at, OLD.recorded_by_type, OLD.recorded_by_id, OLD.created_at)
       IS DISTINCT FROM
       (NEW.practice_id, NEW.id, NEW.patient_id, NEW.card_id, NEW.max_cents, NEW.consent_words, NEW.consented_by,
        NEW.consented_at, NEW.recorded_by_type, NEW.recorded_by_id, NEW.created_at)
       OR (OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS DISTINCT FROM OLD.revoked_at)
    THEN
        RAISE EXCEPTION 'a consent is frozen' USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER payments_consent_frozen BEFORE UPDATE OR DELETE ON payments_enrolment
    FOR EACH ROW EXECUTE FUNCTION payments_freeze_consent();

REVOKE DELETE, TRUNCATE ON payments_autopayrule, payments_enrolment, payments_planned FROM rapport_app;

CREATE FUNCTION rapport_autopay_practices() RETURNS TABLE (practice_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT r.practice_id FROM payments_autopayrule r WHERE r.active
$$;
REVOKE ALL ON FUNCTION rapport_autopay_practices() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rapport_autopay_practices() TO rapport_app;

INSERT INTO audit_kind (kind, table_name) VALUES
    ('autopay_enrolment', 'payments_enrolment'), ('planned_charge', 'payments_planned');
"""


class Migration(migrations.Migration):
    dependencies = [("payments", "0003_autopay"), ("audit", "0002_wall"), ("roster", "0002_wall")]
    operations = [
        SecurePracticeTable("AutopayRule"),
        SecurePracticeTable("Enrolment", patient_column="patient_id"),
        SecurePracticeTable("Planned", patient_column="patient_id"),
        migrations.RunSQL(SQL, migrations.RunSQL.noop),
    ]
