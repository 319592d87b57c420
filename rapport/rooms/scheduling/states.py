"""The life of an appointment, as data. Nothing here touches the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class AppointmentStatus(StrEnum):
    """Where an appointment stands."""

    BOOKED = "booked"
    """Agreed; the clinician's time is taken."""
    CHECKED_IN = "checked_in"
    """The patient is here, or in the waiting room."""
    COMPLETED = "completed"
    """It took place, and may be noted and billed. Its facts are frozen."""
    CANCELLED = "cancelled"
    """Called off in time, by either side."""
    LATE_CANCELLED = "late_cancelled"
    """Called off too late; the practice's fee may apply."""
    NO_SHOW = "no_show"
    """The patient did not come."""


class GroupSessionStatus(StrEnum):
    """Where a meeting of a group stands."""

    BOOKED = "booked"
    """It takes the clinician's time, whoever of its members comes."""
    CANCELLED = "cancelled"
    """Called off for everybody."""


class Action(StrEnum):
    """What can be done to an appointment."""

    CHECK_IN = "check_in"
    COMPLETE = "complete"
    CANCEL = "cancel"
    CANCEL_LATE = "cancel_late"
    MARK_NO_SHOW = "mark_no_show"
    REOPEN = "reopen"
    """Take a check-in, an outcome or a cancellation back; the slot must still be free."""
    RESCHEDULE = "reschedule"
    """Another time or clinician; the same appointment."""
    CHANGE = "change"
    """Another service, place or means."""


@dataclass(frozen=True, slots=True)
class Move:
    """An action's possible origins, and where it leads; None: it stays where it is."""

    sources: frozenset[AppointmentStatus]
    target: AppointmentStatus | None


S = AppointmentStatus


def _move(*sources: AppointmentStatus, to: AppointmentStatus | None) -> Move:
    return Move(frozenset(sources), to)


MOVES: Mapping[Action, Move] = MappingProxyType(
    {
        Action.CHECK_IN: _move(S.BOOKED, to=S.CHECKED_IN),
        Action.COMPLETE: _move(S.BOOKED, S.CHECKED_IN, to=S.COMPLETED),
        Action.CANCEL: _move(S.BOOKED, S.CHECKED_IN, to=S.CANCELLED),
        Action.CANCEL_LATE: _move(S.BOOKED, S.CHECKED_IN, to=S.LATE_CANCELLED),
        Action.MARK_NO_SHOW: _move(S.BOOKED, to=S.NO_SHOW),
        Action.REOPEN: _move(
            S.CHECKED_IN, S.COMPLETED, S.CANCELLED, S.LATE_CANCELLED, S.NO_SHOW, to=S.BOOKED
        ),
        Action.RESCHEDULE: _move(S.BOOKED, to=None),
        Action.CHANGE: _move(S.BOOKED, S.CHECKED_IN, to=None),
    }
)
"""Every move an appointment can make."""

OUTCOMES = frozenset({Action.COMPLETE, Action.MARK_NO_SHOW})
"""What can be said of an appointment only once it has begun."""

BUSY = (S.BOOKED, S.CHECKED_IN, S.COMPLETED)
"""States in which the clinician's time is taken; as in the exclusion constraint."""

SEATED = (*BUSY, S.NO_SHOW)
"""States in which a member has a place in a session of a group; as in the trigger that counts them."""


def allowed(status: AppointmentStatus) -> list[Action]:
    """Return what can be done in a state, in the order of `Action`."""
    return [action for action, move in MOVES.items() if status in move.sources]
