"""The life of a telehealth session, as data. Nothing here touches the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType


class SessionState(StrEnum):
    """Where a session stands."""

    SCHEDULED = "scheduled"
    """Not begun. From `opens_at` on the patient may wait in front of it."""
    OPEN = "open"
    """The host is in; the patient may enter."""
    ENDED = "ended"
    """The host has closed it."""
    CANCELLED = "cancelled"
    """The appointment was called off, missed, or moved to a place."""


class Action(StrEnum):
    """What can be done to a session."""

    START = "start"
    END = "end"
    CANCEL = "cancel"
    RENEW = "renew"
    """The appointment was reopened, or is telehealth again."""


@dataclass(frozen=True, slots=True)
class Move:
    """An action's possible origins, and where it leads."""

    sources: frozenset[SessionState]
    target: SessionState


S = SessionState

MOVES: Mapping[Action, Move] = MappingProxyType(
    {
        Action.START: Move(frozenset({S.SCHEDULED, S.ENDED}), S.OPEN),
        Action.END: Move(frozenset({S.SCHEDULED, S.OPEN}), S.ENDED),
        Action.CANCEL: Move(frozenset({S.SCHEDULED, S.OPEN, S.ENDED}), S.CANCELLED),
        Action.RENEW: Move(frozenset({S.CANCELLED, S.ENDED}), S.SCHEDULED),
    }
)
"""Every move a session can make. A host who dropped out may start it again."""

OPENS_BEFORE = timedelta(minutes=15)
"""How long before the start people may come."""
CLOSES_AFTER = timedelta(minutes=60)
"""How long after the end the links still open the session."""
