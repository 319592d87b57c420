"""What can be done to appointments. One function per verb; each runs in the caller's transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError

from rapport.kernel.problems import Conflict, FieldError, ImmutableField, Invalid, NotAtSource
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.api import etags
from rapport.platform.api.shapes import instant
from rapport.platform.db import sql
from rapport.platform.db.errors import constraint_name
from rapport.platform.db.rows import add, by_id
from rapport.platform.outbox.emit import emit
from rapport.platform.tenancy import external
from rapport.platform.tenancy.external import ExternalIdTaken
from rapport.platform.tenancy.source import HERE
from rapport.rooms.roster import queries as roster
from rapport.rooms.scheduling import events, queries
from rapport.rooms.scheduling.models import (
    Appointment,
    AppointmentExternalId,
    GroupSession,
    WorkSchedule,
)
from rapport.rooms.scheduling.plans import (
    Override,
    Plan,
    changed_plan,
    meeting,
    new_plan,
    override_in,
)
from rapport.rooms.scheduling.rules import hours
from rapport.rooms.scheduling.states import OUTCOMES, Action, AppointmentStatus, GroupSessionStatus
from rapport.rooms.scheduling.timing import fault, slot_times

ALTERNATIVES = 3
"""How many other slots an answer names when one is taken."""


class SlotTaken(Conflict):
    code = "slot-taken"
    title = "The clinician's time is taken then."


class OutsideHours(Conflict):
    code = "outside-hours"
    title = "The clinician does not work then."


class OfAGroup(Conflict):
    code, title = "of-a-group", "The appointment is one member's part of a group's session."


class GroupFull(Conflict):
    code, title = "group-full", "The session has no place left."


class AppointmentAhead(Conflict):
    code, title = "appointment-in-future", "The appointment has not begun yet."


Guard = Callable[[Scope, Appointment, Action], None]
_guards: list[Guard] = []


def register_guard(guard: Guard) -> Guard:
    """
    Have a function asked before anything is done to an appointment that exists.

    A room above (claims, charting) registers one when it is loaded, and raises a `Conflict` to
    forbid the action; it is called with the row locked. Returns the function: use as decorator.
    """
    _guards.append(guard)
    return guard


Annex = Callable[[Scope, UUID], Any]
_annexes: dict[str, Annex] = {}


def register_annex(name: str, *, supply: Annex) -> None:
    """
    Let a room above supply a member of a single appointment's answer.

    :param name: `telehealth_session`, or `paid_by` (`ports.PaidBy`)
    :param supply: given scope and appointment id, returns the member; None: nothing to add
    """
    _annexes[name] = supply


def annex(name: str, *, scope: Scope, appointment_id: UUID) -> Any:
    """Return what a room above has to say of an appointment, or None."""
    supply = _annexes.get(name)
    return supply(scope, appointment_id) if supply else None


def show_telehealth_session(
    *, scope: Scope, appointment_id: UUID, session: Mapping[str, Any] | None
) -> None:
    """Show a session on its appointment. Called by telehealth, in the transaction of the change."""
    Appointment.objects.visible_to(scope).filter(id=appointment_id).update(
        telehealth_session=session
    )


# Locks and checks


def _lock(scope: Scope, *names: str) -> None:
    """
    Hold locks on names within the practice until the transaction ends, always in one order.

    Taken before any row is locked, so that two bookings wait for each other and never deadlock.
    """
    for name in sorted(set(names)):
        sql.hold(f"{scope.practice_id}|{name}")


def lock_calendars(scope: Scope, *, clinician_ids: Iterable[UUID]) -> None:
    """Have these clinicians' calendars to oneself until the transaction ends."""
    _lock(scope, *(f"calendar|{id}" for id in clinician_ids))


def _lock_external(scope: Scope, pairs: Sequence[Any]) -> None:
    _lock(scope, *(f"appointment-external|{pair.system}\n{pair.value}" for pair in pairs))


