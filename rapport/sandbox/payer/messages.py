"""What comes in and goes out over HTTP, as values."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from rapport.sandbox.payer.script import Fault


@dataclass(frozen=True, slots=True)
class Request:
    """One request, read to its last byte."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply; `lost` closes the connection instead of sending it."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    lost: bool = False


def json_reply(status: int, value: Any) -> Reply:
    """A reply of JSON."""
    return Reply(status, json.dumps(value).encode())


def problem(status: int, kind: str, detail: str, **headers: str) -> Reply:
    """A problem document."""
    body = {"type": kind, "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return Reply(status, json.dumps(body).encode(), "application/problem+json", headers)


def trouble(fault: Fault) -> Reply:
    """The reply of a send that suffers."""
    match fault.kind:
        case "429" | "503":
            return problem(
                int(fault.kind), "busy", "Try again.", **{"Retry-After": str(int(fault.seconds))}
            )
        case "409":
            return problem(409, "in-flight", "A call with this key is being worked on.")
        case "422":
            return problem(422, "not-taken", "This file is not taken.")
        case "html200":
            page = b"<!doctype html><title>Maintenance</title><p>We will be back soon."
            return Reply(200, page, "text/html")
        case "drop_reply":
            return Reply(202, lost=True)
        case _:
            return problem(500, "broken", "Something failed inside.")
