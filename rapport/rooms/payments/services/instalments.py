"""
Instalments of payment plans on a card on file: planned, told and charged as AutoPay does.

It takes three acts of people: a consent to AutoPay that stands, a plan that says `charge_card`, and the practice's rule,
switched on. Each instalment is planned once; one that was declined for good is left to people, and the next one takes
no more than its own amount.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from rapport.kernel.ids import parse_type_id
from rapport.kernel.problems import FieldError, NotFound, ReferenceNotFound
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.rooms.accounting import queries as plans
from rapport.rooms.accounting.rules.plans import Part, Standing
from rapport.rooms.accounting.rules.plans import share as share_out
from rapport.rooms.accounting.states import PlanStatus
from rapport.rooms.ledger import services as ledger
from rapport.rooms.payments import events, queries
from rapport.rooms.payments.models import AutopayRule, Card, Enrolment, Planned
from rapport.rooms.payments.rules import autopay as rules
from rapport.rooms.payments.states import PlanState

from .owing import hold_enrolment, is_fee, most_in_month, tell


def plan_instalments(*, scope: Scope, enrolment_id: UUID, now: datetime) -> list[Planned]:
    """
    Plan the next instalment of each payment plan that an enrolled patient pays by card, as its day comes near.

    It leaves on the instalment's day; where that has passed, so many days after it is told as the practice's rule says.
    """
    enrolment = hold_enrolment(scope=scope, enrolment_id=enrolment_id)
    rule = queries.autopay_rule(scope=scope)
    if rule is None or not rule.active or enrolment.revoked_at is not None:
        return []
    if queries.disputed(scope=scope, patient_id=enrolment.patient_id):
        return []
    found = plans.plans_of_patient(scope=scope, patient_id=enrolment.patient_id, statuses=[PlanStatus.ACTIVE])
    made = [_next(scope, rule, enrolment, plan.id, now) for plan in found if plan.charge_card]
    return [row for row in made if row is not None]


def _next(scope: Scope, rule: AutopayRule, enrolment: Enrolment, plan_id: UUID, now: datetime) -> Planned | None:
    today = scope.day_of(now)
    before = queries.instalments_planned(scope=scope, plan_id=plan_id)
    if {PlanState.PLANNED, PlanState.CHARGING} & set(before.values()):
        return None
    plan = plans.get_plan(scope=scope, plan_id=plan_id)
    standing = plans.standing(scope=scope, plan=plan, today=today)
    one = next((one for one in standing.instalments if one.open_cents and one.number not in before), None)
    if one is None or one.due_on > today + timedelta(days=rule.notice_days):
        return None
    due_on = one.due_on
    if due_on < today:
        due_on = rules.leaves_on(today, notice_days=rule.notice_days, day_of_month=None)
    card = queries.get_card(scope=scope, card_id=enrolment.card_id)
    most = min(one.cents, most_in_month(scope=scope, rule=rule, enrolment=enrolment, due_on=due_on))
    parts = _parts(scope, standing, card, number=one.number, most_cents=most)
    cents = sum(part for _, part in parts)
    if cents < rules.LEAST_CENTS:
        return None
    row = Planned(
        practice_id=scope.practice_id, patient_id=enrolment.patient_id, enrolment=enrolment, cents=cents, visits=parts,
        plan_id=plan_id, instalment=one.number, due_on=due_on, created_at=now, updated_at=now,
    )  # fmt: skip
    row.save(force_insert=True)
    tell(events.AUTOPAY_PLANNED, scope=scope, kind="planned_charge", row=row, now=now)
    return row


def _parts(scope: Scope, standing: Standing, card: Card, *, number: int, most_cents: int) -> list[list[Any]]:
    """Return what is charged of which visit: no more than what is open up to an instalment."""
    owed = sum(one.open_cents for one in standing.instalments[:number])
    held: Sequence[Part] = standing.parts
    if card.health_account:  # it pays care, and no fees for missed visits
        held = [part for part in held if not is_fee(scope=scope, appointment_id=part.visit)]
    return [[str(visit), cents] for visit, cents in share_out(held, min(owed, most_cents))]


def still_of_plan(*, scope: Scope, row: Planned, plan_id: UUID, card: Card, now: datetime) -> tuple[list[list[Any]], str]:
    """Return what of a planned instalment is to leave now; where it is nothing, why."""
    today = scope.day_of(now)
    plan = plans.get_plan(scope=scope, plan_id=plan_id)
    if plan.status != PlanStatus.ACTIVE or not plan.charge_card:
        return [], "the plan takes no card any more"
    standing = plans.standing(scope=scope, plan=plan, today=today)
    number = row.instalment or 0
    if standing.instalments[number - 1].due_on > today:
        return [], "put off"
    return _parts(scope, standing, card, number=number, most_cents=row.cents), ""


def follow_plan(*, scope: Scope, plan_id: UUID, now: datetime) -> UUID:
    """
    Take back what is planned and does not fit a payment plan any more: its instalments, and what AutoPay planned for
    its visits. What still fits is planned anew. :return: the patient
    """
    plan = plans.get_plan(scope=scope, plan_id=plan_id)
    taken = {str(visit) for visit in plans.visits_left_to_plans(scope=scope, patient_id=plan.patient_id)}
    rows = Planned.objects.visible_to(scope).filter(patient_id=plan.patient_id, state=PlanState.PLANNED.value)
    open_to_cards = plan.status == PlanStatus.ACTIVE and plan.charge_card
    terms = plans.terms_of(plan)
    for row in rows.select_for_update():
        if row.plan_id is None:
            fits = not taken & {visit for visit, _ in row.visits}
        else:
            fits = row.plan_id != plan_id or (open_to_cards and terms.due_on(row.instalment) <= row.due_on)
        if not fits:
            row.move(PlanState.OVERTAKEN, at=now, reason="the payment plan changed")
    patient_id: UUID = plan.patient_id
    return patient_id


def towards_plan(*, scope: Scope, body: Any) -> list[tuple[UUID, int]]:
    """
    Return what a payment pays of a payment plan, as [(visit, cents)]; what is over becomes credit. The balance is held.

    :param body: `schemas.PaymentIn` with `payment_plan_id`
    :raises ReferenceNotFound: the patient has no such plan that is active
    """
    scope.require(Permission.PAYMENTS_WRITE)
    missing = ReferenceNotFound(
        "A field refers to something that is not here.", errors=(FieldError("/payment_plan_id", "reference-not-found"),)
    )
    patient_id, id = parse_type_id("patient", body.patient_id), parse_type_id("payment_plan", body.payment_plan_id)
    if patient_id is None or id is None:
        raise missing
    ledger.hold_patient(scope=scope, patient_id=patient_id)
    try:
        plan = plans.get_plan(scope=scope, plan_id=id)
    except NotFound as error:
        raise missing from error
    if plan.patient_id != patient_id or plan.status != PlanStatus.ACTIVE:
        raise missing
    standing = plans.standing(scope=scope, plan=plan, today=plan.first_due_on)
    return share_out(standing.parts, body.amount.amount)