def _alternatives(scope: Scope, plan: Plan, *, leave_out: UUID | None) -> list[dict[str, str]]:
    found = queries.slots(
        scope=scope,
        clinician_id=plan.clinician.id,
        from_at=plan.start.at,
        to_at=plan.start.at + timedelta(days=queries.SEARCH_DAYS),
        duration=plan.duration,
        limit=ALTERNATIVES,
        leave_out=leave_out,
    )
    return [slot_times(one, time_zone=plan.zone, scope=scope) for one in found]


def check_slot(
    scope: Scope, *, plan: Plan, override: Override, leave_out: UUID | None = None
) -> bool:
    """
    Check working hours and other appointments, under the calendar's lock.

    :return: whether it is to be booked over another one
    :raises OutsideHours: or SlotTaken, each with other slots
    """
    week, taken = queries.diary(
        scope=scope, clinician_id=plan.clinician.id, from_at=plan.start.at, to_at=plan.end_at,
        leave_out=leave_out,
    )  # fmt: skip
    works = week.guides_only or hours.within(week, start_at=plan.start.at, end_at=plan.end_at)
    if not works and "hours" not in override.checks:
        raise OutsideHours(
            "Choose another time, or override with a reason.",
            alternatives=_alternatives(scope, plan, leave_out=leave_out),
        )
    if taken and "conflict" not in override.checks:
        raise _slot_taken(scope, plan, leave_out=leave_out)
    return bool(taken)


def _slot_taken(scope: Scope, plan: Plan, *, leave_out: UUID | None) -> SlotTaken:
    return SlotTaken(
        "Choose one of the alternatives, or another clinician.",
        alternatives=_alternatives(scope, plan, leave_out=leave_out),
    )


def _note_override(scope: Scope, row: Appointment, override: Override) -> None:
    if override.checks:
        scope.trail.extra.append(
            {
                "action": "appointment.override",
                "reason": override.reason,
                "patient_ids": [row.patient_id],
                "target_type": "appointment",
                "target_id": row.id,
                "target_version": row.version,
                "changed": sorted(override.checks),
            }
        )


def tell(
    event: str, *, row: Appointment, scope: Scope, now: datetime, changed: Sequence[str] = ()
) -> None:
    """Emit an event of an appointment, and note for the trail that it is what the operation is about."""
    scope.trail.patient_ids.add(row.patient_id)
    scope.trail.target("appointment", row.id, row.version)
    scope.trail.changed = list(changed)
    emit(
        event, scope=scope, object_type="appointment", object_id=row.id, version=row.version,
        now=now, changed=changed,
    )  # fmt: skip


# Booking


def book(*, scope: Scope, now: datetime, body: Any) -> tuple[Appointment, bool]:
    """
    Book an appointment, or bring the one that has the body's external id up to it.

    :param body: `schemas.AppointmentIn`
    :return: the appointment, and whether it was made now
    :raises ReferenceNotFound: a field names something that is not here
    :raises SlotTaken: the clinician's time is taken; with free slots
    :raises OutsideHours: the clinician has working hours, and these are not among them
    """
    scope.require(Permission.APPOINTMENTS_WRITE)
    override = override_in(scope, body.override)
    patient, clinician, location = meeting(scope, body)
    plan = new_plan(scope, body, clinician=clinician, location=location)
    patient_id = patient.id
    if body.external_ids:
        _lock_external(scope, body.external_ids)
        known = known_by(scope, pairs=body.external_ids)
        if known is not None:
            return _bring_up(scope, known, patient_id, plan, override, body, now=now), False
    lock_calendars(scope, clinician_ids=[plan.clinician.id])
    row = Appointment(
        practice_id=scope.practice_id,
        patient_id=patient_id,
        overbooked=check_slot(scope, plan=plan, override=override),
        status=AppointmentStatus.BOOKED.value,
        status_changed_at=now,
        external_ids=[pair.model_dump() for pair in body.external_ids],
        created_at=now,
        updated_at=now,
        **plan.columns(),
    )
    with no_double_booking():
        add(row)
    if body.external_ids:
        external.keep(AppointmentExternalId, scope=scope, pairs=body.external_ids, appointment=row)
    row.note("book", scope=scope, at=now, before="")
    _note_override(scope, row, override)
    tell(events.CREATED, row=row, scope=scope, now=now)
    return row, True


