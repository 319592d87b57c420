"""
Appointments that another system has, kept here as it has them.

What that system really has is taken as it is: two at once for one clinician are both kept, the
later one flagged as overbooked. A change takes the moves that a person would make here, so that
listeners hear the same events. Guards are not asked: it has happened there already.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import F

from rapport.kernel.problems import ReferenceNotFound
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.audit import write as audit
from rapport.platform.db.rows import add
from rapport.platform.outbox.emit import emit
from rapport.platform.tenancy.source import (
    GONE,
    NotTakenOver,
    SourceRef,
    one_of,
    required,
)
from rapport.rooms.coding import queries as coding
from rapport.rooms.coding.rules.telehealth import Means, Setting
from rapport.rooms.roster import mirroring as roster
from rapport.rooms.roster import queries as roster_queries

from . import events, queries
from .models import Appointment, AppointmentExternalId, MirroredShift, WorkSchedule
from .rules import hours, wall_clock
from .services import EVENTS, lock_calendars
from .states import BUSY, MOVES, Action, AppointmentStatus

STATUS = {
    "scheduled": "booked", "booked": "booked", "checked_in": "checked_in", "completed": "completed",
    "cancelled": "cancelled", "late_cancelled": "late_cancelled", "no_show": "no_show",
}  # fmt: skip
"""A portal's word -> ours."""
MOST_MINUTES = 1440
_FACTS = ("patient", "clinician", "start_local", "status")
_CANCELLED = (AppointmentStatus.CANCELLED, AppointmentStatus.LATE_CANCELLED)
_TAKES = frozenset({"clinician_id", "start_at", "end_at"})
_YES = {"true": True, "false": False, "True": True, "False": False}
_VERBS = {
    events.CREATED: "create", events.UPDATED: "update", events.RESCHEDULED: "reschedule",
    events.CANCELLED: "cancel", events.CHECKED_IN: "check_in", events.COMPLETED: "complete",
    events.NO_SHOW: "no_show", events.REOPENED: "reopen",
}  # fmt: skip


def mirror_appointment(
    *, scope: Scope, source: SourceRef, values: Mapping[str, Any], now: datetime
) -> tuple[Appointment, list[str]]:
    """
    Bring an appointment up to what its system has of it; make it when it is new.

    :param values: `patient, clinician, start_local, status`, and `duration_minutes, service_code,
        location, telehealth, external_ids`; wall times are the practice's own. Patient, clinician and place are
        that system's ids for them (a place also by its name here). `ended` (`status, ended_reason, ended_by`) is
        what was said here when it was cancelled
    :return: the appointment, and the columns that changed; none: nothing was told
    :raises NotTakenOver: something is missing or unknown here
    """
    scope.require(Permission.APPOINTMENTS_WRITE)
    for name in _FACTS:
        required(values, name)
    said = AppointmentStatus(one_of(values, "status", STATUS))
    patient = roster.find_patient(scope=scope, system=source.system, id=str(values["patient"]))
    columns = _columns(scope, source, values)
    row = Appointment.of_source(source, scope=scope)
    ended: Mapping[str, str] = values.get("ended") or {}
    status = _late_or_not(row, said, ended)
    lock_calendars(
        scope, clinician_ids=[columns["clinician_id"], *([row.clinician_id] if row else [])]
    )
    if row is None:
        row = _make(scope, source, patient.id, columns, now)
        _keep_ids(scope, row, values)
        _reach(row, status, scope=scope, source=source, now=now)
        return row, sorted([*columns, "status"])
    if row.patient_id != patient.id:
        raise NotTakenOver("patient-changed", field="patient")
    changed = sorted(name for name, value in columns.items() if getattr(row, name) != value)
    if changed:
        _change(row, {name: columns[name] for name in changed}, scope=scope, source=source, now=now)
    if row.status != status:
        _reach(row, status, scope=scope, source=source, now=now, ended=ended)
        changed.append("status")
    elif ended.get("ended_reason") and not row.ended_reason and status in _CANCELLED:
        # A reading saw it there before whoever asked for it was told.
        _save(row, _ending(ended))
    if not changed:
        row.seen_again(source, scope=scope)
    _keep_ids(scope, row, values)
    return row, changed


def appointment_gone(*, scope: Scope, source: SourceRef, now: datetime) -> Appointment | None:
    """Cancel an appointment that its system has no more. :return: None: never mirrored"""
    scope.require(Permission.APPOINTMENTS_WRITE)
    row = Appointment.of_source(source, scope=scope)
    if row is None:
        return None
    lock_calendars(scope, clinician_ids=[row.clinician_id])
    if row.status not in _CANCELLED:
        _reach(
            row, AppointmentStatus.CANCELLED, scope=scope, source=source, now=now, ended={"ended_reason": GONE}
        )
    return row


