"""A note's facts may be the mirror of another system's; its text and signatures are there, and not here."""

from django.db import migrations, models

FROZEN = """
CREATE OR REPLACE FUNCTION rapport_note_is_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    why text;
BEGIN
    IF (NEW.id, NEW.practice_id, NEW.patient_id, NEW.clinician_id, NEW.appointment_id,
        NEW.author_user_id, NEW.type, NEW.created_at, NEW.source_system, NEW.source_remote_id)
        IS DISTINCT FROM
       (OLD.id, OLD.practice_id, OLD.patient_id, OLD.clinician_id, OLD.appointment_id,
        OLD.author_user_id, OLD.type, OLD.created_at, OLD.source_system, OLD.source_remote_id) THEN
        why := 'what a note is about never changes';
    ELSIF OLD.source_remote_id IS NOT NULL THEN
        -- It follows its source, which holds text and signatures; nobody writes either of them here.
        IF NEW.content <> '{}'::jsonb OR NEW.sealed_content IS NOT NULL OR NEW.signatures <> '[]'::jsonb THEN
            why := 'a mirrored note has no text and no signature of ours';
        END IF;
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
"""

# For programs of the release before, which do not name the column.
DEFAULT = """
ALTER TABLE charting_clinicalnote ALTER COLUMN source_system SET DEFAULT 'rapport';
"""


class Migration(migrations.Migration):

    dependencies = [
        ('charting', '0003_practice_unbound'),
        ('documents', '0003_practice_unbound'),
        ('roster', '0007_source'),
        ('scheduling', '0004_source'),
        ('tenancy', '0004_system'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='clinicalnote',
            name='note_signed_has_document',
        ),
        migrations.RemoveConstraint(
            model_name='clinicalnote',
            name='note_once_per_visit',
        ),
        migrations.AddField(
            model_name='clinicalnote',
            name='source_as_of',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='clinicalnote',
            name='source_remote_id',
            field=models.CharField(max_length=200, null=True),
        ),
        migrations.AddField(
            model_name='clinicalnote',
            name='source_system',
            field=models.CharField(default='rapport', max_length=60),
        ),
        migrations.AddConstraint(
            model_name='clinicalnote',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status', 'signed'), _negated=True), ('type', 'psychotherapy'), ('document__isnull', False), ('source_remote_id__isnull', False), _connector='OR'), name='note_signed_has_document'),
        ),
        migrations.AddConstraint(
            model_name='clinicalnote',
            constraint=models.UniqueConstraint(condition=models.Q(('source_remote_id__isnull', False)), fields=('practice', 'source_system', 'source_remote_id'), name='note_source_once'),
        ),
        migrations.AddConstraint(
            model_name='clinicalnote',
            constraint=models.UniqueConstraint(condition=models.Q(('type__in', ['intake', 'progress', 'psychiatric_progress', 'evaluation']), models.Q(('status', 'void'), _negated=True), ('appointment__isnull', False), ('source_remote_id__isnull', True)), fields=('practice', 'appointment', 'patient', 'type'), name='note_once_per_visit'),
        ),
        migrations.RunSQL(FROZEN, migrations.RunSQL.noop),
        migrations.RunSQL(DEFAULT, migrations.RunSQL.noop),
    ]
