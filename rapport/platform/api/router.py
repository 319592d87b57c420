"""RoomRouter: the only way a room adds a route, so that every route says what it needs."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router

from rapport.kernel.problems import (
    AuditUnavailable,
    BadRequest,
    Forbidden,
    IdempotencyInFlight,
    IdempotencyKeyMalformed,
    IdempotencyKeyMissing,
    IdempotencyKeyReused,
    InsufficientScope,
    Internal,
    Invalid,
    InvalidCursor,
    MalformedJson,
    NotAtSource,
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
    Problem,
    ReferenceNotFound,
    SessionExpired,
    StorageFull,
    TokenExpired,
    TokenRevoked,
    TooLarge,
    TooMany,
    Unauthenticated,
    Unavailable,
    UnknownField,
    UnknownFilter,
    UnknownParameter,
    UnknownSortKey,
    UnsupportedMediaType,
)
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope

from .edge import Edge
from .gate import Gate
from .lists import ListSpec
from .shapes import Answer, encoder


class ScopedRequest(HttpRequest):
    """A request that has passed the gate."""

    auth: Scope
    edge: Edge


@dataclass(frozen=True, slots=True)
class RouteInfo:
    """What a route has declared: the source of the OpenAPI document and of the sweep tests."""

    method: str
    path: str
    action: str
    needs: Permission | None
    kind: str
    status: int
    shape: Any
    problems: tuple[type[Problem], ...]
    summary: str
    description: str
    example: Any
    request_example: Any
    list_spec: ListSpec | None
    match: bool
    key: str
    parameters: dict[str, str]
    content_types: tuple[str, ...]
    other_types: dict[str, str]
    tag: str
    connected: str = "kept"
    accepted: tuple[Any, Any] | None = None
    """Shape and example of the 202 that a connected practice may get."""
    audited: bool = True


ROUTES: list[RouteInfo] = []
"""Every route that exists, in the order it was made."""

_ALWAYS: tuple[type[Problem], ...] = (
    BadRequest, UnknownParameter, Internal, Unavailable, AuditUnavailable, StorageFull, TooMany,
)  # fmt: skip


def _problems(
    named: tuple[type[Problem], ...], *, needs: Permission | None, path: str, method: str,
    match: bool, key: str, lists: bool,
) -> tuple[type[Problem], ...]:
    """Add to a route's own problems those that its declaration implies."""
    implied: list[type[Problem]] = [*_ALWAYS]
    if needs is not None:
        implied += [Unauthenticated, TokenExpired, TokenRevoked, SessionExpired, Forbidden, InsufficientScope]
    if "{" in path:
        implied.append(NotFound)
    if method in ("POST", "PATCH", "PUT"):
        implied += [TooLarge, UnsupportedMediaType, MalformedJson, Invalid, UnknownField, ReferenceNotFound]
        if key != "none":
            implied += [IdempotencyInFlight, IdempotencyKeyReused, IdempotencyKeyMalformed]
        if key == "required":
            implied.append(IdempotencyKeyMissing)
    if lists:
        implied += [UnknownFilter, UnknownSortKey, InvalidCursor]
    if match:
        implied += [PreconditionFailed, PreconditionRequired]
    return tuple(dict.fromkeys([*named, *implied]))


