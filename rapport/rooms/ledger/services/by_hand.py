"""What people do to money by hand: each deed checks its permission, and whose money it is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from rapport.kernel.ids import new_uuid, parse_type_id
from rapport.kernel.money import Money, portion
from rapport.kernel.problems import Conflict, FieldError, Invalid, ReferenceNotFound
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.db import sql
from rapport.platform.outbox.emit import emit
from rapport.rooms.ledger import events, queries
from rapport.rooms.ledger.models import Entry, Payment
from rapport.rooms.ledger.rules import entries as book
from rapport.rooms.ledger.rules.balances import OpenItem, allocate
from rapport.rooms.ledger.states import (
    OF_PATIENTS,
    OF_PAYERS,
    Account,
    EntryKind,
    WriteOffReason,
)
from rapport.rooms.roster import queries as roster

from .posting import BooksClosed, NotReversible, Posted, post, reverse


class AlreadyReversed(Conflict):
    code, title = "already-reversed", "The entry was undone before."


class CreditSpent(Conflict):
    code, title = "credit-spent", "The patient's credit is smaller than that."


class MoreThanPaid(Conflict):
    code, title = "more-than-paid", "More would be given back than was paid."


class NothingToApply(Conflict):
    code, title = "nothing-to-apply", "There is no credit, or nothing that it could pay for."


class BalanceChanged(Conflict):
    code, title = "balance-changed", "Another amount is owed by now than was shown."


class MoreThanOwed(Conflict):
    code, title = "more-than-owed", "Less than that is owed."


def record_payment(*, scope: Scope, body: Any, now: datetime) -> Payment:
    """
    Record money that a patient gave: to what is open, the oldest first; the rest is credit.

    :param body: `schemas.BookedPaymentIn`
    :raises ReferenceNotFound: no such patient for this actor
    :raises Invalid: the day lies ahead, or an allocation does not fit
    :raises BooksClosed: the books of the day it was received are closed
    :raises BalanceChanged: another amount is owed by now than whoever pays was shown
    """
    scope.require(Permission.PAYMENTS_WRITE)
    patient = roster.refer_to_patient(
        scope=scope,
        patient_id=_id("patient", body.patient_id, "/patient_id"),
        pointer="/patient_id",
    )
    received_on = body.received_on or scope.day_of(now)
    if received_on > scope.day_of(now):
        raise _fault("/received_on", "in-the-future")
    closed = queries.closed_through(scope=scope)
    if closed is not None and received_on <= closed:
        raise BooksClosed("Use a day after the last closed one.", closed_through=closed.isoformat())
    if body.quoted_balance is not None:
        _hold(scope, patient.id)
        owed = _owed(scope, patient.id)
        if owed != body.quoted_balance.amount:
            raise BalanceChanged("Show it again before it is paid.", owed_cents=owed)
    payment = Payment(
        practice_id=scope.practice_id, patient_id=patient.id, cents=body.amount.amount,
        method=body.method, reference=body.reference or "", received_on=received_on, created_at=now,
    )  # fmt: skip
    keep_payment(scope=scope, payment=payment, chosen=body.allocations, now=now)
    scope.trail.target("payment", payment.id, 1)
    return payment


def keep_payment(
    *, scope: Scope, payment: Payment, chosen: Sequence[Any] | None, now: datetime
) -> None:
    """
    Keep a payment that is not kept yet, book it, and tell of it. The caller has checked the permission.

    :param chosen: what it is for; None: what is open, the oldest first
    """
    _hold(scope, payment.patient_id)
    items = queries.open_items(scope=scope, patient_id=payment.patient_id)
    if chosen is None:
        parts = allocate(payment.cents, items)
    else:
        parts = _chosen(payment.cents, chosen, items)
    entry = book.patient_payment(
        book.Source("payment", payment.id, "received"), payment.received_on, payment.patient_id,
        cents=payment.cents, allocations=parts,
    )  # fmt: skip
    payment.entry_id = post(scope=scope, entry=entry, now=now).entry_id
    payment.save(force_insert=True)
    emit(
        events.PAYMENT_RECORDED, scope=scope, object_type="payment", object_id=payment.id,
        version=1, now=now,
    )  # fmt: skip


def refund_payment(*, scope: Scope, payment_id: UUID, body: Any, now: datetime) -> Payment:
    """
    Give credit back, to the payment it came with.

    Whoever comes second at the same moment waits, and then sees what the first has left.

    :raises NotFound: no such payment for this actor
    :raises MoreThanPaid: the refunds of this payment would exceed it, or it was undone
    :raises CreditSpent: the patient's credit is smaller
    """
    scope.require(Permission.PAYMENTS_REFUND)
    payment = queries.get_payment(scope=scope, payment_id=payment_id)
    _hold(scope, payment.patient_id)
    cents = body.amount.amount
    given_back, _ = queries.refunded(scope=scope, payment_id=payment.id)
    left = payment.cents - given_back
    if queries.is_reversed(scope=scope, entry_id=payment.entry_id):
        left = 0
    if cents > left:
        raise MoreThanPaid("Give back what is left of the payment at most.", left_cents=left)
    _need_credit(scope, payment.patient_id, cents)
    source = _next_source(scope, payment, EntryKind.REFUND, "refund")
    entry = book.refund(
        source, scope.day_of(now), payment.patient_id, cents=cents, reason=body.reason
    )
    post(scope=scope, entry=entry, now=now)
    scope.trail.reason = body.reason
    _tell(scope, payment, events.PAYMENT_REFUNDED, now=now)
    return payment


def allocate_payment(*, scope: Scope, payment_id: UUID, body: Any, now: datetime) -> Payment:
    """
    Let a payment pay for other visits than it did. What it paid before is opened again by an entry.

    :param body: `schemas.AllocateIn`; without allocations: what is open, the oldest first
    :raises NotFound: no such payment for this actor
    :raises AlreadyReversed: the payment was undone
    :raises Invalid: an allocation is not open that far, or they are more than what is left of the payment
    :raises CreditSpent: its credit has paid for something else since
    """
    scope.require(Permission.PAYMENTS_WRITE)
    payment = queries.get_payment(scope=scope, payment_id=payment_id)
    _hold(scope, payment.patient_id)
    if queries.is_reversed(scope=scope, entry_id=payment.entry_id):
        raise AlreadyReversed("A payment that was undone pays for nothing.")
    today = scope.day_of(now)
    before = queries.allocated(scope=scope, payment_id=payment.id)
    if before:
        source = _next_source(scope, payment, EntryKind.CREDIT_RELEASED, "released")
        released = book.credit_released(source, today, payment.patient_id, allocations=before)
        post(scope=scope, entry=released, now=now)
    left = payment.cents - queries.refunded(scope=scope, payment_id=payment.id)[0]
    items = queries.open_items(scope=scope, patient_id=payment.patient_id)
    if body.allocations is None:
        parts = allocate(min(left, _credit(scope, payment.patient_id)), items)
    else:
        parts = _chosen(left, body.allocations, items)
        _need_credit(scope, payment.patient_id, sum(part.cents for part in parts))
    if parts:
        source = _next_source(scope, payment, EntryKind.CREDIT_APPLIED, "allocated")
        applied = book.credit_applied(source, today, payment.patient_id, allocations=parts)
        post(scope=scope, entry=applied, now=now)
    _tell(scope, payment, events.PAYMENT_ALLOCATED, now=now)
    return payment


def _next_source(scope: Scope, payment: Payment, kind: EntryKind, word: str) -> book.Source:
    """Return the source of a payment's next entry of a kind; those that were undone count, so that it is new."""
    before = Entry.objects.visible_to(scope).filter(
        source_kind="payment", source_id=payment.id, kind=kind.value
    )
    return book.Source("payment", payment.id, f"{word}:{before.count() + 1}")


