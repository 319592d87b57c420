"""The shapes of payment plans in the API."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct
from pydantic import AwareDatetime, Field, model_validator

from rapport.kernel.ids import type_id
from rapport.platform.api.shapes import (
    Day,
    Input,
    Instant,
    MoneyOut,
    Shape,
    instant,
    instant_or_none,
    refused,
)
from rapport.rooms.accounting.models import PaymentPlan, PlanDeed
from rapport.rooms.accounting.rules import plans as rules
from rapport.rooms.accounting.services import Draft
from rapport.rooms.ledger.schemas import PositiveMoneyIn

Interval = Literal["weekly", "two_weeks", "monthly"]
How = Literal["in_person", "phone", "video", "in_writing"]


class PlanTermsIn(Input):
    """A plan over what a patient owes now."""

    patient_id: str = Field(max_length=40)
    total: PositiveMoneyIn | None = Field(
        default=None, description="Default: all that is open of the visits; with `replaces_id`, all that is open of that plan."
    )
    appointment_ids: list[str] | None = Field(
        default=None, min_length=1, max_length=200,
        description="Which visits. Default: all that are in no other plan, the oldest first.",
    )  # fmt: skip
    first_due_on: date
    interval: Interval
    day_of_month: int | None = Field(
        default=None, ge=1, le=31,
        description="Monthly: of those after the first; a shorter month has it on its last day. Default: the first one's.",
    )  # fmt: skip
    instalments: int | None = Field(default=None, ge=1, le=120, description="How many; or `amount`.")
    amount: PositiveMoneyIn | None = Field(default=None, description="Of each; the last one is the rest.")
    charge_card: bool = Field(
        default=False, description="Charge the card that the patient enrolled in AutoPay; that consent is an act of its own."
    )
    replaces_id: str | None = Field(default=None, max_length=40, description="An active plan that this one ends.")

    @model_validator(mode="after")
    def _one_way(self) -> PlanTermsIn:
        if (self.instalments is None) == (self.amount is None):
            raise refused("either instalments or amount")
        if self.day_of_month is not None and self.interval != "monthly":
            raise refused("day_of_month goes with monthly")
        return self


class AgreedIn(Input):
    """Who agreed, when and how."""

    by: str = Field(min_length=2, max_length=200, description="The patient, or who may for them.")
    at: AwareDatetime
    how: How


class PaymentPlanIn(PlanTermsIn):
    """A plan that was agreed."""

    agreed: AgreedIn
    note: str | None = Field(default=None, max_length=500, description="For the practice alone.")


class PlanChange(Input):
    """What can change. Other terms are another plan, with `replaces_id`."""

    note: str | None = Field(default=None, max_length=500)
    charge_card: bool | None = None


class PauseIn(Input):
    """Until when nothing falls due, and why."""

    until: date
    reason: str = Field(min_length=3, max_length=200)


class PlanEndIn(Input):
    """Why it ends."""

    outcome: Literal["cancelled", "broken"] = Field(
        default="cancelled", description="`broken`: the patient did not keep it."
    )
    reason: str = Field(min_length=3, max_length=200)


class PlanWarning(Struct):
    """Something to think of. Data, and no advice."""

    code: str
    message: str
    source: str | None


class DraftVisit(Struct):
    """How much of a visit would be in the plan."""

    appointment_id: str
    service_on: Day
    amount: MoneyOut


class DraftInstalment(Struct):
    """What would be due when."""

    number: int
    due_on: Day
    amount: MoneyOut


class PlanPreviewOut(Shape):
    """A plan as it would be. Nothing of it is kept."""

    object: Literal["payment_plan_preview"]
    patient_id: str
    total: MoneyOut
    visits: list[DraftVisit]
    instalments: list[DraftInstalment]
    interest: Annotated[MoneyOut, Meta(description="Always nothing, as are fees.")]
    warnings: list[PlanWarning]


class InstalmentOut(Struct):
    """An instalment, as it stands today in the practice."""

    number: int
    due_on: Day
    agreed: MoneyOut
    amount: Annotated[MoneyOut, Meta(description="Less than was agreed where something has fallen away.")]
    paid: MoneyOut
    state: Literal["upcoming", "part_paid", "due", "overdue", "paid", "fallen_away", "ended"]


class PlanVisitOut(Struct):
    """What the plan holds of a visit."""

    appointment_id: str
    agreed: MoneyOut
    paid: MoneyOut
    open: MoneyOut


class AgreedOut(Struct):
    """Who agreed, when and how."""

    by: str
    at: Instant
    how: How


class PlanOut(Shape):
    """An agreement to pay by instalments. What is paid of it is reckoned from the ledger each time."""

    object: Literal["payment_plan"]
    id: str
    patient_id: str
    status: Literal["active", "completed", "cancelled", "broken", "replaced"]
    total: Annotated[MoneyOut, Meta(description="As agreed: `paid`, `open` and `fallen_away` together.")]
    paid: Annotated[MoneyOut, Meta(description="What payments pay of its visits since it was made.")]
    open: MoneyOut
    fallen_away: Annotated[MoneyOut, Meta(description="Not owed any more: an insurance paid, or it was written off.")]
    overdue: MoneyOut
    next_due_on: Annotated[Day | None, Meta(description="Of the first instalment that is open.")]
    next_amount: MoneyOut
    interval: Interval
    instalments: list[InstalmentOut]
    visits: list[PlanVisitOut]
    charge_card: bool
    note: str | None
    agreed: AgreedOut
    recorded_by_type: str
    replaces_id: str | None
    replaced_by_id: str | None
    ended_at: Instant | None
    end_reason: str | None
    sha256: Annotated[str, Meta(description="Of what is printed on the agreement.")]
    version: int
    created_at: Instant
    updated_at: Instant


class PlanDeedOut(Struct):
    """What was done to a plan, or became of it."""

    what: Literal["created", "changed", "paused", "overdue", "completed", "reopened", "cancelled", "replaced"]
    at: Instant
    actor_type: str
    actor_id: str | None
    detail: str | None
    reason: str | None


class PlanHistoryOut(Shape):
    """Who did what to a plan, in order."""

    object: Literal["payment_plan_history"]
    payment_plan_id: str
    deeds: list[PlanDeedOut]


def preview_out(draft: Draft) -> PlanPreviewOut:
    """Return the shape of a plan that is not kept."""
    return PlanPreviewOut(
        object="payment_plan_preview", patient_id=type_id("patient", draft.patient_id), total=MoneyOut(draft.cents),
        visits=[DraftVisit(type_id("appointment", visit), day, MoneyOut(cents)) for visit, day, cents in draft.visits],
        instalments=[
            DraftInstalment(number, draft.terms.due_on(number), MoneyOut(cents))
            for number, cents in enumerate(draft.terms.amounts, start=1)
        ],
        interest=MoneyOut(0), warnings=[PlanWarning(one.code, one.message, one.source) for one in draft.warnings],
    )  # fmt: skip


def plan_out(plan: PaymentPlan, standing: rules.Standing, *, replaced_by: UUID | None) -> PlanOut:
    """Return the shape of a plan. :param standing: as of today in the practice"""
    following = standing.next if plan.status == "active" else None
    return PlanOut(
        object="payment_plan", id=type_id("payment_plan", plan.id), patient_id=type_id("patient", plan.patient_id),
        status=plan.status,  # type: ignore[arg-type]  # written from its enum alone
        total=MoneyOut(plan.cents), paid=MoneyOut(standing.paid_cents), open=MoneyOut(standing.open_cents),
        fallen_away=MoneyOut(standing.fallen_away_cents), overdue=MoneyOut(standing.overdue_cents),
        next_due_on=following.due_on if following else None,
        next_amount=MoneyOut(following.open_cents if following else 0),
        interval=plan.interval,  # type: ignore[arg-type]  # written from its enum alone
        instalments=[
            InstalmentOut(
                one.number, one.due_on, MoneyOut(one.agreed_cents), MoneyOut(one.cents), MoneyOut(one.paid_cents),
                one.state.value,
            )
            for one in standing.instalments
        ],
        visits=[
            PlanVisitOut(
                type_id("appointment", part.visit), MoneyOut(part.agreed_cents), MoneyOut(part.paid_cents),
                MoneyOut(part.open_cents),
            )
            for part in standing.parts
        ],
        charge_card=plan.charge_card, note=plan.note or None,
        agreed=AgreedOut(plan.agreed_by, instant(plan.agreed_at), plan.agreed_how),  # type: ignore[arg-type]  # written from its enum alone
        recorded_by_type=plan.recorded_by_type,
        replaces_id=type_id("payment_plan", plan.replaces_id) if plan.replaces_id else None,
        replaced_by_id=type_id("payment_plan", replaced_by) if replaced_by else None,
        ended_at=instant_or_none(plan.ended_at), end_reason=plan.end_reason or None,
        sha256=bytes(plan.sha256).hex(), version=plan.version, created_at=instant(plan.created_at),
        updated_at=instant(plan.updated_at),
    )  # fmt: skip


_ACTORS = {"user": "user", "api_key": "api_key"}


def history_out(plan: PaymentPlan, deeds: list[PlanDeed]) -> PlanHistoryOut:
    """Return the shape of a plan's history."""
    return PlanHistoryOut(
        object="payment_plan_history", payment_plan_id=type_id("payment_plan", plan.id),
        deeds=[
            PlanDeedOut(
                deed.what,  # type: ignore[arg-type]  # the last word of its event
                instant(deed.created_at), deed.actor_type,
                type_id(_ACTORS[deed.actor_type], deed.actor_id) if deed.actor_type in _ACTORS else None,
                deed.detail or None, deed.reason or None,
            )
            for deed in deeds
        ],
    )  # fmt: skip
