"""Which deposit of the bank is which check of a payer: plain values in, pairs out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

DAYS = 7
"""How far apart payer's day and bank's day may lie where the amount alone tells."""


@dataclass(frozen=True, slots=True)
class Money:
    """A check of a payer, or a deposit of the bank."""

    id: UUID
    trace: str
    cents: int
    on: date


@dataclass(frozen=True, slots=True)
class Pair:
    """A check and the deposit that it is."""

    check_id: UUID
    deposit_id: UUID
    how: str
    """`by_hand`, `trace`, `amount_and_day`, or `trace_only`: the amounts differ, and a person looks."""


def pairs(
    checks: Sequence[Money], deposits: Sequence[Money], *, by_hand: Mapping[UUID, UUID]
) -> list[Pair]:
    """
    Return which deposit is which check. Each is in one pair at most; nothing is guessed where two would fit.

    By hand first, then by number and amount, then by number alone, then by amount within some days of deposits
    that carry no number.

    :param by_hand: deposit -> check

    >>> one, two = UUID(int=1), UUID(int=2)
    >>> day = date(2026, 11, 5)
    >>> [pair.how for pair in pairs([Money(one, "00123", 5, day)], [Money(two, "123", 5, day)], by_hand={})]
    ['trace']
    """
    found = [Pair(check, deposit, "by_hand") for deposit, check in by_hand.items()]
    left = [one for one in checks if one.id not in by_hand.values()]
    open_ = [one for one in deposits if one.id not in by_hand]
    for how, fits in (
        ("trace", lambda c, d: bool(_bare(c.trace)) and _bare(c.trace) == _bare(d.trace) and c.cents == d.cents),
        ("trace_only", lambda c, d: bool(_bare(c.trace)) and _bare(c.trace) == _bare(d.trace)),
        ("amount_and_day", lambda c, d: not d.trace and c.cents == d.cents and abs((c.on - d.on).days) <= DAYS),
    ):  # fmt: skip
        for deposit in list(open_):
            same = [one for one in left if fits(one, deposit)]
            rivals = [one for one in open_ if len(same) == 1 and fits(same[0], one)]
            if len(same) == 1 and len(rivals) == 1:
                found.append(Pair(same[0].id, deposit.id, how))
                left.remove(same[0])
                open_.remove(deposit)
    return found


def _bare(trace: str) -> str:
    """Return a number as both sides write it: no zeros before it, no case."""
    return trace.strip().upper().lstrip("0")
