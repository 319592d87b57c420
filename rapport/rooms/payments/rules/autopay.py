"""What AutoPay charges, and when: pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

LEAST_CENTS = 50
"""Less than that is charged to no card: processors refuse it."""


@dataclass(frozen=True, slots=True)
class Owed:
    """What a patient owes for one visit."""

    visit: str
    """The appointment's id; `None` as text where it is of no visit."""
    cents: int
    undecided: bool
    """A payer is still asked for something of this visit."""
    is_fee: bool
    """It is a fee for a missed visit, not care."""


def due(owed: Iterable[Owed], *, copays: bool, health_account: bool, left_to_people: set[str]) -> list[Owed]:
    """
    Return what may be planned.

    :param copays: also before the payer has decided
    :param health_account: the card pays care only
    :param left_to_people: visits that a person cancelled, or that were given up
    """
    return [
        one
        for one in owed
        if (copays or not one.undecided)
        and not (health_account and one.is_fee)
        and one.visit not in left_to_people
    ]


def share(owed: Sequence[Owed], most_cents: int) -> list[tuple[str, int]]:
    """
    Return what is charged for which visit, in the order given, no more in all than the limit.

    >>> share([Owed("a", 700, False, False), Owed("b", 500, False, False)], 1000)
    [('a', 700), ('b', 300)]
    >>> share([Owed("a", 700, False, False)], 49)
    []
    """
    parts: list[tuple[str, int]] = []
    left = most_cents
    for one in owed:
        part = min(left, one.cents)
        if part > 0:
            parts.append((one.visit, part))
            left -= part
    return parts if sum(part for _, part in parts) >= LEAST_CENTS else []


def leaves_on(today: date, *, notice_days: int, day_of_month: int | None) -> date:
    """
    Return the day a charge that is planned today leaves.

    >>> leaves_on(date(2026, 1, 30), notice_days=3, day_of_month=None).isoformat()
    '2026-02-02'
    >>> leaves_on(date(2026, 12, 14), notice_days=3, day_of_month=15).isoformat()
    '2027-01-15'
    """
    first = today + timedelta(days=notice_days)
    if day_of_month is None:
        return first
    if first.day <= day_of_month:
        return first.replace(day=day_of_month)
    following = first.replace(day=28) + timedelta(days=4)
    return following.replace(day=day_of_month)
