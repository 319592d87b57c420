"""A patient's row carries its face: what the API shows of it, kept by a trigger at each write."""

from django.db import migrations, models

# In the order of `schemas.PatientOut`, which a test holds it to. JSON columns are shown as they are.
FACE = """
CREATE FUNCTION roster_patient_face() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.face := concat(
        '{"object":"patient","id":"', rapport_type_id('pat', NEW.id),
        '","status":', rapport_json(NEW.status),
        ',"name":{"first":', to_json(NEW.first_name), ',"middle":', rapport_json(NEW.middle_name),
        ',"last":', to_json(NEW.last_name), ',"suffix":', rapport_json(NEW.suffix),
        ',"preferred":', rapport_json(NEW.preferred_name),
        '},"pronouns":', rapport_json(NEW.pronouns),
        ',"birth_on":"', to_char(NEW.birth_on, 'YYYY-MM-DD'), '","sex":', rapport_json(NEW.sex),
        ',"address":{"line1":', rapport_json(NEW.address_line1),
        ',"line2":', rapport_json(NEW.address_line2), ',"city":', rapport_json(NEW.city),
        ',"state":', rapport_json(NEW.state_code), ',"postal_code":', rapport_json(NEW.postal_code),
        '},"phones":', NEW.phones, ',"email":', rapport_json(NEW.email),
        ',"clinicians":', NEW.clinicians, ',"primary_insurance":', coalesce(NEW.primary_insurance, 'null'),
        ',"external_ids":', NEW.external_ids,
        ',"source":{"system":"rapport","remote_id":null,"as_of":"', rapport_instant(NEW.updated_at),
        '"},"version":', NEW.version, ',"created_at":"', rapport_instant(NEW.created_at),
        '","updated_at":"', rapport_instant(NEW.updated_at), '"}');
    RETURN NEW;
END $$;
CREATE TRIGGER roster_patient_face BEFORE INSERT OR UPDATE ON roster_patient
    FOR EACH ROW EXECUTE FUNCTION roster_patient_face();
UPDATE roster_patient SET face = '';
"""


class Migration(migrations.Migration):
    dependencies = [("roster", "0004_practice_unbound"), ("tenancy", "0003_lasting")]
    operations = [
        migrations.AddField(
            model_name="patient",
            name="face",
            field=models.TextField(default="", editable=False),
        ),
        migrations.RunSQL(FACE, migrations.RunSQL.noop),
    ]
