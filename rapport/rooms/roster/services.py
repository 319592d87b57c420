"""What can be done to the roster. One function per verb; each runs in the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from rapport.kernel.ids import parse_type_id, type_id
from rapport.kernel.problems import FieldError, Invalid, ReferenceNotFound
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.api import etags
from rapport.platform.outbox.emit import emit
from rapport.platform.tenancy.external import ExternalIdTaken
from rapport.platform.tenancy.models import VersionedRecord

from . import events, external, queries
from .models import CareTeam, Clinician, Location, Patient


def _changed(row: VersionedRecord, values: Mapping[str, Any], *, now: datetime) -> list[str]:
    """Set what differs, count the version, save. Return the names of the columns that differ."""
    differing = [name for name, value in values.items() if getattr(row, name) != value]
    if not differing:
        return []
    for name in differing:
        setattr(row, name, values[name])
    row.version += 1
    row.updated_at = now
    row.save(update_fields=[*differing, "version", "updated_at"])
    return differing


def _name_columns(name: Any) -> dict[str, Any]:
    return {
        "first_name": name.first,
        "middle_name": name.middle or "",
        "last_name": name.last,
        "suffix": name.suffix or "",
        "preferred_name": name.preferred or "",
    }


def _address_columns(address: Any) -> dict[str, Any]:
    if address is None:
        return dict.fromkeys(
            ("address_line1", "address_line2", "city", "state_code", "postal_code"), ""
        )
    return {
        "address_line1": address.line1,
        "address_line2": address.line2 or "",
        "city": address.city,
        "state_code": address.state,
        "postal_code": address.postal_code,
    }


def _patient_columns(given: Mapping[str, Any]) -> dict[str, Any]:
    """Turn the fields of a body into columns."""
    columns: dict[str, Any] = {}
    if "name" in given:
        columns |= _name_columns(given["name"])
    if "address" in given:
        columns |= _address_columns(given["address"])
    if "phones" in given:
        columns["phones"] = [phone.model_dump() for phone in given["phones"] or ()]
    if "email" in given:
        columns["email"] = (given["email"] or "").lower()
    if "pronouns" in given:
        columns["pronouns"] = given["pronouns"] or ""
    for name in ("birth_on", "sex", "status"):
        if name in given:
            columns[name] = given[name]
    return columns


_NOT_NULL = ("name", "birth_on", "sex", "status")


def check_not_empty(given: Mapping[str, Any]) -> None:
    """Refuse a change that empties what every patient has."""
    _refuse_empty(given, _NOT_NULL)


def check_birth(*, scope: Scope, given: Mapping[str, Any], now: datetime) -> None:
    """Refuse a day on which nobody who is alive was born: a slip of the keys that claims would carry."""
    born = given.get("birth_on")
    if born is not None and not date(1880, 1, 1) <= born <= scope.day_of(now):
        raise Invalid(
            "1 field is not valid.",
            errors=(FieldError("/birth_on", "out-of-range", "A day from 1880 to today."),),
        )


def create_patient(*, scope: Scope, now: datetime, body: Any) -> Patient:
    """
    Add a patient to the roster.

    A clinician who sees only their own patients is put on the care team of those they add.

    :param body: `schemas.PatientIn`
    :raises ReferenceNotFound: a clinician is not of this practice
    :raises ExternalIdTaken: another patient has one of the external ids
    """
    scope.require(Permission.PATIENTS_WRITE)
    check_birth(scope=scope, given={"birth_on": body.birth_on}, now=now)
    team = team_of(scope=scope, ids=body.clinician_ids, is_new=True)
    patient = Patient(
        practice_id=scope.practice_id,
        created_at=now,
        updated_at=now,
        clinicians=shown_team(team),
        external_ids=external.shown(body.external_ids),
        **_patient_columns({name: getattr(body, name) for name in type(body).model_fields}),
    )
    patient.save(force_insert=True)
    CareTeam.objects.bulk_create(
        CareTeam(
            practice_id=scope.practice_id,
            patient=patient,
            clinician=clinician,
            since_on=scope.day_of(now),
        )
        for clinician in team
    )
    external.keep(scope, patient, body.external_ids)
    scope.trail.patient_ids.add(patient.id)
    scope.trail.target("patient", patient.id, patient.version)
    emit(
        events.PATIENT_CREATED, scope=scope, object_type="patient", object_id=patient.id,
        version=patient.version, now=now,
    )  # fmt: skip
    return patient


def change_patient(
    *, scope: Scope, patient_id: UUID, if_match: str | None, now: datetime, given: Mapping[str, Any]
) -> Patient:
    """
    Change a patient.

    :param if_match: the ETag the caller read; None: an upsert by external id, which needs none
    :param given: the fields that were sent, as `schemas.PatientChange.given()` returns them
    :raises NotFound: no such patient for this actor
    :raises PreconditionFailed: it was changed since
    """
    scope.require(Permission.PATIENTS_WRITE)
    patient = queries.get_patient(scope=scope, patient_id=patient_id, lock=True)
    if if_match is not None:
        etags.check(patient, if_match)
    check_not_empty(given)
    check_birth(scope=scope, given=given, now=now)
    columns = _patient_columns(given)
    if "clinician_ids" in given:
        team = team_of(scope=scope, ids=given["clinician_ids"] or (), is_new=False)
        columns["clinicians"] = shown_team(team)
        set_team(scope, patient=patient, team=team, now=now)
    if "external_ids" in given:
        columns["external_ids"] = external.shown(given["external_ids"])
        external.keep(scope, patient, given["external_ids"] or ())
    changed = _changed(patient, columns, now=now)
    scope.trail.target("patient", patient.id, patient.version)
    scope.trail.changed = changed
    if changed:
        emit(
            events.PATIENT_UPDATED, scope=scope, object_type="patient", object_id=patient.id,
            version=patient.version, now=now, changed=sorted(given),
        )  # fmt: skip
    return patient


def put_patient(*, scope: Scope, now: datetime, body: Any) -> tuple[Patient, bool]:
    """
    Create or change the patient who has the body's first external id.

    :param body: `schemas.PatientIn`; when there is such a patient, what was not sent stays
    :return: the patient, and whether it was created
    :raises ExternalIdTaken: somebody has it whom the actor may not see
    """
    scope.require(Permission.PATIENTS_WRITE)
    known = external.find_to_put(scope, Patient, body.external_ids)
    if known is None:
        return create_patient(scope=scope, now=now, body=body), True
    given = {name: getattr(body, name) for name in body.model_fields_set}
    return change_patient(scope=scope, patient_id=known, if_match=None, now=now, given=given), False


def set_primary_insurance(
    *, scope: Scope, patient_id: UUID, insurance: Mapping[str, Any] | None, now: datetime
) -> None:
    """Show another policy as the one billed first. Called by coverage when a policy changes."""
    patient = queries.get_patient(scope=scope, patient_id=patient_id, lock=True)
    if _changed(patient, {"primary_insurance": insurance}, now=now):
        emit(
            events.PATIENT_UPDATED, scope=scope, object_type="patient", object_id=patient.id,
            version=patient.version, now=now, changed=["primary_insurance"],
        )  # fmt: skip


def create_clinician(*, scope: Scope, now: datetime, body: Any) -> Clinician:
    """Add a clinician. :param body: `schemas.ClinicianIn`"""
    scope.require(Permission.CLINICIANS_WRITE)
    clinician = Clinician(
        practice_id=scope.practice_id,
        created_at=now,
        updated_at=now,
        external_ids=external.shown(body.external_ids),
        **{
            name: getattr(body, name) or ""
            for name in type(body).model_fields
            if name != "external_ids"
        },
    )
    clinician.save(force_insert=True)
    external.keep(scope, clinician, body.external_ids)
    scope.trail.target("clinician", clinician.id, clinician.version)
    return clinician


def change_clinician(
    *, scope: Scope, clinician_id: UUID, if_match: str | None, now: datetime, given: Mapping[str, Any]
) -> Clinician:
    """
    Change a clinician; a new name shows on their patients at once.

    :param if_match: the ETag the caller read; None: an upsert by external id, which needs none
    :raises NotFound: no such clinician here
    :raises PreconditionFailed: it was changed since
    """
    scope.require(Permission.CLINICIANS_WRITE)
    clinician = queries.get_clinician(scope=scope, clinician_id=clinician_id, lock=True)
    if if_match is not None:
        etags.check(clinician, if_match)
    _refuse_empty(given, ("first_name", "last_name", "active"))
    before = clinician.display_name
    columns = {name: value if value is not None else "" for name, value in given.items()}
    if "external_ids" in given:
        columns["external_ids"] = external.shown(given["external_ids"])
        external.keep(scope, clinician, given["external_ids"] or ())
    scope.trail.changed = _changed(clinician, columns, now=now)
    scope.trail.target("clinician", clinician.id, clinician.version)
    if clinician.display_name != before:
        show_new_name(scope, clinician=clinician)
    return clinician


def put_clinician(*, scope: Scope, now: datetime, body: Any) -> tuple[Clinician, bool]:
    """Create or change the clinician who has the body's first external id; say whether created."""
    scope.require(Permission.CLINICIANS_WRITE)
    known = external.find_to_put(scope, Clinician, body.external_ids)
    if known is None:
        return create_clinician(scope=scope, now=now, body=body), True
    given = {name: getattr(body, name) for name in body.model_fields_set}
    changed = change_clinician(scope=scope, clinician_id=known, if_match=None, now=now, given=given)
    return changed, False


