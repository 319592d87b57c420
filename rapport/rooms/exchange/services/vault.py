"""
Secrets: sealed when they come, opened for a sign-in only, and written down each time.

Password and TOTP seed are under different keys, so that keeping both stays a conscious choice. A
value that the portal rejected is known by its digest and is never sent again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

from rapport.platform.access.scope import Scope
from rapport.platform.audit import write as audit
from rapport.platform.crypto import aead
from rapport.rooms.exchange.models import Connection, Secret
from rapport.rooms.exchange.problems import SecretRejectedBefore

PURPOSES: Mapping[str, str] = MappingProxyType(
    {"password": "connector-password", "totp_seed": "connector-totp-seed", "mailbox": "connector-mailbox"}
)
"""Kind of secret -> purpose of its key."""
FOR_PORTAL = ("password", "totp_seed")
"""What a sign-in at the portal needs; the mailbox's password goes to the mailbox alone."""


def _place(secret: Secret) -> bytes:
    return (
        f"exchange_secret|{secret.practice_id}|{secret.connection_id}|{secret.kind}|{secret.number}"
    ).encode()


def _digest(connection_id: UUID, kind: str, value: str) -> bytes:
    return aead.blind_index(value, context=f"exchange_secret|{connection_id}|{kind}")


def keep_secret(*, scope: Scope, connection: Connection, kind: str, value: str, now: datetime) -> None:
    """
    Seal a secret in place of the one before.

    :raises SecretRejectedBefore: it is the value that the portal rejected
    """
    row = Secret.objects.visible_to(scope).select_for_update().filter(
        connection_id=connection.id, kind=kind
    ).first()  # fmt: skip
    if row is None:
        row = Secret(practice_id=scope.practice_id, connection=connection, kind=kind, number=0)
    if row.rejected_digest is not None and bytes(row.rejected_digest) == _digest(connection.id, kind, value):
        raise SecretRejectedBefore(reason="secret_rejected")
    row.number += 1
    row.sealed = aead.seal(value.encode(), aad=_place(row), purpose=PURPOSES[kind])
    row.rejected_at = None
    row.set_by, row.set_at = scope.actor_id, now
    row.save()


def usable(*, scope: Scope, connection_id: UUID, kind: str = "password") -> Secret | None:
    """Return a secret's row, or None: there is none, or whom it is for rejected it."""
    row: Secret | None = (
        Secret.objects.visible_to(scope)
        .filter(connection_id=connection_id, kind=kind, rejected_at__isnull=True)
        .first()
    )
    return row


def open_secrets(
    *, scope: Scope, connection: Connection, cause: str, kinds: Collection[str] = FOR_PORTAL
) -> dict[str, str]:
    """Return secrets of a connection, for one use, and note in the trail that they were opened."""
    rows = list(
        Secret.objects.visible_to(scope).filter(
            connection_id=connection.id, rejected_at__isnull=True, kind__in=list(kinds)
        )
    )
    for row in rows:
        audit.append(
            scope=scope, action="connection.secret_used", reason=cause, target_type="connection",
            target_id=connection.id, fields=[row.kind],
        )  # fmt: skip
    return {
        row.kind: aead.open_(bytes(row.sealed), aad=_place(row), purpose=PURPOSES[row.kind]).decode()
        for row in rows
    }


def reject(
    *, scope: Scope, connection: Connection, number: int, now: datetime, kind: str = "password"
) -> None:
    """Note that this value was rejected; another one may have come since."""
    row = Secret.objects.visible_to(scope).select_for_update().filter(
        connection_id=connection.id, kind=kind, number=number
    ).first()  # fmt: skip
    if row is None:
        return
    value = aead.open_(bytes(row.sealed), aad=_place(row), purpose=PURPOSES[kind]).decode()
    row.rejected_digest, row.rejected_at = _digest(connection.id, kind, value), now
    row.save(update_fields=["rejected_digest", "rejected_at"])


def erase_secrets(
    *, scope: Scope, connection: Connection, kinds: Collection[str] = tuple(PURPOSES)
) -> int:
    """Remove secrets of a connection, all of them unless told otherwise. :return: how many there were"""
    removed, _ = (
        Secret.objects.visible_to(scope).filter(connection_id=connection.id, kind__in=list(kinds)).delete()
    )
    return removed
