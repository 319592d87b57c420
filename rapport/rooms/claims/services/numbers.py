"""
Numbers by which the outside names what is ours: opaque, and never used again.

A file's control numbers are counted up on the channel, under the lock of its row, in the transaction that freezes the file: who
is killed before it commits has sent nothing under them. They never go back, and are never used for anything else; gaps do no harm.
"""

from __future__ import annotations

import secrets

from rapport.kernel.problems import FieldError, Invalid
from rapport.platform.access.scope import Scope
from rapport.protocols.x12.envelope import Numbers
from rapport.rooms.claims import queries
from rapport.rooms.claims.models import Channel
from rapport.rooms.coverage.ports import NumbersUsedUp

_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LAST = 999_999_999
"""The largest number that ISA13 and GS06 hold."""
GAP = 1000
"""How far beyond a number that was seen outside the count goes on: more than what was sent since a backup."""
FAR = 1_000_000
"""An answer that names a number further ahead than this is wrong: it must not use the channel's numbers up."""


def control_number_of(prefix: str) -> str:
    """Return an opaque number: no time, no count, nothing of a patient. 80 random bits."""
    return prefix + "".join(secrets.choice(_LETTERS) for _ in range(16))


def require_left(channel: Channel) -> None:
    """:raises NumbersUsedUp: its next file would need a number that was used before"""
    if max(channel.last_interchange, channel.last_group) >= LAST:
        raise NumbersUsedUp("Add a channel with a sender id of its own: numbers are never used again.")


def take_numbers(channel: Channel) -> Numbers:
    """Return the next numbers, never given before. The caller holds the channel's lock. :raises NumbersUsedUp:"""
    require_left(channel)
    channel.last_interchange += 1
    channel.last_group += 1
    channel.save(update_fields=["last_interchange", "last_group"])
    return Numbers(channel.last_interchange, channel.last_group, 1)


def go_on_beyond(*, scope: Scope, channel: Channel, seen: int) -> None:
    """
    Count on beyond a number that the other side has seen and that was not given here.

    So it is when this database was restored from a copy older than what had been sent.
    """
    locked = queries.get_channel(scope=scope, channel_id=channel.id, lock=True)
    highest = max(locked.last_interchange, locked.last_group)
    if seen <= highest + FAR:
        _raise_to(locked, min(max(seen, highest) + GAP, LAST))


def set_last(channel: Channel, *, number: int) -> None:
    """Count on from a number that a person knows of. The caller saves. :raises Invalid: it would go back"""
    if number < max(channel.last_interchange, channel.last_group):
        raise Invalid(
            "1 field is not valid.", errors=(FieldError("/last_control_number", "lower-than-used"),)
        )
    channel.last_interchange = channel.last_group = number


def _raise_to(channel: Channel, number: int) -> None:
    channel.last_interchange = max(channel.last_interchange, number)
    channel.last_group = max(channel.last_group, number)
    channel.save(update_fields=["last_interchange", "last_group"])
