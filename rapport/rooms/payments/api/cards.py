"""Cards on file, the processor's account and its notices, and payouts."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from rapport.kernel.ids import parse_type_id
from rapport.kernel.problems import Problem, StateConflict
from rapport.platform.access.permissions import Permission
from rapport.platform.api import etags
from rapport.platform.api.lists import Filter, ListSpec, Sort
from rapport.platform.api.router import ScopedRequest
from rapport.platform.api.shapes import Answer, path_id
from rapport.rooms.payments import examples, queries, services
from rapport.rooms.payments import schemas as s
from rapport.rooms.payments.models import Card, Payout, Processor

from .base import router

CARDS = ListSpec(
    route="cards",
    columns="k.id, k.patient_id",
    source="payments_card k",
    id_column="k.id",
    practice_column="k.practice_id",
    sorts={"created_at": Sort("k.created_at", "timestamptz")},
    default_sort="-created_at",
    filters={
        "patient_id": Filter("k.patient_id", "id:patient"),
        "state": Filter("k.state", "enum:asked|ready|active|failed|removed", ("eq", "in")),
    },
    build_page=lambda ids, scope: [
        s.card_out(scope, card) for card in queries.cards_of(scope=scope, card_ids=ids)
    ],
    patient_index=1,
)


def _card(request: ScopedRequest, card: Card) -> Answer:
    request.auth.trail.target("card", card.id, card.version)
    return Answer(s.card_out(request.auth, card), etag=etags.of(card.id, card.version))


@router.get(
    "/cards",
    summary="List cards on file",
    needs=Permission.LEDGER_READ,
    action="card.list",
    returns=(200, s.CardOut),
    list_spec=CARDS,
    example=examples.page(examples.CARD),
)
def list_cards(request: ScopedRequest) -> Answer:
    """Cards on file, the latest first: brand, last four digits, and how each stands."""
    return CARDS.run(request, scope=request.auth)


@router.get(
    "/cards/{card_id}",
    summary="Read a card on file",
    needs=Permission.LEDGER_READ,
    action="card.read",
    returns=(200, s.CardOut),
    example=examples.READY,
)
def get_card(request: ScopedRequest, card_id: str) -> Answer:
    """One card. While it is `ready`, `page` holds what the processor's own page needs to ask for it."""
    return _card(request, queries.get_card(scope=request.auth, card_id=path_id("card", card_id)))


@router.post(
    "/cards",
    summary="Ask for a card on file",
    needs=Permission.PAYMENTS_WRITE,
    action="card.create",
    returns=(201, s.CardOut),
    problems=(services.NoProcessor,),
    example=examples.CARD | {"state": "asked", "brand": None, "last4": None},
    request_example={"patient_id": examples.CARD["patient_id"]},
)
def ask_card(request: ScopedRequest, body: s.CardIn) -> Answer:
    """
    Have the processor's own page ask the patient for a card. Nothing is charged by this, now or later.

    The card is `asked`, then `ready` (read it for what the page needs), then `active` once the patient
    has finished the page. Emits `card.ready`, `card.active`, `card.failed`.
    """
    return _card(request, services.ask_card(scope=request.auth, body=body, now=timezone.now()))


@router.delete(
    "/cards/{card_id}",
    summary="Remove a card on file",
    needs=Permission.PAYMENTS_WRITE,
    action="card.remove",
    returns=(200, s.CardOut),
    problems=(StateConflict,),
    example=examples.CARD | {"state": "removed", "version": 2},
)
def remove_card(request: ScopedRequest, card_id: str) -> Answer:
    """Charge a card no more, and have the processor forget it. What it paid stays. Emits `card.removed`."""
    card = services.remove_card(scope=request.auth, card_id=path_id("card", card_id), now=timezone.now())
    return _card(request, card)


PROCESSORS = ListSpec(
    route="card-processors",
    columns="r.id",
    source="payments_processor r",
    id_column="r.id",
    practice_column="r.practice_id",
    sorts={"created_at": Sort("r.created_at", "timestamptz")},
    default_sort="-created_at",
    filters={"active": Filter("r.active", "bool")},
    build=lambda row, scope: s.processor_out(queries.get_processor(scope=scope, processor_id=row[0])),
)


def _processor(request: ScopedRequest, row: Processor) -> Answer:
    request.auth.trail.target("card_processor", row.id, row.version)
    return Answer(s.processor_out(row), etag=etags.of(row.id, row.version))


@router.get(
    "/card-processors",
    summary="List card processors",
    needs=Permission.PRACTICE_READ,
    action="card_processor.list",
    returns=(200, s.ProcessorOut),
    list_spec=PROCESSORS,
    example=examples.page(examples.PROCESSOR),
)
def list_processors(request: ScopedRequest) -> Answer:
    """The practice's accounts at card processors; at most one is active. Secrets are never returned."""
    return PROCESSORS.run(request, scope=request.auth)


