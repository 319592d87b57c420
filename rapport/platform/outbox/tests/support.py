"""What the outbox's tests share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.utils import timezone

from rapport.kernel.ids import new_uuid
from rapport.platform.outbox.emit import emit
from rapport.platform.outbox.relay import Relay
from tests.support.cast import House


def endpoint(house: House, url: str, **fields: Any) -> dict[str, Any]:
    """Add an endpoint over the API."""
    answer = house.admin.post("/v1/webhook-endpoints", {"url": url, **fields})
    assert answer.status_code == 201, answer.content
    return answer.json()


def tell(
    house: House, *, object_id: UUID | None = None, times: int = 1, changed: Sequence[str] = ()
) -> UUID:
    """Commit events about one object."""
    object_id = object_id or new_uuid()
    with house.entered() as scope:
        for version in range(1, times + 1):
            emit(
                "patient.updated", scope=scope, object_type="patient", object_id=object_id,
                version=version, now=timezone.now(), changed=changed,
            )  # fmt: skip
    return object_id


def settle(house: House, **options: Any) -> Relay:
    """Run a relay for one practice until nothing is due."""
    relay = Relay(practice_id=house.id, **options)
    while relay.fan_out():
        pass
    while lease := relay.lease():
        relay.deliver(lease)
    return relay


def deliveries(house: House, query: str = "") -> list[dict[str, Any]]:
    """Return the practice's deliveries over the API, oldest first."""
    answer = house.admin.get(f"/v1/webhook-deliveries?sort=created_at&limit=100{query}")
    assert answer.status_code == 200, answer.content
    return answer.json()["data"]


def due_now(house: House) -> None:
    """Let the time pass until everything that waits is due."""
    from rapport.platform.outbox.models import Delivery

    with house.entered() as scope:
        Delivery.objects.visible_to(scope).filter(state="pending").update(
            next_attempt_at=timezone.now()
        )
