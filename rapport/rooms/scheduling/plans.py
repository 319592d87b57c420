"""What a body asks for, made into a plan: references found, time resolved, place decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from rapport.kernel.ids import parse_type_id
from rapport.kernel.problems import FieldError, ReferenceNotFound
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.rooms.coding import queries as coding
from rapport.rooms.coding.rules.telehealth import Means, Setting
from rapport.rooms.roster import queries as roster

from .models import Appointment, GroupSession
from .rules.wall_clock import LocalTime, show, wall_text
from .timing import fault, start_of

if TYPE_CHECKING:
    from rapport.rooms.coding.models import ServiceCode
    from rapport.rooms.roster.models import Clinician, Location, Patient


@dataclass(frozen=True, slots=True)
class Override:
    """Checks that somebody with the right sets aside, and why."""

    checks: frozenset[str] = frozenset()
    reason: str = ""


@dataclass(slots=True)
class Plan:
    """An appointment as it is to be: references found, time resolved."""

    clinician: Clinician
    service_code: ServiceCode
    location: Location | None
    means: str
    setting: str
    start: LocalTime
    zone: str
    duration: timedelta

    @property
    def end_at(self) -> datetime:
        """The instant it ends."""
        return self.start.at + self.duration

    def columns(self) -> dict[str, Any]:
        """Return it as columns of the table."""
        return {
            "clinician_id": self.clinician.id,
            "service_code_id": self.service_code.id,
            "location_id": self.location.id if self.location else None,
            "means": self.means,
            "patient_setting": self.setting,
            "start_at": self.start.at,
            "end_at": self.end_at,
            "time_zone": self.zone,
            "start_local": wall_text(self.start.wall),
        }


def override_in(scope: Scope, given: Any) -> Override:
    """Return what is set aside. :raises Forbidden: the actor may not override"""
    if given is None:
        return Override()
    scope.require(Permission.APPOINTMENTS_OVERRIDE)
    return Override(frozenset(given.checks), given.reason)


def reference(kind: str, text: str, pointer: str) -> UUID:
    """Return the UUID in a public id of a body. :raises ReferenceNotFound: it is none"""
    id = parse_type_id(kind, text)
    if id is None:
        raise ReferenceNotFound(
            "A field refers to something that is not here.",
            errors=(FieldError(pointer, "reference-not-found"),),
        )
    return id


def meeting(scope: Scope, body: Any) -> tuple[Patient, Clinician, Location | None]:
    """
    Return who is to meet and where. :param body: `schemas.AppointmentIn`

    :raises ReferenceNotFound: one of them is not here
    """
    return roster.refer_to_meeting(
        scope=scope,
        patient_id=reference("patient", body.patient_id, "/patient_id"),
        clinician_id=reference("clinician", body.clinician_id, "/clinician_id"),
        location_id=(
            reference("location", body.location_id, "/location_id") if body.location_id else None
        ),
    )


def _clinician(scope: Scope, text: str) -> Clinician:
    return _takes_appointments(
        roster.refer_to_clinician(
            scope=scope,
            clinician_id=reference("clinician", text, "/clinician_id"),
            pointer="/clinician_id",
        )
    )


def _takes_appointments(clinician: Clinician) -> Clinician:
    if not clinician.active:
        raise fault("/clinician_id", "not-active", "Takes no new appointments.")
    return clinician


def _service_code(scope: Scope, text: str) -> ServiceCode:
    code = coding.refer_to_service_code(scope=scope, text=text, pointer="/service_code")
    if not code.active:
        raise fault("/service_code", "not-active", "Is not offered for new appointments.")
    return code


def _location(scope: Scope, text: str) -> Location:
    return _is_open(
        roster.refer_to_location(
            scope=scope, location_id=reference("location", text, "/location_id"),
            pointer="/location_id",
        )
    )  # fmt: skip


def _is_open(location: Location) -> Location:
    if not location.active:
        raise fault("/location_id", "not-active", "Takes no new appointments.")
    return location


def _means(
    *, telehealth: bool, location_id: str | None, mode: str | None, setting: str | None
) -> tuple[str, str]:
    """Return means and setting. :raises Invalid: not exactly one of a place and telehealth"""
    if telehealth:
        if location_id:
            raise fault("/location_id", "not-allowed", "Send a location or telehealth, not both.")
        return mode or Means.VIDEO.value, setting or Setting.HOME.value
    if not location_id:
        raise fault("/location_id", "required", "Send `location_id`, or `telehealth: true`.")
    for pointer, value in (("/telehealth_mode", mode), ("/patient_setting", setting)):
        if value:
            raise fault(pointer, "not-allowed", "Belongs to telehealth only.")
    return Means.IN_PERSON.value, ""


def _check_telehealth(plan: Plan) -> None:
    if plan.location is None and not plan.service_code.telehealth_allowed:
        raise fault("/telehealth", "not-allowed", "This service is not offered as telehealth.")


def new_plan(
    scope: Scope, body: Any, *, clinician: Clinician, location: Location | None
) -> Plan:
    """
    Return a new appointment as it is to be.

    :param body: `schemas.AppointmentIn`
    :param clinician: with `location`, as `meeting` gives them
    """
    _takes_appointments(clinician)
    code = _service_code(scope, body.service_code)
    if location is not None:
        _is_open(location)
    means, setting = _means(
        telehealth=body.telehealth, location_id=body.location_id,
        mode=body.telehealth_mode, setting=body.patient_setting,
    )  # fmt: skip
    zone = ZoneInfo(location.time_zone) if location else scope.time_zone
    start = start_of(body, zone=zone)
    plan = Plan(
        clinician=clinician,
        service_code=code,
        location=location,
        means=means,
        setting=setting,
        start=start,
        zone=body.time_zone or zone.key,
        duration=timedelta(minutes=body.duration_minutes or code.duration_minutes),
    )
    _check_telehealth(plan)
    return plan


def changed_plan(
    scope: Scope, row: Appointment | GroupSession, given: Mapping[str, Any], body: Any
) -> Plan:
    """Return the appointment as it is to be after a change."""
    clinician = (
        _clinician(scope, given["clinician_id"])
        if "clinician_id" in given
        else roster.get_clinician(scope=scope, clinician_id=row.clinician_id)
    )
    code = (
        _service_code(scope, given["service_code"])
        if "service_code" in given
        else coding.get_service_code(scope=scope, service_code_id=row.service_code_id)
    )
    location, means, setting = _changed_place(scope, row, given)
    zone = given.get("time_zone") or row.time_zone
    if "start_at" in given or "start_local" in given:
        start = start_of(body, zone=ZoneInfo(zone))
    else:
        start = LocalTime(*_kept(row, zone))
    minutes = given.get("duration_minutes")
    duration = timedelta(minutes=minutes) if minutes else row.end_at - row.start_at
    plan = Plan(clinician, code, location, means, setting, start, zone, duration)
    _check_telehealth(plan)
    return plan


def _kept(row: Appointment | GroupSession, zone: str) -> tuple[datetime, datetime, timedelta]:
    local = show(row.start_at, ZoneInfo(zone))
    return local.at, local.wall, local.offset


def _changed_place(
    scope: Scope, row: Appointment | GroupSession, given: Mapping[str, Any]
) -> tuple[Location | None, str, str]:
    location_id = given.get("location_id")
    telehealth = given.get("telehealth")
    if telehealth is None:
        telehealth = row.telehealth if not location_id else False
    if not telehealth and not location_id and not row.telehealth and "location_id" not in given:
        for name in ("telehealth_mode", "patient_setting"):
            if given.get(name):
                raise fault(f"/{name}", "not-allowed", "Belongs to telehealth only.")
        assert row.location_id is not None
        place = roster.get_location(scope=scope, location_id=row.location_id)
        return place, row.means, row.patient_setting
    was = row.telehealth
    means, setting = _means(
        telehealth=telehealth,
        location_id=location_id,
        mode=given.get("telehealth_mode") or (row.means if was and telehealth else None),
        setting=given.get("patient_setting")
        or (row.patient_setting if was and telehealth else None),
    )
    return (_location(scope, location_id) if location_id else None), means, setting
