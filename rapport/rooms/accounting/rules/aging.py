"""How long something has been owed: pure."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from datetime import date

LIMITS = (30, 60, 90, 120)
"""Days of the buckets: 0 to 30, 31 to 60, 61 to 90, 91 to 120, and more."""


def bucket_of(days: int) -> int:
    """
    Return which bucket a debt of so many days is in; what is not old yet is in the first.

    >>> [bucket_of(days) for days in (-3, 0, 30, 31, 120, 121)]
    [0, 0, 0, 1, 3, 4]
    """
    return next((place for place, limit in enumerate(LIMITS) if days <= limit), len(LIMITS))


@dataclass(frozen=True, slots=True)
class Debt:
    """What is open for one visit; below zero: more was paid than owed."""

    group: Hashable
    service_on: date
    cents: int


@dataclass(slots=True)
class Aged:
    """What is owed by one group, by age; what was paid too much stands apart, since it pays for nothing else."""

    buckets: list[int] = field(default_factory=lambda: [0] * (len(LIMITS) + 1))
    overpaid_cents: int = 0


def aged(debts: Iterable[Debt], *, as_of: date) -> dict[Hashable, Aged]:
    """Add up debts by group and by how old they are at the end of a day."""
    groups: dict[Hashable, Aged] = {}
    for debt in debts:
        group = groups.setdefault(debt.group, Aged())
        if debt.cents < 0:
            group.overpaid_cents -= debt.cents
        else:
            group.buckets[bucket_of((as_of - debt.service_on).days)] += debt.cents
    return groups
