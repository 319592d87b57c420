"""Appointments, free slots and working hours over HTTP."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from rapport.kernel.ids import parse_type_id, type_id
from rapport.kernel.problems import (
    ImmutableField,
    NotAtSource,
    NotFound,
    StateConflict,
    UnknownParameter,
)
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.api import etags, handed_on, lanes
from rapport.platform.api.lists import Filter, ListSpec, Sort
from rapport.platform.api.router import ScopedRequest
from rapport.platform.api.shapes import Answer, Page, Source, instant, path_id, source_of
from rapport.platform.db import sql
from rapport.platform.tenancy.source import HERE
from rapport.rooms.roster import queries as roster
from rapport.rooms.scheduling import at_source, examples, queries, services
from rapport.rooms.scheduling import schemas as s
from rapport.rooms.scheduling.models import WorkSchedule
from rapport.rooms.scheduling.rules.hours import DAYS
from rapport.rooms.scheduling.states import Action
from rapport.rooms.scheduling.timing import AmbiguousLocalTime, NonexistentLocalTime, fault

from .base import router

_BOOKING = (
    services.SlotTaken, services.OutsideHours, services.ExternalIdTaken, ImmutableField,
    NonexistentLocalTime, AmbiguousLocalTime,
)  # fmt: skip

APPOINTMENTS = ListSpec(
    route="appointments",
    columns=s.APPOINTMENT_COLUMNS,
    source=s.APPOINTMENT_SOURCE,
    id_column="a.id",
    practice_column="a.practice_id",
    sorts={
        "start_at": Sort("a.start_at", "timestamptz"),
        "updated_at": Sort("a.updated_at", "timestamptz"),
    },
    default_sort="start_at",
    filters={
        "clinician_id": Filter("a.clinician_id", "id:clinician", ("eq", "in")),
        "patient_id": Filter("a.patient_id", "id:patient"),
        "location_id": Filter("a.location_id", "id:location"),
        "status": Filter(
            "a.status",
            "enum:booked|checked_in|completed|cancelled|late_cancelled|no_show",
            ("eq", "in", "ne"),
        ),
        "group_session_id": Filter("a.group_session_id", "id:group_session"),
        "telehealth": Filter("(a.location_id IS NULL)", "bool"),
        "service_code": Filter("v.code", "text", ("eq", "in")),
        "start_at": Filter("a.start_at", "instant", ("gte", "gt", "lt", "lte")),
        "updated_at": Filter("a.updated_at", "instant", ("gte", "gt", "lt", "lte")),
        "updated_since": Filter("a.updated_at", "instant", condition="a.updated_at >= {value}"),
    },
    build=s.appointment_out,
    patient_index=1,
)


lanes.pages(
    "week", path="/appointments", action="appointment.list", needs=(Permission.APPOINTMENTS_READ,),
    spec=APPOINTMENTS, filters=("clinician_id", "start_at[gte]", "start_at[lt]"),
)  # fmt: skip


_ASKED = (s.AppointmentAskedOut, examples.ASKED)


def _asked(request: ScopedRequest, status: int, wanted: at_source.Wanted) -> Answer:
    """Answer what was asked of another system."""
    scope = request.auth
    if wanted.outcome is None:
        assert wanted.appointment_id is not None
        return _appointment(request, wanted.appointment_id, status=200)

    def asked(write: handed_on.WriteRef) -> s.AppointmentAskedOut:
        row = wanted.row or _row(scope, wanted.appointment_id)
        assert row is not None
        return s.asked_out(row, scope, wanted=wanted, write=write)

    how = handed_on.HandedOn(
        status=status, show=lambda id: _appointment(request, id), asked=asked, wait=at_source.wait,
        take_over=lambda house, done: at_source.mirror_done(scope=house, outcome=done, now=timezone.now()),
        pointers=at_source.POINTERS,
    )  # fmt: skip
    return handed_on.answer(request, wanted.outcome, how=how)


def _row(scope: Scope, id: UUID | None) -> tuple[Any, ...] | None:
    return sql.one(
        f"SELECT {s.APPOINTMENT_COLUMNS} FROM {s.APPOINTMENT_SOURCE}"  # noqa: S608 - constants
        " WHERE a.practice_id = %s AND a.id = %s",
        (scope.practice_id, id),
    )


def _change(request: ScopedRequest, appointment_id: str, body: Any, *, must_move: bool = False) -> Answer:
    asked: dict[str, Any] = {
        "scope": request.auth, "appointment_id": path_id("appointment", appointment_id),
        "if_match": request.edge.if_match, "now": timezone.now(), "body": body, "must_move": must_move,
    }  # fmt: skip
    if request.auth.connected:
        return _asked(request, 200, at_source.change(**asked, key=handed_on.key_of(request)))
    return _appointment(request, services.change(**asked).id)


def _appointment(request: ScopedRequest, id: UUID, *, status: int | None = None) -> Answer:
    scope = request.auth
    row = _row(scope, id)
    if row is None:
        raise NotFound()
    session = None
    if row[23]:
        session = services.annex("telehealth_session", scope=scope, appointment_id=id)
    paid_by = services.annex("paid_by", scope=scope, appointment_id=id)
    shape = s.appointment_out(row, scope, session, paid_by)
    scope.trail.patient_ids.add(row[1])
    scope.trail.target("appointment", id, shape.version)
    return Answer(shape, etag=etags.of(id, shape.version), status=status)


@router.get(
    "/appointments",
    summary="List appointments",
    needs=Permission.APPOINTMENTS_READ,
    action="appointment.list",
    returns=(200, s.AppointmentOut),
    list_spec=APPOINTMENTS,
    example={
        "object": "list",
        "data": [examples.APPOINTMENT],
        "has_more": False,
        "next_cursor": None,
        "prev_cursor": None,
    },
)
def list_appointments(request: ScopedRequest) -> Answer:
    """
    Appointments by start. A clinician's week: `clinician_id`, `start_at[gte]` and `start_at[lt]`.

    `updated_at[gte]` keeps a copy in step. Links of telehealth sessions are left out of lists.
    """
    return APPOINTMENTS.run(request, scope=request.auth)


@router.get(
    "/appointments/{appointment_id}",
    summary="Read an appointment",
    needs=Permission.APPOINTMENTS_READ,
    action="appointment.read",
    returns=(200, s.AppointmentOut),
    example=examples.APPOINTMENT,
)
def get_appointment(request: ScopedRequest, appointment_id: str) -> Answer:
    """One appointment. One of a patient outside the caller's caseload is not found."""
    return _appointment(request, path_id("appointment", appointment_id))


