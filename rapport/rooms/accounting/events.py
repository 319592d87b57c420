"""What accounting tells."""

from __future__ import annotations

INVOICE_ISSUED = "invoice.issued"
INVOICE_CREDITED = "invoice.credited"
PAYER_PAID = "payer_payment.recorded"
PAYER_PAYMENT_TAKEN_BACK = "payer_payment.taken_back"
PAY_REPORT_MADE = "pay_report.made"
BOOKS_LINKED = "book_link.linked"
BOOKS_SIGNED_OUT = "book_link.signed_out"
ENTRY_KEPT = "book_entry.kept"
ENTRY_REFUSED = "book_entry.refused"
