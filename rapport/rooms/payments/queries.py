"""Questions about cards and what is asked of the processor. They change nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db.models import Q, Sum

from rapport.kernel.problems import NotFound
from rapport.platform.access.scope import Scope
from rapport.platform.crypto import aead
from rapport.platform.db import sql
from rapport.platform.db.rows import by_id
from rapport.rooms.accounting import queries as accounting

from .models import (
    AutopayRule,
    Card,
    Charge,
    Enrolment,
    Payout,
    PayoutLine,
    Planned,
    Processor,
    Refund,
    Told,
)
from .states import UNSETTLED, CardState, ChargeState, PlanState

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


def autopay_rule(*, scope: Scope, lock: bool = False) -> AutopayRule | None:
    """Return the practice's rule of AutoPay, if it has one."""
    if lock:  # two who set it for the first time at once: there is no row yet to be held
        sql.hold(f"{scope.practice_id}|autopay-rule")
    rows = AutopayRule.objects.visible_to(scope)
    found: AutopayRule | None = (rows.select_for_update() if lock else rows).first()
    return found


def get_enrolment(*, scope: Scope, enrolment_id: UUID, lock: bool = False) -> Enrolment:
    """Return a consent to AutoPay. :raises NotFound: there is none"""
    row = by_id(Enrolment, scope=scope, id=enrolment_id, lock=lock)
    if row is None:
        raise NotFound(_sought=[("autopay_enrolment", enrolment_id)])
    scope.trail.patient_ids.add(row.patient_id)
    return row


def enrolment_of(*, scope: Scope, patient_id: UUID) -> Enrolment | None:
    """Return the consent of a patient that stands, if one does."""
    found: Enrolment | None = (
        Enrolment.objects.visible_to(scope).filter(patient_id=patient_id, revoked_at=None).first()
    )
    return found


def enrolments_of(*, scope: Scope, enrolment_ids: Sequence[UUID]) -> list[Enrolment]:
    """Return consents by their ids, in that order."""
    found = {row.id: row for row in Enrolment.objects.visible_to(scope).filter(id__in=enrolment_ids)}
    return [found[id] for id in enrolment_ids if id in found]


def enrolments_to_look_at(*, scope: Scope, before: datetime) -> list[UUID]:
    """Return the consents whose patients' balances were last looked at before an instant, or have changed."""
    rows = Enrolment.objects.visible_to(scope).filter(revoked_at=None)
    rows = rows.filter(Q(looked_at=None) | Q(looked_at__lt=before))
    return list(rows.order_by("created_at").values_list("id", flat=True))


def get_planned(*, scope: Scope, planned_id: UUID, lock: bool = False) -> Planned:
    """Return a planned charge. :raises NotFound: there is none"""
    row = by_id(Planned, scope=scope, id=planned_id, lock=lock)
    if row is None:
        raise NotFound(_sought=[("planned_charge", planned_id)])
    scope.trail.patient_ids.add(row.patient_id)
    return row


def planned_of(*, scope: Scope, planned_ids: Sequence[UUID]) -> list[Planned]:
    """Return planned charges by their ids, in that order."""
    found = {row.id: row for row in Planned.objects.visible_to(scope).filter(id__in=planned_ids)}
    return [found[id] for id in planned_ids if id in found]


def planned_by(*, scope: Scope, day: date) -> list[UUID]:
    """Return the planned charges that are to leave by a day."""
    rows = Planned.objects.visible_to(scope).filter(state=PlanState.PLANNED.value, due_on__lte=day)
    return list(rows.order_by("due_on", "id").values_list("id", flat=True))


def planned_in_month(*, scope: Scope, patient_id: UUID, day: date) -> int:
    """Return the cents that AutoPay has charged, or is to charge, in the month of a day."""
    rows = Planned.objects.visible_to(scope).filter(
        patient_id=patient_id, due_on__year=day.year, due_on__month=day.month,
        state__in=[PlanState.PLANNED.value, PlanState.CHARGING.value, PlanState.PAID.value],
    )  # fmt: skip
    return int(rows.aggregate(total=Sum("cents"))["total"] or 0)


def left_to_people(*, scope: Scope, patient_id: UUID) -> set[str]:
    """Return the visits that a person took out of AutoPay, that it gave up, and those of payment plans."""
    states = [PlanState.CANCELLED.value, PlanState.GIVEN_UP.value]
    rows = Planned.objects.visible_to(scope).filter(patient_id=patient_id, state__in=states, plan=None)
    in_plans = {str(visit) for visit in accounting.visits_left_to_plans(scope=scope, patient_id=patient_id)}
    return in_plans | {visit for parts in rows.values_list("visits", flat=True) for visit, _ in parts}


def instalments_planned(*, scope: Scope, plan_id: UUID) -> dict[int, str]:
    """Return instalment of a payment plan -> how its planned charge stands; those that were overtaken are none."""
    rows = Planned.objects.visible_to(scope).filter(plan_id=plan_id).exclude(state=PlanState.OVERTAKEN.value)
    return dict(rows.values_list("instalment", "state"))


def disputed(*, scope: Scope, patient_id: UUID) -> bool:
    """Tell whether a patient contests a charge at their bank."""
    rows = Charge.objects.visible_to(scope).filter(patient_id=patient_id, state=ChargeState.DISPUTED.value)
    return bool(rows.exists())


def keeps_autopay_off(*, scope: Scope, patient_id: UUID) -> bool:
    """Tell whether something is planned or under way for a patient, or contested. Instalments have days of their own."""
    states = [PlanState.PLANNED.value, PlanState.CHARGING.value]
    return (
        Planned.objects.visible_to(scope).filter(patient_id=patient_id, state__in=states, plan=None).exists()
        or under_way(scope=scope, patient_id=patient_id) is not None
        or disputed(scope=scope, patient_id=patient_id)
    )
