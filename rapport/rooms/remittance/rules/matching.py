"""How a payer's service was found among ours, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

CONFIDENCES = ("none", "weak", "strong", "exact")
"""From the least to the most."""


@dataclass(frozen=True, slots=True)
class How:
    """One way of matching."""

    confidence: str
    reason: str
    """In a person's words."""


HOW: Mapping[str, How] = MappingProxyType(
    {
        "line_control": How("exact", "The payer returned our number of the line."),
        "by_hand": How("exact", "A person matched it."),
        "claim": How("strong", "The payer decided the claim as a whole."),
        "code_and_date": How("strong", "Code, modifiers, day and charge are ours."),
        "modifiers_differ": How("strong", "Code, day and charge are ours; the payer left modifiers out or changed them."),
        "only_line": How("strong", "The claim has one service of this charge, and the payer decided one."),
        "code_and_day": How("weak", "Code and day are ours; the charge is another."),
        "line_control_charge": How("weak", "The payer returned our number of the line; the charge is another."),
        "claim_charge": How("weak", "The payer decided the claim as a whole; its charge is another."),
        "order": How("weak", "As many services as ours, with the same charges in the same order."),
        "unmatched": How("none", "No claim or service of ours was found."),
    }
)  # fmt: skip
"""Every way, by the name that a line has it by."""


def confidence_of(how: str) -> str:
    """Return `exact`, `strong`, `weak` or `none`."""
    return HOW[how].confidence


def below(how: str, least: str) -> bool:
    """Tell whether a match is less sure than asked for.

    >>> below("order", "strong"), below("line_control", "exact")
    (True, False)
    """
    return CONFIDENCES.index(confidence_of(how)) < CONFIDENCES.index(least)
