"""Talks to QuickBooks Online. All the network there is in this connector is in this file."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date

import httpx

from rapport.connectors.quickbooks import mapper
from rapport.connectors.quickbooks.settings import QuickBooksSettings
from rapport.platform.net.checked import BlockedAddress, CheckedTransport
from rapport.rooms.accounting.ports import (
    Account,
    InDoubt,
    Kept,
    Later,
    Line,
    NotThere,
    Refused,
    SignedOut,
    Tokens,
)

MAX_REPLY_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Reply:
    status: int
    headers: dict[str, str]
    body: bytes


class _ReplyTooLong(Exception):
    """More bytes came than any answer has."""


class _NeverLeft(Exception):
    """The other side cannot have seen a byte."""


class _Unclear(Exception):
    """Nobody can tell what the other side did."""


_BEFORE = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, BlockedAddress)
_AFTER = (httpx.HTTPError, httpx.InvalidURL, TimeoutError, _ReplyTooLong)


class QuickBooks:
    """Supplies `rapport.rooms.accounting.ports.Books`."""

    def __init__(self, settings: QuickBooksSettings) -> None:
        """:param settings: the installation's key, and addresses"""
        self._settings = settings

    def authorize_url(self, *, state: str) -> str:
        """Return where a person allows us in."""
        return mapper.authorize_url(self._settings, state=state)

    def exchange(self, *, code: str) -> Tokens | Refused | Later:
        """Turn a code into tokens."""
        return self._tokens(mapper.code_body(self._settings, code=code))

    def renew(self, *, renewal: str) -> Tokens | Refused | Later:
        """Get new tokens. A lost answer is asked for again: the old token for renewal works for a while."""
        return self._tokens(mapper.renewal_body(renewal=renewal))

    def accounts(self, *, access: str, company: str) -> tuple[Account, ...] | Refused | Later | SignedOut:
        """Read the accounts of the books."""
        path = mapper.query_path(company, mapper.ACCOUNTS_QUERY)
        try:
            reply = self._call("GET", self._settings.api_url + path, mapper.api_headers(access))
        except (_NeverLeft, _Unclear):
            return Later(mapper.USUAL_WAIT_SECONDS)
        return mapper.accounts_answer(reply.status, reply.headers, reply.body)

    def post(
        self, *, access: str, company: str, key: str, number: str, on: date, lines: Sequence[Line]
    ) -> Kept | Refused | Later | InDoubt | SignedOut:
        """Keep an entry, once for each key."""
        body = mapper.entry_body(number=number, on=on, lines=lines)
        path = mapper.entry_path(company, key)
        try:
            reply = self._call("POST", self._settings.api_url + path, mapper.api_headers(access), body)
        except _NeverLeft:
            return Later(mapper.USUAL_WAIT_SECONDS)
        except _Unclear as problem:
            return InDoubt(f"no complete reply ({problem})")
        return mapper.entry_answer(reply.status, reply.headers, reply.body)

    def find(self, *, access: str, company: str, number: str) -> Kept | NotThere | Later | InDoubt | SignedOut:
        """Look for an entry by its number."""
        path = mapper.query_path(company, mapper.entry_query(number))
        try:
            reply = self._call("GET", self._settings.api_url + path, mapper.api_headers(access))
        except (_NeverLeft, _Unclear) as problem:
            return InDoubt(f"the question was not answered ({problem})")
        return mapper.found_answer(reply.status, reply.headers, reply.body)

    def _tokens(self, body: bytes) -> Tokens | Refused | Later:
        headers = mapper.token_headers(self._settings)
        try:
            reply = self._call("POST", self._settings.token_url, headers, body)
        except (_NeverLeft, _Unclear):
            return Later(mapper.USUAL_WAIT_SECONDS)
        return mapper.tokens_answer(reply.status, reply.headers, reply.body)

    def _call(self, method: str, url: str, headers: dict[str, str], body: bytes | None = None) -> _Reply:
        """Make one call on a loop of its own. :raises _NeverLeft: or _Unclear: there is no answer"""
        try:
            with ThreadPoolExecutor(max_workers=1) as pool:
                return pool.submit(asyncio.run, self._speak(method, url, headers, body)).result()
        except _BEFORE as error:
            raise _NeverLeft(type(error).__name__) from error
        except _AFTER as error:
            raise _Unclear(type(error).__name__) from error

    async def _speak(self, method: str, url: str, headers: dict[str, str], body: bytes | None) -> _Reply:
        settings = self._settings
        async with asyncio.timeout(settings.total_seconds), httpx.AsyncClient(
            timeout=httpx.Timeout(settings.total_seconds, connect=settings.connect_seconds),
            follow_redirects=False, transport=CheckedTransport(local=settings.is_local),
        ) as client, client.stream(method, url, headers=headers, content=body) as response:  # fmt: skip
            data = bytearray()
            async for chunk in response.aiter_bytes():
                data += chunk
                if len(data) > MAX_REPLY_BYTES:
                    raise _ReplyTooLong
            found = {name.lower(): value for name, value in response.headers.items()}
            return _Reply(response.status_code, found, bytes(data))
