"""Notes behind the wall: frozen when signed; psychotherapy notes for their author's eyes only."""

from django.db import migrations

from rapport.platform.db.secure import SecurePracticeTable

# The setting is made by charting's own queries, for a signed-in author and nobody else. Every
# other reader (another room, a job, an export, a search, a key) has no setting, and sees nothing.
AUTHOR_ONLY = """
CREATE POLICY author_only ON charting_clinicalnote AS RESTRICTIVE FOR ALL TO rapport_app
    USING (type <> 'psychotherapy' OR author_user_id =
           nullif(current_setting('rapport.note_author', true), '')::uuid)
    WITH CHECK (type <> 'psychotherapy' OR author_user_id =
           nullif(current_setting('rapport.note_author', true), '')::uuid);
"""
FOLLOWS = """
CREATE POLICY follows_note ON {table} AS RESTRICTIVE FOR SELECT TO rapport_app
    USING (EXISTS (SELECT 1 FROM charting_clinicalnote n
           WHERE n.practice_id = {table}.practice_id AND n.id = {table}.note_id));
"""
CHILDREN = ("charting_notemove", "charting_signedtext", "charting_signature", "charting_addendum")

FROZEN = """
CREATE FUNCTION rapport_note_is_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    why text;
BEGIN
    IF (NEW.id, NEW.practice_id, NEW.patient_id, NEW.clinician_id, NEW.appointment_id,
        NEW.author_user_id, NEW.type, NEW.created_at)
        IS DISTINCT FROM
       (OLD.id, OLD.practice_id, OLD.patient_id, OLD.clinician_id, OLD.appointment_id,
        OLD.author_user_id, OLD.type, OLD.created_at) THEN
        why := 'what a note is about never changes';
    ELSIF OLD.status = 'void' THEN
        why := 'a void note never changes';
    ELSIF OLD.status IN ('signed', 'pending_review') AND
       (NEW.content, NEW.sealed_content, NEW.diagnoses, NEW.service_on)
        IS DISTINCT FROM (OLD.content, OLD.sealed_content, OLD.diagnoses, OLD.service_on) THEN
        why := 'a signed text never changes';
    ELSIF OLD.status = 'signed' AND (NEW.status NOT IN ('signed', 'unlocked', 'void')
        OR (NEW.document_id, NEW.signed_at) IS DISTINCT FROM (OLD.document_id, OLD.signed_at)) THEN
        why := 'a signed note keeps its document';
    ELSIF NEW.status = 'signed' AND OLD.status <> 'signed' AND NOT EXISTS (
        SELECT 1 FROM charting_signature s JOIN charting_signedtext t
            ON t.practice_id = s.practice_id AND t.id = s.signed_text_id
        WHERE t.practice_id = NEW.practice_id AND t.note_id = NEW.id
            AND t.revision = NEW.revision) THEN
        why := 'a note is signed by a signature';
    ELSIF NEW.status = 'unlocked' AND OLD.status <> 'unlocked' AND NEW.revision <= OLD.revision THEN
        why := 'an unlocked note begins another revision';
    END IF;
    IF why IS NOT NULL THEN
        RAISE EXCEPTION '%', why USING ERRCODE = '42501', TABLE = 'charting_clinicalnote';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER charting_note_is_frozen BEFORE UPDATE ON charting_clinicalnote
    FOR EACH ROW EXECUTE FUNCTION rapport_note_is_frozen();

REVOKE DELETE, TRUNCATE ON charting_clinicalnote FROM rapport_app;
CREATE TRIGGER charting_note_stays BEFORE DELETE ON charting_clinicalnote
    FOR EACH ROW EXECUTE FUNCTION rapport_refuse_change();
CREATE TRIGGER charting_notes_stay BEFORE TRUNCATE ON charting_clinicalnote
    FOR EACH STATEMENT EXECUTE FUNCTION rapport_refuse_change();

-- For the audit trail only: says why a note was not seen. Its answer never leaves the building.
CREATE FUNCTION rapport_note_is_private(wanted uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT EXISTS (SELECT 1 FROM charting_clinicalnote n
        WHERE n.practice_id = current_setting('rapport.practice_id')::uuid AND n.id = wanted
          AND n.type = 'psychotherapy')
$$;
REVOKE ALL ON FUNCTION rapport_note_is_private(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rapport_note_is_private(uuid) TO rapport_app;

INSERT INTO audit_kind (kind, table_name) VALUES
    ('clinical_note', 'charting_clinicalnote'), ('addendum', 'charting_addendum');
"""


class Migration(migrations.Migration):
    dependencies = [
        ("charting", "0001_initial"),
        ("tenancy", "0001_initial"),
        ("audit", "0002_wall"),
        ("roster", "0002_wall"),
        ("documents", "0002_wall"),
        ("scheduling", "0002_wall"),
    ]
    operations = [
        SecurePracticeTable("ClinicalNote", patient_column="patient_id"),
        SecurePracticeTable("NoteMove", patient_column="patient_id", append_only=True),
        SecurePracticeTable("SignedText", patient_column="patient_id", append_only=True),
        SecurePracticeTable("Signature", patient_column="patient_id", append_only=True),
        SecurePracticeTable("Addendum", patient_column="patient_id", append_only=True),
        migrations.RunSQL(
            AUTHOR_ONLY + "".join(FOLLOWS.format(table=table) for table in CHILDREN) + FROZEN,
            migrations.RunSQL.noop,
        ),
    ]