def show_new_name(scope: Scope, *, clinician: Clinician) -> None:
    """Show a clinician's new name on their patients."""
    shown = type_id("clinician", clinician.id)
    mine = CareTeam.objects.visible_to(scope).filter(clinician_id=clinician.id)
    patients = Patient.objects.visible_to(scope).filter(id__in=mine.values("patient_id"))
    for patient in patients.select_for_update().order_by("id"):
        patient.clinicians = [
            {**entry, "display_name": clinician.display_name} if entry["id"] == shown else entry
            for entry in patient.clinicians
        ]
        patient.save(update_fields=["clinicians"])


def create_location(*, scope: Scope, now: datetime, body: Any) -> Location:
    """Add a place. Its zone is the practice's when none is given. :param body: `LocationIn`"""
    scope.require(Permission.LOCATIONS_WRITE)
    location = Location(
        practice_id=scope.practice_id,
        name=body.name,
        place_of_service_code=body.place_of_service_code,
        npi=body.npi or "",
        time_zone=_zone(body.time_zone or scope.time_zone.key),
        external_ids=external.shown(body.external_ids),
        created_at=now,
        updated_at=now,
        **_address_columns(body.address),
    )
    location.save(force_insert=True)
    external.keep(scope, location, body.external_ids)
    scope.trail.target("location", location.id, location.version)
    return location


