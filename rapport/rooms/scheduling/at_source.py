"""
Writes of a connected practice: checked as a native one's, and done by the system that keeps its calendar.

Nothing is written here before that system was seen to have it; what it then has is mirrored.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from rapport.kernel.outcomes import Asked, Done, Outcome
from rapport.kernel.problems import NotAtSource
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.api import etags
from rapport.platform.api.handed_on import Supplied
from rapport.platform.tenancy.models import SourcedRecord
from rapport.platform.tenancy.source import SourceRef
from rapport.rooms.roster import queries as roster

from . import mirroring, queries
from .models import Appointment
from .plans import Plan, changed_plan, meeting, new_plan, override_in
from .ports import SystemOfRecord
from .rules.wall_clock import wall_text
from .services import check_act, check_slot, given_fields, known_by, lock_calendars
from .states import MOVES, Action, AppointmentStatus

keeper: Supplied[SystemOfRecord] = Supplied()
"""What keeps the calendars of connected practices."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for, and what came of it so far."""

    outcome: Outcome | None
    """None: the appointment is so already, and nothing was asked for."""
    row: tuple[Any, ...] | None
    """Of something new: as a row of the table would be. None: the appointment is here."""
    appointment_id: UUID | None
    plan: Plan | None
    ended: Mapping[str, str] | None = None


def book(*, scope: Scope, now: datetime, body: Any, key: str) -> Wanted:
    """
    Have an appointment booked where this practice's calendar is kept.

    An external id that an appointment has already changes that one.

    :param body: `schemas.AppointmentIn`
    :raises ConnectorNotReady: nothing can write there
    :raises NotAtSource: patient or clinician are not known there
    """
    scope.require(Permission.APPOINTMENTS_WRITE)
    record = keeper.get()
    override = override_in(scope, body.override)
    patient, clinician, location = meeting(scope, body)
    plan = new_plan(scope, body, clinician=clinician, location=location)
    known = known_by(scope, pairs=body.external_ids) if body.external_ids else None
    lock_calendars(scope, clinician_ids=[plan.clinician.id])
    if known is not None:
        row = queries.get_appointment(scope=scope, appointment_id=known, lock=True)
        return _change(scope, row, plan, override, key, now)
    check_slot(scope, plan=plan, override=override)
    values = _values(patient, plan) | {"external_ids": [one.model_dump() for one in body.external_ids]}
    outcome = record.book(scope=scope, asked=Asked(key, patient.id, values), now=now)
    scope.trail.patient_ids.add(patient.id)
    return Wanted(outcome, _as_row(patient, plan, values, now), None, plan)


def change(
    *, scope: Scope, appointment_id: UUID, if_match: str, now: datetime, body: Any, key: str,
    must_move: bool = False,
) -> Wanted:
    """Have an appointment changed where this practice's calendar is kept. Checks as `services.change`."""
    scope.require(Permission.APPOINTMENTS_WRITE)
    given = given_fields(body, must_move=must_move)
    if given.get("external_ids") is not None:
        raise NotAtSource("Change external ids where the calendar is kept.")
    override = override_in(scope, body.override)
    seen = queries.get_appointment(scope=scope, appointment_id=appointment_id)
    etags.check(seen, if_match)
    plan = changed_plan(scope, seen, given, body)
    lock_calendars(scope, clinician_ids=[seen.clinician_id, plan.clinician.id])
    row = queries.get_appointment(scope=scope, appointment_id=appointment_id, lock=True)
    etags.check(row, if_match)
    return _change(scope, row, plan, override, key, now)


def _change(
    scope: Scope, row: Appointment, plan: Plan, override: Any, key: str, now: datetime
) -> Wanted:
    record = keeper.get()
    names = {name for name, value in plan.columns().items() if getattr(row, name) != value}
    if not names:
        return Wanted(None, None, row.id, plan)
    moves = bool(names & {"clinician_id", "start_at", "end_at"})
    row.require(Action.RESCHEDULE if moves else Action.CHANGE)
    if moves:
        check_slot(scope, plan=plan, override=override, leave_out=row.id)
    patient = roster.get_patient(scope=scope, patient_id=row.patient_id)
    changed = tuple(sorted({_SAID[name] for name in names}))
    asked = Asked(key, row.patient_id, _values(patient, plan), *_where(row), changed)
    outcome = record.change(scope=scope, asked=asked, now=now)
    scope.trail.target("appointment", row.id, row.version)
    return Wanted(outcome, None, row.id, plan)


