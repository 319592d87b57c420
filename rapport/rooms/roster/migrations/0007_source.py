"""Patients, clinicians and places may be mirrors of another system's; a patient's face says of which."""

from django.db import migrations, models

# In the order of `schemas.PatientOut`, which a test holds it to. JSON columns are shown as they are.
FACE = """
CREATE OR REPLACE FUNCTION roster_patient_face() RETURNS trigger LANGUAGE plpgsql AS $$
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
        ',"source":{"system":', to_json(NEW.source_system), ',"remote_id":', rapport_json(NEW.source_remote_id),
        ',"as_of":"', rapport_instant(coalesce(NEW.source_as_of, NEW.updated_at)), '"},"version":', NEW.version, ',"created_at":"', rapport_instant(NEW.created_at),
        '","updated_at":"', rapport_instant(NEW.updated_at), '"}');
    RETURN NEW;
END $$;
UPDATE roster_patient SET face = '';
"""

# For programs of the release before, which do not name the column.
DEFAULT = """
ALTER TABLE roster_patient ALTER COLUMN source_system SET DEFAULT 'rapport';
ALTER TABLE roster_clinician ALTER COLUMN source_system SET DEFAULT 'rapport';
ALTER TABLE roster_location ALTER COLUMN source_system SET DEFAULT 'rapport';
"""


class Migration(migrations.Migration):

    dependencies = [
        ('roster', '0006_caseload'),
        ('tenancy', '0004_system'),
    ]

    operations = [
        migrations.AddField(
            model_name='clinician',
            name='source_as_of',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='clinician',
            name='source_remote_id',
            field=models.CharField(max_length=200, null=True),
        ),
        migrations.AddField(
            model_name='clinician',
            name='source_system',
            field=models.CharField(default='rapport', max_length=60),
        ),
        migrations.AddField(
            model_name='location',
            name='source_as_of',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='location',
            name='source_remote_id',
            field=models.CharField(max_length=200, null=True),
        ),
        migrations.AddField(
            model_name='location',
            name='source_system',
            field=models.CharField(default='rapport', max_length=60),
        ),
        migrations.AddField(
            model_name='patient',
            name='source_as_of',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='patient',
            name='source_remote_id',
            field=models.CharField(max_length=200, null=True),
        ),
        migrations.AddField(
            model_name='patient',
            name='source_system',
            field=models.CharField(default='rapport', max_length=60),
        ),
        migrations.AddConstraint(
            model_name='clinician',
            constraint=models.UniqueConstraint(condition=models.Q(('source_remote_id__isnull', False)), fields=('practice', 'source_system', 'source_remote_id'), name='clinician_source_once'),
        ),
        migrations.AddConstraint(
            model_name='location',
            constraint=models.UniqueConstraint(condition=models.Q(('source_remote_id__isnull', False)), fields=('practice', 'source_system', 'source_remote_id'), name='location_source_once'),
        ),
        migrations.AddConstraint(
            model_name='patient',
            constraint=models.UniqueConstraint(condition=models.Q(('source_remote_id__isnull', False)), fields=('practice', 'source_system', 'source_remote_id'), name='patient_source_once'),
        ),
        migrations.RunSQL(DEFAULT, migrations.RunSQL.noop),
        migrations.RunSQL(FACE, migrations.RunSQL.noop),
    ]
