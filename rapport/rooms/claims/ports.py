"""What this room needs from outside. `rapport.connectors` supplies it; nothing here knows how."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Protocol, runtime_checkable
from uuid import UUID

from rapport.kernel.outcomes import Asked, Outcome

if TYPE_CHECKING:
    from rapport.platform.access.scope import Scope


@dataclass(frozen=True, slots=True)
class Sent:
    """The clearinghouse has the file."""

    receipt: str
    """What the clearinghouse calls the file; `find` answers the same, or what its list calls it."""
    reply: InboundFile | None = None
    """The answer to what was sent, where it came in the same call; it comes no other way."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The clearinghouse answered, and the answer was no. Nothing was sent on."""

    reason_code: str
    try_again: bool
    """True: the same file may pass later (too busy). False: it never will (bad login)."""
    detail: str
    """For the person who puts it right. Says nothing of what is in the file."""


@dataclass(frozen=True, slots=True)
class Later:
    """The file certainly did not arrive: nobody there, or too busy to take it. Send it again."""

    retry_after_seconds: int


@dataclass(frozen=True, slots=True)
class InDoubt:
    """
    No clear answer: a timeout, a broken connection, a reply nobody can read.

    The file may have arrived. Sending it again could bill the payer twice, so the claim
    waits until `find` or a person settles it.
    """

    detail: str


@dataclass(frozen=True, slots=True)
class Answered:
    """What came back to a question that is answered at once; whether it can be read is another question."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Held:
    """The clearinghouse has these very bytes."""

    receipt: str


@dataclass(frozen=True, slots=True)
class NotHeld:
    """The clearinghouse does not have it. Sending it again, as before, cannot make two of it."""


@dataclass(frozen=True, slots=True)
class InboundFile:
    """One file the clearinghouse has for us."""

    name: str
    """Unique at this clearinghouse."""
    kind: str
    """`TA1`, `999`, `277CA`, `277`, `271`, `835`, or `unknown`."""
    data: bytes


class Clearinghouse(Protocol):
    """
    The way to the payers.

    Never raises for what the other side did or failed to do: that is what the answers are for.
    An exception out of here is a defect in the connector. No call may be made inside a database
    transaction: each waits for somebody else, up to the connector's time limit.
    """

    def send(self, *, file: bytes, name: str, key: str) -> Sent | Refused | Later | InDoubt:
        """
        Hand over one file of claims (837P) or questions (270, 276).

        `name` and `key` belong to this file for good: a repeated send carries the same ones,
        so that the other side can recognise it. `name` is the batch's id (BHT03 of a file of one set) and
        what the sets are. Neither says anything about a patient.
        """
        ...

    def find(self, *, name: str, key: str, sha256: str) -> Held | NotHeld | InDoubt:
        """
        Ask whether a file arrived that was sent, or half sent, before.

        `sha256` is the hex digest of its bytes. `InDoubt` is the answer whenever absence cannot
        be proved.
        """
        ...

    def list_inbound(self, *, after: str) -> tuple[tuple[InboundFile, ...], str]:
        """
        The files behind a cursor, oldest first, and the cursor to ask with next time.

        The cursor is opaque, and "" begins at the beginning. Answers no files and the same
        cursor when there is nothing new or the clearinghouse cannot be reached. A long list
        comes in portions: ask on until a portion is empty.
        """
        ...


@runtime_checkable
class RealTime(Protocol):
    """A clearinghouse that also answers questions (270, 276) in the same call."""

    def ask(self, *, file: bytes, key: str) -> Answered | Refused | Later | InDoubt:
        """
        Hand over an interchange with one question, and wait for its answer.

        Where the clearinghouse knows a question by its key (`rules.ways.ASKED_AGAIN`), the same file may be handed over
        again: it asks nothing new. As in `Clearinghouse`
        nothing is raised for what the other side did, and no transaction is open.
        """
        ...


class Elsewhere(Protocol):
    """What the practice's other system asks of payers, so that nothing is asked twice."""

    def has_another(self, *, scope: Scope) -> bool:
        """Tell whether the practice has another system that may send claims."""
        ...

    def open_claim(
        self, *, scope: Scope, patient_id: UUID, payer_id: UUID, days: Sequence[date]
    ) -> str | None:
        """Return that system's id of a claim for this patient and payer on one of the days, if it has one."""
        ...


class SystemOfRecord(Protocol):
    """The system that a connected practice's claims are kept in, and leave from; all but `wait` inside the request's transaction."""

    def create(self, *, scope: Scope, asked: Asked, now: datetime) -> Outcome:
        """
        Have a claim made there, which then is ready and asks nobody yet.

        `values` are `appointment` (its id there), `patient` (as well) and `service_on`; by patient and day it is found again.
        """

    def submit(self, *, scope: Scope, asked: Asked, now: datetime) -> Outcome:
        """
        Have a claim that is ready submitted there. It cannot be taken back: nothing leaves before a person approves it.

        A `Problem` that is raised is the caller's answer, and nothing was noted.
        """

    def wait(self, *, scope: Scope, write_id: str, seconds: float) -> Outcome:
        """See for so long at most what becomes of a write. Called outside of any transaction."""
