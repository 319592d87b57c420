"""
Patients and clinicians that another system has, kept here as it has them.

Called with what was read there. The same record twice is one row and one event; nothing is ever
joined by name. What cannot be taken over is `NotTakenOver`: the caller holds it and offers it again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar
from uuid import UUID

from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.audit import write as audit
from rapport.platform.outbox.emit import emit
from rapport.platform.tenancy.external import ExternalIdTaken
from rapport.platform.tenancy.models import SourcedRecord
from rapport.platform.tenancy.source import (
    GONE,
    NotTakenOver,
    SourceRef,
    one_of,
    required,
    text_of,
)

from . import events, external
from .models import (
    Clinician,
    ClinicianExternalId,
    Location,
    LocationExternalId,
    Patient,
    PatientExternalId,
)
from .rules.phones import e164
from .services import set_team, show_new_name, shown_team

M = TypeVar("M", bound=SourcedRecord)

MIRRORED = "mirrored"
"""The reason that the trail gives for a change which another system made."""
_SEX = {"female": "female", "male": "male", "unknown": "unknown", "None": "unknown"}
_STATUS = {"inquiry": "inquiry", "active": "active", "inactive": "inactive", "deceased": "deceased"}
_SEEN_SOMETIMES = {
    "middle_name": ("middle_name", 25), "address_line1": ("address_line1", 55), "city": ("city", 30),
    "state": ("state_code", 2), "postal_code": ("postal_code", 10),
}  # fmt: skip
"""Value -> column and its length: what the page of one patient shows and a list does not."""
_ACTIVE = {"active": "active", "inactive": "inactive"}
_SAID = {
    "first_name": "name", "last_name": "name", "clinicians": "clinician_ids",
}  # fmt: skip
"""Column -> the field of the contract that an event names."""
_IDS: dict[type[SourcedRecord], tuple[Any, str]] = {
    Patient: (PatientExternalId, "patient_id"),
    Clinician: (ClinicianExternalId, "clinician_id"),
    Location: (LocationExternalId, "location_id"),
}


@dataclass(frozen=True, slots=True)
class _Pair:
    system: str
    value: str

    def model_dump(self) -> dict[str, str]:
        return {"system": self.system, "value": self.value}


def find_patient(*, scope: Scope, system: str, id: str) -> Patient:
    """Return the patient that a system calls so. :raises NotTakenOver: nobody is"""
    return _refer(Patient, scope, system, id, "patient")


def ids_of_patient(*, scope: Scope, patient_id: UUID, system: str) -> list[str]:
    """Return what a system calls a patient: as its mirror, or by an external id that somebody gave."""
    rows = Patient.objects.visible_to(scope).filter(
        id=patient_id, source_system=system, source_remote_id__isnull=False
    )
    given = PatientExternalId.objects.visible_to(scope).filter(patient_id=patient_id, system=system)
    return [
        *rows.values_list("source_remote_id", flat=True), *given.values_list("value", flat=True)
    ]  # fmt: skip


def find_clinician(*, scope: Scope, system: str, id: str) -> Clinician:
    """Return the clinician that a system calls so. :raises NotTakenOver: nobody is"""
    return _refer(Clinician, scope, system, id, "clinician")


def find_location(*, scope: Scope, system: str, id: str) -> Location:
    """
    Return the place that a system calls so: by its id, or by the name that the practice gave it.

    :raises NotTakenOver: none is, or two are
    """
    try:
        return _refer(Location, scope, system, id, "location")
    except NotTakenOver:
        named = list(Location.objects.visible_to(scope).filter(name=id, active=True)[:2])
        if len(named) != 1:
            raise
        found: Location = named[0]
        return found


def _refer(model: type[M], scope: Scope, system: str, id: str, field: str) -> M:
    rows = model.objects.visible_to(scope)
    found: M | None = rows.filter(source_system=system, source_remote_id=id).first()
    if found is None:
        table, column = _IDS[model]
        pairs = table.objects.visible_to(scope).filter(system=system, value=id)
        found = rows.filter(id__in=pairs.values(column)).first()
    if found is None:
        raise NotTakenOver(f"unknown-{field}", field=field)
    return found


def mirror_patient(
    *, scope: Scope, source: SourceRef, values: Mapping[str, Any], now: datetime
) -> tuple[Patient, list[str]]:
    """
    Bring a patient up to what their system has of them; make them when they are new.

    :param values: `first_name, last_name, birth_on, sex, email, phone, status, clinician,
        external_id`, and where they were seen `middle_name, address_line1, city, state, postal_code`; a name that is
        left out stays as it is, None empties it. `external_ids` are further pairs, which came with a write from here
    :return: the patient, and the fields that changed; none: nothing was told
    :raises NotTakenOver: something is missing or unknown
    """
    scope.require(Permission.PATIENTS_WRITE)
    row = Patient.of_source(source, scope=scope)
    columns = _patient_columns(values, is_new=row is None)
    pairs = _all_ids(source, values, row)
    team = None
    if "clinician" in values:
        id = values["clinician"]
        team = [find_clinician(scope=scope, system=source.system, id=str(id))] if id else []
        columns["clinicians"] = shown_team(team)
    if pairs is not None:
        columns["external_ids"] = external.shown(pairs)
    made = row is None
    if row is None:
        row = Patient(
            practice_id=scope.practice_id, created_at=now, updated_at=now, **columns
        ).sourced(source)  # fmt: skip
        row.save(force_insert=True)
        changed = sorted(columns)
    else:
        changed = row.bring_up(columns, source=source, scope=scope, now=now)
    if not changed:
        return row, []
    if team is not None and "clinicians" in changed:
        set_team(scope, patient=row, team=team, now=now)
    if pairs is not None and "external_ids" in changed:
        _keep(scope, row, pairs)
    _tell(row, scope=scope, made=made, changed=changed, now=now)
    return row, sorted({_SAID.get(name, name) for name in changed})


def patient_gone(*, scope: Scope, source: SourceRef, now: datetime) -> Patient | None:
    """Make a patient inactive whom their system has no more. :return: None: never mirrored"""
    scope.require(Permission.PATIENTS_WRITE)
    row = Patient.of_source(source, scope=scope)
    if row is not None:
        changed = row.bring_up({"status": "inactive"}, source=source, scope=scope, now=now)
        if changed:
            _tell(row, scope=scope, made=False, changed=changed, now=now, reason=GONE)
    return row


def mirror_clinician(
    *, scope: Scope, source: SourceRef, values: Mapping[str, Any], now: datetime
) -> tuple[Clinician, list[str]]:
    """
    Bring a clinician up to what their system has of them; make them when they are new.

    :param values: `first_name, last_name, credentials, npi, taxonomy_code, email, status, external_id`
    :return: the clinician, and the columns that changed
    :raises NotTakenOver: something is missing or unknown
    """
    scope.require(Permission.CLINICIANS_WRITE)
    row = Clinician.of_source(source, scope=scope)
    columns: dict[str, Any] = _names(values, is_new=row is None)
    for name, most in (("credentials", 40), ("npi", 10), ("taxonomy_code", 10), ("email", 254)):
        if name in values:
            columns[name] = text_of(values, name, most=most)
    if "status" in values:
        columns["active"] = one_of(values, "status", _ACTIVE) == "active"
    pairs = _own_id(source, values)
    if pairs is not None:
        columns["external_ids"] = external.shown(pairs)
    made, before = row is None, row.display_name if row else ""
    if row is None:
        row = Clinician(
            practice_id=scope.practice_id, created_at=now, updated_at=now, **columns
        ).sourced(source)  # fmt: skip
        row.save(force_insert=True)
        changed = sorted(columns)
    else:
        changed = row.bring_up(columns, source=source, scope=scope, now=now)
    if pairs is not None and "external_ids" in changed:
        _keep(scope, row, pairs)
    if changed and not made and row.display_name != before:
        show_new_name(scope, clinician=row)
    if changed:
        _note(row, scope=scope, kind="clinician", made=made, changed=changed)
    return row, changed


def clinician_gone(*, scope: Scope, source: SourceRef, now: datetime) -> Clinician | None:
    """Take a clinician out of booking whom their system has no more. :return: None: never mirrored"""
    scope.require(Permission.CLINICIANS_WRITE)
    row = Clinician.of_source(source, scope=scope)
    if row is not None:
        changed = row.bring_up({"active": False}, source=source, scope=scope, now=now)
        if changed:
            _note(row, scope=scope, kind="clinician", made=False, changed=changed, reason=GONE)
    return row


def _names(values: Mapping[str, Any], *, is_new: bool) -> dict[str, Any]:
    columns = {}
    for name, most in (("first_name", 35), ("last_name", 60)):
        if is_new or name in values:
            required(values, name)
            columns[name] = text_of(values, name, most=most)
    return columns


def _patient_columns(values: Mapping[str, Any], *, is_new: bool) -> dict[str, Any]:
    columns = _names(values, is_new=is_new)
    if is_new or "birth_on" in values:
        try:
            columns["birth_on"] = date.fromisoformat(required(values, "birth_on"))
        except ValueError as error:
            raise NotTakenOver("unreadable-birth-on", field="birth_on") from error
    if is_new or "sex" in values:
        columns["sex"] = one_of(values, "sex", _SEX)
    if "email" in values:
        columns["email"] = text_of(values, "email", most=254).lower()
    if "phone" in values:
        columns["phones"] = _phones(text_of(values, "phone", most=30))
    if "status" in values:
        columns["status"] = one_of(values, "status", _STATUS)
    for name, (column, most) in _SEEN_SOMETIMES.items():
        if name in values:
            columns[column] = text_of(values, name, most=most)
    return columns


def _phones(text: str) -> list[dict[str, str]]:
    if not text:
        return []
    try:
        return [{"use": "mobile", "number": e164(text)}]
    except ValueError:
        # It is what its system has; whoever rings it sees what is wrong with it.
        return [{"use": "mobile", "number": text}]


def _own_id(source: SourceRef, values: Mapping[str, Any]) -> list[_Pair] | None:
    """Return the id that the system prints for its record, as an external id; None: it says nothing."""
    if "external_id" not in values:
        return None
    text = text_of(values, "external_id", most=200)
    return [_Pair(source.system, text)] if text else []


def _all_ids(source: SourceRef, values: Mapping[str, Any], row: Patient | None) -> list[_Pair] | None:
    """Return all external ids of a patient: the system's own, and those that it does not show. None: as they are."""
    own = _own_id(source, values)
    given = [_Pair(pair["system"], pair["value"]) for pair in values.get("external_ids") or ()]
    if own is None and not given:
        return None
    present = [_Pair(pair["system"], pair["value"]) for pair in (row.external_ids if row else ())]
    kept = [pair for pair in present if own is None or pair.system != source.system]
    return list(dict.fromkeys([*(own or ()), *kept, *given]))


