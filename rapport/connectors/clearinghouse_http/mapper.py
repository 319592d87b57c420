"""What an HTTP reply means for the room that asked. Pure: no network, no clock."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from rapport.rooms.claims.ports import Answered, Held, InDoubt, Later, NotHeld, Refused, Sent

USUAL_WAIT_SECONDS = 60
LONGEST_WAIT_SECONDS = 3600
KINDS = frozenset(("TA1", "999", "277CA", "277", "271", "835"))

REFUSALS = {
    400: "not-an-interchange",
    401: "login-refused",
    403: "login-refused",
    404: "no-such-service",
    405: "no-such-service",
    410: "no-such-service",
    413: "file-too-large",
    415: "not-an-interchange",
    422: "key-reused",
}


@dataclass(frozen=True, slots=True)
class Listed:
    """One file as the list names it, not fetched yet."""

    name: str
    kind: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A reply that does not say what was agreed on."""

    detail: str


def send_headers(api_key: str, key: str) -> dict[str, str]:
    """The headers of a send."""
    return {
        "Authorization": f"Bearer {api_key}",
        "Content-Type": "application/edi-x12",
        "Accept": "application/json",
        "Idempotency-Key": key,
    }


def ask_headers(api_key: str) -> dict[str, str]:
    """The headers of every other call."""
    return {"Authorization": f"Bearer {api_key}"}


def sent_answer(
    status: int, headers: dict[str, str], body: bytes, *, sha256: str
) -> Sent | Refused | Later | InDoubt:
    """
    The answer to a send whose reply came complete. Header names are lower case.

    Only a 2xx that names an id and our very bytes is a yes, and only a status that says the file
    was not taken is a no. Everything between, a 500 above all, leaves the file in doubt.
    """
    if 200 <= status < 300:
        record = _object(body)
        receipt = record.get("id") if record else None
        if not isinstance(receipt, str) or not receipt:
            return InDoubt(f"status {status} with a body that is no receipt")
        if record is not None and record.get("sha256") != sha256:
            return InDoubt("the receipt is for other bytes than were sent")
        return Sent(receipt)
    if status in (429, 503):
        return Later(wait_seconds(headers.get("retry-after", "")))
    if 300 <= status < 400:
        return Refused("redirected", False, "the address answers with a redirect")
    if status in REFUSALS:
        return Refused(REFUSALS[status], False, f"refused with status {status}")
    if status == 402:
        return Refused("account-suspended", True, "refused with status 402")
    return InDoubt(f"status {status} does not say whether the file was taken")


def asked_answer(
    status: int, headers: dict[str, str], body: bytes
) -> Answered | Refused | Later | InDoubt:
    """The answer to a question whose reply came complete: only a 200 that looks like X12 is one."""
    if status == 200:
        if body.lstrip()[:3] != b"ISA":
            return InDoubt("status 200 with a body that is no interchange")
        return Answered(body)
    if status in (429, 503):
        return Later(wait_seconds(headers.get("retry-after", "")))
    if 300 <= status < 400:
        return Refused("redirected", False, "the address answers with a redirect")
    if status in REFUSALS:
        return Refused(REFUSALS[status], False, f"refused with status {status}")
    return InDoubt(f"status {status} does not say whether the question was asked")


def wait_seconds(text: str) -> int:
    """Retry-After in seconds, within reason; a date or nonsense becomes the usual wait."""
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        return USUAL_WAIT_SECONDS
    return min(max(int(text), 1), LONGEST_WAIT_SECONDS)


def found_answer(status: int, body: bytes, *, sha256: str) -> Held | NotHeld | InDoubt:
    """The answer to one question about what is held: by key, or by digest."""
    if status != 200:
        return InDoubt(f"the question was answered with status {status}")
    record = _object(body)
    rows = record.get("data") if record else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        return InDoubt("the answer to the question cannot be read")
    for row in rows:
        if row.get("sha256") == sha256 and isinstance(row.get("id"), str):
            return Held(row["id"])
    if rows:
        return InDoubt("other bytes are held under the same key")
    return NotHeld()


def listed_files(
    status: int, headers: dict[str, str], body: bytes
) -> tuple[tuple[Listed, ...], str] | Unreadable:
    """The files of one page and the cursor behind them."""
    if status != 200:
        return Unreadable(f"the list was answered with status {status}")
    record = _object(body)
    rows = record.get("data") if record else None
    cursor = record.get("next_cursor") if record else None
    if not isinstance(rows, list) or not isinstance(cursor, str):
        return Unreadable(f"the list cannot be read ({headers.get('content-type', 'no type')})")
    files = []
    for row in rows:
        if not isinstance(row, dict):
            return Unreadable("the list holds something that is no file")
        name, kind, digest = row.get("name"), row.get("kind"), row.get("sha256")
        if not (isinstance(name, str) and name and isinstance(digest, str)):
            return Unreadable("the list holds a file without name or digest")
        files.append(Listed(name, kind if kind in KINDS else "unknown", digest))
    return tuple(files), cursor


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(body)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
