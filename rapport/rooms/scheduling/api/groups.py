"""Groups, their sessions, and the calendar in which a session is one entry, over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.utils import timezone

from rapport.kernel.problems import StateConflict
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.api import etags
from rapport.platform.api.lists import Filter, ListSpec, Sort
from rapport.platform.api.router import ScopedRequest
from rapport.platform.api.shapes import Answer, path_id
from rapport.rooms.scheduling import examples, services
from rapport.rooms.scheduling.queries import groups as queries
from rapport.rooms.scheduling.schemas import RescheduleIn
from rapport.rooms.scheduling.schemas import groups as s
from rapport.rooms.scheduling.timing import AmbiguousLocalTime, NonexistentLocalTime

from .base import router

_TIMES = (services.SlotTaken, services.OutsideHours, NonexistentLocalTime, AmbiguousLocalTime)
_ROOM = (services.GroupFull, services.OfAGroup)


def _groups(ids: Sequence[UUID], scope: Scope) -> list[Any]:
    members = queries.members_of(scope=scope, group_ids=ids)
    return [
        s.group_out(row, members[row.id], count=queries.size_of(group_id=row.id))
        for row in queries.groups_of(scope=scope, ids=ids)
    ]


def _sessions(ids: Sequence[UUID], scope: Scope) -> list[s.GroupSessionOut]:
    people = queries.people_in(scope=scope, group_session_ids=ids)
    taken = queries.seats_taken(group_session_ids=ids)
    return [
        s.session_out(row, people[row.id], scope, taken=taken.get(row.id, 0))
        for row in queries.sessions_of(scope=scope, ids=ids)
    ]


GROUPS = ListSpec(
    route="groups", columns="g.id", source="scheduling_group g", id_column="g.id", practice_column="g.practice_id",
    sorts={"created_at": Sort("g.created_at", "timestamptz")}, default_sort="created_at",
    filters={"clinician_id": Filter("g.clinician_id", "id:clinician"), "active": Filter("g.active", "bool")},
    build_page=_groups,
)  # fmt: skip
SESSIONS = ListSpec(
    route="group-sessions", columns="g.id", source="scheduling_groupsession g", id_column="g.id",
    practice_column="g.practice_id", sorts={"start_at": Sort("g.start_at", "timestamptz")}, default_sort="start_at",
    filters={
        "group_id": Filter("g.group_id", "id:group"),
        "clinician_id": Filter("g.clinician_id", "id:clinician"),
        "status": Filter("g.status", "enum:booked|cancelled"),
        "start_at": Filter("g.start_at", "instant", ("gte", "gt", "lt", "lte")),
    },
    build_page=_sessions,
)  # fmt: skip
CALENDAR = ListSpec(
    route="calendar", columns=s.CALENDAR_COLUMNS, source=s.CALENDAR_SOURCE, id_column="e.id",
    practice_column="e.practice_id", sorts={"start_at": Sort("e.start_at", "timestamptz")}, default_sort="start_at",
    filters={
        "clinician_id": Filter("e.clinician_id", "id:clinician", ("eq", "in")),
        "location_id": Filter("e.location_id", "id:location"),
        "status": Filter(
            "e.status", "enum:booked|checked_in|completed|cancelled|late_cancelled|no_show", ("eq", "in", "ne")
        ),
        "start_at": Filter("e.start_at", "instant", ("gte", "gt", "lt", "lte")),
    },
    build=s.calendar_entry_out, patient_index=1,
)  # fmt: skip


def _group(request: ScopedRequest, id: UUID, *, status: int | None = None) -> Answer:
    (shape,) = _groups([id], request.auth)
    request.auth.trail.target("group", id, shape.version)
    return Answer(shape, etag=etags.of(id, shape.version), status=status)


def _session(request: ScopedRequest, id: UUID) -> Answer:
    (shape,) = _sessions([id], request.auth)
    request.auth.trail.target("group_session", id, shape.version)
    return Answer(shape, etag=etags.of(id, shape.version))


@router.get(
    "/calendar", summary="List what takes a clinician's time", needs=Permission.APPOINTMENTS_READ,
    action="calendar.list", returns=(200, s.CalendarEntryOut), list_spec=CALENDAR,
    example=examples.page(examples.CALENDAR_ENTRY),
)  # fmt: skip
def list_calendar(request: ScopedRequest) -> Answer:
    """Appointments of single patients, and sessions of groups as one entry each, by start."""
    return CALENDAR.run(request, scope=request.auth)


@router.get(
    "/groups", summary="List groups", needs=Permission.APPOINTMENTS_READ, action="group.list",
    returns=(200, s.GroupOut), list_spec=GROUPS, example=examples.page(examples.GROUP),
)  # fmt: skip
def list_groups(request: ScopedRequest) -> Answer:
    """The practice's groups. Members outside the caller's caseload are counted, and not named."""
    return GROUPS.run(request, scope=request.auth)


@router.post(
    "/groups", summary="Make a group", needs=Permission.APPOINTMENTS_WRITE, action="group.create",
    returns=(201, s.GroupOut), problems=_ROOM, example=examples.GROUP, request_example=examples.NEW_GROUP,
)  # fmt: skip
def create_group(request: ScopedRequest, body: s.GroupIn) -> Answer:
    """A group under a label that names no patient, with a service that several patients can be given at once."""
    row = services.create_group(scope=request.auth, body=body, now=timezone.now())
    return _group(request, row.id, status=201)


@router.get(
    "/groups/{group_id}", summary="Read a group", needs=Permission.APPOINTMENTS_READ, action="group.read",
    returns=(200, s.GroupOut), example=examples.GROUP,
)  # fmt: skip
def get_group(request: ScopedRequest, group_id: str) -> Answer:
    """One group, with those of its members whom the caller may see."""
    return _group(request, queries.get_group(scope=request.auth, group_id=path_id("group", group_id)).id)


@router.patch(
    "/groups/{group_id}", summary="Change a group", needs=Permission.APPOINTMENTS_WRITE, action="group.update",
    returns=(200, s.GroupOut), match=True, problems=(services.GroupFull,), example=examples.GROUP,
    request_example={"capacity": 10},
)  # fmt: skip
def change_group(request: ScopedRequest, group_id: str, body: s.GroupChange) -> Answer:
    """Label, room (of the sessions to come, too), and whether it still meets."""
    row = services.change_group(
        scope=request.auth, group_id=path_id("group", group_id), if_match=request.edge.if_match,
        given=body.given(), now=timezone.now(),
    )  # fmt: skip
    return _group(request, row.id)


@router.post(
    "/groups/{group_id}/members", summary="Take a patient into a group", needs=Permission.APPOINTMENTS_WRITE,
    action="group.join", returns=(200, s.GroupOut), problems=_ROOM, example=examples.GROUP,
    request_example=examples.NEW_MEMBER,
)  # fmt: skip
def join_group(request: ScopedRequest, group_id: str, body: s.GroupMemberIn) -> Answer:
    """From now on: an appointment is booked in each session to come. `group-full` where one has no place left."""
    row = services.join(
        scope=request.auth, group_id=path_id("group", group_id), patient=body.patient_id, now=timezone.now()
    )
    return _group(request, row.id)


@router.delete(
    "/groups/{group_id}/members/{patient_id}", summary="Let a patient leave a group",
    needs=Permission.APPOINTMENTS_WRITE, action="group.leave", returns=(200, s.GroupOut),
    problems=(StateConflict,), example=examples.GROUP | {"members": [], "members_count": 0},
)  # fmt: skip
def leave_group(request: ScopedRequest, group_id: str, patient_id: str) -> Answer:
    """From now on: their appointments of sessions to come are cancelled. What took place stays."""
    row = services.leave(
        scope=request.auth, group_id=path_id("group", group_id), patient_id=path_id("patient", patient_id),
        now=timezone.now(),
    )  # fmt: skip
    return _group(request, row.id)


@router.post(
    "/groups/{group_id}/sessions", summary="Book sessions of a group", needs=Permission.APPOINTMENTS_WRITE,
    action="group_session.create", returns=(201, s.SessionsBookedOut),
    problems=(*_TIMES, *_ROOM, services.GroupOutOfSight, StateConflict), example=examples.SESSIONS_BOOKED,
    request_example=examples.NEW_GROUP_SESSION,
)  # fmt: skip
def book_sessions(request: ScopedRequest, group_id: str, body: s.GroupSessionIn) -> Answer:
    """
    A session, or one every so many weeks at the same wall time; all of them or none. The clinician's time is taken
    once; each member gets an appointment of it, with attendance, note and claim of its own.
    """
    rows = services.book_sessions(
        scope=request.auth, group_id=path_id("group", group_id), body=body, now=timezone.now()
    )
    return Answer(s.SessionsBookedOut("group_sessions_booked", _sessions([row.id for row in rows], request.auth)))


@router.get(
    "/group-sessions", summary="List sessions of groups", needs=Permission.APPOINTMENTS_READ,
    action="group_session.list", returns=(200, s.GroupSessionOut), list_spec=SESSIONS,
    example=examples.page(examples.GROUP_SESSION),
)  # fmt: skip
def list_group_sessions(request: ScopedRequest) -> Answer:
    """Sessions by start, each with those of its members whom the caller may see."""
    return SESSIONS.run(request, scope=request.auth)


@router.get(
    "/group-sessions/{group_session_id}", summary="Read a session of a group",
    needs=Permission.APPOINTMENTS_READ, action="group_session.read", returns=(200, s.GroupSessionOut),
    example=examples.GROUP_SESSION,
)  # fmt: skip
def get_group_session(request: ScopedRequest, group_session_id: str) -> Answer:
    """One session. Each member's attendance is the status of their appointment."""
    id = path_id("group_session", group_session_id)
    return _session(request, queries.get_session(scope=request.auth, group_session_id=id).id)