def change_location(
    *, scope: Scope, location_id: UUID, if_match: str | None, now: datetime, given: Mapping[str, Any]
) -> Location:
    """
    Change a place.

    :param if_match: the ETag the caller read; None: an upsert by external id, which needs none
    :raises NotFound: no such location here
    :raises PreconditionFailed: it was changed since
    """
    scope.require(Permission.LOCATIONS_WRITE)
    location = queries.get_location(scope=scope, location_id=location_id, lock=True)
    if if_match is not None:
        etags.check(location, if_match)
    _refuse_empty(given, ("name", "address", "place_of_service_code", "time_zone", "active"))
    columns = dict(given)
    if "address" in columns:
        columns |= _address_columns(columns.pop("address"))
    if "npi" in columns:
        columns["npi"] = columns["npi"] or ""
    if "time_zone" in columns:
        columns["time_zone"] = _zone(columns["time_zone"])
    if "external_ids" in given:
        columns["external_ids"] = external.shown(given["external_ids"])
        external.keep(scope, location, given["external_ids"] or ())
    scope.trail.changed = _changed(location, columns, now=now)
    scope.trail.target("location", location.id, location.version)
    return location


def put_location(*, scope: Scope, now: datetime, body: Any) -> tuple[Location, bool]:
    """Create or change the place that has the body's first external id; say whether created."""
    scope.require(Permission.LOCATIONS_WRITE)
    known = external.find_to_put(scope, Location, body.external_ids)
    if known is None:
        return create_location(scope=scope, now=now, body=body), True
    given = {name: getattr(body, name) for name in body.model_fields_set}
    changed = change_location(scope=scope, location_id=known, if_match=None, now=now, given=given)
    return changed, False


