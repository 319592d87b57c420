"""Good-faith estimates in the API."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Literal, cast

from msgspec import Meta, Struct
from pydantic import Field

from rapport.kernel.ids import type_id
from rapport.platform.api.shapes import (
    Day,
    Input,
    Instant,
    MoneyOut,
    Shape,
    instant,
    instant_or_none,
)
from rapport.rooms.coverage.mapping import number_text
from rapport.rooms.coverage.models import Estimate, EstimateLine
from rapport.rooms.coverage.queries import Drift

Diagnosis = Annotated[str, Field(pattern=r"^[A-Z][0-9][0-9A-Z](\.[0-9A-Z]{1,4})?$")]


class EstimateLineOut(Struct):
    """One service of an estimate."""

    service_code: str
    label: str
    clinician_id: str
    quantity: int
    rate: MoneyOut
    rate_rule: str
    amount: MoneyOut


class EstimateOut(Shape):
    """What care is expected to cost a patient who pays for it, and how charges stand to that."""

    object: Literal["estimate"]
    id: str
    patient_id: str
    number: Annotated[str | None, Meta(description="null: not given yet.", examples=["GFE-000007"])]
    state: Literal["draft", "given", "replaced"]
    starts_on: Day
    ends_on: Day
    asked_on: Day
    first_service_on: Day | None
    due_on: Annotated[Day | None, Meta(description="By when the patient must have it; null: not due by law.")]
    diagnosis_codes: list[str]
    services: list[EstimateLineOut]
    total: MoneyOut
    charged: Annotated[MoneyOut, Meta(description="To the patient, for its days, by the ledger as it is now.")]
    standing: Annotated[
        Literal["within", "near", "exceeded"],
        Meta(description="`exceeded`: 400 USD or more above it, which the patient may dispute."),
    ]
    given_at: Instant | None
    given_by: Literal["paper", "electronic"] | None
    document_id: str | None
    near_at: Annotated[Instant | None, Meta(description="When the practice was told so.")]
    exceeded_at: Instant | None
    version: int
    created_at: Instant
    updated_at: Instant


class PlannedIn(Input):
    """A planned service."""

    service_code: str = Field(min_length=1, max_length=40, description="The code, or the id of the service code.")
    clinician_id: str = Field(max_length=40)
    quantity: int = Field(ge=1, le=400, strict=True, description="How many units in all, by the code's time rule.")


class EstimateIn(Input):
    """What is planned."""

    patient_id: str = Field(max_length=40)
    services: list[PlannedIn] = Field(min_length=1, max_length=40)
    starts_on: date | None = Field(default=None, description="Today when left out.")
    ends_on: date | None = Field(default=None, description="Twelve months on when left out, which is the most.")
    asked_on: date | None = Field(
        default=None, description="When the visit was booked, or the estimate asked for; today when left out."
    )
    first_service_on: date | None = Field(default=None, description="The first visit, where one is booked.")
    diagnosis_codes: list[Diagnosis] = Field(default_factory=list, max_length=12)


class GiveIn(Input):
    """How the patient gets it."""

    method: Literal["paper", "electronic"] = "paper"


def estimate_out(row: Estimate, lines: Sequence[EstimateLine], drift: Drift) -> EstimateOut:
    """Return the shape of an estimate."""
    return EstimateOut(
        object="estimate",
        id=type_id("estimate", row.id),
        patient_id=type_id("patient", row.patient_id),
        number=number_text(row.number),
        state=cast(Any, row.state),
        starts_on=row.starts_on,
        ends_on=row.ends_on,
        asked_on=row.asked_on,
        first_service_on=row.first_service_on,
        due_on=row.due_on,
        diagnosis_codes=row.diagnosis_codes,
        services=[
            EstimateLineOut(
                line.code, line.label, type_id("clinician", line.clinician_id), line.quantity,
                MoneyOut(line.rate_cents), line.rate_rule, MoneyOut(line.amount_cents),
            )
            for line in lines
        ],
        total=MoneyOut(row.total_cents),
        charged=MoneyOut(drift.charged_cents),
        standing=drift.standing.value,
        given_at=instant_or_none(row.given_at),
        given_by=cast(Any, row.given_by or None),
        document_id=type_id("document", row.document_id) if row.document_id else None,
        near_at=instant_or_none(row.near_at),
        exceeded_at=instant_or_none(row.exceeded_at),
        version=row.version,
        created_at=instant(row.created_at),
        updated_at=instant(row.updated_at),
    )  # fmt: skip