@contextmanager
def no_double_booking() -> Iterator[None]:
    """
    Run a write that the exclusion constraint, or the count of a group's seats, may refuse; that becomes a problem.

    Under the calendar's lock the constraint never does: this is for what was written past the lock. The
    transaction has failed then, so no other slots can be looked for.
    """
    try:
        yield
    except IntegrityError as error:
        broken = constraint_name(error)
        if broken == "group_session_has_seats":
            raise GroupFull("Take a member out first, or give the group more room.") from error
        if broken == "appointment_one_seat_each":
            raise OfAGroup("The patient has a place in the session.") from error
        if broken not in ("appointment_no_double_booking", "group_session_no_double_booking"):
            raise
        raise SlotTaken("Choose another time, or another clinician.", alternatives=[]) from error


def known_by(scope: Scope, *, pairs: Sequence[Any]) -> UUID | None:
    """Return the appointment that has one of these external ids."""
    found = {
        id
        for pair in pairs
        if (id := queries.by_external_id(scope=scope, system=pair.system, value=pair.value))
    }
    if len(found) > 1:
        raise ExternalIdTaken("The external ids belong to different appointments.")
    return found.pop() if found else None


def _bring_up(
    scope: Scope,
    id: UUID,
    patient_id: UUID,
    plan: Plan,
    override: Override,
    body: Any,
    *,
    now: datetime,
) -> Appointment:
    seen = by_id(Appointment, scope=scope, id=id)
    if seen is None:
        # It belongs to a patient this actor may not see: the id is taken, and no more is said.
        raise ExternalIdTaken("Look the object up by that external id.")
    if seen.patient_id != patient_id:
        raise ImmutableField(
            "1 field is not valid.", errors=(FieldError("/patient_id", "immutable-field"),)
        )
    lock_calendars(scope, clinician_ids=[seen.clinician_id, plan.clinician.id])
    row = queries.get_appointment(scope=scope, appointment_id=id, lock=True)
    _apply(scope, row, plan, override, now=now, external_ids=body.external_ids)
    return row


def change(
    *,
    scope: Scope,
    appointment_id: UUID,
    if_match: str,
    now: datetime,
    body: Any,
    must_move: bool = False,
) -> Appointment:
    """
    Change an appointment's time, clinician, service or place. The patient never changes.

    :param body: `schemas.AppointmentChange` or `RescheduleIn`
    :param must_move: a time must be given
    :raises NotFound: no such appointment for this actor
    :raises PreconditionFailed: it was changed since
    :raises StateConflict: its status does not allow it
    :raises SlotTaken: or OutsideHours, as in `book`
    """
    scope.require(Permission.APPOINTMENTS_WRITE)
    given = given_fields(body, must_move=must_move)
    override = override_in(scope, body.override)
    seen = queries.get_appointment(scope=scope, appointment_id=appointment_id)
    etags.check(seen, if_match)
    plan = changed_plan(scope, seen, given, body)
    pairs = given.get("external_ids")
    if pairs:
        _lock_external(scope, pairs)
    lock_calendars(scope, clinician_ids=[seen.clinician_id, plan.clinician.id])
    row = queries.get_appointment(scope=scope, appointment_id=appointment_id, lock=True)
    etags.check(row, if_match)
    _apply(scope, row, plan, override, now=now, external_ids=pairs)
    return row


def given_fields(body: Any, *, must_move: bool = False) -> dict[str, Any]:
    """Return what a change asks for. :raises Invalid: a field is emptied that cannot be, or no time is given"""
    given = {
        name: getattr(body, name)
        for name in body.model_fields_set
        if name not in ("override", "utc_offset", "fold")
    }
    nulls = [name for name, value in given.items() if value is None and name != "location_id"]
    if nulls:
        raise Invalid(
            f"{len(nulls)} field(s) are not valid.",
            errors=tuple(FieldError(f"/{name}", "required") for name in sorted(nulls)),
        )
    if must_move and "start_at" not in given and "start_local" not in given:
        raise fault("/start_at", "required", "Send `start_at`, or `start_local` and `time_zone`.")
    return given


