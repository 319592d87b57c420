"""
What cards paid, for the room that charges them: it has checked the permission its own deed needs.

Money that a processor took is booked whatever has changed since it was asked for: on a day whose books
are open, and to what is still open then.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from rapport.platform.access.scope import Scope
from rapport.platform.outbox.emit import emit
from rapport.rooms.ledger import events, queries
from rapport.rooms.ledger.models import Payment
from rapport.rooms.ledger.rules import entries as book
from rapport.rooms.ledger.rules.balances import allocate
from rapport.rooms.ledger.states import EntryKind, PaymentMethod

from . import by_hand
from .posting import post, reverse


def hold_patient(*, scope: Scope, patient_id: UUID, quoted_cents: int | None = None) -> int:
    """
    Make others who decide by this patient's balance wait until this transaction ends.

    :return: what the patient owes, in cents
    :raises BalanceChanged: that is not what was quoted
    """
    by_hand._hold(scope, patient_id)
    owed = by_hand._owed(scope, patient_id)
    if quoted_cents is not None and owed != quoted_cents:
        raise by_hand.BalanceChanged("Show it again before it is paid.", owed_cents=owed)
    return owed


def check_chosen(
    *, scope: Scope, patient_id: UUID, cents: int, chosen: Sequence[Any] | None
) -> list[list[Any]] | None:
    """
    Return what a payment is to pay for as [[appointment id, cents]]; None: the oldest first.

    :raises Invalid: it is not open that far
    """
    if chosen is None:
        return None
    items = queries.open_items(scope=scope, patient_id=patient_id)
    parts = by_hand._chosen(cents, chosen, items)
    return [[str(part.appointment_id), part.cents] for part in parts]


def book_card_payment(
    *, scope: Scope, payment_id: UUID, patient_id: UUID, cents: int, wanted: list[list[Any]] | None, now: datetime
) -> UUID:
    """Book what a card paid, once. :return: the entry's id"""
    by_hand._hold(scope, patient_id)
    before = queries.entry_by_source(scope=scope, kind="payment", id=payment_id, line="received")
    if before is not None:
        return before.id
    items = queries.open_items(scope=scope, patient_id=patient_id)
    if wanted is None:
        parts = allocate(cents, items)
    else:
        still = {str(item.appointment_id): item for item in items}
        parts = [
            book.Allocation(still[visit].appointment_id, min(part, still[visit].open_cents), still[visit].service_on)
            for visit, part in wanted
            if visit in still
        ]
    payment = Payment(
        id=payment_id, practice_id=scope.practice_id, patient_id=patient_id, cents=cents,
        method=PaymentMethod.CARD.value, received_on=open_day(scope=scope, now=now), created_at=now,
    )  # fmt: skip
    entry = book.patient_payment(
        book.Source("payment", payment_id, "received"), payment.received_on, patient_id,
        cents=cents, allocations=parts,
    )  # fmt: skip
    payment.entry_id = post(scope=scope, entry=entry, now=now).entry_id
    payment.save(force_insert=True)
    emit(events.PAYMENT_RECORDED, scope=scope, object_type="payment", object_id=payment_id, version=1, now=now)
    return payment.entry_id


def open_day(*, scope: Scope, now: datetime) -> date:
    """Return today in the practice, or the first day after those whose books are closed."""
    today, closed = scope.day_of(now), queries.closed_through(scope=scope)
    return today if closed is None else max(today, closed + timedelta(days=1))


def set_aside_refund(
    *, scope: Scope, payment_id: UUID, refund_id: UUID, cents: int, under_way_cents: int, reason: str, now: datetime
) -> None:
    """
    Take credit away that is to go back to the card, so that nothing else spends it meanwhile.

    :param under_way_cents: of the same payment, set aside before and not given back yet
    :raises MoreThanPaid: it is more than what is left of the payment
    :raises CreditSpent: the patient's credit is smaller
    """
    payment = queries.get_payment(scope=scope, payment_id=payment_id)
    by_hand._hold(scope, payment.patient_id)
    left = payment.cents - queries.refunded(scope=scope, payment_id=payment_id)[0] - under_way_cents
    if queries.is_reversed(scope=scope, entry_id=payment.entry_id):
        left = 0
    if cents > left:
        raise by_hand.MoreThanPaid("Give back what is left of the payment at most.", left_cents=left)
    by_hand._need_credit(scope, payment.patient_id, cents)
    entry = book.refund_set_aside(
        book.Source("card_refund", refund_id, "set_aside"), open_day(scope=scope, now=now), payment.patient_id,
        cents=cents, reason=reason,
    )  # fmt: skip
    post(scope=scope, entry=entry, now=now)


def pay_out_refund(
    *, scope: Scope, payment_id: UUID, refund_id: UUID, cents: int, reason: str, now: datetime
) -> None:
    """Book that what was set aside has gone back to the card."""
    payment = queries.get_payment(scope=scope, payment_id=payment_id)
    entry = book.refund_of_set_aside(
        book.Source("payment", payment_id, f"card_refund:{refund_id}"), open_day(scope=scope, now=now),
        payment.patient_id, cents=cents, reason=reason,
    )  # fmt: skip
    post(scope=scope, entry=entry, now=now)
    by_hand._tell(scope, payment, events.PAYMENT_REFUNDED, now=now)


def release_refund(*, scope: Scope, payment_id: UUID, refund_id: UUID, now: datetime) -> None:
    """Make credit again of what was set aside, and of what the bank sent back."""
    paid_out = f"card_refund:{refund_id}"
    for kind, id, line in (("payment", payment_id, paid_out), ("card_refund", refund_id, "set_aside")):
        entry = queries.entry_by_source(scope=scope, kind=kind, id=id, line=line)
        if entry is not None:
            reverse(
                scope=scope, entry_id=entry.id, now=now, reason="refund_failed",
                effective_on=open_day(scope=scope, now=now),
            )  # fmt: skip


def charge_back(*, scope: Scope, payment_id: UUID, now: datetime) -> None:
    """Undo a payment that the bank took back: what it paid is owed again."""
    payment = queries.get_payment(scope=scope, payment_id=payment_id)
    by_hand._hold(scope, payment.patient_id)
    kinds = (EntryKind.PATIENT_PAYMENT.value, EntryKind.CREDIT_RELEASED.value, EntryKind.CREDIT_APPLIED.value)
    for entry in reversed(queries.entries_of(scope=scope, kind="payment", id=payment_id)):
        if entry.kind in kinds and not queries.is_reversed(scope=scope, entry_id=entry.id):
            reverse(
                scope=scope, entry_id=entry.id, now=now, reason="charged_back",
                effective_on=open_day(scope=scope, now=now),
            )  # fmt: skip


def book_processor_fee(*, scope: Scope, kind: str, id: UUID, cents: int, now: datetime) -> None:
    """Book what a card processor keeps, once per source; negative: it gives a fee back."""
    entry = book.processor_fee(
        book.Source(kind, id, "processor_fee"), open_day(scope=scope, now=now), cents=cents
    )
    post(scope=scope, entry=entry, now=now)
