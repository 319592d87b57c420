"""Tables of accounting."""

from __future__ import annotations

from .papers import BookEntry, BookLink, Paper, PayerPayment, PayReport, PayRule
from .plans import PaymentPlan, PlanDeed, PlanVisit

__all__ = [
    "BookEntry",
    "BookLink",
    "Paper",
    "PayReport",
    "PayRule",
    "PayerPayment",
    "PaymentPlan",
    "PlanDeed",
    "PlanVisit",
]