@router.post(
    "/appointments",
    summary="Book an appointment",
    needs=Permission.APPOINTMENTS_WRITE,
    action="appointment.create",
    returns=(201, s.AppointmentOut),
    problems=(*_BOOKING, *handed_on.PROBLEMS, StateConflict, services.OfAGroup),
    connected="port",
    accepted=_ASKED,
    example=examples.APPOINTMENT,
    request_example=examples.NEW_APPOINTMENT,
)
def book_appointment(request: ScopedRequest, body: s.AppointmentIn) -> Answer:
    """
    Book an appointment. Nobody is booked twice: a slot that is taken answers `slot-taken`.

    That answer names the next free slots. Give the time as an instant, or as a wall time with its
    zone; a wall time that clocks skip or show twice is refused with the choices. An external id
    that an appointment has already brings that one up to date: 200. `override` books in spite of
    a conflict or of working hours; its reason goes into the audit trail. `warnings` names what may keep
    the payer from paying, such as an authorisation of which nothing is left; it forbids nothing.
    """
    if request.auth.connected:
        wanted = at_source.book(
            scope=request.auth, now=timezone.now(), body=body, key=handed_on.key_of(request)
        )
        return _asked(request, 201 if wanted.appointment_id is None else 200, wanted)
    row, created = services.book(scope=request.auth, now=timezone.now(), body=body)
    return _appointment(request, row.id, status=201 if created else 200)


@router.put(
    "/appointments/by-external-id",
    summary="Book or change an appointment by external id",
    needs=Permission.APPOINTMENTS_WRITE,
    action="appointment.put",
    returns=(200, s.AppointmentOut),
    problems=(*_BOOKING, StateConflict, services.OfAGroup),
    example=examples.APPOINTMENT,
    request_example=examples.NEW_APPOINTMENT,
)
def put_appointment(request: ScopedRequest, body: s.AppointmentIn) -> Answer:
    """The same as booking with an external id: 201 when it is new, 200 when it was there."""
    if not body.external_ids:
        raise fault("/external_ids", "required")
    row, created = services.book(scope=request.auth, now=timezone.now(), body=body)
    return _appointment(request, row.id, status=201 if created else 200)


