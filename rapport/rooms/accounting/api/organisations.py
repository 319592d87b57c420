"""What organisations paid on their invoices, over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.utils import timezone

from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.api import etags
from rapport.platform.api.lists import Filter, ListSpec, Sort
from rapport.platform.api.router import ScopedRequest
from rapport.platform.api.shapes import Answer, path_id
from rapport.rooms.accounting import examples, queries, services
from rapport.rooms.accounting.models import PayerPayment
from rapport.rooms.accounting.schemas import CreditIn
from rapport.rooms.accounting.schemas import organisations as s
from rapport.rooms.ledger import services as ledger

from .base import READ, router


def _payments(ids: Sequence[UUID], scope: Scope) -> list[s.PayerPaymentOut]:
    back = queries.taken_back(scope=scope, payment_ids=ids)
    rows = queries.payer_payments_of(scope=scope, payment_ids=ids)
    return [s.payer_payment_out(row, taken_back_by=back.get(row.id)) for row in rows]


PAYMENTS = ListSpec(
    route="payer-payments", columns="p.id", source="accounting_payerpayment p", id_column="p.id",
    practice_column="p.practice_id", sorts={"created_at": Sort("p.created_at", "timestamptz")},
    default_sort="-created_at",
    filters={
        "payer_id": Filter("p.payer_id", "id:payer"),
        "invoice_id": Filter("p.invoice_id", "id:invoice"),
        "received_on": Filter("p.received_on", "date", ("eq", "gte", "gt", "lt", "lte")),
    },
    build_page=_payments,
)  # fmt: skip


def _answer(request: ScopedRequest, row: PayerPayment, *, status: int | None = None) -> Answer:
    (shape,) = _payments([row.id], request.auth)
    request.auth.trail.target("payer_payment", row.id, shape.version)
    return Answer(shape, status=status, etag=etags.of(row.id, shape.version))


@router.get(
    "/payer-payments", summary="List what organisations paid", needs=READ, action="payer_payment.list",
    returns=(200, s.PayerPaymentOut), list_spec=PAYMENTS, example=examples.page(examples.PAYER_PAYMENT),
)  # fmt: skip
def list_payer_payments(request: ScopedRequest) -> Answer:
    """Payments on invoices to organisations, and what was taken back of them, the latest first."""
    return PAYMENTS.run(request, scope=request.auth)


@router.post(
    "/payer-payments", summary="Record what an organisation paid", needs=Permission.PAYMENTS_WRITE,
    action="payer_payment.create", returns=(201, s.PayerPaymentOut), key="required", key_days=30,
    problems=(services.AlreadyCredited, ledger.MoreThanOwed, ledger.BooksClosed),
    example=examples.PAYER_PAYMENT, request_example=examples.NEW_PAYER_PAYMENT,
)  # fmt: skip
def record_payer_payment(request: ScopedRequest, body: s.PayerPaymentIn) -> Answer:
    """
    A cheque or transfer for one invoice, booked to its visits. With `final` it pays no more: what is left stays open,
    becomes the patients', or is written off, as the payer's `remainder` says. Emits `payer_payment.recorded`.
    """
    row = services.record_payer_payment(scope=request.auth, body=body, now=timezone.now())
    return _answer(request, row, status=201)


@router.get(
    "/payer-payments/{payer_payment_id}", summary="Read what an organisation paid", needs=READ,
    action="payer_payment.read", returns=(200, s.PayerPaymentOut), example=examples.PAYER_PAYMENT,
)  # fmt: skip
def get_payer_payment(request: ScopedRequest, payer_payment_id: str) -> Answer:
    """One payment, or the row that takes one back."""
    id = path_id("payer_payment", payer_payment_id)
    return _answer(request, queries.get_payer_payment(scope=request.auth, payment_id=id))


@router.post(
    "/payer-payments/{payer_payment_id}/take-back", summary="Take a payment of an organisation back",
    needs=Permission.PAYMENTS_REFUND, action="payer_payment.take_back", returns=(201, s.PayerPaymentOut),
    key="required", key_days=30, problems=(services.AlreadyTakenBack, services.PatientPaidMeanwhile),
    example=examples.TAKEN_BACK, request_example={"reason": "Of another practice"},
)  # fmt: skip
def take_back(request: ScopedRequest, payer_payment_id: str, body: CreditIn) -> Answer:
    """Undo a payment that was a mistake, and what became of the rest with it. Emits `payer_payment.taken_back`."""
    row = services.take_back_payer_payment(
        scope=request.auth, payment_id=path_id("payer_payment", payer_payment_id), reason=body.reason,
        now=timezone.now(),
    )  # fmt: skip
    return _answer(request, row, status=201)
