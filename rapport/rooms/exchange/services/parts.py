"""
Lists that a portal shows for one patient at a time: whose is read when.

All of them are read once, when the connection begins or somebody asks. After that those are read whose patient is
new or other than before, or whose list missed a record; and of the rest a few at a time, so that each is read once a day.
"""

from __future__ import annotations

from datetime import datetime

from django.db.models import Min

from rapport.platform.access.scope import Scope
from rapport.rooms.exchange import queries
from rapport.rooms.exchange.models import Connection, Mirror, PartRead, Shadow
from rapport.rooms.exchange.rules import freshness


def due(*, scope: Scope, connection: Connection, kind: str, near: bool, now: datetime) -> list[str]:
    """
    Return the portal's ids of the patients whose list is to be read now, the most urgent first.

    :param near: False: all of them
    """
    patients = queries.remote_ids(scope=scope, connection_id=connection.id, kind="patients")
    if not near:
        return patients
    read = _read(scope, connection, kind)
    changed = dict(
        Shadow.objects.visible_to(scope)
        .filter(connection_id=connection.id, kind="patients", gone_at__isnull=True)
        .values_list("remote_id", "changed_at")
    )
    missed = set(
        Shadow.objects.visible_to(scope)
        .filter(connection_id=connection.id, kind=kind, gone_at__isnull=True, misses__gt=0)
        .values_list("part", flat=True)
    )
    urgent = [id for id in patients if id not in read or changed[id] > read[id] or id in missed]
    rest = sorted(set(patients) - set(urgent), key=lambda id: (read[id], id))
    mirror = Mirror.objects.visible_to(scope).filter(connection_id=connection.id, kind=kind).first()
    since = mirror.tried_at if mirror is not None and mirror.tried_at is not None else now
    return urgent + rest[: freshness.share(len(patients), seconds=(now - since).total_seconds())]


def note(*, scope: Scope, connection: Connection, kind: str, part: str, at: datetime) -> None:
    """Note that a patient's list was read, and when."""
    PartRead.objects.bulk_create(
        [PartRead(practice_id=scope.practice_id, connection=connection, kind=kind, part=part, read_at=at)],
        update_conflicts=True, update_fields=["read_at"],
        unique_fields=["practice_id", "connection_id", "kind", "part"],
    )  # fmt: skip


def oldest(*, scope: Scope, connection: Connection, kind: str) -> datetime | None:
    """Return when the list was read that was not read for longest, of the patients that there are."""
    there = queries.remote_ids(scope=scope, connection_id=connection.id, kind="patients")
    rows = PartRead.objects.visible_to(scope).filter(connection_id=connection.id, kind=kind, part__in=there)
    found: datetime | None = rows.aggregate(at=Min("read_at"))["at"]
    return found


def _read(scope: Scope, connection: Connection, kind: str) -> dict[str, datetime]:
    rows = PartRead.objects.visible_to(scope).filter(connection_id=connection.id, kind=kind)
    return dict(rows.values_list("part", "read_at"))
