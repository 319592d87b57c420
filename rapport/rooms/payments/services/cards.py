"""Cards on file: asked for at the processor's own page, kept as its token, forgotten on demand."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from rapport.kernel.ids import parse_type_id
from rapport.kernel.problems import FieldError, ReferenceNotFound, StateConflict
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.crypto import aead
from rapport.platform.jobs import registry as jobs
from rapport.platform.outbox.emit import emit
from rapport.rooms.payments import events, queries
from rapport.rooms.payments.models import Card
from rapport.rooms.payments.ports import CardFacts, Gone, InDoubt, Later, Prepared, Refused, Waiting
from rapport.rooms.payments.states import CardState
from rapport.rooms.roster import queries as roster

from .problems import NoProcessor

ASK_AGAIN = timedelta(minutes=1)
"""How often the processor is asked about an unfinished page, where it tells nothing by itself."""
PAGE_ENDS = timedelta(days=1)
"""After that an unfinished page is given up."""


def refer(*, kind: str, text: str, pointer: str) -> UUID:
    """Return the id that a field names. :raises ReferenceNotFound: it is none of this kind"""
    value = parse_type_id(kind, text)
    if value is None:
        raise ReferenceNotFound(
            "A field refers to something that is not here.",
            errors=(FieldError(pointer, "reference-not-found"),),
        )
    return value


def ask_card(*, scope: Scope, body: Any, now: datetime) -> Card:
    """
    Ask the processor for a page where the patient gives a card. Nothing is charged by this.

    :param body: `schemas.CardIn`
    :raises NoProcessor: the practice has none
    """
    scope.require(Permission.PAYMENTS_WRITE)
    patient = roster.refer_to_patient(
        scope=scope, patient_id=refer(kind="patient", text=body.patient_id, pointer="/patient_id"), pointer="/patient_id"
    )
    processor = queries.active_processor(scope=scope)
    if processor is None:
        raise NoProcessor()
    card = Card(
        practice_id=scope.practice_id, patient_id=patient.id, processor=processor,
        health_account=body.health_account, created_at=now, updated_at=now,
    )  # fmt: skip
    card.save(force_insert=True)
    jobs.defer("payments.ask_card", scope, queueing_lock=f"card:{card.id}", card_id=card.id)
    scope.trail.target("card", card.id, card.version)
    return card


def keep_page(*, scope: Scope, card_id: UUID, answer: Prepared | Refused | Later | InDoubt, now: datetime) -> Card:
    """Write down that the processor's page is ready, or that it refused one."""
    card = queries.get_card(scope=scope, card_id=card_id, lock=True)
    if card.state != CardState.ASKED:
        return card
    if isinstance(answer, Prepared):
        sealed = aead.seal(
            answer.page_secret.encode(), aad=queries.place_of(card, column="page_secret_sealed"), purpose="field"
        )
        card.move(
            CardState.READY, at=now, payer_ref=answer.payer[:100], setup_ref=answer.setup[:100],
            page_secret_sealed=sealed, asked_again_at=now + ASK_AGAIN,
        )  # fmt: skip
        _tell(events.CARD_READY, scope, card, now)
    elif isinstance(answer, Refused):
        card.move(CardState.FAILED, at=now, decline_code=answer.code[:60])
        _tell(events.CARD_FAILED, scope, card, now)
    return card


def keep_card(*, scope: Scope, card_id: UUID, answer: CardFacts | Waiting | Refused | Later, now: datetime) -> Card:
    """Write down what became of the page: a card, none yet, or one that the bank did not take."""
    card = queries.get_card(scope=scope, card_id=card_id, lock=True)
    if card.state != CardState.READY:
        return card
    if isinstance(answer, CardFacts):
        card.move(
            CardState.ACTIVE, at=now, method_ref=answer.method[:100], brand=answer.brand, last4=answer.last4,
            exp_month=answer.exp_month, exp_year=answer.exp_year, funding=answer.funding,
            page_secret_sealed=None, asked_again_at=None, decline_code="",
        )  # fmt: skip
        _tell(events.CARD_ACTIVE, scope, card, now)
    elif now > card.created_at + PAGE_ENDS:
        code = answer.code if isinstance(answer, Refused) else "page-not-finished"
        card.move(CardState.FAILED, at=now, decline_code=code[:60], page_secret_sealed=None)
        _tell(events.CARD_FAILED, scope, card, now)
    else:
        # A card that was declined may be typed again: the page stays open for a day.
        code = answer.code if isinstance(answer, Refused) else card.decline_code
        Card.objects.visible_to(scope).filter(id=card.id).update(
            asked_again_at=now + ASK_AGAIN, decline_code=code[:60]
        )
    return card


def remove_card(*, scope: Scope, card_id: UUID, now: datetime) -> Card:
    """
    Charge a card no more, and have the processor forget it. What it paid stays as it is.

    :raises StateConflict: it was removed before, or was never kept
    """
    scope.require(Permission.PAYMENTS_WRITE)
    card = queries.get_card(scope=scope, card_id=card_id, lock=True)
    if card.state in (CardState.REMOVED, CardState.FAILED):
        raise StateConflict(f"A card that is {card.state} is charged no more.", current_state=card.state)
    card.move(CardState.REMOVED, at=now, page_secret_sealed=None, asked_again_at=now)
    jobs.defer("payments.forget_card", scope, queueing_lock=f"forget:{card.id}", card_id=card.id)
    scope.trail.target("card", card.id, card.version)
    _tell(events.CARD_REMOVED, scope, card, now)
    return card


def forgotten(*, scope: Scope, card_id: UUID, answer: Gone | Refused | Later) -> None:
    """Write down that the processor has forgotten a card; else it is asked again."""
    if isinstance(answer, Gone):
        Card.objects.visible_to(scope).filter(id=card_id).update(asked_again_at=None)


def _tell(event: str, scope: Scope, card: Card, now: datetime) -> None:
    emit(
        event, scope=scope, object_type="card", object_id=card.id, version=card.version, now=now,
        changed=["state"],
    )  # fmt: skip