@router.patch(
    "/appointments/{appointment_id}",
    summary="Change an appointment",
    needs=Permission.APPOINTMENTS_WRITE,
    action="appointment.update",
    returns=(200, s.AppointmentOut),
    match=True,
    problems=(*_BOOKING, *handed_on.PROBLEMS, StateConflict, services.OfAGroup),
    connected="port",
    accepted=_ASKED,
    example=examples.APPOINTMENT,
    request_example={"duration_minutes": 45, "service_code": "90834"},
)
def change_appointment(
    request: ScopedRequest, appointment_id: str, body: s.AppointmentChange
) -> Answer:
    """Change the fields that are sent. Another time or clinician counts as rescheduling."""
    return _change(request, appointment_id, body)


@router.post(
    "/appointments/{appointment_id}/reschedule",
    summary="Reschedule an appointment",
    needs=Permission.APPOINTMENTS_WRITE,
    action="appointment.reschedule",
    returns=(200, s.AppointmentOut),
    match=True,
    problems=(*_BOOKING, *handed_on.PROBLEMS, StateConflict, services.OfAGroup),
    connected="port",
    accepted=_ASKED,
    example=examples.APPOINTMENT,
    request_example={"start_local": "2026-11-03T10:00:00", "time_zone": "America/Los_Angeles"},
)
def reschedule_appointment(
    request: ScopedRequest, appointment_id: str, body: s.RescheduleIn
) -> Answer:
    """Move it to another time, and perhaps another clinician. It stays the same appointment."""
    return _change(request, appointment_id, body, must_move=True)


def _act(request: ScopedRequest, appointment_id: str, action: Action, **details: Any) -> Answer:
    asked: dict[str, Any] = {
        "scope": request.auth, "appointment_id": path_id("appointment", appointment_id), "action": action,
        "if_match": request.edge.if_match, "now": timezone.now(), **details,
    }  # fmt: skip
    if request.auth.connected:
        return _asked(request, 200, at_source.act(**asked, key=handed_on.key_of(request)))
    return _appointment(request, services.act(**asked).id)


@router.post(
    "/appointments/{appointment_id}/cancel",
    summary="Cancel an appointment",
    needs=Permission.APPOINTMENTS_WRITE,
    action="appointment.cancel",
    returns=(200, s.AppointmentOut),
    match=True,
    problems=(*handed_on.PROBLEMS, StateConflict),
    connected="port",
    accepted=_ASKED,
    example=examples.APPOINTMENT
    | {"status": "cancelled", "ended_reason": "illness", "ended_by": "patient"},
    request_example={"reason": "illness", "initiated_by": "patient"},
)
def cancel_appointment(
    request: ScopedRequest, appointment_id: str, body: s.CancelIn | None = None
) -> Answer:
    """Call it off. The time is free at once. `late` marks it as late by the practice's policy."""
    said = body or s.CancelIn()
    action = Action.CANCEL_LATE if said.late else Action.CANCEL
    return _act(request, appointment_id, action, ended_reason=said.reason, ended_by=said.initiated_by)


@router.post(
    "/appointments/{appointment_id}/check-in",
    summary="Check a patient in",
    needs=Permission.APPOINTMENTS_WRITE,
    action="appointment.check_in",
    returns=(200, s.AppointmentOut),
    match=True,
    problems=(*handed_on.PROBLEMS, StateConflict),
    connected="port",
    accepted=_ASKED,
    example=examples.APPOINTMENT | {"status": "checked_in"},
    request_example={},
)
def check_in(request: ScopedRequest, appointment_id: str, body: s.MoveIn | None = None) -> Answer:
    """The patient is here, or in the waiting room. Emits `appointment.checked_in`."""
    return _act(request, appointment_id, Action.CHECK_IN)


@router.post(
    "/appointments/{appointment_id}/complete",
    summary="Complete an appointment",
    needs=Permission.APPOINTMENTS_WRITE,
    action="appointment.complete",
    returns=(200, s.AppointmentOut),
    match=True,
    problems=(*handed_on.PROBLEMS, StateConflict, services.AppointmentAhead),
    connected="port",
    accepted=_ASKED,
    example=examples.APPOINTMENT | {"status": "completed"},
    request_example={},
)
def complete(request: ScopedRequest, appointment_id: str, body: s.MoveIn | None = None) -> Answer:
    """It took place, and may be noted and billed. Time, clinician and service are frozen. One that is still to come is refused."""
    return _act(request, appointment_id, Action.COMPLETE)


