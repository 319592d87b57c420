"""
The JSON door: raw X12 inside JSON, in the shape of Stedi's public API reference.

POST …/professionalclaims/v3/raw-x12-submission with an Idempotency-Key, questions (270, 276) answered at once, polling with page tokens,
answers fetched by a redirect to a URL that carries its own signature. It has never seen the service.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import secrets
from collections.abc import Iterator
from typing import Any

from rapport.sandbox.payer.desk import Desk, KeyReused, NotAnInterchange
from rapport.sandbox.payer.messages import Reply, Request, json_reply, trouble
from rapport.sandbox.payer.script import next_fault
from rapport.sandbox.payer.x12 import Segment, read

CLAIMS = "/2024-04-01/change/medicalnetwork/professionalclaims/v3/raw-x12-submission"
QUESTIONS = (
    "/2024-04-01/change/medicalnetwork/eligibility/v3/raw-x12",
    "/2024-04-01/change/medicalnetwork/claimstatus/v2/raw-x12",
)
CORE = "/2023-08-01"
DOWNLOADS = "/downloads/"
SETS = {"999": "999", "277CA": "277", "277": "277", "835": "835"}
"""Kind of an answer -> its transaction set. A TA1 is none, and is not shown."""


class JsonDoor:
    """Answers what begins with a dated version, and the downloads."""

    def __init__(self, desk: Desk, *, api_key: str) -> None:
        self._desk = desk
        self._key = api_key.encode()
        self._salt = secrets.token_bytes(16)
        self._at_work: set[str] = set()

    def has(self, path: str) -> bool:
        """Whether a path is behind this door."""
        return path in (CLAIMS, *QUESTIONS) or path.startswith((f"{CORE}/", DOWNLOADS))

    async def answer(self, request: Request) -> Reply:
        """Answer one call."""
        given = request.headers.get("authorization", "").encode("latin-1")
        if request.path.startswith(DOWNLOADS):
            return self._download(request, given)
        if not hmac.compare_digest(given, self._key):
            return _error(401, "unauthorized", "The API key is not valid.")
        match request.method, request.path.removeprefix(CORE).split("/")[1:]:
            case "POST", _ if request.path == CLAIMS:
                return await self._submit(request)
            case "POST", _ if request.path in QUESTIONS:
                return await self._ask(request.body)
            case "GET", ["polling", "transactions"]:
                return self._poll(request.query)
            case "GET", ["transactions"]:
                return self._sent(request.query)
            case "GET", ["executions", execution, "input"]:
                return self._redirect(execution, request.headers.get("host", ""))
            case _:
                return _error(404, "not_found", "There is nothing at that path.")

    async def _submit(self, request: Request) -> Reply:
        key = request.headers.get("idempotency-key")
        if key in self._at_work:
            reply = _error(409, "conflict", "A call with this key is still at work.")
            reply.headers["Retry-After"] = "1"
            return reply
        self._at_work |= {key} if key else set()
        try:
            return await self._take(request, key)
        finally:
            self._at_work.discard(key or "")

    async def _take(self, request: Request, key: str | None) -> Reply:
        fault = next_fault(self._desk.store)
        if fault is not None and fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
        if fault is not None and not fault.accept:
            return trouble(fault)
        try:
            x12 = json.loads(request.body)["x12"].encode("latin-1")
        except (ValueError, KeyError, TypeError, AttributeError):
            return _error(400, "validation_error", "x12 is missing.")
        taken = self._desk.receive(x12, channel="json", key=key)
        if fault is not None and fault.kind != "slow":
            return trouble(fault)
        match taken:
            case KeyReused():
                return _error(422, "unprocessable_entity", "This key came with another body.")
            case NotAnInterchange(reason):
                return _error(400, "validation_error", reason)
            case _:
                return json_reply(200, _receipt(taken.id, taken.received_at, x12))

    async def _ask(self, body: bytes) -> Reply:
        """A question, answered while the caller waits. There is no key: asked again, it is another."""
        fault = next_fault(self._desk.store)
        if fault is not None and fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
        elif fault is not None:
            return trouble(fault)
        try:
            x12 = json.loads(body)["x12"].encode("latin-1")
        except (ValueError, KeyError, TypeError, AttributeError):
            return _error(400, "validation_error", "x12 is missing.")
        match self._desk.ask(x12):
            case None:
                return Reply(200, lost=True)
            case NotAnInterchange(reason):
                return _error(400, "validation_error", reason)
            case answer:
                number = read(answer).control_number
                meta = {"traceId": secrets.token_hex(8)}
                return json_reply(200, {"controlNumber": number, "meta": meta, "x12": answer.decode("latin-1")})

    def _poll(self, query: dict[str, str]) -> Reply:
        token, start = query.get("pageToken", ""), query.get("startDateTime", "")
        if not token and not start:
            return _error(400, "validation_error", "startDateTime or pageToken is needed.")
        after = int(token.removeprefix("after-"), 16) if token else 0
        size = min(max(int(query.get("pageSize", "") or "100"), 1), 1000)
        found = self._desk.files(after=after, limit=size)
        if not token:
            # As documented: exclusive, which is why a token and no time is to be kept.
            found = [one for one in found if one[1].created_at > start]
        items = [
            {
                "direction": "INBOUND", "mode": "test", "status": "succeeded",
                "fileExecutionId": f"execution-{position}", "transactionId": f"transaction-{position}",
                "processedAt": file.created_at,
                "artifacts": [{"artifactType": "application/edi-x12", "sizeBytes": file.bytes, "usage": "input"}],
                "x12": {"metadata": {"transaction": {"transactionSetIdentifier": SETS[file.kind]}}},
            }
            for position, file in found
            if file.kind in SETS
        ]  # fmt: skip
        last = found[-1][0] if found else after
        return json_reply(200, {"items": items, "nextPageToken": f"after-{last:x}"})

    def _sent(self, query: dict[str, str]) -> Reply:
        """The claims handed in under a reference (BHT03)."""
        wanted = query.get("businessIdentifier", "")
        items = [
            {
                "direction": "OUTBOUND", "mode": "test", "status": "succeeded",
                "transactionId": row["id"], "processedAt": row["received_at"],
                "businessIdentifiers": [{"elementId": "127", "element": "BHT-03", "value": wanted}],
                "x12": {"metadata": {"transaction": {"transactionSetIdentifier": "837"}}},
            }
            for row, data in self._desk.handed_in(channel="json")
            if wanted and wanted in {one.at(3) for one in _segments(data, "BHT")}
        ]  # fmt: skip
        return json_reply(200, {"items": items})

    def _signature(self, name: str) -> str:
        return hmac.new(self._salt, name.encode(), hashlib.sha256).hexdigest()

    def _redirect(self, execution: str, host: str) -> Reply:
        position = execution.removeprefix("execution-")
        found = self._desk.files(after=int(position) - 1, limit=1) if position.isdigit() else []
        if not found or str(found[0][0]) != position:
            return _error(404, "not_found", "There is no such execution.")
        name = found[0][1].name
        url = f"http://{host}{DOWNLOADS}{name}?signature={self._signature(name)}"
        reply = json_reply(302, {"documentDownloadUrl": url})
        reply.headers["Location"] = url
        return reply

    def _download(self, request: Request, given: bytes) -> Reply:
        name = request.path.removeprefix(DOWNLOADS)
        if given or not hmac.compare_digest(self._signature(name), request.query.get("signature", "")):
            return _error(400, "invalid_request", "The URL's own signature is the only one.")
        data = self._desk.file(name)
        return _error(404, "not_found", "Gone.") if data is None else Reply(200, data, "application/edi-x12")


def _error(status: int, code: str, message: str) -> Reply:
    return json_reply(status, {"error": code, "message": message})


def _segments(data: bytes, tag: str) -> Iterator[Segment]:
    return (one for one in read(data).body if one.tag == tag)


def _receipt(id: str, at: str, data: bytes) -> dict[str, Any]:
    claim = next(_segments(data, "CLM"), None)
    return {
        "status": "SUCCESS",
        "controlNumber": read(data).control_number,
        "claimReference": {
            "correlationId": id, "rhclaimNumber": id, "timeOfResponse": at, "formatVersion": "5010",
            "patientControlNumber": claim.at(1) if claim else "",
        },
        "httpStatusCode": "200 OK",
        "meta": {"traceId": id},
    }  # fmt: skip
