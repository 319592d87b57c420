"""Shapes of answers, and how they become bytes. Answers are msgspec structs, inputs ninja schemas."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import Meta, Struct
from ninja import Schema
from pydantic import ConfigDict, Field
from pydantic_core import PydanticCustomError

from rapport.kernel.ids import parse_type_id
from rapport.kernel.problems import NotFound

encoder = msgspec.json.Encoder(decimal_format="string")


def instant(value: datetime) -> str:
    """Return an instant as the API writes it: UTC, milliseconds, `Z`.

    >>> instant(datetime(2026, 11, 1, 5, 30, tzinfo=UTC))
    '2026-11-01T05:30:00.000Z'
    """
    if value.tzinfo is not UTC:
        value = value.astimezone(UTC)
    return f"{value.isoformat('T', 'milliseconds')[:23]}Z"


def instant_or_none(value: datetime | None) -> str | None:
    """Write an instant that may be missing."""
    return None if value is None else instant(value)


Instant = Annotated[
    str,
    Meta(
        description="RFC 3339, UTC, milliseconds.",
        extra_json_schema={"format": "date-time", "examples": ["2026-11-02T15:00:00.000Z"]},
    ),
]
Day = date
"""`YYYY-MM-DD`."""


class Shape(Struct, kw_only=True):
    """Base of every answer. No field has a default: an answer always carries every field."""


class MoneyOut(Struct):
    """An amount: integer minor units and a currency. Never a float."""

    amount: Annotated[int, Meta(description="Cents.", examples=[15000])]
    currency: Literal["USD"] = "USD"


class Source(Struct, kw_only=True):
    """Where a record comes from: this system, or the portal it mirrors."""

    system: str
    remote_id: str | None
    as_of: Instant


def source_of(system: str, remote_id: str | None, as_of: datetime | None, updated: str) -> Source:
    """Return where a row comes from; without an instant of its own it is as of its last change."""
    return Source(
        system=system, remote_id=remote_id, as_of=updated if as_of is None else instant(as_of)
    )


class ExternalId(Struct):
    """An id that another system gave the object."""

    system: str
    value: str


class Page(Struct, kw_only=True):
    """A page of a list."""

    object: Literal["list"] = "list"
    data: list[Any]
    has_more: bool
    next_cursor: str | None
    prev_cursor: None = None


class Answer:
    """What a view gives back when a bare shape is not enough."""

    __slots__ = ("body", "content_type", "etag", "headers", "status")

    def __init__(
        self,
        body: Any,
        *,
        status: int | None = None,
        etag: str | None = None,
        headers: Mapping[str, str] | None = None,
        content_type: str = "application/json; charset=utf-8",
    ) -> None:
        """
        :param body: a shape, or bytes that are sent as they are
        :param status: overrides the route's own success status
        :param etag: the object's ETag (see `etags.of`)
        """
        self.body, self.status, self.etag = body, status, etag
        self.headers, self.content_type = headers or {}, content_type


class Input(Schema):
    """Base of every request body: a field it does not know is an error."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


def refused(words: str) -> PydanticCustomError:
    """
    Return what a validator raises about a field that is not right. The caller is told the words.

    :param words: what would be right; never the value, which may be a person's data
    """
    return PydanticCustomError("refused", words)


class Nothing(Input):
    """A body without fields."""


class MoneyIn(Input):
    """An amount of money."""

    amount: int = Field(ge=0, le=10**12, strict=True, description="Cents.", examples=[2500])
    currency: Literal["USD"] = "USD"


class ExternalIdIn(Input):
    """An id that another system gave the object; unique per system and kind of object."""

    system: str = Field(min_length=1, max_length=200, examples=["urn:example:crm"])
    value: str = Field(min_length=1, max_length=200, examples=["4711"])


def path_id(kind: str, text: str) -> UUID:
    """
    Return the UUID of an id in the path.

    :raises NotFound: it is not an id of this kind; the same answer as for an id nobody has
    """
    value = parse_type_id(kind, text)
    if value is None:
        raise NotFound(reason="malformed_id")
    return value
