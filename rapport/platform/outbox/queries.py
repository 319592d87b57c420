"""Questions about events: the log, read so that a cursor never steps over a late commit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from rapport.kernel.problems import InvalidCursor, NotFound
from rapport.platform.access.scope import Scope
from rapport.platform.api import cursors
from rapport.platform.db import sql

from . import message

CURSOR_LIFE_SECONDS = 30 * 24 * 3600
"""As long as events are kept: a consumer may be away for all of it."""

# An event is shown when no transaction that could still write an earlier one is running.
_LOG = (
    f"SELECT {message.COLUMNS}, e.transaction_id, e.position FROM outbox_outboxevent e"  # noqa: S608
    " WHERE e.practice_id = %(practice)s"
    " AND e.transaction_id < pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
    " + (SELECT shift FROM outbox_epoch)"
    " AND (e.transaction_id, e.position) > (%(transaction)s, %(position)s)"
    " AND (%(every)s OR e.type = ANY (%(types)s))"
    " AND (%(object)s::uuid IS NULL OR e.object_id = %(object)s)"
    " ORDER BY e.transaction_id, e.position LIMIT %(limit)s"
)
_ONE = (
    f"SELECT {message.COLUMNS} FROM outbox_outboxevent e"  # noqa: S608 - constants
    " WHERE e.practice_id = %s AND e.id = %s"
)


def place_in(cursor: str, *, scope: Scope) -> tuple[int, int]:
    """Return the place in the log that a cursor stands for. :raises InvalidCursor: it is none"""
    place = cursors.open_(cursor, scope=scope, route="events", shape="log")
    if len(place) != 2:
        raise InvalidCursor()
    return int(place[0]), int(place[1])


def events_after(
    *, scope: Scope, cursor: str, types: Sequence[str], object_id: UUID | None, limit: int
) -> tuple[list[message.EventOut], bool, str]:
    """
    Return the events after a cursor (or from the beginning), whether there are more, and the
    cursor after the last of them. There is always a cursor: come back with it for what is new.
    """
    place = place_in(cursor, scope=scope) if cursor else (-1, -1)
    rows = sql.rows(
        _LOG,
        {
            "practice": scope.practice_id, "transaction": place[0], "position": place[1],
            "every": not types, "types": list(types), "object": object_id, "limit": limit + 1,
        },
    )  # fmt: skip
    more, rows = len(rows) > limit, rows[:limit]
    if rows:
        place = rows[-1][-2], rows[-1][-1]
    after = cursors.seal(
        list(place), scope=scope, route="events", shape="log", life_seconds=CURSOR_LIFE_SECONDS
    )
    return [message.event_out(row) for row in rows], more, after


def get_event(*, scope: Scope, event_id: UUID) -> message.EventOut:
    """Return one event. :raises NotFound: there is none here"""
    row: tuple[Any, ...] | None = sql.one(_ONE, (scope.practice_id, event_id))
    if row is None:
        raise NotFound(_sought=[("event", event_id)])
    return message.event_out(row)
