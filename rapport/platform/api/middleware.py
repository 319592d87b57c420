"""The one middleware: ids, headers, the end of each transaction, and problems instead of pages."""

from __future__ import annotations

import ipaddress
import logging
import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import DisallowedHost, RequestDataTooBig
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse
from django.http.request import UnreadablePostError

from rapport.kernel.problems import (
    AuditUnavailable,
    BadRequest,
    Internal,
    MethodNotAllowed,
    NotFound,
    Problem,
    StorageFull,
    TooLarge,
    Unavailable,
)
from rapport.platform.access.scope import Source
from rapport.platform.db import errors
from rapport.platform.telemetry import metrics

from .edge import Edge, new_request_id
from .problems import as_response

logger = logging.getLogger(__name__)

API_VERSION = "2026-12-01"
_TRIES = 3
_TRUSTED = [ipaddress.ip_network(network) for network in settings.RAPPORT.trusted_proxies]

_PAGE_POLICY = (
    "default-src 'self'; img-src 'self' data:; style-src 'self'; script-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)


_API_POLICY = "default-src 'none'; frame-ancestors 'none'"
_HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
if settings.RAPPORT.mode == "production":
    _HEADERS["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
API_HEADERS = [
    *_HEADERS.items(), ("Api-Version", API_VERSION), ("Content-Security-Policy", _API_POLICY)
]  # fmt: skip
"""What every answer of the API carries."""


def source_of(environ: Mapping[str, Any], request_id: UUID) -> Source:
    """Return where a request came from, by its WSGI environ."""
    agent = str(environ.get("HTTP_USER_AGENT", ""))[:200].encode("ascii", "backslashreplace").decode()
    if not agent.isprintable():
        agent = "".join(c if c.isprintable() else " " for c in agent)
    return Source(ip=_ip(environ), user_agent=agent[:200], request_id=request_id)


def note_request(request_id: str, method: str, route: str, status: int, started: float) -> None:
    """
    Count an answered request and log it, without anything of what it said.

    :param started: `time.perf_counter()` when its first byte was read
    """
    seconds = time.perf_counter() - started
    metrics.observe_request(route, method, status, seconds)
    logger.info(
        "request",
        extra={
            "request_id": request_id, "method": method, "route": route, "status": status,
            "ms": round(seconds * 1000, 1),
        },
    )  # fmt: skip


@lru_cache(maxsize=4096)
def _peer(address: str) -> str:
    try:
        return str(ipaddress.ip_address(address or "127.0.0.1"))
    except ValueError:
        return "127.0.0.1"


def _ip(environ: Mapping[str, Any]) -> str:
    """Return the caller's address; a forwarding header counts only from a trusted proxy."""
    address = str(environ.get("REMOTE_ADDR", ""))
    if not _TRUSTED:
        return _peer(address)
    address = address or "127.0.0.1"
    try:
        peer = ipaddress.ip_address(address)
    except ValueError:
        return "127.0.0.1"
    if any(peer in network for network in _TRUSTED):
        for hop in reversed(str(environ.get("HTTP_X_FORWARDED_FOR", "")).split(",")):
            try:
                candidate = ipaddress.ip_address(hop.strip())
            except ValueError:
                break
            if not any(candidate in network for network in _TRUSTED):
                return str(candidate)
    return str(peer)


class Floor:
    """Wraps every request. See `Edge` for what happens inside."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        id, text = new_request_id()
        edge = Edge(request=request, source=source_of(request.META, id), request_id=text)
        request.edge = edge  # type: ignore[attr-defined]
        response = self._answer(request, edge)
        self._dress(request, response, edge)
        note_request(text, request.method or "", edge.route, response.status_code, edge.started)
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse:
        """
        Keep what a view raised. Django would make a page of it and go on as if all were well.

        The answer is a placeholder: `_answer` raises the failure again, rolls back and refuses.
        """
        edge: Edge = request.edge  # type: ignore[attr-defined]
        edge.failure = error
        return HttpResponse(status=500)

    def _answer(self, request: HttpRequest, edge: Edge) -> HttpResponse:
        try:
            request.get_host()
        except DisallowedHost:
            return as_response(BadRequest("The Host header is not one of ours."), edge.request_id)
        for attempt in range(1, _TRIES + 1):
            try:
                response = self.get_response(request)
                if edge.failure is not None:
                    raise edge.failure
                if edge.problem is None or edge.problem.keeps_work:
                    edge.commit(response, edge.problem)
                    return self._afterwards(edge) or response
                problem: Problem = edge.problem
            except Exception as error:  # noqa: BLE001 - the last place before the outside
                problem = self._problem_of(error, edge)
                if problem.data.pop("_again", False) and attempt < _TRIES:
                    edge.roll_back(error)
                    edge.reset()
                    continue
                edge.roll_back(error)
            break
        edge.roll_back(problem)
        return self._refuse(problem, edge)

    def _afterwards(self, edge: Edge) -> HttpResponse | None:
        """Do what waits for the commit. What goes wrong there does not undo what is committed."""
        if edge.afterwards is None:
            return None
        try:
            return edge.afterwards()
        except Problem as problem:
            return as_response(problem, edge.request_id)
        except Exception:
            logger.exception("after the commit", extra={"request_id": edge.request_id})
            return None

    def _refuse(self, problem: Problem, edge: Edge) -> HttpResponse:
        response = as_response(problem, edge.request_id)
        if isinstance(problem, AuditUnavailable):
            return response  # to note it would wait for the same trail again
        try:
            edge.refuse(problem, response)
        except Exception as error:
            if not errors.is_outage(error):
                logger.exception("refusal not noted", extra={"request_id": edge.request_id})
            connection.close()
            if problem.status < 500:
                return as_response(Unavailable(headers={"Retry-After": "5"}), edge.request_id)
        return response

    def _problem_of(self, error: Exception, edge: Edge) -> Problem:
        """Turn whatever was raised into a problem that says nothing of our insides."""
        if isinstance(error, Problem):
            return error
        if isinstance(error, Http404):
            return NotFound(reason="no_route")
        if isinstance(error, RequestDataTooBig | UnreadablePostError):
            return TooLarge()
        if errors.asks_for_retry(error):
            return Unavailable(headers={"Retry-After": "1"}, _again=True)
        if errors.is_disk_full(error):
            return StorageFull(headers={"Retry-After": "30"})
        if errors.is_outage(error):
            connection.close()
            logger.warning("database away", extra={"request_id": edge.request_id})
            return Unavailable(headers={"Retry-After": "2"})
        logger.exception("unexpected", extra={"request_id": edge.request_id})
        return Internal()

    def _dress(self, request: HttpRequest, response: HttpResponse, edge: Edge) -> None:
        """Put on the headers that every answer carries."""
        is_api = request.path.startswith("/v1/")
        if is_api and "json" not in response.get("Content-Type", "") and response.status_code in (404, 405):
            # Django's own page for an unknown address or method.
            problem: Problem = NotFound(reason="no_route")
            if response.status_code == 405:
                problem = MethodNotAllowed(headers={"Allow": response.get("Allow", "")})
            plain = as_response(problem, edge.request_id)
            response.content = plain.content
            response["Content-Type"] = plain["Content-Type"]
        headers = response.headers
        headers["Request-Id"] = edge.request_id
        for name, value in _HEADERS.items():
            headers.setdefault(name, value)
        if is_api:
            headers["Api-Version"] = API_VERSION
            headers["Content-Security-Policy"] = _API_POLICY
        else:
            headers.setdefault("Content-Security-Policy", _PAGE_POLICY)
        for name, value in edge.headers.items():
            headers.setdefault(name, value)
        client_id = request.headers.get("Client-Request-Id", "")
        if client_id and len(client_id) <= 64 and client_id.replace("-", "").replace("_", "").isalnum():
            headers["Client-Request-Id"] = client_id
