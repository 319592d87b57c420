"""The ledger's shapes in the API."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import Meta, Struct
from pydantic import Field, field_validator

from rapport.kernel.ids import PREFIXES, type_id
from rapport.platform.access.scope import Scope
from rapport.platform.api.shapes import (
    Day,
    Input,
    Instant,
    MoneyIn,
    MoneyOut,
    Shape,
    Source,
    instant,
    source_of,
)


class PostingOut(Struct):
    """One line of an entry. Debits are positive, credits negative; an entry's sum is zero."""

    line: int
    account: str
    amount: MoneyOut
    appointment_id: str | None
    claim_id: str | None
    service_on: Day | None


class EntrySource(Struct):
    """What gave rise to the entry."""

    kind: str
    id: str
    line: str


class LedgerEntryOut(Shape):
    """A double entry. It never changes; a mistake is undone by a reversal."""

    object: Literal["ledger_entry"]
    id: str
    kind: Annotated[str, Meta(description="charge, insurance_payment, contractual_adjustment …")]
    patient_id: str | None
    effective_on: Day
    recorded_at: Instant
    source: EntrySource
    reason: str | None
    reverses_id: str | None
    reversed_by_id: str | None
    postings: list[PostingOut]
    version: int


class BalanceOut(Shape):
    """Where a patient stands at the end of a day."""

    object: Literal["balance"]
    id: Annotated[str, Meta(description="The patient's id.")]
    patient_id: str
    as_of: Day
    patient_responsibility: MoneyOut
    insurance_outstanding: MoneyOut
    credit: MoneyOut
    version: Annotated[int, Meta(description="How many entries there are about the patient.")]


class AllocationOut(Struct):
    """What a part of a payment paid for."""

    appointment_id: str | None
    amount: MoneyOut


class PaymentOut(Shape):
    """Money that a patient gave."""

    object: Literal["payment"]
    id: str
    patient_id: str
    amount: MoneyOut
    method: Literal["cash", "check", "card_recorded"]
    reference: str | None
    received_on: Day
    allocations: list[AllocationOut]
    unapplied: Annotated[MoneyOut, Meta(description="The part that became credit.")]
    refunded: MoneyOut
    reversed: bool
    ledger_entry_ids: list[str]
    source: Source
    version: int
    created_at: Instant


class PositiveMoneyIn(MoneyIn):
    """An amount above zero."""

    amount: int = Field(gt=0, le=10**12, strict=True, description="Cents.", examples=[2500])


class AllocationIn(Input):
    """What a part of the payment is for."""

    appointment_id: str = Field(max_length=40)
    amount: PositiveMoneyIn


class PaymentIn(Input):
    """A payment by a patient, as it was received."""

    patient_id: str = Field(max_length=40)
    amount: PositiveMoneyIn
    method: Literal["cash", "check", "card_recorded"]
    reference: str | None = Field(
        default=None, max_length=60, pattern=r"^[ -~]*$", description="Check or receipt number."
    )
    received_on: date | None = Field(default=None, description="Default: today in the practice.")
    allocations: list[AllocationIn] | None = Field(
        default=None, max_length=50, description="Default: to what is open, the oldest first."
    )

    @field_validator("reference")
    @classmethod
    def _no_card(cls, value: str | None) -> str | None:
        # A card number must not come to rest here, not even by mistake (PCI DSS 3.2.1).
        if value and len("".join(letter for letter in value if letter.isdigit())) > 12:
            raise ValueError("so many digits could be a card number")
        return value


class RefundIn(Input):
    """How much to give back, and why."""

    amount: PositiveMoneyIn
    reason: str = Field(min_length=3, max_length=200)


class WriteOffIn(Input):
    """What to give up, and why."""

    patient_id: str = Field(max_length=40)
    amount: PositiveMoneyIn
    reason: str = Field(min_length=3, max_length=200)
    appointment_id: str | None = Field(default=None, max_length=40)
    owed_by: Literal["patient", "insurance"] = "patient"


class ReverseIn(Input):
    """Why the entry is undone."""

    reason: str = Field(min_length=3, max_length=200)


