"""What the ledger tells."""

from __future__ import annotations

PAYMENT_RECORDED = "payment.succeeded"
PAYMENT_REFUNDED = "payment.refunded"
WRITE_OFF_POSTED = "write_off.posted"
ENTRY_REVERSED = "ledger_entry.reversed"
