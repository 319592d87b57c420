"""Payments: recorded, or charged to a card; and what is given back."""

from __future__ import annotations

import time
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone

from rapport.kernel.ids import type_id
from rapport.kernel.problems import NotFound
from rapport.platform.access.permissions import Permission
from rapport.platform.api import etags
from rapport.platform.api.lists import Filter, ListSpec, Sort
from rapport.platform.api.router import ScopedRequest, render
from rapport.platform.api.shapes import Answer, path_id
from rapport.platform.db import sql
from rapport.platform.db.session import entered
from rapport.rooms.ledger import examples as ledger_examples
from rapport.rooms.ledger import schemas as ledger_shapes
from rapport.rooms.ledger import services as ledger
from rapport.rooms.payments import examples, queries, services
from rapport.rooms.payments import schemas as s

from .base import router

MOST_SECONDS = 20
"""How long a call with `Prefer: wait` waits for the processor's answer."""

_PAYMENT = f"SELECT {s.PAYMENT_COLUMNS} FROM {s.PAYMENT_SOURCE} WHERE y.practice_id = %s AND y.id = %s"  # noqa: S608 - constants


def _payment(request: ScopedRequest, id: UUID) -> Answer:
    row = sql.one(_PAYMENT, (request.auth.practice_id, id))
    if row is None:
        raise NotFound(_sought=[("payment", id)])
    shape = s.payment_out(row, request.auth)
    request.auth.trail.target("payment", id, shape.version)
    request.auth.trail.patient_ids.add(row[1])
    return Answer(shape, etag=etags.of(id, shape.version))


def _settled(request: ScopedRequest, id: UUID, status: int) -> HttpResponse | None:
    """Wait until a charge is settled, outside of any transaction, and show it as it then is."""
    until = time.monotonic() + MOST_SECONDS
    while time.monotonic() < until:
        with entered(request.auth):
            charge = queries.find_charge(scope=request.auth, charge_id=id)
            if charge is None or charge.state not in queries.OPEN:
                return render(_payment(request, id), request=request, status=status)
        time.sleep(0.2)
    return None


def _waits(request: ScopedRequest) -> bool:
    preferred = (request.headers.get("Prefer") or "").lower().split(",")
    return any(part.strip().partition("=")[0] == "wait" for part in preferred)


PAYMENTS = ListSpec(
    route="payments",
    columns=s.PAYMENT_COLUMNS,
    source=s.PAYMENT_SOURCE,
    id_column="y.id",
    practice_column="y.practice_id",
    sorts={
        "received_on": Sort("y.received_on", "date"),
        "created_at": Sort("y.created_at", "timestamptz"),
    },
    default_sort="-received_on",
    filters={
        "patient_id": Filter("y.patient_id", "id:patient"),
        "method": Filter("y.method", "enum:cash|check|card_recorded|card"),
        "state": Filter(
            "CASE coalesce(c.state, 'succeeded') WHEN 'queued' THEN 'pending' WHEN 'sending' THEN 'pending'"
            " ELSE coalesce(c.state, 'succeeded') END",
            "enum:pending|in_doubt|succeeded|failed|disputed|charged_back", ("eq", "in"),
        ),
        "received_on": Filter("y.received_on", "date", ("eq", "gte", "gt", "lt", "lte")),
    },
    build=s.payment_out,
    patient_index=1,
)  # fmt: skip


@router.get(
    "/payments",
    summary="List payments",
    needs=Permission.LEDGER_READ,
    action="payment.list",
    returns=(200, s.PaymentOut),
    list_spec=PAYMENTS,
    example=examples.page(examples.PAYMENT),
)
def list_payments(request: ScopedRequest) -> Answer:
    """
    Money that patients gave, and charges of cards whatever became of them, the latest first.

    The ledger has those that are `succeeded` or `disputed`; `pending` and `in_doubt` are not settled,
    `failed` moved no money.
    """
    return PAYMENTS.run(request, scope=request.auth)


@router.get(
    "/payments/{payment_id}",
    summary="Read a payment",
    needs=Permission.LEDGER_READ,
    action="payment.read",
    returns=(200, s.PaymentOut),
    example=examples.PAYMENT,
)
def get_payment(request: ScopedRequest, payment_id: str) -> Answer:
    """One payment of a patient: how it stands, what it pays for, and what was given back."""
    return _payment(request, path_id("payment", payment_id))


