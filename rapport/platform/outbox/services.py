"""What can be done to webhook endpoints and deliveries."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings

from rapport.kernel.problems import Conflict, FieldError, Invalid, NotFound, StateConflict
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.api import etags
from rapport.platform.crypto import aead
from rapport.platform.db import sql
from rapport.platform.net.addresses import UrlNotAllowed, check_url
from rapport.protocols.webhooks import signing

from .emit import emit
from .models import Delivery, WebhookEndpoint

ROTATION = timedelta(hours=24)
"""How long the old secret still signs beside the new one."""
MOST_ENDPOINTS = 50


class EndpointUrlNotAllowed(Invalid):
    """Says the rule; never what a lookup found."""

    code, title = "url-not-allowed", "Webhooks do not go to that address."


class TooManyEndpoints(Conflict):
    code, title = "too-many-endpoints", "The practice has as many endpoints as it may have."


def _aad(practice_id: UUID, endpoint_id: UUID) -> bytes:
    return b"webhook-secret|" + practice_id.bytes + endpoint_id.bytes


def open_secret(*, practice_id: UUID, endpoint_id: UUID, sealed: bytes) -> bytes:
    """Return a signing secret. For the relay alone: it leaves the process in no other way."""
    return aead.open_(sealed, aad=_aad(practice_id, endpoint_id), purpose="webhook-secret")


def _check_url(url: str) -> None:
    try:
        check_url(url, local=settings.RAPPORT.local_webhooks)
    except UrlNotAllowed as error:
        raise EndpointUrlNotAllowed(
            "Give an https address on port 443 of a public host, without a user name.",
            errors=(FieldError("/url", "url-not-allowed"),),
            reason="ssrf",
        ) from error


def _give_secret(endpoint: WebhookEndpoint) -> str | None:
    """Make a new secret; return it where the owner needs it (v1), or None (v1a: it stays here)."""
    secret = secrets.token_bytes(32)
    endpoint.secret_sealed = aead.seal(
        secret, aad=_aad(endpoint.practice_id, endpoint.id), purpose="webhook-secret"
    )
    if endpoint.signature == "v1a":
        endpoint.public_key = "whpk_" + base64.b64encode(signing.public_key(secret)).decode()
        return None
    endpoint.public_key = ""
    return signing.secret_text(secret)


def get_endpoint(*, scope: Scope, endpoint_id: UUID, lock: bool = False) -> WebhookEndpoint:
    """Return an endpoint. :raises NotFound: there is none, or it was deleted"""
    found = WebhookEndpoint.objects.visible_to(scope).filter(id=endpoint_id)
    row: WebhookEndpoint | None = (
        (found.select_for_update() if lock else found).exclude(state="deleted").first()
    )
    if row is None:
        raise NotFound(_sought=[("webhook_endpoint", endpoint_id)])
    return row


def _save(scope: Scope, endpoint: WebhookEndpoint, *, now: datetime, changed: list[str]) -> None:
    endpoint.version += 1
    endpoint.updated_at = now
    endpoint.save()
    scope.trail.target("webhook_endpoint", endpoint.id, endpoint.version)
    scope.trail.changed += changed


def create_endpoint(
    *,
    scope: Scope,
    now: datetime,
    url: str,
    event_types: list[str],
    description: str,
    signature: str,
) -> tuple[WebhookEndpoint, str | None]:
    """
    Add an address that wants to be told.

    :return: the endpoint and its secret, which is shown once
    :raises EndpointUrlNotAllowed: webhooks do not go there
    :raises TooManyEndpoints: the practice has 50 already
    """
    scope.require(Permission.WEBHOOKS_MANAGE)
    _check_url(url)
    present = WebhookEndpoint.objects.visible_to(scope).exclude(state="deleted").count()
    if present >= MOST_ENDPOINTS:
        raise TooManyEndpoints(f"Delete one of the {MOST_ENDPOINTS} first.")
    endpoint = WebhookEndpoint(
        practice_id=scope.practice_id, url=url, event_types=list(dict.fromkeys(event_types)),
        description=description, signature=signature, created_at=now, updated_at=now,
    )  # fmt: skip
    secret = _give_secret(endpoint)
    endpoint.save(force_insert=True)
    scope.trail.target("webhook_endpoint", endpoint.id, endpoint.version)
    return endpoint, secret


def change_endpoint(
    *, scope: Scope, endpoint_id: UUID, if_match: str, now: datetime, given: Mapping[str, Any]
) -> WebhookEndpoint:
    """
    Change address, types or description.

    :raises NotFound: or PreconditionFailed, EndpointUrlNotAllowed
    """
    scope.require(Permission.WEBHOOKS_MANAGE)
    endpoint = get_endpoint(scope=scope, endpoint_id=endpoint_id, lock=True)
    etags.check(endpoint, if_match)
    for name, value in given.items():
        if value is None:
            raise Invalid("1 field is not valid.", errors=(FieldError(f"/{name}", "required"),))
    if "url" in given:
        _check_url(given["url"])
    changed = [name for name, value in given.items() if getattr(endpoint, name) != value]
    if changed:
        for name in changed:
            setattr(endpoint, name, given[name])
        _save(scope, endpoint, now=now, changed=changed)
    return endpoint


def delete_endpoint(*, scope: Scope, endpoint_id: UUID, now: datetime) -> None:
    """End an endpoint for good: its secrets are gone, what was on its way is dropped."""
    scope.require(Permission.WEBHOOKS_MANAGE)
    endpoint = get_endpoint(scope=scope, endpoint_id=endpoint_id, lock=True)
    endpoint.state = "deleted"
    endpoint.secret_sealed, endpoint.previous_secret_sealed = b"", None
    endpoint.public_key = endpoint.previous_public_key = ""
    Delivery.objects.visible_to(scope).filter(endpoint=endpoint, state="pending").update(
        state="dead", last_error="endpoint_deleted", leased_until=None
    )
    _save(scope, endpoint, now=now, changed=["state"])


def rotate(*, scope: Scope, endpoint_id: UUID, now: datetime) -> tuple[WebhookEndpoint, str | None]:
    """Give the endpoint a new secret; the old one signs beside it for 24 hours."""
    scope.require(Permission.WEBHOOKS_MANAGE)
    endpoint = get_endpoint(scope=scope, endpoint_id=endpoint_id, lock=True)
    endpoint.previous_secret_sealed = endpoint.secret_sealed
    endpoint.previous_public_key = endpoint.public_key
    endpoint.previous_secret_until = now + ROTATION
    secret = _give_secret(endpoint)
    _save(scope, endpoint, now=now, changed=["secret"])
    return endpoint, secret


def enable(*, scope: Scope, endpoint_id: UUID, now: datetime) -> WebhookEndpoint:
    """
    Let deliveries go to the endpoint again; those that wait are due at once.

    Events of the time it was disabled are not sent: `replay` brings them.
    """
    scope.require(Permission.WEBHOOKS_MANAGE)
    endpoint = get_endpoint(scope=scope, endpoint_id=endpoint_id, lock=True)
    _check_url(endpoint.url)
    if endpoint.state != "enabled":
        endpoint.state, endpoint.disabled_reason, endpoint.failing_since = "enabled", "", None
        _save(scope, endpoint, now=now, changed=["state"])
        Delivery.objects.visible_to(scope).filter(endpoint=endpoint, state="pending").update(
            next_attempt_at=now
        )
    return endpoint


def disable(
    *, scope: Scope, endpoint: WebhookEndpoint, now: datetime, reason: str = "by_owner"
) -> WebhookEndpoint:
    """
    Stop sending to a locked endpoint, and say so by `endpoint.disabled`.

    :param reason: `by_owner`, `gone` or `failing`
    """
    if endpoint.state != "enabled":
        return endpoint
    endpoint.state, endpoint.disabled_reason = "disabled", reason
    _save(scope, endpoint, now=now, changed=["state"])
    emit(
        "endpoint.disabled", scope=scope, object_type="webhook_endpoint", object_id=endpoint.id,
        version=endpoint.version, now=now, changed=["state"],
    )  # fmt: skip
    return endpoint


def ping(*, scope: Scope, endpoint_id: UUID, now: datetime) -> Delivery:
    """
    Send a test event to this endpoint and to no other.

    :raises StateConflict: it is disabled
    """
    scope.require(Permission.WEBHOOKS_MANAGE)
    endpoint = get_endpoint(scope=scope, endpoint_id=endpoint_id, lock=True)
    if endpoint.state != "enabled":
        raise StateConflict("Enable the endpoint first.", current_state=endpoint.state)
    event_id = emit(
        "endpoint.pinged", scope=scope, object_type="webhook_endpoint", object_id=endpoint.id,
        version=endpoint.version, now=now,
    )  # fmt: skip
    row = sql.one(
        "UPDATE outbox_outboxevent SET fanned_out_at = %s WHERE practice_id = %s AND id = %s"
        " RETURNING sequence",
        (now, scope.practice_id, event_id),
    )
    assert row is not None
    scope.trail.target("webhook_endpoint", endpoint.id, endpoint.version)
    return Delivery.objects.create(
        practice_id=scope.practice_id, endpoint=endpoint, event_id=event_id,
        object_id=endpoint.id, sequence=row[0], next_attempt_at=now, created_at=now,
    )  # fmt: skip


def retry_delivery(*, scope: Scope, delivery_id: UUID, now: datetime) -> Delivery:
    """
    Send a delivery again, from the start of its schedule, whatever became of it.

    :raises NotFound: no such delivery
    :raises StateConflict: its endpoint is disabled or deleted
    """
    scope.require(Permission.WEBHOOKS_MANAGE)
    delivery: Delivery | None = (
        Delivery.objects.visible_to(scope).select_for_update().filter(id=delivery_id).first()
    )
    if delivery is None:
        raise NotFound(_sought=[("delivery", delivery_id)])
    endpoint = WebhookEndpoint.objects.visible_to(scope).get(id=delivery.endpoint_id)
    if endpoint.state != "enabled":
        raise StateConflict("Enable the endpoint first.", current_state=endpoint.state)
    delivery.state, delivery.attempts, delivery.next_attempt_at = "pending", 0, now
    delivery.save(update_fields=["state", "attempts", "next_attempt_at"])
    scope.trail.target("delivery", delivery.id)
    return delivery


_REPLAY = """
INSERT INTO outbox_delivery (practice_id, id, endpoint_id, event_id, object_id, sequence, state,
    attempts, next_attempt_at, fence, last_error, created_at)
