"""What the routes share: the router, public visits, pages without cursors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from uuid import UUID

from rapport.kernel.ids import parse_type_id
from rapport.kernel.problems import FieldError, NotFound, ReferenceNotFound
from rapport.platform.access.scope import Scope
from rapport.platform.api import etags
from rapport.platform.api.router import RoomRouter, ScopedRequest
from rapport.platform.api.shapes import Answer
from rapport.platform.db import sql
from rapport.platform.identity.mfa import MfaRequiredByPolicy
from rapport.platform.identity.signin import Visit

router = RoomRouter(tag="Identity")

T = TypeVar("T")


def visit(request: ScopedRequest, work: Callable[[Visit], T]) -> T:
    """Run work of a public route; the edge then writes the trail where the visit has come to."""
    caller = Visit(request.auth, request.edge.action)
    try:
        return work(caller)
    finally:
        request.edge.scope, request.edge.action = caller.scope, caller.action


def keeping_mfa(request: ScopedRequest, work: Callable[[], T]) -> T:
    """Run work; a try to switch the second factor off is in the trail as `mfa.disable`."""
    try:
        return work()
    except MfaRequiredByPolicy:
        request.edge.action = "mfa.disable"
        raise


def id_in(kind: str, text: str | None, pointer: str) -> UUID | None:
    """Return the id that a field holds. :raises ReferenceNotFound: it is not of this kind"""
    if text is None:
        return None
    id = parse_type_id(kind, text)
    if id is None:
        raise ReferenceNotFound(
            "A field refers to something that is not here.",
            errors=(FieldError(pointer, "reference-not-found"),),
        )
    return id


def one(
    request: ScopedRequest,
    *,
    kind: str,
    statement: str,
    parameters: Sequence[Any],
    build: Callable[[tuple[Any, ...], Scope], Any],
    id: UUID,
    status: int | None = None,
) -> Answer:
    """Answer one row in its shape, with its ETag. :raises NotFound: there is none"""
    row = sql.one(statement, parameters)
    if row is None:
        raise NotFound(_sought=[(kind, id)])
    shape = build(row, request.auth)
    request.auth.trail.target(kind, id, shape.version)
    return Answer(shape, etag=etags.of(id, shape.version), status=status)
