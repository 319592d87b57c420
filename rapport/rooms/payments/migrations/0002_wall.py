"""Payments behind the wall; what was asked of a card is frozen; and whose processor a notice comes from."""

from django.db import migrations

from rapport.platform.db.secure import SecurePracticeTable

SQL = """
CREATE FUNCTION payments_freeze_charge() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'what was asked of a card is never removed' USING ERRCODE = '42501';
    END IF;
    IF (OLD.practice_id, OLD.id, OLD.patient_id, OLD.card_id, OLD.processor_id, OLD.cents, OLD.wanted,
        OLD.planned_id, OLD.asked_on, OLD.created_at)
       IS DISTINCT FROM
       (NEW.practice_id, NEW.id, NEW.patient_id, NEW.card_id, NEW.processor_id, NEW.cents, NEW.wanted,
        NEW.planned_id, NEW.asked_on, NEW.created_at)
       OR (OLD.receipt <> '' AND NEW.receipt <> OLD.receipt)
    THEN
        RAISE EXCEPTION 'what was asked of a card is frozen' USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER payments_charge_frozen BEFORE UPDATE OR DELETE ON payments_charge
    FOR EACH ROW EXECUTE FUNCTION payments_freeze_charge();

CREATE FUNCTION payments_freeze_refund() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a refund is never removed' USING ERRCODE = '42501';
    END IF;
    IF (OLD.practice_id, OLD.id, OLD.charge_id, OLD.patient_id, OLD.cents, OLD.reason, OLD.created_at)
       IS DISTINCT FROM
       (NEW.practice_id, NEW.id, NEW.charge_id, NEW.patient_id, NEW.cents, NEW.reason, NEW.created_at)
    THEN
        RAISE EXCEPTION 'a refund is frozen' USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER payments_refund_frozen BEFORE UPDATE OR DELETE ON payments_refund
    FOR EACH ROW EXECUTE FUNCTION payments_freeze_refund();

REVOKE DELETE, TRUNCATE ON payments_processor, payments_card, payments_charge, payments_refund, payments_told,
    payments_payout FROM rapport_app;

CREATE FUNCTION rapport_card_processor(processor uuid)
RETURNS TABLE (practice_id uuid, kind text, sealed bytea, time_zone text, livemode boolean)
LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT r.practice_id, r.kind::text, r.notice_secret_sealed, p.time_zone::text, p.livemode
    FROM payments_processor r JOIN tenancy_practice p ON p.id = r.practice_id
    WHERE r.id = processor
$$;
REVOKE ALL ON FUNCTION rapport_card_processor(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rapport_card_processor(uuid) TO rapport_app;
CREATE INDEX payments_processor_by_id ON payments_processor (id);

CREATE FUNCTION rapport_payment_practices() RETURNS TABLE (practice_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT DISTINCT r.practice_id FROM payments_processor r
    WHERE EXISTS (SELECT 1 FROM payments_charge c WHERE c.practice_id = r.practice_id
                  AND c.state IN ('queued', 'sending', 'in_doubt'))
       OR EXISTS (SELECT 1 FROM payments_refund f WHERE f.practice_id = r.practice_id
                  AND f.state IN ('queued', 'sending', 'in_doubt'))
       OR EXISTS (SELECT 1 FROM payments_card k WHERE k.practice_id = r.practice_id
                  AND (k.state IN ('asked', 'ready') OR (k.state = 'removed' AND k.asked_again_at IS NOT NULL)))
       OR EXISTS (SELECT 1 FROM payments_told t WHERE t.practice_id = r.practice_id AND t.outcome = 'parked')
$$;
REVOKE ALL ON FUNCTION rapport_payment_practices() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rapport_payment_practices() TO rapport_app;

INSERT INTO audit_kind (kind, table_name) VALUES
    ('card', 'payments_card'), ('card_processor', 'payments_processor'), ('card_refund', 'payments_refund'),
    ('payout', 'payments_payout');
"""


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0001_initial"),
        ("tenancy", "0001_initial"),
        ("audit", "0002_wall"),
        ("roster", "0002_wall"),
        ("ledger", "0002_wall"),
    ]
    operations = [
        SecurePracticeTable("Processor"),
        SecurePracticeTable("Card", patient_column="patient_id"),
        SecurePracticeTable("Charge", patient_column="patient_id"),
        SecurePracticeTable("ChargeHistory", patient_column="patient_id", append_only=True),
        SecurePracticeTable("Refund", patient_column="patient_id"),
        SecurePracticeTable("Told"),
        SecurePracticeTable("Payout"),
        SecurePracticeTable("PayoutLine", append_only=True),
        migrations.RunSQL(SQL, migrations.RunSQL.noop),
    ]
