"""The HTTP side: a small HTTP/1.1 server, so that a reply can also be lost on purpose."""

from __future__ import annotations

import asyncio
import hmac
import json
import socket
import struct
from dataclasses import asdict
from http import HTTPStatus
from urllib.parse import parse_qs, unquote, urlsplit

from rapport.sandbox.payer.desk import Desk, KeyReused, NotAnInterchange
from rapport.sandbox.payer.form_door import FormDoor
from rapport.sandbox.payer.json_door import JsonDoor
from rapport.sandbox.payer.messages import Reply, Request, json_reply, problem, trouble
from rapport.sandbox.payer.script import BadScript, add_script, next_fault

MAX_HEAD = 32 * 1024
MAX_BODY = 32 * 1024 * 1024
MAX_FILES = 200


class _Unreadable(Exception):
    """The request cannot be read as HTTP; the reply says why."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.reply = problem(status, "unreadable-request", detail)


class Web:
    """Serves one desk over HTTP on the loopback interface."""

    def __init__(self, desk: Desk, *, api_key: str) -> None:
        self._desk = desk
        self._key = f"Bearer {api_key}".encode()
        self._json_door = JsonDoor(desk, api_key=api_key)
        self._form_door = FormDoor(desk, account_key=api_key)

    async def listen(self, port: int) -> asyncio.Server:
        """Start serving; port 0 takes a free one."""
        return await asyncio.start_server(self._serve, "127.0.0.1", port, limit=MAX_HEAD)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                try:
                    request = await _read(reader)
                except _Unreadable as unreadable:
                    await _send(writer, unreadable.reply, close=True)
                    break
                if request is None:
                    break
                reply = await self._answer(request)
                if reply.lost:
                    _reset(writer)
                    break
                close = request.headers.get("connection", "").lower() == "close"
                await _send(writer, reply, close=close)
                self._desk.work()
                if close:
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            # The caller went away in the middle: nothing of a half request was taken in.
            return
        finally:
            writer.close()

    async def _answer(self, request: Request) -> Reply:
        if request.path == "/healthz":
            return json_reply(200, {"status": "ok"})
        if self._json_door.has(request.path):
            return await self._json_door.answer(request)
        if self._form_door.has(request.path):
            return await self._form_door.answer(request)
        given = request.headers.get("authorization", "").encode("latin-1")
        if not hmac.compare_digest(given, self._key):
            return problem(401, "unauthorised", "A valid API key is needed.")
        match request.method, request.path:
            case "POST", "/v1/interchanges":
                return await self._take(request)
            case "POST", "/v1/realtime":
                return await self._ask(request)
            case "GET", "/v1/interchanges":
                wanted = {k: request.query.get(k, "") for k in ("key", "sha256", "isa13")}
                if not any(wanted.values()):
                    return problem(400, "bad-query", "Ask by key, sha256 or isa13.")
                return json_reply(200, {"data": self._desk.held(**wanted)})
            case "GET", "/v1/files":
                return self._files(request.query)
            case "GET", path if path.startswith("/v1/files/"):
                data = self._desk.file(unquote(path.removeprefix("/v1/files/")))
                if data is None:
                    return problem(404, "no-such-file", "There is no file of that name.")
                return Reply(200, data, "application/edi-x12")
            case "POST", "/_sandbox/script":
                return self._script(request.body)
            case "POST", "/_sandbox/advance":
                return json_reply(200, {"released": self._desk.advance()})
            case "GET", "/_sandbox/accepted":
                return json_reply(200, self._desk.accepted())
            case _:
                return problem(404, "no-such-path", "There is nothing at that path.")

    async def _take(self, request: Request) -> Reply:
        fault = next_fault(self._desk.store)
        if fault is not None and fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
        if fault is not None and not fault.accept:
            return trouble(fault)
        taken = self._desk.receive(
            request.body, channel="http", key=request.headers.get("idempotency-key")
        )
        if fault is not None and fault.kind != "slow":
            return trouble(fault)
        match taken:
            case KeyReused():
                return problem(422, "key-reused", "This key came before with other bytes.")
            case NotAnInterchange(reason):
                return problem(400, "not-an-interchange", reason)
            case _:
                return json_reply(202, asdict(taken))

    async def _ask(self, request: Request) -> Reply:
        """One inquiry, answered while the caller waits."""
        fault = next_fault(self._desk.store)
        if fault is not None and fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
        elif fault is not None:
            return trouble(fault)
        match self._desk.ask(request.body):
            case None:
                return Reply(200, lost=True)
            case NotAnInterchange(reason):
                return problem(400, "not-an-interchange", reason)
            case answer:
                return Reply(200, answer, "application/edi-x12")

    def _files(self, query: dict[str, str]) -> Reply:
        after, limit = query.get("after", "") or "0", query.get("limit", "") or "50"
        if not (after.isascii() and after.isdigit() and limit.isascii() and limit.isdigit()):
            return problem(400, "bad-query", "after is a cursor, limit a number.")
        found = self._desk.files(after=int(after), limit=min(max(int(limit), 1), MAX_FILES))
        cursor = str(found[-1][0]) if found else after
        return json_reply(200, {"data": [asdict(one) for _, one in found], "next_cursor": cursor})

    def _script(self, body: bytes) -> Reply:
        try:
            wanted = json.loads(body)
            waiting = add_script(self._desk.store, wanted.get("next"))
        except (ValueError, AttributeError, BadScript) as bad:
            return problem(400, "bad-script", str(bad))
        return json_reply(200, {"waiting": waiting})


async def _read(reader: asyncio.StreamReader) -> Request | None:
    """The next request of a connection, or None when there is none any more."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    except asyncio.LimitOverrunError:
        raise _Unreadable(431, "The head is too long.") from None
    first, *rest = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    words = first.split(" ")
    if len(words) != 3:
        raise _Unreadable(400, "The request line cannot be read.")
    headers = {
        name.strip().lower(): value.strip()
        for name, _, value in (row.partition(":") for row in rest)
    }
    if "transfer-encoding" in headers:
        raise _Unreadable(411, "Send a Content-Length.")
    length = headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit()):
        raise _Unreadable(400, "Content-Length is not a number.")
    if int(length) > MAX_BODY:
        raise _Unreadable(413, "The file is too big.")
    body = await reader.readexactly(int(length))
    target = urlsplit(words[1])
    query = {name: values[-1] for name, values in parse_qs(target.query).items()}
    return Request(words[0], target.path, query, headers, body)


async def _send(writer: asyncio.StreamWriter, reply: Reply, *, close: bool) -> None:
    headers = {
        "Content-Type": reply.content_type,
        "Content-Length": str(len(reply.body)),
        "Connection": "close" if close else "keep-alive",
        **reply.headers,
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    status = f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}\r\n"
    writer.write(f"{status}{head}\r\n".encode("latin-1") + reply.body)
    await writer.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Cut the connection so that the caller sees it break, not end."""
    sock = writer.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
