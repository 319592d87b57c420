"""
The portal's own exports: ordered on schedule, kept as files, and compared with the lists they are exports of.

order (journal) -> its file (artefacts) -> the list read whole once more -> compare. What an export says and the list
does not is told when two exports in a row say so; the mirror keeps what the list shows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from rapport.kernel.ids import new_uuid
from rapport.kernel.problems import Problem
from rapport.platform.access.scope import Scope
from rapport.platform.crypto import aead
from rapport.platform.jobs import registry as jobs
from rapport.rooms.documents import services as documents
from rapport.rooms.exchange import queries
from rapport.rooms.exchange.models import Artefact, Connection, ExportOrder, Shadow, Write
from rapport.rooms.exchange.ports import Finding, Row, Trouble, Verdict
from rapport.rooms.exchange.rules import exports as rules
from rapport.rooms.exchange.rules.canonical import compared as plain
from rapport.rooms.exchange.rules.matters import Matter
from rapport.rooms.exchange.states import OPEN_EXPORTS, OPEN_WRITES, ExportState, WriteState

from . import attention, breakers, pacing, troubles
from .artefacts import defer_fetch
from .portals import ability_of
from .schedule import is_quiet_now
from .writes import begin_write

ORDER, FILE, LIST = "exports.create", "exports.file", "exports.read"
GIVEN_UP = timedelta(hours=24)
"""An export that is not compared by then is no witness any more: the next one is ordered."""
KEPT = 4
"""So many orders of a kind are kept; the files stay."""


@dataclass(frozen=True, slots=True)
class ToCompare:
    """An export whose file is here, and whose list was read again."""

    order_id: UUID
    connection: Connection
    kind: str
    remote_id: str
    content: bytes = field(repr=False)


def tend_exports(*, scope: Scope, connection: Connection, now: datetime, zone: ZoneInfo) -> None:
    """Carry on what was ordered, and order the next export that is due: one at a time, none in quiet hours."""
    waiting = [_carry_on(scope, connection, one, now) for one in queries.open_exports(scope=scope, connection_id=connection.id)]
    if any(state in (ExportState.ORDERED, ExportState.PREPARING) for state in waiting):
        return
    if is_quiet_now(connection=connection, now=now, zone=zone) or not _may(scope, connection, now):
        return
    for kind in _due(scope, connection, now):
        with suppress(Problem):  # what stands against it now is gone at another time
            _order(scope, connection, kind, now)
            return


def _may(scope: Scope, connection: Connection, now: datetime) -> bool:
    # Not before it was asked what this user may: a no would need somebody, for something that nobody asked for.
    if not connection.exports_every_hours or connection.probed_at is None:
        return False
    if pacing.silent_for(scope=scope, connection_id=connection.id, now=now):
        return False
    stopped = {one.capability for one in queries.breakers_of(scope=scope, connection_id=connection.id)}
    needed = (ORDER, FILE, LIST)
    return not stopped & {breakers.ALL, *needed} and not any(connection.permitted.get(name) is False for name in needed)


def _due(scope: Scope, connection: Connection, now: datetime) -> list[str]:
    """Return the kinds whose export is due: those whose list was read as a whole, the longest waiting first."""
    can = ability_of(definition=connection.definition, name=FILE)
    if can is None or ability_of(definition=connection.definition, name=ORDER) is None:
        return []
    mirrors = queries.mirrors_of(scope=scope, connection_id=connection.id)
    asked = {one.kind: one for one in queries.last_exports(scope=scope, connection_id=connection.id)}
    every = timedelta(hours=connection.exports_every_hours)
    due = [
        kind for kind in can.sheets
        if kind in mirrors and mirrors[kind].whole_at is not None
        and (kind not in asked or (asked[kind].state not in OPEN_EXPORTS and asked[kind].asked_at + every <= now))
    ]  # fmt: skip
    return sorted(due, key=lambda kind: (kind in asked and asked[kind].asked_at.timestamp(), kind))


def _order(scope: Scope, connection: Connection, kind: str, now: datetime) -> None:
    id = new_uuid()
    write = begin_write(
        scope=scope, connection_id=connection.id, ability=ORDER, values={"kind": kind}, key=f"export:{id}", now=now
    )
    ExportOrder.objects.create(
        practice_id=scope.practice_id, id=id, connection=connection, kind=kind, write_id=write.id, asked_at=now,
        state_changed_at=now,
    )  # fmt: skip


def _carry_on(scope: Scope, connection: Connection, order: ExportOrder, now: datetime) -> str:
    """Bring one order a step further, as far as what it waits for is there. :return: its state"""
    if order.state == ExportState.ORDERED:
        write = Write.objects.visible_to(scope).get(id=order.write_id)
        if write.state == WriteState.CONFIRMED:
            _want(scope, connection, write.remote_id, now)
            _move(order, ExportState.PREPARING, now)
        elif write.state not in OPEN_WRITES:
            _move(order, ExportState.FAILED, now, reason=write.reason or write.state)
    if order.state == ExportState.PREPARING:
        write = Write.objects.visible_to(scope).get(id=order.write_id)
        kept = Artefact.objects.visible_to(scope).filter(
            connection_id=connection.id, ability=FILE, remote_id=write.remote_id, document_id__isnull=False
        ).order_by("fetched_at").first()  # fmt: skip
        if kept is not None:
            _move(order, ExportState.FETCHED, now, artefact_id=kept.id, fetched_at=kept.fetched_at)
    if order.state == ExportState.FETCHED:
        mirror = queries.mirrors_of(scope=scope, connection_id=connection.id).get(order.kind)
        read_at = mirror.whole_at if mirror is not None else None
        if read_at is not None and order.fetched_at is not None and read_at > order.fetched_at:
            jobs.defer(
                "exchange.compare_export", scope, queueing_lock=f"export:{order.id}", connection_id=connection.id,
                order_id=order.id,
            )  # fmt: skip
    if order.state != ExportState.ORDERED and order.state in OPEN_EXPORTS and order.asked_at + GIVEN_UP <= now:
        _move(order, ExportState.FAILED, now, reason="not_ready" if order.state == ExportState.PREPARING else "list_not_read")
    return str(order.state)


def _want(scope: Scope, connection: Connection, remote_id: str, now: datetime) -> None:
    wanted = {"connection_id": connection.id, "ability": FILE, "remote_id": remote_id}
    if Artefact.objects.visible_to(scope).filter(**wanted).exists():
        return  # the list of exports was read meanwhile
    defer_fetch(
        scope=scope,
        artefact=Artefact.objects.create(practice_id=scope.practice_id, sha256="", asked_at=now, **wanted),
    )


def _move(order: ExportOrder, to: ExportState, now: datetime, **values: object) -> None:
    for name, value in {"state": to.value, "state_changed_at": now, **values}.items():
        setattr(order, name, value)
    order.save(update_fields=["state", "state_changed_at", *values])


def export_to_compare(*, scope: Scope, connection_id: UUID, order_id: UUID) -> ToCompare | None:
    """Return an export with its file, or None: it was compared already."""
    order = ExportOrder.objects.visible_to(scope).filter(id=order_id, state=ExportState.FETCHED).first()
    if order is None:
        return None
    artefact = Artefact.objects.visible_to(scope).get(id=order.artefact_id)
    return ToCompare(
        order.id, queries.get_connection(scope=scope, connection_id=connection_id), order.kind, artefact.remote_id,
        documents.open_(scope=scope, document_id=artefact.document_id),
    )  # fmt: skip


def note_comparison(*, scope: Scope, work: ToCompare, answer: Sequence[Row] | Trouble, now: datetime) -> None:
    """
    Compare an export with the copies of its list, and say what two exports in a row have otherwise.

    :param answer: its records, or why it could not be read
    """
    connection = queries.get_connection(scope=scope, connection_id=work.connection.id, lock=True)
    order = ExportOrder.objects.visible_to(scope).select_for_update().filter(
        id=work.order_id, state=ExportState.FETCHED
    ).first()  # fmt: skip
    if order is None:
        return
    if isinstance(answer, Trouble):
        _move(order, ExportState.UNREADABLE, now, reason=answer.reason.value)
        _tell(scope, connection, work.kind, Matter.EXPORT_UNREADABLE, answer.findings, now)
        return
    copies = _copies(scope, connection, work.kind)
    found = rules.compare(
        answer, list(copies.values()), kind=work.kind, asked_at=order.asked_at, fetched_at=order.fetched_at,
        days=rules.both_read(work.kind, before=scope.day_of(order.asked_at), after=scope.day_of(now)),
    )  # fmt: skip
    marks = {one: _mark(connection, work.kind, copies, *one) for one in found.differences}
    earlier = ExportOrder.objects.visible_to(scope).filter(
        connection_id=connection.id, kind=work.kind, state__in=[ExportState.AGREES, ExportState.DIFFERS]
    ).order_by("-asked_at").first()  # fmt: skip
    _move(
        order, ExportState.DIFFERS if marks else ExportState.AGREES, now, rows=len(answer), unsettled=found.unsettled,
        differing=found.records, marks=sorted(set(marks.values())),
    )  # fmt: skip
    scope.trail.count += len(answer)
    again = [one for one, mark in marks.items() if earlier is not None and mark in earlier.marks]
    _over(scope, connection, work.kind, [Matter.EXPORT_UNREADABLE] + ([] if again else [Matter.EXPORT_DIFFERS]), now)
    if again:
        _tell(
            scope, connection, work.kind, Matter.EXPORT_DIFFERS,
            rules.findings(work.kind, again, judged=found.judged), now,
        )  # fmt: skip
    _clear_away(scope, connection, work.kind)


def _copies(scope: Scope, connection: Connection, kind: str) -> Mapping[str, rules.Copy]:
    rows = Shadow.objects.visible_to(scope).filter(connection_id=connection.id, kind=kind)
    return {
        row.remote_id: rules.Copy(
            row.remote_id, queries.read_shadow(shadow=row), row.absent, row.changed_at, row.read_at,
            there=row.misses == 0 and row.gone_at is None, gone_at=row.gone_at,
        )
        for row in rows
    }  # fmt: skip


def _mark(connection: Connection, kind: str, copies: Mapping[str, rules.Copy], remote_id: str, name: str) -> str:
    """Return what a difference is known by again; with another value in the list it is another one."""
    value = plain(copies[remote_id].values.get(name)) if remote_id in copies else None
    return aead.blind_index(f"{kind}|{remote_id}|{name}|{value}", context=f"exchange_export|{connection.id}").hex()[:32]


def _tell(
    scope: Scope, connection: Connection, kind: str, matter: Matter, findings: Sequence[Finding], now: datetime
) -> None:
    troubles.drifted(
        scope=scope, connection=connection, capability=f"{kind}.read", verdict=Verdict.SUSPECT, now=now, matter=matter,
        findings=findings,
    )


def _over(scope: Scope, connection: Connection, kind: str, matters: Sequence[Matter], now: datetime) -> None:
    attention.went_away(scope=scope, connection=connection, matters=matters, now=now, capability=f"{kind}.read")


def _clear_away(scope: Scope, connection: Connection, kind: str) -> None:
    rows = ExportOrder.objects.visible_to(scope).filter(connection_id=connection.id, kind=kind)
    rows.filter(id__in=list(rows.order_by("-asked_at").values_list("id", flat=True)[KEPT:])).delete()
