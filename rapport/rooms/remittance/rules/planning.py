"""
What is done about each adjustment: plain values in, a plan out.

CO-45 and its like are contractual: taken off. PR moves to the patient. Every other CO or PI is a
denial or a reduction that a person looks at: it is never written off by itself and stays with
the payer's receivable. OA informs. (edi reference on CARC numbers that drive posting; the codes
are defaults that a practice's contracts refine.)
"""

from __future__ import annotations

CONTRACTUAL = frozenset({"45", "253", "131", "144", "161", "237", "104", "223"})
"""CO reasons that a contract or law takes off."""


def plan_for(group: str, reason: str) -> str:
    """
    Return `contractual`, `patient`, `review` or `inform`.

    >>> plan_for("CO", "45"), plan_for("PR", "3"), plan_for("CO", "197"), plan_for("OA", "23")
    ('contractual', 'patient', 'review', 'inform')
    """
    if group == "PR":
        return "patient"
    if group == "CO" and reason in CONTRACTUAL:
        return "contractual"
    return "inform" if group == "OA" else "review"


def is_denied(*, paid_cents: int, patient_cents: int, reasons: list[tuple[str, str]]) -> bool:
    """Tell whether a claim was denied: nothing paid, nothing left to the patient, and a reason to look at."""
    return paid_cents == 0 and patient_cents == 0 and any(plan_for(g, r) == "review" for g, r in reasons)
