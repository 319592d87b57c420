"""The lives of a claim and of a submission, as data. Nothing here touches the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class ClaimState(StrEnum):
    """Where a claim is."""

    DRAFT = "draft"
    """Being put together, or it has findings that block it."""
    VALIDATED = "validated"
    """No finding blocks it; it can be sent."""
    HELD = "held"
    """Somebody holds it back, with a reason."""
    QUEUED = "queued"
    """Frozen into a submission that waits to be sent."""
    SENDING = "sending"
    """A worker is handing the file over at this moment."""
    UNKNOWN = "unknown"
    """A send ended without a clear answer: the file may or may not have arrived."""
    SUBMITTED = "submitted"
    """The clearinghouse has the file."""
    ACKNOWLEDGED = "acknowledged"
    """Its syntax was accepted (999), or the clearinghouse passed it on."""
    ACCEPTED = "accepted"
    """The payer has taken it into adjudication (277CA)."""
    REJECTED = "rejected"
    """Turned away before adjudication (TA1, 999 or 277CA); mend it and send it again."""
    PAID = "paid"
    """The payer has decided (835) and paid something, or owed nothing after adjustments."""
    DENIED = "denied"
    """The payer has decided (835) and paid nothing on any service."""
    VOIDED = "voided"
    """Withdrawn: before any payer had it, or by the payer, which was asked to (frequency 8)."""
    REPLACED = "replaced"
    """The payer took its decision back, because a later claim stands in its place (frequency 7)."""


class Action(StrEnum):
    """What can happen to a claim."""

    PASS = "pass"  # noqa: S105 - no password
    FAIL = "fail"
    HOLD = "hold"
    RELEASE = "release"
    QUEUE = "queue"
    UNQUEUE = "unqueue"
    CARRY = "carry"
    BEGIN_SEND = "begin_send"
    RECORD_SENT = "record_sent"
    RECORD_DOUBT = "record_doubt"
    RECORD_NOT_SENT = "record_not_sent"
    RECORD_REFUSED = "record_refused"
    ACKNOWLEDGE = "acknowledge"
    ACCEPT = "accept"
    REJECT = "reject"
    REOPEN = "reopen"
    REOPEN_SENT = "reopen_sent"
    TURN_UP = "turn_up"
    RETURN = "return"
    PAY = "pay"
    DENY = "deny"
    REVERSE = "reverse"
    VOID = "void"
    CANCEL = "cancel"
    REPLACE = "replace"
    REINSTATE = "reinstate"


@dataclass(frozen=True, slots=True)
class Move:
    """From which states an action leads to which."""

    sources: frozenset[ClaimState]
    target: ClaimState


def _move(*sources: ClaimState, to: ClaimState) -> Move:
    return Move(frozenset(sources), to)


S = ClaimState
_OUT = (S.SENDING, S.UNKNOWN, S.SUBMITTED, S.ACKNOWLEDGED)
"""A payer may hold it, and has not decided. An answer may overtake the note that it was sent."""

MOVES: Mapping[Action, Move] = MappingProxyType(
    {
        Action.PASS: _move(S.DRAFT, S.VALIDATED, to=S.VALIDATED),
        Action.FAIL: _move(S.DRAFT, S.VALIDATED, to=S.DRAFT),
        Action.HOLD: _move(S.DRAFT, S.VALIDATED, to=S.HELD),
        Action.RELEASE: _move(S.HELD, to=S.DRAFT),
        Action.QUEUE: _move(S.VALIDATED, to=S.QUEUED),
        Action.UNQUEUE: _move(S.QUEUED, to=S.VALIDATED),
        Action.CARRY: _move(S.QUEUED, to=S.SUBMITTED),
        Action.BEGIN_SEND: _move(S.QUEUED, to=S.SENDING),
        Action.RECORD_SENT: _move(S.SENDING, S.UNKNOWN, to=S.SUBMITTED),
        Action.RECORD_DOUBT: _move(S.SENDING, to=S.UNKNOWN),
        Action.RECORD_NOT_SENT: _move(S.SENDING, S.UNKNOWN, to=S.QUEUED),
        Action.RECORD_REFUSED: _move(S.SENDING, to=S.REJECTED),
        Action.ACKNOWLEDGE: _move(*_OUT, to=S.ACKNOWLEDGED),
        Action.ACCEPT: _move(*_OUT, to=S.ACCEPTED),
        Action.REJECT: _move(*_OUT, S.ACCEPTED, to=S.REJECTED),
        Action.REOPEN: _move(S.REJECTED, to=S.DRAFT),
        # A person says that no payer has what was sent, and can be wrong: then it turns up again.
        Action.REOPEN_SENT: _move(S.SUBMITTED, S.ACKNOWLEDGED, to=S.DRAFT),
        Action.TURN_UP: _move(S.DRAFT, S.VALIDATED, S.HELD, to=S.SUBMITTED),
        Action.RETURN: _move(*_OUT, to=S.VALIDATED),
        Action.PAY: _move(*_OUT, S.ACCEPTED, S.REJECTED, S.DENIED, S.PAID, to=S.PAID),
        Action.DENY: _move(*_OUT, S.ACCEPTED, S.REJECTED, S.PAID, S.DENIED, to=S.DENIED),
        Action.REVERSE: _move(S.PAID, S.DENIED, to=S.ACCEPTED),
        Action.CANCEL: _move(*_OUT, S.ACCEPTED, S.PAID, S.DENIED, to=S.VOIDED),
        Action.REPLACE: _move(S.ACCEPTED, S.PAID, S.DENIED, to=S.REPLACED),
        # What ended it was taken back with its file: it goes on where it was, which its history knows.
        Action.REINSTATE: _move(S.VOIDED, S.REPLACED, to=S.ACCEPTED),
        Action.VOID: _move(S.DRAFT, S.VALIDATED, S.HELD, S.REJECTED, to=S.VOIDED),
    }
)
"""Every move a claim can make. A state that is no move's source is final."""

