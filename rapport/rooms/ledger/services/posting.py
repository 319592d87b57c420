"""
Adding entries to the ledger, and undoing them. Nothing is ever changed or removed.

`post` is the door for rooms above (claims, remittance): it checks no permission, because the
caller has checked the one that the deed needs.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import psycopg

from rapport.kernel.ids import new_uuid
from rapport.platform.access.scope import Scope
from rapport.platform.db import sql
from rapport.platform.db.crashpoints import Crashpoint, crashpoint
from rapport.platform.db.errors import constraint_name
from rapport.rooms.ledger import queries
from rapport.rooms.ledger.bulk import post_many, reverse_many, same_as_before
from rapport.rooms.ledger.models import Posting
from rapport.rooms.ledger.problems import BooksClosed, NotReversible, PostedDifferently
from rapport.rooms.ledger.rules import entries as book
from rapport.rooms.ledger.states import EntryKind

__all__ = [
    "BooksClosed", "NotReversible", "Posted", "PostedDifferently", "post", "post_charge", "post_many", "reverse",
    "reverse_many",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Posted:
    """An entry that is in the ledger."""

    entry_id: UUID
    created: bool
    """False: this source had been posted before, and nothing was added."""


_INSERT = """
INSERT INTO ledger_entry (practice_id, id, kind, patient_id, effective_on, recorded_at, source_kind,
    source_id, source_line, lines, reverses_id, reason, reason_code, actor_type, actor_id)
VALUES (%(practice)s, %(id)s, %(kind)s, %(patient)s,
    CASE WHEN %(day)s::date <= (SELECT through_on FROM ledger_bookclosing
        WHERE practice_id = %(practice)s ORDER BY number DESC LIMIT 1) THEN %(today)s::date
    ELSE %(day)s::date END,
    %(now)s, %(source_kind)s, %(source)s, %(source_line)s, %(lines)s, %(reverses)s, %(reason)s,
    %(reason_code)s, %(actor_type)s, %(actor)s)
ON CONFLICT DO NOTHING RETURNING effective_on
"""


def post(*, scope: Scope, entry: book.NewEntry, now: datetime) -> Posted:
    """
    Add an entry, once per source; posting the same source again adds nothing.

    What comes late for days whose books are closed counts from today; the day of its service stays.

    :raises PostedDifferently: the source was posted before with other lines
    """
    return _post(scope, entry, now=now, reverses=None)


def _post(scope: Scope, entry: book.NewEntry, *, now: datetime, reverses: UUID | None) -> Posted:
    id = new_uuid()
    source = entry.source
    try:
        added = sql.one(
            _INSERT,
            {
                "practice": scope.practice_id, "id": id, "kind": entry.kind.value,
                "patient": entry.patient_id, "day": entry.effective_on, "today": scope.day_of(now),
                "now": now, "source_kind": source.kind, "source": source.id,
                "source_line": source.line, "lines": len(entry.lines), "reverses": reverses,
                "reason": entry.reason, "reason_code": entry.reason_code,
                "actor_type": scope.actor_type, "actor": scope.actor_id,
            },
        )  # fmt: skip
    except psycopg.Error as error:
        if constraint_name(error) == "books_are_closed":  # they were closed at this very moment
            raise BooksClosed("Use a day after the last closed one.") from error
        raise
    if entry.patient_id is not None:
        scope.trail.patient_ids.add(entry.patient_id)
    if added is None:
        return Posted(same_as_before(scope, entry), created=False)
    crashpoint(Crashpoint.LEDGER_HEAD_WRITTEN)
    Posting.objects.bulk_create(
        Posting(
            practice_id=scope.practice_id,
            entry_id=id,
            line=number,
            account=line.account.value,
            cents=line.cents,
            patient_id=entry.patient_id,
            effective_on=added[0],
            service_on=line.service_on,
            appointment_id=line.appointment_id,
            claim_id=line.claim_id,
        )
        for number, line in enumerate(entry.lines, start=1)
    )
    return Posted(id, created=True)


def reverse(
    *,
    scope: Scope,
    entry_id: UUID,
    now: datetime,
    reason: str = "",
    effective_on: date | None = None,
) -> Posted:
    """
    Undo an entry by its exact opposite. An entry is undone once: again adds nothing.

    :param effective_on: the day the opposite counts from; None: today in the practice
    :raises NotFound: no such entry for this actor
    :raises NotReversible: it is itself a reversal; post the right entry anew instead
    """
    entry = queries.get_entry(scope=scope, entry_id=entry_id)
    if entry.kind == EntryKind.REVERSAL.value:
        raise NotReversible("A reversal stays. Post the right entry anew.")
    undo = book.NewEntry(
        EntryKind.REVERSAL,
        book.Source("ledger_entry", entry.id, "reversal"),
        effective_on or scope.day_of(now),
        entry.patient_id,
        book.opposite(queries.lines_of(scope=scope, entry_id=entry.id)),
        reason,
    )
    return _post(scope, undo, now=now, reverses=entry.id)


def post_charge(
    *,
    scope: Scope,
    appointment_id: UUID,
    patient_id: UUID,
    service_on: date,
    patient_cents: int,
    insurance_cents: int,
    now: datetime,
    line: str = "charge",
) -> Posted:
    """
    Charge for a visit that took place. The same visit and line are charged once.

    :param patient_cents: what the patient owes at once (copay, or all of it)
    :param insurance_cents: what their payer is asked for
    :param line: which charge of the visit: `charge`, `fee:no_show`, …
    """
    entry = book.charge(
        book.Source("appointment", appointment_id, line),
        service_on,
        book.About(patient_id, appointment_id, service_on=service_on),
        patient_cents=patient_cents,
        insurance_cents=insurance_cents,
    )
    return post(scope=scope, entry=entry, now=now)
