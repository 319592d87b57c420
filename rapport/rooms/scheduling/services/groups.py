"""
Groups: one clinician sees several patients at once.

A session takes the clinician's time once. Each member has an ordinary appointment of it, so that attendance, note,
charge and claim are that patient's own. Locks are taken in one order: group, calendars, session, appointments.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from rapport.kernel.problems import Conflict, NotFound, StateConflict
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.api import etags
from rapport.platform.db.rows import add
from rapport.platform.outbox.emit import emit
from rapport.rooms.coding import queries as coding
from rapport.rooms.coding.rules.groups import sees_several
from rapport.rooms.roster import queries as roster
from rapport.rooms.scheduling import events
from rapport.rooms.scheduling.models import Appointment, Group, GroupMember, GroupSession
from rapport.rooms.scheduling.plans import (
    Override,
    Plan,
    changed_plan,
    new_plan,
    override_in,
    reference,
)
from rapport.rooms.scheduling.queries import groups as queries
from rapport.rooms.scheduling.rules.wall_clock import wall_text
from rapport.rooms.scheduling.states import Action, AppointmentStatus, GroupSessionStatus
from rapport.rooms.scheduling.timing import fault

from .appointments import (
    GroupFull,
    OfAGroup,
    ask_guards,
    check_slot,
    given_fields,
    lock_calendars,
    no_double_booking,
    tell,
)


class GroupOutOfSight(Conflict):
    code, title = "group-out-of-sight", "Somebody who sees every member of the group must do this."


def create_group(*, scope: Scope, body: Any, now: datetime) -> Group:
    """
    Make a group. :param body: `schemas.groups.GroupIn`

    :raises ReferenceNotFound: clinician, service or a patient is not here
    :raises Invalid: the service is for one patient, or is offered no more
    :raises GroupFull: it has more members than room
    """
    scope.require(Permission.APPOINTMENTS_WRITE)
    clinician = roster.refer_to_clinician(
        scope=scope, clinician_id=reference("clinician", body.clinician_id, "/clinician_id"),
        pointer="/clinician_id",
    )  # fmt: skip
    code = coding.refer_to_service_code(scope=scope, text=body.service_code, pointer="/service_code")
    if not code.active:
        raise fault("/service_code", "not-active", "Is not offered for new appointments.")
    if not sees_several(code.code):
        raise fault("/service_code", "not-for-groups", "This code is for one patient, or one family.")
    group = Group(
        practice_id=scope.practice_id, label=body.label, clinician=clinician, service_code=code,
        capacity=body.capacity, created_at=now, updated_at=now,
    )  # fmt: skip
    add(group)
    for position, text in enumerate(dict.fromkeys(body.patient_ids)):
        pointer = f"/patient_ids/{position}"
        patient_id = reference("patient", text, pointer)
        roster.refer_to_patient(scope=scope, patient_id=patient_id, pointer=pointer)
        _enter(scope, group, patient_id, now=now)
    _tell_group(events.GROUP_CREATED, scope, group, now=now)
    return group


def change_group(*, scope: Scope, group_id: UUID, if_match: str, given: dict[str, Any], now: datetime) -> Group:
    """
    Change label, room, or whether it still meets. Room is that of the sessions to come, too.

    :param given: of `schemas.groups.GroupChange`
    :raises GroupFull: a session to come has more members than that
    """
    scope.require(Permission.APPOINTMENTS_WRITE)
    group = queries.get_group(scope=scope, group_id=group_id, lock=True)
    etags.check(group, if_match)
    if "capacity" in given:
        coming = queries.upcoming(scope=scope, group_id=group.id, after=now)
        taken = queries.seats_taken(group_session_ids=[one.id for one in coming])
        if max([queries.size_of(group_id=group.id), *taken.values()]) > given["capacity"]:
            raise GroupFull("Take members out first.")
        for session in coming:
            _save(session, {"capacity": given["capacity"]}, now=now)
    _save(group, given, now=now)
    _tell_group(events.GROUP_UPDATED, scope, group, now=now, changed=sorted(given))
    return group


def join(*, scope: Scope, group_id: UUID, patient: str, now: datetime) -> Group:
    """
    Take a patient into a group, and into each of its sessions to come. One who is there stays there.

    :param patient: public id
    :raises ReferenceNotFound: no such patient for this actor
    :raises GroupFull: the group, or a session to come, has no place left
    """
    scope.require(Permission.APPOINTMENTS_WRITE)
    patient_id = reference("patient", patient, "/patient_id")
    roster.refer_to_patient(scope=scope, patient_id=patient_id, pointer="/patient_id")
    group = queries.get_group(scope=scope, group_id=group_id, lock=True)
    _enter(scope, group, patient_id, now=now)
    for session in queries.upcoming(scope=scope, group_id=group.id, after=now):
        if not _has_place(scope, session, patient_id):
            _seat(scope, session, patient_id, now=now)
    _save(group, {}, now=now)
    scope.trail.patient_ids.add(patient_id)
    _tell_group(events.GROUP_UPDATED, scope, group, now=now, changed=["members"])
    return group


def leave(*, scope: Scope, group_id: UUID, patient_id: UUID, now: datetime) -> Group:
    """
    Let a patient leave a group: their appointments of its sessions to come are cancelled.

    :raises NotFound: the group has no such member for this actor
    """
    scope.require(Permission.APPOINTMENTS_WRITE)
    group = queries.get_group(scope=scope, group_id=group_id, lock=True)
    left = GroupMember.objects.visible_to(scope).filter(
        group_id=group.id, patient_id=patient_id, left_at=None
    )
    if not left.update(left_at=now):
        raise NotFound(_sought=[("patient", patient_id)])
    for session in queries.upcoming(scope=scope, group_id=group.id, after=now):
        for row in queries.seated(scope=scope, group_session_id=session.id, lock=True):
            if row.patient_id == patient_id:
                _end(scope, row, Action.CANCEL, now=now, reason="other", by="practice")
    _save(group, {}, now=now)
    scope.trail.patient_ids.add(patient_id)
    _tell_group(events.GROUP_UPDATED, scope, group, now=now, changed=["members"])
    return group


def book_sessions(*, scope: Scope, group_id: UUID, body: Any, now: datetime) -> list[GroupSession]:
    """
    Book a session of a group, or one every so many weeks, with an appointment for each member. All or none.

    :param body: `schemas.groups.GroupSessionIn`
    :raises SlotTaken: or OutsideHours: the clinician cannot at one of the times
    :raises GroupFull: the group has more members than room
    :raises GroupOutOfSight: it has a member whom the actor may not see
    """
    scope.require(Permission.APPOINTMENTS_WRITE)
    override = override_in(scope, body.override)
    group = queries.get_group(scope=scope, group_id=group_id, lock=True)
    if not group.active:
        raise StateConflict("The group meets no more.", current_state="inactive", allowed_from=["active"])
    patients = list(
        GroupMember.objects.visible_to(scope).filter(group_id=group.id, left_at=None)
        .order_by("joined_at", "id").values_list("patient_id", flat=True)
    )  # fmt: skip
    if len(patients) != queries.size_of(group_id=group.id):
        raise GroupOutOfSight()
    plans = _plans(scope, group, body)
    lock_calendars(scope, clinician_ids=[plans[0].clinician.id])
    booked = []
    for plan in plans:
        session = GroupSession(
            practice_id=scope.practice_id, group=group, capacity=group.capacity,
            overbooked=check_slot(scope, plan=plan, override=override), created_at=now, updated_at=now,
            **plan.columns(),
        )  # fmt: skip
        with no_double_booking():
            add(session)
        for patient_id in patients:
            _seat(scope, session, patient_id, now=now)
        _tell_session(events.GROUP_SESSION_CREATED, scope, session, now=now)
        _note_override(scope, session, override)
        booked.append(session)
    return booked


def _plans(scope: Scope, group: Group, body: Any) -> list[Plan]:
    clinician_id = group.clinician_id
    if body.clinician_id is not None:
        clinician_id = reference("clinician", body.clinician_id, "/clinician_id")
    clinician = roster.refer_to_clinician(scope=scope, clinician_id=clinician_id, pointer="/clinician_id")
    code = coding.get_service_code(scope=scope, service_code_id=group.service_code_id)
    location = None
    if body.location_id is not None:
        location = roster.refer_to_location(
            scope=scope, location_id=reference("location", body.location_id, "/location_id"),
            pointer="/location_id",
        )  # fmt: skip
    asked = body.model_copy(update={"service_code": code.code})
    first = new_plan(scope, asked, clinician=clinician, location=location)
    weeks = body.repeat.every_weeks if body.repeat else 0
    plans = [first]
    for turn in range(1, body.repeat.times if body.repeat else 1):
        wall = first.start.wall + timedelta(weeks=weeks * turn)
        at = {"start_at": None, "start_local": wall_text(wall), "time_zone": first.zone, "utc_offset": None, "fold": None}
        plans.append(new_plan(scope, asked.model_copy(update=at), clinician=clinician, location=location))
    return plans


def add_to_session(*, scope: Scope, group_session_id: UUID, patient: str, now: datetime) -> GroupSession:
    """
    Give a patient a place in one session, member of the group or not. To take one out, cancel their appointment.

    :raises GroupFull: it has no place left
    :raises StateConflict: it was called off
    :raises OfAGroup: the patient has a place in it
    """
    scope.require(Permission.APPOINTMENTS_WRITE)
    patient_id = reference("patient", patient, "/patient_id")
    roster.refer_to_patient(scope=scope, patient_id=patient_id, pointer="/patient_id")
    session = queries.get_session(scope=scope, group_session_id=group_session_id, lock=True)
    _require_booked(session)
    if _has_place(scope, session, patient_id):
        raise OfAGroup("The patient has a place in the session.")
    _seat(scope, session, patient_id, now=now)
    _name_target(scope, session)
    return session


def move_session(*, scope: Scope, group_session_id: UUID, if_match: str, body: Any, now: datetime) -> GroupSession:
    """
    Move a session for everybody: time, and perhaps clinician or place.

    :param body: `schemas.RescheduleIn`
    :raises StateConflict: it was called off, or somebody was there already
    :raises SlotTaken: or OutsideHours, as in `book_sessions`; `GroupOutOfSight` likewise
    """
    scope.require(Permission.APPOINTMENTS_WRITE)
    given = given_fields(body, must_move=True)
    override = override_in(scope, body.override)
    seen = queries.get_session(scope=scope, group_session_id=group_session_id)
    plan = changed_plan(scope, seen, given, body)
    lock_calendars(scope, clinician_ids=[seen.clinician_id, plan.clinician.id])
    session, rows = _everybody(scope, group_session_id, if_match)
    for row in rows:
        row.require(Action.RESCHEDULE)
        ask_guards(scope, row=row, action=Action.RESCHEDULE)
    columns = {
        **plan.columns(), "overbooked": check_slot(scope, plan=plan, override=override, leave_out=session.id),
    }  # fmt: skip
    with no_double_booking():
        _save(session, columns, now=now)
        for row in rows:
            row.move(Action.RESCHEDULE, scope=scope, at=now, **columns)
    for row in rows:
        tell(events.RESCHEDULED, row=row, scope=scope, now=now, changed=sorted(given))
    _tell_session(events.GROUP_SESSION_RESCHEDULED, scope, session, now=now, changed=sorted(given))
    _note_override(scope, session, override)
    return session


def cancel_session(
    *, scope: Scope, group_session_id: UUID, if_match: str, reason: str, by: str, late: bool, now: datetime
) -> GroupSession:
    """
    Call a session off for everybody. Members who did not come, or had cancelled, stay as they are.

    :raises StateConflict: it is off already, or somebody was seen in it
    :raises GroupOutOfSight: it has a member whom the actor may not see
    """
    scope.require(Permission.APPOINTMENTS_WRITE)
    session, rows = _everybody(scope, group_session_id, if_match)
    action = Action.CANCEL_LATE if late else Action.CANCEL
    for row in rows:
        if row.status != AppointmentStatus.NO_SHOW:
            _end(scope, row, action, now=now, reason=reason, by=by)
    _save(session, {"status": GroupSessionStatus.CANCELLED.value}, now=now)
    _tell_session(events.GROUP_SESSION_CANCELLED, scope, session, now=now, changed=["status"])
    return session


def _everybody(scope: Scope, group_session_id: UUID, if_match: str) -> tuple[GroupSession, list[Appointment]]:
    """Return a booked session and everybody's appointments of it, all rows held."""
    session = queries.get_session(scope=scope, group_session_id=group_session_id, lock=True)
    etags.check(session, if_match)
    _require_booked(session)
    rows = queries.seated(scope=scope, group_session_id=session.id, lock=True)
    if len(rows) != queries.seats_taken(group_session_ids=[session.id]).get(session.id, 0):
        raise GroupOutOfSight()
    return session, rows


