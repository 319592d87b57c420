"""What can be done with cards: keep one, charge it, give back, and hear what the processor tells."""

from __future__ import annotations

from .accounts import change_processor, create_processor
from .autopay import (
    cancel,
    carry_out,
    end_with_card,
    enrol,
    look_again,
    plan,
    revoke,
    set_rule,
    settle,
)
from .cards import ask_card, forgotten, keep_card, keep_page, remove_card
from .charging import (
    Sending,
    ask_charge,
    begin_charge,
    note_fee,
    record_charge,
    resolve_charge,
    settle_taken,
    start_charge,
)
from .instalments import follow_plan, plan_instalments, towards_plan
from .notices import keep, look, receive, supply_notices
from .payouts import record_payout
from .problems import (
    AlreadyEnrolled,
    CardNotUsable,
    ChargeUnderWay,
    NoProcessor,
    NoticeRefused,
    NotRefundable,
    ProcessorExists,
)
from .refunding import ask_refund, begin_refund, bounced, record_refund, refund_ask

__all__ = [
    "AlreadyEnrolled",
    "CardNotUsable",
    "ChargeUnderWay",
    "NoProcessor",
    "NotRefundable",
    "NoticeRefused",
    "ProcessorExists",
    "Sending",
    "ask_card",
    "ask_charge",
    "ask_refund",
    "begin_charge",
    "begin_refund",
    "bounced",
    "cancel",
    "carry_out",
    "change_processor",
    "create_processor",
    "end_with_card",
    "enrol",
    "follow_plan",
    "forgotten",
    "keep",
    "keep_card",
    "keep_page",
    "look",
    "look_again",
    "note_fee",
    "plan",
    "plan_instalments",
    "receive",
    "record_charge",
    "record_payout",
    "record_refund",
    "refund_ask",
    "remove_card",
    "resolve_charge",
    "revoke",
    "set_rule",
    "settle",
    "settle_taken",
    "start_charge",
    "supply_notices",
    "towards_plan",
]