@router.post(
    "/payments",
    summary="Record a payment, or charge a card",
    needs=Permission.PAYMENTS_WRITE,
    action="payment.create",
    returns=(201, s.PaymentOut),
    key="required",
    key_days=30,
    problems=(
        ledger.BooksClosed, ledger.BalanceChanged, services.NoProcessor, services.CardNotUsable,
        services.ChargeUnderWay,
    ),
    example=examples.PENDING,
    request_example=examples.NEW_PAYMENT,
)  # fmt: skip
def record_payment(request: ScopedRequest, body: s.PaymentIn) -> Answer:
    """
    Record money that a patient gave in cash, by check or on a terminal elsewhere, or charge a card on file.

    It pays what is open, the oldest visit first, unless `allocations` say otherwise; the rest becomes
    credit. With `payment_plan_id` it pays what is open of that plan's visits, the oldest first. With `quoted_balance`
    it is refused where another amount is owed by now than was shown.

    A card is charged once the answer is out: the payment is `pending`, and the ledger has it once it
    `succeeded`. `Prefer: wait` waits for that. A reply of the processor that was lost makes it `in_doubt`
    until a look-up has settled it; it is never charged again meanwhile. Card numbers are not taken. Emits
    `payment.pending` and then `payment.succeeded`, `payment.failed` or `payment.in_doubt`.
    """
    if body.payment_plan_id is not None:
        shares = services.towards_plan(scope=request.auth, body=body)
        body.allocations = [
            ledger_shapes.AllocationIn(
                appointment_id=type_id("appointment", visit), amount=ledger_shapes.PositiveMoneyIn(amount=cents)
            )
            for visit, cents in shares
        ]
    if body.method != "card":
        payment = ledger.record_payment(scope=request.auth, body=body, now=timezone.now())
        return _payment(request, payment.id)
    id = services.ask_charge(scope=request.auth, body=body, now=timezone.now()).id
    if _waits(request):
        request.edge.headers["Preference-Applied"] = "wait"
        request.edge.afterwards = lambda: _settled(request, id, 201)
    return _payment(request, id)


@router.post(
    "/payments/{payment_id}/allocate",
    summary="Allocate a payment anew",
    needs=Permission.PAYMENTS_WRITE,
    action="payment.allocate",
    returns=(200, s.PaymentOut),
    key="required",
    key_days=30,
    problems=(ledger.AlreadyReversed, ledger.CreditSpent),
    example=examples.PAYMENT | {"version": 3},
    request_example=ledger_examples.ALLOCATE,
)
def allocate_payment(request: ScopedRequest, payment_id: str, body: ledger_shapes.AllocateIn) -> Answer:
    """
    Let a payment pay for other visits. Nothing is edited: what it paid for is opened again by an
    entry, and another one pays anew; what is left over is credit. An empty list makes all of it credit.

    Emits `payment.allocated`.
    """
    payment = ledger.allocate_payment(
        scope=request.auth, payment_id=path_id("payment", payment_id), body=body, now=timezone.now()
    )
    return _payment(request, payment.id)


@router.post(
    "/payments/{payment_id}/refund",
    summary="Refund a payment",
    needs=Permission.PAYMENTS_REFUND,
    action="payment.refund",
    returns=(200, s.PaymentOut),
    key="required",
    key_days=30,
    problems=(ledger.MoreThanPaid, ledger.CreditSpent, services.NotRefundable),
    example=examples.PAYMENT | {"refunded": {"amount": 1500, "currency": "USD"}, "version": 2},
    request_example=ledger_examples.REFUND,
)
def refund_payment(request: ScopedRequest, payment_id: str, body: ledger_shapes.RefundIn) -> Answer:
    """
    Give credit back to whom it came from: what a card paid goes back to that card.

    Only credit that pays for nothing can be given back, and not more than this payment was. To a card it
    is `pending` in `card_refunds` at first, with the credit set aside; refused or sent back by the bank it
    is credit again. Emits `payment.refunded`, or `payment.refund_failed`.
    """
    id = path_id("payment", payment_id)
    charge = queries.find_charge(scope=request.auth, charge_id=id, lock=True)
    if charge is None:
        ledger.refund_payment(scope=request.auth, payment_id=id, body=body, now=timezone.now())
    else:
        services.ask_refund(scope=request.auth, charge=charge, body=body, now=timezone.now())
    return _payment(request, id)
