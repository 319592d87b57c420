"""
What becomes of a payment plan: changed, put off, ended by a person or by itself, told to be overdue.

Nothing of it moves money. What is paid is read from the ledger whenever it is looked at: by a person, after a deed of the
ledger, and every hour.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from rapport.kernel.ids import new_uuid
from rapport.kernel.problems import Conflict, StateConflict
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.api import etags
from rapport.platform.outbox.emit import emit
from rapport.rooms.accounting import events, queries
from rapport.rooms.accounting.models import PaymentPlan, PlanDeed, PlanVisit
from rapport.rooms.accounting.rules.plans import Standing
from rapport.rooms.accounting.states import PlanStatus
from rapport.rooms.ledger import services as money

from .papers import _fault

LONGEST_PAUSE = timedelta(days=366)


class NothingDueBefore(Conflict):
    code, title = "nothing-due-before", "No instalment of the plan falls due before that day."


def change_plan(
    *, scope: Scope, plan_id: UUID, if_match: str, given: Mapping[str, Any], now: datetime
) -> PaymentPlan:
    """
    Change the note of an active plan, or whether a card is charged for it. Other terms are another plan.

    :param given: `note`, `charge_card`, as far as they were sent
    :raises PreconditionFailed: it was changed since it was read
    :raises StateConflict: it has ended
    """
    scope.require(Permission.PAYMENTS_WRITE)
    plan = _held(scope, plan_id)
    etags.check(plan, if_match)
    _need_active(plan)
    wanted: dict[str, Any] = {}
    if "note" in given:
        wanted["note"] = given["note"] or ""
    if given.get("charge_card") is not None:
        wanted["charge_card"] = given["charge_card"]
    changed = {name: value for name, value in wanted.items() if getattr(plan, name) != value}
    scope.trail.target("payment_plan", plan.id, plan.version)
    if changed:
        plan.change(at=now, **changed)
        scope.trail.changed = sorted(changed)
        scope.trail.target("payment_plan", plan.id, plan.version)
        note_deed(scope=scope, plan=plan, event=events.PLAN_CHANGED, now=now, detail=", ".join(sorted(changed)))
    return plan


def pause_plan(*, scope: Scope, plan_id: UUID, until: date, reason: str, now: datetime) -> PaymentPlan:
    """
    Put off all that is not paid, by whole intervals, so that nothing falls due before a day. Nothing is overdue then.

    :raises StateConflict: it has ended
    :raises NothingDueBefore: nothing would change
    :raises Invalid: the day is not ahead, or more than a year
    """
    scope.require(Permission.PAYMENTS_WRITE)
    plan = _held(scope, plan_id)
    _need_active(plan)
    today = scope.day_of(now)
    if until <= today:
        raise _fault("/until", "not-ahead")
    if until > today + LONGEST_PAUSE:
        raise _fault("/until", "too-far-ahead")
    following = queries.standing(scope=scope, plan=plan, today=today).next
    intervals = 0
    if following is not None:
        intervals = queries.terms_of(plan).intervals_until(following.number, until)
    if following is None or not intervals:
        raise NothingDueBefore()
    plan.change(
        at=now, skips=[*plan.skips, [following.number, intervals]], overdue_since=None,
        overdue_told=min(plan.overdue_told, following.number - 1),
    )  # fmt: skip
    scope.trail.target("payment_plan", plan.id, plan.version)
    scope.trail.reason = reason
    detail = f"until {until.isoformat()}, from instalment {following.number}"
    note_deed(scope=scope, plan=plan, event=events.PLAN_PAUSED, now=now, detail=detail, reason=reason)
    return plan


def cancel_plan(*, scope: Scope, plan_id: UUID, broken: bool, reason: str, now: datetime) -> PaymentPlan:
    """
    End a plan before its end: what is open of it is owed as before, at once.

    :param broken: the patient did not keep it
    :raises StateConflict: it has ended
    """
    scope.require(Permission.PAYMENTS_WRITE)
    plan = _held(scope, plan_id)
    _need_active(plan)
    status = PlanStatus.BROKEN if broken else PlanStatus.CANCELLED
    end(scope=scope, plan=plan, status=status, reason=reason, now=now)
    scope.trail.target("payment_plan", plan.id, plan.version)
    scope.trail.reason = reason
    return plan


_TOLD = {
    PlanStatus.COMPLETED: events.PLAN_COMPLETED, PlanStatus.REPLACED: events.PLAN_REPLACED,
    PlanStatus.CANCELLED: events.PLAN_CANCELLED, PlanStatus.BROKEN: events.PLAN_CANCELLED,
}  # fmt: skip


def end(
    *, scope: Scope, plan: PaymentPlan, status: PlanStatus, reason: str, now: datetime, standing: Standing | None = None
) -> None:
    """Write down how a plan stands at its end, and give its visits free. The caller holds the row."""
    found = standing or queries.standing(scope=scope, plan=plan, today=scope.day_of(now))
    left = {str(part.visit): [part.paid_cents, part.open_cents] for part in found.parts}
    plan.move(status, at=now, ended_at=now, end_reason=reason[:200], left=left, overdue_since=None, overdue_told=0)
    PlanVisit.objects.visible_to(scope).filter(plan_id=plan.id).update(active=False)
    note_deed(
        scope=scope, plan=plan, event=_TOLD[status], now=now, reason=reason,
        detail="broken" if status is PlanStatus.BROKEN else "",
    )  # fmt: skip


def notice_patient(*, scope: Scope, patient_id: UUID, now: datetime) -> None:
    """Look at a patient's plans after something happened to their money. It checks no permission: nothing moves."""
    wanted = (PlanStatus.ACTIVE, PlanStatus.COMPLETED)
    for plan in queries.plans_of_patient(scope=scope, patient_id=patient_id, statuses=wanted):
        notice(scope=scope, plan_id=plan.id, now=now)


