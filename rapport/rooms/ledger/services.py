"""
What can be done to the ledger. Entries are added; nothing is ever changed or removed.

`post` is the door for rooms above (claims, remittance): it checks no permission, because the
caller has checked the one that the deed needs. What people do by hand checks its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from rapport.kernel.ids import new_uuid, parse_type_id
from rapport.kernel.problems import Conflict, FieldError, Invalid, ReferenceNotFound
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.db import sql
from rapport.platform.outbox.emit import emit
from rapport.rooms.roster import queries as roster

from . import events, queries
from .bulk import post_many, reverse_many, same_as_before
from .models import Entry, Payment, Posting
from .problems import NotReversible, PostedDifferently
from .rules import entries as book
from .rules.balances import OpenItem, allocate
from .states import Account, EntryKind

__all__ = [
    "AlreadyReversed",
    "CreditSpent",
    "MoreThanOwed",
    "MoreThanPaid",
    "NotReversible",
    "Posted",
    "PostedDifferently",
    "apply_credit",
    "keep_payment",
    "post",
    "post_charge",
    "post_many",
    "record_payment",
    "refund_payment",
    "reverse",
    "reverse_by_hand",
    "reverse_many",
    "write_off",
]


class AlreadyReversed(Conflict):
    code, title = "already-reversed", "The entry was undone before."


class CreditSpent(Conflict):
    code, title = "credit-spent", "The patient's credit is smaller than that."


class MoreThanPaid(Conflict):
    code, title = "more-than-paid", "More would be given back than was paid."


class MoreThanOwed(Conflict):
    code, title = "more-than-owed", "Less than that is owed."


@dataclass(frozen=True, slots=True)
class Posted:
    """An entry that is in the ledger."""

    entry_id: UUID
    created: bool
    """False: this source had been posted before, and nothing was added."""


_INSERT = """
INSERT INTO ledger_entry (practice_id, id, kind, patient_id, effective_on, recorded_at, source_kind,
    source_id, source_line, lines, reverses_id, reason, actor_type, actor_id)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT DO NOTHING
"""


def post(*, scope: Scope, entry: book.NewEntry, now: datetime) -> Posted:
    """
    Add an entry, once per source; posting the same source again adds nothing.

    :raises PostedDifferently: the source was posted before with other lines
    """
    return _post(scope, entry, now=now, reverses=None)


def _post(scope: Scope, entry: book.NewEntry, *, now: datetime, reverses: UUID | None) -> Posted:
    id = new_uuid()
    source = entry.source
    added = sql.run(
        _INSERT,
        (
            scope.practice_id, id, entry.kind.value, entry.patient_id, entry.effective_on, now,
            source.kind, source.id, source.line, len(entry.lines), reverses, entry.reason,
            scope.actor_type, scope.actor_id,
        ),
    )  # fmt: skip
    if entry.patient_id is not None:
        scope.trail.patient_ids.add(entry.patient_id)
    if not added:
        return Posted(same_as_before(scope, entry), created=False)
    Posting.objects.bulk_create(
        Posting(
            practice_id=scope.practice_id,
            entry_id=id,
            line=number,
            account=line.account.value,
            cents=line.cents,
            patient_id=entry.patient_id,
            effective_on=entry.effective_on,
            service_on=line.service_on,
            appointment_id=line.appointment_id,
            claim_id=line.claim_id,
        )
        for number, line in enumerate(entry.lines, start=1)
    )
    return Posted(id, created=True)


def reverse(
    *,
    scope: Scope,
    entry_id: UUID,
    now: datetime,
    reason: str = "",
    effective_on: date | None = None,
) -> Posted:
    """
    Undo an entry by its exact opposite. An entry is undone once: again adds nothing.

    :param effective_on: the day the opposite counts from; None: today in the practice
    :raises NotFound: no such entry for this actor
    :raises NotReversible: it is itself a reversal; post the right entry anew instead
    """
    entry = queries.get_entry(scope=scope, entry_id=entry_id)
    if entry.kind == EntryKind.REVERSAL.value:
        raise NotReversible("A reversal stays. Post the right entry anew.")
    undo = book.NewEntry(
        EntryKind.REVERSAL,
        book.Source("ledger_entry", entry.id, "reversal"),
        effective_on or scope.day_of(now),
        entry.patient_id,
        book.opposite(queries.lines_of(scope=scope, entry_id=entry.id)),
        reason,
    )
    return _post(scope, undo, now=now, reverses=entry.id)


def post_charge(
    *,
    scope: Scope,
    appointment_id: UUID,
    patient_id: UUID,
    service_on: date,
    patient_cents: int,
    insurance_cents: int,
    now: datetime,
    line: str = "charge",
) -> Posted:
    """
    Charge for a visit that took place. The same visit and line are charged once.

    :param patient_cents: what the patient owes at once (copay, or all of it)
    :param insurance_cents: what their payer is asked for
    :param line: which charge of the visit: `charge`, `fee:no_show`, …
    """
    entry = book.charge(
        book.Source("appointment", appointment_id, line),
        service_on,
        book.About(patient_id, appointment_id, service_on=service_on),
        patient_cents=patient_cents,
        insurance_cents=insurance_cents,
    )
    return post(scope=scope, entry=entry, now=now)


def record_payment(*, scope: Scope, body: Any, now: datetime) -> Payment:
    """
    Record money that a patient gave: to what is open, the oldest first; the rest is credit.

    :param body: `schemas.PaymentIn`
    :raises ReferenceNotFound: no such patient for this actor
    :raises Invalid: the day lies ahead, or an allocation does not fit
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
    given_back, times = queries.refunded(scope=scope, payment_id=payment.id)
    left = payment.cents - given_back
    if queries.is_reversed(scope=scope, entry_id=payment.entry_id):
        left = 0
    if cents > left:
        raise MoreThanPaid("Give back what is left of the payment at most.", left_cents=left)
    _need_credit(scope, payment.patient_id, cents)
    # Counts undone refunds too, so that the next line is always new.
    number = Entry.objects.visible_to(scope).filter(
        source_kind="payment", source_id=payment.id, kind=EntryKind.REFUND.value
    ).count() + 1  # fmt: skip
    entry = book.refund(
        book.Source("payment", payment.id, f"refund:{number}"), scope.day_of(now),
        payment.patient_id, cents=cents, reason=body.reason,
    )  # fmt: skip
    post(scope=scope, entry=entry, now=now)
    scope.trail.target("payment", payment.id, times + 2)
    scope.trail.reason = body.reason
    emit(
        events.PAYMENT_REFUNDED, scope=scope, object_type="payment", object_id=payment.id,
        version=times + 2, now=now,
    )  # fmt: skip
    return payment