def mirror_shift(
    *, scope: Scope, source: SourceRef, values: Mapping[str, Any], now: datetime
) -> tuple[MirroredShift, list[str]]:
    """
    Bring a stretch of somebody's working hours up to what its system has of it, and their week with it.

    :param values: `clinician, weekday, starts, ends`: that system's id, an English name, wall times of the practice
    :return: the stretch, and the columns that changed
    :raises NotTakenOver: something is missing or unknown here
    """
    scope.require(Permission.APPOINTMENTS_WRITE)
    clinician = roster.find_clinician(scope=scope, system=source.system, id=required(values, "clinician"))
    starts, ends = _wall(values, "starts"), _wall(values, "ends")
    columns = {
        "clinician_id": clinician.id, "weekday": one_of(values, "weekday", {day: day for day in hours.DAYS}),
        "starts": starts, "ends": ends,
    }  # fmt: skip
    if ends <= starts:
        raise NotTakenOver("unreadable-ends", field="ends")
    row = MirroredShift.of_source(source, scope=scope)
    before = row.clinician_id if row is not None else clinician.id
    if row is None:
        row = MirroredShift(
            practice_id=scope.practice_id, created_at=now, updated_at=now, **columns
        ).sourced(source)  # fmt: skip
        row.save(force_insert=True)
        changed = sorted(columns)
    else:
        changed = row.bring_up(columns, source=source, scope=scope, now=now)
    for id in {before, clinician.id} if changed else ():
        _put_week_together(scope, id, source.system, now)
    return row, changed


def shift_gone(*, scope: Scope, source: SourceRef, now: datetime) -> None:
    """Take a stretch out of the week whose system has it no more."""
    scope.require(Permission.APPOINTMENTS_WRITE)
    row = MirroredShift.of_source(source, scope=scope)
    if row is not None:
        row.delete()
        _put_week_together(scope, row.clinician_id, source.system, now)


def _wall(values: Mapping[str, Any], name: str) -> str:
    text = required(values, name)
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d|24:00", text, re.ASCII):
        raise NotTakenOver(f"unreadable-{name}", field=name)
    return text


def _put_week_together(scope: Scope, clinician_id: UUID, system: str, now: datetime) -> None:
    """The week is what is mirrored of it; with nothing left nobody has said what the hours are."""
    roster_queries.get_clinician(scope=scope, clinician_id=clinician_id, lock=True)
    shifts = [
        {"weekday": one.weekday, "starts": one.starts, "ends": one.ends}
        for one in MirroredShift.objects.visible_to(scope).filter(clinician_id=clinician_id, source_system=system)
    ]
    shifts.sort(key=lambda one: (hours.DAYS.index(one["weekday"]), one["starts"]))
    mine = WorkSchedule.objects.visible_to(scope).filter(clinician_id=clinician_id)
    columns = {
        "shifts": shifts, "time_zone": scope.time_zone.key, "source_system": system, "updated_at": now,
    }  # fmt: skip
    if not shifts:
        mine.delete()
    elif not mine.update(version=F("version") + 1, **columns):
        WorkSchedule.objects.create(
            practice_id=scope.practice_id, clinician_id=clinician_id, created_at=now, **columns
        )
    audit.append(
        scope=scope, action="work_schedule.set", reason=roster.MIRRORED, target_type="clinician", target_id=clinician_id,
        changed=("work_schedule",),
    )  # fmt: skip


def _columns(scope: Scope, source: SourceRef, values: Mapping[str, Any]) -> dict[str, Any]:
    clinician = roster.find_clinician(
        scope=scope, system=source.system, id=str(values["clinician"])
    )
    try:
        code = coding.refer_to_service_code(
            scope=scope, text=required(values, "service_code"), pointer="/service_code"
        )
    except ReferenceNotFound as error:
        raise NotTakenOver("unknown-service-code", field="service_code") from error
    start = _start(scope, required(values, "start_local"))
    said = str(values.get("duration_minutes") or code.duration_minutes)
    if not (said.isascii() and said.isdigit() and 0 < int(said[:6]) <= MOST_MINUTES):
        raise NotTakenOver("unreadable-duration-minutes", field="duration_minutes")
    minutes = int(said)
    location_id, means, setting = None, Means.VIDEO.value, Setting.HOME.value
    if not _YES.get(str(values.get("telehealth")), False):
        place = required(values, "location")
        location_id = roster.find_location(scope=scope, system=source.system, id=place).id
        means, setting = Means.IN_PERSON.value, ""
    return {
        "clinician_id": clinician.id, "service_code_id": code.id, "location_id": location_id,
        "means": means, "patient_setting": setting, "start_at": start.at,
        "end_at": start.at + timedelta(minutes=minutes), "time_zone": scope.time_zone.key,
        "start_local": wall_clock.wall_text(start.wall),
    }  # fmt: skip


def _keep_ids(scope: Scope, row: Appointment, values: Mapping[str, Any]) -> None:
    """Keep the external ids that came with a write from here; a portal itself shows none of them."""
    pairs = [dict(pair) for pair in values.get("external_ids") or ()]
    if not pairs or pairs == row.external_ids:
        return
    AppointmentExternalId.objects.visible_to(scope).filter(appointment_id=row.id).delete()
    AppointmentExternalId.objects.bulk_create(
        AppointmentExternalId(practice_id=scope.practice_id, appointment=row, **pair) for pair in pairs
    )
    _save(row, {"external_ids": pairs})


