"""Which of our services each of a payer's is about. Nothing is guessed further than `rules.matching.HOW` says."""

from __future__ import annotations

from collections.abc import Sequence

from rapport.protocols.x12 import remit835 as x
from rapport.rooms.claims import queries as claims

from .reading import cents

Match = tuple[claims.LineFacts | None, str]


def match_services(payment: x.ClaimPayment, *, facts: claims.ClaimFacts | None) -> list[Match]:
    """
    Return for each service of a claim payment our line, and how it was found (a name of `HOW`).

    First by our own number of the line; then what is left by code, modifiers, day and charge, tolerant of
    modifiers; then where there is one of each; then in order. One of ours is never found twice. A number of ours
    beside a charge that is not is no sure match: what is booked would be more, or less, than what is owed.
    """
    if facts is None:
        return [(None, "unmatched")] * len(payment.lines)
    found: list[Match] = [(None, "unmatched")] * len(payment.lines)
    left = list(facts.lines)
    for place, line in enumerate(payment.lines):
        control = line.control.strip().upper()
        ours = next((one for one in left if control and one.control_number == control), None)
        if ours is not None:
            same = ours.charge_cents == _charged(payment, line)
            found[place] = ours, "line_control" if same else "line_control_charge"
            left.remove(ours)
    for place, line in enumerate(payment.lines):
        if found[place][0] is None:
            ours, how = _alike(payment, line, left)
            if ours is not None:
                found[place] = ours, how
                left.remove(ours)
    open_ = [place for place, (ours, _) in enumerate(found) if ours is None]
    charges = [_charged(payment, payment.lines[place]) for place in open_]
    if open_ and len(open_) == len(left) and charges == [one.charge_cents for one in left]:
        how = "only_line" if len(facts.lines) == len(payment.lines) == 1 else "order"
        for place, ours in zip(open_, left, strict=True):
            found[place] = ours, how
    return found


def _alike(payment: x.ClaimPayment, line: x.ServiceLine, left: Sequence[claims.LineFacts]) -> Match:
    """Return the one of ours with this code and day, the surest first; None where none or several are alike."""
    code, day = line.original_procedure or line.procedure, line.service_on or payment.service_on
    same = [one for one in left if one.service_code == code and (day is None or one.service_on == day)]
    charged = [one for one in same if one.charge_cents == _charged(payment, line)]
    exact = [one for one in charged if set(one.modifiers) == set(line.modifiers)]
    for ours, how in ((exact, "code_and_date"), (charged, "modifiers_differ"), (same, "code_and_day")):
        if len(ours) == 1:
            return ours[0], how
    return None, "unmatched"


def match_claim(payment: x.ClaimPayment, *, facts: claims.ClaimFacts | None) -> Match:
    """
    Return the line that a decision on a claim as a whole is booked with, and how it was found.

    Where services stand beside it, it is they that say what was charged.
    """
    if facts is None or not facts.lines:
        return None, "unmatched"
    same = bool(payment.lines) or sum(one.charge_cents for one in facts.lines) == _charged(payment, payment)
    return facts.lines[0], "claim" if same else "claim_charge"


def _charged(payment: x.ClaimPayment, one: x.ClaimPayment | x.ServiceLine) -> int:
    """Return what a payer says was charged, in cents: a reversal (22) names it below zero."""
    said = cents(one.charge)
    return -said if payment.status == "22" else said
