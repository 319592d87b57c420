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
from .planning import Draft, VisitInPlan, draft_plan, make_plan
from .plans import (
    NothingDueBefore,
    cancel_plan,
    change_plan,
    look_again,
    notice,
    notice_patient,
    pause_plan,
)

__all__ = [
    "AlreadyCredited",
    "AlreadyTakenBack",
    "Draft",
    "NothingDueBefore",
    "NothingToPrint",
    "PatientPaidMeanwhile",
    "VisitInPlan",
    "cancel_plan",
    "change_plan",
    "credit_invoice",
    "draft_plan",
    "invoice_payer",
    "issue_invoice",
    "issue_statement",
    "issue_superbill",
    "keep_pay_rule",
    "look_again",
    "make_pay_report",
    "make_plan",
    "notice",
    "notice_patient",
    "pause_plan",
    "record_payer_payment",
    "take_back_payer_payment",
]