def _require_booked(session: GroupSession) -> None:
    if session.status != GroupSessionStatus.BOOKED:
        raise StateConflict(
            "The session was called off.", current_state=session.status,
            allowed_from=[GroupSessionStatus.BOOKED.value],
        )  # fmt: skip


def _enter(scope: Scope, group: Group, patient_id: UUID, *, now: datetime) -> None:
    members = GroupMember.objects.visible_to(scope).filter(group_id=group.id, left_at=None)
    if members.filter(patient_id=patient_id).exists():
        return
    if queries.size_of(group_id=group.id) >= group.capacity:
        raise GroupFull("Give the group more room, or take a member out first.")
    add(GroupMember(practice_id=scope.practice_id, group=group, patient_id=patient_id, joined_at=now))
    scope.trail.patient_ids.add(patient_id)


def _has_place(scope: Scope, session: GroupSession, patient_id: UUID) -> bool:
    return any(row.patient_id == patient_id for row in queries.seated(scope=scope, group_session_id=session.id))


def _seat(scope: Scope, session: GroupSession, patient_id: UUID, *, now: datetime) -> None:
    """Book a member's part of a session."""
    names = (
        "clinician_id", "service_code_id", "location_id", "means", "patient_setting", "start_at", "end_at",
        "time_zone", "start_local", "overbooked",
    )  # fmt: skip
    row = Appointment(
        practice_id=scope.practice_id, patient_id=patient_id, group_session_id=session.id,
        status=AppointmentStatus.BOOKED.value, status_changed_at=now, created_at=now, updated_at=now,
        **{name: getattr(session, name) for name in names},
    )  # fmt: skip
    with no_double_booking():
        add(row)
    row.note("book", scope=scope, at=now, before="")
    tell(events.CREATED, row=row, scope=scope, now=now)


