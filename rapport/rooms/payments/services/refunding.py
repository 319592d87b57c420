"""
Giving money back to the card that paid.

The credit is set aside when the refund is asked for, so that it is not spent meanwhile; the ledger calls
it refunded once the processor has done it. A refund that is refused, or bounces, is credit again.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.jobs import registry as jobs
from rapport.platform.outbox.emit import emit
from rapport.rooms.ledger import services as ledger
from rapport.rooms.payments import events, queries
from rapport.rooms.payments.models import Charge, Refund
from rapport.rooms.payments.ports import InDoubt, Later, NotThere, RefundAsk, Refused, Taken
from rapport.rooms.payments.states import ChargeState, RefundState

from .charging import DOUBT_RETRY, KEY_LIVES, LEASE, Sending
from .problems import NotRefundable


def ask_refund(*, scope: Scope, charge: Charge, body: Any, now: datetime) -> Refund:
    """
    Give credit back to the card it came from.

    :param body: `schemas.RefundIn`
    :raises NotRefundable: nothing was taken, or it is contested
    :raises ledger.MoreThanPaid: its refunds, those under way counted, would exceed it
    :raises ledger.CreditSpent: the patient's credit is smaller
    """
    scope.require(Permission.PAYMENTS_REFUND)
    if charge.state != ChargeState.SUCCEEDED:
        raise NotRefundable(current_state=charge.state)
    ledger.hold_patient(scope=scope, patient_id=charge.patient_id)
    refund = Refund(
        practice_id=scope.practice_id, charge=charge, patient_id=charge.patient_id,
        cents=body.amount.amount, reason=body.reason, created_at=now, updated_at=now,
    )  # fmt: skip
    ledger.set_aside_refund(
        scope=scope, payment_id=charge.id, refund_id=refund.id, cents=refund.cents, reason=body.reason,
        under_way_cents=queries.refunds_under_way(scope=scope, charge_id=charge.id), now=now,
    )  # fmt: skip
    refund.save(force_insert=True)
    jobs.defer("payments.send_refund", scope, queueing_lock=f"refund:{refund.id}", refund_id=refund.id)
    scope.trail.target("payment", charge.id, charge.version)
    scope.trail.reason = body.reason
    return refund


def begin_refund(*, scope: Scope, refund_id: UUID, now: datetime) -> Sending | None:
    """As `begin_charge`."""
    refund = Refund.objects.visible_to(scope).select_for_update().filter(id=refund_id).first()
    if refund is None or refund.state not in queries.OPEN:
        return None
    if (refund.retry_at and refund.retry_at > now) or (refund.leased_until and refund.leased_until > now):
        return None
    charge = queries.find_charge(scope=scope, charge_id=refund.charge_id)
    assert charge is not None
    look_first = refund.state != RefundState.QUEUED
    if not look_first:
        if now > refund.created_at + KEY_LIVES:
            late = Refused("never-left", "The processor could not be reached for a day. Nothing was given back.")
            _fail(scope, refund, late, now=now)
            return None
        refund.move(
            RefundState.SENDING, at=now, fence=refund.fence, leased_until=now + LEASE, over=False,
            first_sent_at=refund.first_sent_at or now,
        )  # fmt: skip
    Refund.objects.visible_to(scope).filter(id=refund.id).update(
        fence=refund.fence + 1, leased_until=now + LEASE
    )
    ask = refund_ask(refund=refund, receipt=charge.receipt)
    return Sending(refund.id, refund.fence + 1, look_first, charge.processor_id, ask)


def refund_ask(*, refund: Refund, receipt: str) -> RefundAsk:
    """Return how the processor is asked for a refund, or about one. :param receipt: of its charge"""
    return RefundAsk(
        key=f"refund-{refund.id}-{refund.key_number}", mark=str(refund.id), receipt=receipt, cents=refund.cents
    )


def record_refund(
    *, scope: Scope, sending: Sending, answer: Taken | Refused | Later | InDoubt | NotThere, now: datetime
) -> Refund | None:
    """
    Write down what the processor said of a refund, or of a look-up of one.

    :return: None when another worker has taken it since
    """
    refund: Refund | None = (
        Refund.objects.visible_to(scope).select_for_update()
        .filter(id=sending.id, fence=sending.fence, state__in=queries.OPEN).first()
    )  # fmt: skip
    if refund is None:
        return None
    scope.trail.patient_ids.add(refund.patient_id)
    match answer:
        case Taken():
            ledger.pay_out_refund(
                scope=scope, payment_id=refund.charge_id, refund_id=refund.id, cents=refund.cents,
                reason=refund.reason, now=now,
            )  # fmt: skip
            refund.move(
                RefundState.SUCCEEDED, at=now, receipt=answer.receipt[:100], leased_until=None, retry_at=None
            )
        case Refused():
            _fail(scope, refund, answer, now=now)
        case Later():
            wait = timedelta(seconds=answer.retry_after_seconds)
            refund.move(RefundState.QUEUED, at=now, leased_until=None, retry_at=now + wait)
        case NotThere():
            number = refund.key_number + int(refund.over)
            refund.move(RefundState.QUEUED, at=now, leased_until=None, retry_at=None, key_number=number)
        case InDoubt():
            over = answer.over if not sending.look_first else refund.over
            values: dict[str, Any] = {"leased_until": None, "retry_at": now + DOUBT_RETRY, "over": over}
            if not refund.move(RefundState.IN_DOUBT, at=now, **values):
                Refund.objects.visible_to(scope).filter(id=refund.id).update(**values)
    refund.refresh_from_db()
    return refund


def bounced(*, scope: Scope, refund_id: UUID, answer: Refused, now: datetime) -> None:
    """Make credit again of a refund that the processor had done and the bank sent back."""
    refund = Refund.objects.visible_to(scope).select_for_update().filter(id=refund_id).first()
    if refund is not None and refund.state == RefundState.SUCCEEDED:
        _fail(scope, refund, answer, now=now)


def _fail(scope: Scope, refund: Refund, refused: Refused, *, now: datetime) -> None:
    ledger.release_refund(scope=scope, refund_id=refund.id, payment_id=refund.charge_id, now=now)
    refund.move(
        RefundState.FAILED, at=now, leased_until=None, retry_at=None,
        decline_code=refused.code[:60], decline_words=refused.words[:200],
    )  # fmt: skip
    emit(
        events.REFUND_FAILED, scope=scope, object_type="payment", object_id=refund.charge_id,
        version=refund.version, now=now, changed=["card_refunds"],
    )  # fmt: skip
