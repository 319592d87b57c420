"""What charting needs to know of a visit, asked of scheduling."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from rapport.kernel.problems import FieldError, NotFound, ReferenceNotFound
from rapport.platform.access.scope import Scope
from rapport.rooms.scheduling import queries as scheduling

_NOT_HELD = frozenset({"cancelled", "late_cancelled", "no_show"})


@dataclass(frozen=True, slots=True)
class Visit:
    """An appointment, as far as a note is concerned."""

    id: UUID
    patient_id: UUID
    clinician_id: UUID
    start_at: datetime
    service_on: date
    """The day it is where the visit takes place."""
    held: bool
    """Not cancelled, and the patient did not stay away."""


def get_visit(*, scope: Scope, appointment_id: UUID) -> Visit:
    """Return a visit. :raises NotFound: no such appointment for this actor"""
    row = scheduling.get_appointment(scope=scope, appointment_id=appointment_id)
    return Visit(
        id=row.id,
        patient_id=row.patient_id,
        clinician_id=row.clinician_id,
        start_at=row.start_at,
        service_on=row.start_at.astimezone(ZoneInfo(row.time_zone)).date(),
        held=row.status not in _NOT_HELD,
    )


def refer_to_visit(*, scope: Scope, appointment_id: UUID, pointer: str) -> Visit:
    """Return a visit that a body refers to. :raises ReferenceNotFound: there is none"""
    try:
        return get_visit(scope=scope, appointment_id=appointment_id)
    except NotFound as error:
        raise ReferenceNotFound(
            "A field refers to something that is not here.",
            errors=(FieldError(pointer, "reference-not-found"),),
            _sought=[("appointment", appointment_id)],
        ) from error
