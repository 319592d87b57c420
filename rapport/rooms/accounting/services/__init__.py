"""What accounting does: papers that are frozen, and what clinicians earn."""

from __future__ import annotations

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
    "NothingToPrint",
    "credit_invoice",
    "issue_invoice",
    "issue_statement",
    "issue_superbill",
    "keep_pay_rule",
    "make_pay_report",
]
