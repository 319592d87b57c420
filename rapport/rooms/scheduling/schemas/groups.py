"""Shapes of groups, their sessions, and a clinician's calendar."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct
from pydantic import Field

from rapport.kernel.ids import type_id
from rapport.platform.access.scope import Scope
from rapport.platform.api.shapes import Input, Instant, Shape, instant
from rapport.rooms.roster.schemas import ClinicianRef
from rapport.rooms.scheduling.models import Group, GroupSession
from rapport.rooms.scheduling.queries.groups import Person
from rapport.rooms.scheduling.rules.wall_clock import show, zone_named

from . import BookingOverrideIn, CancelIn, LocalText, PatientRef, Status, When

_MEMBERS = "Those whom the caller may see; `members_count` counts everybody."


class GroupOut(Shape):
    """A group of patients whom one clinician sees together."""

    object: Literal["group"]
    id: str
    label: str
    clinician_id: str
    clinician: ClinicianRef
    service_code: Annotated[str, Meta(examples=["90853"])]
    capacity: int
    members_count: int
    members: Annotated[list[PatientRef], Meta(description=_MEMBERS)]
    active: bool
    version: int
    created_at: Instant
    updated_at: Instant


class SeatRef(Struct):
    """One member's part of a session. What became of it is done to the appointment."""

    appointment_id: str
    patient: PatientRef
    status: Status


class GroupSessionOut(Shape):
    """A meeting of a group: one entry of the clinician's calendar."""

    object: Literal["group_session"]
    id: str
    status: Literal["booked", "cancelled"]
    group_id: str
    label: str
    clinician_id: str
    clinician: ClinicianRef
    service_code: str
    start_at: Instant
    end_at: Instant
    time_zone: str
    start_local: LocalText
    utc_offset: str
    duration_minutes: int
    location_id: str | None
    telehealth: bool
    capacity: int
    seats_left: Annotated[int, Meta(description="Whoever may see who has the others.")]
    members: Annotated[list[SeatRef], Meta(description="Those whom the caller may see.")]
    overbooked: bool
    version: int
    created_at: Instant
    updated_at: Instant


class SessionsBookedOut(Shape):
    """What was booked at once."""

    object: Literal["group_sessions_booked"]
    sessions: list[GroupSessionOut]


class GroupRef(Struct):
    """A group, by its label."""

    id: str
    label: str


class CalendarEntryOut(Shape):
    """Something that takes a clinician's time: an appointment, or a session of a group, which is one entry."""

    object: Literal["calendar_entry"]
    kind: Literal["appointment", "group_session"]
    id: Annotated[str, Meta(description="Of the appointment or session.")]
    status: Status
    clinician_id: str
    start_at: Instant
    end_at: Instant
    time_zone: str
    location_id: str | None
    service_code: str
    patient: Annotated[PatientRef | None, Meta(description="null: a group.")]
    group: Annotated[GroupRef | None, Meta(description="null: one patient.")]


class GroupIn(Input):
    """A new group."""

    label: str = Field(min_length=1, max_length=100, description="Names no patient.")
    clinician_id: str = Field(max_length=40)
    service_code: str = Field(
        default="90853", min_length=1, max_length=40, description="The code, or the id of the service code."
    )
    capacity: int = Field(default=8, ge=2, le=50, strict=True, description="Payers often pay for 2 to 12 members.")
    patient_ids: list[str] = Field(default_factory=list, max_length=50)


class GroupChange(Input):
    """What to change of a group."""

    label: str | None = Field(default=None, min_length=1, max_length=100)
    capacity: int | None = Field(default=None, ge=2, le=50, strict=True)
    active: bool | None = None

    def given(self) -> dict[str, Any]:
        """Return what was sent; null says nothing."""
        return self.model_dump(exclude_none=True)


class GroupMemberIn(Input):
    """Who."""

    patient_id: str = Field(max_length=40)


class RepeatIn(Input):
    """The same again, at the same wall time."""

    every_weeks: int = Field(default=1, ge=1, le=8, strict=True)
    times: int = Field(ge=2, le=52, strict=True, description="How many sessions altogether.")


class GroupSessionIn(When):
    """A session of a group, or several."""

    clinician_id: str | None = Field(default=None, max_length=40, description="The group's own when left out.")
    location_id: str | None = Field(default=None, max_length=40)
    telehealth: bool = False
    telehealth_mode: Literal["video", "audio"] | None = None
    patient_setting: Literal["home", "elsewhere"] | None = None
    repeat: RepeatIn | None = None
    override: BookingOverrideIn | None = None


