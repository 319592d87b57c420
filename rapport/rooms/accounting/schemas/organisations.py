"""Shapes of what organisations pay on their invoices."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta
from pydantic import Field

from rapport.kernel.ids import type_id
from rapport.platform.api.shapes import Day, Input, Instant, MoneyIn, MoneyOut, Shape, instant
from rapport.rooms.accounting.models import PayerPayment
from rapport.rooms.ledger.schemas import PositiveMoneyIn


class PaidLineIn(Input):
    """What was paid for one visit of an invoice."""

    appointment_id: str = Field(max_length=40)
    amount: MoneyIn


class PayerPaymentIn(Input):
    """What an organisation paid on one invoice. A cheque for several invoices is recorded on each, under its number."""

    invoice_id: str = Field(max_length=40)
    amount: PositiveMoneyIn
    method: Literal["check", "ach", "other"]
    reference: str | None = Field(default=None, max_length=60, description="Number of the cheque or transfer.")
    received_on: date | None = Field(default=None, description="Default: today in the practice.")
    final: bool = Field(
        default=False, description="It pays no more: what is left goes as the payer's `remainder` says."
    )
    lines: list[PaidLineIn] | None = Field(
        default=None, max_length=500, description="Default: the oldest visits first."
    )


class PayerPaymentOut(Shape):
    """What an organisation paid on an invoice, or that this was taken back. It never changes."""

    object: Literal["payer_payment"]
    id: str
    payer_id: str
    invoice_id: str
    amount: Annotated[MoneyOut, Meta(description="Below zero: taken back.")]
    method: Literal["check", "ach", "other"]
    reference: str | None
    received_on: Day
    final: bool
    takes_back_id: str | None
    taken_back_by_id: str | None
    reason: str | None
    version: int
    created_at: Instant


def payer_payment_out(row: PayerPayment, *, taken_back_by: UUID | None) -> PayerPaymentOut:
    """Return the shape of a payment of an organisation."""
    return PayerPaymentOut(
        object="payer_payment", id=type_id("payer_payment", row.id), payer_id=type_id("payer", row.payer_id),
        invoice_id=type_id("invoice", row.invoice_id), amount=MoneyOut(row.cents),
        method=row.method,  # type: ignore[arg-type]  # written from its enum alone
        reference=row.reference or None, received_on=row.received_on, final=row.final,
        takes_back_id=type_id("payer_payment", row.takes_back_id) if row.takes_back_id else None,
        taken_back_by_id=type_id("payer_payment", taken_back_by) if taken_back_by else None,
        reason=row.reason or None, version=2 if taken_back_by else 1, created_at=instant(row.created_at),
    )  # fmt: skip
