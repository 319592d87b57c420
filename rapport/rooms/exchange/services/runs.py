"""
Readings of the portal, and what becomes of the mirror.

begin_run (commit) -> for each piece: the driver, outside any transaction -> publish_piece (commit).
A piece is in the mirror whole or not at all, with the note of it: a worker that takes over goes on
behind the last one. What is not believed leaves the mirror as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import F, Max

from rapport.platform.access.scope import Scope
from rapport.platform.outbox.emit import emit
from rapport.rooms.exchange import events, queries
from rapport.rooms.exchange.models import Connection, Mirror, SyncRun
from rapport.rooms.exchange.ports import Finding, Got, Reason, Trouble, Verdict
from rapport.rooms.exchange.rules import freshness
from rapport.rooms.exchange.rules.matters import DRIFT, Matter
from rapport.rooms.exchange.states import WORKS, RunState

from . import attention, parts, troubles
from .artefacts import want_files
from .portals import ability_of
from .schedule import (
    is_by_patient,
    is_quiet_now,
    kinds_of,
    promised_seconds,
    read_parts_again,
    read_what_waited,
    waits_for,
)
from .shadows import Told, out_of_place, take_over

TAKE_OVER = timedelta(minutes=15)
"""A run that is older and not settled is given up; its pieces stay."""
ENOUGH_ROWS = 20
"""So many rows say how often a field has a value; fewer do not replace what more said."""
KEPT = timedelta(days=7)
"""How long runs that changed nothing are kept."""
_RANK = [Verdict.SAME, Verdict.ADDITIVE, Verdict.HEALED, Verdict.SUSPECT, Verdict.BREAKING]


@dataclass(frozen=True, slots=True)
class Running:
    """A run in a worker's hands."""

    run_id: UUID
    connection_id: UUID
    kind: str
    ability: str
    pieces: tuple[freshness.Window, ...]
    checkpoint: int
    baseline: dict[str, object] | None
    asks_right: bool = False
    """No probe tells whether the portal's user may read it: the first reading does."""


def begin_run(
    *, scope: Scope, connection_id: UUID, kind: str, near: bool, today: date, now: datetime
) -> Running | None:
    """
    Begin a reading, or go on with one that a dead worker left.

    :return: None when nothing may be read: paused, standing still, the portal's user may not, or what
        it speaks of was never read
    """
    connection = queries.get_connection(scope=scope, connection_id=connection_id)
    if connection.state not in WORKS or kind not in kinds_of(connection):
        return None
    if waits_for(scope=scope, connection=connection, kind=kind):
        return None
    left = (
        SyncRun.objects.visible_to(scope)
        .select_for_update()
        .filter(connection_id=connection.id, kind=kind, near=near, state=RunState.RUNNING)
    )
    run = None
    for one in left:
        if one.began_at > now - TAKE_OVER and run is None:
            run = one
        else:
            one.move(RunState.REFUSED, at=now, reason="abandoned")
    if run is None:
        patients = None
        if is_by_patient(connection=connection, kind=kind):
            patients = parts.due(scope=scope, connection=connection, kind=kind, near=near, now=now)
        run = SyncRun.objects.create(
            practice_id=scope.practice_id, connection=connection, kind=kind, near=near,
            state_changed_at=now, began_at=now, revision=connection.revision,
            pieces=[
                [*(day.isoformat() if day else None for day in window[:2]), window.patient]
                for window in freshness.windows(kind, today=today, near=near, patients=patients)
            ],
        )  # fmt: skip
    mirror = _mirror(scope, connection, kind)
    Mirror.objects.visible_to(scope).filter(id=mirror.id).update(tried_at=now)
    if not run.pieces:  # by patient, and there is none: that is all there is
        _publish(scope, connection, run, mirror, now)
        return None
    baseline = {"shape": mirror.shape, "coverage": mirror.coverage} if mirror.shape else None
    pieces = tuple(_window(piece) for piece in run.pieces)
    return Running(
        run.id, connection.id, kind, f"{kind}.read", pieces, run.checkpoint, baseline,
        asks_right=mirror.fresh_at is None and f"{kind}.read" not in connection.permitted,
    )  # fmt: skip


def _window(piece: list[str | None]) -> freshness.Window:
    first, last, *patient = piece
    return freshness.Window(
        date.fromisoformat(first) if first else None, date.fromisoformat(last) if last else None,
        (patient[0] if patient else None) or "",
    )  # fmt: skip


