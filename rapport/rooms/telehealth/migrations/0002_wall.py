"""Telehealth behind the wall; and how a link finds its practice."""

from django.db import migrations

from rapport.platform.db.secure import SecurePracticeTable

LINK = """
CREATE INDEX telehealth_link_by_digest ON telehealth_link (digest);
REVOKE DELETE, TRUNCATE ON telehealth_link, telehealth_session FROM rapport_app;

CREATE FUNCTION rapport_telehealth_link(token_digest bytea)
RETURNS TABLE (
    practice_id uuid, link_id uuid, session_id uuid, patient_id uuid, person text,
    expires_at timestamptz, revoked boolean, time_zone text
)
LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT l.practice_id, l.id, l.session_id, l.patient_id, l.person::text, l.expires_at,
        l.revoked_at IS NOT NULL, p.time_zone::text
    FROM telehealth_link l JOIN tenancy_practice p ON p.id = l.practice_id
    WHERE l.digest = token_digest
$$;
REVOKE ALL ON FUNCTION rapport_telehealth_link(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rapport_telehealth_link(bytea) TO rapport_app;

INSERT INTO audit_kind (kind, table_name) VALUES ('telehealth_session', 'telehealth_session');
"""


class Migration(migrations.Migration):
    dependencies = [
        ("telehealth", "0001_initial"),
        ("scheduling", "0002_wall"),
        ("roster", "0002_wall"),
        ("tenancy", "0001_initial"),
        ("audit", "0002_wall"),
    ]
    operations = [
        SecurePracticeTable("Session", patient_column="patient_id"),
        SecurePracticeTable("SessionHistory", patient_column="patient_id", append_only=True),
        SecurePracticeTable("Link", patient_column="patient_id"),
        migrations.RunSQL(LINK, migrations.RunSQL.noop),
    ]
