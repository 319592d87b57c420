"""What a payer allowed beside what its contract says: plain values, cents are whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from types import MappingProxyType
from typing import Any, NamedTuple

from .planning import CONTRACTUAL, NO_DECISION, denied_cents

LEFT_OUT: Mapping[str, str] = MappingProxyType(
    {
        "unmatched": "It was matched to none of our services.",
        "whole-claim": "The payer decided the claim as a whole, and says nothing of single services.",
        "reversal": "It takes a decision back.",
        "no-decision": "It was sent on to another payer, or only forecast.",
        "denied": "The payer denied or reduced it: it is among the denials.",
        "another-payer": "Another payer has paid before this one, so that its contract does not say what is left.",
        "multiple-procedures": "The payer reduced it because of another service of that day.",
        "no-contract": "No contracted rate of the payer is known for the service on that day.",
    }
)
"""Why a payer's decision is not compared with a contract."""
WITHHELD = frozenset({"104", "144", "161", "223", "237", "253"})
"""Reasons that take something off the payment, and leave what is allowed as it is: withholds, penalties, sequestration."""
LIVE = ("open", "disputed", "accepted", "recovered", "noted")
MOVES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "open": frozenset({"disputed", "accepted", "recovered"}),
        "disputed": frozenset({"open"}),
        "accepted": frozenset({"open", "disputed"}),
        "recovered": frozenset({"open", "disputed"}),
    }
)
"""Where a person brings an underpayment -> from where. `noted` (too much was allowed) and `withdrawn` are no person's."""


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far from its contract a payer may be before somebody looks: the larger of both."""

    cents: int
    percent: int
    """Of what the contract says."""


class Compared(NamedTuple):
    """One decision beside the contract."""

    left_out: str = ""
    """A name of `LEFT_OUT`; empty: it was compared, and the rest says how."""
    expected_cents: int = 0
    """The contracted rate times the units, at most the charge."""
    allowed_cents: int = 0
    """What the payer allowed: its own part and the patient's together."""
    stated: bool = False
    """The payer says what it allowed (AMT*B6); else it was worked out of charge and adjustments."""
    rule: str = ""
    """Which contracted rate, in words."""

    @property
    def difference_cents(self) -> int:
        """What is missing; below zero: more than the contract says."""
        return self.expected_cents - self.allowed_cents


def reason_to_leave_out(
    *, status: str, position: int, matched: bool, modifiers: Sequence[str], adjustments: Sequence[Mapping[str, Any]]
) -> str:
    """
    Return why a decision is not compared, as far as it says so itself; empty: it can be.

    >>> reason_to_leave_out(status="1", position=1, matched=True, modifiers=(), adjustments=[{"group": "OA", "reason": "23", "cents": 1, "plan": "inform"}])
    'another-payer'
    """
    if not matched:
        return "unmatched"
    if not position:
        return "whole-claim"
    if status == "22":
        return "reversal"
    if status in NO_DECISION:
        return "no-decision"
    reasons = {one["reason"] for one in adjustments}
    if status in ("2", "3", "20", "21") or "23" in reasons:
        return "another-payer"
    if "59" in reasons or "51" in modifiers:
        return "multiple-procedures"
    if status == "4" or denied_cents(adjustments) > 0:
        return "denied"
    return ""


def allowed_of(
    *, charge_cents: int, paid_cents: int, said_cents: int | None, adjustments: Sequence[Mapping[str, Any]]
) -> tuple[int, bool]:
    """
    Return what a payer allowed, and whether it says so itself.

    Some send zero where they say nothing: what is below the payment is not taken for an allowed amount.

    >>> allowed_of(charge_cents=18000, paid_cents=9000, said_cents=None, adjustments=[{"reason": "45", "cents": 7000, "plan": "contractual"}])
    (11000, False)
    """
    if said_cents is not None and said_cents >= paid_cents and said_cents > 0:
        return said_cents, True
    off = sum(
        one["cents"] for one in adjustments if one["plan"] == CONTRACTUAL and one["reason"] not in WITHHELD
    )
    return charge_cents - off, False


def expected_of(*, rate_cents: int, units: int, charge_cents: int) -> int:
    """Return what a contract makes of a service: no payer allows more than it was asked for."""
    return min(rate_cents * units, charge_cents)


def beyond(compared: Compared, *, tolerance: Tolerance) -> bool:
    """
    Tell whether a payer was further from its contract than the practice lets pass, up or down.

    >>> beyond(Compared(expected_cents=12000, allowed_cents=11800), tolerance=Tolerance(100, 2))
    False
    """
    missing = abs(compared.difference_cents)
    if compared.left_out or missing <= tolerance.cents:
        return False
    share = (Decimal(compared.expected_cents) * tolerance.percent / 100).quantize(Decimal(1), ROUND_HALF_UP)
    return missing > int(share)
