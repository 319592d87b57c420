"""
AutoPay: to enrol and to charge are two acts. Enrolling writes a consent down; nothing is charged by it.

What is owed is planned, which is told, and leaves days later; a person may cancel it before. The patient's
balance is held (a lock) both when it is planned and when it leaves, so nothing is charged twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from rapport.kernel.problems import FieldError, Invalid, ReferenceNotFound, StateConflict
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.rooms.ledger import services as ledger
from rapport.rooms.payments import events, queries
from rapport.rooms.payments.models import AutopayRule, Card, Charge, Enrolment, Planned
from rapport.rooms.payments.rules import autopay as rules
from rapport.rooms.payments.states import CardState, PlanState
from rapport.rooms.roster import queries as roster

from .cards import refer
from .charging import start_charge
from .instalments import still_of_plan
from .owing import hold_enrolment, most_in_month, owed_by, still_owed, tell
from .problems import AlreadyEnrolled, CardNotUsable, ChargeUnderWay, NoProcessor


def set_rule(*, scope: Scope, given: Mapping[str, Any], now: datetime) -> AutopayRule:
    """Set when the practice charges those who are enrolled. :param given: the columns of the rule"""
    scope.require(Permission.PRACTICE_WRITE)
    row = queries.autopay_rule(scope=scope, lock=True)
    if row is None:
        row = AutopayRule(practice_id=scope.practice_id, created_at=now, updated_at=now, **given)
        row.save(force_insert=True)
    else:
        for name, value in given.items():
            setattr(row, name, value)
        row.version += 1
        row.updated_at = now
        row.save()
    scope.trail.changed = sorted(given)
    return row


def enrol(*, scope: Scope, body: Any, now: datetime) -> Enrolment:
    """
    Write down a patient's consent that a card is charged. Nothing is charged by this.

    :param body: `schemas.EnrolmentIn`
    :raises CardNotUsable: the card is not finished, or was removed
    :raises AlreadyEnrolled: another consent stands
    """
    scope.require(Permission.PAYMENTS_WRITE)
    patient = roster.refer_to_patient(
        scope=scope, patient_id=refer(kind="patient", text=body.patient_id, pointer="/patient_id"),
        pointer="/patient_id",
    )  # fmt: skip
    card_id = refer(kind="card", text=body.card_id, pointer="/card_id")
    card = Card.objects.visible_to(scope).filter(id=card_id, patient_id=patient.id).first()
    if card is None:
        raise ReferenceNotFound(
            "A field refers to something that is not here.",
            errors=(FieldError("/card_id", "reference-not-found"),),
        )
    if card.state != CardState.ACTIVE:
        raise CardNotUsable(current_state=card.state)
    if body.consent.given_at > now:
        raise Invalid("1 field is not valid.", errors=(FieldError("/consent/given_at", "in-the-future"),))
    ledger.hold_patient(scope=scope, patient_id=patient.id)
    if queries.enrolment_of(scope=scope, patient_id=patient.id) is not None:
        raise AlreadyEnrolled()
    row = Enrolment(
        practice_id=scope.practice_id, patient_id=patient.id, card=card,
        max_cents=None if body.max_per_month is None else body.max_per_month.amount,
        consent_words=body.consent.words, consented_by=body.consent.given_by,
        consented_at=body.consent.given_at, recorded_by_type=scope.actor_type, recorded_by_id=scope.actor_id,
        created_at=now, updated_at=now,
    )  # fmt: skip
    row.save(force_insert=True)
    tell(events.AUTOPAY_ENROLLED, scope=scope, kind="autopay_enrolment", row=row, now=now)
    return row


def revoke(*, scope: Scope, enrolment_id: UUID, reason: str, now: datetime) -> Enrolment:
    """
    End a consent at once: what is planned does not leave. What is at the processor already is not called back.

    :raises StateConflict: it was ended before
    """
    scope.require(Permission.PAYMENTS_WRITE)
    row = queries.get_enrolment(scope=scope, enrolment_id=enrolment_id, lock=True)
    if row.revoked_at is not None:
        raise StateConflict("It was revoked before.", current_state="revoked")
    _end(scope, row, reason=reason, now=now)
    scope.trail.reason = reason
    return row


def _end(scope: Scope, row: Enrolment, *, reason: str, now: datetime) -> None:
    row.revoked_at, row.revoked_by_id, row.revoke_reason = now, scope.actor_id, reason[:200]
    row.version += 1
    row.updated_at = now
    row.save(update_fields=["revoked_at", "revoked_by_id", "revoke_reason", "version", "updated_at"])
    for planned in Planned.objects.visible_to(scope).filter(enrolment_id=row.id, state=PlanState.PLANNED.value):
        planned.move(PlanState.OVERTAKEN, at=now, reason="revoked")
    tell(events.AUTOPAY_REVOKED, scope=scope, kind="autopay_enrolment", row=row, now=now)


def end_with_card(*, scope: Scope, card_id: UUID, now: datetime) -> None:
    """End the consent that was given for a card which is removed."""
    for row in Enrolment.objects.visible_to(scope).filter(card_id=card_id, revoked_at=None):
        _end(scope, row, reason="the card was removed", now=now)


def look_again(*, scope: Scope, patient_id: UUID | None) -> None:
    """Let what a patient owes be looked at soon. :param patient_id: None: of everybody who is enrolled"""
    rows = Enrolment.objects.visible_to(scope).filter(revoked_at=None)
    if patient_id is not None:
        rows = rows.filter(patient_id=patient_id)
    rows.update(looked_at=None)


def plan(*, scope: Scope, enrolment_id: UUID, now: datetime) -> Planned | None:
    """
    Plan to charge what an enrolled patient owes by the practice's rule. Credit pays first.

    :return: None where there is nothing to plan, or something is planned or under way already
    """
    enrolment = hold_enrolment(scope=scope, enrolment_id=enrolment_id)
    Enrolment.objects.visible_to(scope).filter(id=enrolment.id).update(looked_at=now)
    rule = queries.autopay_rule(scope=scope)
    if rule is None or not rule.active or enrolment.revoked_at is not None:
        return None
    if queries.keeps_autopay_off(scope=scope, patient_id=enrolment.patient_id):
        return None
    ledger.apply_credit(scope=scope, patient_id=enrolment.patient_id, now=now)
    due_on = rules.leaves_on(scope.day_of(now), notice_days=rule.notice_days, day_of_month=rule.day_of_month)
    card = queries.get_card(scope=scope, card_id=enrolment.card_id)
    wanted = rules.due(
        owed_by(scope=scope, patient_id=enrolment.patient_id), copays=rule.copays, health_account=card.health_account,
        left_to_people=queries.left_to_people(scope=scope, patient_id=enrolment.patient_id),
    )  # fmt: skip
    parts = rules.share(wanted, most_in_month(scope=scope, rule=rule, enrolment=enrolment, due_on=due_on))
    if not parts:
        return None
    row = Planned(
        practice_id=scope.practice_id, patient_id=enrolment.patient_id, enrolment=enrolment,
        cents=sum(cents for _, cents in parts), visits=[[visit, cents] for visit, cents in parts],
        due_on=due_on, created_at=now, updated_at=now,
    )  # fmt: skip
    row.save(force_insert=True)
    tell(events.AUTOPAY_PLANNED, scope=scope, kind="planned_charge", row=row, now=now)
    return row


def carry_out(*, scope: Scope, planned_id: UUID, now: datetime) -> Charge | None:
    """
    Let a planned charge leave: as much of it as is still owed, and never more than was told.

    :return: None where it is not its day, or it is not to leave
    """
    before = queries.get_planned(scope=scope, planned_id=planned_id)
    ledger.hold_patient(scope=scope, patient_id=before.patient_id)
    row = queries.get_planned(scope=scope, planned_id=planned_id, lock=True)
    rule = queries.autopay_rule(scope=scope)
    if row.state != PlanState.PLANNED or row.due_on > scope.day_of(now) or rule is None or not rule.active:
        return None
    enrolment = queries.get_enrolment(scope=scope, enrolment_id=row.enrolment_id)
    card = queries.get_card(scope=scope, card_id=enrolment.card_id)
    if enrolment.revoked_at is not None or card.state != CardState.ACTIVE:
        row.move(PlanState.OVERTAKEN, at=now, reason="revoked")
        return None
    if queries.disputed(scope=scope, patient_id=row.patient_id):
        return None
    ledger.apply_credit(scope=scope, patient_id=row.patient_id, now=now)
    row.refresh_from_db()
    if row.state != PlanState.PLANNED:
        return None  # credit has paid the rest of its payment plan
    parts, why_not = still_owed(row, scope=scope), ""
    if row.plan_id is not None:
        parts, why_not = still_of_plan(scope=scope, row=row, plan_id=row.plan_id, card=card, now=now)
    total = sum(cents for _, cents in parts)
    if total < rules.LEAST_CENTS:
        row.move(PlanState.OVERTAKEN, at=now, reason=why_not or "paid in another way")
        return None
    try:
        charge = start_charge(scope=scope, card=card, cents=total, wanted=parts, now=now, planned_id=row.id)
    except (ChargeUnderWay, NoProcessor, CardNotUsable):
        return None  # looked at again in a minute: nothing was asked for
    row.move(PlanState.CHARGING, at=now, charge_id=charge.id, decline_code="", decline_words="")
    return charge


def settle(*, scope: Scope, charge: Charge, paid: bool, now: datetime) -> None:
    """Write down what became of the charge that a plan made: paid, tried again on another day, or given up."""
    if charge.planned_id is None:
        return
    row = queries.get_planned(scope=scope, planned_id=charge.planned_id, lock=True)
    if row.state != PlanState.CHARGING or row.charge_id != charge.id:
        return
    if paid:
        row.move(PlanState.PAID, at=now)
        return
    rule = queries.autopay_rule(scope=scope)
    waits = rule.retry_days if rule is not None else []
    said: dict[str, Any] = {
        "decline_code": charge.decline_code, "decline_words": charge.decline_words, "tries": row.tries + 1,
    }  # fmt: skip
    if charge.decline_again and row.tries < len(waits):
        again_on = rules.leaves_on(scope.day_of(now), notice_days=waits[row.tries], day_of_month=None)
        row.move(PlanState.PLANNED, at=now, due_on=again_on, **said)
        tell(events.AUTOPAY_RETRIED, scope=scope, kind="planned_charge", row=row, now=now)
    else:
        row.move(PlanState.GIVEN_UP, at=now, **said)
        tell(events.AUTOPAY_GIVEN_UP, scope=scope, kind="planned_charge", row=row, now=now)


def cancel(*, scope: Scope, planned_id: UUID, reason: str, now: datetime) -> Planned:
    """
    Keep a planned charge from leaving, or close one that was given up. What it was for is not planned again.

    :raises StateConflict: it has left, or is over
    """
    scope.require(Permission.PAYMENTS_WRITE)
    row = queries.get_planned(scope=scope, planned_id=planned_id, lock=True)
    row.move(PlanState.CANCELLED, at=now, reason=reason[:200])
    scope.trail.reason = reason
    tell(events.AUTOPAY_CANCELLED, scope=scope, kind="planned_charge", row=row, now=now)
    return row
