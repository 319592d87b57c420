"""What a practice lets post itself: plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Policy:
    """As `PostingPolicy`, whose docstrings say what each member means. These are the values of a practice that set none."""

    automatic: bool = True
    least_confidence: str = "strong"
    denials: bool = True
    takebacks: bool = True
    provider_adjustments: bool = True
    unmatched_to_clearing: bool = False
    most_cents: int | None = None
    appeal_days: int = 90
    tolerance_cents: int = 100
    tolerance_percent: int = 0
    overrides: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stop:
    """One reason why a file waits for a person."""

    rule: str
    message: str


DAYS_AHEAD = timedelta(days=31)
"""A payer names the day on which its money arrives: some days ahead is usual, more is a slip of the pen."""

STOPS: Mapping[str, str] = {
    "unmatched": "A service or claim was not matched to one of ours.",
    "no-decision": "A claim was sent on to another payer, or only forecast: nothing was decided.",
    "same-trace": "Another remittance has this payer and number.",
    "paid-before": "A service was decided before, and not reversed.",
    "reversal-unknown": "A reversal takes back what was never posted here like that.",
    "negative-check": "The check is below zero.",
    "dated-ahead": "The check is dated more than 31 days ahead.",
    "provider-adjustment-unknown": "Money of no claim has a code that the list does not know.",
    "policy-by-hand": "The practice posts every file by hand.",
    "policy-confidence": "A service was matched less surely than the practice asks for.",
    "policy-denial": "A service was denied or reduced; the practice looks at those first.",
    "policy-takeback": "A payment is taken back; the practice looks at those first.",
    "policy-provider-adjustment": "There is money of no claim; the practice looks at that first.",
    "policy-amount": "The check is above the practice's limit.",
}
"""Rule -> what a person is told. The first eight hold in every practice; the rest are its policy."""
