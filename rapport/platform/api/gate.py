"""The gate of a route: who is asking, may they, is there room, was this asked before."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from rapport.kernel.problems import (
    Forbidden,
    IdempotencyKeyMissing,
    NotAtSource,
    PreconditionRequired,
    SessionExpired,
    TokenExpired,
    TokenRevoked,
    Unauthenticated,
    UnknownParameter,
    UnsupportedMediaType,
    UnsupportedVersion,
)
from rapport.platform.access.permissions import (
    Permission,
    Role,
    permissions_of,
    sees_every_patient,
)
from rapport.platform.access.scope import Scope
from rapport.platform.audit.write import nobody
from rapport.platform.crypto import aead
from rapport.platform.db import sql
from rapport.platform.db.session import set_scope
from rapport.platform.tenancy.models import HOUSE_ID

from . import idempotency
from .edge import Edge, fingerprint, house_scope, note_path_ids
from .lanes import ALL_SEEING
from .limits import WEIGHTS, Limiter
from .middleware import API_VERSION

_ENTER = f"""
SELECT trouble, practice_id, actor_type, actor_id, user_id, roles, clinician_id, supervises,
    session_id, amr, time_zone, livemode, caseload_only, connected, key_scopes,
    ip_allowlist
FROM rapport_enter(%s, '{{{",".join(ALL_SEEING)}}}'::text[])
"""  # noqa: S608 - names of our own roles

_TROUBLE: dict[str, type[Unauthenticated]] = {
    "unknown": Unauthenticated,
    "expired": TokenExpired,
    "idle": SessionExpired,
    "revoked": TokenRevoked,
    "disabled": TokenRevoked,
    "pending": Unauthenticated,
}


@lru_cache(maxsize=1)
def limiter() -> Limiter:
    """Return this process's limiter."""
    environment = settings.RAPPORT
    return Limiter(
        environment.home / "limits.bin",
        per_actor=environment.rate_key,
        per_practice=environment.rate_practice,
    )


@lru_cache(maxsize=256)
def zone(name: str) -> ZoneInfo:
    """Return a zone by its name, read once."""
    return ZoneInfo(name)


_MOST_KNOWN = 10_000
_known: dict[bytes, tuple[UUID, UUID]] = {}


def known_caller(digest: bytes) -> tuple[UUID, UUID] | None:
    """
    Return actor and practice of a token that entered before, so that a quota can be charged first.

    A token never changes hands. Whether it still opens anything is asked at each request.
    """
    return _known.get(digest)


def _remember(digest: bytes, actor_id: UUID, practice_id: UUID) -> None:
    if len(_known) >= _MOST_KNOWN:
        _known.clear()
    _known[digest] = (actor_id, practice_id)


@lru_cache(maxsize=512)
def _rights(roles: tuple[str, ...]) -> tuple[frozenset[Role], frozenset[Permission], bool]:
    known = frozenset(Role(role) for role in roles)
    return known, permissions_of(known), sees_every_patient(known)


def _is_pending(token: str) -> bool:
    """Tell whether it is the ticket of a sign-in without its second factor, which opens nothing."""
    digest = aead.token_digest(token)
    return sql.one("SELECT 1 FROM identity_mfaticket WHERE digest = %s", (digest,)) is not None


def enter(token: str, edge: Edge) -> Scope:
    """
    Find out who holds a token, and give the transaction their scope.

    Looked up at every request, so a change of rights holds from the next one on.

    :raises Unauthenticated: or a kind of it that says what to do
    """
    digest = aead.token_digest(token)
    row = sql.one(_ENTER, (digest,))
    assert row is not None
    (
        trouble, practice_id, actor_type, actor_id, user_id, role_names, clinician_id, supervises,
        session_id, amr, time_zone, livemode, caseload_only, connected, key_scopes,
        ip_allowlist,
    ) = row  # fmt: skip
    if trouble:
        if trouble == "unknown" and _is_pending(token):
            trouble = "pending"
        edge.scope = nobody(practice_id=practice_id or HOUSE_ID, source=edge.source)
        raise _TROUBLE[trouble](
            reason="mfa_pending" if trouble == "pending" else f"token_{trouble}",
            headers={"WWW-Authenticate": 'Bearer realm="rapport", error="invalid_token"'},
        )
    roles, permissions, sees_all = _rights(tuple(role_names))
    held = permissions
    if actor_type == "api_key":
        permissions = permissions & frozenset(key_scopes) | {Permission.SELF_READ}
    caseload = None
    if caseload_only and not sees_all:
        caseload = frozenset([*(supervises or ()), *([clinician_id] if clinician_id else ())])
    scope = Scope(
        practice_id=practice_id,
        actor_type=actor_type,
        actor_id=actor_id,
        permissions=permissions,
        held=held,
        time_zone=zone(time_zone),
        user_id=user_id,
        roles=roles,
        clinician_id=clinician_id,
        supervisee_ids=frozenset(supervises or ()),
        caseload=caseload,
        session_id=session_id,
        amr=tuple(amr or ()),
        livemode=livemode,
        connected=bool(connected),
        source=edge.source,
    )
    edge.scope = scope
    _remember(digest, actor_id, practice_id)
    if ip_allowlist and not any(
        ipaddress.ip_address(edge.source.ip) in ipaddress.ip_network(network)
        for network in ip_allowlist
    ):
        raise Forbidden(reason="ip_allowlist")
    return scope


