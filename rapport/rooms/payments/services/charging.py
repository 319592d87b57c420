"""
Charging a card: the state is committed before the socket opens.

ask_charge (commit) -> begin_charge (commit) -> the driver, outside any transaction -> record_charge
(commit). A worker that dies in between leaves `sending`; the next one looks the charge up by our mark
before it asks for anything again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from rapport.kernel.problems import FieldError, ReferenceNotFound
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.jobs import registry as jobs
from rapport.platform.outbox.emit import emit
from rapport.rooms.ledger import services as ledger
from rapport.rooms.payments import events, queries
from rapport.rooms.payments.models import Card, Charge
from rapport.rooms.payments.ports import ChargeAsk, InDoubt, Later, NotThere, Refused, Taken
from rapport.rooms.payments.states import CardState, ChargeState
from rapport.rooms.roster import queries as roster

from .cards import refer
from .problems import CardNotUsable, ChargeUnderWay, NoProcessor

LEASE = timedelta(seconds=60)
"""Longer than any driver waits. A worker that is silent for longer is taken for dead."""
DOUBT_RETRY = timedelta(seconds=30)
"""How soon a charge is looked up again when the processor could not say."""
KEY_LIVES = timedelta(hours=24)
"""A charge that has not left after that is given up: who waits that long has paid in another way."""


@dataclass(frozen=True, slots=True)
class Sending:
    """What a worker needs for one try, outside any transaction."""

    id: UUID
    fence: int
    look_first: bool
    """Money may have moved already: look it up, and ask only if it has not."""
    processor_id: UUID
    ask: Any
    """`ports.ChargeAsk` or `ports.RefundAsk`."""


def ask_charge(*, scope: Scope, body: Any, now: datetime) -> Charge:
    """
    Charge a card on file. It is done by a worker; until then the payment is pending.

    :param body: `schemas.PaymentIn` with method `card`
    :raises NoProcessor: or CardNotUsable, ChargeUnderWay: it cannot be asked for now
    :raises ledger.BalanceChanged: another amount is owed by now than whoever pays was shown
    :raises Invalid: an allocation does not fit
    """
    scope.require(Permission.PAYMENTS_WRITE)
    patient = roster.refer_to_patient(
        scope=scope, patient_id=refer(kind="patient", text=body.patient_id, pointer="/patient_id"), pointer="/patient_id"
    )
    card = Card.objects.visible_to(scope).filter(
        id=refer(kind="card", text=body.card_id, pointer="/card_id"), patient_id=patient.id
    ).first()  # fmt: skip
    if card is None:
        raise ReferenceNotFound(
            "A field refers to something that is not here.",
            errors=(FieldError("/card_id", "reference-not-found"),),
        )
    ledger.hold_patient(
        scope=scope, patient_id=patient.id,
        quoted_cents=None if body.quoted_balance is None else body.quoted_balance.amount,
    )  # fmt: skip
    wanted = ledger.check_chosen(
        scope=scope, patient_id=patient.id, cents=body.amount.amount, chosen=body.allocations
    )
    return start_charge(scope=scope, card=card, cents=body.amount.amount, wanted=wanted, now=now)


def start_charge(
    *, scope: Scope, card: Card, cents: int, wanted: list[list[Any]] | None, now: datetime,
    planned_id: UUID | None = None,
) -> Charge:  # fmt: skip
    """
    Queue a charge. The caller holds the patient's balance (`ledger.hold_patient`), so that of two one comes first.

    :raises NoProcessor: or CardNotUsable, ChargeUnderWay
    """
    processor = queries.active_processor(scope=scope)
    if processor is None:
        raise NoProcessor()
    if card.state != CardState.ACTIVE or card.processor_id != processor.id:
        raise CardNotUsable(current_state=card.state)
    if queries.under_way(scope=scope, patient_id=card.patient_id) is not None:
        raise ChargeUnderWay("Wait until it is settled: it may have paid this already.")
    charge = Charge(
        practice_id=scope.practice_id, patient_id=card.patient_id, card=card, processor=processor,
        cents=cents, asked_on=scope.day_of(now), wanted=wanted, planned_id=planned_id,
        created_at=now, updated_at=now,
    )  # fmt: skip
    charge.save(force_insert=True)
    jobs.defer("payments.send_charge", scope, queueing_lock=f"charge:{charge.id}", charge_id=charge.id)
    scope.trail.target("payment", charge.id, charge.version)
    scope.trail.patient_ids.add(charge.patient_id)
    _tell(events.PAYMENT_PENDING, scope, charge, now)
    return charge


def begin_charge(*, scope: Scope, charge_id: UUID, now: datetime) -> Sending | None:
    """
    Take a charge for one try, and write that down. Commit before calling the driver.

    :return: None when there is nothing to do: settled, not yet due, or another is at it
    """
    charge = queries.find_charge(scope=scope, charge_id=charge_id, lock=True)
    if charge is None or charge.state not in queries.OPEN:
        return None
    if (charge.retry_at and charge.retry_at > now) or (charge.leased_until and charge.leased_until > now):
        return None
    card = queries.get_card(scope=scope, card_id=charge.card_id)
    look_first = charge.state != ChargeState.QUEUED
    if not look_first:
        stop = _not_any_more(charge, card, now)
        if stop is not None:
            _fail(scope, charge, stop, now=now, fence=None)
            return None
        charge.move(
            ChargeState.SENDING, at=now, fence=charge.fence, leased_until=now + LEASE, over=False,
            first_sent_at=charge.first_sent_at or now,
        )  # fmt: skip
    Charge.objects.visible_to(scope).filter(id=charge.id).update(
        fence=charge.fence + 1, leased_until=now + LEASE
    )
    ask = ChargeAsk(
        key=f"charge-{charge.id}-{charge.key_number}", mark=str(charge.id), payer=card.payer_ref,
        method=card.method_ref, cents=charge.cents, since=charge.first_sent_at or now,
    )  # fmt: skip
    return Sending(charge.id, charge.fence + 1, look_first, charge.processor_id, ask)


def _not_any_more(charge: Charge, card: Card, now: datetime) -> Refused | None:
    """Return why a charge that waits to leave is not to leave any more."""
    if card.state != CardState.ACTIVE:
        return Refused("card-removed", "The card was removed before it was charged.")
    if now > charge.created_at + KEY_LIVES:
        return Refused("never-left", "The processor could not be reached for a day. Nothing was taken.", again=True)
    return None


def record_charge(
    *, scope: Scope, sending: Sending, answer: Taken | Refused | Later | InDoubt, now: datetime
) -> Charge | None:
    """
    Write down what the processor said of a charge; book it if it took the money.

    :return: None when another worker has taken the charge since: then nothing is written
    """
    charge = _locked(scope, sending)
    if charge is None:
        return None
    if isinstance(answer, Taken):
        settle_taken(scope=scope, charge=charge, taken=answer, now=now)
    elif isinstance(answer, Refused):
        _fail(scope, charge, answer, now=now, fence=sending.fence)
    elif isinstance(answer, Later):
        charge.move(
            ChargeState.QUEUED, at=now, fence=sending.fence, leased_until=None,
            retry_at=now + timedelta(seconds=answer.retry_after_seconds),
        )  # fmt: skip
    else:
        _doubt(scope, charge, over=answer.over, fence=sending.fence, now=now)
    return charge


def resolve_charge(
    *, scope: Scope, sending: Sending, answer: Taken | Refused | NotThere | InDoubt, now: datetime
) -> Charge | None:
    """
    Write down what the look-up said.

    Not there: it may be asked for again with the same key, so that a call that is still on its way cannot
    make two of it. Only where the processor had ended the call is the key a new one: the old one would
    answer its failure for ever.
    """
    charge = _locked(scope, sending)
    if charge is None:
        return None
    if isinstance(answer, Taken):
        settle_taken(scope=scope, charge=charge, taken=answer, now=now)
    elif isinstance(answer, Refused):
        _fail(scope, charge, answer, now=now, fence=sending.fence)
    elif isinstance(answer, NotThere):
        charge.move(
            ChargeState.QUEUED, at=now, fence=sending.fence, leased_until=None, retry_at=None,
            key_number=charge.key_number + int(charge.over),
        )  # fmt: skip
    else:
        _doubt(scope, charge, over=charge.over, fence=sending.fence, now=now)
    return charge


def settle_taken(*, scope: Scope, charge: Charge, taken: Taken, now: datetime) -> None:
    """Book a charge that the processor took. The caller holds the row; done twice it is done once."""
    if charge.state not in queries.OPEN:
        return
    entry_id = ledger.book_card_payment(
        scope=scope, payment_id=charge.id, patient_id=charge.patient_id, cents=charge.cents,
        wanted=charge.wanted, now=now,
    )  # fmt: skip
    charge.move(
        ChargeState.SUCCEEDED, at=now, receipt=taken.receipt[:100], entry_id=entry_id, settled_at=now,
        leased_until=None, retry_at=None, over=False,
    )  # fmt: skip
    if taken.fee_cents is not None:
        note_fee(scope=scope, charge=charge, cents=taken.fee_cents, now=now)


def note_fee(*, scope: Scope, charge: Charge, cents: int, now: datetime) -> None:
    """Book what the processor keeps of a charge, once."""
    if charge.fee_cents is not None:
        return
    if cents:
        ledger.book_processor_fee(scope=scope, kind="card_fee", id=charge.id, cents=cents, now=now)
    Charge.objects.visible_to(scope).filter(id=charge.id, fee_cents=None).update(fee_cents=cents)
    charge.fee_cents = cents


def _doubt(scope: Scope, charge: Charge, *, over: bool, fence: int, now: datetime) -> None:
    values = {"leased_until": None, "retry_at": now + DOUBT_RETRY, "over": over}
    if charge.state == ChargeState.SENDING:
        if charge.move(ChargeState.IN_DOUBT, at=now, fence=fence, **values):
            _tell(events.PAYMENT_IN_DOUBT, scope, charge, now)
    else:
        Charge.objects.visible_to(scope).filter(id=charge.id, fence=fence).update(**values)
        charge.refresh_from_db()


def _fail(scope: Scope, charge: Charge, refused: Refused, *, now: datetime, fence: int | None) -> None:
    moved = charge.move(
        ChargeState.FAILED, at=now, fence=fence, leased_until=None, retry_at=None, settled_at=now,
        decline_code=refused.code[:60], decline_words=refused.words[:200], decline_again=refused.again,
    )  # fmt: skip
    if moved:
        _tell(events.PAYMENT_FAILED, scope, charge, now)


def _locked(scope: Scope, sending: Sending) -> Charge | None:
    row: Charge | None = (
        Charge.objects.visible_to(scope).select_for_update()
        .filter(id=sending.id, fence=sending.fence, state__in=queries.OPEN).first()
    )  # fmt: skip
    if row is not None:
        scope.trail.patient_ids.add(row.patient_id)
    return row


def _tell(event: str, scope: Scope, charge: Charge, now: datetime) -> None:
    emit(
        event, scope=scope, object_type="payment", object_id=charge.id, version=charge.version, now=now,
        changed=["state"],
    )  # fmt: skip
