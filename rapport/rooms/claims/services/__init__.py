"""What can be done to a claim: put together, sent, answered."""

from __future__ import annotations

from .answers import mark_unreadable, receive_file
from .assembly import (
    NOT_COMPLETED,
    NOT_SIGNED,
    ClaimNotClean,
    NoChannel,
    create_claim,
    hold_claim,
    override_finding,
    policy_of,
    refuse_faults,
    submit_claim,
    validate_claim,
    visits_of,
)
from .batches import NothingToSend, create_batch, finish_batch, make_set
from .channels import change_channel, create_channel
from .correcting import void_claim
from .decisions import (
    Decision,
    record_decision,
    record_decisions,
    record_reversal,
    withdraw_decisions,
)
from .elsewhere import DuplicateClaim, OtherSubmitter, require_there, supply_elsewhere
from .freezing import alone
from .inquiries import inquire_status, inquire_what_is_due
from .judging import build_record
from .numbers import NumbersUsedUp, control_number_of
from .proposals import accept_proposal, dismiss_proposal
from .real_time import ChannelInquiries
from .sending import Sending, begin_sending, record_answer, resolve_doubt

__all__ = [
    "NOT_COMPLETED",
    "NOT_SIGNED",
    "ChannelInquiries",
    "ClaimNotClean",
    "Decision",
    "DuplicateClaim",
    "NoChannel",
    "NothingToSend",
    "NumbersUsedUp",
    "OtherSubmitter",
    "Sending",
    "accept_proposal",
    "alone",
    "begin_sending",
    "build_record",
    "change_channel",
    "control_number_of",
    "create_batch",
    "create_channel",
    "create_claim",
    "dismiss_proposal",
    "finish_batch",
    "hold_claim",
    "inquire_status",
    "inquire_what_is_due",
    "make_set",
    "mark_unreadable",
    "override_finding",
    "policy_of",
    "receive_file",
    "record_answer",
    "record_decision",
    "record_decisions",
    "record_reversal",
    "refuse_faults",
    "require_there",
    "resolve_doubt",
    "submit_claim",
    "supply_elsewhere",
    "validate_claim",
    "visits_of",
    "void_claim",
    "withdraw_decisions",
]
