"""
The door before the application: what a lane can answer it answers; all else goes on to the views.

Same rules as behind it, from the same functions: host, token, quota, headers, log and figures.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

import psycopg
from django.conf import settings
from django.db import DatabaseError, connection
from django.http.request import split_domain_port, validate_host
from psycopg import errors as pg

from rapport.kernel.ids import new_uuid, parse_type_id
from rapport.kernel.problems import Problem
from rapport.platform.access.scope import Scope, Source
from rapport.platform.crypto import aead
from rapport.platform.db.errors import sqlstate

from .edge import new_request_id
from .gate import known_caller, limiter, zone
from .lanes import LANES, WHO, Lane
from .limits import WEIGHTS
from .lists import page_size, shape_of
from .middleware import API_HEADERS, note_request, source_of
from .shapes import Answer, encoder

logger = logging.getLogger(__name__)

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

SPENT = "rapport.spent"
"""Where in the environ it stands what a lane has already counted for this call; no header of a
caller can come to stand there."""
_ASIDE = ("HTTP_IF_NONE_MATCH", "HTTP_API_VERSION", "HTTP_CLIENT_REQUEST_ID", "HTTP_TRANSFER_ENCODING")
"""Headers whose rules the views know."""
_gone: set[str] = set()
"""Lanes whose function this database does not have (another version's): not asked again."""


@lru_cache(maxsize=256)
def _is_our_host(host: str) -> bool:
    domain, _ = split_domain_port(host)
    return bool(domain) and validate_host(domain, settings.ALLOWED_HOSTS)


@lru_cache(maxsize=256)
def _call(name: str) -> str:
    return next(lane for lane in LANES if lane.name == name).call()


@lru_cache(maxsize=1)
def _by_path() -> Mapping[tuple[int, str], list[Lane]]:
    found: dict[tuple[int, str], list[Lane]] = {}
    for lane in LANES:
        found.setdefault((len(lane.segments), lane.segments[0]), []).append(lane)
    return found


def _lane(path: str, query: str) -> tuple[Lane, str, dict[str, str]] | None:
    """Return the lane of an address, the id in it, and the query's parameters."""
    segments = path[4:].split("/")
    for lane in _by_path().get((len(segments), segments[0]), ()):
        if lane.spec is None:
            if not query and lane.segments[1] == "":
                return lane, segments[1], {}
            continue
        pairs = parse_qsl(query, keep_blank_values=True) if query else []
        given = dict(pairs)
        names = set(given) - {"limit"}
        expected = {*lane.filters, "cursor"} if lane.continued else set(lane.filters)
        if names == expected and len(given) == len(pairs):
            return lane, "", given
    return None


def front(application: Application) -> Application:
    """Put the lanes before an application."""

    def answer(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "GET" and environ["PATH_INFO"].startswith("/v1/"):
            reply = _try(environ)
            if reply is not None:
                headers, content = reply
                start_response("200 OK", headers)
                return [content]
        return application(environ, start_response)

    return answer


def _try(environ: Environ) -> tuple[list[tuple[str, str]], bytes] | None:
    """Return headers and body, or None where the views are to answer."""
    started = time.perf_counter()
    header = environ.get("HTTP_AUTHORIZATION", "")
    if not header.startswith("Bearer ") or len(header) > 500 or any(name in environ for name in _ASIDE):
        return None
    found = _lane(environ["PATH_INFO"], environ.get("QUERY_STRING", ""))
    if found is None or found[0].name in _gone or not _is_our_host(environ.get("HTTP_HOST", "")):
        return None
    lane, text, given = found
    digest = aead.token_digest(header[7:].strip())
    caller = known_caller(digest)
    if caller is None:
        return None
    actor_id, practice_id = caller
    try:
        values, shape = _values(lane, text, given, caller)
        left, seconds = limiter().spend(
            actor_id=actor_id, practice_id=practice_id, units=WEIGHTS[lane.kind]
        )
    except Problem:
        return None
    environ[SPENT] = (left, seconds)
    id, request_id = new_request_id()
    source = source_of(environ, id)
    values |= {
        "token": digest, "request": id, "event": new_uuid(), "ip": source.ip or None,
        "agent": source.user_agent,
    }  # fmt: skip
    rows = _rows(lane, values)
    # One row says who asks; a read that finds nothing, or may not, has no more.
    if not rows or (lane.spec is None and len(rows) < 2):
        return None
    reply = _answer(lane, rows, source, shape=shape, path=environ["PATH_INFO"], given=given)
    content = reply.body if isinstance(reply.body, bytes) else encoder.encode(reply.body)
    headers = [
        *API_HEADERS,
        ("Content-Type", reply.content_type),
        ("Content-Length", str(len(content))),
        ("Request-Id", request_id),
        ("RateLimit-Policy", limiter().policy),
        ("RateLimit", f'"key";r={left};t={seconds}'),
        *reply.headers.items(),
    ]
    if reply.etag:
        headers.append(("ETag", reply.etag))
    note_request(request_id, "GET", lane.route, 200, started)
    return headers, content


def _values(
    lane: Lane, text: str, given: Mapping[str, str], caller: tuple[UUID, UUID]
) -> tuple[dict[str, Any], str]:
    """
    Return what to bind, and the shape that a cursor is bound to.

    :raises Problem: something is not as it should be: the views say what
    """
    if lane.spec is None:
        id = parse_type_id(lane.id_kind, text)
        if id is None:
            raise Problem()
        return {"id": id}, ""
    values: dict[str, Any] = {"limit": page_size(given.get("limit", "25")) + 1}
    for place, name in enumerate(lane.filters):
        known, operator = lane.spec.known(name)
        values[f"f{place}"] = known.value(operator, given[name])
    shape = shape_of([(name, given[name]) for name in lane.filters], lane.spec.default_sort)
    if lane.continued:
        actor_id, practice_id = caller
        scope = _scope((practice_id, "", actor_id, None, "UTC"), Source())
        values["last"], values["last_id"] = lane.spec.after(given["cursor"], scope=scope, shape=shape)
    return values, shape


def _rows(lane: Lane, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Run the lane's function: one statement, which is one transaction. Nothing on any failure."""
    try:
        connection.ensure_connection()
        with psycopg.Cursor(connection.connection) as cursor:
            return cursor.execute(_call(lane.name), values, prepare=True).fetchall()
    except (pg.UndefinedFunction, pg.InsufficientPrivilege):
        _gone.add(lane.name)
        logger.warning("lane not installed", extra={"kind": lane.name})
    except (psycopg.Error, DatabaseError) as error:
        logger.warning("lane failed", extra={"kind": lane.name, "sqlstate": sqlstate(error)})
        # The views meet the same failure, and know what to say of it.
        connection.close()
    return []


def _scope(who: tuple[Any, ...], source: Source) -> Scope:
    practice_id, actor_type, actor_id, user_id, time_zone = who
    return Scope(
        practice_id=practice_id, actor_type=actor_type, actor_id=actor_id, user_id=user_id,
        permissions=frozenset(), time_zone=zone(time_zone), source=source,
    )  # fmt: skip


def _answer(
    lane: Lane, rows: list[tuple[Any, ...]], source: Source, *, shape: str, path: str,
    given: Mapping[str, str],
) -> Answer:
    own = len(WHO)
    scope = _scope(rows[0][:own], source)
    if lane.spec is None:
        assert lane.build is not None  # a lane has one of the two
        return lane.build(rows[1][own:], scope)
    return lane.spec.page(
        [row[own:] for row in rows[1:]], scope=scope, limit=int(given.get("limit", "25")),
        shape=shape, path=path, given={n: t for n, t in given.items() if n != "cursor"},
    )  # fmt: skip