@router.post(
    "/group-sessions/{group_session_id}/members", summary="Add a patient to one session",
    needs=Permission.APPOINTMENTS_WRITE, action="group_session.add", returns=(200, s.GroupSessionOut),
    problems=(*_ROOM, services.SlotTaken, StateConflict), example=examples.GROUP_SESSION,
    request_example=examples.NEW_MEMBER,
)  # fmt: skip
def add_to_session(request: ScopedRequest, group_session_id: str, body: s.GroupMemberIn) -> Answer:
    """A guest, or a member who had cancelled. To take somebody out of one session, cancel their appointment."""
    row = services.add_to_session(
        scope=request.auth, group_session_id=path_id("group_session", group_session_id),
        patient=body.patient_id, now=timezone.now(),
    )  # fmt: skip
    return _session(request, row.id)


@router.post(
    "/group-sessions/{group_session_id}/reschedule", summary="Move a session of a group",
    needs=Permission.APPOINTMENTS_WRITE, action="group_session.reschedule", returns=(200, s.GroupSessionOut),
    match=True, problems=(*_TIMES, services.GroupOutOfSight, StateConflict), example=examples.GROUP_SESSION,
    request_example={"start_local": "2026-11-03T10:00:00", "time_zone": "America/Los_Angeles"},
)  # fmt: skip
def move_session(request: ScopedRequest, group_session_id: str, body: RescheduleIn) -> Answer:
    """For everybody. Needs somebody who may see every member, else `group-out-of-sight`."""
    row = services.move_session(
        scope=request.auth, group_session_id=path_id("group_session", group_session_id),
        if_match=request.edge.if_match, body=body, now=timezone.now(),
    )  # fmt: skip
    return _session(request, row.id)


@router.post(
    "/group-sessions/{group_session_id}/cancel", summary="Call a session of a group off",
    needs=Permission.APPOINTMENTS_WRITE, action="group_session.cancel", returns=(200, s.GroupSessionOut),
    match=True, problems=(services.GroupOutOfSight, StateConflict),
    example=examples.GROUP_SESSION | {"status": "cancelled"},
    request_example={"reason": "clinician_unavailable", "initiated_by": "clinician"},
)  # fmt: skip
def cancel_session(
    request: ScopedRequest, group_session_id: str, body: s.GroupCancelIn | None = None
) -> Answer:
    """For everybody; the clinician's time is free at once. Refused once somebody was seen in it."""
    said = body or s.GroupCancelIn()
    row = services.cancel_session(
        scope=request.auth, group_session_id=path_id("group_session", group_session_id),
        if_match=request.edge.if_match, reason=said.reason, by=said.initiated_by, late=said.late, now=timezone.now(),
    )  # fmt: skip
    return _session(request, row.id)