@dataclass
class RoomRouter:
    """
    A ninja router whose routes must name a permission, an audit action and their problems.

    All land in the OpenAPI document (`x-permission`, one response per status), and
    `tests/test_every_route.py` fails on a route that came in by another door.
    """

    tag: str
    connected: str = "kept"
    """
    What becomes of its writes in a practice whose truth is another system: `refused` by the gate,
    handed to that system's `port`, or `kept` here, since they are no records of that system.
    """
    _declared: list[tuple[str, str, Callable[[Router], Any]]] = field(default_factory=list)

    def build(self) -> Router:
        """
        Return the ninja router with every declared route.

        Addresses without parameters come first, so that `/patients/search` is not taken for the
        patient called `search`.
        """
        ninja = Router(tags=[self.tag])
        for _, _, add in sorted(self._declared, key=lambda entry: entry[0].count("{")):
            add(ninja)
        return ninja

    def get(self, path: str, **declared: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Add a GET route. See `route` for what to declare."""
        return self.route("GET", path, **declared)

    def post(self, path: str, **declared: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Add a POST route. See `route` for what to declare."""
        return self.route("POST", path, **declared)

    def patch(self, path: str, **declared: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Add a PATCH route. See `route` for what to declare."""
        return self.route("PATCH", path, **declared)

    def put(self, path: str, **declared: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Add a PUT route. See `route` for what to declare."""
        return self.route("PUT", path, **declared)

    def delete(self, path: str, **declared: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Add a DELETE route. See `route` for what to declare."""
        return self.route("DELETE", path, **declared)

    def route(
        self,
        method: str,
        path: str,
        *,
        needs: Permission | None,
        action: str,
        returns: tuple[int, Any],
        summary: str,
        example: Any,
        request_example: Any = None,
        problems: tuple[type[Problem], ...] = (),
        kind: str = "",
        list_spec: ListSpec | None = None,
        match: bool = False,
        key: str = "",
        key_days: int = 1,
        parameters: dict[str, str] | None = None,
        content_types: tuple[str, ...] = ("application/json", "application/merge-patch+json"),
        other_types: dict[str, str] | None = None,
        denial: str = "",
        connected: str = "",
        accepted: tuple[Any, Any] | None = None,
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """
        Add a route. The gate is passed before the body is validated or the view runs.

        :param needs: the permission; None only for signing in
        :param action: name in the audit trail, `object.verb`; empty: not audited
        :param returns: success status and the msgspec shape of the answer (None: no body)
        :param example: an answer, shown in the docs
        :param request_example: a body, shown in the docs; required where there is a body
        :param list_spec: of a list route: its filters and sorts
        :param match: needs If-Match; the view finds the header in `request.edge.if_match`
        :param key: Idempotency-Key `none`, `accepted` or `required`
        :param parameters: query parameters it takes, with a description each
        :param other_types: further answer types by Accept, with a description each
        :param denial: what the trail calls a person's lack of the permission
        :param connected: `port`, `kept` or `refused`, where it differs from the router's
        :param accepted: of `port`: the shape of its 202, and an example
        """
        writes = method in ("POST", "PATCH", "PUT", "DELETE")
        kind = kind or ("list" if list_spec else "write" if writes else "read")
        key = key or ("accepted" if writes and needs is not None else "none")
        connected = (connected or self.connected) if writes else "kept"
        if connected != "kept":
            problems = (*problems, NotAtSource)
        status, shape = returns
        # An address that is itself the secret may open once only: a look at its headers must not.
        verbs = [method, "HEAD"] if method == "GET" and needs is not None else [method]
        gate = Gate(
            action=action,
            needs=needs,
            kind=kind,
            route=f"{method} {path}",
            parameters=None if list_spec else frozenset(parameters or ()),
            match=match,
            key=key,
            key_days=key_days,
            content_types=content_types,
            denial=denial,
            connected=connected,
        )

        def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
            description = inspect.cleandoc(view.__doc__ or "")
            info = RouteInfo(
                method=method, path=path, action=action, needs=needs, kind=kind, status=status,
                shape=shape, summary=summary, description=description, example=example,
                request_example=request_example, list_spec=list_spec, match=match, key=key,
                parameters=parameters or {}, content_types=content_types,
                other_types=other_types or {}, tag=self.tag, connected=connected,
                accepted=accepted,
                problems=_problems(
                    problems, needs=needs, path=path, method=method, match=match, key=key,
                    lists=list_spec is not None,
                ),
            )  # fmt: skip
            ROUTES.append(info)

            @functools.wraps(view)
            def checked(request: ScopedRequest, *args: Any, **kwargs: Any) -> HttpResponse:
                request.edge.work_began = True
                return render(view(request, *args, **kwargs), request=request, status=status)

            # ninja reads annotations in the wrapper's module, where the view's names are unknown.
            checked.__signature__ = inspect.signature(view, eval_str=True)  # type: ignore[attr-defined]
            self._declared.append(
                (
                    path,
                    method,
                    lambda ninja: ninja.api_operation(
                        verbs, path, auth=gate, response=None, summary=summary
                    )(checked),
                )
            )
            return view

        return decorate


def render(answer: Any, *, request: ScopedRequest, status: int) -> HttpResponse:
    """Turn what a view gave back into bytes and headers."""
    if isinstance(answer, HttpResponse):
        return answer
    content_type = "application/json; charset=utf-8"
    headers: dict[str, str] = {}
    if isinstance(answer, Answer):
        status = answer.status or status
        content_type = answer.content_type
        headers.update(answer.headers)
        if answer.etag:
            headers["ETag"] = answer.etag
            if request.method in ("GET", "HEAD") and answer.etag in (
                request.headers.get("If-None-Match") or ""
            ):
                response = HttpResponse(status=304)
                response["ETag"] = answer.etag
                del response["Content-Type"]
                return response
        answer = answer.body
    if answer is None:
        content = b""
    elif isinstance(answer, bytes):
        content = answer
    else:
        content = encoder.encode(answer)
    response = HttpResponse(content, status=status, content_type=content_type)
    for name, value in headers.items():
        response[name] = value
    return response


__all__ = ["ROUTES", "Answer", "RoomRouter", "RouteInfo", "ScopedRequest", "render"]
