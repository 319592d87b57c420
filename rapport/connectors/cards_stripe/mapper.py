"""What a reply of Stripe means for the room that asked. Pure: no network, no clock."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rapport.rooms.payments.ports import (
    CardFacts,
    InDoubt,
    Later,
    PayoutLine,
    Refused,
    Taken,
    Waiting,
)

USUAL_WAIT_SECONDS = 30
LONGEST_WAIT_SECONDS = 3600

ANOTHER_DAY = frozenset(
    ("insufficient_funds", "card_velocity_exceeded", "processing_error", "issuer_not_available",
     "reenter_transaction", "try_again_later", "withdrawal_count_limit_exceeded", "approve_with_id")
)  # fmt: skip
"""Declines after which the same card may pass on another day."""
WORDS = {
    "insufficient_funds": "The card has not enough money or credit left.",
    "card_velocity_exceeded": "The card is over its limit for now.",
    "expired_card": "The card has expired.",
    "incorrect_cvc": "The security code did not match.",
    "lost_card": "The bank does not accept this card.",
    "stolen_card": "The bank does not accept this card.",
    "pickup_card": "The bank does not accept this card.",
    "fraudulent": "The bank does not accept this card.",
    "processing_error": "The bank could not be asked just now.",
    "issuer_not_available": "The bank could not be asked just now.",
    "authentication_required": "The bank wants the patient to confirm: the patient has to pay in person or on a page.",
    "card_not_supported": "The card cannot be used for this.",
    "currency_not_supported": "The card does not pay in dollars.",
    "charge_already_refunded": "All of it was given back before.",
    "amount_too_large": "The amount is more than the processor takes at once.",
    "amount_too_small": "The amount is less than the processor takes.",
    "login-refused": "The processor does not accept the practice's key.",
    "not-possible": "The processor cannot do this as it was asked.",
}  # fmt: skip
"""Codes -> words for people. A lost or stolen card is not called so: whoever holds it would be warned."""
DECLINED = "The bank declined the card."


@dataclass(frozen=True, slots=True)
class Reply:
    """One complete reply. Header names are lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


def wait_seconds(headers: dict[str, str]) -> int:
    """Retry-After in seconds, within reason."""
    text = headers.get("retry-after", "")
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        return USUAL_WAIT_SECONDS
    return min(max(int(text), 1), LONGEST_WAIT_SECONDS)


def record(reply: Reply) -> dict[str, Any]:
    """Return the object of a reply, or an empty one where there is none."""
    try:
        value = json.loads(reply.body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def refused(code: str) -> Refused:
    """Return a refusal with its words."""
    return Refused(code[:60], WORDS.get(code, DECLINED), again=code in ANOTHER_DAY)


def trouble(reply: Reply) -> Refused | Later | InDoubt:
    """
    What a reply that is no 2xx means.

    402 is a decline. 429 and a 409 (another call with this key or on this object is under way) did nothing.
    Every other 4xx was refused before work began. A 500 says nothing: by Stripe's own word it is indeterminate.
    """
    error = record(reply).get("error")
    error = error if isinstance(error, dict) else {}
    code = str(error.get("decline_code") or error.get("code") or "")
    if reply.status == 402:
        return refused(code or "card_declined")
    if reply.status in (409, 429):
        return Later(wait_seconds(reply.headers))
    if reply.status in (401, 403):
        return refused("login-refused")
    if 300 <= reply.status < 500:
        return Refused((code or "not-possible")[:60], WORDS.get(code, WORDS["not-possible"]))
    return InDoubt(f"status {reply.status} does not say whether it was done", over=True)


def intent(value: dict[str, Any]) -> Taken | Refused | InDoubt:
    """What a payment intent says of its charge."""
    id, status = value.get("id"), value.get("status")
    if not isinstance(id, str) or not id:
        return InDoubt("the reply names no charge")
    if status == "succeeded":
        charge = value.get("latest_charge")
        moved = charge.get("balance_transaction") if isinstance(charge, dict) else None
        fee = moved.get("fee") if isinstance(moved, dict) else None
        return Taken(id, fee if isinstance(fee, int) else None)
    if status in ("requires_payment_method", "canceled"):
        error = value.get("last_payment_error")
        error = error if isinstance(error, dict) else {}
        return refused(str(error.get("decline_code") or error.get("code") or "card_declined"))
    if status in ("requires_action", "requires_confirmation"):
        return refused("authentication_required")
    return InDoubt(f"the charge is {str(status)[:40]}")


def refund(value: dict[str, Any]) -> Taken | Refused | InDoubt:
    """What a refund object says. A pending one is on its way, and told of when it fails."""
    id, status = value.get("id"), value.get("status")
    if not isinstance(id, str) or not id:
        return InDoubt("the reply names no refund")
    if status in ("succeeded", "pending"):
        return Taken(id)
    if status in ("failed", "canceled"):
        return Refused(str(value.get("failure_reason") or "refund-failed")[:60], "The refund did not reach the card.")
    return InDoubt(f"the refund is {str(status)[:40]}")


def card(value: dict[str, Any]) -> CardFacts | Waiting | Refused:
    """What a setup intent, its method expanded, says of the card."""
    status, method = value.get("status"), value.get("payment_method")
    if status == "succeeded" and isinstance(method, dict) and isinstance(method.get("card"), dict):
        kept = method["card"]
        return CardFacts(
            method=str(method["id"]), brand=str(kept.get("brand", "unknown"))[:20],
            last4=str(kept.get("last4", ""))[:4], exp_month=int(kept.get("exp_month", 0)),
            exp_year=int(kept.get("exp_year", 0)), funding=str(kept.get("funding", "unknown"))[:10],
        )  # fmt: skip
    error = value.get("last_setup_error")
    if status == "canceled" or (status == "requires_payment_method" and isinstance(error, dict)):
        error = error if isinstance(error, dict) else {}
        return refused(str(error.get("decline_code") or error.get("code") or "card_declined"))
    return Waiting()


_KINDS = {"charge": "charge", "payment": "charge", "refund": "refund", "payment_refund": "refund", "stripe_fee": "fee"}


def payout_line(value: dict[str, Any]) -> PayoutLine | None:
    """A balance transaction as a payout's line; None: the payout itself."""
    kind = str(value.get("type"))
    if kind == "payout":
        return None
    source = value.get("source")
    about = source if isinstance(source, dict) else {}
    category = str(value.get("reporting_category", ""))
    named = "dispute" if category.startswith("dispute") else _KINDS.get(kind, "other")
    found = about.get("id") if named == "refund" else about.get("payment_intent")
    return PayoutLine(
        ref=str(value.get("id")), kind=named, about=str(found or ""), gross_cents=int(value["amount"]),
        fee_cents=int(value["fee"]), net_cents=int(value["net"]),
    )  # fmt: skip


def moment(value: Any) -> datetime:
    """Return the instant of unix seconds."""
    return datetime.fromtimestamp(int(value), UTC)