SELECT e.practice_id, gen_random_uuid(), %(endpoint)s, e.id, e.object_id, e.sequence, 'pending', 0,
    %(now)s + CASE row_number() OVER (PARTITION BY e.object_id ORDER BY e.sequence)
        WHEN 1 THEN interval '0' ELSE interval '1 minute' END,
    0, '', %(now)s
FROM outbox_outboxevent e
WHERE e.practice_id = %(practice)s
  AND (e.transaction_id, e.position) > (%(transaction)s, %(position)s)
  AND e.type <> 'endpoint.pinged'
  AND (%(every)s OR e.type = ANY (%(types)s))
ON CONFLICT (practice_id, endpoint_id, event_id) DO UPDATE
SET state = 'pending', attempts = 0, next_attempt_at = excluded.next_attempt_at
WHERE outbox_delivery.state <> 'pending'
"""


def replay(*, scope: Scope, endpoint_id: UUID, after: tuple[int, int], now: datetime) -> int:
    """
    Send every event after a place in the log again, in order; return how many.

    :param after: transaction and position, from a cursor of `GET /v1/events`
    :raises StateConflict: the endpoint is disabled
    """
    scope.require(Permission.WEBHOOKS_MANAGE)
    endpoint = get_endpoint(scope=scope, endpoint_id=endpoint_id, lock=True)
    if endpoint.state != "enabled":
        raise StateConflict("Enable the endpoint first.", current_state=endpoint.state)
    count = sql.run(
        _REPLAY,
        {
            "endpoint": endpoint.id, "practice": scope.practice_id, "now": now,
            "transaction": after[0], "position": after[1],
            "every": not endpoint.event_types, "types": endpoint.event_types,
        },
    )  # fmt: skip
    scope.trail.target("webhook_endpoint", endpoint.id, endpoint.version)
    scope.trail.count = count
    return count