def _keep(scope: Scope, row: Patient | Clinician, pairs: list[_Pair]) -> None:
    try:
        external.keep(scope, row, pairs)
    except ExternalIdTaken as error:
        raise NotTakenOver("ambiguous", field="external_id") from error


def _tell(
    row: Patient, *, scope: Scope, made: bool, changed: list[str], now: datetime, reason: str = MIRRORED
) -> None:
    _note(row, scope=scope, kind="patient", made=made, changed=changed, reason=reason)
    told = [] if made else sorted({_SAID.get(name, name) for name in changed})
    emit(
        events.PATIENT_CREATED if made else events.PATIENT_UPDATED, scope=scope,
        object_type="patient", object_id=row.id, version=row.version, now=now, changed=told,
    )  # fmt: skip


def _note(
    row: Patient | Clinician, *, scope: Scope, kind: str, made: bool, changed: list[str],
    reason: str = MIRRORED,
) -> None:
    about: list[UUID] = [row.id] if kind == "patient" else []
    audit.append(
        scope=scope, action=f"{kind}.{'create' if made else 'update'}", reason=reason,
        patient_ids=about, target_type=kind, target_id=row.id, target_version=row.version,
        changed=() if made else changed,
    )  # fmt: skip


__all__ = [
    "MIRRORED", "clinician_gone", "find_clinician", "find_location", "find_patient", "ids_of_patient",
    "mirror_clinician", "mirror_patient", "patient_gone",
]  # fmt: skip
