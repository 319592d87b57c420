"""Questions about appointments and free time. They take the scope first and change nothing."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import islice
from uuid import UUID
from zoneinfo import ZoneInfo

from rapport.kernel.problems import FieldError, NotFound, ReferenceNotFound
from rapport.platform.access.scope import Scope
from rapport.platform.db import sql
from rapport.platform.db.rows import by_id
from rapport.platform.tenancy.source import HERE, as_of_sql
from rapport.rooms.coding.rules.telehealth import Place
from rapport.rooms.scheduling.models import Appointment, AppointmentExternalId, WorkSchedule
from rapport.rooms.scheduling.rules.hours import (
    DAYS,
    Shift,
    Stretch,
    Week,
    default_week,
    free_slots,
)
from rapport.rooms.scheduling.states import BUSY, AppointmentStatus

STEP = timedelta(minutes=15)
"""Slots are offered on this grid, counted from the start of a stretch of work."""
SEARCH_DAYS = 21
"""How far ahead other slots are looked for when one is taken."""


def get_appointment(*, scope: Scope, appointment_id: UUID, lock: bool = False) -> Appointment:
    """
    Return an appointment of a patient the actor may see.

    :param lock: hold the row until the transaction ends
    :raises NotFound: there is none for this actor
    """
    row = by_id(Appointment, scope=scope, id=appointment_id, lock=lock)
    if row is None:
        raise NotFound(_sought=[("appointment", appointment_id)])
    scope.trail.patient_ids.add(row.patient_id)
    return row


def refer_to_appointment(
    *, scope: Scope, appointment_id: UUID | None, pointer: str, lock: bool = False
) -> Appointment:
    """
    Return an appointment that a body refers to.

    :param appointment_id: None: the text was no id of an appointment
    :raises ReferenceNotFound: there is none for this actor
    """
    row: Appointment | None = None
    if appointment_id is not None:
        row = by_id(Appointment, scope=scope, id=appointment_id, lock=lock)
    if row is None:
        raise ReferenceNotFound(
            "A field refers to something that is not here.",
            errors=(FieldError(pointer, "reference-not-found"),),
            _sought=[("appointment", appointment_id)] if appointment_id else [],
        )
    scope.trail.patient_ids.add(row.patient_id)
    return row


def by_external_id(*, scope: Scope, system: str, value: str) -> UUID | None:
    """Return the appointment that another system knows by this id, whoever may see it."""
    row = (
        AppointmentExternalId.objects.visible_to(scope)
        .filter(system=system, value=value)
        .values_list("appointment_id", flat=True)
        .first()
    )
    return row if row is None else UUID(str(row))


@dataclass(frozen=True, slots=True)
class BillingFacts:
    """What a claim line or a note needs to know of an appointment."""

    appointment_id: UUID
    patient_id: UUID
    clinician_id: UUID
    location_id: UUID | None
    service_code_id: UUID
    code: str
    """The service code as a payer reads it."""
    minutes: int
    """Real minutes from start to end."""
    units: int
    """By the code's time rule; 0: too short to bill under this code."""
    service_on: date
    """Day of service, in the practice's zone."""
    place: Place
    """Place of service and modifiers, with the rule that chose them."""
    status: str


def billing_facts(*, scope: Scope, appointment_id: UUID) -> BillingFacts:
    """Return what is billed for an appointment. :raises NotFound: there is none for this actor."""
    row: Appointment | None = (
        Appointment.objects.visible_to(scope)
        .select_related("service_code", "location")
        .filter(id=appointment_id)
        .first()
    )
    if row is None:
        raise NotFound(_sought=[("appointment", appointment_id)])
    return _facts(row, scope)


def billing_facts_of(*, scope: Scope, appointment_ids: Collection[UUID]) -> dict[UUID, BillingFacts]:
    """Return appointment -> what is billed for it; those that are not the actor's to see are left out."""
    rows = Appointment.objects.visible_to(scope).select_related("service_code", "location")
    return {row.id: _facts(row, scope) for row in rows.filter(id__any_of=appointment_ids)}


def _facts(row: Appointment, scope: Scope) -> BillingFacts:
    return BillingFacts(
        appointment_id=row.id,
        patient_id=row.patient_id,
        clinician_id=row.clinician_id,
        location_id=row.location_id,
        service_code_id=row.service_code_id,
        code=row.service_code.code,
        minutes=row.duration_minutes,
        units=row.units,
        service_on=scope.day_of(row.start_at),
        place=row.place,
        status=row.status,
    )


@dataclass(frozen=True, slots=True)
class Service:
    """Who did what at an appointment, as papers and reports say it."""

    clinician_id: UUID
    code: str
    label: str


def services_of(*, scope: Scope, appointment_ids: Collection[UUID]) -> dict[UUID, Service]:
    """Return appointment -> what was done there; those that are not the actor's to see are left out."""
    rows = Appointment.objects.visible_to(scope).filter(id__in=list(appointment_ids))
    return {
        row.id: Service(row.clinician_id, row.service_code.code, row.service_code.label)
        for row in rows.select_related("service_code")
    }


def visits_on(*, scope: Scope, patient_id: UUID, on: date) -> list[BillingFacts]:
    """Return what a patient was seen for on a day of the practice, as far as it was not called off."""
    return visits_between(scope=scope, patient_ids=[patient_id], first=on, last=on)


