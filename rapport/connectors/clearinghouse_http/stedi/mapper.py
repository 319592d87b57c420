"""What a reply means for the room that asked. Pure: no network, no clock."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from rapport.connectors.clearinghouse_http.mapper import REFUSALS, Unreadable, wait_seconds
from rapport.rooms.claims.ports import Answered, Held, InDoubt, Later, NotHeld, Refused, Sent

FETCHED = frozenset(("277", "835", "999"))
"""Transaction sets (ST01) that are answers to claims."""
MOST_CODES = 4

_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")
_CODE = re.compile(r"[A-Za-z0-9]{1,6}")


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the stream of transactions."""

    count: int
    """How many transactions it has, of whatever kind."""
    executions: tuple[str, ...]
    """The files that answers to claims are in, once each, oldest first."""
    next_token: str


def body_of(file: bytes) -> bytes:
    """The body of a send: the same bytes each time, since the key is held to them."""
    return json.dumps({"x12": file.decode("latin-1")}).encode("ascii")


def send_headers(api_key: str, key: str) -> dict[str, str]:
    """The headers of a send."""
    return {
        "Authorization": api_key, "Content-Type": "application/json", "Accept": "application/json",
        "Idempotency-Key": key,
    }  # fmt: skip


def ask_headers(api_key: str) -> dict[str, str]:
    """The headers of every other call that goes to the account."""
    return {"Authorization": api_key}


def reference_of(name: str) -> str:
    """BHT03 of a file: its name without the ending."""
    return name.partition(".")[0]


def sent_answer(status: int, headers: dict[str, str], body: bytes) -> Sent | Refused | Later | InDoubt:
    """The answer to a send whose reply came complete; the table is in the README."""
    record = _object(body)
    if 200 <= status < 300:
        receipt = (record.get("claimReference") or {}) if record else {}
        number = receipt.get("correlationId") if isinstance(receipt, dict) else None
        if record and record.get("status") == "SUCCESS" and isinstance(number, str) and number:
            return Sent(number)
        return InDoubt(f"status {status} with a body that is no receipt")
    if status in (429, 503):
        return Later(wait_seconds(headers.get("retry-after", "")))
    if 300 <= status < 400:
        return Refused("redirected", False, "the address answers with a redirect")
    if status == 400 and record and (codes := _codes(record)):
        return Refused(f"claim-edits:{codes}", False, "refused by its edits")
    if status in REFUSALS:
        return Refused(REFUSALS[status], False, f"refused with status {status}")
    if status == 402:
        return Refused("account-suspended", True, "refused with status 402")
    # A 409 among them: an earlier call with this key is still at work, and may yet take the file.
    return InDoubt(f"status {status} does not say whether the file was taken")


def question_headers(api_key: str) -> dict[str, str]:
    """The headers of a question: no key of its own, which is documented for claims alone."""
    return {"Authorization": api_key, "Content-Type": "application/json", "Accept": "application/json"}


def asked_answer(status: int, headers: dict[str, str], body: bytes) -> Answered | Refused | Later | InDoubt:
    """
    The answer to a question whose reply came complete: the payer's own X12, or why there is none.

    A 200 without it leaves open whether the payer was asked, as every other status does that is no clear no.
    """
    if status == 200:
        record = _object(body)
        x12 = record.get("x12") if record else None
        if isinstance(x12, str) and x12.startswith("ISA"):
            return Answered(x12.encode("latin-1", "replace"))
        return InDoubt("status 200 without the payer's answer")
    if status in (429, 503):
        return Later(wait_seconds(headers.get("retry-after", "")))
    if 300 <= status < 400:
        return Refused("redirected", False, "the address answers with a redirect")
    if status in REFUSALS:
        return Refused(REFUSALS[status], False, f"refused with status {status}")
    if status == 402:
        return Refused("account-suspended", True, "refused with status 402")
    return InDoubt(f"status {status} does not say whether the payer was asked")


def found_answer(status: int, body: bytes, *, reference: str) -> Held | NotHeld | InDoubt:
    """
    The answer to the question for an 837 with this BHT03.

    That it is not listed lets it be sent again: within a day the key makes nothing new of it, and what
    arrived longer ago than that would be in the list.
    """
    if status != 200:
        return InDoubt(f"the question was answered with status {status}")
    record = _object(body)
    rows = record.get("items") if record else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        return InDoubt("the answer to the question cannot be read")
    for row in rows:
        if _set(row) != "837" or reference not in _references(row):
            continue
        number = row.get("transactionId")
        if row.get("status") == "failed" or not isinstance(number, str) or not number:
            return InDoubt("it is there, and could not be worked on")
        return Held(number)
    return InDoubt("other files are held under its reference") if rows else NotHeld()


def page_of(status: int, body: bytes) -> Page | Unreadable:
    """A page of the stream."""
    if status != 200:
        return Unreadable(f"the list was answered with status {status}")
    record = _object(body)
    rows = record.get("items") if record else None
    token = record.get("nextPageToken") if record else None
    if not isinstance(rows, list) or not isinstance(token, str) or not token:
        return Unreadable("the list cannot be read")
    found: dict[str, None] = {}
    for row in rows:
        if not isinstance(row, dict):
            return Unreadable("the list holds something that is no transaction")
        if row.get("direction") != "INBOUND" or _set(row) not in FETCHED:
            continue
        number = row.get("fileExecutionId")
        if not isinstance(number, str) or not _ID.fullmatch(number):
            return Unreadable("the list holds an answer without a file")
        found[number] = None
    return Page(len(rows), tuple(found), token)


def download_url(headers: dict[str, str], body: bytes, *, local: bool) -> str:
    """Where a file is fetched, with a signature in the URL; "": the reply does not say, or leads to the clear."""
    record = _object(body)
    url = record.get("documentDownloadUrl") if record else None
    url = url if isinstance(url, str) and url else headers.get("location", "")
    return url if urlsplit(url).scheme == "https" or (local and urlsplit(url).scheme == "http") else ""


def is_whole(data: bytes) -> bool:
    """Whether an interchange came to its last segment."""
    return data.startswith(b"ISA") and b"IEA" in data[-60:]


def addressed_to(data: bytes, sender_id: str) -> bool:
    """Whether ISA08 names us. A 999 between the clearinghouse and a payer is about envelopes that are not ours."""
    parts = data[:106].split(data[3:4])
    return len(parts) > 8 and parts[8].decode("latin-1").strip() == sender_id


def _set(row: dict[str, Any]) -> str:
    found: Any = row
    for name in ("x12", "metadata", "transaction", "transactionSetIdentifier"):
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, str) else ""


def _references(row: dict[str, Any]) -> set[str]:
    listed = row.get("businessIdentifiers")
    return {str(one.get("value")) for one in listed if isinstance(one, dict)} if isinstance(listed, list) else set()


def _codes(record: dict[str, Any]) -> str:
    """The codes of its edits. Their words may quote a claim, and are not taken along."""
    listed = record.get("errors")
    rows = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    codes = dict.fromkeys(str(one.get("code", "")) for one in rows)
    return "-".join([code for code in codes if _CODE.fullmatch(code)][:MOST_CODES])


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
