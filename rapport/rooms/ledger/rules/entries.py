"""
Entries before they are posted: pure values that cannot be out of balance.

Each builder takes whole cents and says which accounts it moves. A positive posting is a debit.
Builders of what payers do take negative amounts too: a payer may take money back.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple
from uuid import UUID

import msgspec

from rapport.kernel.money import LIMIT_CENTS
from rapport.rooms.ledger.states import Account, EntryKind


class Unbalanced(ValueError):
    """A defect of the caller: the postings do not add up to zero, or there are none."""


class Source(msgspec.Struct, frozen=True):
    """
    What an entry comes from: the same source is never posted twice.

    `kind` names a thing (`appointment`, `era_line`, `payment` …), `id` says which one, and `line`
    which of the entries that it gives rise to (`charge`, `paid`, `CO-45` …).
    """

    kind: str
    id: UUID
    line: str


class Line(msgspec.Struct, frozen=True):
    """One posting: an account, signed cents, and what it is about."""

    account: Account
    cents: int
    appointment_id: UUID | None = None
    claim_id: UUID | None = None
    service_on: date | None = None
    """Day of the service; reports go by it, balances by the entry's day."""


class NewEntry(msgspec.Struct, frozen=True):
    """
    An entry to post.

    :raises Unbalanced: fewer than two postings, one of zero or out of range, or a sum not zero
    """

    kind: EntryKind
    source: Source
    effective_on: date
    patient_id: UUID | None
    lines: tuple[Line, ...]
    reason: str = ""
    """Why, in a person's words or as a code; where one is asked for."""
    reason_code: str = ""
    """Of a write-off: one of `WriteOffReason`."""

    def __post_init__(self) -> None:
        if len(self.lines) < 2 or any(
            line.cents == 0 or abs(line.cents) > LIMIT_CENTS for line in self.lines
        ):
            raise Unbalanced("an entry needs two postings or more, none of them zero")
        if sum(line.cents for line in self.lines) != 0:
            raise Unbalanced("the postings of an entry add up to zero")


class Allocation(NamedTuple):
    """A part of a payment, and the appointment whose charge it pays (None: not of a visit)."""

    appointment_id: UUID | None
    cents: int
    service_on: date | None = None


class About(msgspec.Struct, frozen=True):
    """What a posting is about, where it is about a visit."""

    patient_id: UUID
    appointment_id: UUID | None = None
    claim_id: UUID | None = None
    service_on: date | None = None

    def line(self, account: Account, cents: int) -> Line:
        """Return a posting about it."""
        return Line(account, cents, self.appointment_id, self.claim_id, self.service_on)


def _pair(
    kind: EntryKind, source: Source, effective_on: date, about: About, *,
    debit: Account, credit: Account, cents: int, reason: str = "",
) -> NewEntry:  # fmt: skip
    return NewEntry(
        kind, source, effective_on, about.patient_id,
        (about.line(debit, cents), about.line(credit, -cents)), reason,
    )  # fmt: skip


def charge(
    source: Source, effective_on: date, about: About, *, patient_cents: int, insurance_cents: int
) -> NewEntry:
    """Charge for a service: what the patient owes at once, and what their payer is asked for."""
    lines = [
        about.line(account, cents)
        for account, cents in (
            (Account.PATIENT_RECEIVABLE, patient_cents),
            (Account.INSURANCE_RECEIVABLE, insurance_cents),
            (Account.REVENUE, -(patient_cents + insurance_cents)),
        )
        if cents
    ]
    return NewEntry(EntryKind.CHARGE, source, effective_on, about.patient_id, tuple(lines))


def insurance_payment(source: Source, effective_on: date, about: About, *, cents: int) -> NewEntry:
    """Book what a payer paid for a service (SVC03); negative when it took money back."""
    return _pair(
        EntryKind.INSURANCE_PAYMENT, source, effective_on, about,
        debit=Account.CASH, credit=Account.INSURANCE_RECEIVABLE, cents=cents,
    )  # fmt: skip


def contractual_adjustment(
    source: Source, effective_on: date, about: About, *, cents: int, reason: str
) -> NewEntry:
    """Take off what a contract forbids to collect. :param reason: group and code: `CO-45`"""
    return _pair(
        EntryKind.CONTRACTUAL_ADJUSTMENT, source, effective_on, about, reason=reason,
        debit=Account.CONTRACTUAL_ADJUSTMENTS, credit=Account.INSURANCE_RECEIVABLE, cents=cents,
    )  # fmt: skip


def transfer_to_patient(
    source: Source, effective_on: date, about: About, *, cents: int, reason: str = ""
) -> NewEntry:
    """Move what the payer leaves to the patient (PR-1, PR-2, PR-3); negative: back again."""
    return _pair(
        EntryKind.TRANSFER_TO_PATIENT, source, effective_on, about, reason=reason,
        debit=Account.PATIENT_RECEIVABLE, credit=Account.INSURANCE_RECEIVABLE, cents=cents,
    )  # fmt: skip


