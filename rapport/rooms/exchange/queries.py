"""Questions about connections and what belongs to them. They take the scope first and change nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar
from uuid import UUID

from django.db import models

from rapport.kernel.problems import NotFound
from rapport.platform.access.scope import Scope
from rapport.platform.crypto import aead
from rapport.platform.db.rows import by_id
from rapport.platform.identity.ports import PortalChallenge
from rapport.platform.tenancy.models import PracticeRecord

from .models import (
    Artefact,
    AttentionItem,
    Breaker,
    Challenge,
    CodeMailbox,
    Connection,
    ExportOrder,
    Mirror,
    Secret,
    Shadow,
    Write,
)
from .rules import canonical
from .states import (
    MAY_SIGN_IN,
    OPEN_EXPORTS,
    OPEN_WRITES,
    WORKS,
    ChallengeState,
    ConnectionState,
    WriteState,
)

M = TypeVar("M", bound=PracticeRecord)


def get_connection(*, scope: Scope, connection_id: UUID, lock: bool = False) -> Connection:
    """Return a connection. :raises NotFound: there is none"""
    row = by_id(Connection, scope=scope, id=connection_id, lock=lock)
    if row is None:
        raise NotFound(_sought=[("connection", connection_id)])
    scope.trail.target("connection", row.id, row.version)
    return row


def _child(model: type[M], kind: str, *, scope: Scope, connection_id: UUID, id: UUID, lock: bool) -> M:
    get_connection(scope=scope, connection_id=connection_id)
    row = by_id(model, scope=scope, id=id, lock=lock)
    if row is None:
        raise NotFound(_sought=[(kind, id)])
    if row.connection_id != connection_id:  # type: ignore[attr-defined]
        raise NotFound(reason="parent_mismatch")
    scope.trail.target(kind, row.id)
    return row


def get_challenge(*, scope: Scope, connection_id: UUID, challenge_id: UUID, lock: bool = False) -> Challenge:
    """Return a challenge of a connection. :raises NotFound: there is none"""
    return _child(
        Challenge, "challenge", scope=scope, connection_id=connection_id, id=challenge_id, lock=lock
    )


def get_item(*, scope: Scope, connection_id: UUID, item_id: UUID, lock: bool = False) -> AttentionItem:
    """Return an attention item of a connection. :raises NotFound: there is none"""
    return _child(
        AttentionItem, "attention_item", scope=scope, connection_id=connection_id, id=item_id, lock=lock
    )


def get_write(*, scope: Scope, connection_id: UUID, write_id: UUID, lock: bool = False) -> Write:
    """Return a write of a connection. :raises NotFound: there is none"""
    row = _child(
        Write, "connector_write", scope=scope, connection_id=connection_id, id=write_id, lock=lock
    )
    if row.patient_id:
        scope.trail.patient_ids.add(row.patient_id)
    return row


def portal_challenges(*, scope: Scope, now: datetime) -> list[PortalChallenge]:
    """Return what the practice's portals wait for, for whoever signs in here; the one that ends first before the others."""
    rows = (
        Challenge.objects.visible_to(scope)
        .filter(state=ChallengeState.OPEN, expires_at__gt=now, connection__state__in=MAY_SIGN_IN)
        .order_by("expires_at", "id")
    )
    return [
        PortalChallenge(row.connection_id, row.id, row.factor, row.masked_destination, row.expires_at)
        for row in rows
    ]


def rows_of(model: type[M], *, scope: Scope, ids: Sequence[UUID]) -> list[M]:
    """Return rows in the order of their ids; those that are not the actor's to see are left out."""
    found = {row.id: row for row in model.objects.visible_to(scope).filter(id__in=list(ids))}
    return [found[id] for id in ids if id in found]


def latest_write(*, scope: Scope, connection_id: UUID, key: str) -> Write | None:
    """Return the write with a caller's key, if there is one."""
    row: Write | None = Write.objects.visible_to(scope).filter(connection_id=connection_id, key=key).first()
    return row


def has_secret(*, scope: Scope, connection_id: UUID) -> frozenset[str]:
    """Return the kinds of secrets that are kept. Never a value."""
    return frozenset(
        Secret.objects.visible_to(scope).filter(connection_id=connection_id).values_list("kind", flat=True)
    )


def mailbox_of(*, scope: Scope, connection_id: UUID) -> tuple[CodeMailbox, bool] | None:
    """Return the mailbox for codes, and whether its server takes the password as far as is known."""
    row = CodeMailbox.objects.visible_to(scope).filter(connection_id=connection_id).first()
    if row is None:
        return None
    usable = Secret.objects.visible_to(scope).filter(
        connection_id=connection_id, kind="mailbox", rejected_at__isnull=True
    )
    return row, usable.exists()


def mirrors_of(*, scope: Scope, connection_id: UUID) -> dict[str, Mirror]:
    """Return kind -> how fresh it is."""
    rows = Mirror.objects.visible_to(scope).filter(connection_id=connection_id)
    return {row.kind: row for row in rows}


def remote_ids(*, scope: Scope, connection_id: UUID, kind: str) -> list[str]:
    """Return the portal's ids of all records of a kind that it still has, in an order that stays."""
    rows = Shadow.objects.visible_to(scope).filter(
        connection_id=connection_id, kind=kind, gone_at__isnull=True
    )  # fmt: skip
    return list(rows.order_by("first_run_id", "remote_id").values_list("remote_id", flat=True))


def mirrored_on(*, scope: Scope, connection: Connection, kind: str, days: Sequence[date]) -> list[Mirrored]:
    """
    Return the records of a kind that the portal has on some days. The caller has checked the permission.

    Copies that do not say their day are among them.
    """
    rows = Shadow.objects.visible_to(scope).filter(
        models.Q(day_on__in=list(days)) | models.Q(day_on__isnull=True), connection_id=connection.id,
        kind=kind, gone_at__isnull=True,
    )  # fmt: skip
    return [_shown(row, connection) for row in rows]


