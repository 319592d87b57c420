"""Groups: one clinician, several patients, one entry of the calendar."""

import django.db.models.deletion
import rapport.kernel.ids
import rapport.platform.tenancy.models
from django.db import migrations, models

from rapport.platform.db.secure import SecurePracticeTable

RULES = """
ALTER TABLE scheduling_appointment ADD CONSTRAINT scheduling_appointment_group_session_id_fk
    FOREIGN KEY (practice_id, group_session_id) REFERENCES scheduling_groupsession (practice_id, id)
    DEFERRABLE INITIALLY IMMEDIATE;

-- Members' appointments of one session take the same time of the clinician, and stand in nobody's way but others'.
ALTER TABLE scheduling_appointment DROP CONSTRAINT appointment_no_double_booking;
ALTER TABLE scheduling_appointment ADD CONSTRAINT appointment_no_double_booking EXCLUDE USING gist (
    practice_id WITH =, clinician_id WITH =, tstzrange(start_at, end_at, '[)') WITH &&,
    (coalesce(group_session_id, id)) WITH <>)
    WHERE (status IN ('booked', 'checked_in', 'completed') AND NOT overbooked);
ALTER TABLE scheduling_groupsession ADD CONSTRAINT group_session_no_double_booking EXCLUDE USING gist (
    practice_id WITH =, clinician_id WITH =, tstzrange(start_at, end_at, '[)') WITH &&)
    WHERE (status = 'booked' AND NOT overbooked);

-- A session takes the clinician's time by itself, also when none of its members comes.
CREATE OR REPLACE FUNCTION rapport_busy(wanted_clinician uuid, from_at timestamptz, to_at timestamptz)
RETURNS TABLE (id uuid, start_at timestamptz, end_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT a.id, a.start_at, a.end_at FROM scheduling_appointment a
    WHERE a.practice_id = current_setting('rapport.practice_id')::uuid
      AND a.clinician_id = wanted_clinician
      AND a.start_at < to_at AND a.start_at >= from_at - interval '24 hours' AND a.end_at > from_at
      AND a.status IN ('booked', 'checked_in', 'completed') AND a.group_session_id IS NULL
    UNION ALL
    SELECT g.id, g.start_at, g.end_at FROM scheduling_groupsession g
    WHERE g.practice_id = current_setting('rapport.practice_id')::uuid
      AND g.clinician_id = wanted_clinician
      AND g.start_at < to_at AND g.start_at >= from_at - interval '24 hours' AND g.end_at > from_at
      AND g.status = 'booked'
    ORDER BY 2
$$;

-- How many, without saying who: members outside the actor's caseload have places too.
CREATE FUNCTION rapport_group_seats(wanted uuid[]) RETURNS TABLE (group_session_id uuid, taken integer)
LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT a.group_session_id, count(*)::integer FROM scheduling_appointment a
    WHERE a.practice_id = current_setting('rapport.practice_id')::uuid
      AND a.group_session_id = ANY (wanted)
      AND a.status IN ('booked', 'checked_in', 'completed', 'no_show')
    GROUP BY a.group_session_id
$$;
CREATE FUNCTION rapport_group_size(wanted uuid) RETURNS integer
LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT count(*)::integer FROM scheduling_groupmember m
    WHERE m.practice_id = current_setting('rapport.practice_id')::uuid
      AND m.group_id = wanted AND m.left_at IS NULL
$$;
REVOKE ALL ON FUNCTION rapport_group_seats(uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rapport_group_seats(uuid[]) TO rapport_app;
REVOKE ALL ON FUNCTION rapport_group_size(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rapport_group_size(uuid) TO rapport_app;

-- Whoever takes a place waits for whoever takes another one of the same session, and counts everybody.
CREATE FUNCTION scheduling_keep_seats() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE room integer; taken integer; standing text;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF NEW.group_session_id IS DISTINCT FROM OLD.group_session_id THEN
            RAISE EXCEPTION 'an appointment never changes its session' USING ERRCODE = 'restrict_violation';
        END IF;
        IF OLD.status NOT IN ('cancelled', 'late_cancelled') THEN RETURN NEW; END IF;
    END IF;
    IF NEW.group_session_id IS NULL OR NEW.status IN ('cancelled', 'late_cancelled') THEN RETURN NEW; END IF;
    SELECT g.capacity, g.status INTO room, standing FROM scheduling_groupsession g
        WHERE g.practice_id = NEW.practice_id AND g.id = NEW.group_session_id FOR UPDATE;
    SELECT count(*) INTO taken FROM scheduling_appointment a
        WHERE a.practice_id = NEW.practice_id AND a.group_session_id = NEW.group_session_id
          AND a.id <> NEW.id AND a.status NOT IN ('cancelled', 'late_cancelled');
    IF standing <> 'booked' OR taken >= room THEN
        RAISE EXCEPTION 'the session has no place left'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'group_session_has_seats';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER scheduling_appointment_takes_seat BEFORE INSERT ON scheduling_appointment
    FOR EACH ROW WHEN (NEW.group_session_id IS NOT NULL) EXECUTE FUNCTION scheduling_keep_seats();
CREATE TRIGGER scheduling_appointment_keeps_seat BEFORE UPDATE ON scheduling_appointment
    FOR EACH ROW WHEN (coalesce(NEW.group_session_id, OLD.group_session_id) IS NOT NULL)
    EXECUTE FUNCTION scheduling_keep_seats();

REVOKE DELETE, TRUNCATE ON scheduling_group, scheduling_groupmember, scheduling_groupsession FROM rapport_app;
INSERT INTO audit_kind (kind, table_name)
    VALUES ('group', 'scheduling_group'), ('group_session', 'scheduling_groupsession');
"""


