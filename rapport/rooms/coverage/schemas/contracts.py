"""Contracted rates in the API."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct
from pydantic import Field

from rapport.kernel.ids import type_id
from rapport.platform.api.shapes import Day, Input, MoneyIn, MoneyOut, Shape
from rapport.rooms.coverage.rules.contracts import ContractRate


class ContractRateOut(Struct, kw_only=True):
    """What a payer allows for a unit of a service."""

    service_code: str
    modifier: Annotated[str | None, Meta(description="Only with it; null: with any and with none.")]
    credential: Annotated[str | None, Meta(description="Only for clinicians with it; null: whoever it is.")]
    telehealth: Annotated[bool | None, Meta(description="Only for telehealth, only for what is none; null: both.")]
    place_of_service_code: Annotated[str | None, Meta(description="Only there; null: anywhere.")]
    rate: Annotated[MoneyOut, Meta(description="Allowed per unit: the payer's part and the patient's together.")]
    starts_on: Day
    ends_on: Day | None
    rule: Annotated[str, Meta(description="The same in words, as underpayments name it.")]


class ContractRatesOut(Shape):
    """The contracted rates of a payer."""

    object: Literal["contract_rates"]
    payer_id: str
    rates: list[ContractRateOut]
    version: Annotated[int, Meta(description="Of the payer: a change of its rates is one of it.")]


class ContractRateIn(Input):
    """One contracted rate."""

    service_code: str = Field(pattern=r"^[A-Z0-9]{5}$", examples=["90837"])
    modifier: str | None = Field(default=None, pattern=r"^[A-Z0-9]{2}$")
    credential: str | None = Field(default=None, max_length=12, description="As the roster writes it: `LCSW`.")
    telehealth: bool | None = None
    place_of_service_code: str | None = Field(default=None, pattern=r"^[0-9]{2}$")
    rate: MoneyIn
    starts_on: date
    ends_on: date | None = None


class ContractRatesIn(Input):
    """All contracted rates of a payer; the list replaces the one before."""

    rates: list[ContractRateIn] = Field(max_length=5000)


class ContractImportOut(Shape):
    """What a fee schedule did."""

    object: Literal["contract_import"]
    added: int
    changed: Annotated[int, Meta(description="Rates that got another amount or another last day.")]
    known: Annotated[int, Meta(description="Lines that say what was there.")]


def contract_rates_out(*, payer_id: UUID, version: int, rates: Sequence[ContractRate]) -> ContractRatesOut:
    """Return a payer's contracted rates."""
    return ContractRatesOut(
        object="contract_rates",
        payer_id=type_id("payer", payer_id),
        rates=[
            ContractRateOut(
                service_code=one.service_code, modifier=one.modifier or None, credential=one.credential or None,
                telehealth=one.telehealth, place_of_service_code=one.place_of_service_code or None,
                rate=MoneyOut(one.allowed_cents), starts_on=one.starts_on, ends_on=one.ends_on, rule=one.rule,
            )
            for one in rates
        ],
        version=version,
    )  # fmt: skip
