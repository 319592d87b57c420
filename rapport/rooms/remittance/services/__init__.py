"""What can be done with a remittance: received, posted once, taken back exactly."""

from __future__ import annotations

from .posting import RemittanceHeld, one_at_a_time, post_file, unpost_file
from .receiving import match_again, receive

__all__ = ["RemittanceHeld", "match_again", "one_at_a_time", "post_file", "receive", "unpost_file"]