def _mirror(scope: Scope, connection: Connection, kind: str) -> Mirror:
    Mirror.objects.bulk_create(
        [Mirror(practice_id=scope.practice_id, connection=connection, kind=kind)], ignore_conflicts=True
    )
    row: Mirror = (
        Mirror.objects.visible_to(scope).select_for_update().get(connection_id=connection.id, kind=kind)
    )
    return row


def publish_piece(
    *, scope: Scope, running: Running, piece: int, got: Got, epoch: int, now: datetime
) -> RunState:
    """
    Bring the mirror up to one piece, or keep it as it is when the piece is not believed.

    :return: the run's state afterwards: RUNNING while there are further pieces
    """
    connection = queries.get_connection(scope=scope, connection_id=running.connection_id, lock=True)
    run = SyncRun.objects.visible_to(scope).select_for_update().get(id=running.run_id)
    if run.state != RunState.RUNNING or run.checkpoint != piece:
        return RunState(run.state)
    if connection.state not in WORKS:
        run.move(RunState.REFUSED, at=now, reason=connection.state)
        return RunState.REFUSED
    mirror = _mirror(scope, connection, running.kind)
    moved = _moved(scope, connection, running, got) if mirror.shape else ()
    doubt = _doubt(got, running.pieces[piece]) or (Reason.DRIFT_SUSPECT if moved else "")
    if got.verdict is not Verdict.SAME or doubt:
        verdict = Verdict.SUSPECT if doubt and got.verdict not in _RANK[3:] else got.verdict
        matter = doubt or {
            Verdict.SUSPECT: Reason.DRIFT_SUSPECT, Verdict.BREAKING: Reason.DRIFT_BREAKING,
            Verdict.HEALED: Matter.DRIFT_HEALED,
        }.get(verdict, "")  # fmt: skip
        troubles.drifted(
            scope=scope, connection=connection, capability=running.ability, verdict=verdict, now=now,
            matter=matter, findings=(*got.findings, *moved), fingerprint=got.fingerprint, before=mirror.shape,
            after=got.shape,
        )  # fmt: skip
        if verdict in (Verdict.SUSPECT, Verdict.BREAKING):
            run.move(RunState.QUARANTINED, at=now, verdict=verdict, reason=matter, rows=len(got.rows))
            return RunState.QUARANTINED
    told = take_over(
        scope=scope, connection=connection, kind=running.kind, run_id=run.id,
        window=running.pieces[piece], got=got, epoch=epoch, now=now,
        parts=_patients(scope, connection, running) if piece + 1 == len(running.pieces) else (),
    )  # fmt: skip
    if running.pieces[piece].patient:
        parts.note(
            scope=scope, connection=connection, kind=running.kind, part=running.pieces[piece].patient,
            at=min((page.at for page in got.pages), default=now),
        )  # fmt: skip
    _note(scope, run, told, got, epoch)
    want_files(scope=scope, connection=connection, kind=running.kind, again=told.again, now=now)
    if not mirror.shape or len(got.rows) >= ENOUGH_ROWS or (len(running.pieces) == 1 and not run.near):
        mirror.shape, mirror.coverage = dict(got.shape), dict(got.coverage)
        mirror.fingerprint = got.fingerprint
        mirror.save(update_fields=["shape", "coverage", "fingerprint"])
    if piece + 1 < len(running.pieces):
        return RunState.RUNNING
    _publish(scope, connection, run, mirror, now)
    return RunState.PUBLISHED


def _patients(scope: Scope, connection: Connection, running: Running) -> list[str]:
    """Return all patients whose lists there are: what belongs to others is gone with them."""
    if not running.pieces[-1].patient:
        return []
    return queries.remote_ids(scope=scope, connection_id=connection.id, kind="patients")


def _moved(scope: Scope, connection: Connection, running: Running, got: Got) -> tuple[Finding, ...]:
    """Return the watched fields that differ in most of the known records. After a page was accepted nothing is known."""
    ability = ability_of(definition=connection.definition, name=running.ability)
    watched = ability.watched if ability else ()
    return out_of_place(scope=scope, connection=connection, kind=running.kind, got=got, watched=watched)


def _doubt(got: Got, window: freshness.Window) -> str:
    """Return why rows are not believed whatever the driver says; empty: they are."""
    if not got.complete:
        return Reason.INCOMPLETE
    if len({row.remote_id for row in got.rows}) != len(got.rows):
        return Reason.DRIFT_SUSPECT
    if window.patient and any(
        row.values.get("patient") not in (None, "", window.patient) for row in got.rows
    ):
        return Matter.OTHER_PATIENT
    return ""


