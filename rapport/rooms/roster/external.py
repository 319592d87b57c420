"""What other systems call a patient, a clinician or a place, and how one is found by that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from rapport.kernel.problems import FieldError, Invalid
from rapport.platform.access.scope import Scope
from rapport.platform.db import sql
from rapport.platform.tenancy.external import ExternalIdTaken
from rapport.platform.tenancy.models import VersionedRecord

from .models import (
    Clinician,
    ClinicianExternalId,
    ExternalIdRecord,
    Location,
    LocationExternalId,
    Patient,
    PatientExternalId,
)

_KEPT: dict[type[VersionedRecord], tuple[Any, str]] = {
    Patient: (PatientExternalId, "patient"),
    Clinician: (ClinicianExternalId, "clinician"),
    Location: (LocationExternalId, "location"),
}
"""Kind of object -> the table of its ids, and the column there that names it."""


def shown(pairs: Sequence[Any] | None) -> list[dict[str, str]]:
    """Return the pairs of a body as the object's own row keeps them."""
    return [pair.model_dump() for pair in pairs or ()]


def keep(scope: Scope, owner: VersionedRecord, pairs: Sequence[Any]) -> None:
    """
    Give an object these external ids and no others.

    :raises ExternalIdTaken: another object of its kind has one of them
    """
    table, column = _KEPT[type(owner)]
    table.objects.visible_to(scope).filter(**{f"{column}_id": owner.id}).delete()
    rows: list[ExternalIdRecord] = [
        table(practice_id=scope.practice_id, system=pair.system, value=pair.value, **{column: owner})
        for pair in pairs
    ]
    kept = table.objects.bulk_create(rows, ignore_conflicts=True)
    stored = table.objects.visible_to(scope).filter(id__in=[row.id for row in kept])
    if stored.count() != len(rows):
        raise ExternalIdTaken("Look the object up by that external id.")


def check_free(scope: Scope, kind: type[VersionedRecord], pairs: Sequence[Any]) -> None:
    """See that no object of a kind has one of these ids. :raises ExternalIdTaken: one does"""
    table, _ = _KEPT[kind]
    for pair in pairs:
        if table.objects.visible_to(scope).filter(system=pair.system, value=pair.value).exists():
            raise ExternalIdTaken("Look the object up by that external id.")


def find_to_put(scope: Scope, kind: type[VersionedRecord], pairs: Sequence[Any]) -> UUID | None:
    """
    Return the object that has the first of these ids, if the actor may see one.

    Until the transaction ends nobody else puts by the same id: of two at once one creates and
    the other changes.

    :raises Invalid: there is no external id
    """
    if not pairs:
        raise Invalid("1 field is not valid.", errors=(FieldError("/external_ids", "required"),))
    table, column = _KEPT[kind]
    first = pairs[0]
    sql.hold(f"{scope.practice_id}|{column}-external|{first.system}\n{first.value}")
    found = table.objects.visible_to(scope).filter(system=first.system, value=first.value)
    id = found.values_list(f"{column}_id", flat=True).first()
    return id if id is None else UUID(str(id))
