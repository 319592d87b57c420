"""Scheduling behind the wall; nobody booked twice; what took place is frozen."""

from django.db import migrations

from rapport.platform.db.secure import SecurePracticeTable

RULES = """
ALTER TABLE scheduling_appointment ADD CONSTRAINT appointment_no_double_booking EXCLUDE USING gist (
    practice_id WITH =, clinician_id WITH =, tstzrange(start_at, end_at, '[)') WITH &&)
    WHERE (status IN ('booked', 'checked_in', 'completed') AND NOT overbooked);

-- When a clinician is busy, without saying with whom: also those see it who may not see the
-- patient, since a slot that is taken must not look free to them.
CREATE FUNCTION rapport_busy(wanted_clinician uuid, from_at timestamptz, to_at timestamptz)
RETURNS TABLE (id uuid, start_at timestamptz, end_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT a.id, a.start_at, a.end_at FROM scheduling_appointment a
    WHERE a.practice_id = current_setting('rapport.practice_id')::uuid
      AND a.clinician_id = wanted_clinician
      AND a.start_at < to_at AND a.start_at >= from_at - interval '24 hours' AND a.end_at > from_at
      AND a.status IN ('booked', 'checked_in', 'completed')
    ORDER BY a.start_at
$$;
REVOKE ALL ON FUNCTION rapport_busy(uuid, timestamptz, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rapport_busy(uuid, timestamptz, timestamptz) TO rapport_app;

CREATE FUNCTION scheduling_keep_facts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.patient_id <> OLD.patient_id THEN
        RAISE EXCEPTION 'an appointment never changes its patient' USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.status = 'completed' AND NEW.status = 'completed' AND
       (NEW.clinician_id, NEW.service_code_id, NEW.start_at, NEW.end_at, NEW.time_zone, NEW.means,
        NEW.patient_setting, NEW.location_id)
       IS DISTINCT FROM
       (OLD.clinician_id, OLD.service_code_id, OLD.start_at, OLD.end_at, OLD.time_zone, OLD.means,
        OLD.patient_setting, OLD.location_id) THEN
        RAISE EXCEPTION 'a completed appointment is frozen' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER scheduling_appointment_keeps_facts BEFORE UPDATE ON scheduling_appointment
    FOR EACH ROW EXECUTE FUNCTION scheduling_keep_facts();
REVOKE DELETE, TRUNCATE ON scheduling_appointment FROM rapport_app;

INSERT INTO audit_kind (kind, table_name) VALUES ('appointment', 'scheduling_appointment');
"""


class Migration(migrations.Migration):
    dependencies = [
        ("scheduling", "0001_initial"),
        ("coding", "0002_wall"),
        ("roster", "0002_wall"),
        ("tenancy", "0001_initial"),
        ("audit", "0002_wall"),
    ]
    operations = [
        SecurePracticeTable("Appointment", patient_column="patient_id"),
        SecurePracticeTable("AppointmentHistory", patient_column="patient_id", append_only=True),
        SecurePracticeTable("AppointmentExternalId"),
        SecurePracticeTable("WorkSchedule"),
        migrations.RunSQL(RULES, migrations.RunSQL.noop),
    ]
