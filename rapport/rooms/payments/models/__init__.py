"""Tables of payments."""

from __future__ import annotations

from .cards import Card, Charge, ChargeHistory, Payout, PayoutLine, Processor, Refund, Told

__all__ = ["Card", "Charge", "ChargeHistory", "Payout", "PayoutLine", "Processor", "Refund", "Told"]
