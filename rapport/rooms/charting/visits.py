"""What charting needs to know of a visit, asked of scheduling."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from rapport.kernel.problems import FieldError, Invalid
from rapport.platform.access.scope import Scope
from rapport.rooms.scheduling import queries as scheduling
from rapport.rooms.scheduling.queries import groups
from rapport.rooms.scheduling.states import AppointmentStatus

from .rules.naming import names_in, sections_that_name

if TYPE_CHECKING:
    from rapport.rooms.scheduling.models import Appointment

_NOT_HELD = frozenset(
    {AppointmentStatus.CANCELLED, AppointmentStatus.LATE_CANCELLED, AppointmentStatus.NO_SHOW}
)


@dataclass(frozen=True, slots=True)
class Visit:
    """An appointment, as far as a note is concerned."""

    id: UUID
    patient_id: UUID
    clinician_id: UUID
    start_at: datetime
    service_on: date
    """The day it is in the practice, as on the claim."""
    held: bool
    """Not cancelled, and the patient did not stay away."""


def get_visit(*, scope: Scope, appointment_id: UUID) -> Visit:
    """Return a visit. :raises NotFound: no such appointment for this actor"""
    return _visit(scope, scheduling.get_appointment(scope=scope, appointment_id=appointment_id))


def only_visit(*, scope: Scope, patient_id: UUID, clinician_id: UUID, on: date) -> UUID | None:
    """Return what a patient was seen for by a clinician on a day, where that was one visit. None: none, or several"""
    facts = scheduling.visits_on(scope=scope, patient_id=patient_id, on=on)
    mine = [one.appointment_id for one in facts if one.clinician_id == clinician_id]
    return mine[0] if len(mine) == 1 else None


def refer_to_visit(*, scope: Scope, appointment_id: UUID | None, pointer: str) -> Visit:
    """Return a visit that a body refers to. :raises ReferenceNotFound: there is none"""
    return _visit(
        scope,
        scheduling.refer_to_appointment(
            scope=scope, appointment_id=appointment_id, pointer=pointer
        ),
    )


def _visit(scope: Scope, row: Appointment) -> Visit:
    return Visit(
        id=row.id,
        patient_id=row.patient_id,
        clinician_id=row.clinician_id,
        start_at=row.start_at,
        service_on=scope.day_of(row.start_at),
        held=row.status not in _NOT_HELD,
    )


def refuse_names_of_others(
    scope: Scope, *, appointment_id: UUID | None, content: Mapping[str, Any], at: str = "/content/"
) -> None:
    """
    Pass if a text about one member of a group names no other one.

    Only those are looked for whom the actor may see, so that nobody learns here who else is in the group.

    :param content: section -> text or fields
    :param at: what stands before a section in the pointer
    :raises Invalid: somebody else is named; the answer says where, and not who
    """
    company = groups.company_of(scope=scope, appointment_id=appointment_id) if appointment_id else None
    if company is None:
        return
    faults = [
        FieldError(f"{at}{section}", "names-another-member", "A note names nobody else of the group.")
        for section in sections_that_name(content, of=company.others, but=company.own)
    ]
    if faults:
        raise Invalid(f"{len(faults)} field(s) are not valid.", errors=tuple(faults))


def refuse_any_member(scope: Scope, *, group_session_id: UUID, text: str, at: str) -> None:
    """Pass if a text that goes into every member's note names none. :raises Invalid: it does"""
    names = groups.names_in(scope=scope, group_session_id=group_session_id).values()
    if names_in(text, of=frozenset().union(*names)):
        raise Invalid(
            "1 field is not valid.",
            errors=(FieldError(at, "names-a-member", "What all members' notes say names nobody of the group."),),
        )