def _apply(
    scope: Scope,
    row: Appointment,
    plan: Plan,
    override: Override,
    *,
    now: datetime,
    external_ids: Sequence[Any] | None,
) -> None:
    """Bring a locked row up to a plan, under its calendars' locks. Nothing differs: nothing happens."""
    columns = {name: value for name, value in plan.columns().items() if getattr(row, name) != value}
    names = set(columns)
    shown = [pair.model_dump() for pair in external_ids] if external_ids is not None else None
    if shown is not None and shown != row.external_ids:
        external.keep(AppointmentExternalId, scope=scope, pairs=external_ids or (), appointment=row)
        columns["external_ids"] = shown
    if not columns:
        scope.trail.patient_ids.add(row.patient_id)
        scope.trail.target("appointment", row.id, row.version)
        return
    moves = bool(names & {"clinician_id", "start_at", "end_at"})
    if not names:
        _save_outside_of_moves(scope, row, columns, now=now)
        tell(events.UPDATED, row=row, scope=scope, now=now, changed=sorted(columns))
        return
    if row.group_session_id is not None:
        raise OfAGroup("Move or change the group's session, or take the patient out of it.")
    action = Action.RESCHEDULE if moves else Action.CHANGE
    row.require(action)
    ask_guards(scope, row=row, action=action)
    if moves:
        columns["overbooked"] = check_slot(scope, plan=plan, override=override, leave_out=row.id)
    with no_double_booking():
        row.move(action, scope=scope, at=now, **columns)
    _note_override(scope, row, override)
    event = events.RESCHEDULED if moves else events.UPDATED
    tell(event, row=row, scope=scope, now=now, changed=sorted(columns))


def _save_outside_of_moves(
    scope: Scope, row: Appointment, columns: Mapping[str, Any], *, now: datetime
) -> None:
    """Save what is no fact of the meeting, such as external ids; allowed in every status."""
    for name, value in columns.items():
        setattr(row, name, value)
    row.version += 1
    row.updated_at = now
    row.save(update_fields=[*columns, "version", "updated_at"])


def ask_guards(scope: Scope, *, row: Appointment, action: Action) -> None:
    """Ask the rooms above whether something may be done to an appointment. :raises Conflict: it may not"""
    for guard in _guards:
        guard(scope, row, action)


# Moves


EVENTS = {
    Action.CHECK_IN: events.CHECKED_IN,
    Action.COMPLETE: events.COMPLETED,
    Action.CANCEL: events.CANCELLED,
    Action.CANCEL_LATE: events.CANCELLED,
    Action.MARK_NO_SHOW: events.NO_SHOW,
    Action.REOPEN: events.REOPENED,
}


def check_act(*, scope: Scope, row: Appointment, action: Action, now: datetime) -> None:
    """
    Pass if this may be done to an appointment now.

    :raises StateConflict: its status does not allow it, or something rests on it
    :raises AppointmentAhead: it has no outcome before it has begun
    """
    row.require(action)
    if action in OUTCOMES and row.start_at > now:
        raise AppointmentAhead("Say what became of it once it has begun.", start_at=instant(row.start_at))
    ask_guards(scope, row=row, action=action)


