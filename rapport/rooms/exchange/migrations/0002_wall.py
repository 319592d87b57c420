"""Connections behind the wall; what is to be written is frozen; and which practices have connections."""

from django.db import migrations

from rapport.platform.db.secure import SecurePracticeTable

FREEZE = """
CREATE FUNCTION exchange_freeze_write() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'the journal of writes keeps every row' USING ERRCODE = '42501';
    END IF;
    IF (OLD.practice_id, OLD.id, OLD.connection_id, OLD.patient_id, OLD.ability, OLD.read_back, OLD.key,
        OLD.payload_digest, OLD.values_sealed, OLD.makes_new, OLD.key_fields, OLD.natural_key,
        OLD.attended, OLD.asked_by, OLD.created_at)
       IS DISTINCT FROM
       (NEW.practice_id, NEW.id, NEW.connection_id, NEW.patient_id, NEW.ability, NEW.read_back, NEW.key,
        NEW.payload_digest, NEW.values_sealed, NEW.makes_new, NEW.key_fields, NEW.natural_key,
        NEW.attended, NEW.asked_by, NEW.created_at)
    THEN
        RAISE EXCEPTION 'what is to be written is frozen' USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER exchange_write_frozen BEFORE UPDATE OR DELETE ON exchange_write
    FOR EACH ROW EXECUTE FUNCTION exchange_freeze_write();

CREATE FUNCTION exchange_freeze_consent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a connection is withdrawn, never removed' USING ERRCODE = '42501';
    END IF;
    IF (OLD.practice_id, OLD.id, OLD.definition, OLD.base_url, OLD.identity, OLD.consent_by, OLD.consent_at,
        OLD.consent_words)
       IS DISTINCT FROM
       (NEW.practice_id, NEW.id, NEW.definition, NEW.base_url, NEW.identity, NEW.consent_by, NEW.consent_at,
        NEW.consent_words)
    THEN
        RAISE EXCEPTION 'account and consent of a connection are frozen' USING ERRCODE = '42501';
    END IF;
    IF OLD.state = 'withdrawn' AND NEW.state <> 'withdrawn' THEN
        RAISE EXCEPTION 'a withdrawn connection stays withdrawn' USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER exchange_consent_frozen BEFORE UPDATE OR DELETE ON exchange_connection
    FOR EACH ROW EXECUTE FUNCTION exchange_freeze_consent();

CREATE FUNCTION rapport_connection_practices() RETURNS TABLE (practice_id uuid, time_zone text)
LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT p.id, p.time_zone::text FROM tenancy_practice p
    WHERE EXISTS (
        SELECT 1 FROM exchange_connection c
        WHERE c.practice_id = p.id AND c.state NOT IN ('suspended', 'withdrawn'))
$$;
REVOKE ALL ON FUNCTION rapport_connection_practices() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rapport_connection_practices() TO rapport_app;

INSERT INTO audit_kind (kind, table_name) VALUES
    ('connection', 'exchange_connection'), ('challenge', 'exchange_challenge'),
    ('attention_item', 'exchange_attentionitem'), ('connector_write', 'exchange_write');
"""


class Migration(migrations.Migration):
    dependencies = [
        ("exchange", "0001_initial"),
        ("tenancy", "0001_initial"),
        ("audit", "0002_wall"),
        ("roster", "0002_wall"),
        ("documents", "0002_wall"),
    ]
    operations = [
        SecurePracticeTable("Connection"),
        SecurePracticeTable("ConnectionHistory", append_only=True),
        SecurePracticeTable("Secret"),
        SecurePracticeTable("Breaker"),
        SecurePracticeTable("Pace"),
        SecurePracticeTable("AttentionItem"),
        SecurePracticeTable("PortalSession"),
        SecurePracticeTable("SignIn"),
        SecurePracticeTable("Challenge"),
        SecurePracticeTable("Mirror"),
        SecurePracticeTable("SyncRun"),
        SecurePracticeTable("Shadow"),
        SecurePracticeTable("DriftReport", append_only=True),
        SecurePracticeTable("Artefact", patient_column="patient_id"),
        SecurePracticeTable("Write", patient_column="patient_id"),
        SecurePracticeTable("WriteHistory", append_only=True),
        migrations.RunSQL(FREEZE, migrations.RunSQL.noop),
    ]