def notice(*, scope: Scope, plan_id: UUID, now: datetime) -> PaymentPlan:
    """
    See what has become of a plan: it is completed once nothing of it is owed, and told when an instalment is overdue.

    A completed plan is active again where money that had paid for it was taken back, unless another plan has its visits.
    """
    plan = _held(scope, plan_id)
    today = scope.day_of(now)
    if plan.status == PlanStatus.COMPLETED and not _reopen(scope, plan, now):
        return plan
    if plan.status != PlanStatus.ACTIVE:
        return plan
    standing = queries.standing(scope=scope, plan=plan, today=today)
    if not standing.open_cents:
        end(scope=scope, plan=plan, status=PlanStatus.COMPLETED, reason="", now=now, standing=standing)
        return plan
    overdue = standing.overdue
    since, last = (overdue[0].due_on, overdue[-1].number) if overdue else (None, 0)
    if last > plan.overdue_told:
        plan.change(at=now, overdue_since=since, overdue_told=last, looked_at=now)
        note_deed(scope=scope, plan=plan, event=events.PLAN_OVERDUE, now=now, detail=f"instalment {last}")
    else:
        PaymentPlan.objects.visible_to(scope).filter(id=plan.id).update(
            overdue_since=since, overdue_told=last, looked_at=now
        )
    return plan


def _reopen(scope: Scope, plan: PaymentPlan, now: datetime) -> bool:
    visits = queries.plan_visits(scope=scope, plan_ids=[plan.id])[plan.id]
    parts = queries.live_parts(scope=scope, visits=visits)
    paid_then = sum(paid for paid, _ in (plan.left or {}).values())
    taken_back = sum(part.paid_cents for part in parts) < paid_then
    if not taken_back or not any(part.open_cents for part in parts):
        return False
    others = queries.visits_in_plans(scope=scope, patient_id=plan.patient_id)
    if others & {row.appointment_id for row in visits}:
        return False
    plan.move(PlanStatus.ACTIVE, at=now, ended_at=None, end_reason="", left=None)
    PlanVisit.objects.visible_to(scope).filter(plan_id=plan.id).update(active=True)
    note_deed(scope=scope, plan=plan, event=events.PLAN_REOPENED, now=now)
    return True


def look_again(*, scope: Scope) -> None:
    """
    Let active plans be looked at soon: payers have decided about many patients at once.

    One that somebody holds is not waited for; it is looked at within the hour.
    """
    rows = PaymentPlan.objects.visible_to(scope).filter(status=PlanStatus.ACTIVE.value)
    free = rows.select_for_update(skip_locked=True).values_list("id", flat=True)
    PaymentPlan.objects.visible_to(scope).filter(id__in=list(free)).update(looked_at=None)


def note_deed(
    *, scope: Scope, plan: PaymentPlan, event: str, now: datetime, detail: str = "", reason: str = ""
) -> None:
    """Keep a deed in the plan's history, and tell of it. The row is new, or held."""
    PlanDeed.objects.create(
        id=new_uuid(), practice_id=scope.practice_id, plan=plan, patient_id=plan.patient_id,
        what=event.rpartition(".")[2], detail=detail[:200], reason=reason[:200], actor_type=scope.actor_type,
        actor_id=scope.actor_id, created_at=now,
    )  # fmt: skip
    emit(event, scope=scope, object_type="payment_plan", object_id=plan.id, version=plan.version, now=now)


def _held(scope: Scope, plan_id: UUID) -> PaymentPlan:
    """
    Hold a plan, after its patient's balance: whoever holds both, and cards' planned charges, does so in this order.

    :raises NotFound: there is none for this actor
    """
    plan = queries.get_plan(scope=scope, plan_id=plan_id)
    money.hold_patient(scope=scope, patient_id=plan.patient_id)
    return queries.get_plan(scope=scope, plan_id=plan_id, lock=True)


def _need_active(plan: PaymentPlan) -> None:
    if plan.status != PlanStatus.ACTIVE:
        raise StateConflict(f"The plan is {plan.status}.", current_state=plan.status)