def _tell(scope: Scope, payment: Payment, event: str, *, now: datetime) -> None:
    version = queries.payment_version(scope=scope, payment_id=payment.id)
    scope.trail.target("payment", payment.id, version)
    emit(
        event, scope=scope, object_type="payment", object_id=payment.id, version=version, now=now
    )


def apply_credit(
    *, scope: Scope, patient_id: UUID, now: datetime, chosen: Sequence[Any] | None = None
) -> Posted | None:
    """
    Pay what is open out of a patient's credit.

    :param chosen: what it is to pay for; None: the oldest first
    :return: None when there is no credit, or nothing is open
    :raises Invalid: what was chosen is not open that far, or more than the credit
    """
    scope.require(Permission.PAYMENTS_WRITE)
    _hold(scope, patient_id)
    credit = _credit(scope, patient_id)
    items = queries.open_items(scope=scope, patient_id=patient_id)
    parts = allocate(credit, items) if chosen is None else _chosen(credit, chosen, items)
    if not parts:
        return None
    entry = book.credit_applied(
        book.Source("credit", new_uuid(), "applied"),
        scope.day_of(now),
        patient_id,
        allocations=parts,
    )
    posted = post(scope=scope, entry=entry, now=now)
    scope.trail.target("ledger_entry", posted.entry_id, 1)
    emit(
        events.CREDIT_APPLIED, scope=scope, object_type="ledger_entry", object_id=posted.entry_id,
        version=1, now=now,
    )  # fmt: skip
    return posted


