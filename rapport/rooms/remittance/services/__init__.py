"""What can be done with a remittance: received, posted once, taken back exactly."""

from __future__ import annotations

from .by_hand import AlreadyDecided, assign, correct, set_aside, take_up
from .comparing import compare
from .denials import reopen, resolve, write_appeal
from .deposits import (
    Reconciliation,
    import_deposits,
    match_deposit,
    reconcile,
    record_deposit,
)
from .looking_back import LookedBack, look_back
from .planning import FilePlan, plan_file
from .policies import change_policy
from .posting import RemittanceHeld, one_at_a_time, post_file, unpost_file
from .receiving import look_again, match_again, receive
from .typed import receive_typed
from .underpayments import settle_underpayment, write_dispute

__all__ = [
    "AlreadyDecided",
    "FilePlan",
    "LookedBack",
    "Reconciliation",
    "RemittanceHeld",
    "assign",
    "change_policy",
    "compare",
    "correct",
    "import_deposits",
    "look_again",
    "look_back",
    "match_again",
    "match_deposit",
    "one_at_a_time",
    "plan_file",
    "post_file",
    "receive",
    "receive_typed",
    "reconcile",
    "record_deposit",
    "reopen",
    "resolve",
    "set_aside",
    "settle_underpayment",
    "take_up",
    "unpost_file",
    "write_appeal",
    "write_dispute",
]
