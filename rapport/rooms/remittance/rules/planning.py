"""
What is done about each adjustment: plain values in, a plan and the rule that gave it out.

CO-45 and its like are contractual: taken off. PR moves to the patient, once no further payer is asked for it. Every other CO or PI is a
denial or a reduction that a person looks at: it is never written off by itself and stays with
the payer's receivable. OA informs. A practice overrides single reasons in its posting policy; what
no override does is to write a denial off.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .carc import kind_of

CONTRACTUAL, PATIENT, REVIEW, INFORM = "contractual", "patient", "review", "inform"
NEXT_PAYER = "next_payer"
"""What is left to the patient waits with the plans: a further payer is asked for it first."""
NO_DECISION = frozenset({"23", "25"})
"""CLP02 of what is no decision on a payment: sent on to another payer, or a forecast."""
ALLOWED: Mapping[str, frozenset[str]] = {
    "CO": frozenset({CONTRACTUAL, REVIEW, INFORM}), "PI": frozenset({CONTRACTUAL, REVIEW, INFORM}),
    "PR": frozenset({PATIENT, REVIEW, INFORM}), "OA": frozenset({CONTRACTUAL, REVIEW, INFORM}),
}  # fmt: skip
"""Group -> what a practice may have done with a reason: CO and PI are never the patient's to pay."""


def plan_for(group: str, reason: str) -> str:
    """
    Return `contractual`, `patient`, `review` or `inform`, where a practice says nothing else.

    >>> plan_for("CO", "45"), plan_for("PR", "3"), plan_for("CO", "197"), plan_for("OA", "23")
    ('contractual', 'patient', 'review', 'inform')
    """
    if group == "PR":
        return PATIENT
    if group == "CO" and kind_of(reason).name == "contract":
        return CONTRACTUAL
    return INFORM if group == "OA" else REVIEW


def planned(
    adjustments: Sequence[Mapping[str, Any]], *, status: str, paid_cents: int, overrides: Mapping[str, str],
    further: bool = False,
) -> list[dict[str, Any]]:  # fmt: skip
    """
    Return a service's adjustments, each with its `plan` and the `rule` that gave it.

    Rules: `list` (the default above), `practice` (its override), `denied` (would be written off, but
    the payer denied the service or left nothing of it to anybody: a person looks), `by_hand` (a person
    has said so, and that stays), `next_payer` (the patient's, were there no further payer). `up_to_open` adds `open`.

    :param overrides: `CO-97` -> plan
    :param further: another payer is asked for what this one leaves to the patient
    """
    patient_cents = sum(a["cents"] for a in adjustments if a["group"] == "PR")
    after_another = any(a["reason"] == "23" for a in adjustments)
    denied = status == "4" or (paid_cents == 0 and patient_cents == 0 and not after_another)
    found = []
    for one in adjustments:
        plan, rule = plan_for(one["group"], one["reason"]), "list"
        if (said := overrides.get(f"{one['group']}-{one['reason']}")) is not None:
            plan, rule = said, "practice"
        if plan == CONTRACTUAL and denied:
            plan, rule = REVIEW, "denied"
        if plan == PATIENT and further:
            plan, rule = NEXT_PAYER, "next_payer"
        if one.get("rule") == "by_hand":
            plan, rule = one["plan"], "by_hand"
        found.append({name: value for name, value in one.items() if name != "booked"} | {"plan": plan, "rule": rule})
    return found


def as_decided(
    adjustments: Sequence[Mapping[str, Any]], decision: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return a reversal's adjustments with what was done about those that it takes back (rule `as_decided`)."""
    left = list(decision)
    found = []
    for one in adjustments:
        mate = next(
            d for d in left
            if (d["group"], d["reason"], -d["cents"]) == (one["group"], one["reason"], one["cents"])
        )  # fmt: skip
        left.remove(mate)
        found.append({**one, "plan": mate["plan"], "rule": "as_decided"})
        if "booked" in mate:
            found[-1]["booked"] = -mate["booked"]
    return found


def booked(adjustment: Mapping[str, Any]) -> int:
    """Return what of an adjustment is booked, where its plan books anything: its amount, unless less was open."""
    cents: int = adjustment.get("booked", adjustment["cents"])
    return cents


def up_to_open(adjustments: Sequence[Mapping[str, Any]], *, open_cents: int) -> list[dict[str, Any]]:
    """
    Return a service's adjustments so that together they book no more than what is open of it (rule `open`, and `booked`).

    A payer after others may repeat what those took off. What is left to the patient goes first; the amounts stay the payer's.

    :param open_cents: of the charge, what no payer has paid and nobody has taken off yet

    >>> [one["booked"] for one in up_to_open([{"cents": 3600, "plan": "contractual", "rule": "list"}], open_cents=1000)]
    [1000]
    """
    left = open_cents - sum(a["cents"] for a in adjustments if a["cents"] < 0 and a["plan"] in (PATIENT, CONTRACTUAL))
    found = [dict(one) for one in adjustments]
    for plan in (PATIENT, CONTRACTUAL):
        for one in found:
            if one["plan"] != plan or one["cents"] <= 0:
                continue
            fits = min(one["cents"], max(left, 0))
            left -= fits
            if fits < one["cents"]:
                one["booked"] = fits
                if one["rule"] != "by_hand":
                    one["rule"] = "open"
    return found


def credited(*, paid_cents: int, adjustments: Sequence[Mapping[str, Any]]) -> int:
    """Return what a decision takes from what payers owe for a service."""
    return paid_cents + sum(booked(a) for a in adjustments if a["plan"] in (PATIENT, CONTRACTUAL))


def denied_cents(adjustments: Sequence[Mapping[str, Any]]) -> int:
    """Return what of a service nobody has paid, owes or has given up: what a person has to look at."""
    return sum(a["cents"] for a in adjustments if a["plan"] == REVIEW)


def is_denied(*, paid_cents: int, adjustments: Sequence[Mapping[str, Any]]) -> bool:
    """Tell whether a claim was denied: nothing paid, nothing left to the patient, and a reason to look at."""
    patient = sum(a["cents"] for a in adjustments if a["plan"] in (PATIENT, NEXT_PAYER))
    return paid_cents == 0 and patient == 0 and any(a["plan"] == REVIEW for a in adjustments)
