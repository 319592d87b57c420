"""One key, one effect: the first answer is stored with its work and given again."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

from django.http import HttpResponse
from django.utils import timezone

from rapport.kernel.ids import new_uuid
from rapport.kernel.problems import (
    IdempotencyInFlight,
    IdempotencyKeyMalformed,
    IdempotencyKeyReused,
)
from rapport.platform.access.scope import Scope
from rapport.platform.crypto import aead
from rapport.platform.db import sql

_FORM = re.compile(r'^"?([A-Za-z0-9_-]{16,128})"?$')
KEPT_HEADERS = ("ETag", "Location", "Content-Type")


@dataclass(frozen=True, slots=True)
class Key:
    """A checked Idempotency-Key and what it came with."""

    text: str
    fingerprint: bytes
    days: int
    """How long the answer is kept."""


def read_key(header: str) -> str:
    """
    Return the key in a header, with or without the quotes of the draft standard.

    :raises IdempotencyKeyMalformed: not 16 to 128 letters, digits, `_` or `-`
    """
    found = _FORM.match(header)
    if found is None:
        raise IdempotencyKeyMalformed("Send 16 to 128 letters, digits, hyphens or underscores.")
    return found.group(1)


def _aad(scope: Scope, key: str) -> bytes:
    return b"stored-answer|" + scope.practice_id.bytes + scope.actor_id.bytes + key.encode()


def claim(key: Key, *, scope: Scope) -> HttpResponse | None:
    """
    Take a key for this transaction, or return the answer it was given before.

    A second call while the first still runs does not wait for it. If the first one's process
    dies, its transaction and its lock end with it, and a repeat does the work.

    :raises IdempotencyInFlight: the first call with this key is still running
    :raises IdempotencyKeyReused: the key belongs to another request
    """
    lock = int.from_bytes(sha256(_aad(scope, key.text)).digest()[:8], "big", signed=True)
    found = sql.one(
        "SELECT taken, fingerprint, status, headers, body_sealed FROM rapport_claim_key(%s, %s, %s)",
        (lock, scope.actor_id, key.text),
    )
    if not found or not found[0]:
        raise IdempotencyInFlight(headers={"Retry-After": "1"})
    _, print_, status, headers, body = found
    if print_ is None:
        return None
    if bytes(print_) != key.fingerprint:
        raise IdempotencyKeyReused("Send a new key with a new request.", reason="idempotency_conflict")
    response = HttpResponse(
        aead.open_(bytes(body), aad=_aad(scope, key.text), purpose="field"), status=status
    )
    for name, value in json.loads(headers).items():
        response[name] = value
    response["Idempotent-Replayed"] = "true"
    return response


def keep(key: Key, *, scope: Scope, response: HttpResponse) -> None:
    """Store the answer under its key, in the present transaction."""
    now = timezone.now()
    sql.run(
        "INSERT INTO api_storedanswer (practice_id, id, actor_id, key, fingerprint, status,"
        " headers, body_sealed, created_at, expires_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s::jsonb, %s, %s, %s)"
        " ON CONFLICT (practice_id, actor_id, key) DO UPDATE SET"
        " fingerprint = excluded.fingerprint, status = excluded.status,"
        " headers = excluded.headers, body_sealed = excluded.body_sealed,"
        " created_at = excluded.created_at, expires_at = excluded.expires_at"
        " WHERE api_storedanswer.expires_at <= clock_timestamp()",
        [
            scope.practice_id, new_uuid(), scope.actor_id, key.text, key.fingerprint,
            response.status_code, _headers(response),
            aead.seal(response.content, aad=_aad(scope, key.text), purpose="field"),
            now, now + timedelta(days=key.days),
        ],
    )  # fmt: skip


def _headers(response: HttpResponse) -> str:
    return json.dumps({name: response[name] for name in KEPT_HEADERS if name in response})
