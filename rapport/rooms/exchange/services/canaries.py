"""
Once a day the same page is read over HTTP and in a real browser, and what is watched in it compared.

What differs in both is `suspect`: the list is not read any more until both say the same again, a person accepts it,
or there is a newer definition. Of the values the report has keyed digests.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from rapport.platform.access.scope import Scope
from rapport.platform.crypto import aead
from rapport.rooms.exchange import queries
from rapport.rooms.exchange.models import Breaker, Connection
from rapport.rooms.exchange.ports import Finding, Reason, Row, View, Views
from rapport.rooms.exchange.rules import canonical, freshness
from rapport.rooms.exchange.states import WORKS

from . import attention, breakers, troubles
from .portals import ability_of, manifest_of
from .schedule import is_quiet_now, kinds_of

EVERY = timedelta(hours=24)
AGAIN = timedelta(hours=1)
"""After a look that did not work, or that saw a difference; and so long a new connection is left to its first readings."""


def is_look_due(*, connection: Connection, now: datetime, zone: ZoneInfo) -> bool:
    """Tell whether it is time to look: once a day, and at once where the definition has changed. Not in quiet hours."""
    if connection.state not in WORKS or is_quiet_now(connection=connection, now=now, zone=zone):
        return False
    if connection.look_at is None:
        return connection.created_at < now - AGAIN
    manifest = manifest_of(connection.definition)
    changed = manifest is not None and manifest.revision != connection.looked_revision
    return changed or connection.look_at <= now


def begin_look(*, scope: Scope, connection_id: UUID, today: date, now: datetime) -> dict[str, dict[str, str]]:
    """
    Return the lists to look at, each with what it takes; none: nothing is watched, or was read yet.

    The next look is in an hour, unless this one says that all is well.
    """
    connection = queries.get_connection(scope=scope, connection_id=connection_id, lock=True)
    mirrors = queries.mirrors_of(scope=scope, connection_id=connection_id)
    manifest = manifest_of(connection.definition)
    asked = {
        f"{kind}.read": freshness.given(freshness.around(kind, today=today))
        for kind in kinds_of(connection)
        if kind in mirrors and mirrors[kind].fresh_at is not None and _watched(connection, f"{kind}.read")
    }
    _note(scope, connection, at=now + AGAIN, revision=manifest.revision if manifest else 0)
    return asked


def record_look(*, scope: Scope, connection_id: UUID, views: Views, now: datetime) -> list[str]:
    """
    Draw the consequences of a look.

    :return: the abilities whose values differ
    """
    connection = queries.get_connection(scope=scope, connection_id=connection_id, lock=True)
    different = []
    for ability, view in sorted(views.lists.items()):
        findings = compare(
            view, ability=ability, watched=_watched(connection, ability), context=f"exchange_canary|{connection.id}"
        )
        if findings:
            different.append(ability)
            troubles.drifted(
                scope=scope, connection=connection, capability=ability, verdict="suspect", now=now,
                matter=Reason.DRIFT_SUSPECT, findings=findings,
            )  # fmt: skip
            breakers.open_breaker(
                scope=scope, connection=connection, kind="drift", reason=Reason.DRIFT_SUSPECT, capability=ability, now=now
            )
        elif _stopped_so(scope, connection, ability):
            breakers.close_breaker(scope=scope, connection=connection, kind="drift", capability=ability, now=now)
            attention.went_away(
                scope=scope, connection=connection, matters=[Reason.DRIFT_SUSPECT], now=now, capability=ability
            )
    if not different:
        _note(scope, connection, at=now + EVERY, revision=connection.looked_revision)
    return different


def _note(scope: Scope, connection: Connection, *, at: datetime, revision: int) -> None:
    Connection.objects.visible_to(scope).filter(id=connection.id).update(look_at=at, looked_revision=revision)
    connection.look_at, connection.looked_revision = at, revision


def _watched(connection: Connection, ability: str) -> tuple[str, ...]:
    found = ability_of(definition=connection.definition, name=ability)
    return found.watched if found is not None else ()


def _stopped_so(scope: Scope, connection: Connection, ability: str) -> bool:
    rows = Breaker.objects.visible_to(scope).filter(connection_id=connection.id, capability=ability, kind="drift")
    return bool(rows.filter(reason=Reason.DRIFT_SUSPECT, opened_at__isnull=False).exists())


def compare(view: View, *, ability: str, watched: Collection[str], context: str) -> list[Finding]:
    """
    Return the watched fields whose values a browser shows otherwise than HTTP brings them, before it and after it.

    :param context: what the digests are keyed for: the same values of one connection have the same digest
    """
    place = ability.removesuffix(".read")
    http, again, shown = (_by_id(rows) for rows in (view.http, view.again, view.browser))
    both = [id for id in http if id in again and id in shown]
    if not both and set(http) & set(again):
        return [Finding(place, seen=f"none of {len(http)} records in a browser", expected="those that HTTP brings", note="canary")]
    found = []
    for name in watched:
        differ = [
            id for id in both
            if name in http[id] and name in shown[id] and shown[id][name] not in (http[id][name], again[id].get(name))
        ]  # fmt: skip
        if differ:
            first, second = (
                aead.blind_index(f"{side[differ[0]][name]}", context=f"{context}|{place}.{name}").hex()[:16] for side in (shown, http)
            )
            found.append(Finding(
                f"{place}.{name}", seen=f"browser {first}, another in {len(differ)} of {len(both)} records",
                expected=f"http {second}", note="canary",
            ))  # fmt: skip
    return found


def _by_id(rows: Sequence[Row]) -> dict[str, dict[str, Any]]:
    return {row.remote_id: canonical.record(row.values) for row in rows if row.remote_id}
