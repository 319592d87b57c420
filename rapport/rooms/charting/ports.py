"""What charting needs of the system that a connected practice's notes are kept in."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from rapport.kernel.outcomes import Asked, Outcome

if TYPE_CHECKING:
    from rapport.platform.access.scope import Scope


class SystemOfRecord(Protocol):
    """
    Keeps a connected practice's notes; `addend` inside the request's transaction.

    A `Problem` that is raised is the caller's answer, and nothing was noted.
    """

    def addend(self, *, scope: Scope, asked: Asked, now: datetime) -> Outcome:
        """Have `body` added to the signed note that `remote_id` names; the note itself stays as it is."""

    def wait(self, *, scope: Scope, write_id: str, seconds: float) -> Outcome:
        """See for so long at most what becomes of a write. Called outside of any transaction."""
