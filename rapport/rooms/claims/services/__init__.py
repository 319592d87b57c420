"""What can be done to a claim: put together, sent, answered."""

from __future__ import annotations

from rapport.rooms.coverage.ports import NumbersUsedUp

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
from .attachments import attach, mark_attachment_sent
from .batches import NothingToSend, TooManyClaims, create_batch, finish_batch, make_set
from .channels import change_channel, create_channel
from .correcting import reinstate, void_claim
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
from .numbers import control_number_of
from .own_rules import Trial, change_rules, try_rules
from .printing import change_print_setting
from .profiles import change_profile
from .proposals import accept_proposal, dismiss_proposal
from .real_time import ChannelInquiries
from .reopening import reopen_claim
from .sending import (
    Sending,
    begin_sending,
    mark_batch_submitted,
    mark_submitted,
    record_answer,
    resolve_doubt,
    settle_doubt,
)
from .work import change_work, open_work, resolve_work, settle_work, warn_of_limits

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
    "TooManyClaims",
    "Trial",
    "accept_proposal",
    "alone",
    "attach",
    "begin_sending",
    "build_record",
    "change_channel",
    "change_print_setting",
    "change_profile",
    "change_rules",
    "change_work",
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
    "mark_attachment_sent",
    "mark_batch_submitted",
    "mark_submitted",
    "mark_unreadable",
    "open_work",
    "override_finding",
    "policy_of",
    "receive_file",
    "record_answer",
    "record_decision",
    "record_decisions",
    "record_reversal",
    "refuse_faults",
    "reinstate",
    "reopen_claim",
    "require_there",
    "resolve_doubt",
    "resolve_work",
    "settle_doubt",
    "settle_work",
    "submit_claim",
    "supply_elsewhere",
    "try_rules",
    "validate_claim",
    "visits_of",
    "void_claim",
    "warn_of_limits",
    "withdraw_decisions",
]
