"""The shapes of a posting plan, and of what a practice lets post itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct
from pydantic import Field

from rapport.kernel.ids import type_id
from rapport.platform.api.shapes import Input, MoneyIn, MoneyOut, Shape
from rapport.rooms.ledger.rules.entries import NewEntry
from rapport.rooms.remittance.models import PostingPolicy, RemittanceLine
from rapport.rooms.remittance.rules import carc, provider
from rapport.rooms.remittance.rules.matching import HOW
from rapport.rooms.remittance.rules.planning import booked, plan_for
from rapport.rooms.remittance.rules.policy import Policy
from rapport.rooms.remittance.services import FilePlan

from .files import RemittanceLineOut, line_out


class PlannedEntry(Struct, kw_only=True):
    """One entry as posting books it."""

    kind: str
    debit: Annotated[str, Meta(description="Account that grows by the amount; the other one falls by it.")]
    credit: str
    amount: Annotated[MoneyOut, Meta(description="Negative where a payer takes something back.")]
    reason: str | None


class PlannedLine(Struct, kw_only=True):
    """One service: how it was found, what the payer says, and what is booked."""

    line: RemittanceLineOut
    reason: Annotated[str, Meta(description="Why the match is as sure as its confidence says.")]
    denied: Annotated[MoneyOut, Meta(description="What nobody paid, owes or gave up: a person looks at it.")]
    entries: list[PlannedEntry]


class PlannedBeside(Struct, kw_only=True):
    """Money of the check that belongs to no claim in it."""

    reason: str
    says: str
    reference: str
    amount: MoneyOut
    plan: Annotated[str, Meta(description="interest, carried, recovery, payer or review")]


class PlannedCheck(Struct, kw_only=True):
    """One check."""

    remittance_id: str
    trace: str | None
    total: MoneyOut
    posted_before: bool
    lines: list[PlannedLine]
    provider_adjustments: list[PlannedBeside]
    entries: Annotated[list[PlannedEntry], Meta(description="Beside those of its lines.")]


class StopOut(Struct, kw_only=True):
    """Why a file waits for a person."""

    rule: str
    message: str


class Totals(Struct, kw_only=True):
    """What posting comes to."""

    cash: MoneyOut
    contractual: MoneyOut
    patient: MoneyOut
    next_payer: Annotated[MoneyOut, Meta(description="Left to patients, and asked of their next payer first.")]
    denied: MoneyOut
    by_confidence: Annotated[dict[str, int], Meta(description="How many services are matched how surely.")]


class EraPlanOut(Shape):
    """What posting a file does."""

    object: Literal["era_plan"]
    era_file_id: str
    state: str
    posts_itself: bool
    stops: list[StopOut]
    totals: Totals
    remittances: list[PlannedCheck]


def _entry(one: NewEntry) -> PlannedEntry:
    debit, credit = one.lines[0], one.lines[1]
    return PlannedEntry(
        kind=one.kind.value, debit=debit.account.value, credit=credit.account.value,
        amount=MoneyOut(debit.cents), reason=one.reason or None,
    )  # fmt: skip


def era_plan_out(plan: FilePlan) -> EraPlanOut:
    """Return the plan of a file."""
    counted = [line for one in plan.loaded if not one.check.posted_before for line in one.lines]
    by_confidence = dict.fromkeys(("exact", "strong", "weak", "none"), 0)
    for line in counted:
        by_confidence[HOW[line.matched_by].confidence] += 1
    return EraPlanOut(
        object="era_plan",
        era_file_id=type_id("era_file", plan.file.id),
        state=plan.file.state,
        posts_itself=not plan.stops,
        stops=[StopOut(rule=stop.rule, message=stop.message) for stop in plan.stops],
        totals=Totals(
            cash=MoneyOut(sum(one.check.total_cents for one in plan.loaded if not one.check.posted_before)),
            contractual=MoneyOut(_sum(counted, "contractual")),
            patient=MoneyOut(_sum(counted, "patient")),
            next_payer=MoneyOut(_sum(counted, "next_payer")),
            denied=MoneyOut(_sum(counted, "review")),
            by_confidence=by_confidence,
        ),
        remittances=[
            PlannedCheck(
                remittance_id=type_id("remittance", one.check.id),
                trace=one.check.trace or None,
                total=MoneyOut(one.check.total_cents),
                posted_before=one.check.posted_before,
                lines=[
                    PlannedLine(
                        line=line_out(line), reason=HOW[line.matched_by].reason,
                        denied=MoneyOut(_sum([line], "review")),
                        entries=[] if one.check.posted_before else [_entry(e) for e in plan.entries_of(line)],
                    )
                    for line in one.lines
                ],
                provider_adjustments=[
                    PlannedBeside(
                        reason=p["reason"], says=provider.SAYS.get(p["reason"], ""), reference=p["reference"],
                        amount=MoneyOut(p["cents"]), plan=provider.plan_for(p["reason"]),
                    )
                    for p in one.check.provider_adjustments
                ],
                entries=[] if one.check.posted_before else [_entry(e) for e in plan.entries_beside(one)],
            )
            for one in plan.loaded
        ],
    )  # fmt: skip


def _sum(lines: Sequence[RemittanceLine], plan: str) -> int:
    """Add up what has one plan, in cents: of what is booked, as much as is booked."""
    return sum(booked(a) for line in lines for a in line.adjustments if a["plan"] == plan)


class OverrideOut(Struct, kw_only=True):
    """What a practice has done with one reason."""

    group: str
    reason: str
    plan: str


class PostingPolicyOut(Shape):
    """What a practice lets post itself."""

    object: Literal["posting_policy"]
    automatic: Annotated[bool, Meta(description="False: a person posts every file.")]
    least_confidence: Annotated[str, Meta(description="A file with a match below it waits: exact, strong or weak.")]
    denials: Annotated[bool, Meta(description="False: a file with a denied or reduced service waits.")]
    takebacks: Annotated[bool, Meta(description="False: a file with a reversal waits.")]
    provider_adjustments: Annotated[bool, Meta(description="False: a file with money of no claim waits.")]
    unmatched_to_clearing: Annotated[
        bool, Meta(description="True: what nobody knows stops no file; its money waits in the payer's clearing account.")
    ]
    most: Annotated[MoneyOut | None, Meta(description="A file with a check above it waits; null: no limit.")]
    appeal_days: int
    tolerance: Annotated[
        MoneyOut, Meta(description="How far from its contract a payer may be for a service before it is an underpayment.")
    ]
    tolerance_percent: Annotated[
        int, Meta(description="The same, of what the contract says; the larger of both counts.")
    ]
    overrides: list[OverrideOut]
    version: int


class OverrideIn(Input):
    """What is done with one reason in place of what the list says."""

    group: Literal["CO", "PR", "OA", "PI"]
    reason: str = Field(pattern=r"^[A-Z0-9]{1,5}$", examples=["97"])
    plan: Literal["contractual", "patient", "review", "inform"]


class PostingPolicyChange(Input):
    """Members to change."""

    automatic: bool | None = None
    least_confidence: Literal["exact", "strong", "weak"] | None = None
    denials: bool | None = None
    takebacks: bool | None = None
    provider_adjustments: bool | None = None
    unmatched_to_clearing: bool | None = None
    most: MoneyIn | None = Field(default=None, description="null: no limit.")
    appeal_days: int | None = Field(default=None, ge=1, le=1095)
    tolerance: MoneyIn | None = None
    tolerance_percent: int | None = Field(default=None, ge=0, le=100)
    overrides: list[OverrideIn] | None = Field(default=None, max_length=300)

    def given(self) -> dict[str, Any]:
        """Return the members that were sent; null leaves one as it is, `most` apart."""
        return {
            name: value for name in self.model_fields_set
            if (value := getattr(self, name)) is not None or name == "most"
        }  # fmt: skip


def policy_out(row: PostingPolicy | None) -> PostingPolicyOut:
    """Return a practice's policy; None: what holds where it has set none."""
    policy = Policy() if row is None else row
    most = policy.most_cents
    return PostingPolicyOut(
        object="posting_policy",
        automatic=policy.automatic,
        least_confidence=policy.least_confidence,
        denials=policy.denials,
        takebacks=policy.takebacks,
        provider_adjustments=policy.provider_adjustments,
        unmatched_to_clearing=policy.unmatched_to_clearing,
        most=MoneyOut(most) if most is not None else None,
        appeal_days=policy.appeal_days,
        tolerance=MoneyOut(policy.tolerance_cents),
        tolerance_percent=policy.tolerance_percent,
        overrides=[
            OverrideOut(group=key.split("-", 1)[0], reason=key.split("-", 1)[1], plan=plan)
            for key, plan in sorted(policy.overrides.items())
        ],
        version=row.version if row else 0,
    )


