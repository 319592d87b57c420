"""The shapes of payers' claim profiles in the API."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct
from pydantic import Field

from rapport.kernel.ids import type_id
from rapport.platform.api.shapes import Input, Shape
from rapport.rooms.claims.models import PayerProfile
from rapport.rooms.claims.rules.profiles import explain

Modifier = Annotated[str, Field(pattern=r"^([A-Z0-9]{2})?$")]
Days = Annotated[int, Field(ge=1, le=1460)]


class ProfileChange(Input):
    """What the practice says of a payer; `null` lets the default hold again."""

    supervision: Literal["name_supervisor", "bill_under_supervisor"] | None = None
    telehealth_place: Literal["telehealth_place", "office_place"] | None = None
    video_modifier: Modifier | None = None
    audio_modifier: Modifier | None = None
    group_modifier: Modifier | None = None
    taxonomy_required: Literal["none", "billing", "rendering", "both"] | None = None
    electronic_secondary: bool | None = None
    corrected_claims: Literal["replacement", "new_claim", "paper"] | None = None
    filing_limit_days: Days | None = None
    corrected_limit_days: Days | None = None
    appeal_days: Days | None = None
    warn_days: Annotated[int, Field(ge=0, le=180)] | None = None
    max_units_a_day: dict[Annotated[str, Field(pattern=r"^[A-Z0-9]{5}$")], Annotated[int, Field(ge=1, le=99)]] | None = (
        Field(default=None, max_length=50)
    )
    patient_paid: bool | None = None
    one_day_a_claim: bool | None = None
    status_after_days: Annotated[int, Field(ge=3, le=180)] | None = None


class ProfileValue(Struct):
    """One value, and who says so."""

    value: Any
    source: Annotated[str, Meta(description="`practice`, or `default`.")]
    note: Annotated[str | None, Meta(description="`default, verify`: nobody of the practice has said it.")]


class ProfileOut(Shape):
    """How a payer wants its claims."""

    object: Literal["claim_profile"]
    payer_id: str
    claim_filing_indicator: str
    values: dict[str, ProfileValue]
    version: int


def profile_out(profile: PayerProfile, *, filing_indicator: str) -> ProfileOut:
    """Return a profile whole."""
    said = explain(filing_indicator=filing_indicator, own=profile.own)
    return ProfileOut(
        object="claim_profile",
        payer_id=type_id("payer", profile.payer_id),
        claim_filing_indicator=filing_indicator,
        values={name: ProfileValue(one.value, one.source, one.note) for name, one in said.items()},
        version=profile.version,
    )
