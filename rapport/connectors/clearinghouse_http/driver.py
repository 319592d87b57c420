"""Talks to the clearinghouse, by `wire`."""

from __future__ import annotations

import hashlib
import logging
from urllib.parse import quote

from rapport.connectors.clearinghouse_http import mapper, wire
from rapport.connectors.clearinghouse_http.settings import HttpSettings
from rapport.platform.net.lookup import Resolve, system
from rapport.rooms.claims.ports import (
    Answered,
    Held,
    InboundFile,
    InDoubt,
    Later,
    NotHeld,
    Refused,
    Sent,
)

log = logging.getLogger(__name__)


class HttpClearinghouse:
    """Supplies `rapport.rooms.claims.ports.Clearinghouse` over HTTP."""

    def __init__(self, settings: HttpSettings, *, resolve: Resolve = system) -> None:
        """:param resolve: how names become addresses"""
        self._settings = settings
        self._line = wire.Line(settings, resolve=resolve)

    def send(self, *, file: bytes, name: str, key: str) -> Sent | Refused | Later | InDoubt:
        """Hand over one 837P file. `name` is not used: here the key tells files apart."""
        return wire.finish(self._send(file, key))

    def ask(self, *, file: bytes, key: str) -> Answered | Refused | Later | InDoubt:
        """Hand over one question (270, 276) and wait for its answer."""
        return wire.finish(self._ask(file, key))

    def find(self, *, name: str, key: str, sha256: str) -> Held | NotHeld | InDoubt:
        """Ask by key, and when that is not known by digest, whether a file arrived."""
        return wire.finish(self._find(key, sha256))

    def list_inbound(self, *, after: str) -> tuple[tuple[InboundFile, ...], str]:
        """The files behind a cursor and the next cursor; a page at a time."""
        return wire.finish(self._list(after))

    async def _send(self, file: bytes, key: str) -> Sent | Refused | Later | InDoubt:
        digest = hashlib.sha256(file).hexdigest()
        headers = mapper.send_headers(self._settings.api_key, key)
        try:
            async with self._line.open() as line:
                reply = await line.call("POST", "/v1/interchanges", headers=headers, content=file)
        except wire.BROKEN as problem:
            return wire.answer_of(problem)
        return mapper.sent_answer(reply.status, reply.headers, reply.body, sha256=digest)

    async def _ask(self, file: bytes, key: str) -> Answered | Refused | Later | InDoubt:
        headers = mapper.send_headers(self._settings.api_key, key) | {"Accept": "application/edi-x12"}
        try:
            async with self._line.open() as line:
                reply = await line.call("POST", "/v1/realtime", headers=headers, content=file)
        except wire.BROKEN as problem:
            return wire.answer_of(problem)
        return mapper.asked_answer(reply.status, reply.headers, reply.body)

    async def _find(self, key: str, sha256: str) -> Held | NotHeld | InDoubt:
        headers = mapper.ask_headers(self._settings.api_key)
        answer: Held | NotHeld | InDoubt = NotHeld()
        try:
            async with self._line.open() as line:
                for query in (f"key={quote(key, safe='')}", f"sha256={sha256}"):
                    reply = await line.call("GET", f"/v1/interchanges?{query}", headers=headers)
                    answer = mapper.found_answer(reply.status, reply.body, sha256=sha256)
                    if not isinstance(answer, NotHeld):
                        return answer
        except wire.BROKEN as problem:
            return InDoubt(f"the question was not answered ({type(problem).__name__})")
        return answer

    async def _list(self, after: str) -> tuple[tuple[InboundFile, ...], str]:
        headers = mapper.ask_headers(self._settings.api_key)
        query = f"after={quote(after, safe='')}&limit={self._settings.page_size}"
        files: list[InboundFile] = []
        try:
            async with self._line.open() as line:
                reply = await line.call("GET", f"/v1/files?{query}", headers=headers)
                page = mapper.listed_files(reply.status, reply.headers, reply.body)
                if isinstance(page, mapper.Unreadable):
                    log.warning("clearinghouse list: %s", page.detail)
                    return (), after
                listed, cursor = page
                for one in listed:
                    path = f"/v1/files/{quote(one.name, safe='')}"
                    reply = await line.call("GET", path, headers=headers)
                    whole = hashlib.sha256(reply.body).hexdigest() == one.sha256
                    if reply.status != 200 or not whole:
                        log.warning("clearinghouse file: status %s, whole %s", reply.status, whole)
                        return (), after
                    files.append(InboundFile(one.name, one.kind, reply.body))
        except wire.BROKEN as problem:
            log.warning("clearinghouse list: %s", type(problem).__name__)
            return (), after
        return tuple(files), cursor
