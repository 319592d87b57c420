"""
Money of a check that belongs to no claim in it (PLB), by its code.

The codes are the guide's; the words are our own. All of it stands between practice and payer
(account `payer_clearing`), interest apart. What is not in the list waits for a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

INTEREST = frozenset({"L6"})
"""Booked as interest."""
CARRIED = frozenset({"FB"})
"""Carried from one check to a later one: over time the sum of each payer is zero."""
RECOVERIES = frozenset({"WO", "WU", "72", "OB", "AP", "PI"})
"""Taken or given back for something that was decided elsewhere: open until that is known here."""

SAYS: Mapping[str, str] = MappingProxyType(
    {
        "50": "Penalty for late filing", "51": "Penalty on interest", "72": "Our refund arrived",
        "90": "Early payment allowance", "AH": "Origination fee", "AM": "Applied to the borrower's account",
        "AP": "Advance taken back", "B2": "Rebate", "B3": "Recovery allowance", "BD": "Bad debt", "BN": "Bonus",
        "C5": "Temporary allowance", "CR": "Capitation interest", "CS": "Adjustment", "CT": "Capitation",
        "CV": "Capital passed through", "CW": "Certified anaesthetist passed through", "DM": "Direct medical education",
        "E3": "Withheld", "FB": "Balance carried forward", "FC": "Fund allocation", "GO": "Graduate medical education",
        "HM": "Haemophilia supplement", "IP": "Incentive premium", "IR": "Tax withheld", "IS": "Interim settlement",
        "J1": "Not reimbursable", "L3": "Penalty", "L6": "Interest", "LE": "Levy", "LS": "Lump sum",
        "OA": "Organ acquisition passed through", "OB": "Offset of an affiliated provider", "PI": "Periodic interim payment",
        "PL": "Final settlement", "RA": "Retroactive adjustment", "RE": "Return on equity", "SL": "Student loan repaid",
        "TL": "Third party's liability", "WO": "Overpayment taken back", "WU": "Recovery without a reason",
    }
)  # fmt: skip
"""Code -> what it says."""


def plan_for(code: str) -> str:
    """
    Return `interest`, `carried`, `recovery`, `payer` (stands between practice and payer) or `review`.

    >>> plan_for("L6"), plan_for("FB"), plan_for("WO"), plan_for("J1"), plan_for("QQ")
    ('interest', 'carried', 'recovery', 'payer', 'review')
    """
    if code not in SAYS:
        return "review"
    if code in INTEREST:
        return "interest"
    if code in CARRIED:
        return "carried"
    return "recovery" if code in RECOVERIES else "payer"
