"""Talks to the clearinghouse. All the network there is in this connector is in this file."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import ssl
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import quote

import httpx

from rapport.connectors.clearinghouse_http import mapper
from rapport.connectors.clearinghouse_http.settings import HttpSettings
from rapport.platform.net.checked import BlockedAddress, CheckedTransport
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

MAX_REPLY_BYTES = 64 * 1024 * 1024

log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Reply:
    status: int
    headers: dict[str, str]
    body: bytes


class _ReplyTooLong(Exception):
    """More bytes came than any answer has."""


# Raised before the request leaves: the other side cannot have seen a byte of the file.
_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
# After that nobody can tell, whatever went wrong.
_UNCLEAR = (httpx.HTTPError, httpx.InvalidURL, TimeoutError, BlockedAddress, _ReplyTooLong)


class HttpClearinghouse:
    """Supplies `rapport.rooms.claims.ports.Clearinghouse` over HTTP."""

    def __init__(self, settings: HttpSettings, *, resolve: Resolve = system) -> None:
        """:param resolve: how names become addresses"""
        self._settings, self._resolve = settings, resolve

    def send(self, *, file: bytes, name: str, key: str) -> Sent | Refused | Later | InDoubt:
        """Hand over one 837P file. `name` is not used: here the key tells files apart."""
        return _finish(self._send(file, key))

    def ask(self, *, file: bytes, key: str) -> Answered | Refused | Later | InDoubt:
        """Hand over one question (270, 276) and wait for its answer."""
        return _finish(self._ask(file, key))

    def find(self, *, name: str, key: str, sha256: str) -> Held | NotHeld | InDoubt:
        """Ask by key, and when that is not known by digest, whether a file arrived."""
        return _finish(self._find(key, sha256))

    def list_inbound(self, *, after: str) -> tuple[tuple[InboundFile, ...], str]:
        """The files behind a cursor and the next cursor; a page at a time."""
        return _finish(self._list(after))

    async def _send(self, file: bytes, key: str) -> Sent | Refused | Later | InDoubt:
        digest = hashlib.sha256(file).hexdigest()
        headers = mapper.send_headers(self._settings.api_key, key)
        try:
            async with self._client() as client:
                reply = await self._call(
                    client, "POST", "/v1/interchanges", headers=headers, content=file
                )
        except BlockedAddress:
            return Refused("address-refused", False, "its name leads to an address that is not public")
        except _NEVER_LEFT as problem:
            if _distrusted(problem):
                return Refused("certificate-refused", False, "its certificate is not trusted")
            return Later(mapper.USUAL_WAIT_SECONDS)
        except _UNCLEAR as problem:
            return InDoubt(f"no complete reply ({type(problem).__name__})")
        return mapper.sent_answer(reply.status, reply.headers, reply.body, sha256=digest)

    async def _ask(self, file: bytes, key: str) -> Answered | Refused | Later | InDoubt:
        headers = mapper.send_headers(self._settings.api_key, key) | {"Accept": "application/edi-x12"}
        try:
            async with self._client() as client:
                reply = await self._call(client, "POST", "/v1/realtime", headers=headers, content=file)
        except BlockedAddress:
            return Refused("address-refused", False, "its name leads to an address that is not public")
        except _NEVER_LEFT as problem:
            if _distrusted(problem):
                return Refused("certificate-refused", False, "its certificate is not trusted")
            return Later(mapper.USUAL_WAIT_SECONDS)
        except _UNCLEAR as problem:
            return InDoubt(f"no complete reply ({type(problem).__name__})")
        return mapper.asked_answer(reply.status, reply.headers, reply.body)

    async def _find(self, key: str, sha256: str) -> Held | NotHeld | InDoubt:
        headers = mapper.ask_headers(self._settings.api_key)
        answer: Held | NotHeld | InDoubt = NotHeld()
        try:
            async with self._client() as client:
                for query in (f"key={quote(key, safe='')}", f"sha256={sha256}"):
                    reply = await self._call(
                        client, "GET", f"/v1/interchanges?{query}", headers=headers
                    )
                    answer = mapper.found_answer(reply.status, reply.body, sha256=sha256)
                    if not isinstance(answer, NotHeld):
                        return answer
        except _UNCLEAR as problem:
            return InDoubt(f"the question was not answered ({type(problem).__name__})")
        return answer

    async def _list(self, after: str) -> tuple[tuple[InboundFile, ...], str]:
        headers = mapper.ask_headers(self._settings.api_key)
        query = f"after={quote(after, safe='')}&limit={self._settings.page_size}"
        files: list[InboundFile] = []
        try:
            async with self._client() as client:
                reply = await self._call(client, "GET", f"/v1/files?{query}", headers=headers)
                page = mapper.listed_files(reply.status, reply.headers, reply.body)
                if isinstance(page, mapper.Unreadable):
                    log.warning("clearinghouse list: %s", page.detail)
                    return (), after
                listed, cursor = page
                for one in listed:
                    path = f"/v1/files/{quote(one.name, safe='')}"
                    reply = await self._call(client, "GET", path, headers=headers)
                    whole = hashlib.sha256(reply.body).hexdigest() == one.sha256
                    if reply.status != 200 or not whole:
                        log.warning("clearinghouse file: status %s, whole %s", reply.status, whole)
                        return (), after
                    files.append(InboundFile(one.name, one.kind, reply.body))
        except _UNCLEAR as problem:
            log.warning("clearinghouse list: %s", type(problem).__name__)
            return (), after
        return tuple(files), cursor

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=self._settings.base_url,
            timeout=httpx.Timeout(
                self._settings.total_seconds, connect=self._settings.connect_seconds
            ),
            follow_redirects=False,
            transport=CheckedTransport(local=self._settings.is_local, resolve=self._resolve),
        )

    async def _call(
        self,
        client: httpx.AsyncClient,
        method: str,
        path: str,
        *,
        headers: dict[str, str],
        content: bytes | None = None,
    ) -> _Reply:
        """One call within the total time, with a bound on how much an answer may say."""
        async with asyncio.timeout(self._settings.total_seconds):
            request = client.stream(method, path, headers=headers, content=content)
            async with request as response:
                body = bytearray()
                async for chunk in response.aiter_bytes():
                    body += chunk
                    if len(body) > MAX_REPLY_BYTES:
                        raise _ReplyTooLong
                found = {name.lower(): value for name, value in response.headers.items()}
                return _Reply(response.status_code, found, bytes(body))


def _distrusted(problem: BaseException | None) -> bool:
    """Whether the connection failed because of who the other side claims to be."""
    while problem is not None:
        if isinstance(problem, ssl.SSLCertVerificationError):
            return True
        problem = problem.__cause__ or problem.__context__
    return False


def _finish(work: Coroutine[None, None, T]) -> T:
    """Run to the end on a loop of its own, whether or not the caller is inside one."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(asyncio.run, work).result()
