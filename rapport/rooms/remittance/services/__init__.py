"""What can be done with a remittance: received, posted once, taken back exactly."""

from __future__ import annotations

from .planning import FilePlan, plan_file
from .policies import change_policy
from .posting import RemittanceHeld, one_at_a_time, post_file, unpost_file
from .receiving import look_again, match_again, receive

__all__ = [
    "FilePlan",
    "RemittanceHeld",
    "change_policy",
    "look_again",
    "match_again",
    "one_at_a_time",
    "plan_file",
    "post_file",
    "receive",
    "unpost_file",
]
