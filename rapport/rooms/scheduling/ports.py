"""What scheduling needs of the system that a connected practice's calendar is kept in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

from rapport.kernel.outcomes import Outcome

if TYPE_CHECKING:
    from rapport.platform.access.scope import Scope


@dataclass(frozen=True, slots=True)
class Asked:
    """An appointment as somebody wants it."""

    key: str
    """The same key is the same deed: at most one of it is done."""
    patient_id: UUID
    """Whom it is about, here."""
    values: Mapping[str, Any] = field(repr=False)
    """As it is to be, whole, in the names of the contract: `patient, clinician, start_local,
    duration_minutes, service_code, location, telehealth, external_ids`; people by that system's ids."""
    system: str = ""
    """Of a change: where the appointment is,"""
    remote_id: str = ""
    """and its id there. What was seen of it is what its mirror has."""
    changed: tuple[str, ...] = ()
    """Of a change: the values that are to be others."""


class SystemOfRecord(Protocol):
    """
    Keeps a connected practice's appointments; all but `wait` inside the request's transaction.

    A `Problem` that is raised is the caller's answer, and nothing was noted.
    """

    def book(self, *, scope: Scope, asked: Asked, now: datetime) -> Outcome:
        """Have an appointment made."""

    def change(self, *, scope: Scope, asked: Asked, now: datetime) -> Outcome:
        """Have an appointment changed: time, clinician, service or place."""

    def cancel(self, *, scope: Scope, asked: Asked, now: datetime) -> Outcome:
        """Have an appointment cancelled; `values` may hold `reason`."""

    def wait(self, *, scope: Scope, write_id: str, seconds: float) -> Outcome:
        """See for so long at most what becomes of a write. Called outside of any transaction."""
