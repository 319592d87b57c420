"""Attention items: what somebody has to do. One open item per matter, however often it comes up."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import F

from rapport.platform.access.scope import Scope
from rapport.platform.outbox.emit import emit
from rapport.rooms.documents import services as documents
from rapport.rooms.exchange import events
from rapport.rooms.exchange.models import AttentionItem, Connection


def keep_picture(*, scope: Scope, picture: bytes | None, now: datetime) -> UUID | None:
    """Keep the picture of a page as a document; it shows no value."""
    if not picture:
        return None
    return documents.store(
        scope=scope, patient_id=None, kind="portal_picture", data=picture,
        content_type="image/png", now=now, announce=False,
    ).id  # fmt: skip


def call_for(
    *, scope: Scope, connection: Connection, matter: str, now: datetime, capability: str = "",
    subject_id: UUID | None = None, detail: str = "", picture_id: UUID | None = None,
) -> AttentionItem:
    """
    Ask somebody to act, or count that it came up again.

    The connection's row is locked by the caller's transaction here, so two workers make one item.
    """
    Connection.objects.visible_to(scope).select_for_update().filter(id=connection.id).first()
    same = AttentionItem.objects.visible_to(scope).filter(
        connection_id=connection.id, matter=matter, capability=capability, subject_id=subject_id,
        resolved_at__isnull=True,
    )  # fmt: skip
    if same.update(times=F("times") + 1, seen_at=now):
        known: AttentionItem = same.get()
        return known
    item: AttentionItem = AttentionItem.objects.create(
        practice_id=scope.practice_id, connection=connection, matter=matter, capability=capability,
        subject_id=subject_id, detail=detail[:300], picture_id=picture_id, opened_at=now, seen_at=now,
    )  # fmt: skip
    emit(
        events.NEEDS_ATTENTION, scope=scope, object_type="attention_item", object_id=item.id,
        version=1, now=now,
    )  # fmt: skip
    return item


def went_away(
    *, scope: Scope, connection: Connection, matters: Iterable[str], now: datetime,
    capability: str | None = None, subject_id: UUID | None = None,
) -> None:
    """Close the open items of these matters: what they ask for is done."""
    rows = AttentionItem.objects.visible_to(scope).filter(
        connection_id=connection.id, matter__in=[str(m) for m in matters], resolved_at__isnull=True
    )
    if capability is not None:
        rows = rows.filter(capability=capability)
    if subject_id is not None:
        rows = rows.filter(subject_id=subject_id)
    rows.update(resolved_at=now, resolved_by=scope.actor_id, resolution="by_itself")
