"""Coding's shapes in the API."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from msgspec import Meta, Raw, Struct
from pydantic import Field, field_validator

from rapport.kernel.ids import type_id
from rapport.platform.access.scope import Scope
from rapport.platform.api.shapes import (
    Day,
    ExternalId,
    ExternalIdIn,
    Input,
    Instant,
    MoneyIn,
    MoneyOut,
    Shape,
    instant,
)


class DiagnosisCodeOut(Shape):
    """An ICD-10-CM code during a span of days."""

    object: Literal["diagnosis_code"]
    id: str
    code: Annotated[str, Meta(examples=["F41.1"])]
    title: Annotated[str, Meta(description="As published by CDC and CMS.")]
    billable: Annotated[bool, Meta(description="False: a heading; use one of its finer codes.")]
    parent_code: str | None
    valid_from: Annotated[Day | None, Meta(description="null: before the changes known here.")]
    valid_to: Annotated[Day | None, Meta(description="Last day; null: still in use.")]
    version: int


class ServiceCodeOut(Shape):
    """A service the practice offers and bills."""

    object: Literal["service_code"]
    id: str
    code: str
    label: str
    duration_minutes: int
    least_minutes: int | None
    most_minutes: int | None
    unit_minutes: int | None
    add_on: bool
    parent_codes: list[str]
    rate: MoneyOut
    telehealth_allowed: bool
    active: bool
    external_ids: list[ExternalId]
    version: int
    created_at: Instant
    updated_at: Instant


class RateOut(Struct):
    """A charge per unit for one payer, one clinician, or both."""

    id: str
    payer_id: str | None
    clinician_id: str | None
    rate: MoneyOut
    starts_on: Day
    ends_on: Day | None


class RatesOut(Shape):
    """The special rates of one service code, most special first."""

    object: Literal["service_code_rates"]
    id: Annotated[str, Meta(description="Of the service code.")]
    default_rate: MoneyOut
    rates: list[RateOut]
    version: int


class DiagnosisSearch(Input):
    """What to look for among diagnosis codes."""

    text: str = Field(min_length=2, max_length=100, examples=["anx gen"])
    on: date | None = Field(default=None, description="Day of service; today when left out.")
    billable: bool = Field(default=True, description="Leave headings out.")
    limit: int = Field(default=25, ge=1, le=100)


_MINUTES: Any = Field(default=None, ge=1, le=1440)


class ServiceCodeIn(Input):
    """A new service code. Time rules left out are those of the code set."""

    code: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{1,19}$", examples=["90837"])
    label: str = Field(min_length=1, max_length=120)
    duration_minutes: int = Field(default=50, ge=1, le=1440)
    least_minutes: int | None = _MINUTES
    most_minutes: int | None = _MINUTES
    unit_minutes: int | None = _MINUTES
    add_on: bool = False
    parent_codes: list[str] = Field(default_factory=list, max_length=40)
    rate: MoneyIn
    telehealth_allowed: bool = True
    external_ids: list[ExternalIdIn] = Field(default_factory=list, max_length=20)

    @field_validator("code")
    @classmethod
    def _code(cls, value: str) -> str:
        return value.upper()


class ServiceCodeChange(Input):
    """What to change. The code itself stays."""

    label: str | None = Field(default=None, min_length=1, max_length=120)
    duration_minutes: int | None = _MINUTES
    least_minutes: int | None = _MINUTES
    most_minutes: int | None = _MINUTES
    unit_minutes: int | None = _MINUTES
    add_on: bool | None = None
    parent_codes: list[str] | None = Field(default=None, max_length=40)
    rate: MoneyIn | None = None
    telehealth_allowed: bool | None = None
    active: bool | None = None
    external_ids: list[ExternalIdIn] | None = Field(default=None, max_length=20)

    def given(self) -> dict[str, Any]:
        """Return the fields that were sent."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class RateIn(Input):
    """A special rate. Names a payer, a clinician, or both."""

    payer_id: str | None = Field(default=None, max_length=40)
    clinician_id: str | None = Field(default=None, max_length=40)
    rate: MoneyIn
    starts_on: date | None = Field(default=None, description="Today when left out.")
    ends_on: date | None = None


class RatesIn(Input):
    """All special rates of a service code; the list replaces the one before."""

    rates: list[RateIn] = Field(max_length=500)


DIAGNOSIS_COLUMNS = "d.id, d.code, d.title, d.billable, d.parent_code, d.valid_from, d.valid_to"
"""What `diagnosis_out` reads, in its order."""


def diagnosis_out(row: tuple[Any, ...], scope: Scope) -> DiagnosisCodeOut:
    """Return the shape of a diagnosis code from a row of `DIAGNOSIS_COLUMNS`."""
    return DiagnosisCodeOut(
        object="diagnosis_code",
        id=type_id("diagnosis_code", row[0]),
        code=row[1],
        title=row[2],
        billable=row[3],
        parent_code=row[4] or None,
        valid_from=row[5],
        valid_to=row[6],
        version=1,
    )


SERVICE_CODE_COLUMNS = (
    "s.id, s.code, s.label, s.duration_minutes, s.least_minutes, s.most_minutes, s.unit_minutes,"
    " s.add_on, s.parent_codes, s.rate_cents, s.telehealth_allowed, s.active, s.version,"
    " s.created_at, s.updated_at, s.external_ids::text"
)
"""What `service_code_out` reads, in its order."""


def service_code_out(row: tuple[Any, ...], scope: Scope) -> ServiceCodeOut:
    """Return the shape of a service code from a row of `SERVICE_CODE_COLUMNS`."""
    raw: Any = Raw
    return ServiceCodeOut(
        object="service_code",
        id=type_id("service_code", row[0]),
        code=row[1],
        label=row[2],
        duration_minutes=row[3],
        least_minutes=row[4],
        most_minutes=row[5],
        unit_minutes=row[6],
        add_on=row[7],
        parent_codes=list(row[8]),
        rate=MoneyOut(row[9]),
        telehealth_allowed=row[10],
        active=row[11],
        external_ids=raw(row[15]),
        version=row[12],
        created_at=instant(row[13]),
        updated_at=instant(row[14]),
    )


RATES = (
    "SELECT r.id, r.payer_id, r.clinician_id, r.rate_cents, r.starts_on, r.ends_on"
    " FROM coding_rate r WHERE r.practice_id = %s AND r.service_code_id = %s"
    " ORDER BY r.payer_id IS NULL, r.clinician_id IS NULL, r.starts_on, r.id"
)
"""Reads what `rate_out` takes."""


def rate_out(row: tuple[Any, ...]) -> RateOut:
    """Return the shape of a rate from a row of `RATES`."""
    return RateOut(
        id=type_id("rate", row[0]),
        payer_id=type_id("payer", row[1]) if row[1] else None,
        clinician_id=type_id("clinician", row[2]) if row[2] else None,
        rate=MoneyOut(row[3]),
        starts_on=row[4],
        ends_on=row[5],
    )
