"""What is done for every connection again and again."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone

from rapport.platform.access.scope import Scope, system_scope
from rapport.platform.db import sql
from rapport.platform.db.session import entered
from rapport.platform.jobs import registry as jobs
from rapport.rooms.exchange import queries, services
from rapport.rooms.exchange.models import Connection, Write
from rapport.rooms.exchange.states import WORKS, ConnectionState

from .locks import is_free

PROBED_EVERY = timedelta(hours=24)
"""How often it is asked what the portal's user may do."""
FIRST_PROBE = timedelta(minutes=1)
"""The first one comes with the sign-in; one that was not over after so long is asked for again."""


def _practices() -> list[Scope]:
    """Return a scope for every practice that has a connection at work."""
    with transaction.atomic():
        found = sql.rows("SELECT practice_id, time_zone FROM rapport_connection_practices()")
    return [
        system_scope(practice_id=practice_id, actor_id=practice_id, time_zone=ZoneInfo(zone))
        for practice_id, zone in found
    ]


@jobs.periodic("exchange.tend", seconds=5)
def tend() -> None:
    """Ask for the readings that are due, take up open writes, and say what is late."""
    for scope in _practices():
        with entered(scope):
            connections = queries.live_connections(scope=scope)
        for connection in connections:
            with entered(scope):
                tend_one(scope, connection, now=timezone.now())


def tend_one(scope: Scope, connection: Connection, *, now: datetime) -> None:
    """Do for one connection what is due."""
    services.expire_challenges(scope=scope, connection_id=connection.id, now=now)
    if connection.state != ConnectionState.LINKING:
        services.note_lateness(scope=scope, connection=connection, now=now, zone=scope.time_zone)
    services.go_on_where_able(scope=scope, connection=connection)
    if services.is_to_come_back(scope=scope, connection=connection, now=now):
        jobs.defer(
            "exchange.sign_in", scope, queueing_lock=f"sign-in:{connection.id}", connection_id=connection.id, cause="person"
        )
    services.ask_about_old_doubts(scope=scope, connection_id=connection.id, now=now)
    if connection.state not in WORKS:
        return
    for write in _due_writes(scope, connection, now):
        services.defer(scope=scope, write=write)
    for artefact in queries.wanted_artefacts(scope=scope, connection_id=connection.id, now=now):
        services.defer_fetch(scope=scope, artefact=artefact)
    services.tend_exports(scope=scope, connection=connection, now=now, zone=scope.time_zone)
    for kind, near in services.due_kinds(scope=scope, connection=connection, now=now, zone=scope.time_zone):
        services.defer_sync(scope=scope, connection=connection, kind=kind, near=near)
    if _to_probe(connection, now):
        jobs.defer(
            "exchange.probe", scope, queueing_lock=f"probe:{connection.id}", connection_id=connection.id
        )
    if services.is_look_due(connection=connection, now=now, zone=scope.time_zone):
        jobs.defer("exchange.look", scope, queueing_lock=f"look:{connection.id}", connection_id=connection.id)
    if services.to_keep_alive(scope=scope, connection_id=connection.id, now=now):
        jobs.defer(
            "exchange.keep_alive", scope, queueing_lock=f"alive:{connection.id}",
            connection_id=connection.id,
        )  # fmt: skip


def _due_writes(scope: Scope, connection: Connection, now: datetime) -> list[Write]:
    """Return writes to take up. One that is in a worker's hands is among them when that worker is gone."""
    due = queries.due_writes(scope=scope, connection_id=connection.id, now=now)
    free = [write for write in due if write.leased_until is None or write.leased_until <= now]
    return due if len(free) < len(due) and is_free(connection.id, "writer") else free


def _to_probe(connection: Connection, now: datetime) -> bool:
    if connection.probed_at is None:
        return connection.state_changed_at < now - FIRST_PROBE
    return connection.probed_at < now - PROBED_EVERY


@jobs.periodic("exchange.clear_away", seconds=3600)
def clear_away() -> None:
    """Remove old runs that say nothing."""
    for scope in _practices():
        with entered(scope):
            for connection in queries.live_connections(scope=scope):
                services.clear_away(scope=scope, connection_id=connection.id, now=timezone.now())
