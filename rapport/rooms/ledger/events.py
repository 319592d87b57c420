"""What the ledger tells."""

from __future__ import annotations

PAYMENT_RECORDED = "payment.succeeded"
PAYMENT_REFUNDED = "payment.refunded"
PAYMENT_ALLOCATED = "payment.allocated"
CREDIT_APPLIED = "credit.applied"
WRITE_OFF_POSTED = "write_off.posted"
ENTRY_REVERSED = "ledger_entry.reversed"
BOOKS_CLOSED = "books.closed"
BOOKS_REOPENED = "books.reopened"
