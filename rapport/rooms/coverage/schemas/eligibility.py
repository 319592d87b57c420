"""Eligibility in the API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Any, Literal, cast
from uuid import UUID

from msgspec import Meta, Raw, Struct
from pydantic import Field

from rapport.kernel.ids import type_id
from rapport.platform.api.shapes import (
    Day,
    Input,
    Instant,
    MoneyIn,
    MoneyOut,
    Shape,
    encoder,
    instant,
    instant_or_none,
)
from rapport.rooms.coverage.models import (
    CoverageSettings,
    EligibilityCheck,
    EligibilityExchange,
    EligibilityFile,
)
from rapport.rooms.coverage.ports import Whereabouts
from rapport.rooms.coverage.rules.notices import Notice
from rapport.rooms.coverage.states import CheckState
from rapport.rooms.roster.schemas import PayerRef
from rapport.rooms.scheduling.schemas import BookingWarning

Cover = Literal["active", "inactive", "unknown"]
ServiceType = Annotated[str, Field(pattern=r"^[A-Z0-9]{1,2}$")]


class ContactOut(Struct):
    """Somebody whom the payer names."""

    name: str
    id: str | None
    phones: list[str]
    other: Annotated[list[str], Meta(description="Fax, mail, page.")]


class BenefitsOut(Struct, kw_only=True):
    """What the payer says a therapy visit costs and needs. null: it does not say."""

    coverage: Cover
    plan: str | None
    plan_begins_on: str | None
    plan_ends_on: str | None
    covered: Annotated[bool | None, Meta(description="Whether mental health is covered.")]
    carved_out: Annotated[bool, Meta(description="Somebody else answers for mental health; see `contacts`.")]
    copay: MoneyOut | None
    coinsurance_basis_points: Annotated[int | None, Meta(description="2000 is 20 %, the patient's part.")]
    deductible: MoneyOut | None
    deductible_remaining: MoneyOut | None
    family_deductible: MoneyOut | None
    family_deductible_remaining: MoneyOut | None
    out_of_pocket: MoneyOut | None
    out_of_pocket_remaining: MoneyOut | None
    visits: int | None
    visits_remaining: int | None
    authorization: Literal["required", "not_required", "unknown"] | None
    other_payers: Annotated[list[ContactOut], Meta(description="Who else may have to pay, or pay first.")]
    contacts: list[ContactOut]
    messages: Annotated[list[str], Meta(description="Word for word. They overrule the figures.")]


class RefusalOut(Struct):
    """Why the payer would not answer, and what to do."""

    code: Annotated[str, Meta(description="AAA03.", examples=["72"])]
    follow_up: Annotated[str, Meta(description="AAA04.", examples=["C"])]
    what_to_do: str
    pointer: Annotated[str, Meta(description="Where it is mended; empty: nowhere here.")]


class ExchangeOut(Struct):
    """One question that was sent, and what became of it."""

    number: int
    created_at: Instant
    answered_at: Instant | None
    tries: int
    outcome: str | None
    file_id: Annotated[str | None, Meta(description="The file of questions that it left in; null: it was asked by itself.")]


class EligibilityCheckOut(Shape):
    """One question to a payer about one policy."""

    object: Literal["eligibility_check"]
    id: str
    patient_id: str
    policy_id: str
    payer: PayerRef
    reason: Literal["asked", "before_visit"]
    service_on: Day
    service_types: list[str]
    state: Annotated[
        Literal["queued", "asking", "asked", "answered", "refused", "unanswered"],
        Meta(description="`queued` may be again: `retry_at` says when. `asked`: it is in a file, whose answer is awaited."),
    ]
    by_file: Annotated[bool, Meta(description="Whether it leaves in a file of questions, or by itself and is answered at once.")]
    answer_by: Annotated[Instant | None, Meta(description="Of one in a file: when the answer should be here.")]
    late: Annotated[bool, Meta(description="The answer is awaited, and should have been here.")]
    retry_at: Instant | None
    last_code: Annotated[str | None, Meta(description="Why there is no answer, as a code.")]
    as_of: Annotated[Instant | None, Meta(description="When the payer said so.")]
    benefits: BenefitsOut | None
    refusals: list[RefusalOut]
    warnings: list[BookingWarning]
    exchanges: list[ExchangeOut]
    version: int
    created_at: Instant
    updated_at: Instant


class EligibilityCheckIn(Input):
    """What to ask."""

    service_on: date | None = Field(default=None, description="Today when left out.")
    service_types: list[ServiceType] = Field(
        default_factory=lambda: ["30", "MH"], min_length=1, max_length=10,
        description="X12 service types: 30 the plan, MH mental health.",
    )  # fmt: skip


class EligibilityBatchIn(EligibilityCheckIn):
    """Which policies to ask about."""

    policy_ids: list[Annotated[str, Field(max_length=40)]] = Field(min_length=1, max_length=100)


class BatchMember(Struct):
    """What became of one policy of a batch: a check, or why there is none."""

    policy_id: str
    check: EligibilityCheckOut | None
    problem: Annotated[str | None, Meta(description="Code of a problem, e.g. `validation`: its payer has no id at a clearinghouse.")]


class EligibilityBatchOut(Shape):
    """Checks of several policies; each stands for itself."""

    object: Literal["eligibility_batch"]
    data: list[BatchMember]


class ProgressOut(Struct):
    """How far the questions of a file are."""

    asked: Annotated[int, Meta(description="The answer is awaited.")]
    answered: int
    refused: int
    unanswered: Annotated[int, Meta(description="Given up.")]
    again: Annotated[int, Meta(description="The payer could not answer then: another question followed, or will.")]


class EligibilityFileOut(Shape):
    """A file of questions to one payer."""

    object: Literal["eligibility_file"]
    id: str
    payer: PayerRef
    state: Annotated[
        Literal["ready", "sending", "in_doubt", "sent", "refused"],
        Meta(description="`in_doubt`: nobody can tell whether it arrived. It is asked for, and never sent again blindly."),
    ]
    retry_at: Instant | None
    last_code: Annotated[str | None, Meta(description="Why it is not sent, as a code.")]
    progress: ProgressOut
    answer_by: Annotated[Instant, Meta(description="When its answers should be here.")]
    late: Annotated[bool, Meta(description="An answer is awaited, and should have been here.")]
    created_at: Instant


class CoverageSettingsOut(Shape):
    """What the practice wants of coverage."""

    object: Literal["coverage_settings"]
    check_days_before: Annotated[
        int, Meta(description="How many days before a visit its payer is asked; 0: not by itself.")
    ]
    check_again_days: Annotated[
        int, Meta(description="A policy asked about within so many days is not asked about by itself.")
    ]
    estimate_warning: Annotated[
        MoneyOut, Meta(description="From how much above a good-faith estimate on the practice is warned.")
    ]
    version: int


class CoverageSettingsChange(Input):
    """What to change."""

    check_days_before: int | None = Field(default=None, ge=0, le=14, strict=True)
    check_again_days: int | None = Field(default=None, ge=1, le=365, strict=True)
    estimate_warning: MoneyIn | None = Field(default=None, description="At most 400 USD, which the law names.")

    def given(self) -> dict[str, Any]:
        """Return the columns that were sent."""
        given = {name: getattr(self, name) for name in self.model_fields_set}
        if "estimate_warning" in given:
            money = given.pop("estimate_warning")
            given["estimate_warning_cents"] = None if money is None else money.amount
        return given


def settings_out(row: CoverageSettings) -> CoverageSettingsOut:
    """Return the shape of a practice's settings."""
    return CoverageSettingsOut(
        object="coverage_settings",
        check_days_before=row.check_days_before,
        check_again_days=row.check_again_days,
        estimate_warning=MoneyOut(row.estimate_warning_cents),
        version=row.version,
    )