class GroupCancelIn(CancelIn):
    """Why a session is called off for everybody."""


def _clinician(row: Group | GroupSession) -> ClinicianRef:
    return ClinicianRef(type_id("clinician", row.clinician_id), row.clinician.display_name)


def _patient(person: Person) -> PatientRef:
    return PatientRef(type_id("patient", person.patient_id), person.display_name)


def group_out(row: Group, members: Sequence[Person], *, count: int) -> GroupOut:
    """Return the shape of a group. :param count: of its members, whoever may see them"""
    return GroupOut(
        object="group", id=type_id("group", row.id), label=row.label,
        clinician_id=type_id("clinician", row.clinician_id), clinician=_clinician(row),
        service_code=row.service_code.code, capacity=row.capacity, members_count=count,
        members=[_patient(person) for person in members], active=row.active, version=row.version,
        created_at=instant(row.created_at), updated_at=instant(row.updated_at),
    )  # fmt: skip


def session_out(row: GroupSession, people: Sequence[Person], scope: Scope, *, taken: int) -> GroupSessionOut:
    """Return the shape of a session. :param taken: how many seats are, whoever may see by whom"""
    return GroupSessionOut(
        object="group_session", id=type_id("group_session", row.id), status=row.status,  # type: ignore[arg-type]  # written from its enum alone
        group_id=type_id("group", row.group_id), label=row.group.label,
        clinician_id=type_id("clinician", row.clinician_id), clinician=_clinician(row),
        service_code=row.service_code.code, start_at=instant(row.start_at), end_at=instant(row.end_at),
        time_zone=row.time_zone, start_local=row.start_local,
        utc_offset=show(row.start_at, zone_named(row.time_zone) or scope.time_zone).offset_text,
        duration_minutes=round((row.end_at - row.start_at).total_seconds() / 60),
        location_id=type_id("location", row.location_id) if row.location_id else None,
        telehealth=row.telehealth, capacity=row.capacity, seats_left=max(row.capacity - taken, 0),
        members=[
            SeatRef(type_id("appointment", one.appointment_id), _patient(one), one.status)  # type: ignore[arg-type]  # queried with its session, which has one
            for one in people
        ],
        overbooked=row.overbooked, version=row.version, created_at=instant(row.created_at),
        updated_at=instant(row.updated_at),
    )  # fmt: skip


CALENDAR_COLUMNS = (
    "e.id, e.patient_id, e.kind, e.status, e.clinician_id, e.start_at, e.end_at, e.time_zone, e.location_id,"
    " v.code, p.preferred_name, p.first_name, p.last_name, e.group_id, g.label"
)
"""What `calendar_entry_out` reads, in its order."""
CALENDAR_SOURCE = (
    "(SELECT practice_id, id, patient_id, 'appointment' AS kind, status, clinician_id, start_at, end_at, time_zone,"
    " location_id, service_code_id, NULL::uuid AS group_id FROM scheduling_appointment WHERE group_session_id IS NULL"
    " UNION ALL SELECT practice_id, id, NULL, 'group_session', status, clinician_id, start_at, end_at, time_zone,"
    " location_id, service_code_id, group_id FROM scheduling_groupsession) e"
    " JOIN coding_servicecode v ON v.practice_id = e.practice_id AND v.id = e.service_code_id"
    " LEFT JOIN roster_patient p ON p.practice_id = e.practice_id AND p.id = e.patient_id"
    " LEFT JOIN scheduling_group g ON g.practice_id = e.practice_id AND g.id = e.group_id"
)


def calendar_entry_out(row: tuple[Any, ...], _scope: Scope) -> CalendarEntryOut:
    """Return the shape of a row of `CALENDAR_COLUMNS`."""
    patient = group = None
    if row[1] is not None:
        patient = PatientRef(type_id("patient", row[1]), f"{row[10] or row[11]} {row[12]}")
    else:
        group = GroupRef(type_id("group", row[13]), row[14])
    return CalendarEntryOut(
        object="calendar_entry", kind=row[2], id=type_id(row[2], row[0]), status=row[3],
        clinician_id=type_id("clinician", row[4]), start_at=instant(row[5]), end_at=instant(row[6]),
        time_zone=row[7], location_id=type_id("location", row[8]) if row[8] else None, service_code=row[9],
        patient=patient, group=group,
    )  # fmt: skip