def write_off(*, scope: Scope, body: Any, now: datetime) -> UUID:
    """
    Give up what is owed, the oldest first. It can be undone by reversing the entry.

    :param body: `schemas.WriteOffIn`
    :return: the entry's id
    :raises MoreThanOwed: less than that is open, or nothing is
    :raises Invalid: the reason is none for whose debt it is
    """
    scope.require(Permission.WRITE_OFFS_WRITE)
    patient = roster.refer_to_patient(
        scope=scope,
        patient_id=_id("patient", body.patient_id, "/patient_id"),
        pointer="/patient_id",
    )
    _hold(scope, patient.id)
    account = (
        Account.PATIENT_RECEIVABLE if body.owed_by == "patient" else Account.INSURANCE_RECEIVABLE
    )
    reason = WriteOffReason(body.reason_code)
    if reason not in (OF_PATIENTS if body.owed_by == "patient" else OF_PAYERS):
        raise _fault("/reason_code", "not-for-this-debt")
    items = queries.open_items(scope=scope, patient_id=patient.id, account=account)
    if body.appointment_id is not None:
        wanted = _id("appointment", body.appointment_id, "/appointment_id")
        items = [item for item in items if item.appointment_id == wanted]
    owed = sum(item.open_cents for item in items)
    if body.amount is not None:
        cents = body.amount.amount
    else:
        cents = portion(Money(owed), body.basis_points)[0].cents
    if not 0 < cents <= owed:
        raise MoreThanOwed("Write off what is open at most.", owed_cents=owed)
    entry = book.write_off(
        book.Source("write_off", new_uuid(), "written_off"), scope.day_of(now), patient.id,
        allocations=allocate(cents, items), reason=body.reason, reason_code=reason.value,
        account=account,
    )  # fmt: skip
    id = post(scope=scope, entry=entry, now=now).entry_id
    scope.trail.target("ledger_entry", id, 1)
    scope.trail.reason = body.reason
    emit(
        events.WRITE_OFF_POSTED, scope=scope, object_type="ledger_entry", object_id=id, version=1,
        now=now,
    )  # fmt: skip
    return id


_BY_HAND = {
    EntryKind.WRITE_OFF.value: Permission.WRITE_OFFS_WRITE,
    EntryKind.PATIENT_PAYMENT.value: Permission.PAYMENTS_REFUND,
    EntryKind.REFUND.value: Permission.PAYMENTS_REFUND,
    EntryKind.CREDIT_APPLIED.value: Permission.PAYMENTS_WRITE,
}
"""What people may undo by hand, and the permission that it takes."""


