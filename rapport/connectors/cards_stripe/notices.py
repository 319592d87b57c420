"""
Stripe's signed webhooks: who sent it, and what it is about. Pure: no network, no clock.

The header is `t=seconds,v1=hex[,v1=…]`; signed is `seconds.body` by HMAC-SHA256 under the endpoint's secret.
"""

from __future__ import annotations

import hmac
import json
from datetime import datetime
from hashlib import sha256
from typing import Any

from rapport.connectors.cards_stripe.mapper import moment
from rapport.rooms.payments.ports import Notice

TOLERANCE_SECONDS = 300
"""A signature older or newer than this is refused: a replay, or a wrong clock."""

_KINDS = {
    "payment_intent.": "charge",
    "charge.dispute.": "dispute",
    "charge.refund": "refund",
    "refund.": "refund",
    "setup_intent.": "setup",
    "payout.": "payout",
}


def sign(*, body: bytes, secret: str, at: int) -> str:
    """Return the header of a notice."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, sha256).hexdigest()
    return f"t={at},v1={digest}"


def _signed(body: bytes, signature: str, secret: str, now: int) -> bool:
    parts = [part.strip().partition("=") for part in signature[:2000].split(",")]
    times = [value for name, _, value in parts if name == "t"]
    if not secret or len(times) != 1 or not (times[0].isascii() and times[0].isdigit() and len(times[0]) < 13):
        return False
    at = int(times[0])
    if abs(now - at) > TOLERANCE_SECONDS:
        return False
    right = sign(body=body, secret=secret, at=at).partition("v1=")[2].encode()
    good = False
    for name, _, value in parts:
        if name == "v1":
            good |= hmac.compare_digest(right, value.encode())
    return good


class StripeNotices:
    """Supplies `rapport.rooms.payments.ports.Notices`."""

    header = "Stripe-Signature"

    def read(self, *, body: bytes, signature: str, secret: str, now: datetime) -> Notice | None:
        """Check the signature over the bytes as they came, then read them."""
        if not _signed(body, signature, secret, int(now.timestamp())):
            return None
        try:
            event = json.loads(body)
            return _notice(event, event["data"]["object"])
        except (ValueError, KeyError, TypeError):
            return None


def _notice(event: dict[str, Any], about: dict[str, Any]) -> Notice:
    type = str(event["type"])
    kind = next((named for start, named in _KINDS.items() if type.startswith(start)), "other")
    marks = about.get("metadata")
    cents = about.get("amount")
    state, named = "", str(about.get("id", ""))
    if kind == "dispute":
        named = str(about.get("payment_intent") or "")
        state = {"won": "won", "lost": "lost", "warning_closed": "won"}.get(str(about.get("status")), "open")
    return Notice(
        ref=str(event["id"])[:100],
        kind=kind,
        about=named[:100],
        mark=str(marks.get("rapport", ""))[:60] if isinstance(marks, dict) else "",
        state=state,
        cents=cents if isinstance(cents, int) else None,
        at=moment(event["created"]),
        facts={"type": type[:60]},
    )