@router.post(
    "/appointments/{appointment_id}/no-show",
    summary="Mark an appointment as missed",
    needs=Permission.APPOINTMENTS_WRITE,
    action="appointment.no_show",
    returns=(200, s.AppointmentOut),
    match=True,
    problems=(*handed_on.PROBLEMS, StateConflict, services.AppointmentAhead),
    connected="port",
    accepted=_ASKED,
    example=examples.APPOINTMENT | {"status": "no_show"},
    request_example={},
)
def no_show(request: ScopedRequest, appointment_id: str, body: s.MoveIn | None = None) -> Answer:
    """The patient did not come. Emits `appointment.no_show`, which starts the follow-up."""
    return _act(request, appointment_id, Action.MARK_NO_SHOW)


@router.post(
    "/appointments/{appointment_id}/reopen",
    summary="Reopen an appointment",
    needs=Permission.APPOINTMENTS_WRITE,
    action="appointment.reopen",
    returns=(200, s.AppointmentOut),
    match=True,
    problems=(
        *handed_on.PROBLEMS, StateConflict, services.SlotTaken, services.OutsideHours, services.OfAGroup,
        services.GroupFull,
    ),
    connected="port",
    accepted=_ASKED,
    example=examples.APPOINTMENT,
    request_example={},
)
def reopen(request: ScopedRequest, appointment_id: str, body: s.AppointmentReopenIn | None = None) -> Answer:
    """
    Take a check-in, an outcome or a cancellation back: it is booked again.

    Refused when the time was given to somebody else, or when a claim or a signed note rests on it.
    """
    return _act(request, appointment_id, Action.REOPEN, override=body.override if body else None)


@router.get(
    "/appointments/{appointment_id}/history",
    summary="Read what happened to an appointment",
    needs=Permission.APPOINTMENTS_READ,
    action="appointment.read_history",
    kind="list",
    returns=(200, s.AppointmentHistoryOut),
    example={
        "object": "list",
        "data": [examples.HISTORY],
        "has_more": False,
        "next_cursor": None,
        "prev_cursor": None,
    },
)
def get_history(request: ScopedRequest, appointment_id: str) -> Page:
    """Every booking, move and outcome of one appointment, oldest first. It is never rewritten."""
    scope = request.auth
    row = queries.get_appointment(
        scope=scope, appointment_id=path_id("appointment", appointment_id)
    )
    rows = sql.rows(s.HISTORY, (scope.practice_id, row.id))
    scope.trail.target("appointment", row.id, row.version)
    scope.trail.count = len(rows)
    return Page(data=[s.history_out(r) for r in rows], has_more=False, next_cursor=None)


MOST_DAYS = 62
"""The longest window of one availability search."""


def _instant(request: ScopedRequest, name: str) -> datetime:
    try:
        value = datetime.fromisoformat(request.GET[name])
    except (KeyError, ValueError) as error:
        raise UnknownParameter(f"`{name}` is an instant, such as 2026-11-02T00:00:00Z.") from error
    if not 1900 < value.year < 2200:
        raise UnknownParameter(f"`{name}` is out of range.")
    if value.tzinfo is None:
        # A day, or a wall time, is the practice's own.
        value = value.replace(tzinfo=request.auth.time_zone)
    return value


def _number(request: ScopedRequest, name: str, default: int, most: int) -> int:
    text = request.GET.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= most):
        raise UnknownParameter(f"`{name}` is a number from 1 to {most}.")
    return int(text)