def visits_between(
    *, scope: Scope, patient_ids: Sequence[UUID], first: date, last: date | None
) -> list[BillingFacts]:
    """
    Return the visits of patients that were not called off, in order.

    :param first: first day, of the practice, that counts
    :param last: last day; None: all that are booked
    """
    rows = (
        Appointment.objects.visible_to(scope)
        .select_related("service_code", "location")
        .filter(
            patient_id__any_of=patient_ids, status__in=list(BUSY),
            start_at__gte=datetime.combine(first, time(), tzinfo=scope.time_zone),
        )
    )
    if last is not None:
        ends = datetime.combine(last + timedelta(days=1), time(), tzinfo=scope.time_zone)
        rows = rows.filter(start_at__lt=ends)
    return [_facts(row, scope) for row in rows.order_by("start_at", "id")]


@dataclass(frozen=True, slots=True)
class Expected:
    """A visit that is to come."""

    appointment_id: UUID
    patient_id: UUID
    start_at: datetime
    service_on: date


def expected_between(*, scope: Scope, after: datetime, last: date) -> list[Expected]:
    """Return the visits of all patients that begin after an instant and up to a day of the practice, in order."""
    rows = Appointment.objects.visible_to(scope).filter(
        status=AppointmentStatus.BOOKED, start_at__gt=after,
        start_at__lt=datetime.combine(last + timedelta(days=1), time(), tzinfo=scope.time_zone),
    )
    return [
        Expected(row.id, row.patient_id, row.start_at, scope.day_of(row.start_at))
        for row in rows.order_by("start_at", "id")
    ]


def location_of(*, scope: Scope, appointment_id: UUID) -> UUID | None:
    """Return where an appointment takes place; None: telehealth. :raises NotFound: there is none"""
    location_id: UUID | None = get_appointment(
        scope=scope, appointment_id=appointment_id
    ).location_id
    return location_id


def locations_of(*, scope: Scope, appointment_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """Return appointment -> location of those that take place at one."""
    rows = Appointment.objects.visible_to(scope).filter(
        id__any_of=appointment_ids, location_id__isnull=False
    )
    return dict(rows.values_list("id", "location_id"))


def in_groups(*, scope: Scope, appointment_ids: Collection[UUID]) -> set[UUID]:
    """Return those of these appointments that are a member's part of a group session."""
    rows = Appointment.objects.visible_to(scope).filter(
        id__any_of=appointment_ids, group_session_id__isnull=False
    )
    return set(rows.values_list("id", flat=True))


def week_of(*, scope: Scope, clinician_id: UUID) -> Week:
    """Return a clinician's working hours; the default week when none were set."""
    row = by_id(WorkSchedule, scope=scope, id=clinician_id, key="clinician")
    if row is None:
        return default_week(scope.time_zone)
    return _week(row.time_zone, row.shifts, row.source_system)


def hours_as_of(*, scope: Scope, clinician_id: UUID) -> datetime | None:
    """Return when another system was last seen to say what a clinician's hours are; None: it says nothing of them."""
    found: datetime | None = sql.rows(
        f"SELECT min({as_of_sql('s', 'working_hours')}) FROM scheduling_mirroredshift s"  # noqa: S608 - constants
        " WHERE s.practice_id = %s AND s.clinician_id = %s",
        (scope.practice_id, clinician_id),
    )[0][0]
    return found


def _week(zone: str, shifts: Sequence[Mapping[str, str]], system: str) -> Week:
    return Week(ZoneInfo(zone), tuple(_shift(shift) for shift in shifts), guides_only=system != HERE)


def _shift(kept: Mapping[str, str]) -> Shift:
    return Shift(DAYS.index(kept["weekday"]), kept["starts"], kept["ends"])


def busy(
    *, clinician_id: UUID, from_at: datetime, to_at: datetime, leave_out: UUID | None = None
) -> list[Stretch]:
    """
    Return when a clinician's time is taken, in order, by appointments of any patient.

    :param leave_out: an appointment that does not count: the one that is being moved
    """
    rows = sql.rows(
        "SELECT id, start_at, end_at FROM rapport_busy(%s, %s, %s)", (clinician_id, from_at, to_at)
    )
    return [Stretch(row[1], row[2]) for row in rows if row[0] != leave_out]


_DIARY = (
    "SELECT s.time_zone, s.shifts::text, s.source_system, b.id, b.start_at, b.end_at FROM (SELECT) one"
    " LEFT JOIN scheduling_workschedule s ON s.practice_id = %s AND s.clinician_id = %s"
    " LEFT JOIN rapport_busy(%s, %s, %s) b ON true ORDER BY b.start_at"
)


def diary(
    *, scope: Scope, clinician_id: UUID, from_at: datetime, to_at: datetime,
    leave_out: UUID | None = None,
) -> tuple[Week, list[Stretch]]:
    """Return a clinician's working hours, as `week_of`, and when their time is taken, as `busy`."""
    rows = sql.rows(
        _DIARY, (scope.practice_id, clinician_id, clinician_id, from_at, to_at)
    )
    zone, shifts, system = rows[0][:3]
    week = default_week(scope.time_zone) if zone is None else _week(zone, json.loads(shifts), system)
    taken = [Stretch(row[4], row[5]) for row in rows if row[3] is not None and row[3] != leave_out]
    return week, taken


def slots(
    *,
    scope: Scope,
    clinician_id: UUID,
    from_at: datetime,
    to_at: datetime,
    duration: timedelta,
    step: timedelta = STEP,
    limit: int,
    leave_out: UUID | None = None,
) -> list[Stretch]:
    """Return the first free slots of a clinician's working time in a window, in order."""
    week, taken = diary(
        scope=scope, clinician_id=clinician_id, from_at=from_at, to_at=to_at, leave_out=leave_out
    )
    found = free_slots(week, taken, from_at=from_at, to_at=to_at, duration=duration, step=step)
    return list(islice(found, limit))
