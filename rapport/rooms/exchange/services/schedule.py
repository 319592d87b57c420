"""What is read when: on schedule by how fresh it has to be, and at once when somebody asks."""

from __future__ import annotations

from datetime import datetime
from math import ceil
from uuid import UUID
from zoneinfo import ZoneInfo

from rapport.kernel.problems import FieldError, Invalid
from rapport.platform.access.scope import Scope
from rapport.platform.jobs import registry as jobs
from rapport.rooms.exchange import queries
from rapport.rooms.exchange.models import Connection, Mirror, SyncRun
from rapport.rooms.exchange.problems import ConnectionStands, PortalPace
from rapport.rooms.exchange.rules import freshness
from rapport.rooms.exchange.states import WORKS

from . import breakers, pacing
from .portals import manifest_of


def ask_refresh(*, scope: Scope, connection_id: UUID, kinds: list[str], now: datetime) -> list[str]:
    """
    Ask for a reading now, ahead of schedule.

    :param kinds: what to read; empty: all that the portal's user may
    :raises ConnectionStands: nothing goes out until somebody acts
    :raises PortalPace: the portal is asked as fast as it allows, and all of it waits for that already
    """
    connection = queries.get_connection(scope=scope, connection_id=connection_id)
    if connection.state not in WORKS:
        raise ConnectionStands(
            "See the open attention items.", current_state=connection.state,
            reason_code=connection.reason or None,
        )
    known = kinds_of(connection)
    unknown = [kind for kind in kinds if kind not in known]
    if unknown:
        fault = FieldError("/what", "not-known", f"Known: {', '.join(known)}.")
        raise Invalid("1 field is not valid.", errors=(fault,))
    pacing.require_room(scope=scope, connection=connection, now=now)
    wanted = kinds or known
    asked = [defer_sync(scope=scope, connection=connection, kind=kind, near=False) for kind in wanted]
    if not any(asked) and pacing.is_at_pace(scope=scope, connection_id=connection.id, now=now):
        seconds = _last_took(scope=scope, connection_id=connection.id, kinds=wanted)
        raise PortalPace(headers={"Retry-After": str(seconds)}, reason="portal_pace")
    return wanted


def _last_took(*, scope: Scope, connection_id: UUID, kinds: list[str]) -> int:
    """Return how many seconds the longest of the last readings of some kinds took, within reason."""
    took = 1.0
    for kind in kinds:
        last = SyncRun.objects.visible_to(scope).filter(
            connection_id=connection_id, kind=kind, ended_at__isnull=False
        ).order_by("-began_at").first()  # fmt: skip
        if last is not None and last.ended_at is not None:
            took = max(took, (last.ended_at - last.began_at).total_seconds())
    return min(60, ceil(took))


def kinds_of(connection: Connection) -> list[str]:
    """
    Return the kinds that can be read as a whole and that the portal's user was not seen to be refused.

    A list that has to be asked for by patient is whole when it was asked for each of them.
    """
    return sorted(_needs_of(connection))


def is_by_patient(*, connection: Connection, kind: str) -> bool:
    """Tell whether a kind has to be asked for patient by patient."""
    return _needs_of(connection).get(kind) == _BY_PATIENT


def promised_seconds(*, connection: Connection, kind: str) -> int:
    """Return how old a kind may be; of lists that are asked for by patient, how old the oldest may be."""
    if is_by_patient(connection=connection, kind=kind):
        return freshness.PARTS_LATE_SECONDS
    return freshness.target_seconds(kind)


def read_parts_again(*, scope: Scope, connection: Connection) -> None:
    """Patients are new, or other than they were: have what is asked for by patient read for these."""
    mirrors = queries.mirrors_of(scope=scope, connection_id=connection.id)
    for kind, needs in _needs_of(connection).items():
        if needs == _BY_PATIENT and kind in mirrors and mirrors[kind].whole_at is not None:
            defer_sync(scope=scope, connection=connection, kind=kind, near=True)


_BY_PATIENT = ("patient_id",)


