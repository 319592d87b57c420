"""
One way out over HTTP for every clearinghouse that has an API. All the network there is of them is here.

Each call is bounded in time and in how much may be answered, goes to an address that was checked, follows
no redirect and takes no proxy from the environment. What went wrong says whether anything can have left.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

import httpx

from rapport.connectors.clearinghouse_http import mapper
from rapport.connectors.clearinghouse_http.settings import HttpSettings
from rapport.platform.net.checked import BlockedAddress, CheckedTransport
from rapport.platform.net.lookup import Resolve, system
from rapport.rooms.claims.ports import InDoubt, Later, Refused

MAX_REPLY_BYTES = 64 * 1024 * 1024

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply, whole. Header names are lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class _ReplyTooLong(Exception):
    """More bytes came than any answer has."""


# Raised before the request leaves: the other side cannot have seen a byte of the file.
_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
BROKEN = (httpx.HTTPError, httpx.InvalidURL, TimeoutError, BlockedAddress, _ReplyTooLong)
"""Everything a call may raise for what the other side, or the way there, did."""


class Calls:
    """An open line: calls on it share connections."""

    def __init__(self, http: httpx.AsyncClient, settings: HttpSettings) -> None:
        self._http, self._settings = http, settings

    async def call(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        content: bytes | None = None,
        data: Mapping[str, str] | None = None,
        files: Mapping[str, tuple[str, bytes, str]] | None = None,
    ) -> Reply:
        """
        Make one call. Raises what is in `BROKEN`.

        :param url: a path below the account's address, or a whole address
        :param data: fields of a form; with `files`, a form in parts
        """
        async with asyncio.timeout(self._settings.total_seconds):
            request = self._http.stream(
                method, url, headers=dict(headers), content=content,
                data=dict(data) if data else None, files=dict(files) if files else None,
            )  # fmt: skip
            async with request as response:
                body = bytearray()
                async for chunk in response.aiter_bytes():
                    body += chunk
                    if len(body) > MAX_REPLY_BYTES:
                        raise _ReplyTooLong
                found = {name.lower(): value for name, value in response.headers.items()}
                return Reply(response.status_code, found, bytes(body))


class Line:
    """The way to one account."""

    def __init__(self, settings: HttpSettings, *, resolve: Resolve = system) -> None:
        """:param resolve: how names become addresses"""
        self._settings, self._resolve = settings, resolve

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Calls]:
        """Make calls that share connections, and close them."""
        settings = self._settings
        async with httpx.AsyncClient(
            base_url=settings.base_url,
            timeout=httpx.Timeout(settings.total_seconds, connect=settings.connect_seconds),
            follow_redirects=False,
            transport=CheckedTransport(local=settings.is_local, resolve=self._resolve),
        ) as http:
            yield Calls(http, settings)


def answer_of(problem: Exception) -> Refused | Later | InDoubt:
    """What a send that raised one of `BROKEN` is: nothing left, or nobody can tell."""
    if isinstance(problem, BlockedAddress):
        return Refused("address-refused", False, "its name leads to an address that is not public")
    if isinstance(problem, _NEVER_LEFT):
        if _distrusted(problem):
            return Refused("certificate-refused", False, "its certificate is not trusted")
        return Later(mapper.USUAL_WAIT_SECONDS)
    return InDoubt(f"no complete reply ({type(problem).__name__})")


def _distrusted(problem: BaseException | None) -> bool:
    """Whether the connection failed because of who the other side claims to be."""
    while problem is not None:
        if isinstance(problem, ssl.SSLCertVerificationError):
            return True
        problem = problem.__cause__ or problem.__context__
    return False


def finish(work: Coroutine[None, None, T]) -> T:
    """Run to the end on a loop of its own, whether or not the caller is inside one."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(asyncio.run, work).result()