def apply_credit(*, scope: Scope, patient_id: UUID, now: datetime) -> Posted | None:
    """
    Pay what is open out of a patient's credit, the oldest first.

    :return: None when there is no credit, or nothing is open
    """
    scope.require(Permission.PAYMENTS_WRITE)
    _hold(scope, patient_id)
    credit = queries.balance(scope=scope, patient_id=patient_id, as_of=date.max).credit_cents
    parts = allocate(credit, queries.open_items(scope=scope, patient_id=patient_id))
    if not parts:
        return None
    entry = book.credit_applied(
        book.Source("credit", new_uuid(), "applied"),
        scope.day_of(now),
        patient_id,
        allocations=parts,
    )
    return post(scope=scope, entry=entry, now=now)


def write_off(*, scope: Scope, body: Any, now: datetime) -> UUID:
    """
    Give up what is owed, the oldest first. It can be undone by reversing the entry.

    :param body: `schemas.WriteOffIn`
    :return: the entry's id
    :raises MoreThanOwed: less than that is open
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
    items = queries.open_items(scope=scope, patient_id=patient.id, account=account)
    if body.appointment_id is not None:
        wanted = _id("appointment", body.appointment_id, "/appointment_id")
        items = [item for item in items if item.appointment_id == wanted]
    owed = sum(item.open_cents for item in items)
    if body.amount.amount > owed:
        raise MoreThanOwed("Write off what is open at most.", owed_cents=owed)
    entry = book.write_off(
        book.Source("write_off", new_uuid(), "written_off"), scope.day_of(now), patient.id,
        allocations=allocate(body.amount.amount, items), reason=body.reason, account=account,
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
    """
    entry = queries.get_entry(scope=scope, entry_id=entry_id)
    needed = _BY_HAND.get(entry.kind)
    if needed is None or entry.patient_id is None:
        raise NotReversible("It is undone where it came from.")
    scope.require(needed)
    _hold(scope, entry.patient_id)
    # A payment's posting to `unapplied` is negative: undoing it takes that much credit away.
    lines = queries.lines_of(scope=scope, entry_id=entry.id)
    taken = -sum(line.cents for line in lines if line.account is Account.UNAPPLIED)
    if queries.is_reversed(scope=scope, entry_id=entry.id):
        raise AlreadyReversed()
    if taken > 0:
        _need_credit(scope, entry.patient_id, taken)
    posted = reverse(scope=scope, entry_id=entry.id, now=now, reason=reason)
    scope.trail.target("ledger_entry", posted.entry_id, 1)
    scope.trail.reason = reason
    emit(
        events.ENTRY_REVERSED, scope=scope, object_type="ledger_entry", object_id=entry.id,
        version=2, now=now,
    )  # fmt: skip
    return posted.entry_id


def _need_credit(scope: Scope, patient_id: UUID, cents: int) -> None:
    credit = queries.balance(scope=scope, patient_id=patient_id, as_of=date.max).credit_cents
    if cents > credit:
        raise CreditSpent(
            "Only credit that pays for nothing can be given back.", credit_cents=credit
        )


def _hold(scope: Scope, patient_id: UUID) -> None:
    """Make others who decide by this patient's balance wait until this transaction ends."""
    sql.one(
        "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
        (f"ledger:{scope.practice_id}:{patient_id}",),
    )


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
