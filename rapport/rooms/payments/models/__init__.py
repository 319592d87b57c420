"""Tables of payments."""

from __future__ import annotations

from .autopay import AutopayRule, Enrolment, Planned
from .cards import Card, Charge, ChargeHistory, Payout, PayoutLine, Processor, Refund, Told

__all__ = [
    "AutopayRule",
    "Card",
    "Charge",
    "ChargeHistory",
    "Enrolment",
    "Payout",
    "PayoutLine",
    "Planned",
    "Processor",
    "Refund",
    "Told",
]