ENTRY_COLUMNS = (
    "e.id, e.kind, e.patient_id, e.effective_on, e.recorded_at, e.source_kind, e.source_id,"
    " e.source_line, e.reason, e.reverses_id, (SELECT r.id FROM ledger_entry r WHERE"
    " r.practice_id = e.practice_id AND r.reverses_id = e.id), (SELECT jsonb_agg(jsonb_build_array("
    "p.line, p.account, p.cents, p.appointment_id, p.claim_id, p.service_on) ORDER BY p.line)::text"
    " FROM ledger_posting p WHERE p.practice_id = e.practice_id AND p.entry_id = e.id)"
)
"""What `entry_out` reads, in its order."""

PAYMENT_COLUMNS = (
    "y.id, y.patient_id, y.cents, y.method, y.reference, y.received_on, y.created_at, y.entry_id,"
    " (SELECT jsonb_agg(jsonb_build_array(p.account, p.cents, p.appointment_id) ORDER BY p.line)::text"
    " FROM ledger_posting p WHERE p.practice_id = y.practice_id AND p.entry_id = y.entry_id),"
    " EXISTS (SELECT 1 FROM ledger_entry r WHERE r.practice_id = y.practice_id"
    " AND r.reverses_id = y.entry_id), (SELECT jsonb_agg(jsonb_build_array(f.id, (SELECT p.cents"
    " FROM ledger_posting p WHERE p.practice_id = f.practice_id AND p.entry_id = f.id"
    " AND p.account = 'unapplied'), EXISTS (SELECT 1 FROM ledger_entry r WHERE"
    " r.practice_id = f.practice_id AND r.reverses_id = f.id)) ORDER BY f.id)::text"
    " FROM ledger_entry f WHERE f.practice_id = y.practice_id AND f.source_kind = 'payment'"
    " AND f.source_id = y.id AND f.kind = 'refund'), y.source_system, y.source_remote_id, y.source_as_of"
)
"""What `payment_out` reads, in its order."""


def _public(kind: str, id: UUID | str | None) -> str | None:
    return None if id is None else type_id(kind, id if isinstance(id, UUID) else UUID(id))


def entry_out(row: tuple[Any, ...], scope: Scope) -> LedgerEntryOut:
    """Return the shape of an entry from a row of `ENTRY_COLUMNS`."""
    source_id = type_id(row[5], row[6]) if row[5] in PREFIXES else str(row[6])
    return LedgerEntryOut(
        object="ledger_entry",
        id=type_id("ledger_entry", row[0]),
        kind=row[1],
        patient_id=_public("patient", row[2]),
        effective_on=row[3],
        recorded_at=instant(row[4]),
        source=EntrySource(row[5], source_id, row[7]),
        reason=row[8] or None,
        reverses_id=_public("ledger_entry", row[9]),
        reversed_by_id=_public("ledger_entry", row[10]),
        postings=[
            PostingOut(
                line, account, MoneyOut(cents), _public("appointment", appointment),
                _public("claim", claim), service_on and date.fromisoformat(service_on),
            )
            for line, account, cents, appointment, claim, service_on in msgspec.json.decode(row[11])
        ],
        version=2 if row[10] else 1,
    )  # fmt: skip


def payment_out(row: tuple[Any, ...], scope: Scope) -> PaymentOut:
    """Return the shape of a payment from a row of `PAYMENT_COLUMNS`."""
    lines = msgspec.json.decode(row[8])
    refunds = msgspec.json.decode(row[10]) if row[10] else []
    return PaymentOut(
        object="payment",
        id=type_id("payment", row[0]),
        patient_id=type_id("patient", row[1]),
        amount=MoneyOut(row[2]),
        method=row[3],
        reference=row[4] or None,
        received_on=row[5],
        allocations=[
            AllocationOut(_public("appointment", appointment), MoneyOut(-cents))
            for account, cents, appointment in lines
            if account == "patient_receivable"
        ],
        unapplied=MoneyOut(-sum(cents for account, cents, _ in lines if account == "unapplied")),
        refunded=MoneyOut(sum(cents for _, cents, undone in refunds if not undone)),
        reversed=row[9],
        ledger_entry_ids=[type_id("ledger_entry", row[7])]
        + [type_id("ledger_entry", UUID(id)) for id, _, _ in refunds],
        source=source_of(row[11], row[12], row[13], instant(row[6])),
        version=1 + len(refunds) + int(row[9]),
        created_at=instant(row[6]),
    )
