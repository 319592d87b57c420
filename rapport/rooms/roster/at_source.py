"""
Patients of a connected practice: checked as a native one's, and written by the system that keeps them.

Nothing is written here before that system was seen to have it; what it then has is mirrored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

from rapport.kernel.outcomes import Asked, Done, Outcome
from rapport.kernel.problems import FieldError, FieldNotAtSource, NotAtSource
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.api import etags
from rapport.platform.api.handed_on import Supplied
from rapport.platform.tenancy.source import SourceRef

from . import external, mirroring, queries
from .models import Clinician, Patient
from .ports import SystemOfRecord
from .services import check_birth, check_not_empty, team_of

POINTERS: Mapping[str, str] = MappingProxyType(
    {
        "first_name": "/name/first", "middle_name": "/name/middle", "last_name": "/name/last",
        "suffix": "/name/suffix", "preferred_name": "/name/preferred", "pronouns": "/pronouns",
        "birth_on": "/birth_on", "sex": "/sex", "email": "/email", "phone": "/phones", "status": "/status",
        "clinician": "/clinician_ids", "address_line1": "/address/line1", "address_line2": "/address/line2",
        "city": "/address/city", "state": "/address/state", "postal_code": "/address/postal_code",
    }
)  # fmt: skip
"""Value that another system is given -> where a caller gave it."""
_COLUMNS = {"state": "state_code"}
"""Value -> our column, where it has another name."""

keeper: Supplied[SystemOfRecord] = Supplied()
"""What keeps the patients of connected practices."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for, and what came of it so far."""

    outcome: Outcome | None
    """None: the patient is so already, and nothing was asked for."""
    patient_id: UUID | None
    """None: somebody new."""
    given: Mapping[str, Any]
    """The fields of the body that were sent."""
    team: Sequence[Clinician] = ()
    """The clinicians that were named."""


def add(*, scope: Scope, now: datetime, body: Any, key: str) -> Wanted:
    """
    Have a patient added where this practice's patients are kept.

    :param body: `schemas.PatientIn`
    :raises ConnectorNotReady: nothing can write there
    :raises FieldNotAtSource: that system has no place for a field
    :raises ExternalIdTaken: somebody here has one of the external ids
    """
    scope.require(Permission.PATIENTS_WRITE)
    record = keeper.get()
    given = {name: getattr(body, name) for name in type(body).model_fields}
    check_birth(scope=scope, given=given, now=now)
    external.check_free(scope, Patient, body.external_ids)
    team = team_of(scope=scope, ids=body.clinician_ids, is_new=True)
    said = {name: value for name, value in _values(given, team).items() if value != ""}
    values = {**said, "external_ids": external.shown(body.external_ids)}
    outcome = record.add(scope=scope, asked=Asked(key, None, values, pointers=POINTERS), now=now)
    return Wanted(outcome, None, given, team)


def change(
    *, scope: Scope, patient_id: UUID, if_match: str, now: datetime, given: Mapping[str, Any], key: str
) -> Wanted:
    """
    Have a patient changed where this practice's patients are kept; what is so already is left out.

    :param given: as of `services.change_patient`, whose checks it makes
    """
    scope.require(Permission.PATIENTS_WRITE)
    record = keeper.get()
    row = queries.get_patient(scope=scope, patient_id=patient_id, lock=True)
    etags.check(row, if_match)
    check_not_empty(given)
    check_birth(scope=scope, given=given, now=now)
    if "external_ids" in given:
        raise _no_place("/external_ids")
    team = team_of(scope=scope, ids=given.get("clinician_ids") or (), is_new=False)
    values = _values(given, team)
    present = _present(scope, row)
    changed = {name: value for name, value in values.items() if value != present[name]}
    scope.trail.target("patient", row.id, row.version)
    if not changed:
        return Wanted(None, row.id, given, team)
    if row.source_remote_id is None:
        raise NotAtSource("The patient is not in that system.")
    asked = Asked(
        key, row.id, changed, row.source_system, row.source_remote_id, tuple(sorted(changed)), POINTERS
    )
    return Wanted(record.change(scope=scope, asked=asked, now=now), row.id, given, team)


def wait(*, scope: Scope, write_id: str, seconds: float) -> Outcome:
    """See for so long at most what becomes of a write. Called outside of any transaction."""
    return keeper.get().wait(scope=scope, write_id=write_id, seconds=seconds)


def mirror_done(*, scope: Scope, outcome: Done, now: datetime) -> UUID:
    """Mirror what the other system was seen to have. :return: the patient"""
    source = SourceRef(outcome.system, outcome.remote_id, now)
    row, _ = mirroring.mirror_patient(scope=scope, source=source, values=outcome.values, now=now)
    return row.id


def _no_place(*pointers: str) -> FieldNotAtSource:
    return FieldNotAtSource(
        "Leave these out, or change them where the record is kept.",
        errors=tuple(FieldError(pointer, "field-not-at-source") for pointer in pointers),
    )


def _values(given: Mapping[str, Any], team: Sequence[Clinician]) -> dict[str, str]:
    """
    Return the fields of a body as another system is given them; an empty text empties one.

    :raises FieldNotAtSource: there is more of something than that system could keep
    """
    values: dict[str, str] = {}
    if "name" in given:
        name = given["name"]
        values |= {
            "first_name": name.first, "middle_name": name.middle or "", "last_name": name.last,
            "suffix": name.suffix or "", "preferred_name": name.preferred or "",
        }  # fmt: skip
    if "address" in given:
        where = given["address"]
        values |= {
            "address_line1": where.line1 if where else "", "address_line2": (where.line2 or "") if where else "",
            "city": where.city if where else "", "state": where.state if where else "",
            "postal_code": where.postal_code if where else "",
        }  # fmt: skip
    for name in ("pronouns", "sex", "status"):
        if name in given:
            values[name] = given[name] or ""
    if "birth_on" in given:
        values["birth_on"] = given["birth_on"].isoformat()
    if "email" in given:
        values["email"] = (given["email"] or "").lower()
    if "phones" in given:
        values["phone"] = _phone(given["phones"] or ())
    if "clinician_ids" in given:
        values["clinician"] = _clinician(team)
    return values


def _phone(phones: Sequence[Any]) -> str:
    if len(phones) > 1:
        raise _no_place(*(f"/phones/{place}" for place in range(1, len(phones))))
    if phones and phones[0].use != "mobile":
        raise _no_place("/phones/0/use")
    return phones[0].number if phones else ""


def _clinician(team: Sequence[Clinician]) -> str:
    if len(team) > 1:
        raise _no_place(*(f"/clinician_ids/{place}" for place in range(1, len(team))))
    if team and team[0].source_remote_id is None:
        raise NotAtSource("The clinician is not in that system.")
    return str(team[0].source_remote_id) if team else ""


def _present(scope: Scope, row: Patient) -> dict[str, str]:
    """Return a patient as another system would be given them: what is here, which is its mirror."""
    team = queries.team_of(scope=scope, patient_id=row.id)
    shown = {name: getattr(row, _COLUMNS.get(name, name)) for name in POINTERS if name not in ("phone", "clinician")}
    shown["birth_on"] = row.birth_on.isoformat()
    shown["phone"] = row.phones[0]["number"] if row.phones else ""
    shown["clinician"] = (team[0].source_remote_id or "") if len(team) == 1 else ""
    return shown


__all__ = ["POINTERS", "Wanted", "add", "change", "keeper", "mirror_done", "wait"]
