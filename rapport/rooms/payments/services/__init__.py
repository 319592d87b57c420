"""What can be done with cards: keep one, charge it, give back, and hear what the processor tells."""

from __future__ import annotations

from .accounts import change_processor, create_processor
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
from .notices import keep, look, receive, supply_notices
from .payouts import record_payout
from .problems import (
    CardNotUsable,
    ChargeUnderWay,
    NoProcessor,
    NoticeRefused,
    NotRefundable,
    ProcessorExists,
)
from .refunding import ask_refund, begin_refund, bounced, record_refund, refund_ask

__all__ = [
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
    "change_processor",
    "create_processor",
    "forgotten",
    "keep",
    "keep_card",
    "keep_page",
    "look",
    "note_fee",
    "receive",
    "record_charge",
    "record_payout",
    "record_refund",
    "refund_ask",
    "remove_card",
    "resolve_charge",
    "settle_taken",
    "start_charge",
    "supply_notices",
]
