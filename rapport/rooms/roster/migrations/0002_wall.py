"""The roster behind the wall; who may see whom; and search that can use its indexes."""

from django.db import migrations

from rapport.platform.db.secure import SecurePracticeTable

CASELOAD = """
CREATE FUNCTION rapport_caseload() RETURNS SETOF uuid LANGUAGE sql STABLE AS $$
    SELECT t.patient_id FROM roster_careteam t
    WHERE t.practice_id = current_setting('rapport.practice_id')::uuid
        AND t.clinician_id = ANY (
            string_to_array(nullif(current_setting('rapport.caseload'), '*'), ',')::uuid[])
$$;
COMMENT ON FUNCTION rapport_caseload IS 'The patients whom the caller is assigned to or supervises.';
"""

# LIKE is not leakproof, so under row-level security its index would not be used. This function
# runs as the owner, filters by the practice itself, and gives ids only; the rows are then read
# under the wall like any other.
SEARCH = """
CREATE INDEX patient_first_prefix ON roster_patient
    (practice_id, lower(first_name) text_pattern_ops);
CREATE INDEX patient_last_prefix ON roster_patient
    (practice_id, lower(last_name) text_pattern_ops);
CREATE INDEX patient_preferred_prefix ON roster_patient
    (practice_id, lower(preferred_name) text_pattern_ops) WHERE preferred_name <> '';
CREATE INDEX patient_by_birth ON roster_patient (practice_id, birth_on);
CREATE INDEX patient_by_email ON roster_patient (practice_id, email) WHERE email <> '';

CREATE FUNCTION rapport_search_patients(
    words text[], born date, mail text, id_system text, id_value text
) RETURNS SETOF uuid LANGUAGE plpgsql STABLE SECURITY DEFINER AS $$
DECLARE
    mine uuid := current_setting('rapport.practice_id')::uuid;
    first_pattern text := replace(replace(replace(words[1], '\\', '\\\\'), '%', '\\%'), '_', '\\_') || '%';
BEGIN
    RETURN QUERY
    SELECT p.id FROM roster_patient p
    WHERE p.practice_id = mine
      AND (born IS NULL OR p.birth_on = born)
      AND (mail IS NULL OR p.email = mail)
      AND (id_system IS NULL OR p.id IN (
          SELECT x.patient_id FROM roster_patientexternalid x
          WHERE x.practice_id = mine AND x.system = id_system AND x.value = id_value))
      AND (cardinality(words) = 0 OR p.id IN (
          SELECT q.id FROM roster_patient q
              WHERE q.practice_id = mine AND lower(q.first_name) LIKE first_pattern
          UNION SELECT q.id FROM roster_patient q
              WHERE q.practice_id = mine AND lower(q.last_name) LIKE first_pattern
          UNION SELECT q.id FROM roster_patient q
              WHERE q.practice_id = mine AND lower(q.preferred_name) LIKE first_pattern
                AND q.preferred_name <> ''))
      AND NOT EXISTS (
          SELECT 1 FROM unnest(words) AS word
          WHERE NOT (starts_with(lower(p.first_name), word) OR starts_with(lower(p.last_name), word)
                     OR starts_with(lower(p.preferred_name), word)));
END $$;
REVOKE ALL ON FUNCTION rapport_search_patients(text[], date, text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rapport_search_patients(text[], date, text, text, text) TO rapport_app;

INSERT INTO audit_kind (kind, table_name) VALUES
    ('patient', 'roster_patient'), ('clinician', 'roster_clinician'),
    ('location', 'roster_location');
"""


class Migration(migrations.Migration):
    dependencies = [("roster", "0001_initial"), ("tenancy", "0001_initial"), ("audit", "0002_wall")]
    operations = [
        migrations.RunSQL(CASELOAD, migrations.RunSQL.noop),
        SecurePracticeTable("Clinician"),
        SecurePracticeTable("Location"),
        SecurePracticeTable("Patient", patient_column="id"),
        SecurePracticeTable("CareTeam"),
        SecurePracticeTable("PatientExternalId", patient_column="patient_id"),
        migrations.RunSQL(SEARCH, migrations.RunSQL.noop),
    ]
