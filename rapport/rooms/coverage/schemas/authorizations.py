"""Authorisations in the API."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal, cast

from msgspec import Meta
from pydantic import Field

from rapport.kernel.ids import type_id
from rapport.platform.api.shapes import Day, Input, Instant, Shape, instant
from rapport.rooms.coverage.models import Authorization
from rapport.rooms.coverage.queries import Standings
from rapport.rooms.roster.schemas import PayerRef

Counted = Literal["visit", "unit"]
Code = Annotated[str, Field(pattern=r"^[A-Z0-9]{4,5}$")]


class AuthorizationOut(Shape):
    """What a payer authorised, and what is left of it now."""

    object: Literal["authorization"]
    id: str
    patient_id: str
    policy_id: str
    payer: PayerRef
    number: str
    service_codes: Annotated[list[str], Meta(description="Empty: any service.")]
    counted_by: Annotated[Counted, Meta(description="Whether a visit uses one, or its units.")]
    allowed: Annotated[int | None, Meta(description="null: as many as fit into its days.")]
    used_before: Annotated[
        int, Meta(description="Used where this system cannot see it, as the practice says; part of `used`.")
    ]
    starts_on: Day
    ends_on: Day | None
    active: bool
    used: Annotated[int, Meta(description="Paid by the payer. Counted when it is asked, as the next three.")]
    in_flight: Annotated[int, Meta(description="Took place, and the payer has not decided.")]
    booked: Annotated[int, Meta(description="Still to come.")]
    left: Annotated[int | None, Meta(description="null: it has no number.")]
    short: Annotated[
        int, Meta(description="Visits that it would be for, and for which nothing is left.")
    ]
    version: int
    created_at: Instant
    updated_at: Instant


class AuthorizationIn(Input):
    """What a payer authorised."""

    policy_id: str = Field(max_length=40)
    number: str = Field(min_length=1, max_length=50, pattern=r"^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$")
    service_codes: list[Code] = Field(default_factory=list, max_length=50)
    counted_by: Counted = "visit"
    allowed: int | None = Field(default=None, ge=1, le=100_000, strict=True)
    used_before: int = Field(default=0, ge=0, le=100_000, strict=True)
    starts_on: date | None = Field(default=None, description="Today when left out.")
    ends_on: date | None = None


class AuthorizationChange(Input):
    """What to change; policy and patient stay."""

    number: str | None = Field(
        default=None, min_length=1, max_length=50, pattern=r"^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$"
    )
    service_codes: list[Code] | None = Field(default=None, max_length=50)
    counted_by: Counted | None = None
    allowed: int | None = Field(default=None, ge=1, le=100_000, strict=True)
    used_before: int | None = Field(default=None, ge=0, le=100_000, strict=True)
    starts_on: date | None = None
    ends_on: date | None = None
    active: bool | None = None

    def given(self) -> dict[str, Any]:
        """Return the fields that were sent."""
        return {name: getattr(self, name) for name in self.model_fields_set}


def authorization_out(row: Authorization, standings: Standings) -> AuthorizationOut:
    """Return the shape of an authorisation, its policy's payer fetched with it."""
    payer = row.policy.payer
    return AuthorizationOut(
        object="authorization",
        id=type_id("authorization", row.id),
        patient_id=type_id("patient", row.patient_id),
        policy_id=type_id("insurance_policy", row.policy_id),
        payer=PayerRef(type_id("payer", payer.id), payer.name),
        number=row.number,
        service_codes=row.service_codes,
        counted_by=cast(Counted, row.counted_by),
        allowed=row.allowed,
        used_before=row.used_before,
        starts_on=row.starts_on,
        ends_on=row.ends_on,
        active=row.active,
        used=standings.used,
        in_flight=standings.in_flight,
        booked=standings.booked,
        left=standings.left,
        short=standings.short,
        version=row.version,
        created_at=instant(row.created_at),
        updated_at=instant(row.updated_at),
    )
