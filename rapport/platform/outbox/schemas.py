"""The outbox's shapes in the API."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from rapport.kernel.ids import type_id
from rapport.platform.access.scope import Scope
from rapport.platform.api.shapes import Input, Instant, Shape, instant, instant_or_none

EventType = Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,30}\.[a-z_]{1,29}$")]


class EndpointIn(Input):
    """An address that wants to be told."""

    url: str = Field(min_length=1, max_length=2000)
    event_types: list[EventType] = Field(default=[], max_length=100)
    """Empty: every type, also those to come."""
    description: str = Field(default="", max_length=200)
    signature: Literal["v1", "v1a"] = "v1"


class EndpointChange(Input):
    """What to change."""

    url: str | None = Field(default=None, min_length=1, max_length=2000)
    event_types: list[EventType] | None = Field(default=None, max_length=100)
    description: str | None = Field(default=None, max_length=200)


class ReplayIn(Input):
    """Where to begin."""

    from_cursor: str = Field(min_length=1, max_length=2000)
    """A cursor of `GET /v1/events`: events after it are sent again."""


class EndpointOut(Shape):
    """A webhook endpoint. Its secret is shown when made and never again."""

    object: Literal["webhook_endpoint"]
    id: str
    url: str
    event_types: list[str]
    description: str
    signature: Literal["v1", "v1a"]
    public_key: str | None
    state: Literal["enabled", "disabled"]
    disabled_reason: Literal["by_owner", "gone", "failing"] | None
    previous_secret_until: Instant | None
    version: int
    created_at: Instant
    updated_at: Instant


class EndpointWithSecretOut(EndpointOut):
    """An endpoint with its new secret, this once. Null for v1a: receivers use the public key."""

    secret: str | None


class DeliveryOut(Shape):
    """One event on its way to one endpoint."""

    object: Literal["webhook_delivery"]
    id: str
    endpoint_id: str
    event_id: str
    event_type: str
    sequence: int
    state: Literal["pending", "succeeded", "dead"]
    attempts: int
    next_attempt_at: Instant | None
    last_attempt_at: Instant | None
    last_status: int | None
    last_error: str | None
    """`timeout`, `connect`, `tls`, `broken`, `status`, `redirect`, `gone`, `blocked_address`, …"""
    created_at: Instant


class ReplayOut(Shape):
    """How much a replay sends again."""

    object: Literal["replay"]
    endpoint_id: str
    queued: int


ENDPOINT_COLUMNS = (
    "w.id, w.url, w.event_types, w.description, w.signature, w.public_key, w.state,"
    " w.disabled_reason, w.previous_secret_until, w.version, w.created_at, w.updated_at"
)
"""What `endpoint_members` reads, in its order."""

DELIVERY_COLUMNS = (
    "d.id, d.endpoint_id, d.event_id, e.type, d.sequence, d.state, d.attempts, d.next_attempt_at,"
    " d.last_attempt_at, d.last_status, d.last_error, d.created_at"
)
"""What `delivery_out` reads, in its order."""


def endpoint_members(row: tuple[Any, ...]) -> dict[str, Any]:
    """Return the members of an endpoint's shape from a row of `ENDPOINT_COLUMNS`."""
    return {
        "object": "webhook_endpoint",
        "id": type_id("webhook_endpoint", row[0]),
        "url": row[1],
        "event_types": list(row[2]),
        "description": row[3],
        "signature": row[4],
        "public_key": row[5] or None,
        "state": row[6],
        "disabled_reason": row[7] or None,
        "previous_secret_until": instant_or_none(row[8]),
        "version": row[9],
        "created_at": instant(row[10]),
        "updated_at": instant(row[11]),
    }


def endpoint_out(row: tuple[Any, ...], scope: Scope) -> EndpointOut:
    """Return the shape of an endpoint."""
    return EndpointOut(**endpoint_members(row))


def delivery_out(row: tuple[Any, ...], scope: Scope) -> DeliveryOut:
    """Return the shape of a delivery from a row of `DELIVERY_COLUMNS`."""
    return DeliveryOut(
        object="webhook_delivery",
        id=type_id("delivery", row[0]),
        endpoint_id=type_id("webhook_endpoint", row[1]),
        event_id=type_id("event", row[2]),
        event_type=row[3],
        sequence=row[4],
        state=row[5],
        attempts=row[6],
        next_attempt_at=instant(row[7]) if row[5] == "pending" else None,
        last_attempt_at=instant_or_none(row[8]),
        last_status=row[9],
        last_error=row[10] or None,
        created_at=instant(row[11]),
    )
