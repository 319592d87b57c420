"""Which of the codes in a mailbox belongs to a challenge. Plain values, no clock of its own."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from rapport.rooms.exchange.ports import CodeFound, MailMark

NEW_WITHIN = timedelta(seconds=4)
"""So long after the challenge a new code may be under way, and no older one is used."""
CLOCKS = timedelta(seconds=2)
"""What the mail server's clock may be off by, where its numbers do not tell."""


def choose(
    found: Sequence[CodeFound], *, mark: MailMark | None, issued_at: datetime, good_for: timedelta,
    spent: Collection[tuple[int, int]], now: datetime,
) -> CodeFound | None:
    """
    Return the code to type, or None: wait.

    One that came after the challenge is taken at once, the newest. An older one that nobody used is taken
    only when none has come in time: some portals send none while that one is alive.

    :param mark: where the mailbox stood before the sign-in began; None: nobody looked
    :param good_for: life of a code
    :param spent: validity and number of mails whose codes were typed
    """
    free = [one for one in found if (one.validity, one.uid) not in spent and one.arrived_at > now - good_for]
    new = [one for one in free if _is_new(one, mark, issued_at)]
    if new:
        return max(new, key=_order)
    if now < issued_at + NEW_WITHIN:
        return None
    return max(free, key=_order, default=None)


def _is_new(one: CodeFound, mark: MailMark | None, issued_at: datetime) -> bool:
    if mark is not None and mark.validity == one.validity:
        return one.uid >= mark.next_uid
    return one.arrived_at >= issued_at - CLOCKS


def _order(one: CodeFound) -> tuple[datetime, int]:
    return one.arrived_at, one.uid
