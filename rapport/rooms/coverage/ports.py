"""What coverage needs of rooms above it; they supply it when they are loaded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from rapport.kernel.problems import Conflict

if TYPE_CHECKING:
    from rapport.platform.access.scope import Scope


@dataclass(frozen=True, slots=True)
class Asked:
    """That a payer was, or is to be, asked for a visit."""

    appointment_id: UUID
    payer_id: UUID
    decision: str
    """`open`, `paid` or `denied`."""
    authorization_id: UUID | None
    """The authorisation that the claim names."""


class Claims(Protocol):
    """Who knows what payers were asked for."""

    def asked_for(self, *, scope: Scope, appointment_ids: Sequence[UUID]) -> list[Asked]:
        """Return what payers are asked for these visits by claims that stand."""
        ...


class NumbersUsedUp(Conflict):
    """A channel cannot carry one more file."""

    code = "control-numbers-used-up"
    title = "The channel has no control number left."


@dataclass(frozen=True, slots=True)
class Answered:
    """What the payer sent back; whether it can be read is another question."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Refused:
    """The clearinghouse answered, and the answer was no. The payer was not asked."""

    reason_code: str


@dataclass(frozen=True, slots=True)
class Later:
    """The payer was certainly not asked: nobody there, or too busy."""

    retry_after_seconds: int


@dataclass(frozen=True, slots=True)
class InDoubt:
    """No clear answer: the payer may have been asked. `Inquiries.asks_again` says whether it may be handed over again."""

    detail: str


@dataclass(frozen=True, slots=True)
class Way:
    """How a payer is asked."""

    channel_id: UUID
    by_file: bool
    """True: many questions in a file, whose answers come as files; False: one, answered in the same call."""


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where a file of questions is."""

    state: str
    """`ready`, `sending`, `in_doubt`, `sent` or `refused`."""
    retry_at: datetime | None
    """Before which it is not handed over, or asked for, again."""
    last_code: str
    """Why it is not sent; empty: it is, or was not tried yet."""


class Inquiries(Protocol):
    """The way to the payers for questions. Claims, which has the channels, supplies it."""

    def way(self, *, scope: Scope, asked_by: str) -> Way | None:
        """
        Return how a payer is to be asked; None: the practice has no channel for it.

        :param asked_by: `at_once`, `file`, or empty: at once where a channel can, else by file
        """
        ...

    def hand_in(
        self, *, scope: Scope, channel_id: UUID, id: UUID, segments: Sequence[str], reference: str,
        substitutions: int, now: datetime,
    ) -> bool:  # fmt: skip
        """
        Freeze a file of questions under an id, and have it sent as claims are: once, whatever befalls.

        Called inside the transaction that notes what it asks. What comes back is brought to `receive_answers`
        and `refuse_file`.

        :return: False: the channel is out of use, and nothing was made
        :raises NumbersUsedUp: the channel has no number left
        """
        ...

    def whereabouts(self, *, scope: Scope, ids: Sequence[UUID]) -> Mapping[UUID, Whereabouts]:
        """Return where files of questions are."""
        ...

    def envelope(
        self, *, scope: Scope, channel_id: UUID, kind: str, segments: Iterable[str], at: datetime
    ) -> bytes:
        """Return an interchange with these segments of one transaction set, and numbers that are never used again."""
        ...

    def asks_again(self, *, scope: Scope, channel_id: UUID) -> bool:
        """
        Tell whether a question of which nobody can say whether it arrived may be handed over again.

        True: the other side knows it by its key, and it asks nothing new. False: it would be another question,
        which may cost again.
        """
        ...

    def ask(
        self, *, scope: Scope, channel_id: UUID, file: bytes, key: str
    ) -> Answered | Refused | Later | InDoubt:
        """
        Hand the file over and wait for the answer. Called outside of any transaction.

        Never raises for what the other side did or failed to do.
        """
        ...
