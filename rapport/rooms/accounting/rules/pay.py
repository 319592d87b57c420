"""What a clinician earns by their rule: pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rapport.kernel.money import Money, portion
from rapport.rooms.accounting.states import PayBasis


@dataclass(frozen=True, slots=True)
class Visit:
    """What happened to the money of one visit in a period, in cents."""

    code: str
    charged_cents: int
    """What was charged; below zero: a charge was taken back."""
    collected_cents: int
    """What was paid for it; below zero: it was taken back."""


@dataclass(frozen=True, slots=True)
class Rule:
    """How a clinician is paid."""

    basis: PayBasis
    basis_points: int
    per_code: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Earned:
    """What the visits of one code come to."""

    code: str
    visits: int
    """Visits charged in the period, less those taken back."""
    charged_cents: int
    collected_cents: int
    pay_cents: int


def earned(visits: Iterable[Visit], rule: Rule | None) -> list[Earned]:
    """
    Return what visits earn, code by code: a fixed amount for each visit charged, where the rule has one for its
    code, else the percentage of all that was charged or collected for the code, rounded once.

    :param rule: None: nothing was agreed, and nothing is earned
    """
    by_code: dict[str, list[int]] = {}
    for visit in visits:
        sums = by_code.setdefault(visit.code, [0, 0, 0])
        sums[0] += (visit.charged_cents > 0) - (visit.charged_cents < 0)
        sums[1] += visit.charged_cents
        sums[2] += visit.collected_cents
    return [
        Earned(code, count, charged, collected, _pay(rule, code, count, charged, collected))
        for code, (count, charged, collected) in sorted(by_code.items())
    ]


def _pay(rule: Rule | None, code: str, count: int, charged: int, collected: int) -> int:
    if rule is None:
        return 0
    if code in rule.per_code:
        return count * rule.per_code[code]
    base = charged if rule.basis is PayBasis.BILLED else collected
    return portion(Money(base), rule.basis_points)[0].cents
