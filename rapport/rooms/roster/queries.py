"""Questions about the roster. They take the scope first and change nothing."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any, TypeVar
from uuid import UUID

from rapport.kernel.problems import FieldError, Invalid, NotFound, ReferenceNotFound
from rapport.kernel.text import plain
from rapport.platform.access.scope import Scope
from rapport.platform.db import sql
from rapport.platform.db.rows import by_id, together
from rapport.platform.tenancy.models import PracticeRecord

from .models import CareTeam, Clinician, Location, Patient, PatientExternalId

M = TypeVar("M", bound=PracticeRecord)


def get_patient(*, scope: Scope, patient_id: UUID, lock: bool = False) -> Patient:
    """
    Return a patient the actor may see.

    :param lock: hold the row until the transaction ends
    :raises NotFound: no such patient for this actor
    """
    patient = by_id(Patient, scope=scope, id=patient_id, lock=lock)
    if patient is None:
        raise NotFound(_sought=[("patient", patient_id)])
    scope.trail.patient_ids.add(patient.id)
    return patient


def patients_of(*, scope: Scope, ids: Collection[UUID]) -> dict[UUID, Patient]:
    """Return many patients at once, by id; those whom the actor may not see are left out."""
    found = {row.id: row for row in Patient.objects.visible_to(scope).filter(id__any_of=ids)}
    scope.trail.patient_ids.update(found)
    return found


def clinicians_of(*, scope: Scope, ids: Collection[UUID]) -> dict[UUID, Clinician]:
    """Return many clinicians at once, by id."""
    return {row.id: row for row in Clinician.objects.visible_to(scope).filter(id__in=list(ids))}


def locations_of(*, scope: Scope, ids: Collection[UUID]) -> dict[UUID, Location]:
    """Return many locations at once, by id."""
    return {row.id: row for row in Location.objects.visible_to(scope).filter(id__in=list(ids))}


def team_of(*, scope: Scope, patient_id: UUID) -> list[Clinician]:
    """Return the clinicians of a patient's care team."""
    ids = CareTeam.objects.visible_to(scope).filter(patient_id=patient_id).values("clinician_id")
    return list(Clinician.objects.visible_to(scope).filter(id__in=ids).order_by("id"))


def refer_to_patient(*, scope: Scope, patient_id: UUID, pointer: str) -> Patient:
    """
    Return a patient that a request body refers to.

    :raises ReferenceNotFound: no such patient for this actor; the pointer names the field
    """
    return _refer(Patient, scope, patient_id, kind="patient", pointer=pointer)


def refer_to_clinician(*, scope: Scope, clinician_id: UUID, pointer: str) -> Clinician:
    """Return a clinician that a body refers to. :raises ReferenceNotFound: there is none."""
    return _refer(Clinician, scope, clinician_id, kind="clinician", pointer=pointer)


def refer_to_location(*, scope: Scope, location_id: UUID, pointer: str) -> Location:
    """Return a location that a body refers to. :raises ReferenceNotFound: there is none."""
    return _refer(Location, scope, location_id, kind="location", pointer=pointer)


def refer_to_meeting(
    *, scope: Scope, patient_id: UUID, clinician_id: UUID, location_id: UUID | None
) -> tuple[Patient, Clinician, Location | None]:
    """
    Return who meets and where, as a body refers to them, in one round trip.

    :param location_id: None: in no place of the practice's
    :raises ReferenceNotFound: one of them is not here; the pointer names the field
    """
    patient, clinician, *place = together(
        (Patient, patient_id), (Clinician, clinician_id),
        *(((Location, location_id),) if location_id else ()), scope=scope,
    )  # fmt: skip
    return (
        _here(patient, patient_id, kind="patient"),
        _here(clinician, clinician_id, kind="clinician"),
        _here(place[0], location_id, kind="location") if location_id else None,
    )


def _refer(model: type[M], scope: Scope, id: UUID, *, kind: str, pointer: str) -> M:
    return _here(by_id(model, scope=scope, id=id), id, kind=kind, pointer=pointer)


def _here(row: M | None, id: UUID, *, kind: str, pointer: str = "") -> M:
    if row is None:
        raise ReferenceNotFound(
            "A field refers to something that is not here.",
            errors=(FieldError(pointer or f"/{kind}_id", "reference-not-found"),),
            _sought=[(kind, id)],
        )
    return row


def get_clinician(*, scope: Scope, clinician_id: UUID, lock: bool = False) -> Clinician:
    """Return a clinician. :raises NotFound: no such clinician here."""
    row = by_id(Clinician, scope=scope, id=clinician_id, lock=lock)
    if row is None:
        raise NotFound(_sought=[("clinician", clinician_id)])
    return row


def get_location(*, scope: Scope, location_id: UUID, lock: bool = False) -> Location:
    """Return a location. :raises NotFound: no such location here."""
    row = by_id(Location, scope=scope, id=location_id, lock=lock)
    if row is None:
        raise NotFound(_sought=[("location", location_id)])
    return row


def patient_by_external_id(*, scope: Scope, system: str, value: str) -> UUID | None:
    """Return the patient that another system knows by this id, if the actor may see them."""
    row = (
        PatientExternalId.objects.visible_to(scope)
        .filter(system=system, value=value)
        .values_list("patient_id", flat=True)
        .first()
    )
    return row if row is None else UUID(str(row))


_SEARCH = """
SELECT {columns} FROM roster_patient p
WHERE p.practice_id = %(practice)s AND p.id IN ({ways})
ORDER BY p.last_name, p.first_name, p.id LIMIT %(limit)s
"""


_WAY = "SELECT rapport_search_patients(%({words})s, %(birth_on)s, %(email)s, %(system)s, %(value)s)"


def _words(name: str) -> list[str]:
    return [word for word in name.lower().replace(",", " ").split() if word]


def search_patients(
    *,
    scope: Scope,
    columns: str,
    name: str | None,
    birth_on: date | None,
    email: str | None,
    external_id: tuple[str, str] | None,
    limit: int,
) -> list[tuple[Any, ...]]:
    """
    Return rows of patients that match everything that is given.

    :param name: words that first, last or preferred names begin with, in any order; they are looked for as they
        were typed, and without characters that nobody sees
    :raises Invalid: nothing to look for was given
    """
    typed, words = _words(name or ""), _words(plain(name or ""))
    if not (words or birth_on or email or external_id):
        raise Invalid("Give a name, a date of birth, an e-mail address or an external id.")
    ways = ("words", "typed") if typed != words else ("words",)
    rows = sql.rows(
        _SEARCH.format(columns=columns, ways=" UNION ".join(_WAY.format(words=each) for each in ways)),
        {
            "practice": scope.practice_id,
            "words": words,
            "typed": typed,
            "birth_on": birth_on,
            "email": (email or "").lower() or None,
            "system": external_id[0] if external_id else None,
            "value": external_id[1] if external_id else None,
            "limit": limit,
        },
    )
    scope.trail.patient_ids.update(row[0] for row in rows)
    scope.trail.count = len(rows)
    return rows
