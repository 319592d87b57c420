"""
The session pool: sealed bytes, an epoch, and a lease.

A sign-in begins an epoch. A lease carries the epoch it was given; what comes back under an older one
is thrown away. Inside an epoch each answer follows the one before it, by compare-and-swap on the jar's
number: where a portal changes the session with its answers, requests take turns (`jobs/turns.py`).
Elsewhere answers may cross, and the later one is kept: nothing else tells them apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import F, Q

from rapport.platform.access.scope import Scope
from rapport.platform.crypto import aead
from rapport.rooms.exchange.models import Connection, PortalSession

LEASE = timedelta(seconds=120)
"""How long a session is kept alive after somebody took it."""
PURPOSE = "portal-session"


@dataclass(frozen=True, slots=True)
class Lease:
    """A session in somebody's hands."""

    connection_id: UUID
    epoch: int
    jar: int
    session: bytes
    fruitful: bool = False
    """Whether a call was answered in this epoch, as far as was known when it was taken."""


def _place(scope: Scope, connection_id: UUID, epoch: int) -> bytes:
    return f"exchange_portalsession|{scope.practice_id}|{connection_id}|{epoch}".encode()


def row_of(*, scope: Scope, connection: Connection) -> PortalSession:
    """Return the session's row, locked; make it when there is none."""
    PortalSession.objects.bulk_create(
        [PortalSession(practice_id=scope.practice_id, connection=connection)], ignore_conflicts=True
    )
    row: PortalSession = (
        PortalSession.objects.visible_to(scope).select_for_update().get(connection_id=connection.id)
    )
    return row


def lease(*, scope: Scope, connection_id: UUID, now: datetime, hold: bool = True) -> Lease | None:
    """
    Take the session of a connection.

    :param hold: False: it is not kept alive for this
    :return: None: there is none, sign in
    """
    row = PortalSession.objects.visible_to(scope).filter(connection_id=connection_id).first()
    if row is None or row.sealed is None:
        return None
    if hold:
        PortalSession.objects.visible_to(scope).filter(id=row.id).update(leased_until=now + LEASE)
    return Lease(connection_id, row.epoch, row.jar, _opened(scope, row, row.sealed), row.fruitful_epoch == row.epoch)


def standing(*, scope: Scope, connection_id: UUID, epoch: int) -> Lease | None:
    """Return the session as it stands now, for who holds a lease of it. :return: None: that epoch is over"""
    row = PortalSession.objects.visible_to(scope).filter(
        connection_id=connection_id, epoch=epoch, sealed__isnull=False
    ).first()  # fmt: skip
    if row is None:
        return None
    return Lease(connection_id, epoch, row.jar, _opened(scope, row, row.sealed))


def _opened(scope: Scope, row: PortalSession, sealed: bytes) -> bytes:
    return aead.open_(
        bytes(sealed), aad=_place(scope, row.connection_id, row.epoch), purpose=PURPOSE
    )


def begin_epoch(
    *, scope: Scope, connection: Connection, session: bytes, idle_seconds: int, subject_digest: bytes,
    now: datetime,
) -> int:
    """Keep a fresh session and begin its epoch. :return: the epoch"""
    row = row_of(scope=scope, connection=connection)
    row.epoch, row.jar = row.epoch + 1, 0
    row.sealed = aead.seal(session, aad=_place(scope, connection.id, row.epoch), purpose=PURPOSE)
    row.ended = None
    row.idle_seconds, row.subject_digest = idle_seconds, subject_digest
    row.began_at = row.answered_at = now
    row.save()
    return row.epoch


def write_back(*, scope: Scope, lease: Lease, session: bytes, at: datetime) -> bool:
    """
    Keep what the portal made of a session.

    :param at: when the answer came: of two that crossed the later one is kept
    :return: False when it was thrown away: another epoch, no session any more, or an older answer
    """
    mine = Q(jar=lease.jar) | Q(answered_at__lt=at)
    values: dict[str, object] = {"answered_at": at}
    if session != lease.session:
        values["sealed"] = aead.seal(
            session, aad=_place(scope, lease.connection_id, lease.epoch), purpose=PURPOSE
        )
        values["jar"] = F("jar") + 1
    kept = PortalSession.objects.visible_to(scope).filter(
        mine, connection_id=lease.connection_id, epoch=lease.epoch, sealed__isnull=False
    ).update(**values)  # fmt: skip
    return kept == 1


def end_epoch(*, scope: Scope, connection_id: UUID, epoch: int) -> bool:
    """
    The portal does not know the session any more. What the browser carried is kept for the renewal.

    :return: False when a newer epoch stands
    """
    ended = PortalSession.objects.visible_to(scope).filter(
        connection_id=connection_id, epoch=epoch, sealed__isnull=False
    ).update(ended=F("sealed"), sealed=None, leased_until=None)  # fmt: skip
    return ended == 1


def ended(*, scope: Scope, connection_id: UUID) -> bytes | None:
    """Return the session that ended last, as it was; None: there is none to begin from."""
    row = PortalSession.objects.visible_to(scope).filter(
        connection_id=connection_id, sealed__isnull=True, ended__isnull=False
    ).first()  # fmt: skip
    return None if row is None else _opened(scope, row, row.ended)


def forget(*, scope: Scope, connection_id: UUID) -> None:
    """Erase what is left of a session that does not stand any more, or shall not."""
    PortalSession.objects.visible_to(scope).filter(connection_id=connection_id).update(
        sealed=None, ended=None, leased_until=None
    )


def note_fruit(*, scope: Scope, connection_id: UUID, epoch: int) -> None:
    """A call was answered in this epoch."""
    PortalSession.objects.visible_to(scope).filter(
        connection_id=connection_id, epoch=epoch, fruitful_epoch__lt=epoch
    ).update(fruitful_epoch=epoch)  # fmt: skip


def is_fruitful(*, scope: Scope, connection_id: UUID, epoch: int) -> bool:
    """Tell whether any call was answered in an epoch, or in one after it."""
    return PortalSession.objects.visible_to(scope).filter(
        connection_id=connection_id, fruitful_epoch__gte=epoch
    ).exists()  # fmt: skip


def standing_epoch(*, scope: Scope, connection_id: UUID) -> int:
    """Return the number of the epoch whose session stands; 0: none does."""
    row = PortalSession.objects.visible_to(scope).filter(connection_id=connection_id, sealed__isnull=False).first()
    return row.epoch if row else 0


def epoch_of(*, scope: Scope, connection_id: UUID) -> int:
    """Return the number of the epoch; 0: nobody ever signed in."""
    row = PortalSession.objects.visible_to(scope).filter(connection_id=connection_id).first()
    return row.epoch if row else 0


def to_keep_alive(*, scope: Scope, connection_id: UUID, now: datetime) -> bool:
    """Tell whether the session is leased, and silent for so long that it may soon end."""
    row = PortalSession.objects.visible_to(scope).filter(
        connection_id=connection_id, sealed__isnull=False, leased_until__gt=now
    ).first()  # fmt: skip
    if row is None or row.answered_at is None or not row.idle_seconds:
        return False
    return bool((now - row.answered_at).total_seconds() > row.idle_seconds / 2)
