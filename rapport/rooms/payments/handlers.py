"""AutoPay listens to what changes what patients owe and how they pay it, and to what becomes of the charges it makes."""

from __future__ import annotations

from datetime import datetime

from rapport.platform.access.scope import Scope
from rapport.platform.outbox.emit import Event, on
from rapport.rooms.accounting import events as accounting
from rapport.rooms.accounting import services as plans
from rapport.rooms.ledger import events as ledger
from rapport.rooms.remittance import events as remittance
from rapport.rooms.scheduling import events as scheduling
from rapport.rooms.scheduling import queries as calendar

from . import events, queries, services


@on(scheduling.COMPLETED)
def _visit_over(scope: Scope, event: Event, now: datetime) -> None:
    visit = calendar.get_appointment(scope=scope, appointment_id=event.object_id)
    services.look_again(scope=scope, patient_id=visit.patient_id)


@on(remittance.ERA_POSTED)
def _payer_decided(scope: Scope, event: Event, now: datetime) -> None:
    services.look_again(scope=scope, patient_id=None)
    plans.look_again(scope=scope)


@on(accounting.PLAN_CREATED)
@on(accounting.PLAN_CHANGED)
@on(accounting.PLAN_PAUSED)
@on(accounting.PLAN_COMPLETED)
@on(accounting.PLAN_CANCELLED)
@on(accounting.PLAN_REPLACED)
@on(accounting.PLAN_REOPENED)
def _plan_changed(scope: Scope, event: Event, now: datetime) -> None:
    patient_id = services.follow_plan(scope=scope, plan_id=event.object_id, now=now)
    services.look_again(scope=scope, patient_id=patient_id)


@on(events.PAYMENT_CHARGED_BACK)
def _charged_back(scope: Scope, event: Event, now: datetime) -> None:
    charge = queries.find_charge(scope=scope, charge_id=event.object_id)
    if charge is not None:
        plans.notice_patient(scope=scope, patient_id=charge.patient_id, now=now)


@on(events.CARD_REMOVED)
def _card_removed(scope: Scope, event: Event, now: datetime) -> None:
    services.end_with_card(scope=scope, card_id=event.object_id, now=now)


@on(ledger.PAYMENT_RECORDED)
def _paid(scope: Scope, event: Event, now: datetime) -> None:
    charge = queries.find_charge(scope=scope, charge_id=event.object_id)
    if charge is not None:
        services.settle(scope=scope, charge=charge, paid=True, now=now)


@on(events.PAYMENT_FAILED)
def _failed(scope: Scope, event: Event, now: datetime) -> None:
    charge = queries.find_charge(scope=scope, charge_id=event.object_id)
    if charge is not None:
        services.settle(scope=scope, charge=charge, paid=False, now=now)
