"""
Closing the books up to a day, and opening them again.

Both are rows that stay. A trigger keeps entries out of closed days, whoever writes them; who posts
and who closes at the same moment wait for each other.
"""

from __future__ import annotations

from datetime import date, datetime

from rapport.kernel.ids import new_uuid
from rapport.kernel.problems import Conflict, FieldError, Invalid
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.db import sql
from rapport.platform.outbox.emit import emit
from rapport.rooms.ledger import events, queries
from rapport.rooms.ledger.models import BookClosing


class NotLater(Conflict):
    code, title = "books-closed-further", "The books are closed up to that day already."


class NotEarlier(Conflict):
    code, title = "books-not-closed", "The books are not closed that far."


def close_books(*, scope: Scope, through_on: date, reason: str, now: datetime) -> BookClosing:
    """
    Close every day up to this one.

    :raises Invalid: the day is not over yet in the practice
    :raises NotLater: it is closed already
    """
    scope.require(Permission.LEDGER_CLOSE)
    if through_on >= scope.day_of(now):
        raise Invalid("1 field is not valid.", errors=(FieldError("/closed_through", "not-over-yet"),))
    last = _hold(scope)
    if last is not None and last.through_on is not None and through_on <= last.through_on:
        raise NotLater(closed_through=last.through_on.isoformat())
    return _keep(scope, last, through_on, reopens=False, reason=reason, now=now)


def reopen_books(
    *, scope: Scope, through_on: date | None, reason: str, now: datetime
) -> BookClosing:
    """
    Open the days after this one again.

    :param through_on: what stays closed; None: nothing
    :raises NotEarlier: the books are not closed further than that
    """
    scope.require(Permission.LEDGER_CLOSE)
    last = _hold(scope)
    if last is None or last.through_on is None or (through_on is not None and through_on >= last.through_on):
        raise NotEarlier("Only days that are closed can be opened again.")
    return _keep(scope, last, through_on, reopens=True, reason=reason, now=now)


def _hold(scope: Scope) -> BookClosing | None:
    """Wait for whoever posts or closes now; return the closing that holds."""
    sql.hold(f"ledger-books:{scope.practice_id}")
    return queries.last_closing(scope=scope)


def _keep(
    scope: Scope, last: BookClosing | None, through_on: date | None, *, reopens: bool, reason: str,
    now: datetime,
) -> BookClosing:  # fmt: skip
    row = BookClosing(
        practice_id=scope.practice_id, id=new_uuid(), number=last.number + 1 if last else 1,
        through_on=through_on, reopens=reopens, reason=reason, actor_type=scope.actor_type,
        actor_id=scope.actor_id, created_at=now,
    )  # fmt: skip
    row.save(force_insert=True)
    scope.trail.target("book_closing", row.id, 1)
    scope.trail.reason = reason
    emit(
        events.BOOKS_REOPENED if reopens else events.BOOKS_CLOSED, scope=scope,
        object_type="book_closing", object_id=row.id, version=1, now=now,
    )  # fmt: skip
    return row
