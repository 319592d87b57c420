"""An event as it is told outside: the same bytes in a webhook and in `GET /v1/events`."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from rapport.kernel.ids import PREFIXES, type_id
from rapport.platform.api.middleware import API_VERSION
from rapport.platform.api.shapes import Instant, Shape, instant

MAX_BYTES = 2048
"""A message is never longer."""

COLUMNS = (
    "e.id, e.type, e.created_at, e.practice_id, e.object_type, e.object_id, e.version,"
    " e.sequence, e.changed, e.request_id,"
    " (SELECT t.livemode FROM tenancy_practice t WHERE t.id = e.practice_id)"
)
"""What `event_out` reads, in its order."""


class ObjectRef(Struct):
    """The object that changed: fetch it to learn more."""

    type: str
    id: str
    version: int
    sequence: int
    """1, 2, 3 … per object, without gaps."""


class EventOut(Shape):
    """A fact. No names, no contents: ids, and names of fields that changed."""

    id: str
    type: str
    created_at: Instant
    api_version: str
    practice_id: str
    livemode: bool
    object: ObjectRef
    changed: list[str]
    """Names of fields; empty also when there were too many to name."""
    request_id: str | None


def public_id(kind: str, id: Any) -> str:
    """Return an object's public id; of a kind that has none, the plain UUID."""
    return type_id(kind, id) if kind in PREFIXES else str(id)


def event_out(row: tuple[Any, ...]) -> EventOut:
    """Return the shape of an event from a row of `COLUMNS`."""
    return EventOut(
        id=type_id("event", row[0]),
        type=row[1],
        created_at=instant(row[2]),
        api_version=API_VERSION,
        practice_id=type_id("practice", row[3]),
        livemode=row[10],
        object=ObjectRef(row[4], public_id(row[4], row[5]), row[6], row[7]),
        changed=list(row[8]),
        request_id=type_id("request", row[9]) if row[9] else None,
    )


def body_of(row: tuple[Any, ...]) -> bytes:
    """Return the body of a webhook, at most `MAX_BYTES` long."""
    message = event_out(row)
    body = msgspec.json.encode(message)
    if len(body) > MAX_BYTES:
        message.changed = []
        body = msgspec.json.encode(message)
    return body