def act(
    *, scope: Scope, appointment_id: UUID, if_match: str, now: datetime, key: str, action: Action,
    ended_reason: str = "", ended_by: str = "", override: Any = None,
) -> Wanted:
    """
    Have it said where this practice's calendar is kept what becomes of an appointment. Checks as `services.act`.

    That a cancellation came late, and whose it was, a portal has no word for: it is kept here once the portal has it.
    """
    scope.require(Permission.APPOINTMENTS_WRITE)
    record = keeper.get()
    allowance = override_in(scope, override)
    if action is Action.REOPEN:
        seen = queries.get_appointment(scope=scope, appointment_id=appointment_id)
        lock_calendars(scope, clinician_ids=[seen.clinician_id])
    row = queries.get_appointment(scope=scope, appointment_id=appointment_id, lock=True)
    etags.check(row, if_match)
    check_act(scope=scope, row=row, action=action, now=now)
    if action is Action.REOPEN:
        check_slot(scope, plan=changed_plan(scope, row, {}, None), override=allowance, leave_out=row.id)
    status = MOVES[action].target or AppointmentStatus(row.status)
    ended = {"status": status.value, "ended_reason": ended_reason, "ended_by": ended_by}
    cancels = status in (AppointmentStatus.CANCELLED, AppointmentStatus.LATE_CANCELLED)
    values = {"reason": ended_reason} if cancels else {"status": _THERE.get(status, status.value)}
    asked = Asked(
        key, row.patient_id, values, *_where(row), ("status",), aside={"ended": ended} if cancels else {}
    )
    outcome = (record.cancel if cancels else record.change)(scope=scope, asked=asked, now=now)
    scope.trail.target("appointment", row.id, row.version)
    return Wanted(outcome, None, row.id, None, ended)


def wait(*, scope: Scope, write_id: str, seconds: float) -> Outcome:
    """See for so long at most what becomes of a write. Called outside of any transaction."""
    return keeper.get().wait(scope=scope, write_id=write_id, seconds=seconds)


def mirror_done(*, scope: Scope, outcome: Done, now: datetime) -> UUID:
    """Mirror what the other system was seen to have. :return: the appointment"""
    source = SourceRef(outcome.system, outcome.remote_id, now)
    row, _ = mirroring.mirror_appointment(scope=scope, source=source, values=outcome.values, now=now)
    return row.id


_THERE = {AppointmentStatus.BOOKED: "scheduled"}
"""Our word -> a portal's, where it is another."""
_SAID = {
    "clinician_id": "clinician", "service_code_id": "service_code", "location_id": "location",
    "means": "telehealth", "patient_setting": "telehealth", "start_at": "start_local",
    "end_at": "duration_minutes", "time_zone": "start_local", "start_local": "start_local",
}  # fmt: skip
"""Column -> the value that a portal is given for it."""
POINTERS = {
    "patient": "/patient_id", "clinician": "/clinician_id", "service_code": "/service_code", "location": "/location_id",
    "start_local": "/start_local", "duration_minutes": "/duration_minutes", "reason": "/reason",
}  # fmt: skip
"""Value -> where a caller gave it."""


def _id_there(row: SourcedRecord, what: str) -> str:
    if row.source_remote_id is None:
        raise NotAtSource(f"The {what} is not in that system.")
    return row.source_remote_id


def _where(row: Appointment) -> tuple[str, str]:
    return row.source_system, _id_there(row, "appointment")


def _values(patient: Any, plan: Plan) -> dict[str, Any]:
    place = plan.location
    return {
        "patient": _id_there(patient, "patient"),
        "clinician": _id_there(plan.clinician, "clinician"),
        "start_local": wall_text(plan.start.wall),
        "duration_minutes": round(plan.duration.total_seconds() / 60),
        "service_code": plan.service_code.code,
        "location": None if place is None else place.source_remote_id or place.name,
        "telehealth": place is None,
    }


def _as_row(patient: Any, plan: Plan, values: Mapping[str, Any], now: datetime) -> tuple[Any, ...]:
    """Return what was asked for as a row of `schemas.APPOINTMENT_COLUMNS`."""
    clinician, place = plan.clinician, plan.location
    return (
        UUID(int=0), patient.id, patient.first_name, patient.last_name, patient.preferred_name,
        clinician.id, clinician.first_name, clinician.last_name, clinician.credentials,
        plan.service_code.code, plan.service_code.id, plan.start.at, plan.end_at, plan.zone,
        values["start_local"], place.id if place else None, plan.means, plan.setting, "booked", False,
        "", "", json.dumps(values["external_ids"]), None, 1, now, now,
        place.place_of_service_code if place else None, patient.source_system, None, now, None,
    )  # fmt: skip


__all__ = [
    "Wanted", "act", "book", "change", "keeper", "mirror_done", "wait",
]  # fmt: skip
