"""The ledger's shapes in the API."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import Meta, Struct
from pydantic import Field, field_validator, model_validator

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
    refused,
    source_of,
)
from rapport.rooms.ledger.states import WriteOffReason


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
    reason_code: Annotated[str | None, Meta(description="Of a write-off.")]
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


class BookClosingOut(Shape):
    """Up to which day the books were closed by somebody; the last one made holds."""

    object: Literal["book_closing"]
    id: str
    closed_through: Annotated[Day | None, Meta(description="Null: no day is closed.")]
    reopens: Annotated[bool, Meta(description="Days were opened again.")]
    reason: str | None
    actor_type: str
    created_at: Instant
    version: int


class AllocationOut(Struct):
    """What a part of a payment pays for."""

    appointment_id: str | None
    amount: MoneyOut


class BookedPaymentOut(Shape):
    """Money that a patient gave."""

    object: Literal["payment"]
    id: str
    patient_id: str
    amount: MoneyOut
    method: Literal["cash", "check", "card_recorded"]
    reference: str | None
    received_on: Day
    allocations: list[AllocationOut]
    unapplied: Annotated[MoneyOut, Meta(description="The part that is, or became, credit.")]
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


class BookedPaymentIn(Input):
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
    quoted_balance: MoneyIn | None = Field(
        default=None,
        description="What was shown as owed to whoever pays. Refused where another amount is owed by now.",
    )

    @field_validator("reference")
    @classmethod
    def _no_card(cls, value: str | None) -> str | None:
        # A card number must not come to rest here, not even by mistake (PCI DSS 3.2.1).
        if value and len("".join(letter for letter in value if letter.isdigit())) > 12:
            raise refused("so many digits could be a card number")
        return value


class AllocateIn(Input):
    """What a payment, or a patient's credit, is to pay for."""

    allocations: list[AllocationIn] | None = Field(
        default=None, max_length=50, description="Default: to what is open, the oldest first."
    )


class CloseIn(Input):
    """Up to which day the books are closed."""

    closed_through: date
    reason: str = Field(default="", max_length=200)


class ReopenIn(Input):
    """What stays closed, and why the days after it are opened again."""

    closed_through: date | None = Field(default=None, description="Null: every day is opened again.")
    reason: str = Field(min_length=3, max_length=200)


class RefundIn(Input):
    """How much to give back, and why."""

    amount: PositiveMoneyIn
    reason: str = Field(min_length=3, max_length=200)


class WriteOffIn(Input):
    """What to give up, and why."""

    patient_id: str = Field(max_length=40)
    amount: PositiveMoneyIn | None = None
    basis_points: int | None = Field(
        default=None, ge=1, le=10_000, strict=True,
        description="In place of an amount: this part of what is open, in hundredths of a percent.",
    )
    reason: str = Field(min_length=3, max_length=200)
    reason_code: WriteOffReason = WriteOffReason.OTHER
    appointment_id: str | None = Field(default=None, max_length=40)
    owed_by: Literal["patient", "insurance"] = "patient"

    @model_validator(mode="after")
    def _one_of_both(self) -> WriteOffIn:
        if (self.amount is None) == (self.basis_points is None):
            raise refused("give an amount, or basis points, and not both")
        return self


class ReverseIn(Input):
    """Why the entry is undone."""

    reason: str = Field(min_length=3, max_length=200)


ENTRY_COLUMNS = (
    "e.id, e.kind, e.patient_id, e.effective_on, e.recorded_at, e.source_kind, e.source_id,"
    " e.source_line, e.reason, e.reverses_id, (SELECT r.id FROM ledger_entry r WHERE"
    " r.practice_id = e.practice_id AND r.reverses_id = e.id), (SELECT jsonb_agg(jsonb_build_array("
    "p.line, p.account, p.cents, p.appointment_id, p.claim_id, p.service_on) ORDER BY p.line)::text"
    " FROM ledger_posting p WHERE p.practice_id = e.practice_id AND p.entry_id = e.id), e.reason_code"
)
"""What `entry_out` reads, in its order."""

PAYMENT_COLUMNS = (
    "y.id, y.patient_id, y.cents, y.method, y.reference, y.received_on, y.created_at, y.entry_id,"
    " (SELECT jsonb_agg(jsonb_build_array(f.id, f.kind, EXISTS (SELECT 1 FROM ledger_entry r"
    " WHERE r.practice_id = f.practice_id AND r.reverses_id = f.id), (SELECT jsonb_agg("
    "jsonb_build_array(p.account, p.cents, p.appointment_id) ORDER BY p.line) FROM ledger_posting p"
    " WHERE p.practice_id = f.practice_id AND p.entry_id = f.id)) ORDER BY f.recorded_at, f.id)::text"
    " FROM ledger_entry f WHERE f.practice_id = y.practice_id AND f.source_kind = 'payment'"
    " AND f.source_id = y.id), y.source_system, y.source_remote_id, y.source_as_of"
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
        reason_code=row[12] or None,
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


def payment_out(row: tuple[Any, ...], scope: Scope) -> BookedPaymentOut:
    """Return the shape of a payment from a row of `PAYMENT_COLUMNS`."""
    entries = msgspec.json.decode(row[8])
    first = entries[0]
    pays: dict[str | None, int] = {}
    # Of a payment that was undone, what it paid for is shown; of the others, what stands.
    for _, _, _, lines in [one for one in entries if not one[2]] or [first]:
        for account, cents, appointment in lines:
            if account == "patient_receivable":
                pays[appointment] = pays.get(appointment, 0) - cents
    refunded = sum(
        -cents
        for _, kind, undone, lines in entries
        for account, cents, _ in lines
        if kind == "refund" and not undone and account == "cash"
    )
    return BookedPaymentOut(
        object="payment",
        id=type_id("payment", row[0]),
        patient_id=type_id("patient", row[1]),
        amount=MoneyOut(row[2]),
        method=row[3],
        reference=row[4] or None,
        received_on=row[5],
        allocations=[
            AllocationOut(_public("appointment", appointment), MoneyOut(cents))
            for appointment, cents in pays.items()
            if cents
        ],
        unapplied=MoneyOut(row[2] - sum(pays.values())),
        refunded=MoneyOut(refunded),
        reversed=first[2],
        ledger_entry_ids=[type_id("ledger_entry", UUID(id)) for id, _, _, _ in entries],
        source=source_of(row[9], row[10], row[11], instant(row[6])),
        version=len(entries) + sum(undone for _, _, undone, _ in entries),
        created_at=instant(row[6]),
    )


CLOSING_COLUMNS = "c.id, c.number, c.through_on, c.reopens, c.reason, c.actor_type, c.created_at"
"""What `closing_out` reads, in its order."""


def closing_out(row: tuple[Any, ...], scope: Scope) -> BookClosingOut:
    """Return the shape of a closing from a row of `CLOSING_COLUMNS`."""
    return BookClosingOut(
        object="book_closing",
        id=type_id("book_closing", row[0]),
        closed_through=row[2],
        reopens=row[3],
        reason=row[4] or None,
        actor_type=row[5],
        created_at=instant(row[6]),
        version=1,
    )