@router.get(
    "/availability",
    summary="Find free slots",
    needs=Permission.APPOINTMENTS_READ,
    action="availability.search",
    kind="list",
    returns=(200, s.Slot),
    problems=(NotFound,),
    parameters={
        "clinician_id": "Whose time. Needed.",
        "from": "Start of the window: an instant, or a day in the practice's zone. Needed.",
        "to": "End of the window, at most 62 days later. Needed.",
        "duration_minutes": "Length of a slot; 50 when left out.",
        "duration": "The same as `duration_minutes`.",
        "step_minutes": "Slots begin this far apart; 15 when left out.",
        "limit": "At most this many, up to 500; 100 when left out.",
    },
    example={
        "object": "list",
        "data": [examples.SLOT],
        "has_more": False,
        "next_cursor": None,
        "prev_cursor": None,
    },
)
def availability(request: ScopedRequest) -> Page:
    """
    Free slots of a clinician's working hours, in order. Go on from the end of the last one.

    Without working hours of their own, Monday to Friday from 8 to 18 is searched. In a practice whose calendar another
    system keeps, hours and appointments are those of that system, as old as its mirror.
    """
    scope = request.auth
    id = parse_type_id("clinician", request.GET.get("clinician_id") or "")
    clinician = roster.get_clinician(scope=scope, clinician_id=id or UUID(int=0))
    from_at, to_at = _instant(request, "from"), _instant(request, "to")
    if not timedelta() < to_at - from_at <= timedelta(days=MOST_DAYS):
        raise UnknownParameter(f"`to` is later than `from`, by {MOST_DAYS} days at most.")
    default = _number(request, "duration", 50, 1440)
    limit = _number(request, "limit", 100, 500)
    found = queries.slots(
        scope=scope, clinician_id=clinician.id, from_at=from_at, to_at=to_at, limit=limit + 1,
        duration=timedelta(minutes=_number(request, "duration_minutes", default, 1440)),
        step=timedelta(minutes=_number(request, "step_minutes", 15, 1440)),
    )  # fmt: skip
    zone = queries.week_of(scope=scope, clinician_id=clinician.id).zone.key
    public = type_id("clinician", clinician.id)
    data = [s.slot(f, clinician_id=public, time_zone=zone, scope=scope) for f in found[:limit]]
    scope.trail.count = len(data)
    return Page(data=data, has_more=len(found) > limit, next_cursor=None)


def _work_schedule(request: ScopedRequest, clinician_id: UUID) -> Answer:
    scope = request.auth
    clinician = roster.get_clinician(scope=scope, clinician_id=clinician_id)
    row = WorkSchedule.objects.visible_to(scope).filter(clinician_id=clinician.id).first()
    week = queries.week_of(scope=scope, clinician_id=clinician.id)
    return Answer(
        s.WorkScheduleOut(
            object="work_schedule",
            id=type_id("work_schedule", row.id) if row else None,
            clinician_id=type_id("clinician", clinician.id),
            time_zone=week.zone.key,
            shifts=[
                s.ShiftOut(DAYS[shift.weekday], shift.starts, shift.ends)  # type: ignore[arg-type]
                for shift in week.shifts
            ],
            source=_source(scope, row) if row else None,
            version=row.version if row else 0,
        )
    )


def _source(scope: Scope, row: WorkSchedule) -> Source:
    as_of = queries.hours_as_of(scope=scope, clinician_id=row.clinician_id) if row.source_system != HERE else None
    return source_of(row.source_system, None, as_of, instant(row.updated_at))


@router.get(
    "/clinicians/{clinician_id}/work-schedule",
    summary="Read a clinician's working hours",
    needs=Permission.APPOINTMENTS_READ,
    action="work_schedule.read",
    returns=(200, s.WorkScheduleOut),
    example=examples.WORK_SCHEDULE,
)
def get_work_schedule(request: ScopedRequest, clinician_id: str) -> Answer:
    """
    The working week. `id` null: none was set, any time may be booked, and these are searched. Where another system
    keeps the calendar and shows working hours, they are these; slots are searched by them, and that system decides
    itself what it takes outside of them.
    """
    return _work_schedule(request, path_id("clinician", clinician_id))


@router.put(
    "/clinicians/{clinician_id}/work-schedule",
    summary="Set a clinician's working hours",
    needs=Permission.APPOINTMENTS_WRITE,
    action="work_schedule.set",
    connected="kept",
    returns=(200, s.WorkScheduleOut),
    problems=(NotAtSource,),
    example=examples.WORK_SCHEDULE,
    request_example=examples.NEW_WORK_SCHEDULE,
)
def set_work_schedule(request: ScopedRequest, clinician_id: str, body: s.WorkScheduleIn) -> Answer:
    """
    Replace the working week. From then on a booking outside of it needs an override.

    Clinicians set their own; others need `appointments:override`. Hours that another system shows are changed there.
    """
    id = path_id("clinician", clinician_id)
    services.set_work_schedule(scope=request.auth, clinician_id=id, now=timezone.now(), body=body)
    return _work_schedule(request, id)
