"""
Many entries at once: what a remittance of thousands of services books, in a few statements.

The same promises as one at a time: a source is posted once, an entry is undone once, all of it or
nothing with the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from rapport.kernel.ids import fresh_uuids, new_uuids
from rapport.kernel.problems import NotFound
from rapport.platform.access.scope import Scope
from rapport.platform.db import rows

from . import queries
from .models import Entry, Posting
from .problems import NotReversible, PostedDifferently
from .rules import entries as book
from .states import EntryKind


def post_many(*, scope: Scope, entries: Sequence[book.NewEntry], now: datetime) -> list[UUID]:
    """
    Add entries, each once per source; posting the same sources again adds nothing.

    What comes late for days whose books are closed counts from today; the day of its service stays.

    :return: their ids, in order; those of the first posting where a source had been posted before
    :raises PostedDifferently: a source was posted before with other lines
    """
    return _add(scope, entries, [None] * len(entries), now=now)


def reverse_many(*, scope: Scope, entry_ids: Sequence[UUID], reason: str, now: datetime) -> None:
    """
    Undo entries by their exact opposites, from today in the practice. One that was undone is left as it is.

    :raises NotFound: one of them is not there for this actor
    :raises NotReversible: one of them is itself a reversal
    """
    wanted = list(dict.fromkeys(entry_ids))
    found = {row.id: row for row in Entry.objects.visible_to(scope).filter(id__any_of=wanted)}
    if missing := [id for id in wanted if id not in found]:
        raise NotFound(_sought=[("ledger_entry", missing[0])])
    if any(row.kind == EntryKind.REVERSAL.value for row in found.values()):
        raise NotReversible("A reversal stays. Post the right entry anew.")
    lines = queries.lines_of_many(scope=scope, entry_ids=wanted)
    today = scope.day_of(now)
    undoing = [
        book.NewEntry(
            EntryKind.REVERSAL, book.Source("ledger_entry", id, "reversal"), today, found[id].patient_id,
            book.opposite(lines[id]), reason,
        )
        for id in wanted
    ]  # fmt: skip
    _add(scope, undoing, wanted, now=now)


def _add(
    scope: Scope, entries: Sequence[book.NewEntry], reverses: Sequence[UUID | None], *, now: datetime
) -> list[UUID]:
    closed, today = queries.closed_through(scope=scope), scope.day_of(now)
    # What falls into closed books counts from today.
    days = [
        today if closed is not None and entry.effective_on <= closed else entry.effective_on for entry in entries
    ]
    practice_id, ids = scope.practice_id, new_uuids(len(entries))
    added = rows.add_new_plain(
        Entry,
        (
            {
                "id": id, "practice_id": practice_id, "kind": entry.kind.value, "patient_id": entry.patient_id,
                "effective_on": day, "recorded_at": now, "source_kind": entry.source.kind,
                "source_id": entry.source.id, "source_line": entry.source.line, "lines": len(entry.lines),
                "reverses_id": undone, "reason": entry.reason, "reason_code": entry.reason_code,
                "actor_type": scope.actor_type, "actor_id": scope.actor_id,
            }
            for id, entry, undone, day in zip(ids, entries, reverses, days, strict=True)
        ),
    )  # fmt: skip
    fresh = fresh_uuids()
    rows.add_plain(
        Posting,
        (
            {
                "id": next(fresh), "practice_id": practice_id, "entry_id": id, "line": number,
                "account": line.account.value, "cents": line.cents, "patient_id": entry.patient_id,
                "effective_on": day, "service_on": line.service_on,
                "appointment_id": line.appointment_id, "claim_id": line.claim_id,
            }
            for id, entry, day in zip(ids, entries, days, strict=True)
            if id in added
            for number, line in enumerate(entry.lines, start=1)
        ),
    )  # fmt: skip
    scope.trail.patient_ids.update(one.patient_id for one in entries if one.patient_id is not None)
    return [
        id if id in added else same_as_before(scope, entry) for id, entry in zip(ids, entries, strict=True)
    ]


def same_as_before(scope: Scope, entry: book.NewEntry) -> UUID:
    """Return the entry that this source gave before. :raises PostedDifferently: it was another"""
    source = entry.source
    before = queries.entry_by_source(scope=scope, kind=source.kind, id=source.id, line=source.line)
    if (
        before is None
        or before.kind != entry.kind.value
        or before.patient_id != entry.patient_id
        or queries.lines_of(scope=scope, entry_id=before.id) != entry.lines
    ):
        raise PostedDifferently("Undo the first posting before posting anew.")
    return before.id
