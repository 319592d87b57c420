"""Scheduling's shapes in the API."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Raw, Struct
from pydantic import AwareDatetime, Field, field_validator

from rapport.kernel.ids import type_id
from rapport.platform.access.scope import Scope
from rapport.platform.api.handed_on import WriteRef
from rapport.platform.api.shapes import (
    ExternalId,
    ExternalIdIn,
    Input,
    Instant,
    MoneyOut,
    Shape,
    Source,
    instant,
    refused,
    source_of,
)
from rapport.platform.tenancy.source import as_of_sql
from rapport.rooms.coding.rules.telehealth import Means, Setting, place_of
from rapport.rooms.roster.schemas import ClinicianRef
from rapport.rooms.scheduling.at_source import Wanted
from rapport.rooms.scheduling.ports import PaidBy
from rapport.rooms.scheduling.rules.hours import Stretch
from rapport.rooms.scheduling.rules.wall_clock import show, wall_text, zone_named
from rapport.rooms.scheduling.timing import slot_times

Status = Literal["booked", "checked_in", "completed", "cancelled", "late_cancelled", "no_show"]
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
LocalText = Annotated[
    str, Meta(description="Wall time in `time_zone`.", examples=["2026-11-02T09:00:00"])
]


class PatientRef(Struct):
    """A patient, by name."""

    id: str
    display_name: str


class JoinUrl(Struct):
    """A way into a telehealth session, for one person."""

    person: Literal["host", "patient"]
    url: str
    expires_at: Instant


class SessionRef(Struct):
    """The telehealth session of an appointment."""

    id: str
    state: Annotated[str, Meta(description="scheduled, open, ended or cancelled.")]
    host: ClinicianRef
    opens_at: Instant
    closes_at: Instant
    join_urls: Annotated[
        list[JoinUrl], Meta(description="One per person; empty in lists, and for readers only.")
    ]


class BookingWarning(Struct):
    """Something to look at before the visit. It forbids nothing."""

    code: Annotated[str, Meta(examples=["authorization-low"])]
    message: str


class EligibilityRef(Struct):
    """What the payer said last of the policy that pays first, in short. No promise to pay."""

    check_id: str
    as_of: Instant
    coverage: Literal["active", "inactive", "unknown"]
    copay: MoneyOut | None
    coinsurance_basis_points: int | None
    deductible_remaining: MoneyOut | None
    authorization: Literal["required", "not_required", "unknown"] | None


class AppointmentOut(Shape):
    """An appointment."""

    object: Literal["appointment"]
    id: str
    status: Status
    patient_id: str
    patient: PatientRef
    clinician_id: str
    clinician: ClinicianRef
    service_code: Annotated[str, Meta(examples=["90837"])]
    service_code_id: str
    start_at: Instant
    end_at: Instant
    time_zone: str
    start_local: LocalText
    utc_offset: Annotated[str, Meta(examples=["-08:00"])]
    duration_minutes: Annotated[int, Meta(description="Real minutes.")]
    location_id: str | None
    telehealth: bool
    telehealth_mode: Literal["video", "audio"] | None
    patient_setting: Annotated[
        Literal["home", "elsewhere"] | None, Meta(description="Where the patient is; telehealth.")
    ]
    place_of_service_code: Annotated[str, Meta(description="As a claim says it.")]
    modifiers: list[str]
    place_rule: Annotated[str, Meta(description="Which rule chose place and modifiers, in words.")]
    telehealth_session: SessionRef | None
    overbooked: bool
    group_session_id: Annotated[
        str | None, Meta(description="The session of a group that it is this patient's part of.")
    ]
    warnings: Annotated[
        list[BookingWarning],
        Meta(description="What is to be looked at: who pays may not, as it stands. Empty in lists."),
    ]
    eligibility: Annotated[
        EligibilityRef | None,
        Meta(description="null in lists, for who may not read policies, and where no payer has answered."),
    ]
    ended_reason: str | None
    ended_by: Literal["patient", "clinician", "practice"] | None
    external_ids: list[ExternalId]
    source: Source
    version: int
    created_at: Instant
    updated_at: Instant


class AppointmentAskedOut(AppointmentOut):
    """An appointment as it was asked for; not yet as it is (202)."""

    id: Annotated[str | None, Meta(description="Null: it is being made.")]  # type: ignore[assignment]  # null here alone
    write: WriteRef


class Slot(Struct):
    """A free stretch of a clinician's time."""

    object: Literal["slot"]
    clinician_id: str
    start_at: Instant
    end_at: Instant
    time_zone: str
    start_local: LocalText
    utc_offset: str


