"""States of a connection, a challenge, a write and a run, and every move each can make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class ConnectionState(StrEnum):
    """How it stands with one portal account of a practice."""

    LINKING = "linking"
    """Nobody has signed in yet, or a person has just changed something."""
    HEALTHY = "healthy"
    DEGRADED = "degraded"
    """Signed in, and a part does not work; the rest goes on."""
    ATTENTION = "attention"
    """All stands still until somebody acts; the reason says who and what."""
    SUSPENDED = "suspended"
    """The practice paused it."""
    WITHDRAWN = "withdrawn"
    """The practice took its consent back. Final: another link is another connection."""


class Action(StrEnum):
    """What happens to a connection."""

    SIGNED_IN = "signed_in"
    BREAK = "break"
    MEND = "mend"
    NEED_SOMEBODY = "need_somebody"
    TRY_AGAIN = "try_again"
    SUSPEND = "suspend"
    RESUME = "resume"
    WITHDRAW = "withdraw"


@dataclass(frozen=True, slots=True)
class Move:
    """From which states, to which one."""

    sources: frozenset[ConnectionState]
    target: ConnectionState


def _move(*sources: ConnectionState, to: ConnectionState) -> Move:
    return Move(frozenset(sources), to)


S = ConnectionState
_LIVE = (S.LINKING, S.HEALTHY, S.DEGRADED, S.ATTENTION)

MOVES: Mapping[Action, Move] = MappingProxyType(
    {
        Action.SIGNED_IN: _move(S.LINKING, S.ATTENTION, to=S.HEALTHY),
        Action.BREAK: _move(S.HEALTHY, to=S.DEGRADED),
        Action.MEND: _move(S.DEGRADED, to=S.HEALTHY),
        Action.NEED_SOMEBODY: _move(*_LIVE, to=S.ATTENTION),
        Action.TRY_AGAIN: _move(*_LIVE, to=S.LINKING),
        Action.SUSPEND: _move(*_LIVE, to=S.SUSPENDED),
        Action.RESUME: _move(S.SUSPENDED, to=S.LINKING),
        Action.WITHDRAW: _move(*_LIVE, S.SUSPENDED, to=S.WITHDRAWN),
    }
)
"""Every move a connection can make."""

WORKS = frozenset({S.HEALTHY, S.DEGRADED})
"""Scheduled work is done."""
MAY_SIGN_IN = frozenset(_LIVE)
"""A sign-in may be tried, as far as breaker and budget let it."""


class ChallengeState(StrEnum):
    """What became of a second factor that a portal asked for."""

    OPEN = "open"
    ANSWERED = "answered"
    """A code is here and was not typed yet."""
    PASSED = "passed"
    FAILED = "failed"
    EXPIRED = "expired"


CHALLENGE_MOVES: Mapping[ChallengeState, frozenset[ChallengeState]] = MappingProxyType(
    {
        ChallengeState.OPEN: frozenset(
            {ChallengeState.ANSWERED, ChallengeState.PASSED, ChallengeState.FAILED, ChallengeState.EXPIRED}
        ),
        ChallengeState.ANSWERED: frozenset(
            {ChallengeState.OPEN, ChallengeState.PASSED, ChallengeState.FAILED, ChallengeState.EXPIRED}
        ),
        ChallengeState.PASSED: frozenset(),
        ChallengeState.FAILED: frozenset(),
        ChallengeState.EXPIRED: frozenset(),
    }
)
"""State -> states it can go to. OPEN follows ANSWERED where the portal asks for another code."""


class WriteState(StrEnum):
    """Where one write into a portal stands."""

    INTENDED = "intended"
    ARMED = "armed"
    """Looked up, checked, ready. The last point at which a crash is harmless."""
    SUBMITTED = "submitted"
    """Committed before the bytes leave: from here on it may have happened."""
    IN_DOUBT = "in_doubt"
    """No clear answer. Looked for, and never sent again."""
    ABSENT = "absent"
    """Looked for in complete lists, twice, and not there."""
    CONFIRMED = "confirmed"
    """Found again in the portal, as it was meant."""
    CONFLICTING = "conflicting"
    """The portal has something else in its place; nothing was overwritten."""
    REFUSED = "refused"
    """The portal, or a person here, said no. Nothing was written."""


W = WriteState

WRITE_MOVES: Mapping[WriteState, frozenset[WriteState]] = MappingProxyType(
    {
        W.INTENDED: frozenset({W.ARMED, W.CONFIRMED, W.CONFLICTING, W.REFUSED}),
        W.ARMED: frozenset({W.SUBMITTED, W.INTENDED, W.CONFIRMED, W.CONFLICTING, W.REFUSED}),
        W.SUBMITTED: frozenset({W.IN_DOUBT, W.INTENDED, W.CONFIRMED, W.CONFLICTING, W.REFUSED, W.ABSENT}),
        W.IN_DOUBT: frozenset({W.CONFIRMED, W.CONFLICTING, W.ABSENT}),
        W.ABSENT: frozenset({W.INTENDED, W.CONFIRMED}),
        W.CONFIRMED: frozenset(),
        W.CONFLICTING: frozenset(),
        W.REFUSED: frozenset(),
    }
)
"""State -> states it can go to. INTENDED follows SUBMITTED only where nothing left the house, and
ABSENT only where the portal was proved not to have it."""

OPEN_WRITES = (W.INTENDED, W.ARMED, W.SUBMITTED, W.IN_DOUBT)
"""Not settled: something remains to be done."""


class RunState(StrEnum):
    """What became of one reading of one kind of record."""

    RUNNING = "running"
    PUBLISHED = "published"
    """The mirror was brought up to it."""
    QUARANTINED = "quarantined"
    """Rows came, and were not believed: the mirror is as it was."""
    REFUSED = "refused"
    """No rows came, for a reason: the mirror is as it was."""


RUN_MOVES: Mapping[RunState, frozenset[RunState]] = MappingProxyType(
    {
        RunState.RUNNING: frozenset({RunState.PUBLISHED, RunState.QUARANTINED, RunState.REFUSED}),
        RunState.PUBLISHED: frozenset(),
        RunState.QUARANTINED: frozenset(),
        RunState.REFUSED: frozenset(),
    }
)
"""State -> states it can go to."""


class ExportState(StrEnum):
    """Where an export stands that was ordered to compare a list with."""

    ORDERED = "ordered"
    """The journal orders it."""
    PREPARING = "preparing"
    """The portal has it, its file is waited for."""
    FETCHED = "fetched"
    """The file is here; the list is to be read once more before the two are compared."""
    AGREES = "agrees"
    DIFFERS = "differs"
    UNREADABLE = "unreadable"
    """The file is kept, and could not be read as the list it should be."""
    FAILED = "failed"
    """It did not come; the next one is ordered on schedule."""


OPEN_EXPORTS = (ExportState.ORDERED, ExportState.PREPARING, ExportState.FETCHED)
"""Something remains to be done."""
