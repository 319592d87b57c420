"""What scheduling needs of the system that a connected practice's calendar is kept in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from rapport.kernel.outcomes import Asked, Outcome

if TYPE_CHECKING:
    from rapport.platform.access.scope import Scope


@dataclass(frozen=True, slots=True)
class PaidBy:
    """What a room above knows of who pays for an appointment."""

    warnings: Sequence[tuple[str, str]]
    """Code and message of each."""
    eligibility: bytes | None
    """JSON of `schemas.EligibilityRef`; None: nothing is known, or it is not for this actor."""


class SystemOfRecord(Protocol):
    """
    Keeps a connected practice's appointments; all but `wait` inside the request's transaction.

    A `Problem` that is raised is the caller's answer, and nothing was noted. Values are `patient, clinician,
    start_local, duration_minutes, service_code, location, telehealth, external_ids`, whole.
    """

    def book(self, *, scope: Scope, asked: Asked, now: datetime) -> Outcome:
        """Have an appointment made."""

    def change(self, *, scope: Scope, asked: Asked, now: datetime) -> Outcome:
        """Have an appointment changed: time, clinician, service or place; or, alone, its `status`."""

    def cancel(self, *, scope: Scope, asked: Asked, now: datetime) -> Outcome:
        """Have an appointment cancelled; `values` may hold `reason`."""

    def wait(self, *, scope: Scope, write_id: str, seconds: float) -> Outcome:
        """See for so long at most what becomes of a write. Called outside of any transaction."""
