"""httpx for connectors, with each address checked at the moment of connecting, as `guarded` does."""

from __future__ import annotations

import asyncio
import ssl
from functools import lru_cache
from typing import Any

import httpcore
import httpx

from . import lookup
from .lookup import BlockedAddress


class _CheckedBackend(httpcore.AsyncNetworkBackend):
    """Opens connections, to addresses that pass only."""

    def __init__(self, resolve: lookup.Resolve, *, local: bool) -> None:
        self._resolve, self._local = resolve, local
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self, host: str, port: int, timeout: float | None = None,
        local_address: str | None = None, socket_options: Any = None,
    ) -> httpcore.AsyncNetworkStream:  # fmt: skip
        def where() -> list[Any]:
            return list(lookup.addresses(host, port, local=self._local, resolve=self._resolve))

        try:
            found = await asyncio.to_thread(where)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout("name lookup") from error
        except OSError as error:
            raise httpcore.ConnectError("no such host") from error
        failure: Exception | None = None
        for address in found[:3]:
            try:
                return await self._inner.connect_tcp(
                    str(address), port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure or httpcore.ConnectError("no address")

    async def connect_unix_socket(self, *args: Any, **kwargs: Any) -> httpcore.AsyncNetworkStream:
        raise BlockedAddress

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)


@lru_cache(maxsize=1)
def _trust() -> ssl.SSLContext:
    """Whom connectors trust; reading the certificates takes 28 ms of CPU, more than most calls."""
    return httpx.create_ssl_context(trust_env=False)


class CheckedTransport(httpx.AsyncHTTPTransport):
    """
    What an `httpx.AsyncClient` of a connector goes out through.

    A name that leads anywhere but to public addresses raises `BlockedAddress`, before a byte
    leaves; the connection is made to the address that was checked.
    """

    def __init__(self, *, local: bool, resolve: lookup.Resolve = lookup.system) -> None:
        """:param local: also allow this machine's loopback"""
        super().__init__(verify=_trust(), trust_env=False)
        # httpx has no parameter for the part that connects. A test sees it when this name changes.
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=_trust(),
            network_backend=_CheckedBackend(resolve, local=local),
            max_connections=4,
        )


__all__ = ["BlockedAddress", "CheckedTransport"]
