"""
Making a payment plan: what a patient owes now, laid out over days. It books nothing in the ledger.

Who makes one holds the patient's balance (a lock), so that what it is made of is what is owed. What is
printed on the agreement is put together once and kept, as other papers are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from rapport.kernel.ids import new_uuid, parse_type_id
from rapport.kernel.problems import Conflict, FieldError, Invalid, ReferenceNotFound
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.rooms.accounting import events, queries
from rapport.rooms.accounting.models import PaymentPlan, PlanVisit
from rapport.rooms.accounting.rules import plans as rules
from rapport.rooms.accounting.rules.frozen import digest
from rapport.rooms.accounting.states import PlanInterval, PlanStatus
from rapport.rooms.ledger import queries as ledger
from rapport.rooms.ledger import services as money
from rapport.rooms.ledger.rules.balances import OpenItem, allocate
from rapport.rooms.ledger.states import Account
from rapport.rooms.roster import queries as roster

from .papers import _fault, _heads
from .plans import end, note_deed

FARTHEST = timedelta(days=366)
"""A first instalment is not later than that: what lies farther ahead is no plan."""
CARD_LEAST_CENTS = 50
"""Less than that is charged to no card: processors refuse it."""


class VisitInPlan(Conflict):
    code, title = "visit-in-plan", "A visit is in another plan that is active."


@dataclass(frozen=True, slots=True)
class Draft:
    """A plan as it would be: nothing of it is kept."""

    patient_id: UUID
    visits: tuple[tuple[UUID, date, int], ...]
    """(visit, day of the service, cents of it), the oldest first."""
    terms: rules.Terms
    warnings: tuple[rules.Warning, ...]
    replaces: PaymentPlan | None

    @property
    def cents(self) -> int:
        return sum(cents for _, _, cents in self.visits)


def draft_plan(*, scope: Scope, body: Any, now: datetime) -> Draft:
    """
    Lay a plan out over what a patient owes now. Nothing is kept; the patient's balance is held.

    :param body: `schemas.PlanTermsIn`
    :raises ReferenceNotFound: no such patient, visit or plan for this actor
    :raises Invalid: the days or the instalments cannot be
    :raises money.MoreThanOwed: less than that is owed for visits that are in no other plan
    :raises VisitInPlan: a visit that is named is in another plan
    :raises StateConflict: the plan to be replaced has ended
    """
    scope.require(Permission.PAYMENTS_WRITE)
    id = parse_type_id("patient", body.patient_id) or new_uuid()
    patient = roster.refer_to_patient(scope=scope, patient_id=id, pointer="/patient_id")
    scope.trail.patient_ids.add(patient.id)
    today = scope.day_of(now)
    if body.first_due_on < today:
        raise _fault("/first_due_on", "in-the-past")
    if body.first_due_on > today + FARTHEST:
        raise _fault("/first_due_on", "too-far-ahead")
    money.hold_patient(scope=scope, patient_id=patient.id)
    replaced = _replaced(scope, body, patient.id)
    items, most = _items(scope, body, patient.id, replaced, today)
    owed = sum(item.open_cents for item in items)
    total = body.total.amount if body.total is not None else most
    if not 0 < total <= owed:
        raise money.MoreThanOwed("A plan is over what is owed now at most.", owed_cents=owed)
    visits = tuple(
        (part.appointment_id, part.service_on or today, part.cents)
        for part in allocate(total, items)
        if part.appointment_id is not None
    )
    try:
        amounts = rules.amounts(
            total, count=body.instalments, each_cents=None if body.amount is None else body.amount.amount
        )
    except ValueError as error:
        raise _fault("/instalments" if body.instalments else "/amount", "no-such-instalments") from error
    terms = rules.Terms(body.first_due_on, PlanInterval(body.interval), body.day_of_month, amounts)
    payers = ledger.open_items(scope=scope, patient_id=patient.id, account=Account.INSURANCE_RECEIVABLE)
    undecided = {item.appointment_id for item in payers} & {visit for visit, _, _ in visits}
    warnings = rules.warnings(
        len(amounts), undecided=bool(undecided), least_cents=min(amounts), charge_card=body.charge_card,
        card_least_cents=CARD_LEAST_CENTS,
    )  # fmt: skip
    return Draft(patient.id, visits, terms, tuple(warnings), replaced)


def _replaced(scope: Scope, body: Any, patient_id: UUID) -> PaymentPlan | None:
    """Return the plan that is to be replaced, held."""
    if body.replaces_id is None:
        return None
    id = parse_type_id("payment_plan", body.replaces_id)
    row = PaymentPlan.objects.visible_to(scope).select_for_update().filter(id=id, patient_id=patient_id).first()
    if row is None:
        raise ReferenceNotFound(
            "A field refers to something that is not here.", errors=(FieldError("/replaces_id", "reference-not-found"),)
        )
    if row.status != PlanStatus.ACTIVE:
        raise Invalid("1 field is not valid.", errors=(FieldError("/replaces_id", "not-active"),))
    found: PaymentPlan = row
    return found


def _items(
    scope: Scope, body: Any, patient_id: UUID, replaced: PaymentPlan | None, today: date
) -> tuple[list[OpenItem], int]:
    """Return the visits that a plan may be over, with what each owes, and what it is over unless a total is named."""
    taken = queries.visits_in_plans(scope=scope, patient_id=patient_id)
    own: dict[UUID | None, int] = {}
    if replaced is not None:
        standing = queries.standing(scope=scope, plan=replaced, today=today)
        own = {part.visit: part.open_cents for part in standing.parts}
    visits = {
        item.appointment_id: item
        for item in ledger.open_items(scope=scope, patient_id=patient_id)
        if item.appointment_id is not None
    }
    if body.appointment_ids is not None:
        items = [visits[id] for id in _named(body.appointment_ids, visits, taken - own.keys())]
        items.sort(key=lambda item: (item.service_on, item.appointment_id))
        return items, sum(item.open_cents for item in items)
    items = [item for id, item in visits.items() if id not in taken or id in own]
    if replaced is not None and body.total is None:
        items = [item for item in items if own.get(item.appointment_id)]
        items = [OpenItem(item.appointment_id, own[item.appointment_id], item.service_on) for item in items]
    return items, sum(item.open_cents for item in items)


def _named(texts: Sequence[str], visits: dict[UUID, OpenItem], taken: set[UUID]) -> list[UUID]:
    found: list[UUID] = []
    for place, text in enumerate(texts):
        id = parse_type_id("appointment", text)
        if id in taken:
            raise VisitInPlan("Cancel that plan, or replace it.")
        if id is None or id not in visits or id in found:
            raise Invalid("1 field is not valid.", errors=(FieldError(f"/appointment_ids/{place}", "nothing-owed"),))
        found.append(id)
    return found


def make_plan(*, scope: Scope, body: Any, now: datetime) -> PaymentPlan:
    """
    Make a plan, and end the one that it replaces. What is owed stays as it is.

    :param body: `schemas.PaymentPlanIn`
    :raises Conflict: as `draft_plan`
    """
    draft = draft_plan(scope=scope, body=body, now=now)
    if body.agreed.at > now:
        raise _fault("/agreed/at", "in-the-future")
    if draft.replaces is not None:
        end(scope=scope, plan=draft.replaces, status=PlanStatus.REPLACED, reason="", now=now)
    terms = draft.terms
    content = _heads(scope, draft.patient_id) | {
        "total": draft.cents,
        "visits": [[str(visit), day.isoformat(), cents] for visit, day, cents in draft.visits],
        "instalments": [
            [terms.due_on(number).isoformat(), cents] for number, cents in enumerate(terms.amounts, start=1)
        ],
        "charge_card": body.charge_card, "made_on": scope.day_of(now).isoformat(),
        "agreed": {
            "by": body.agreed.by, "on": scope.day_of(body.agreed.at).isoformat(), "how": body.agreed.how,
        },
    }  # fmt: skip
    plan = PaymentPlan(
        practice_id=scope.practice_id, patient_id=draft.patient_id, cents=draft.cents, amounts=list(terms.amounts),
        first_due_on=terms.first_on, interval=terms.interval.value, day_of_month=terms.day_of_month,
        charge_card=body.charge_card, note=body.note or "", agreed_by=body.agreed.by, agreed_at=body.agreed.at,
        agreed_how=body.agreed.how, recorded_by_type=scope.actor_type, recorded_by_id=scope.actor_id,
        replaces=draft.replaces, content=content, sha256=digest(content), created_at=now, updated_at=now,
    )  # fmt: skip
    plan.save(force_insert=True)
    before = ledger.patients_money(scope=scope, appointment_ids=[visit for visit, _, _ in draft.visits])
    PlanVisit.objects.bulk_create(
        PlanVisit(
            id=new_uuid(), practice_id=scope.practice_id, plan=plan, patient_id=plan.patient_id, appointment_id=visit,
            service_on=day, cents=cents, paid_before=before.get(visit, {}),
        )
        for visit, day, cents in draft.visits
    )  # fmt: skip
    scope.trail.target("payment_plan", plan.id, plan.version)
    note_deed(scope=scope, plan=plan, event=events.PLAN_CREATED, now=now)
    return plan