class ShiftOut(Struct):
    """Working hours on a day of the week."""

    weekday: Weekday
    starts: str
    ends: str


class WorkScheduleOut(Shape):
    """A clinician's working week."""

    object: Literal["work_schedule"]
    id: Annotated[str | None, Meta(description="null: none was set; this is what is searched.")]
    clinician_id: str
    time_zone: str
    shifts: list[ShiftOut]
    source: Annotated[Source | None, Meta(description="null: none was set.")]
    version: int


class AppointmentHistoryOut(Shape):
    """One thing that happened to an appointment."""

    object: Literal["appointment_history"]
    action: str
    status_before: str | None
    status: Status
    clinician_id: str
    start_at: Instant
    end_at: Instant
    by_type: str
    version: int
    at: Instant


class BookingOverrideIn(Input):
    """Book in spite of a check. Needs `appointments:override`; the reason is audited."""

    reason: str = Field(min_length=3, max_length=200, description="No patient's data, please.")
    checks: list[Literal["conflict", "hours"]] = Field(min_length=1, max_length=2)


class When(Input):
    """A time: an instant, or a wall time in a zone. Given both, they must agree."""

    start_at: AwareDatetime | None = None
    start_local: str | None = Field(
        default=None,
        pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?$",
        examples=["2026-11-02T09:00:00"],
    )
    time_zone: str | None = Field(default=None, max_length=64, examples=["America/Los_Angeles"])
    utc_offset: str | None = Field(default=None, pattern=r"^[+-](0\d|1[0-4]):[0-5]\d$")
    fold: Literal[0, 1] | None = Field(
        default=None, description="Which of two equal wall times in autumn: 0 is the earlier."
    )
    duration_minutes: int | None = Field(default=None, ge=1, le=1440, strict=True)

    @field_validator("start_at", mode="before")
    @classmethod
    def _text(cls, value: Any) -> Any:
        if value is not None and not isinstance(value, str):
            raise refused("write the instant as RFC 3339 text")
        return value

    @field_validator("start_at")
    @classmethod
    def _milliseconds(cls, value: datetime | None) -> datetime | None:
        if value is None:
            return None
        if not 1900 < value.year < 2200:
            raise refused("out of range")
        return value.replace(microsecond=value.microsecond // 1000 * 1000)

    @field_validator("time_zone")
    @classmethod
    def _zone(cls, value: str | None) -> str | None:
        if value is not None and zone_named(value) is None:
            raise refused("not an IANA zone")
        return value


class AppointmentIn(When):
    """A new appointment."""

    patient_id: str = Field(max_length=40)
    clinician_id: str = Field(max_length=40)
    service_code: str = Field(
        min_length=1, max_length=40, description="The code, or the id of the service code."
    )
    location_id: str | None = Field(default=None, max_length=40)
    telehealth: bool = False
    telehealth_mode: Literal["video", "audio"] | None = None
    patient_setting: Literal["home", "elsewhere"] | None = None
    external_ids: list[ExternalIdIn] = Field(default_factory=list, max_length=20)
    override: BookingOverrideIn | None = None


class AppointmentChange(When):
    """What to change; the patient stays."""

    clinician_id: str | None = Field(default=None, max_length=40)
    service_code: str | None = Field(default=None, min_length=1, max_length=40)
    location_id: str | None = Field(default=None, max_length=40)
    telehealth: bool | None = None
    telehealth_mode: Literal["video", "audio"] | None = None
    patient_setting: Literal["home", "elsewhere"] | None = None
    external_ids: list[ExternalIdIn] | None = Field(default=None, max_length=20)
    override: BookingOverrideIn | None = None


class RescheduleIn(When):
    """Another time, and perhaps another clinician or place."""

    clinician_id: str | None = Field(default=None, max_length=40)
    location_id: str | None = Field(default=None, max_length=40)
    telehealth: bool | None = None
    override: BookingOverrideIn | None = None


class MoveIn(Input):
    """Nothing more needs to be said."""


class CancelIn(Input):
    """Why an appointment is called off."""

    reason: Literal[
        "patient_request", "clinician_unavailable", "illness", "weather", "mistake", "other"
    ] = "other"
    initiated_by: Literal["patient", "clinician", "practice"] = "practice"
    late: bool = Field(default=False, description="Too late by the practice's own policy.")


class AppointmentReopenIn(Input):
    """Take an outcome back."""

    override: BookingOverrideIn | None = None


class ShiftIn(Input):
    """Working hours on a day of the week."""

    weekday: Weekday
    starts: str = Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$", examples=["09:00"])
    ends: str = Field(pattern=r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$", examples=["17:00"])


class WorkScheduleIn(Input):
    """A clinician's working week; it replaces the one before."""

    time_zone: str | None = Field(default=None, max_length=64)
    shifts: list[ShiftIn] = Field(max_length=50)

    @field_validator("time_zone")
    @classmethod
    def _zone(cls, value: str | None) -> str | None:
        if value is not None and zone_named(value) is None:
            raise refused("not an IANA zone")
        return value


APPOINTMENT_COLUMNS = (
    "a.id, a.patient_id, p.first_name, p.last_name, p.preferred_name, a.clinician_id,"
    " c.first_name, c.last_name, c.credentials, v.code, a.service_code_id, a.start_at, a.end_at,"
    " a.time_zone, a.start_local, a.location_id, a.means, a.patient_setting, a.status,"
    " a.overbooked, a.ended_reason, a.ended_by, a.external_ids::text, a.telehealth_session::text,"
    " a.version, a.created_at, a.updated_at, l.place_of_service_code,"
    f" a.source_system, a.source_remote_id, {as_of_sql('a', 'appointments')},"
    " a.group_session_id"
)
"""What `appointment_out` reads, in its order."""

APPOINTMENT_SOURCE = (
    "scheduling_appointment a"
    " JOIN roster_patient p ON p.practice_id = a.practice_id AND p.id = a.patient_id"
    " JOIN roster_clinician c ON c.practice_id = a.practice_id AND c.id = a.clinician_id"
    " JOIN coding_servicecode v ON v.practice_id = a.practice_id AND v.id = a.service_code_id"
    " LEFT JOIN roster_location l ON l.practice_id = a.practice_id AND l.id = a.location_id"
)


def appointment_out(
    row: tuple[Any, ...], scope: Scope, session: SessionRef | None = None,
    paid_by: PaidBy | None = None,
) -> AppointmentOut:
    """
    Return the shape of an appointment from a row of `APPOINTMENT_COLUMNS`.

    :param session: the telehealth session with its links; None: as the row shows it, without
    :param paid_by: what the room above that knows who pays has to say; None: it was not asked
    """
    raw: Any = Raw
    clinician_id, patient_id = type_id("clinician", row[5]), type_id("patient", row[1])
    zone = zone_named(row[13]) or scope.time_zone
    local = show(row[11], zone)
    updated = instant(row[26])
    name = f"{row[6]} {row[7]}"
    kept: Any = session or (raw(row[23]) if row[23] else None)
    remote = row[16] != "in_person"
    place = place_of(
        means=Means(row[16]), setting=Setting(row[17]) if row[17] else None, location_code=row[27]
    )
    return AppointmentOut(
        object="appointment",
        id=type_id("appointment", row[0]),
        status=row[18],
        patient_id=patient_id,
        patient=PatientRef(patient_id, f"{row[4] or row[2]} {row[3]}"),
        clinician_id=clinician_id,
        clinician=ClinicianRef(clinician_id, f"{name}, {row[8]}" if row[8] else name),
        service_code=row[9],
        service_code_id=type_id("service_code", row[10]),
        start_at=instant(row[11]),
        end_at=instant(row[12]),
        time_zone=row[13],
        start_local=row[14],
        utc_offset=local.offset_text,
        duration_minutes=round((row[12] - row[11]).total_seconds() / 60),
        location_id=type_id("location", row[15]) if row[15] else None,
        telehealth=remote,
        telehealth_mode=row[16] if remote else None,
        patient_setting=row[17] or None,
        place_of_service_code=place.place_of_service_code,
        modifiers=list(place.modifiers),
        place_rule=place.explanation,
        telehealth_session=kept,
        overbooked=row[19],
        group_session_id=type_id("group_session", row[31]) if row[31] else None,
        warnings=[BookingWarning(*one) for one in paid_by.warnings] if paid_by else [],
        eligibility=raw(paid_by.eligibility) if paid_by and paid_by.eligibility else None,
        ended_reason=row[20] or None,
        ended_by=row[21] or None,
        external_ids=raw(row[22]),
        source=source_of(row[28], row[29], row[30], updated),
        version=row[24],
        created_at=instant(row[25]),
        updated_at=updated,
    )


def asked_out(
    row: tuple[Any, ...], scope: Scope, *, wanted: Wanted, write: WriteRef
) -> AppointmentAskedOut:
    """
    Return an appointment as it was asked for.

    :param row: of `APPOINTMENT_COLUMNS`, as it is now
    """
    values = list(row)
    plan = wanted.plan
    if plan is not None:
        place, clinician = plan.location, plan.clinician
        values[5:9] = clinician.id, clinician.first_name, clinician.last_name, clinician.credentials
        values[9:13] = plan.service_code.code, plan.service_code.id, plan.start.at, plan.end_at
        values[13:18] = (
            plan.zone, wall_text(plan.start.wall), place.id if place else None, plan.means, plan.setting,
        )  # fmt: skip
        values[27] = place.place_of_service_code if place else None
    if wanted.ended is not None:
        values[18] = wanted.ended["status"]
        values[20:22] = wanted.ended["ended_reason"], wanted.ended["ended_by"]
    shown = appointment_out(tuple(values), scope)
    members = {name: getattr(shown, name) for name in shown.__struct_fields__}
    if wanted.appointment_id is None:
        members["id"] = None
    return AppointmentAskedOut(**members, write=write)


def slot(stretch: Stretch, *, clinician_id: str, time_zone: str, scope: Scope) -> Slot:
    """Return the shape of a free stretch of time."""
    times = slot_times(stretch, time_zone=time_zone, scope=scope)
    return Slot(object="slot", clinician_id=clinician_id, **times)


HISTORY = (
    "SELECT h.action, h.status_before, h.status, h.clinician_id, h.start_at, h.end_at, h.by_type,"
    " h.version, h.at FROM scheduling_appointmenthistory h"
    " WHERE h.practice_id = %s AND h.appointment_id = %s ORDER BY h.version, h.id"
)
"""Reads what `history_out` takes."""


def history_out(row: tuple[Any, ...]) -> AppointmentHistoryOut:
    """Return the shape of a row of `HISTORY`."""
    return AppointmentHistoryOut(
        object="appointment_history",
        action=row[0],
        status_before=row[1] or None,
        status=row[2],
        clinician_id=type_id("clinician", row[3]),
        start_at=instant(row[4]),
        end_at=instant(row[5]),
        by_type=row[6],
        version=row[7],
        at=instant(row[8]),
    )
