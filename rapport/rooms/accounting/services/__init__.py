"""What accounting does: papers that are frozen, and what clinicians earn."""

from __future__ import annotations

from .organisations import (
    AlreadyTakenBack,
    PatientPaidMeanwhile,
    invoice_payer,
    record_payer_payment,
    take_back_payer_payment,
)
from .papers import (
    AlreadyCredited,
    NothingToPrint,
    credit_invoice,
    issue_invoice,
    issue_statement,
    issue_superbill,
)
from .paying import keep_pay_rule, make_pay_report

__all__ = [
    "AlreadyCredited",
    "AlreadyTakenBack",
    "NothingToPrint",
    "PatientPaidMeanwhile",
    "credit_invoice",
    "invoice_payer",
    "issue_invoice",
    "issue_statement",
    "issue_superbill",
    "keep_pay_rule",
    "make_pay_report",
    "record_payer_payment",
    "take_back_payer_payment",
]
