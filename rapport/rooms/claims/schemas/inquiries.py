"""The shapes of status inquiries in the API."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from rapport.kernel.ids import type_id
from rapport.platform.api.shapes import Day, Instant, MoneyOut, instant
from rapport.rooms.claims.models import ToldStatus
from rapport.rooms.claims.queries import Asked


class StatusCodeOut(Struct):
    """One status as the payer said it: category, claim status code, and about whom."""

    category: str
    code: str
    entity: str


class ToldStatusOut(Struct, kw_only=True):
    """What a payer said where the claim stands. It is not what was posted: money comes by remittances."""

    standing: Annotated[
        str,
        Meta(
            description="received, accepted, pending, information_requested, paid, denied, finalized, revised, forwarded,"
            " rejected, not_found, later, request_refused or unknown."
        ),
    ]
    codes: list[StatusCodeOut]
    effective_on: Day | None
    charge: MoneyOut | None
    paid: MoneyOut | None
    paid_on: Day | None
    payment_number: str | None
    payer_claim_number: str | None
    source: str | None
    received_at: Instant


class StatusInquiryOut(Struct, kw_only=True):
    """One question to the payer (276), and its answers (277)."""

    trace: str
    reason: Annotated[str, Meta(description="person or schedule.")]
    state: Annotated[
        str,
        Meta(
            description="ready, sending, in_doubt or sent while it waits; then answered, later or refused."
        ),
    ]
    submission_id: str
    last_code: str | None
    asked_at: Instant
    answers: list[ToldStatusOut]


def inquiry_out(asked: Asked) -> StatusInquiryOut:
    """Return a question with what was told."""
    return StatusInquiryOut(
        trace=asked.inquiry.trace,
        reason=asked.inquiry.reason,
        state=asked.state,
        submission_id=type_id("submission", asked.submission.id),
        last_code=asked.submission.last_code or None,
        asked_at=instant(asked.inquiry.asked_at),
        answers=[_told(one) for one in asked.told],
    )


def _money(cents: int | None) -> MoneyOut | None:
    return None if cents is None else MoneyOut(cents)


def _told(row: ToldStatus) -> ToldStatusOut:
    return ToldStatusOut(
        standing=row.standing,
        codes=[StatusCodeOut(one["category"], one["code"], one["entity"]) for one in row.codes],
        effective_on=row.effective_on,
        charge=_money(row.charge_cents),
        paid=_money(row.paid_cents),
        paid_on=row.paid_on,
        payment_number=row.payment_number or None,
        payer_claim_number=row.payer_claim_number or None,
        source=row.source or None,
        received_at=instant(row.received_at),
    )