def act(
    *,
    scope: Scope,
    appointment_id: UUID,
    action: Action,
    if_match: str,
    now: datetime,
    ended_reason: str = "",
    ended_by: str = "",
    override: Any = None,
) -> Appointment:
    """
    Check in, complete, cancel, mark as no-show, or reopen.

    :param ended_reason: of a cancellation, one of few words
    :param ended_by: of a cancellation: patient, clinician or practice
    :param override: `schemas.BookingOverrideIn`, when reopening over another appointment
    :raises NotFound: no such appointment for this actor
    :raises PreconditionFailed: it was changed since
    :raises StateConflict: its status does not allow it
    :raises AppointmentAhead: it has no outcome before it has begun
    :raises SlotTaken: it cannot be reopened, since the time was given to somebody else
    :raises OfAGroup: it cannot, since the group's session is another one now; `GroupFull`: its place was taken
    """
    scope.require(Permission.APPOINTMENTS_WRITE)
    seen = queries.get_appointment(scope=scope, appointment_id=appointment_id)
    allowance = override_in(scope, override)
    if action is Action.REOPEN:
        lock_calendars(scope, clinician_ids=[seen.clinician_id])
        if seen.group_session_id is not None:
            by_id(GroupSession, scope=scope, id=seen.group_session_id, lock=True)
    row = queries.get_appointment(scope=scope, appointment_id=appointment_id, lock=True)
    etags.check(row, if_match)
    check_act(scope=scope, row=row, action=action, now=now)
    columns: dict[str, Any] = {"ended_reason": ended_reason, "ended_by": ended_by}
    if action is Action.REOPEN:
        columns["overbooked"] = _seat_or_slot(scope, row, allowance)
        with no_double_booking():
            row.move(action, scope=scope, at=now, **columns)
        _note_override(scope, row, allowance)
    else:
        row.move(action, scope=scope, at=now, **columns)
    tell(EVENTS[action], row=row, scope=scope, now=now, changed=["status"])
    return row


def _seat_or_slot(scope: Scope, row: Appointment, allowance: Override) -> bool:
    """
    Check that a patient can come again at the time that was kept.

    :return: whether the appointment stands over another one
    :raises SlotTaken: or OutsideHours: the clinician's time was given to somebody else
    :raises OfAGroup: the group's session was called off, or is at another time now
    """
    if row.group_session_id is None:
        plan = changed_plan(scope, row, {}, None)
        return check_slot(scope, plan=plan, override=allowance, leave_out=row.id)
    session = by_id(GroupSession, scope=scope, id=row.group_session_id)
    assert session is not None  # a foreign key says so
    now, then = (
        (one.clinician_id, one.start_at, one.end_at, one.location_id, one.means) for one in (session, row)
    )
    if session.status != GroupSessionStatus.BOOKED or now != then:
        raise OfAGroup("The session was called off or moved since: add the patient to it anew.")
    return session.overbooked


def set_work_schedule(*, scope: Scope, clinician_id: UUID, now: datetime, body: Any) -> None:
    """
    Set a clinician's working week. Appointments that are there already stay.

    :param body: `schemas.WorkScheduleIn`
    :raises NotFound: no such clinician here
    :raises Forbidden: neither the clinician nor somebody who may override appointments
    :raises NotAtSource: another system says what the hours are
    """
    scope.require(Permission.APPOINTMENTS_WRITE)
    clinician = roster.get_clinician(scope=scope, clinician_id=clinician_id, lock=True)
    if scope.clinician_id != clinician.id:
        scope.require(Permission.APPOINTMENTS_OVERRIDE)
    for position, shift in enumerate(body.shifts):
        if shift.ends <= shift.starts:
            raise fault(f"/shifts/{position}/ends", "before-start", "Later than `starts`.")
    row = WorkSchedule.objects.visible_to(scope).filter(clinician_id=clinician.id).first()
    if row is not None and row.source_system != HERE:
        raise NotAtSource("Working hours are kept where the calendar is.")
    columns = {
        "time_zone": body.time_zone or scope.time_zone.key,
        "shifts": [shift.model_dump() for shift in body.shifts],
        "updated_at": now,
    }
    if row is None:
        row = WorkSchedule(
            practice_id=scope.practice_id, clinician=clinician, created_at=now, **columns
        )
        add(row)
    else:
        for name, value in columns.items():
            setattr(row, name, value)
        row.version += 1
        row.save(update_fields=[*columns, "version"])
    scope.trail.target("clinician", clinician.id, clinician.version)
    scope.trail.changed = ["work_schedule"]
