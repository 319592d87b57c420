"""What the roster needs of the system that a connected practice's patients are kept in."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from rapport.kernel.outcomes import Asked, Outcome

if TYPE_CHECKING:
    from rapport.platform.access.scope import Scope


class SystemOfRecord(Protocol):
    """
    Keeps a connected practice's patients; all but `wait` inside the request's transaction.

    A `Problem` that is raised is the caller's answer, and nothing was noted. Values are `first_name,
    middle_name, last_name, suffix, preferred_name, pronouns, birth_on, sex, email, phone, status, clinician,
    address_line1, address_line2, city, state, postal_code, external_ids`; an empty text empties a field.
    """

    def add(self, *, scope: Scope, asked: Asked, now: datetime) -> Outcome:
        """Have a patient added; one who is there already, with the same name and day of birth, is found."""

    def change(self, *, scope: Scope, asked: Asked, now: datetime) -> Outcome:
        """Have what differs changed. :raises FieldNotAtSource: that system has no place for a field"""

    def wait(self, *, scope: Scope, write_id: str, seconds: float) -> Outcome:
        """See for so long at most what becomes of a write. Called outside of any transaction."""