def _needs_of(connection: Connection) -> dict[str, tuple[str, ...]]:
    manifest = manifest_of(connection.definition)
    if manifest is None:
        return {}
    may = {
        one.name.removesuffix(".read"): one.needs for one in manifest.abilities
        if one.kind == "read" and one.name.endswith(".read") and connection.permitted.get(one.name, True)
    }  # fmt: skip
    # Whose lists are asked for one by one has to be known from the list of patients.
    known = ((), _BY_PATIENT) if "patients" in may else ((),)
    return {kind: needs for kind, needs in may.items() if needs in known}


def waits_for(*, scope: Scope, connection: Connection, kind: str) -> list[str]:
    """Return the kinds that are to be read before this one is read for the first time."""
    mirrors = queries.mirrors_of(scope=scope, connection_id=connection.id)
    stopped = {one.capability for one in queries.breakers_of(scope=scope, connection_id=connection.id)}
    return freshness.waits_for(
        kind, readable=[one for one in kinds_of(connection) if f"{one}.read" not in stopped],
        read=[one for one, mirror in mirrors.items() if mirror.whole_at is not None],
    )  # fmt: skip


def read_what_waited(*, scope: Scope, connection: Connection, kind: str) -> None:
    """Ask for the first reading of what waited for this kind, and waits for nothing else now."""
    mirrors = queries.mirrors_of(scope=scope, connection_id=connection.id)
    for other in kinds_of(connection):
        read = other in mirrors and mirrors[other].whole_at is not None
        if kind not in freshness.AFTER.get(other, ()) or read:
            continue
        if not waits_for(scope=scope, connection=connection, kind=other):
            defer_sync(scope=scope, connection=connection, kind=other, near=False)


def defer_sync(*, scope: Scope, connection: Connection, kind: str, near: bool) -> bool:
    """Ask for a reading. :return: False when one like it waits already"""
    asked = jobs.defer(
        "exchange.sync", scope, queueing_lock=f"sync:{connection.id}:{kind}:{near}",
        lock=f"sync:{connection.id}:{kind}", connection_id=connection.id, kind=kind, near=near,
    )  # fmt: skip
    return asked is not None


def is_quiet_now(*, connection: Connection, now: datetime, zone: ZoneInfo) -> bool:
    """Tell whether it is in the connection's quiet hours."""
    local = now.astimezone(zone).strftime("%H:%M")
    return freshness.is_quiet(local, quiet_from=connection.quiet_from, quiet_to=connection.quiet_to)


def due_kinds(*, scope: Scope, connection: Connection, now: datetime, zone: ZoneInfo) -> list[tuple[str, bool]]:
    """Return what is due to be read: kind, and whether only the near days are. Nothing in quiet hours."""
    if is_quiet_now(connection=connection, now=now, zone=zone):
        return []
    stopped = {
        breaker.capability
        for breaker in queries.breakers_of(scope=scope, connection_id=connection.id)
        if breaker.probe_at is None or breaker.probe_at > now
    }
    if breakers.ALL in stopped or pacing.silent_for(scope=scope, connection_id=connection.id, now=now):
        return []
    mirrors = queries.mirrors_of(scope=scope, connection_id=connection.id)
    due = []
    for kind in kinds_of(connection):
        mirror = mirrors.get(kind) or Mirror()
        tried = (now - mirror.tried_at).total_seconds() if mirror.tried_at else None
        pause = min(freshness.target_seconds(kind) * 0.5, freshness.AGAIN_SECONDS)
        if f"{kind}.read" in stopped or (tried is not None and tried < pause):
            continue
        if mirror.whole_at is None and waits_for(scope=scope, connection=connection, kind=kind):
            continue
        if mirror.whole_at is not None and is_by_patient(connection=connection, kind=kind):
            if tried is None or tried > freshness.OTHER_SECONDS * 0.5:
                due.append((kind, True))
            continue
        whole_age = (now - mirror.whole_at).total_seconds() if mirror.whole_at else None
        age = (now - mirror.fresh_at).total_seconds() if mirror.fresh_at else None
        # Half of what is promised: the other half is for the reading itself.
        if whole_age is None or whole_age > freshness.WHOLE_SECONDS * 0.8:
            due.append((kind, False))
        elif age is None or age > freshness.target_seconds(kind) * 0.5:
            due.append((kind, kind in freshness.DAY_FIELDS))
    return due
