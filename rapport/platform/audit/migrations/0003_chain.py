"""What waits for its place in the chain, and which links are about a patient."""

from django.db import migrations, models

import rapport.kernel.ids
from rapport.platform.db.secure import SecurePracticeTable, wall

# Rows of the trail are never changed, so that one of them waits cannot be marked on it. The
# trigger writes the note in the row's own transaction; chaining removes it.
PENDING = """
CREATE TABLE audit_pending (
    practice_id uuid NOT NULL,
    event_id uuid NOT NULL,
    PRIMARY KEY (practice_id, event_id)
);
COMMENT ON TABLE audit_pending IS 'Events that have no link yet. A note, not evidence.';

INSERT INTO audit_pending (practice_id, event_id)
    SELECT e.practice_id, e.id FROM audit_auditevent e WHERE NOT EXISTS (
        SELECT 1 FROM audit_auditlink l
        WHERE l.practice_id = e.practice_id AND l.event_id = e.id);

CREATE FUNCTION rapport_note_pending() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit_pending (practice_id, event_id) VALUES (NEW.practice_id, NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER audit_event_pending AFTER INSERT ON audit_auditevent
    FOR EACH ROW EXECUTE FUNCTION rapport_note_pending();

CREATE OR REPLACE FUNCTION rapport_unchained_practices() RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT DISTINCT practice_id FROM audit_pending
$$;

CREATE FUNCTION rapport_chained_practices() RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT p.id FROM tenancy_practice p WHERE EXISTS (
        SELECT 1 FROM audit_auditlink l WHERE l.practice_id = p.id)
$$;
REVOKE ALL ON FUNCTION rapport_chained_practices() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rapport_chained_practices() TO rapport_app;
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0002_wall"), ("tenancy", "0001_initial")]
    operations = [
        migrations.CreateModel(
            name="AuditPatient",
            fields=[
                ("id", models.UUIDField(default=rapport.kernel.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ("patient_id", models.UUIDField()),
                ("seq", models.BigIntegerField()),
                ("practice", models.ForeignKey(db_index=False, on_delete=models.DO_NOTHING, related_name="+", to="tenancy.practice")),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("practice", "patient_id", "seq"), name="audit_patient_seq")],
            },
        ),
        SecurePracticeTable("AuditPatient", append_only=True),
        migrations.RunSQL(PENDING, migrations.RunSQL.noop),
        *(migrations.RunSQL(statement, migrations.RunSQL.noop) for statement in wall("audit_pending")),
    ]
