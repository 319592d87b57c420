"""What payments tells, beside what the ledger tells of money that has moved."""

from __future__ import annotations

PAYMENT_PENDING = "payment.pending"
PAYMENT_FAILED = "payment.failed"
PAYMENT_IN_DOUBT = "payment.in_doubt"
PAYMENT_DISPUTED = "payment.disputed"
DISPUTE_WON = "payment.dispute_won"
PAYMENT_CHARGED_BACK = "payment.charged_back"
REFUND_FAILED = "payment.refund_failed"
CARD_READY = "card.ready"
CARD_ACTIVE = "card.active"
CARD_FAILED = "card.failed"
CARD_REMOVED = "card.removed"
PAYOUT_RECORDED = "payout.recorded"
