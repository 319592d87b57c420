"""
The way to a portal over HTTP: only to its hosts, only with the User-Agent of the session.

One transport is made for one call of the port and closed with it. It follows no redirect, takes no
proxy from the environment, checks each address when it connects, and refuses to run inside a
database transaction. What went wrong is `SendFailed`, which says whether the portal may have acted.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote, urlsplit

import httpcore
import httpx
from django.db import connection

from rapport.platform.net import lookup
from rapport.platform.net.guarded import (
    CheckedBackend,
    Deadline,
    InsideTransaction,
    SendFailed,
    UrlNotAllowed,
    check_url,
    default_tls,
)
from rapport.platform.net.lookup import Resolve

CONNECT_SECONDS = 4.0
ANSWER_SECONDS = 30.0
"""For one whole answer, from connecting to its last byte."""
MOST_BYTES = 64 * 1024 * 1024
BASE = "$base"
MEANWHILE = "rapport.meanwhile"
"""Extension of a request: a callable, for what there is to do while the portal makes its answer."""
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class HostNotAllowed(Exception):
    """The definition does not name that host."""


class WrongUserAgent(RuntimeError):
    """A defect: some portals end a session that comes with another browser's name."""


class Hosts:
    """Where calls for one practice may go: what the definition names, `$base` being the practice's own."""

    def __init__(
        self, base_url: str, names: Iterable[str], *, local: bool, here: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        """
        :param base_url: the practice's own address: a host, or a path on a host that others share
        :param local: this machine's loopback may be one of them (demo and tests)
        :param here: name -> `localhost:PORT` that stands for it, where `local` is set
        :raises UrlNotAllowed: the practice's address is not one that we call
        """
        scheme, host, port = check_url(base_url, local=local)
        parts = urlsplit(base_url)
        self.local = local
        self.origin = f"{scheme}://{parts.netloc}"
        self.under = _under(parts.path)
        """Path below which the practice's portal lies, without the slash at its end; empty: it has the host to itself."""
        self.base_url = self.origin + self.under
        stands = here if local else {}
        self._allowed = {
            (host, port) if name == BASE else _host_and_port(stands.get(name, name)) for name in names
        }

    def allows(self, url: str) -> bool:
        """Tell whether a call may go there."""
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
        if parts.scheme not in ("https", "wss") and not (self.local and host in _LOOPBACK):
            return False
        try:
            port = parts.port or (443 if parts.scheme in ("https", "wss") else 80)
        except ValueError:
            return False
        return (host, port) in self._allowed

    def is_base(self, url: str) -> bool:
        """Tell whether a call goes to the practice's own portal, and not to what else lies on its host."""
        return url == self.base_url or url.startswith((f"{self.base_url}/", f"{self.base_url}?"))

    def each(self) -> list[tuple[str, int]]:
        """Return every host and port."""
        return sorted(self._allowed)


def _under(path: str) -> str:
    if any(part in (".", "..") for part in unquote(path).split("/")):
        raise UrlNotAllowed("The path of an address leads nowhere but down.")
    return path.rstrip("/")


def _host_and_port(name: str) -> tuple[str, int]:
    host, _, port = name.lower().partition(":")
    return host, int(port or 443)


class PortalTransport(httpx.BaseTransport):
    """Carries requests of one session."""

    def __init__(
        self, hosts: Hosts, *, user_agent: str, resolve: Resolve = lookup.system,
        tls: ssl.SSLContext | None = None,
    ) -> None:  # fmt: skip
        self._hosts, self._user_agent = hosts, user_agent
        self._deadline = Deadline(ANSWER_SECONDS)
        self._pool = httpcore.ConnectionPool(
            ssl_context=tls or default_tls(),
            network_backend=CheckedBackend(resolve, local=hosts.local, deadline=self._deadline),
            max_connections=2, retries=0, http2=False,
        )  # fmt: skip

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """
        Send, and read the whole answer.

        :raises SendFailed: there is no whole answer
        :raises HostNotAllowed: nothing was sent
        :raises WrongUserAgent: nothing was sent
        :raises InsideTransaction: nothing was sent
        """
        if connection.in_atomic_block:
            raise InsideTransaction
        if not self._hosts.allows(str(request.url)):
            raise HostNotAllowed(request.url.host)
        if request.headers.get("User-Agent") != self._user_agent:
            raise WrongUserAgent
        self._deadline.set(ANSWER_SECONDS)
        url = request.url
        sent = httpcore.Request(
            method=request.method,
            url=httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=request.headers.raw, content=request.read(),
            extensions={"timeout": {"connect": CONNECT_SECONDS, "read": ANSWER_SECONDS,
                                    "write": ANSWER_SECONDS, "pool": CONNECT_SECONDS}} | _once_sent(request),
        )  # fmt: skip
        try:
            return self._answer(self._pool.handle_request(sent), request)
        except (httpcore.ConnectTimeout, httpcore.PoolTimeout) as error:
            raise SendFailed("connect", may_have_arrived=False) from error
        except httpcore.ConnectError as error:
            kind = "tls" if _about_tls(error) else "connect"
            raise SendFailed(kind, may_have_arrived=False) from error
        except httpcore.TimeoutException as error:
            raise SendFailed("timeout", may_have_arrived=True) from error
        except (httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise SendFailed("broken", may_have_arrived=True) from error

    def _answer(self, response: httpcore.Response, request: httpx.Request) -> httpx.Response:
        body = bytearray()
        try:
            for chunk in response.iter_stream():
                body += chunk
                if len(body) > MOST_BYTES:
                    raise SendFailed("too_long", may_have_arrived=True)
        finally:
            response.close()
        return httpx.Response(response.status, headers=response.headers, content=bytes(body), request=request)

    def close(self) -> None:
        """Close every connection."""
        self._pool.close()


def _once_sent(request: httpx.Request) -> dict[str, Any]:
    """What makes the way do what a request has for `MEANWHILE`: when all of it is sent, before the answer is waited for."""
    meanwhile = request.extensions.get(MEANWHILE)
    if meanwhile is None:
        return {}

    def trace(event: str, _: object) -> None:
        if event == "http11.receive_response_headers.started":
            meanwhile()

    return {"trace": trace}


def _about_tls(error: BaseException) -> bool:
    return isinstance(error.__cause__, ssl.SSLError) or isinstance(error.__context__, ssl.SSLError)
