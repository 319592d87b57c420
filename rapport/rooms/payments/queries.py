"""Questions about cards and what is asked of the processor. They change nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q, Sum

from rapport.kernel.problems import NotFound
from rapport.platform.access.scope import Scope
from rapport.platform.crypto import aead
from rapport.platform.db import sql
from rapport.platform.db.rows import by_id

from .models import Card, Charge, Payout, PayoutLine, Processor, Refund, Told
from .states import UNSETTLED, CardState

OPEN = [state.value for state in UNSETTLED]


def place_of(row: Processor | Card, *, column: str) -> bytes:
    """Return what a sealed secret is bound to: it opens in its own row and column only."""
    return f"{row._meta.db_table}|{column}|".encode() + row.practice_id.bytes + row.id.bytes


def open_sealed(row: Processor | Card, *, column: str) -> str:
    """Return a secret in the clear, for the driver alone (of a card's page: for who shows the page)."""
    sealed = getattr(row, column)
    if not sealed:
        return ""
    return aead.open_(bytes(sealed), aad=place_of(row, column=column), purpose="field").decode()


def get_processor(*, scope: Scope, processor_id: UUID, lock: bool = False) -> Processor:
    """Return an account at a processor. :raises NotFound: there is none"""
    row = by_id(Processor, scope=scope, id=processor_id, lock=lock)
    if row is None:
        raise NotFound(_sought=[("card_processor", processor_id)])
    return row


def active_processor(*, scope: Scope) -> Processor | None:
    """Return the account that cards are kept and charged in now."""
    found: Processor | None = Processor.objects.visible_to(scope).filter(active=True).first()
    return found


def get_card(*, scope: Scope, card_id: UUID, lock: bool = False) -> Card:
    """Return a card of a patient the actor may see. :raises NotFound: there is none"""
    row = by_id(Card, scope=scope, id=card_id, lock=lock)
    if row is None:
        raise NotFound(_sought=[("card", card_id)])
    scope.trail.patient_ids.add(row.patient_id)
    return row


def cards_of(*, scope: Scope, card_ids: Sequence[UUID]) -> list[Card]:
    """Return cards by their ids, in that order."""
    found = {row.id: row for row in Card.objects.visible_to(scope).filter(id__in=card_ids)}
    return [found[id] for id in card_ids if id in found]


def find_charge(*, scope: Scope, charge_id: UUID, lock: bool = False) -> Charge | None:
    """Return the charge of a payment, or None: it was paid in another way."""
    return by_id(Charge, scope=scope, id=charge_id, lock=lock)


def charge_by_receipt(*, scope: Scope, receipt: str) -> Charge | None:
    """Return the charge that the processor calls so."""
    found: Charge | None = Charge.objects.visible_to(scope).filter(receipt=receipt).exclude(receipt="").first()
    return found


def under_way(*, scope: Scope, patient_id: UUID) -> Charge | None:
    """Return a charge of this patient that is not settled, if there is one."""
    found: Charge | None = (
        Charge.objects.visible_to(scope).filter(patient_id=patient_id, state__in=OPEN).first()
    )
    return found


def refunds_under_way(*, scope: Scope, charge_id: UUID) -> int:
    """Return how many cents of a charge are set aside for refunds that are not settled."""
    rows = Refund.objects.visible_to(scope).filter(charge_id=charge_id, state__in=OPEN)
    return int(rows.aggregate(total=Sum("cents"))["total"] or 0)


def open_charges(*, scope: Scope) -> list[Charge]:
    """Return every charge that is not settled, the oldest first."""
    return list(Charge.objects.visible_to(scope).filter(state__in=OPEN).order_by("created_at"))


def open_refunds(*, scope: Scope) -> list[Refund]:
    """Return every refund that is not settled, the oldest first."""
    return list(Refund.objects.visible_to(scope).filter(state__in=OPEN).order_by("created_at"))


def cards_to_ask(*, scope: Scope) -> list[Card]:
    """Return the cards whose page is asked for, or not finished yet."""
    states = [CardState.ASKED.value, CardState.READY.value]
    return list(Card.objects.visible_to(scope).filter(state__in=states).order_by("created_at"))


def cards_to_forget(*, scope: Scope) -> list[Card]:
    """Return the cards that were removed here and not yet at the processor."""
    rows = Card.objects.visible_to(scope).filter(state=CardState.REMOVED.value)
    return list(rows.exclude(method_ref="").filter(asked_again_at__isnull=False))


def parked(*, scope: Scope) -> list[Told]:
    """Return the notices that wait for what they are about, in the order they were told."""
    return list(Told.objects.visible_to(scope).filter(outcome="parked").order_by("told_at", "received_at"))


def refund_by(*, scope: Scope, mark: str, receipt: str) -> Refund | None:
    """Return the refund with our mark, or with the processor's number."""
    wanted = Q(receipt=receipt) & ~Q(receipt="")
    try:
        wanted |= Q(id=UUID(mark))
    except ValueError:
        pass  # a notice about a refund that somebody made at the processor's own pages
    found: Refund | None = Refund.objects.visible_to(scope).filter(wanted).first()
    return found


def get_payout(*, scope: Scope, payout_id: UUID) -> Payout:
    """Return a payout. :raises NotFound: there is none"""
    row = by_id(Payout, scope=scope, id=payout_id)
    if row is None:
        raise NotFound(_sought=[("payout", payout_id)])
    return row


def payouts_of(*, scope: Scope, payout_ids: Sequence[UUID]) -> list[Payout]:
    """Return payouts by their ids, in that order."""
    found = {row.id: row for row in Payout.objects.visible_to(scope).filter(id__in=payout_ids)}
    return [found[id] for id in payout_ids if id in found]


def lines_of(*, scope: Scope, payout_id: UUID) -> list[PayoutLine]:
    """Return what a payout is made of."""
    return list(PayoutLine.objects.visible_to(scope).filter(payout_id=payout_id).order_by("ref"))


@dataclass(frozen=True, slots=True)
class Teller:
    """Whose processor it is that a notice comes from."""

    practice_id: UUID
    processor_id: UUID
    kind: str
    sealed: bytes | None
    time_zone: str
    livemode: bool


def teller(processor_id: UUID) -> Teller | None:
    """Find the practice of a processor before anybody is signed in: by the id in the notice's address."""
    row = sql.one("SELECT * FROM rapport_card_processor(%s)", (processor_id,))
    return None if row is None else Teller(row[0], processor_id, row[1], row[2], row[3], row[4])


def refund_states(*, scope: Scope, charge_id: UUID) -> list[Refund]:
    """Return a charge's refunds, the oldest first."""
    rows = Refund.objects.visible_to(scope).filter(charge_id=charge_id)
    return list(rows.order_by("created_at", "id"))



