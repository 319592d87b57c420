"""
Totals of closed days for the books elsewhere: planned here, noted before they leave, looked for in doubt.

A day is planned once its books are closed, so that its totals stay. A day that was opened and closed
again with other totals gets another entry with the difference.
"""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from uuid import UUID

from rapport.kernel.ids import new_uuid
from rapport.platform.access.scope import Scope
from rapport.platform.outbox.emit import emit
from rapport.rooms.accounting import events
from rapport.rooms.accounting.models import BookEntry, BookLink
from rapport.rooms.accounting.ports import InDoubt, Kept, Later, NotThere, Refused, SignedOut
from rapport.rooms.accounting.states import EntryState
from rapport.rooms.ledger import queries as ledger

OPEN = (EntryState.READY, EntryState.SENDING, EntryState.IN_DOUBT)
DOUBT_RETRY = timedelta(seconds=30)
"""How soon it is looked for again."""


def plan_days(*, scope: Scope, link: BookLink, now: datetime) -> int:
    """Plan what closed days hold and was not planned for this company. :return: how many entries are new"""
    closed = ledger.closed_through(scope=scope)
    if closed is None or link.from_on is None or closed < link.from_on:
        return 0
    totals: dict[date, Counter[str]] = {}
    for day, account, cents in ledger.day_totals(scope=scope, from_on=link.from_on, to_on=closed):
        totals.setdefault(day, Counter())[account.value] += cents
    revisions: Counter[date] = Counter()
    for entry in BookEntry.objects.visible_to(scope).filter(company=link.company, on__gte=link.from_on, on__lte=closed):
        revisions[entry.on] = max(revisions[entry.on], entry.revision)
        planned = totals.setdefault(entry.on, Counter())
        for account, cents in entry.lines:
            planned[account] -= cents
    made = 0
    for day in sorted(totals):
        lines = [[account, cents] for account, cents in sorted(totals[day].items()) if cents]
        if lines:
            _plan(scope, link, day, revisions[day] + 1, lines, now=now)
            made += 1
    return made


def _plan(scope: Scope, link: BookLink, day: date, revision: int, lines: list[list[object]], *, now: datetime) -> None:
    id = new_uuid()
    BookEntry(
        practice_id=scope.practice_id, id=id, link=link, company=link.company, on=day, revision=revision,
        lines=lines, key=id.hex, number=f"RP-{day}-{revision}"[:21], state=EntryState.READY.value,
        created_at=now, updated_at=now,
    ).save(force_insert=True)  # fmt: skip


def due(*, scope: Scope, company: str, now: datetime) -> list[BookEntry]:
    """Return what is not settled and may be tried now, the oldest day first."""
    rows = BookEntry.objects.visible_to(scope).filter(company=company, state__in=[state.value for state in OPEN])
    return [row for row in rows.order_by("on", "revision") if row.retry_at is None or row.retry_at <= now]


def begin(*, scope: Scope, entry_id: UUID, now: datetime) -> None:
    """Note that an entry is about to leave. Commit before the socket opens."""
    _get(scope, entry_id).move(EntryState.SENDING, at=now)


def record(
    *, scope: Scope, entry_id: UUID, answer: Kept | Refused | Later | InDoubt | SignedOut, now: datetime
) -> None:
    """Write down what was said when an entry was sent."""
    entry = _get(scope, entry_id)
    if isinstance(answer, Kept):
        entry.move(EntryState.KEPT, at=now, remote_id=answer.remote_id[:40], last_code="", retry_at=None)
        _tell(scope, entry, events.ENTRY_KEPT, now)
    elif isinstance(answer, Refused):
        entry.move(EntryState.REFUSED, at=now, last_code=answer.code[:60], retry_at=None)
        _tell(scope, entry, events.ENTRY_REFUSED, now)
    elif isinstance(answer, InDoubt):
        entry.move(EntryState.IN_DOUBT, at=now, last_code="in-doubt", retry_at=now + DOUBT_RETRY)
    else:
        wait = answer.seconds if isinstance(answer, Later) else 0
        code = "later" if isinstance(answer, Later) else "signed-out"
        entry.move(EntryState.READY, at=now, last_code=code, retry_at=now + timedelta(seconds=wait))


def settle(
    *, scope: Scope, entry_id: UUID, answer: Kept | NotThere | Later | InDoubt | SignedOut, now: datetime
) -> None:
    """Write down what was found when an entry in doubt was looked for: it is there, or it may be sent again."""
    entry = _get(scope, entry_id)
    if isinstance(answer, Kept):
        record(scope=scope, entry_id=entry_id, answer=answer, now=now)
    elif isinstance(answer, NotThere):
        entry.move(EntryState.READY, at=now, last_code="not-there", retry_at=None)
    else:
        entry.move(EntryState.IN_DOUBT, at=now, last_code="in-doubt", retry_at=now + DOUBT_RETRY)


def _get(scope: Scope, id: UUID) -> BookEntry:
    row: BookEntry = BookEntry.objects.visible_to(scope).select_for_update().get(id=id)
    return row


def _tell(scope: Scope, entry: BookEntry, event: str, now: datetime) -> None:
    emit(event, scope=scope, object_type="book_entry", object_id=entry.id, version=entry.version, now=now)