def breakers_of(*, scope: Scope, connection_id: UUID) -> list[Breaker]:
    """Return the breakers that are open."""
    return list(
        Breaker.objects.visible_to(scope).filter(connection_id=connection_id, opened_at__isnull=False)
    )


def open_items(*, scope: Scope, connection_id: UUID) -> list[AttentionItem]:
    """Return what somebody has to do, newest first."""
    return list(
        AttentionItem.objects.visible_to(scope)
        .filter(connection_id=connection_id, resolved_at__isnull=True)
        .order_by("-opened_at")
    )


def live_connections(*, scope: Scope) -> list[Connection]:
    """Return the connections that are not paused or withdrawn."""
    return list(Connection.objects.visible_to(scope).filter(state__in=MAY_SIGN_IN))


def standing_connections(*, scope: Scope) -> list[Connection]:
    """Return the connections whose consent was not taken back, whatever their state."""
    return list(Connection.objects.visible_to(scope).exclude(state=ConnectionState.WITHDRAWN))


def working_connections(*, scope: Scope) -> list[Connection]:
    """Return the connections for which scheduled work is done."""
    return list(Connection.objects.visible_to(scope).filter(state__in=WORKS))


def due_writes(*, scope: Scope, connection_id: UUID, now: datetime) -> list[Write]:
    """Return writes that are not settled and due, those among them that are in a worker's hands."""
    due = models.Q(retry_at__isnull=True) | models.Q(retry_at__lte=now)
    approved = models.Q(attended=False) | models.Q(approved_at__isnull=False)
    return list(
        Write.objects.visible_to(scope)
        .filter(due, approved, connection_id=connection_id, state__in=OPEN_WRITES)
        .order_by("created_at")
    )


def due_doubts(*, scope: Scope, connection_id: UUID, now: datetime, most: int) -> list[UUID]:
    """Return writes that were sent and are to be looked for now, the oldest first."""
    due = models.Q(retry_at__isnull=True) | models.Q(retry_at__lte=now)
    rows = Write.objects.visible_to(scope).filter(
        due, connection_id=connection_id, state__in=[WriteState.SUBMITTED, WriteState.IN_DOUBT]
    )  # fmt: skip
    return list(rows.order_by("state_changed_at").values_list("id", flat=True)[:most])


def wanted_artefacts(*, scope: Scope, connection_id: UUID, now: datetime) -> list[Artefact]:
    """Return files that were asked for, are not here yet, and may be tried now."""
    due = models.Q(retry_at__isnull=True) | models.Q(retry_at__lte=now)
    return list(
        Artefact.objects.visible_to(scope)
        .filter(due, connection_id=connection_id, document_id__isnull=True)
        .order_by("asked_at")
    )


def open_exports(*, scope: Scope, connection_id: UUID) -> list[ExportOrder]:
    """Return the exports that were ordered and are not compared yet."""
    rows = ExportOrder.objects.visible_to(scope).filter(connection_id=connection_id, state__in=OPEN_EXPORTS)
    return list(rows.order_by("asked_at"))


def last_exports(*, scope: Scope, connection_id: UUID) -> list[ExportOrder]:
    """Return the last export of each kind."""
    rows = ExportOrder.objects.visible_to(scope).filter(connection_id=connection_id)
    return list(rows.order_by("kind", "-asked_at").distinct("kind"))


@dataclass(frozen=True, slots=True)
class Mirrored:
    """One record of a portal as the mirror has it, with its source."""

    connection_id: UUID
    kind: str
    remote_id: str
    values: Mapping[str, Any]
    absent: Mapping[str, str]
    raw: Mapping[str, str]
    """Field -> its text as the portal has it, where the value is another."""
    system: str
    as_of: datetime
    gone: bool


def shadow_place(row: Shadow) -> bytes:
    """Return what a copy is sealed for: its own place and no other."""
    return f"exchange_shadow|{row.practice_id}|{row.connection_id}|{row.kind}|{row.remote_id}".encode()


def read_shadow(*, shadow: Shadow) -> dict[str, Any]:
    """Return the values of a copy at hand."""
    return canonical.load(
        aead.open_(bytes(shadow.values_sealed), aad=shadow_place(shadow), purpose="field")
    )


def raw_place(row: Shadow) -> bytes:
    """Return what the texts of a copy as the portal has them are sealed for."""
    return shadow_place(row) + b"|raw"


def read_raw(*, shadow: Shadow) -> dict[str, str]:
    """Return the texts of a copy at hand that the portal has otherwise than the record: field -> text."""
    if shadow.raw_sealed is None:
        return {}
    return canonical.load(aead.open_(bytes(shadow.raw_sealed), aad=raw_place(shadow), purpose="field"))


def mirrored(*, scope: Scope, connection_id: UUID, kind: str, remote_id: str) -> Mirrored | None:
    """
    Return one record as the mirror has it. The caller has checked the permission of its kind.

    :return: None when the portal was never seen to have it
    """
    row = Shadow.objects.visible_to(scope).filter(
        connection_id=connection_id, kind=kind, remote_id=remote_id
    ).first()  # fmt: skip
    if row is None:
        return None
    return _shown(row, get_connection(scope=scope, connection_id=connection_id))


def _shown(row: Shadow, connection: Connection) -> Mirrored:
    return Mirrored(
        connection_id=connection.id, kind=row.kind, remote_id=row.remote_id,
        values=read_shadow(shadow=row), absent=row.absent, raw=read_raw(shadow=row), system=connection.definition,
        as_of=row.read_at, gone=row.gone_at is not None,
    )  # fmt: skip
