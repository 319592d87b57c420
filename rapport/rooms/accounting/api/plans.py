"""Payment plans."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.utils import timezone

from rapport.kernel.problems import StateConflict
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.api import etags
from rapport.platform.api.lists import Filter, ListSpec, Sort
from rapport.platform.api.router import ScopedRequest
from rapport.platform.api.shapes import Answer, path_id
from rapport.rooms.accounting import examples, queries, services
from rapport.rooms.accounting.models import PaymentPlan
from rapport.rooms.accounting.paper import agreement_pdf
from rapport.rooms.accounting.schemas import plans as s
from rapport.rooms.ledger import services as ledger

from .base import PDF, file, router, wants


def _shapes(ids: Sequence[UUID], scope: Scope) -> list[s.PlanOut]:
    plans = queries.plans_of(scope=scope, plan_ids=ids)
    standings = queries.standings(scope=scope, plans=plans, today=scope.day_of(timezone.now()))
    others = queries.replacements_of(scope=scope, plan_ids=ids)
    return [s.plan_out(plan, standings[plan.id], replaced_by=others.get(plan.id)) for plan in plans]


PLANS = ListSpec(
    route="payment-plans",
    columns="n.id, n.patient_id",
    source="accounting_paymentplan n",
    id_column="n.id",
    practice_column="n.practice_id",
    sorts={
        "created_at": Sort("n.created_at", "timestamptz"),
        "overdue_since": Sort("coalesce(n.overdue_since, '9999-12-31'::date)", "date"),
    },
    default_sort="-created_at",
    filters={
        "patient_id": Filter("n.patient_id", "id:patient"),
        "status": Filter("n.status", "enum:active|completed|cancelled|broken|replaced", ("eq", "in")),
        "overdue": Filter("(n.overdue_since IS NOT NULL)", "bool"),
    },
    build_page=_shapes,
    patient_index=1,
)


def _plan(request: ScopedRequest, row: PaymentPlan) -> Answer:
    scope = request.auth
    scope.trail.target("payment_plan", row.id, row.version)
    scope.trail.patient_ids.add(row.patient_id)
    (shape,) = _shapes([row.id], scope)
    return Answer(shape, etag=etags.of(row.id, row.version))


@router.get(
    "/payment-plans",
    summary="List payment plans",
    needs=Permission.LEDGER_READ,
    action="payment_plan.list",
    returns=(200, s.PlanOut),
    list_spec=PLANS,
    example=examples.page(examples.PLAN),
)
def list_plans(request: ScopedRequest) -> Answer:
    """
    Agreements to pay by instalments, the latest first, each as it stands today.

    With `overdue=true`, and `sort=overdue_since`: the work list of those that are not kept. A plan is on it from
    the day after an instalment was due (within the hour), and off it once that is paid.
    """
    return PLANS.run(request, scope=request.auth)


_NOT_SO = (ledger.MoreThanOwed, services.VisitInPlan)


@router.post(
    "/payment-plans/preview",
    summary="Preview a payment plan",
    needs=Permission.PAYMENTS_WRITE,
    action="payment_plan.preview",
    returns=(200, s.PlanPreviewOut),
    key="none",
    problems=_NOT_SO,
    example=examples.PREVIEW,
    request_example=examples.NEW_TERMS,
)
def preview_plan(request: ScopedRequest, body: s.PlanTermsIn) -> Answer:
    """
    Lay a plan out over what the patient owes now: which visits, what is due when, and what to think of before it is
    made. Nothing is kept. The instalments add up to the total; cents that are left over go to the first ones.

    `warnings` are data, and no legal advice: among them that more than four instalments by written agreement
    are what the Truth in Lending Act looks at (Regulation Z, 12 CFR 1026.2(a)(17)(i)).
    """
    return Answer(s.preview_out(services.draft_plan(scope=request.auth, body=body, now=timezone.now())))


@router.post(
    "/payment-plans",
    summary="Make a payment plan",
    needs=Permission.PAYMENTS_WRITE,
    action="payment_plan.create",
    returns=(201, s.PlanOut),
    key="required",
    key_days=30,
    problems=_NOT_SO,
    example=examples.PLAN,
    request_example=examples.NEW_PLAN,
)
def make_plan(request: ScopedRequest, body: s.PaymentPlanIn) -> Answer:
    """
    Write down that a patient pays what they owe by instalments. It has no interest and no fee, and books nothing:
    what is owed stays owed, and AutoPay and invoices ask for none of its visits.

    Whatever the patient pays for its visits from now on counts for the oldest instalment first. What falls away, since
    an insurance pays or something is written off, shortens the last one. Once nothing of it is owed it is completed.

    Its terms never change. Other terms are another plan, with `replaces_id`. Emits `payment_plan.created`, and
    `payment_plan.replaced` for the one before.
    """
    return _plan(request, services.make_plan(scope=request.auth, body=body, now=timezone.now()))


@router.get(
    "/payment-plans/{payment_plan_id}",
    summary="Read a payment plan",
    needs=Permission.LEDGER_READ,
    action="payment_plan.read",
    returns=(200, s.PlanOut),
    example=examples.PLAN,
    other_types={PDF: "The agreement, to print or to send."},
)
def get_plan(request: ScopedRequest, payment_plan_id: str) -> Answer:
    """One plan, as it stands today; `Accept: application/pdf` gives the agreement, as it was made."""
    plan = queries.get_plan(scope=request.auth, plan_id=path_id("payment_plan", payment_plan_id))
    if wants(request, PDF):
        request.auth.trail.target("payment_plan", plan.id, plan.version)
        return file(agreement_pdf(plan), PDF, f"payment-plan-{plan.id}.pdf")
    return _plan(request, plan)


@router.get(
    "/payment-plans/{payment_plan_id}/history",
    summary="Read a payment plan's history",
    needs=Permission.LEDGER_READ,
    action="payment_plan.history",
    returns=(200, s.PlanHistoryOut),
    example=examples.HISTORY,
)
def get_history(request: ScopedRequest, payment_plan_id: str) -> Answer:
    """Who made the plan, put it off or ended it, and what became of it, in order."""
    scope = request.auth
    plan = queries.get_plan(scope=scope, plan_id=path_id("payment_plan", payment_plan_id))
    scope.trail.target("payment_plan", plan.id, plan.version)
    return Answer(s.history_out(plan, queries.deeds_of(scope=scope, plan_id=plan.id)))


@router.patch(
    "/payment-plans/{payment_plan_id}",
    summary="Change a payment plan",
    needs=Permission.PAYMENTS_WRITE,
    action="payment_plan.update",
    returns=(200, s.PlanOut),
    match=True,
    problems=(StateConflict,),
    example=examples.PLAN | {"charge_card": True, "version": 2},
    request_example={"charge_card": True},
)
def change_plan(request: ScopedRequest, payment_plan_id: str, body: s.PlanChange) -> Answer:
    """Change the note, or whether a card is charged. Other terms are another plan. Emits `payment_plan.changed`."""
    given: dict[str, Any] = {name: getattr(body, name) for name in body.model_fields_set}
    row = services.change_plan(
        scope=request.auth, plan_id=path_id("payment_plan", payment_plan_id), if_match=request.edge.if_match,
        given=given, now=timezone.now(),
    )  # fmt: skip
    return _plan(request, row)


@router.post(
    "/payment-plans/{payment_plan_id}/pause",
    summary="Put a payment plan off",
    needs=Permission.PAYMENTS_WRITE,
    action="payment_plan.pause",
    returns=(200, s.PlanOut),
    key="required",
    problems=(StateConflict, services.NothingDueBefore),
    example=examples.PLAN | {"version": 2},
    request_example=examples.PAUSE,
)
def pause_plan(request: ScopedRequest, payment_plan_id: str, body: s.PauseIn) -> Answer:
    """
    Let nothing of a plan fall due before a day: all that is not paid lies so many intervals later, what was overdue
    too. Emits `payment_plan.paused`.
    """
    row = services.pause_plan(
        scope=request.auth, plan_id=path_id("payment_plan", payment_plan_id), until=body.until, reason=body.reason,
        now=timezone.now(),
    )  # fmt: skip
    return _plan(request, row)


@router.post(
    "/payment-plans/{payment_plan_id}/cancel",
    summary="End a payment plan",
    needs=Permission.PAYMENTS_WRITE,
    action="payment_plan.cancel",
    returns=(200, s.PlanOut),
    key="required",
    problems=(StateConflict,),
    example=examples.PLAN | {"status": "broken", "end_reason": examples.END["reason"], "version": 2},
    request_example=examples.END,
)
def cancel_plan(request: ScopedRequest, payment_plan_id: str, body: s.PlanEndIn) -> Answer:
    """
    End a plan: what is open of it is owed at once, as before. AutoPay leaves its visits to people from then on.

    Emits `payment_plan.cancelled`.
    """
    row = services.cancel_plan(
        scope=request.auth, plan_id=path_id("payment_plan", payment_plan_id), broken=body.outcome == "broken",
        reason=body.reason, now=timezone.now(),
    )  # fmt: skip
    return _plan(request, row)
