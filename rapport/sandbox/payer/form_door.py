"""
The form door: files uploaded as form data, in the shape of Claim.MD's public API documentation.

AccountKey is a field of every call; statuses and remittances are asked for behind the last id. There is
no key against sending twice: a file uploaded again is a second file. It has never seen the service.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Iterator
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any
from urllib.parse import parse_qs

from rapport.sandbox.payer.desk import Desk, NotAnInterchange, Received
from rapport.sandbox.payer.messages import Reply, Request, json_reply, trouble
from rapport.sandbox.payer.script import next_fault
from rapport.sandbox.payer.x12 import NotX12, read

UPLOADS_A_PAGE = 500
ERAS_A_PAGE = 100
MOST_RESPONSES = 20_000
IDS_A_FILE = 100_000
"""Response ids of one answer: its position times this, and the claim's place in it."""
EVERYTHING = 1_000_000


class FormDoor:
    """Answers what is below `/services/`."""

    def __init__(self, desk: Desk, *, account_key: str) -> None:
        self._desk = desk
        self._key = account_key.encode()

    def has(self, path: str) -> bool:
        """Whether a path is behind this door."""
        return path.startswith("/services/")

    async def answer(self, request: Request) -> Reply:
        """Answer one call."""
        fields = _fields(request)
        if not hmac.compare_digest(fields.get("AccountKey", ("", b""))[1], self._key):
            return _error(401, "The account key is not valid.")
        given = {name: value.decode("utf-8", "replace") for name, (_, value) in fields.items() if name != "File"}
        match request.method, request.path.strip("/").removeprefix("services/"):
            case "POST", "upload":
                return await self._upload(*fields.get("File", ("", b"")))
            case "POST", "elig":
                return await self._ask(fields.get("File", ("", b""))[1])
            case "POST", "uploadlist":
                return self._uploads(_number(given.get("Page", "")) or 1)
            case "POST", "response":
                return self._responses(_number(given.get("ResponseID", "")))
            case "POST", "eralist":
                return self._eras(_number(given.get("ERAID", "")), _number(given.get("Page", "")) or 1)
            case "POST", "era835":
                return self._era(_number(given.get("eraid", "")))
            case _:
                return _error(404, "There is no such service.")

    async def _upload(self, name: str, data: bytes) -> Reply:
        fault = next_fault(self._desk.store)
        if fault is not None and fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
        if fault is not None and not fault.accept:
            return trouble(fault)
        taken = self._desk.receive(data, channel="form", name=name)
        if fault is not None and fault.kind != "slow":
            return trouble(fault)
        if not isinstance(taken, Received):
            return _error(200, "The file is of no known format.")
        claims = [
            {
                "claimmd_id": f"{taken.id}.{place}", "fileid": taken.id, "filename": name,
                "pcn": segment.at(1), "remote_claimid": segment.at(1), "total_charge": segment.at(2),
                "status": "A", "messages": [{"status": "A", "message": "Acknowledged.", "mesgid": "1", "fields": ""}],
            }
            for place, segment in enumerate(one for one in read(data).body if one.tag == "CLM")
        ]  # fmt: skip
        return json_reply(200, {"fileid": taken.id, "messages": f"{len(claims)} claims", "claim": claims})

    async def _ask(self, data: bytes) -> Reply:
        """One 270, answered with the 271 while the caller waits."""
        fault = next_fault(self._desk.store)
        if fault is not None and fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
        elif fault is not None:
            return trouble(fault)
        match self._desk.ask(data):
            case None:
                return Reply(200, lost=True)
            case NotAnInterchange():
                return _error(200, "The file is of no known format.")
            case answer:
                return json_reply(200, {"eligibility": {"eligid": "1", "data": answer.decode("latin-1")}})

    def _uploads(self, page: int) -> Reply:
        held = [row for row, _ in reversed(self._desk.handed_in(channel="form"))]
        first = (page - 1) * UPLOADS_A_PAGE
        return json_reply(
            200,
            {
                "file": [
                    {"fileid": row["id"], "inboundid": row["id"], "filename": row["name"], "file_type": "claim",
                     "uploadtime": row["received_at"]}
                    for row in held[first : first + UPLOADS_A_PAGE]
                ]
            },
        )  # fmt: skip

    def _responses(self, after: int) -> Reply:
        rows = [row for row in self._statuses() if int(row["messages"][0]["responseid"]) > after]
        rows = rows[:MOST_RESPONSES]
        last = rows[-1]["messages"][0]["responseid"] if rows else str(after)
        return json_reply(200, {"last_responseid": last, "claim": rows})

    def _statuses(self) -> Iterator[dict[str, Any]]:
        """What every 277CA, and every 999 that turned a set away, says of each claim."""
        for position, file in self._desk.files(after=0, limit=EVERYTHING):
            said: list[dict[str, Any]] = []
            if file.kind == "277CA":
                said = list(_told(self._desk.file(file.name) or b""))
            elif file.kind == "999":
                turned = self._desk.rejected_whole(position)
                said = [_row(number, "R", "The file's syntax is wrong.", "", "") for number in turned]
            for place, row in enumerate(said, start=1):
                row["filename"] = self._desk.answered_name(position)
                row["messages"][0]["responseid"] = str(position * IDS_A_FILE + place)
                yield row

    def _eras(self, after: int, page: int) -> Reply:
        found = [
            {"eraid": str(position), "paid_date": file.created_at[:10]}
            for position, file in self._desk.files(after=after, limit=EVERYTHING)
            if file.kind == "835"
        ]
        last = found[-1]["eraid"] if found else str(after)
        first = (page - 1) * ERAS_A_PAGE
        shown = found[::-1][first : first + ERAS_A_PAGE]
        return json_reply(200, {"last_eraid": last, "era": shown})

    def _era(self, id: int) -> Reply:
        found = self._desk.files(after=id - 1, limit=1)
        if not found or found[0][0] != id or found[0][1].kind != "835":
            return _error(200, "There is no such ERA.")
        data = self._desk.file(found[0][1].name) or b""
        return json_reply(200, {"eraid": str(id), "data": data.decode("latin-1")})