def _refuse_empty(given: Mapping[str, Any], names: Sequence[str]) -> None:
    empty = [name for name in names if name in given and given[name] is None]
    if empty:
        raise Invalid(
            f"{len(empty)} field(s) are not valid.",
            errors=tuple(FieldError(f"/{name}", "required") for name in empty),
        )


def _zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise Invalid(
            "1 field is not valid.",
            errors=(FieldError("/time_zone", "unknown-time-zone", "Use an IANA name."),),
        ) from error


def team_of(*, scope: Scope, ids: Sequence[str], is_new: bool) -> list[Clinician]:
    """
    Return the clinicians that a body names.

    :param is_new: of a new patient, whoever sees only their own patients is one of them
    :raises ReferenceNotFound: a clinician is not of this practice
    """
    team = _named(scope, ids)
    if is_new and scope.caseload is not None and not {clinician.id for clinician in team} & scope.caseload:
        if scope.clinician_id is None:
            raise Invalid(
                "1 field is not valid.",
                errors=(FieldError("/clinician_ids", "required", "Name one of your clinicians."),),
            )
        team.append(queries.get_clinician(scope=scope, clinician_id=scope.clinician_id))
    return team


def _named(scope: Scope, ids: Sequence[str]) -> list[Clinician]:
    team = []
    for position, text in enumerate(dict.fromkeys(ids)):
        pointer = f"/clinician_ids/{position}"
        id = parse_type_id("clinician", text)
        if id is None:
            raise ReferenceNotFound(
                "A field refers to something that is not here.",
                errors=(FieldError(pointer, "reference-not-found"),),
            )
        team.append(queries.refer_to_clinician(scope=scope, clinician_id=id, pointer=pointer))
    return team


def shown_team(team: Sequence[Clinician]) -> list[dict[str, str]]:
    """Return a care team as the patient's own row shows it."""
    return [
        {"id": type_id("clinician", clinician.id), "display_name": clinician.display_name}
        for clinician in team
    ]


def set_team(
    scope: Scope, *, patient: Patient, team: Sequence[Clinician], now: datetime
) -> None:
    """Make these clinicians, and no others, a patient's care team."""
    wanted = {clinician.id for clinician in team}
    present = CareTeam.objects.visible_to(scope).filter(patient_id=patient.id)
    known = {row.clinician_id for row in present}
    present.exclude(clinician_id__in=wanted).delete()
    CareTeam.objects.bulk_create(
        CareTeam(
            practice_id=scope.practice_id,
            patient=patient,
            clinician_id=id,
            since_on=scope.day_of(now),
        )
        for id in wanted - known
    )


__all__ = [
    "ExternalIdTaken", "change_clinician", "change_location", "change_patient", "check_birth",
    "check_not_empty", "create_clinician", "create_location", "create_patient", "put_clinician",
    "put_location", "put_patient", "set_primary_insurance", "set_team", "show_new_name", "shown_team",
    "team_of",
]  # fmt: skip