SAID: Mapping[Action, str] = MappingProxyType(
    {
        Action.HOLD: "be held back", Action.RELEASE: "be let go", Action.VOID: "be withdrawn", Action.CARRY: "be carried",
        Action.QUEUE: "be submitted", Action.REOPEN_SENT: "be reopened", Action.PAY: "be paid", Action.DENY: "be denied",
        Action.REVERSE: "have a decision taken back", Action.CANCEL: "end as voided", Action.REPLACE: "be replaced",
    }
)  # fmt: skip
"""What a claim cannot, where a person's act or a payer's word meets it in another state."""

MAY_HOLD = frozenset({*_OUT, S.ACCEPTED, S.PAID, S.DENIED})
"""A payer may have the claim: it is never sent again as an original."""


DECIDED = frozenset({S.PAID, S.DENIED})
"""The payer has decided, and its decision stands: the claim can be replaced or voided."""

UNDECIDED = frozenset({*_OUT, S.ACCEPTED})
"""A payer may hold it, and has not decided."""


class SubmissionState(StrEnum):
    """Where one file is on its way out."""

    READY = "ready"
    """Frozen, waiting to be sent (for the first time or again)."""
    SENDING = "sending"
    """Committed before the socket opens: from here on it may have arrived."""
    IN_DOUBT = "in_doubt"
    """No clear answer. Asked about before anything is sent again."""
    SENT = "sent"
    """The clearinghouse has it."""
    REFUSED = "refused"
    """The clearinghouse said no, for good."""


SUBMISSION_MOVES: Mapping[SubmissionState, frozenset[SubmissionState]] = MappingProxyType(
    {
        SubmissionState.READY: frozenset({SubmissionState.SENDING, SubmissionState.SENT}),
        SubmissionState.SENDING: frozenset(
            {
                SubmissionState.SENT, SubmissionState.REFUSED, SubmissionState.IN_DOUBT,
                SubmissionState.READY,
            }
        ),
        SubmissionState.IN_DOUBT: frozenset({SubmissionState.SENT, SubmissionState.READY}),
        SubmissionState.SENT: frozenset(),
        SubmissionState.REFUSED: frozenset(),
    }
)  # fmt: skip
"""State -> states it can go to. READY follows SENDING and IN_DOUBT only where the other side is
known not to have the file; SENT follows READY only where a person carried it there."""


class BatchState(StrEnum):
    """Where a batch of claims is. What becomes of its file is the submission's state."""

    MAKING = "making"
    """Its claims are looked through and put into sets, set by set."""
    MADE = "made"
    """Its file is frozen, and on its way."""
    EMPTY = "empty"
    """None of its claims could be sent."""
    FAILED = "failed"
    """Its file would break the guide in a part that belongs to no claim: nothing was sent."""


class WorkKind(StrEnum):
    """Why something of a claim waits for a person."""

    REJECTED = "rejected"
    """An acknowledgement (TA1, 999, 277CA) turned it away."""
    REFUSED = "refused"
    """The clearinghouse refused its file."""
    FILING = "filing"
    """The payer's time limit is near, or past."""
    STATUS = "status"
    """The payer was asked what became of it, and did not answer, or its answer asks for somebody."""
    DOUBT = "doubt"
    """Nobody can tell whether its file arrived: the clearinghouse was asked, and could not say."""


class AttachmentState(StrEnum):
    """Where a paper that belongs to a claim is."""

    TO_SEND = "to_send"
    SENT = "sent"
    """A person says so: by the payer's portal, fax, mail or hand."""


class Outcome(StrEnum):
    """What became of one claim of a batch."""

    WAITING = "waiting"
    INCLUDED = "included"
    LEFT_OUT = "left_out"
