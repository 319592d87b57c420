"""Shapes of what administrators look after: practice, members, API keys."""

from __future__ import annotations

import ipaddress
from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta
from pydantic import Field, field_validator

from rapport.kernel.codes import US_STATES, digits, npi_is_valid, zip_is_valid
from rapport.kernel.ids import type_id
from rapport.platform.access.permissions import Permission, Role
from rapport.platform.access.scope import Scope
from rapport.platform.api.shapes import Input, Instant, Shape, instant, instant_or_none, refused

from .schemas import PersonOut


class PracticeAddressIn(Input):
    """Where the practice is: a street address, as claims need it."""

    line1: str = Field(min_length=1, max_length=55)
    line2: str | None = Field(None, max_length=55)
    city: str = Field(min_length=1, max_length=30)
    state: str
    postal_code: str

    @field_validator("state")
    @classmethod
    def _state(cls, value: str) -> str:
        if value not in US_STATES:
            raise refused("not a state")
        return value

    @field_validator("postal_code")
    @classmethod
    def _zip(cls, value: str) -> str:
        if not zip_is_valid(value):
            raise refused("not a ZIP code")
        return digits(value)


class PracticeAddressOut(Shape):
    """A postal address in the United States."""

    line1: str | None
    line2: str | None
    city: str | None
    state: str | None
    postal_code: str | None


class PracticeOut(Shape):
    """A practice that the caller works in."""

    object: Literal["practice"]
    id: str
    name: str
    current: Annotated[bool, Meta(description="The one this token opens.")]
    time_zone: str
    livemode: bool
    system: Annotated[
        Literal["native", "connected"],
        Meta(description="connected: another system is its truth, and what is here mirrors it."),
    ]
    caseload_only: bool
    sends_to_next_payer: Annotated[
        bool, Meta(description="Claims to a patient's further payer leave by themselves once the payer before has decided.")
    ]
    mfa_required: Literal[True]
    npi: str | None
    tax_id: str | None
    taxonomy_code: str | None
    phone: str | None
    address: PracticeAddressOut
    version: int
    created_at: Instant
    updated_at: Instant


class PracticeChange(Input):
    """The fields to change; the others stay."""

    name: str = Field("", min_length=1, max_length=200)
    time_zone: str = Field("", max_length=64)
    caseload_only: bool = True
    sends_to_next_payer: bool = Field(
        False, description="Else a person accepts each proposal (`/claim-proposals`) first."
    )
    mfa_required: bool = Field(True, description="Cannot be false.")
    npi: str | None = Field(None, max_length=10)
    tax_id: str | None = Field(None, pattern=r"^\d{2}-?\d{7}$")
    taxonomy_code: str | None = Field(None, pattern=r"^[0-9A-Z]{10}$")
    phone: str | None = Field(None, max_length=20)
    address: PracticeAddressIn | None = None

    @field_validator("npi")
    @classmethod
    def _npi(cls, value: str | None) -> str | None:
        if value and not npi_is_valid(value):
            raise refused("not an NPI")
        return value


class ApiKeyIn(Input):
    """A key for a program."""

    name: str = Field(min_length=1, max_length=100, examples=["Scheduling bot"])
    scopes: list[Permission] = Field(min_length=1, max_length=60, examples=[["appointments:read"]])
    expires_at: datetime | None = Field(
        None, description="At most a year ahead; 90 days when left out."
    )
    ip_allowlist: list[str] = Field(
        default_factory=list, max_length=50, examples=[["203.0.113.0/24"]]
    )

    @field_validator("ip_allowlist")
    @classmethod
    def _networks(cls, value: list[str]) -> list[str]:
        return [str(ipaddress.ip_network(network)) for network in value]


class ApiKeyOut(Shape):
    """An API key, without the key itself."""

    object: Literal["api_key"]
    id: str
    name: str
    owner_id: Annotated[str, Meta(description="The membership whose rights bound it.")]
    scopes: list[str]
    ip_allowlist: list[str]
    hint: str
    expires_at: Instant
    last_used_at: Instant | None
    revoked_at: Instant | None
    version: int
    created_at: Instant


class ApiKeyMade(ApiKeyOut):
    """A new API key, with the key itself."""

    secret: Annotated[str, Meta(description="The key. Shown once, kept nowhere.")]


KEY_COLUMNS = (
    "k.id, k.name, k.owner_id, k.scopes::text[], k.ip_allowlist::text[], k.hint, k.expires_at,"
    " k.last_used_at, k.revoked_at, k.version, k.created_at"
)


def _key_fields(row: tuple[Any, ...]) -> dict[str, Any]:
    return {
        "object": "api_key",
        "id": type_id("api_key", row[0]),
        "name": row[1],
        "owner_id": type_id("membership", row[2]),
        "scopes": row[3],
        "ip_allowlist": row[4],
        "hint": row[5],
        "expires_at": instant(row[6]),
        "last_used_at": instant_or_none(row[7]),
        "revoked_at": instant_or_none(row[8]),
        "version": row[9],
        "created_at": instant(row[10]),
    }


def key_out(row: tuple[Any, ...], scope: Scope) -> ApiKeyOut:
    """Return the shape of a row of `KEY_COLUMNS`."""
    return ApiKeyOut(**_key_fields(row))


def key_made(row: tuple[Any, ...], secret: str) -> ApiKeyMade:
    """Return the shape of a new key."""
    return ApiKeyMade(**_key_fields(row), secret=secret)


class MembershipIn(Input):
    """Somebody joins the practice."""

    login: str = Field(min_length=3, max_length=254, pattern=r"^[^@\s]+@[^@\s]+$")
    display_name: str = Field(min_length=1, max_length=200)
    roles: list[Role] = Field(min_length=1, max_length=10)
    clinician_id: str | None = Field(None, max_length=40)
    supervises: list[str] = Field(default_factory=list, max_length=200)


class MembershipChange(Input):
    """The fields to change; the others stay."""

    roles: list[Role] = Field(default_factory=list, min_length=1, max_length=10)
    clinician_id: str | None = Field(None, max_length=40)
    supervises: list[str] = Field(default_factory=list, max_length=200)
    active: bool = True
    mfa_required: bool = Field(True, description="Cannot be false.")


class MembershipOut(Shape):
    """What a person may do in this practice."""

    object: Literal["membership"]
    id: str
    user: PersonOut
    roles: list[str]
    clinician_id: str | None
    supervises: list[str]
    active: bool
    mfa_required: Literal[True]
    version: int
    created_at: Instant
    updated_at: Instant


MEMBER_COLUMNS = (
    "m.id, m.user_id, u.login, u.display_name, m.roles::text[], m.clinician_id, m.supervises,"
    " m.active, m.version, m.created_at, m.updated_at"
)


def member_out(row: tuple[Any, ...], scope: Scope) -> MembershipOut:
    """Return the shape of a row of `MEMBER_COLUMNS`."""
    return MembershipOut(
        object="membership",
        id=type_id("membership", row[0]),
        user=PersonOut(id=type_id("user", row[1]), login=row[2], display_name=row[3]),
        roles=row[4],
        clinician_id=type_id("clinician", row[5]) if row[5] else None,
        supervises=[type_id("clinician", id) for id in row[6]],
        active=row[7],
        mfa_required=True,
        version=row[8],
        created_at=instant(row[9]),
        updated_at=instant(row[10]),
    )