@router.get(
    "/card-processors/{card_processor_id}",
    summary="Read a card processor",
    needs=Permission.PRACTICE_READ,
    action="card_processor.read",
    returns=(200, s.ProcessorOut),
    example=examples.PROCESSOR,
)
def get_processor(request: ScopedRequest, card_processor_id: str) -> Answer:
    """One account at a card processor, and the path that its signed notices go to."""
    id = path_id("card_processor", card_processor_id)
    return _processor(request, queries.get_processor(scope=request.auth, processor_id=id))


@router.post(
    "/card-processors",
    summary="Add a card processor",
    needs=Permission.PRACTICE_WRITE,
    action="card_processor.create",
    returns=(201, s.ProcessorOut),
    problems=(services.ProcessorExists,),
    example=examples.PROCESSOR,
    request_example=examples.NEW_PROCESSOR,
)
def create_processor(request: ScopedRequest, body: s.ProcessorIn) -> Answer:
    """
    Add the practice's own account at a card processor. Its keys are sealed, and never returned.

    Give `notice_path` and its signing secret to the processor as a webhook.
    """
    return _processor(request, services.create_processor(scope=request.auth, body=body, now=timezone.now()))


@router.patch(
    "/card-processors/{card_processor_id}",
    summary="Change a card processor",
    needs=Permission.PRACTICE_WRITE,
    action="card_processor.update",
    returns=(200, s.ProcessorOut),
    match=True,
    problems=(services.ProcessorExists,),
    example=examples.PROCESSOR | {"active": False, "version": 2},
    request_example={"active": False},
)
def change_processor(request: ScopedRequest, card_processor_id: str, body: s.ProcessorChange) -> Answer:
    """Change settings or keys, or switch it off: then no card is kept or charged; what is under way is settled."""
    given: dict[str, Any] = {name: getattr(body, name) for name in body.model_fields_set}
    row = services.change_processor(
        scope=request.auth, processor_id=path_id("card_processor", card_processor_id),
        if_match=request.edge.if_match, given=given, now=timezone.now(),
    )  # fmt: skip
    return _processor(request, row)


@router.post(
    "/card-processors/{card_processor_id}/notices",
    summary="Take in a processor's notice",
    needs=None,
    action="processor_notice.receive",
    returns=(202, s.NoticeOut),
    key="none",
    problems=(services.NoticeRefused,),
    connected="kept",
    example=examples.NOTICE,
    request_example=examples.NOTICE_BODY,
)
def receive_notice(request: ScopedRequest, card_processor_id: str) -> Answer:
    """
    For the processor's webhook. No sign-in: the signature over the bytes, at most five minutes old, is the key.

    A notice is kept once: told again it answers 200 and does nothing. It settles nothing by itself; it is
    parked until what it is about is settled here, and has the processor looked up where that is needed.
    """
    edge = request.edge
    try:
        scope, new = services.receive(
            processor_id=parse_type_id("card_processor", card_processor_id), body=request.body,
            headers=request.headers, source=edge.source, now=timezone.now(),
        )  # fmt: skip
    except Problem as problem:
        edge.scope = problem.data.pop("_scope", None) or edge.scope
        raise
    edge.scope = scope
    return Answer(s.NoticeOut(object="processor_notice", new=new), status=202 if new else 200)


PAYOUTS = ListSpec(
    route="payouts",
    columns="o.id",
    source="payments_payout o",
    id_column="o.id",
    practice_column="o.practice_id",
    sorts={"arrives_on": Sort("o.arrives_on", "date")},
    default_sort="-arrives_on",
    filters={
        "state": Filter("o.state", "enum:pending|paid|failed"),
        "arrives_on": Filter("o.arrives_on", "date", ("eq", "gte", "gt", "lt", "lte")),
    },
    build_page=lambda ids, scope: [
        s.payout_out(scope, row) for row in queries.payouts_of(scope=scope, payout_ids=ids)
    ],
)


@router.get(
    "/payouts",
    summary="List payouts",
    needs=Permission.REMITTANCES_READ,
    action="payout.list",
    returns=(200, s.PayoutOut),
    list_spec=PAYOUTS,
    example=examples.page(examples.PAYOUT),
)
def list_payouts(request: ScopedRequest) -> Answer:
    """What the card processor sent to the practice's bank, the latest first, and what each is made of."""
    return PAYOUTS.run(request, scope=request.auth)


@router.get(
    "/payouts/{payout_id}",
    summary="Read a payout",
    needs=Permission.REMITTANCES_READ,
    action="payout.read",
    returns=(200, s.PayoutOut),
    example=examples.PAYOUT,
)
def get_payout(request: ScopedRequest, payout_id: str) -> Answer:
    """One payout with its lines: a deposit of the bank is this amount, with this reference."""
    row: Payout = queries.get_payout(scope=request.auth, payout_id=path_id("payout", payout_id))
    request.auth.trail.target("payout", row.id, row.version)
    return Answer(s.payout_out(request.auth, row), etag=etags.of(row.id, row.version))