class Migration(migrations.Migration):

    dependencies = [
        ('coding', '0003_practice_unbound'),
        ('roster', '0007_source'),
        ('scheduling', '0005_mirrored_hours'),
        ('tenancy', '0006_sends_to_next_payer'),
    ]

    operations = [
        migrations.CreateModel(
            name='Group',
            fields=[
                ('id', models.UUIDField(default=rapport.kernel.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ('version', models.IntegerField(default=1)),
                ('created_at', models.DateTimeField()),
                ('updated_at', models.DateTimeField()),
                ('label', models.CharField(max_length=100)),
                ('capacity', models.IntegerField()),
                ('active', models.BooleanField(default=True)),
                ('clinician', rapport.platform.tenancy.models.PracticeForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='roster.clinician')),
                ('practice', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='tenancy.practice')),
                ('service_code', rapport.platform.tenancy.models.PracticeForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='coding.servicecode')),
            ],
        ),
        migrations.CreateModel(
            name='GroupMember',
            fields=[
                ('id', models.UUIDField(default=rapport.kernel.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ('joined_at', models.DateTimeField()),
                ('left_at', models.DateTimeField(null=True)),
                ('group', rapport.platform.tenancy.models.PracticeForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='scheduling.group')),
                ('patient', rapport.platform.tenancy.models.PracticeForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='roster.patient')),
                ('practice', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='tenancy.practice')),
            ],
        ),
        migrations.CreateModel(
            name='GroupSession',
            fields=[
                ('id', models.UUIDField(default=rapport.kernel.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ('version', models.IntegerField(default=1)),
                ('created_at', models.DateTimeField()),
                ('updated_at', models.DateTimeField()),
                ('capacity', models.IntegerField()),
                ('start_at', models.DateTimeField()),
                ('end_at', models.DateTimeField()),
                ('time_zone', models.CharField(max_length=64)),
                ('start_local', models.CharField(max_length=23)),
                ('means', models.CharField(choices=[('in_person', 'in_person'), ('video', 'video'), ('audio', 'audio')], max_length=9)),
                ('patient_setting', models.CharField(blank=True, choices=[('home', 'home'), ('elsewhere', 'elsewhere')], max_length=9)),
                ('status', models.CharField(choices=[('booked', 'booked'), ('cancelled', 'cancelled')], default='booked', max_length=9)),
                ('overbooked', models.BooleanField(default=False)),
                ('clinician', rapport.platform.tenancy.models.PracticeForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='roster.clinician')),
                ('group', rapport.platform.tenancy.models.PracticeForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='scheduling.group')),
                ('location', rapport.platform.tenancy.models.PracticeForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='roster.location')),
                ('practice', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='tenancy.practice')),
                ('service_code', rapport.platform.tenancy.models.PracticeForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='coding.servicecode')),
            ],
        ),
        migrations.AddField(
            model_name='appointment',
            name='group_session',
            field=rapport.platform.tenancy.models.PracticeForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='scheduling.groupsession'),
        ),
        migrations.AddIndex(
            model_name='appointment',
            index=models.Index(condition=models.Q(('group_session__isnull', False)), fields=['practice', 'group_session'], name='appointment_by_group_session'),
        ),
        migrations.AddConstraint(
            model_name='appointment',
            constraint=models.UniqueConstraint(condition=models.Q(('group_session__isnull', False), models.Q(('status__in', ['cancelled', 'late_cancelled']), _negated=True)), fields=('practice', 'group_session', 'patient'), name='appointment_one_seat_each'),
        ),
        migrations.AddConstraint(
            model_name='group',
            constraint=models.CheckConstraint(condition=models.Q(('capacity__range', (2, 50))), name='group_has_room'),
        ),
        migrations.AddIndex(
            model_name='groupmember',
            index=models.Index(fields=['practice', 'patient'], name='group_member_by_patient'),
        ),
        migrations.AddConstraint(
            model_name='groupmember',
            constraint=models.UniqueConstraint(condition=models.Q(('left_at', None)), fields=('practice', 'group', 'patient'), name='group_member_once'),
        ),
        migrations.AddIndex(
            model_name='groupsession',
            index=models.Index(fields=['practice', 'clinician', 'start_at', 'id'], name='group_session_by_clinician'),
        ),
        migrations.AddIndex(
            model_name='groupsession',
            index=models.Index(fields=['practice', 'group', 'start_at'], name='group_session_by_group'),
        ),
        migrations.AddIndex(
            model_name='groupsession',
            index=models.Index(fields=['practice', 'start_at', 'id'], name='group_session_by_start'),
        ),
        migrations.AddConstraint(
            model_name='groupsession',
            constraint=models.CheckConstraint(condition=models.Q(('end_at__gt', models.F('start_at'))), name='group_session_has_a_length'),
        ),
        migrations.AddConstraint(
            model_name='groupsession',
            constraint=models.CheckConstraint(condition=models.Q(('capacity__range', (2, 50))), name='group_session_has_room'),
        ),
        SecurePracticeTable('Group'),
        SecurePracticeTable('GroupMember', patient_column='patient_id'),
        SecurePracticeTable('GroupSession'),
        migrations.RunSQL(RULES, migrations.RunSQL.noop),
    ]
