"""The copies themselves: what is new, what has changed, and what two whole readings missed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q

from rapport.platform.access.scope import Scope
from rapport.platform.crypto import aead
from rapport.rooms.exchange import queries
from rapport.rooms.exchange.models import Connection, Shadow
from rapport.rooms.exchange.ports import Finding, Got, Row
from rapport.rooms.exchange.rules import canonical, freshness
from rapport.rooms.exchange.rules.changes import Change, Held, Origin

from .recipients import hand_over

MISSES = 2
"""Whole readings that must miss a record before it is taken for gone."""
WITNESSES = 40
"""How many copies a list is compared with before it is believed."""
FEWEST = 3
"""Fewer records with another value are changes that people made."""
_WRITTEN = [
    "values_sealed", "raw_sealed", "digest", "absent", "day_on", "part", "page_signature", "page_sha256", "read_at",
    "changed_at", "epoch", "tier", "revision", "last_run_id", "misses", "gone_at", "held_code",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Told:
    """How much of it was news."""

    created: int = 0
    changed: int = 0
    gone: int = 0
    held: int = 0
    again: frozenset[str] = frozenset()
    """Which of them were known, and are other than they were."""


def take_over(
    *, scope: Scope, connection: Connection, kind: str, run_id: UUID, window: freshness.Window,
    got: Got, epoch: int, now: datetime, parts: Sequence[str] = (),
) -> Told:
    """
    Bring the copies of one window up to a list that is proved to be whole, and tell who takes them over.

    :param parts: with the last of a reading by patient, all patients whose lists were read
    """
    known = {
        row.remote_id: row
        for row in Shadow.objects.visible_to(scope).filter(
            connection_id=connection.id, kind=kind, remote_id__in=[row.remote_id for row in got.rows]
        )
    }
    changes: list[Change] = []
    fresh: list[Shadow] = []
    other: list[Shadow] = []
    same: dict[int, list[UUID]] = {}
    older: list[UUID] = []
    for row in got.rows:
        shadow = known.get(row.remote_id)
        if shadow is not None and shadow.read_at > got.pages[row.page].at:
            older.append(shadow.id)  # the page was fetched before what we know: it is there, and no more is news
            continue
        if shadow is None:
            shadow = Shadow(
                practice_id=scope.practice_id, connection=connection, kind=kind,
                remote_id=row.remote_id, first_run_id=run_id,
            )  # fmt: skip
            fresh.append(shadow)
        was = (bytes(shadow.digest), shadow.absent, shadow.gone_at, shadow.held_code, shadow.raw_sealed)
        change = _bring_up(
            shadow, row, got, part=window.patient, epoch=epoch, revision=connection.revision, run_id=run_id
        )
        if change is not None:
            changes.append(change)
        if was[0] and was == (bytes(shadow.digest), shadow.absent, shadow.gone_at, shadow.held_code, shadow.raw_sealed):
            same.setdefault(row.page, []).append(shadow.id)
        elif was[0]:
            other.append(shadow)
    Shadow.objects.bulk_create(fresh, batch_size=500)
    Shadow.objects.visible_to(scope).bulk_update(other, _WRITTEN, batch_size=200)
    for page, ids in same.items():
        # Most of a list is as it was: one statement for each page says that it was seen again.
        Shadow.objects.visible_to(scope).filter(id__in=ids).update(
            page_signature=got.pages[page].signature[:300], page_sha256=got.pages[page].sha256,
            read_at=got.pages[page].at, epoch=epoch, tier=got.tier[:10], revision=connection.revision,
            last_run_id=run_id, misses=0,
        )  # fmt: skip
    Shadow.objects.visible_to(scope).filter(id__in=older).update(last_run_id=run_id, misses=0)
    changes += _missed(scope, connection, kind, run_id, window, parts, now)
    origin = Origin(connection.id, connection.definition)
    held = hand_over(scope=scope, origin=origin, kind=kind, changes=changes, now=now)
    _hold(scope, connection, kind, held)
    scope.trail.count += len(got.rows)
    news = Counter(change.what for change in changes)
    again = frozenset(change.remote_id for change in changes if change.what == "changed")
    return Told(news["created"], news["changed"], news["gone"], len(held), again)


def note_written(
    *, scope: Scope, connection: Connection, kind: str, remote_id: str, values: Mapping[str, Any], now: datetime,
    made_by: UUID | None, held: Sequence[Held],
) -> None:
    """
    Bring a copy up to what was seen after a write, so that the next write compares with that.

    What no list has read yet gets its copy: removed at the portal before one does, it would stay here for good.
    Of the others only what lists show is kept.

    :param made_by: the write that made it; None: it was there, or is found under another record
    :param held: what its room did not take over
    """
    shadow = Shadow.objects.visible_to(scope).select_for_update().filter(
        connection_id=connection.id, kind=kind, remote_id=remote_id, gone_at__isnull=True
    ).first()  # fmt: skip
    if shadow is None and made_by is not None:
        _copy_written(scope, connection, kind, remote_id, values, now, made_by)
        _hold(scope, connection, kind, held)
    if shadow is None or shadow.held_code:
        return
    before = queries.read_shadow(shadow=shadow)
    seen = canonical.record(values)
    told = before | {name: value for name, value in seen.items() if name in before}
    shadow.values_sealed = aead.seal(canonical.dump(told), aad=queries.shadow_place(shadow), purpose="field")
    shadow.digest = aead.blind_index(canonical.dump(told).decode(), context=f"exchange_shadow|{shadow.kind}")
    shadow.day_on, shadow.read_at, shadow.changed_at = freshness.day_in(kind, told), now, now
    shadow.raw_sealed = None  # the next list shows how the portal writes it now
    shadow.save(update_fields=["values_sealed", "raw_sealed", "digest", "day_on", "read_at", "changed_at"])


def _copy_written(
    scope: Scope, connection: Connection, kind: str, remote_id: str, values: Mapping[str, Any], now: datetime, made_by: UUID
) -> None:
    seen = canonical.record(values)
    shadow = Shadow(
        practice_id=scope.practice_id, connection=connection, kind=kind, remote_id=remote_id,
        digest=aead.blind_index(canonical.dump(seen).decode(), context=f"exchange_shadow|{kind}"),
        day_on=freshness.day_in(kind, seen), page_signature="read back", read_at=now, changed_at=now,
        epoch=0, tier="http", revision=connection.revision, first_run_id=made_by, last_run_id=made_by,
    )  # fmt: skip
    shadow.values_sealed = aead.seal(canonical.dump(seen), aad=queries.shadow_place(shadow), purpose="field")
    Shadow.objects.bulk_create([shadow], ignore_conflicts=True)  # one that was gone is there: the next reading sees it


def out_of_place(
    *, scope: Scope, connection: Connection, kind: str, got: Got, watched: Collection[str]
) -> tuple[Finding, ...]:
    """
    Compare a list with the copies of its records: what most of them have otherwise at once, no person changed.

    :param watched: fields that are compared
    """
    if not watched:
        return ()
    now = {row.remote_id: canonical.record(row.values) for row in got.rows}
    copies = (
        Shadow.objects.visible_to(scope)
        .filter(connection_id=connection.id, kind=kind, gone_at__isnull=True, remote_id__in=list(now))
        .order_by("remote_id")[:WITNESSES]
    )
    compared, differ = Counter[str](), Counter[str]()
    for shadow in copies:
        was, seen = queries.read_shadow(shadow=shadow), now[shadow.remote_id]
        for name in watched:
            if was.get(name) is not None and seen.get(name) is not None:
                compared[name] += 1
                differ[name] += was[name] != seen[name]
    return tuple(
        Finding(
            place=f"{kind}.{name}", seen=f"another value in {differ[name]} of {compared[name]} known records",
            expected="what the mirror has of most of them", note="canary",
        )
        for name in watched
        if differ[name] >= FEWEST and differ[name] * 2 >= compared[name]
    )  # fmt: skip


def _bring_up(
    shadow: Shadow, row: Row, got: Got, *, part: str, epoch: int, revision: int, run_id: UUID
) -> Change | None:
    page = got.pages[row.page]
    is_new = not shadow.digest
    before: dict[str, Any] | None = None
    values = canonical.record(row.values)
    if part:
        values["patient"] = part  # whose list it is: the rows need not say so
    if not is_new and row.absent:
        # What the page did not show is not empty: the copy keeps what it had.
        before = queries.read_shadow(shadow=shadow)
        values = {name: before[name] for name in row.absent if name in before} | values
    digest = aead.blind_index(canonical.dump(values).decode(), context=f"exchange_shadow|{shadow.kind}")
    same = not is_new and bytes(shadow.digest) == digest and shadow.gone_at is None
    offered_again = bool(shadow.held_code)
    if not is_new and not same and before is None:
        before = queries.read_shadow(shadow=shadow)
    was_gone = shadow.gone_at is not None
    if not same:
        shadow.changed_at = page.at
        shadow.values_sealed = aead.seal(
            canonical.dump(values), aad=queries.shadow_place(shadow), purpose="field"
        )
    if row.raw or shadow.raw_sealed is not None:
        _keep_raw(shadow, row)
    shadow.digest, shadow.absent = digest, dict(row.absent)
    shadow.day_on, shadow.part = freshness.day_in(shadow.kind, values), part
    shadow.page_signature, shadow.page_sha256 = page.signature[:300], page.sha256
    shadow.read_at, shadow.epoch, shadow.tier, shadow.revision = page.at, epoch, got.tier[:10], revision
    shadow.last_run_id, shadow.misses, shadow.gone_at, shadow.held_code = run_id, 0, None, ""
    if same and not offered_again:
        return None
    what = "created" if is_new or was_gone else "changed"
    return Change(what, shadow.kind, shadow.remote_id, values, before, dict(row.absent), page.at)


def _keep_raw(shadow: Shadow, row: Row) -> None:
    """Keep how the portal writes a text beside what it is read as. Of what the page did not show it stays as it was."""
    before = queries.read_raw(shadow=shadow)
    raw = {name: before[name] for name in row.absent if name in before} | dict(row.raw)
    if raw != before:
        kept = aead.seal(canonical.dump(raw), aad=queries.raw_place(shadow), purpose="field")
        shadow.raw_sealed = kept if raw else None


def _missed(
    scope: Scope, connection: Connection, kind: str, run_id: UUID, window: freshness.Window,
    parts: Sequence[str], now: datetime,
) -> list[Change]:
    first, last, part = window
    rows = Shadow.objects.visible_to(scope).filter(
        connection_id=connection.id, kind=kind, gone_at__isnull=True
    ).exclude(last_run_id=run_id)  # fmt: skip
    if first is not None and last is not None:
        rows = rows.filter(day_on__gte=first, day_on__lte=last)
    if part:
        # Of patients who are no more in the list of patients nothing is read; with the last piece it is known.
        elsewhere = ~Q(part__in=parts) if parts else Q(pk__in=[])
        rows = rows.filter(Q(part=part) | elsewhere)
    gone = _held_gone(scope, connection, kind)
    for shadow in rows:
        shadow.misses += 1
        if shadow.misses >= MISSES:
            shadow.gone_at = now
            values = queries.read_shadow(shadow=shadow)
            gone.append(Change("gone", kind, shadow.remote_id, values, values, {}, now))
        shadow.save(update_fields=["misses", "gone_at"])
    return gone


def _held_gone(scope: Scope, connection: Connection, kind: str) -> list[Change]:
    """Offer again what is gone and was held when it was told."""
    rows = Shadow.objects.visible_to(scope).filter(
        connection_id=connection.id, kind=kind, gone_at__isnull=False
    ).exclude(held_code="")  # fmt: skip
    again = []
    for shadow in rows:
        values = queries.read_shadow(shadow=shadow)
        again.append(Change("gone", kind, shadow.remote_id, values, values, {}, shadow.gone_at))
    rows.update(held_code="")
    return again


def held_besides(*, scope: Scope, connection_id: UUID, kind: str) -> list[UUID]:
    """
    Return what rooms could not take over, of every other kind: what it lacked may just have come.

    Appointments are read while patients still are, and those of far days are not read again soon.
    """
    rows = Shadow.objects.visible_to(scope).filter(connection_id=connection_id, gone_at__isnull=True)
    return list(rows.exclude(held_code="").exclude(kind=kind).order_by("kind", "id").values_list("id", flat=True))


def offer_again(*, scope: Scope, connection_id: UUID, ids: Sequence[UUID], now: datetime) -> None:
    """Offer copies again to whoever takes their kind over."""
    connection = queries.get_connection(scope=scope, connection_id=connection_id)
    rows = Shadow.objects.visible_to(scope).select_for_update().filter(id__in=ids, gone_at__isnull=True)
    waiting: dict[str, list[Change]] = {}
    for shadow in rows.exclude(held_code=""):
        values = queries.read_shadow(shadow=shadow)
        waiting.setdefault(shadow.kind, []).append(
            Change("changed", shadow.kind, shadow.remote_id, values, values, dict(shadow.absent), shadow.read_at)
        )
    rows.update(held_code="")
    origin = Origin(connection.id, connection.definition)
    for kind, changes in waiting.items():
        _hold(scope, connection, kind, hand_over(scope=scope, origin=origin, kind=kind, changes=changes, now=now))


def _hold(scope: Scope, connection: Connection, kind: str, held: Sequence[Held]) -> None:
    for one in held:
        Shadow.objects.visible_to(scope).filter(
            connection_id=connection.id, kind=kind, remote_id=one.remote_id
        ).update(held_code=one.code[:40])