class ReasonKind(Struct, kw_only=True):
    """A class of adjustment reasons."""

    kind: str
    says: str
    to_do: str | None
    reasons: list[str]
    plans: Annotated[dict[str, str], Meta(description="Group -> what becomes of them by default.")]


class ProviderCode(Struct, kw_only=True):
    """A code of money that belongs to no claim."""

    code: str
    says: str
    plan: str


class AdjustmentReasonsOut(Shape):
    """What becomes of reasons where a practice says nothing else."""

    object: Literal["adjustment_reasons"]
    kinds: list[ReasonKind]
    provider_codes: list[ProviderCode]


def reasons_out() -> AdjustmentReasonsOut:
    """Return the lists."""
    return AdjustmentReasonsOut(
        object="adjustment_reasons",
        kinds=[
            ReasonKind(
                kind=kind.name, says=kind.says, to_do=kind.to_do or None, reasons=list(kind.reasons),
                plans={group: plan_for(group, next(iter(kind.reasons), "")) for group in ("CO", "PR", "OA", "PI")},
            )
            for kind in (*carc.KINDS, carc.OTHER)
        ],
        provider_codes=[
            ProviderCode(code=code, says=says, plan=provider.plan_for(code)) for code, says in provider.SAYS.items()
        ],
    )  # fmt: skip
