"""The trail behind the wall: added to, never changed; and how a probe from outside is noted."""

from django.db import migrations

from rapport.platform.db.secure import SecurePracticeTable

PROBE = """
CREATE TABLE audit_kind (kind text PRIMARY KEY, table_name text NOT NULL);
COMMENT ON TABLE audit_kind IS 'Where objects of each kind live; filled by the rooms'' migrations.';
REVOKE INSERT, UPDATE, DELETE ON audit_kind FROM rapport_app;

CREATE FUNCTION rapport_report_probe(
    wanted_kind text, wanted uuid, tried text, by_type text, by_id uuid, from_ip inet,
    in_request uuid, row_id uuid
) RETURNS text LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    place text;
    home uuid;
    mine uuid := current_setting('rapport.practice_id')::uuid;
BEGIN
    SELECT table_name INTO place FROM audit_kind WHERE kind = wanted_kind;
    IF place IS NULL THEN RETURN 'missing'; END IF;
    EXECUTE format('SELECT practice_id FROM %I WHERE id = $1', place) INTO home USING wanted;
    IF home IS NULL THEN RETURN 'missing'; END IF;
    IF home = mine THEN RETURN 'here'; END IF;
    INSERT INTO audit_auditevent (practice_id, id, occurred_at, actor_type, actor_id, roles, amr,
        action, outcome, reason, patient_ids, target_type, target_id, fields, changed, count, ip,
        user_agent, request_id)
    VALUES (home, row_id, clock_timestamp(), by_type, by_id, '{}', '{}', tried, 'deny',
        'other_practice', '{}', wanted_kind, wanted, '{}', '{}', 0, from_ip, '', in_request);
    RETURN 'other_practice';
END $$;
REVOKE ALL ON FUNCTION rapport_report_probe(text, uuid, text, text, uuid, inet, uuid, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rapport_report_probe(text, uuid, text, text, uuid, inet, uuid, uuid)
    TO rapport_app;

CREATE FUNCTION rapport_unchained_practices() RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT p.id FROM tenancy_practice p WHERE EXISTS (
        SELECT 1 FROM audit_auditevent e WHERE e.practice_id = p.id AND NOT EXISTS (
            SELECT 1 FROM audit_auditlink l
            WHERE l.practice_id = e.practice_id AND l.event_id = e.id))
$$;
REVOKE ALL ON FUNCTION rapport_unchained_practices() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rapport_unchained_practices() TO rapport_app;
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial"), ("tenancy", "0001_initial")]
    operations = [
        SecurePracticeTable("AuditEvent", append_only=True),
        SecurePracticeTable("AuditLink", append_only=True),
        migrations.RunSQL(PROBE, migrations.RunSQL.noop),
    ]