def reverse_by_hand(*, scope: Scope, entry_id: UUID, reason: str, now: datetime) -> UUID:
    """
    Undo an entry that a person made: a write-off, a payment, a refund, an application of credit.

    :return: the id of the reversal
    :raises NotReversible: the entry came from elsewhere (a visit, an 835)
    :raises AlreadyReversed: it was undone before
    :raises CreditSpent: credit that the payment gave has been used since
    :raises MoreThanPaid: part of the payment was given back; undo the refund first
    """
    entry = queries.get_entry(scope=scope, entry_id=entry_id)
    needed = _BY_HAND.get(entry.kind)
    if needed is None or entry.patient_id is None:
        raise NotReversible("It is undone where it came from.")
    scope.require(needed)
    _hold(scope, entry.patient_id)
    if entry.kind != EntryKind.CREDIT_APPLIED.value and queries.is_of_card(scope=scope, entry=entry):
        raise NotReversible("Money that a card processor moved is given back by a refund.")
    if queries.is_reversed(scope=scope, entry_id=entry.id):
        raise AlreadyReversed()
    further = _moved_since(scope, entry)
    # A payment's posting to `unapplied` is negative: undoing it takes that much credit away.
    taken = -sum(
        line.cents
        for one in (entry, *further)
        for line in queries.lines_of(scope=scope, entry_id=one.id)
        if line.account is Account.UNAPPLIED
    )
    if taken > 0:
        _need_credit(scope, entry.patient_id, taken)
    for one in further:
        reverse(scope=scope, entry_id=one.id, now=now, reason=reason)
    posted = reverse(scope=scope, entry_id=entry.id, now=now, reason=reason)
    scope.trail.target("ledger_entry", posted.entry_id, 1)
    scope.trail.reason = reason
    emit(
        events.ENTRY_REVERSED, scope=scope, object_type="ledger_entry", object_id=entry.id,
        version=2, now=now,
    )  # fmt: skip
    return posted.entry_id


def _moved_since(scope: Scope, entry: Entry) -> list[Entry]:
    """
    Return the entries by which a payment came to pay for something else, the last one first.

    :raises MoreThanPaid: there are refunds of it
    """
    if entry.kind != EntryKind.PATIENT_PAYMENT.value:
        return []
    if queries.refunded(scope=scope, payment_id=entry.source_id)[0]:
        raise MoreThanPaid("Undo its refunds first.")
    moved = queries.entries_of(scope=scope, kind="payment", id=entry.source_id)
    return [
        one
        for one in reversed(moved)
        if one.kind in (EntryKind.CREDIT_RELEASED.value, EntryKind.CREDIT_APPLIED.value)
        and not queries.is_reversed(scope=scope, entry_id=one.id)
    ]


def _credit(scope: Scope, patient_id: UUID) -> int:
    return queries.balance(scope=scope, patient_id=patient_id, as_of=date.max).credit_cents


def _owed(scope: Scope, patient_id: UUID) -> int:
    found = queries.balance(scope=scope, patient_id=patient_id, as_of=date.max)
    return found.patient_responsibility_cents


def _need_credit(scope: Scope, patient_id: UUID, cents: int) -> None:
    credit = _credit(scope, patient_id)
    if cents > credit:
        raise CreditSpent(
            "Only credit that pays for nothing can be given back. What pays more than a visit costs becomes credit "
            "when its payment is allocated anew.", credit_cents=credit,
        )


def _hold(scope: Scope, patient_id: UUID) -> None:
    """Make others who decide by this patient's balance wait until this transaction ends."""
    sql.hold(f"ledger:{scope.practice_id}:{patient_id}")


def _id(kind: str, text: str, pointer: str) -> UUID:
    value = parse_type_id(kind, text)
    if value is None:
        raise ReferenceNotFound(
            "A field refers to something that is not here.",
            errors=(FieldError(pointer, "reference-not-found"),),
        )
    return value


def _fault(pointer: str, code: str) -> Invalid:
    return Invalid("1 field is not valid.", errors=(FieldError(pointer, code),))


def _chosen(cents: int, wanted: Sequence[Any], items: Sequence[OpenItem]) -> list[book.Allocation]:
    """Return the allocations a person chose. :raises Invalid: one is not open that far"""
    still = {item.appointment_id: item for item in items}
    parts: list[book.Allocation] = []
    for number, part in enumerate(wanted):
        pointer = f"/allocations/{number}"
        appointment_id = _id("appointment", part.appointment_id, f"{pointer}/appointment_id")
        item = still.pop(appointment_id, None)
        if item is None or part.amount.amount > item.open_cents:
            raise _fault(f"{pointer}/amount", "more-than-owed")
        parts.append(book.Allocation(appointment_id, part.amount.amount, item.service_on))
    if sum(part.cents for part in parts) > cents:
        raise _fault("/allocations", "more-than-paid")
    return parts