def _end(scope: Scope, row: Appointment, action: Action, *, now: datetime, reason: str, by: str) -> None:
    row.require(action)
    ask_guards(scope, row=row, action=action)
    row.move(action, scope=scope, at=now, ended_reason=reason, ended_by=by)
    tell(events.CANCELLED, row=row, scope=scope, now=now, changed=["status"])


def _save(row: Group | GroupSession, columns: dict[str, Any], *, now: datetime) -> None:
    for name, value in columns.items():
        setattr(row, name, value)
    row.version += 1
    row.updated_at = now
    row.save(update_fields=[*(name.removesuffix("_id") for name in columns), "version", "updated_at"])


def _name_target(scope: Scope, row: GroupSession, changed: Sequence[str] = ()) -> None:
    scope.trail.target("group_session", row.id, row.version)
    scope.trail.changed = list(changed)


def _tell_session(
    event: str, scope: Scope, row: GroupSession, *, now: datetime, changed: Sequence[str] = ()
) -> None:
    _name_target(scope, row, changed)
    emit(
        event, scope=scope, object_type="group_session", object_id=row.id, version=row.version, now=now,
        changed=changed,
    )  # fmt: skip


def _tell_group(
    event: str, scope: Scope, row: Group, *, now: datetime, changed: Sequence[str] = ()
) -> None:
    scope.trail.target("group", row.id, row.version)
    scope.trail.changed = list(changed)
    emit(
        event, scope=scope, object_type="group", object_id=row.id, version=row.version, now=now, changed=changed
    )


def _note_override(scope: Scope, row: GroupSession, override: Override) -> None:
    if override.checks:
        scope.trail.extra.append(
            {
                "action": "group_session.override", "reason": override.reason, "target_type": "group_session",
                "target_id": row.id, "target_version": row.version, "changed": sorted(override.checks),
            }
        )  # fmt: skip
