"""API keys over HTTP."""

from __future__ import annotations

from uuid import UUID

from django.utils import timezone

from rapport.platform.access.permissions import Permission
from rapport.platform.api import etags
from rapport.platform.api.lists import Filter, ListSpec, Sort
from rapport.platform.api.router import ScopedRequest
from rapport.platform.api.shapes import Answer, path_id
from rapport.platform.db import sql
from rapport.platform.identity import examples, keys, services
from rapport.platform.identity import schemas_house as s

from .base import one, router

_ONE = f"SELECT {s.KEY_COLUMNS} FROM identity_apikey k WHERE k.practice_id = %s AND k.id = %s"  # noqa: S608 - constants

KEYS = ListSpec(
    route="api-keys",
    columns=s.KEY_COLUMNS,
    source="identity_apikey k",
    id_column="k.id",
    practice_column="k.practice_id",
    sorts={"created_at": Sort("k.created_at", "timestamptz"), "name": Sort("k.name", "text")},
    default_sort="-created_at",
    filters={"revoked_at": Filter("k.revoked_at", "instant", ("exists",))},
    build=s.key_out,
)


@router.get(
    "/api-keys",
    summary="List API keys",
    needs=Permission.API_KEYS_MANAGE,
    action="api_key.list",
    returns=(200, s.ApiKeyOut),
    list_spec=KEYS,
    example=examples.page(examples.API_KEY),
)
def list_keys(request: ScopedRequest) -> Answer:
    """The practice's keys, latest first, withdrawn ones too. The keys themselves are not kept."""
    return KEYS.run(request, scope=request.auth)


@router.get(
    "/api-keys/{api_key_id}",
    summary="Read an API key",
    needs=Permission.API_KEYS_MANAGE,
    action="api_key.read",
    returns=(200, s.ApiKeyOut),
    example=examples.API_KEY,
)
def get_key(request: ScopedRequest, api_key_id: str) -> Answer:
    """One key: its scopes, where it may come from, when it was last used."""
    id: UUID = path_id("api_key", api_key_id)
    return one(
        request, kind="api_key", statement=_ONE, parameters=(request.auth.practice_id, id),
        build=s.key_out, id=id,
    )  # fmt: skip


@router.post(
    "/api-keys",
    summary="Make an API key",
    needs=Permission.API_KEYS_MANAGE,
    action="api_key.create",
    returns=(201, s.ApiKeyMade),
    problems=(keys.Escalation, services.PersonOnly),
    example=examples.API_KEY_MADE,
    request_example=examples.NEW_API_KEY,
)
def create_key(request: ScopedRequest, body: s.ApiKeyIn) -> Answer:
    """
    Make a key for a program. `secret` is the key: shown this once. Its `scopes` must be rights that
    the caller has (else 403 `role-escalation`), and count at each request only as far as the
    owner still has them.
    """
    key, text = keys.issue(
        scope=request.auth, name=body.name, scopes=body.scopes, expires_at=body.expires_at,
        ip_allowlist=body.ip_allowlist, now=timezone.now(),
    )  # fmt: skip
    row = sql.one(_ONE, (request.auth.practice_id, key.id))
    assert row is not None
    return Answer(s.key_made(row, text), etag=etags.of(key.id, key.version))


@router.delete(
    "/api-keys/{api_key_id}",
    summary="Withdraw an API key",
    needs=Permission.API_KEYS_MANAGE,
    action="api_key.revoke",
    returns=(204, None),
    example=None,
)
def revoke_key(request: ScopedRequest, api_key_id: str) -> None:
    """The key opens nothing from the next request on. Withdrawing it again changes nothing."""
    keys.revoke(scope=request.auth, api_key_id=path_id("api_key", api_key_id), now=timezone.now())