def _error(status: int, message: str) -> Reply:
    return json_reply(status, {"error": [{"error_code": str(status), "error_mesg": message}]})


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0


def _fields(request: Request) -> dict[str, tuple[str, bytes]]:
    """The fields of a form, of either encoding: name -> (file name, value)."""
    kind = request.headers.get("content-type", "")
    if not kind.startswith("multipart/form-data"):
        pairs = parse_qs(request.body.decode("utf-8", "replace"))
        return {name: ("", values[-1].encode()) for name, values in pairs.items()}
    found = {}
    whole = BytesParser(policy=HTTP).parsebytes(f"Content-Type: {kind}\r\n\r\n".encode() + request.body)
    for part in whole.iter_parts() if whole.is_multipart() else ():
        name, value = part.get_param("name", header="content-disposition"), part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(value, bytes):
            found[name] = (part.get_filename() or "", value)
    return found


def _row(number: str, status: str, message: str, icn: str, payer: str) -> dict[str, Any]:
    return {
        "pcn": number, "remote_claimid": number, "status": status, "sender_icn": icn, "sender_name": payer,
        "messages": [{"status": status, "message": message, "mesgid": status, "fields": ""}],
    }  # fmt: skip


def _told(data: bytes) -> Iterator[dict[str, Any]]:
    """One row for each claim of a 277CA."""
    try:
        body = read(data).body
    except NotX12:
        return
    payer = next((one.at(3) for one in body if one.tag == "NM1" and one.at(1) == "PR"), "")
    level, row = "", None
    for one in body:
        if one.tag in ("HL", "SE"):
            if row is not None:
                yield row
            level, row = one.at(3), None
        elif level == "PT" and one.tag == "TRN":
            row = _row(one.at(2), "", "", "", payer)
        elif level == "PT" and one.tag == "STC" and row is not None:
            row["status"] = "A" if one.parts(1)[0] in ("A1", "A2") else "R"
            row["messages"][0] |= {"status": row["status"], "message": one.at(12) or one.at(1), "mesgid": one.at(1)}
        elif level == "PT" and one.tag == "REF" and one.at(1) == "1K" and row is not None:
            row["sender_icn"] = one.at(2)