def batch_out(
    made: Mapping[str, UUID | str], shapes: Mapping[str, EligibilityCheckOut]
) -> EligibilityBatchOut:
    """
    Return the shape of a batch.

    :param made: policy -> its check, or the code of the problem
    :param shapes: public id of a check -> its shape
    """
    return EligibilityBatchOut(
        object="eligibility_batch",
        data=[
            BatchMember(policy, shapes[type_id("eligibility_check", what)], None)
            if isinstance(what, UUID)
            else BatchMember(policy, None, what)
            for policy, what in made.items()
        ],
    )


def file_out(
    row: EligibilityFile, counts: Mapping[str, int], where: Whereabouts | None, *, now: datetime
) -> EligibilityFileOut:
    """
    Return the shape of a file of questions, its payer fetched with it.

    :param where: of its submission; None: claims, which sends it, is not there to say
    """
    progress = ProgressOut(**{name: counts.get(name, 0) for name in ProgressOut.__struct_fields__})
    return EligibilityFileOut(
        object="eligibility_file",
        id=type_id("eligibility_file", row.id),
        payer=PayerRef(type_id("payer", row.payer_id), row.payer.name),
        state=cast(Any, where.state if where else "ready"),
        retry_at=instant_or_none(where.retry_at if where else None),
        last_code=(where.last_code if where else "") or None,
        progress=progress,
        answer_by=instant(row.answer_by),
        late=progress.asked > 0 and row.answer_by < now,
        created_at=instant(row.created_at),
    )


def check_out(
    row: EligibilityCheck, exchanges: Sequence[EligibilityExchange], warnings: Sequence[Notice] = (), *, now: datetime
) -> EligibilityCheckOut:
    """Return the shape of a check, its payer fetched with it."""
    raw: Any = Raw
    return EligibilityCheckOut(
        object="eligibility_check",
        id=type_id("eligibility_check", row.id),
        patient_id=type_id("patient", row.patient_id),
        policy_id=type_id("insurance_policy", row.policy_id),
        payer=PayerRef(type_id("payer", row.payer_id), row.payer.name),
        reason=cast(Any, row.reason),
        service_on=row.service_on,
        service_types=row.service_types,
        state=cast(Any, row.state),
        by_file=row.by_file,
        answer_by=instant_or_none(row.answer_by),
        late=row.state == CheckState.ASKED and row.answer_by is not None and row.answer_by < now,
        retry_at=instant_or_none(row.retry_at),
        last_code=row.last_code or None,
        as_of=instant_or_none(row.answered_at),
        benefits=raw(encoder.encode(row.snapshot)) if row.snapshot else None,
        refusals=[RefusalOut(**one) for one in row.refusals],
        warnings=[BookingWarning(one.code, one.message) for one in warnings],
        exchanges=[
            ExchangeOut(
                one.number, instant(one.created_at), instant_or_none(one.answered_at), one.tries, one.outcome or None,
                type_id("eligibility_file", one.file_id) if one.file_id else None,
            )
            for one in exchanges
        ],
        version=row.version,
        created_at=instant(row.created_at),
        updated_at=instant(row.updated_at),
    )