def payer_level(source: Source, effective_on: date, *, cents: int, reason: str) -> NewEntry:
    """
    Book money of a deposit that belongs to no claim: PLB, or a claim that nobody knows.

    :param cents: what it adds to the deposit (the negative of a PLB amount)
    :param reason: the PLB code; `L6` is interest, all others stand between practice and payer
    """
    other = Account.INTEREST if reason == "L6" else Account.PAYER_CLEARING
    lines = (Line(Account.CASH, cents), Line(other, -cents))
    return NewEntry(EntryKind.PAYER_LEVEL, source, effective_on, None, lines, reason)


def patient_payment(
    source: Source, effective_on: date, patient_id: UUID, *,
    cents: int, allocations: Iterable[Allocation],
) -> NewEntry:  # fmt: skip
    """Book a patient's payment. What is not allocated becomes their credit."""
    parts = [part for part in allocations if part.cents]
    rest = cents - sum(part.cents for part in parts)
    if rest < 0 or any(part.cents < 0 for part in parts):
        raise Unbalanced("more was allocated than was paid")
    lines = [Line(Account.CASH, cents), *_pays(parts)]
    if rest:
        lines.append(Line(Account.UNAPPLIED, -rest))
    return NewEntry(EntryKind.PATIENT_PAYMENT, source, effective_on, patient_id, tuple(lines))


def credit_applied(
    source: Source, effective_on: date, patient_id: UUID, *, allocations: Iterable[Allocation]
) -> NewEntry:
    """Pay for visits out of a patient's credit."""
    parts = [part for part in allocations if part.cents]
    total = sum(part.cents for part in parts)
    lines = (Line(Account.UNAPPLIED, total), *_pays(parts))
    return NewEntry(EntryKind.CREDIT_APPLIED, source, effective_on, patient_id, lines)


def credit_released(
    source: Source, effective_on: date, patient_id: UUID, *, allocations: Iterable[Allocation]
) -> NewEntry:
    """Open again what a payment had paid for; its money becomes credit."""
    parts = [part for part in allocations if part.cents]
    total = sum(part.cents for part in parts)
    opened = opposite(_pays(parts))
    lines = (*opened, Line(Account.UNAPPLIED, -total))
    return NewEntry(EntryKind.CREDIT_RELEASED, source, effective_on, patient_id, lines)


def _pays(parts: Iterable[Allocation]) -> list[Line]:
    return [
        Line(
            Account.PATIENT_RECEIVABLE, -part.cents,
            appointment_id=part.appointment_id, service_on=part.service_on,
        )
        for part in parts
    ]  # fmt: skip


def write_off(
    source: Source, effective_on: date, patient_id: UUID, *,
    allocations: Iterable[Allocation], reason: str, reason_code: str = "",
    account: Account = Account.PATIENT_RECEIVABLE,
) -> NewEntry:  # fmt: skip
    """Give up what is owed. :param account: whose debt: the patient's or the payer's"""
    parts = [part for part in allocations if part.cents]
    lines = [
        Line(
            place, sign * part.cents, appointment_id=part.appointment_id, service_on=part.service_on
        )
        for part in parts
        for place, sign in ((Account.WRITE_OFFS, 1), (account, -1))
    ]
    return NewEntry(EntryKind.WRITE_OFF, source, effective_on, patient_id, tuple(lines), reason, reason_code)


def refund(
    source: Source, effective_on: date, patient_id: UUID, *, cents: int, reason: str
) -> NewEntry:
    """Give a patient's credit back."""
    lines = (Line(Account.UNAPPLIED, cents), Line(Account.CASH, -cents))
    return NewEntry(EntryKind.REFUND, source, effective_on, patient_id, lines, reason)


def refund_set_aside(
    source: Source, effective_on: date, patient_id: UUID, *, cents: int, reason: str
) -> NewEntry:
    """Take credit away that is on its way back to a card."""
    lines = (Line(Account.UNAPPLIED, cents), Line(Account.REFUNDS_DUE, -cents))
    return NewEntry(EntryKind.REFUND_SET_ASIDE, source, effective_on, patient_id, lines, reason)


def refund_of_set_aside(
    source: Source, effective_on: date, patient_id: UUID, *, cents: int, reason: str
) -> NewEntry:
    """Book that it is there."""
    lines = (Line(Account.REFUNDS_DUE, cents), Line(Account.CASH, -cents))
    return NewEntry(EntryKind.REFUND, source, effective_on, patient_id, lines, reason)


def processor_fee(source: Source, effective_on: date, *, cents: int) -> NewEntry:
    """Book what a card processor keeps; negative: gives back."""
    lines = (Line(Account.PROCESSOR_FEES, cents), Line(Account.CASH, -cents))
    return NewEntry(EntryKind.PROCESSOR_FEE, source, effective_on, None, lines)


def opposite(lines: Iterable[Line]) -> tuple[Line, ...]:
    """Return the postings that undo these."""
    return tuple(
        Line(line.account, -line.cents, line.appointment_id, line.claim_id, line.service_on)
        for line in lines
    )
