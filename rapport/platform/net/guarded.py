"""
The guarded client: every address is checked at the moment of connecting, and that one is used.

So a name that answers a public address first and a private one later gains nothing. No redirect
is followed, no proxy of the environment is used, and no call is made inside a transaction.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import httpcore
import httpx
from django.db import connection

from . import lookup
from .addresses import UrlNotAllowed, check_url
from .lookup import BlockedAddress, Resolve

MAX_BODY = 4096
"""Bytes of an answer that are read; the rest is dropped."""


class SendFailed(Exception):
    """There was no answer."""

    def __init__(self, kind: str, *, may_have_arrived: bool) -> None:
        """
        :param kind: `timeout`, `connect`, `tls` or `broken`
        :param may_have_arrived: the request was under way: the other side may have acted on it
        """
        super().__init__(kind)
        self.kind, self.may_have_arrived = kind, may_have_arrived


class InsideTransaction(RuntimeError):
    """A defect: a slow receiver would hold a database lock."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: never the body, which belongs to somebody else."""

    status: int
    retry_after: str | None


@lru_cache(maxsize=1)
def default_tls() -> ssl.SSLContext:
    """Return the trust of this machine; reading its certificates takes longer than most calls."""
    return ssl.create_default_context()


class Deadline:
    """When everything that is under way has to be over; whoever sends again sets it again."""

    def __init__(self, seconds: float) -> None:
        self.set(seconds)

    def set(self, seconds: float) -> None:
        """Begin anew, with so much time from now."""
        self._at = time.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds that are left; not above zero: none."""
        return self._at - time.monotonic()


class _TimedStream(httpcore.NetworkStream):
    """A connection that as a whole ends in time, however slowly single bytes come."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._inner, self._deadline = inner, deadline

    def _left(self, timeout: float | None) -> float:
        left = self._deadline.left()
        if left <= 0:
            raise httpcore.ReadTimeout
        return min(left, timeout) if timeout is not None else left

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._left(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:  # fmt: skip
        inner = self._inner.start_tls(ssl_context, server_hostname, self._left(timeout))
        return _TimedStream(inner, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class CheckedBackend(httpcore.NetworkBackend):
    """Opens connections, to addresses that pass only."""

    def __init__(self, resolve: Resolve, *, local: bool, deadline: Deadline) -> None:
        self._resolve, self._local, self._deadline = resolve, local, deadline
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None,
        local_address: str | None = None, socket_options: Any = None,
    ) -> httpcore.NetworkStream:  # fmt: skip
        left = max(0.0, self._deadline.left())
        try:
            addresses = lookup.addresses(
                host, port, local=self._local, resolve=self._resolve, seconds=min(left, lookup.SECONDS)
            )
        except TimeoutError as error:
            raise httpcore.ConnectTimeout("name lookup") from error
        except OSError as error:
            raise httpcore.ConnectError("no such host") from error
        failure: Exception | None = None
        for address in addresses[:3]:
            try:
                stream = self._inner.connect_tcp(
                    str(address), port, timeout, local_address, socket_options
                )
                return _TimedStream(stream, self._deadline)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure or httpcore.ConnectError("no address")

    def connect_unix_socket(self, *args: Any, **kwargs: Any) -> httpcore.NetworkStream:
        raise BlockedAddress

    def sleep(self, seconds: float) -> None:
        self._inner.sleep(seconds)


def post(
    url: str,
    *,
    body: bytes,
    headers: Mapping[str, str],
    timeout: float = 20.0,
    local: bool = False,
    resolve: Resolve = lookup.system,
    tls: ssl.SSLContext | None = None,
) -> Reply:
    """
    Send a POST and return the status.

    :param timeout: seconds for the whole answer; looking up and connecting have two more
    :param local: also allow this machine's loopback over http (demo and tests)
    :raises UrlNotAllowed: the address is not one that we call
    :raises BlockedAddress: it led to an address that is not public
    :raises SendFailed: no answer
    :raises InsideTransaction: called while a database transaction is open
    """
    if connection.in_atomic_block:
        raise InsideTransaction
    check_url(url, local=local)
    pool = httpcore.ConnectionPool(
        ssl_context=tls or default_tls(),
        network_backend=CheckedBackend(resolve, local=local, deadline=Deadline(timeout + 2)),
        max_connections=1,
        retries=0,
        http2=False,
    )
    target = httpx.URL(url)
    limits = {"connect": 2.0, "read": timeout, "write": timeout, "pool": 2.0}
    try:
        with pool, pool.stream(
            "POST", httpcore.URL(
                scheme=target.raw_scheme, host=target.raw_host, port=target.port, target=target.raw_path
            ),
            headers=[(b"host", target.netloc), *((k.encode(), v.encode()) for k, v in headers.items()),
                     (b"content-length", str(len(body)).encode())],
            content=body,
            extensions={"timeout": limits},
        ) as response:  # fmt: skip
            taken = 0
            for chunk in response.iter_stream():
                taken += len(chunk)
                if taken >= MAX_BODY:
                    break
            found = {name.lower(): value for name, value in response.headers}
            wait = found.get(b"retry-after")
            return Reply(response.status, wait.decode("latin-1") if wait else None)
    except (httpcore.ConnectTimeout, httpcore.PoolTimeout) as error:
        raise SendFailed("connect", may_have_arrived=False) from error
    except httpcore.ConnectError as error:
        kind = "tls" if isinstance(error.__cause__, ssl.SSLError) or isinstance(error.__context__, ssl.SSLError) else "connect"
        raise SendFailed(kind, may_have_arrived=False) from error
    except httpcore.TimeoutException as error:
        raise SendFailed("timeout", may_have_arrived=True) from error
    except (httpcore.NetworkError, httpcore.ProtocolError) as error:
        raise SendFailed("broken", may_have_arrived=True) from error


__all__ = [
    "BlockedAddress", "CheckedBackend", "Deadline", "InsideTransaction", "Reply", "SendFailed", "UrlNotAllowed",
    "check_url", "default_tls", "post",
]  # fmt: skip