def _note(scope: Scope, run: SyncRun, told: Told, got: Got, epoch: int) -> None:
    worst = max((Verdict(run.verdict or Verdict.SAME), got.verdict), key=_RANK.index)
    SyncRun.objects.visible_to(scope).filter(id=run.id).update(
        checkpoint=F("checkpoint") + 1, verdict=worst, proof=got.complete[:20], tier=got.tier[:10],
        epoch=epoch, pages=F("pages") + len(got.pages), rows=F("rows") + len(got.rows),
        created=F("created") + told.created, changed=F("changed") + told.changed,
        gone=F("gone") + told.gone, held=F("held") + told.held,
    )  # fmt: skip
    run.refresh_from_db()


def _publish(scope: Scope, connection: Connection, run: SyncRun, mirror: Mirror, now: datetime) -> None:
    run.move(RunState.PUBLISHED, at=now)
    is_first = mirror.whole_at is None and not run.near
    mirror.fresh_at, mirror.late_since = run.began_at, None
    if run.near and is_by_patient(connection=connection, kind=run.kind):
        mirror.fresh_at = parts.oldest(scope=scope, connection=connection, kind=run.kind) or run.began_at
    if not run.near:
        mirror.whole_at = run.began_at
    mirror.save(update_fields=["fresh_at", "late_since", "whole_at"])
    if is_first:
        read_what_waited(scope=scope, connection=connection, kind=run.kind)
    elif run.kind == "patients" and (run.created or run.changed):
        read_parts_again(scope=scope, connection=connection)
    attention.went_away(
        scope=scope, connection=connection, matters=[*DRIFT, Reason.NOT_PERMITTED], now=now,
        capability=f"{run.kind}.read",
    )  # fmt: skip
    if not run.near or run.created or run.changed or run.gone:
        emit(
            events.SYNC_COMPLETED, scope=scope, object_type="connector_run", object_id=run.id,
            version=1, now=now, changed=[run.kind],
        )  # fmt: skip
    scope.trail.target("connector_run", run.id)
    scope.trail.count = run.rows


def refuse_run(*, scope: Scope, running: Running, trouble: Trouble, now: datetime) -> None:
    """Settle a run for which the portal gave no rows. The mirror keeps what it has."""
    run = SyncRun.objects.visible_to(scope).select_for_update().get(id=running.run_id)
    run.move(RunState.REFUSED, at=now, reason=trouble.reason)


def note_lateness(*, scope: Scope, connection: Connection, now: datetime, zone: ZoneInfo) -> list[str]:
    """
    Say of each kind, once, that it is older than was promised. In quiet hours nothing was.

    :return: the kinds that are
    """
    if is_quiet_now(connection=connection, now=now, zone=zone):
        return []
    mirrors = queries.mirrors_of(scope=scope, connection_id=connection.id)
    late = []
    for kind in kinds_of(connection):
        mirror = mirrors.get(kind) or _mirror(scope, connection, kind)
        since = mirror.fresh_at or connection.state_changed_at
        if (now - since).total_seconds() <= promised_seconds(connection=connection, kind=kind):
            continue
        late.append(kind)
        if mirror.late_since is not None:
            continue
        # The connection first: whoever publishes locks in this order.
        locked = queries.get_connection(scope=scope, connection_id=connection.id, lock=True)
        told = Mirror.objects.visible_to(scope).filter(id=mirror.id, late_since=None).update(late_since=now)
        if told:
            emit(
                events.FRESHNESS_MISSED, scope=scope, object_type="connection", object_id=locked.id,
                version=locked.version, now=now, changed=[kind],
            )  # fmt: skip
    return late


def clear_away(*, scope: Scope, connection_id: UUID, now: datetime) -> None:
    """Remove old runs that changed nothing, but the last of each kind."""
    rows = SyncRun.objects.visible_to(scope).filter(connection_id=connection_id)
    last = rows.values("kind").annotate(at=Max("began_at")).values_list("at", flat=True)
    rows.filter(
        began_at__lt=now - KEPT, state__in=[RunState.PUBLISHED, RunState.REFUSED], created=0,
        changed=0, gone=0,
    ).exclude(began_at__in=list(last)).delete()