def _save(row: Appointment, columns: Mapping[str, Any]) -> None:
    """Keep what was said here and no portal shows: it makes no other version."""
    for name, value in columns.items():
        setattr(row, name, value)
    row.save(update_fields=list(columns))


def _late_or_not(
    row: Appointment | None, said: AppointmentStatus, ended: Mapping[str, str]
) -> AppointmentStatus:
    """Return where it stands: of a cancellation a portal may have no word for that it came late, which was said here."""
    late = ended.get("status") == AppointmentStatus.LATE_CANCELLED or (
        row is not None and row.status == AppointmentStatus.LATE_CANCELLED
    )
    return AppointmentStatus.LATE_CANCELLED if said is AppointmentStatus.CANCELLED and late else said


def _ending(ended: Mapping[str, str]) -> dict[str, str]:
    return {name: ended.get(name, "") for name in ("ended_reason", "ended_by")}


def _start(scope: Scope, text: str) -> wall_clock.LocalTime:
    try:
        wall = datetime.fromisoformat(text)
    except ValueError as error:
        raise NotTakenOver("unreadable-start-local", field="start_local") from error
    if wall.tzinfo is not None:
        raise NotTakenOver("unreadable-start-local", field="start_local")
    try:
        return wall_clock.resolve(wall, scope.time_zone, fold=0)
    except wall_clock.NoSuchWallTime as error:
        # A portal that takes such a time means the one that its clock would show an hour later.
        return error.after


def _taken(row: Appointment) -> bool:
    return bool(
        queries.busy(
            clinician_id=row.clinician_id, from_at=row.start_at, to_at=row.end_at, leave_out=row.id
        )
    )


def _make(
    scope: Scope, source: SourceRef, patient_id: Any, columns: dict[str, Any], now: datetime
) -> Appointment:
    row = Appointment(
        practice_id=scope.practice_id, patient_id=patient_id, status=AppointmentStatus.BOOKED.value,
        status_changed_at=now, created_at=now, updated_at=now, **columns,
    ).sourced(source)  # fmt: skip
    row.overbooked = _taken(row)
    add(row)
    row.note("book", scope=scope, at=now, before="")
    _tell(events.CREATED, row, scope=scope, now=now)
    return row


def _change(
    row: Appointment, columns: dict[str, Any], *, scope: Scope, source: SourceRef, now: datetime
) -> None:
    moves = bool(_TAKES & set(columns))
    action = Action.RESCHEDULE if moves else Action.CHANGE
    if row.status not in MOVES[action].sources:
        _move(row, Action.REOPEN, scope=scope, source=source, now=now)
    if moves:
        wanted = Appointment(id=row.id, **{name: getattr(row, name) for name in _TAKES} | columns)
        columns = columns | {"overbooked": _taken(wanted)}
    row.move(action, scope=scope, at=now, **columns, source_as_of=source.as_of)
    event = events.RESCHEDULED if moves else events.UPDATED
    _tell(event, row, scope=scope, now=now, changed=sorted(columns))


def _reach(
    row: Appointment, status: AppointmentStatus, *, scope: Scope, source: SourceRef, now: datetime,
    ended: Mapping[str, str] | None = None,
) -> None:
    """Take the moves that lead to a status: one, or two by way of being booked again."""
    if row.status == status:
        return
    direct = _towards(row.status, status)
    if direct is None:
        _move(row, Action.REOPEN, scope=scope, source=source, now=now)
        direct = _towards(row.status, status)
    if direct is not None:
        further = {} if status in BUSY else {"overbooked": False, **_ending(ended or {})}
        _move(row, direct, scope=scope, source=source, now=now, **further)


def _towards(status: str, target: AppointmentStatus) -> Action | None:
    for action, move in MOVES.items():
        if move.target is target and status in move.sources:
            return action
    return None


def _move(
    row: Appointment, action: Action, *, scope: Scope, source: SourceRef, now: datetime, **further: Any
) -> None:
    if action is Action.REOPEN:
        further |= {"overbooked": _taken(row), "ended_reason": "", "ended_by": ""}
    reason = GONE if further.get("ended_reason") == GONE else roster.MIRRORED
    row.move(action, scope=scope, at=now, source_as_of=source.as_of, **further)
    _tell(EVENTS[action], row, scope=scope, now=now, changed=["status"], reason=reason)


def _tell(
    event: str, row: Appointment, *, scope: Scope, now: datetime, changed: list[str] | None = None,
    reason: str = roster.MIRRORED,
) -> None:
    audit.append(
        scope=scope, action=f"appointment.{_VERBS[event]}", reason=reason,
        patient_ids=[row.patient_id], target_type="appointment", target_id=row.id,
        target_version=row.version, changed=changed or (),
    )  # fmt: skip
    emit(
        event, scope=scope, object_type="appointment", object_id=row.id, version=row.version,
        now=now, changed=changed or (),
    )  # fmt: skip