class Replayed(Exception):
    """The call was made before: this is the answer it got."""

    def __init__(self, response: HttpResponse) -> None:
        super().__init__("replayed")
        self.response = response


@dataclass(frozen=True, slots=True)
class Gate:
    """What a route asks of a request before its view runs. Called by ninja as authenticator."""

    action: str
    needs: Permission | None
    """None: open to everybody (signing in)."""
    kind: str
    """`read`, `list`, `search`, `write`, `render` or `export`: its weight."""
    route: str
    parameters: frozenset[str] | None
    """Query parameters it takes; None: the view's list checks them itself."""
    match: bool = False
    """Needs If-Match."""
    key: str = "accepted"
    """Idempotency-Key: `none`, `accepted` or `required`."""
    key_days: int = 1
    content_types: tuple[str, ...] = ("application/json", "application/merge-patch+json")
    denial: str = ""
    """What the trail calls a person's lack of the permission; empty: `permission`."""
    connected: str = "kept"
    """What becomes of it in a practice whose truth is another system; see `RoomRouter.connected`."""

    def __call__(self, request: HttpRequest) -> Any:
        edge: Edge = request.edge  # type: ignore[attr-defined]
        edge.action, edge.route = self.action, self.route
        edge.begin()
        if self.needs is None:
            return self._open(edge)
        version = request.headers.get("Api-Version")
        if version and version != API_VERSION:
            raise UnsupportedVersion(f"Supported: {API_VERSION}.", supported=[API_VERSION])
        header = request.headers.get("Authorization", "")
        if not header.startswith("Bearer ") or len(header) > 500:
            raise Unauthenticated()
        scope = enter(header[7:].strip(), edge)
        # A lane that left the call to us has counted it already.
        left, seconds = request.META.get("rapport.spent") or limiter().spend(
            actor_id=scope.actor_id, practice_id=scope.practice_id, units=WEIGHTS[self.kind]
        )
        edge.headers["RateLimit-Policy"] = limiter().policy
        edge.headers["RateLimit"] = f'"key";r={left};t={seconds}'
        if request.resolver_match:
            note_path_ids(edge, request.resolver_match.kwargs)
        self._require(scope, self.needs)
        if scope.connected and self.connected == "refused":
            raise NotAtSource()
        if self.parameters is not None and request.META.get("QUERY_STRING"):
            self._check_parameters(request)
        if request.method in ("POST", "PATCH", "PUT", "DELETE"):
            self._check_write(request, edge, scope)
        return scope

    def _require(self, scope: Scope, permission: Permission) -> None:
        try:
            scope.require(permission)
        except Forbidden as problem:
            problem.reason = self.denial or problem.reason
            raise

    def _open(self, edge: Edge) -> Scope:
        scope = house_scope()
        set_scope(scope)
        edge.scope = nobody(practice_id=HOUSE_ID, source=edge.source)
        return edge.scope

    def _check_parameters(self, request: HttpRequest) -> None:
        assert self.parameters is not None
        for name in request.GET:
            if name not in self.parameters:
                raise UnknownParameter("Remove the query parameters that this call does not know.")

    def _check_write(self, request: HttpRequest, edge: Edge, scope: Scope) -> None:
        if request.body:
            kind = (request.headers.get("Content-Type") or "").split(";")[0].strip().lower()
            if kind not in self.content_types:
                raise UnsupportedMediaType(f"Send {' or '.join(self.content_types)}.")
        if request.headers.get("Content-Encoding", "identity") != "identity":
            raise UnsupportedMediaType("Send the body without content encoding.")
        header = request.headers.get("Idempotency-Key")
        if header is not None and self.key != "none":
            text = idempotency.read_key(header)
            edge.key = None
            key = idempotency.Key(text=text, fingerprint=fingerprint(request), days=self.key_days)
            stored = idempotency.claim(key, scope=scope)
            if stored is not None:
                scope.trail.reason = "replayed"
                raise Replayed(stored)
            edge.key = key
        elif self.key == "required":
            raise IdempotencyKeyMissing(
                headers={"Link": '</v1/docs/idempotency>; rel="describedby"'}
            )
        if self.match:
            tag = request.headers.get("If-Match")
            if not tag or tag.strip() == "*":
                raise PreconditionRequired("Read the object and send its ETag as If-Match.")
            edge.if_match = tag
