"""What a reply means for the room that asked. Pure: no network, no clock."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from rapport.connectors.clearinghouse_http.mapper import REFUSALS, Unreadable, wait_seconds
from rapport.rooms.claims.ports import Answered, InDoubt, Later, Refused, Sent

from .statuses import Told


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far the two feeds were read: statuses and remittances, each by its last id."""

    response: int = 0
    era: int = 0

    @classmethod
    def read(cls, text: str) -> Cursor:
        """The cursor that `write` wrote; "" is the beginning. Raises `ValueError` otherwise."""
        if not text:
            return cls()
        response, era = text.split(":")
        return cls(int(response), int(era))

    def write(self) -> str:
        """The cursor as text."""
        return f"{self.response}:{self.era}"


@dataclass(frozen=True, slots=True)
class Statuses:
    """What was told of claims behind an id, in the order of the ids."""

    told: tuple[Told, ...]
    last: int


@dataclass(frozen=True, slots=True)
class EraPage:
    """Ids of remittances, in whatever order they were listed."""

    ids: tuple[int, ...]


def sent_answer(status: int, headers: dict[str, str], body: bytes) -> Sent | Refused | Later | InDoubt:
    """The answer to an upload whose reply came complete; the table is in the README."""
    record = _object(body)
    if status == 200:
        if record is None:
            return InDoubt("status 200 with a body that is no receipt")
        receipt = next((_text(row, "fileid") for row in (record, *_rows(record, "claim")) if _text(row, "fileid")), "")
        if receipt:
            # Claims of it that are turned away are told of by `response`, each for itself.
            return Sent(receipt)
        if _rows(record, "error"):
            return Refused("upload-refused", False, "the upload was answered with an error")
        return InDoubt("status 200 with neither a file's id nor an error")
    if status in (429, 503):
        return Later(wait_seconds(headers.get("retry-after", "")))
    if 300 <= status < 400:
        return Refused("redirected", False, "the address answers with a redirect")
    if status in REFUSALS:
        return Refused(REFUSALS[status], False, f"refused with status {status}")
    if status == 402:
        return Refused("account-suspended", True, "refused with status 402")
    return InDoubt(f"status {status} does not say whether the file was taken")


def asked_answer(status: int, headers: dict[str, str], body: bytes) -> Answered | Refused | Later | InDoubt:
    """
    The answer to a question about eligibility whose reply came complete: the 271 is an attribute of `eligibility`.

    What an error says may quote the question, and is not taken along.
    """
    if status != 200:
        said = sent_answer(status, headers, body)
        return InDoubt("the status does not say whether the payer was asked") if isinstance(said, Sent) else said
    record = _object(body)
    if record is None:
        return InDoubt("status 200 with a body that is no answer")
    data = next((_text(row, "data") for row in _rows(record, "eligibility") if _text(row, "data")), "")
    if data.startswith("ISA"):
        return Answered(data.encode("latin-1", "replace"))
    if _rows(record, "error"):
        return Refused("question-refused", False, "the question was answered with an error")
    return InDoubt("status 200 with neither a 271 nor an error")


def uploads_of(status: int, body: bytes) -> tuple[tuple[str, str], ...] | Unreadable:
    """(file name, id) of a page of the list of uploads."""
    record = _readable(status, body)
    if isinstance(record, Unreadable):
        return record
    return tuple(
        (_text(row, "filename"), _text(row, "fileid") or _text(row, "inboundid")) for row in _rows(record, "file")
    )


def statuses_of(status: int, body: bytes, *, after: int) -> Statuses | Unreadable:
    """What `response` tells behind an id. A message without an id counts as told with the last one."""
    record = _readable(status, body)
    if isinstance(record, Unreadable):
        return record
    last = _number(record, "last_responseid")
    if last is None:
        return Unreadable("the list of statuses has no last id")
    told = []
    for row in _rows(record, "claim"):
        for message in _rows(row, "messages") or [{}]:
            number = _number(message, "responseid") or last
            if number > after:
                told.append(
                    Told(
                        number=number,
                        control=_text(row, "pcn") or _text(row, "remote_claimid"),
                        status=_text(message, "status") or _text(row, "status"),
                        words=_text(message, "message"),
                        source=_text(row, "sender_name"),
                        payer_claim_number=_text(row, "sender_icn"),
                        file_name=_text(row, "filename"),
                        npi=_text(row, "bill_npi"),
                    )
                )
    told.sort(key=lambda one: one.number)
    return Statuses(tuple(told), max(last, after, *(one.number for one in told)))


def portion(found: Statuses, *, most: int) -> Statuses:
    """The first of what was told, and how far that is. Messages of one id are not cut apart."""
    if len(found.told) <= most:
        return found
    last = found.told[most - 1].number
    return Statuses(tuple(one for one in found.told if one.number <= last), last)


def eras_of(status: int, body: bytes) -> EraPage | Unreadable:
    """The ids of a page of the list of remittances."""
    record = _readable(status, body)
    if isinstance(record, Unreadable):
        return record
    ids = [_number(row, "eraid") for row in _rows(record, "era")]
    if any(id is None for id in ids):
        return Unreadable("the list holds a remittance without an id")
    return EraPage(tuple(id for id in ids if id is not None))


def era_of(status: int, body: bytes) -> bytes | Unreadable:
    """The 835 of one remittance, whole."""
    record = _readable(status, body)
    if isinstance(record, Unreadable):
        return record
    value = record.get("data")
    data = value.encode("latin-1", "replace") if isinstance(value, str) else b""
    if not (data.startswith(b"ISA") and b"IEA" in data[-60:]):
        return Unreadable("the remittance did not come whole")
    return data


def _readable(status: int, body: bytes) -> dict[str, Any] | Unreadable:
    if status != 200:
        return Unreadable(f"answered with status {status}")
    record = _object(body)
    if record is None:
        return Unreadable("the answer cannot be read")
    if _rows(record, "error"):
        return Unreadable("answered with an error")
    return record


def _rows(record: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """What there is several of: made from XML, it is a list, or the one thing, or nothing."""
    value = record.get(name)
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, dict)]


def _text(record: dict[str, Any], name: str) -> str:
    value = record.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value.strip() if isinstance(value, str) else ""


def _number(record: dict[str, Any], name: str) -> int | None:
    text = _text(record, name)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 30 else None


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if isinstance(value, dict) and isinstance(value.get("result"), dict):
        value = value["result"]
    return value if isinstance(value, dict) else None
