"""Tell the rest of the world that something happened."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection

from rapport.kernel.ids import new_uuid
from rapport.platform.access.scope import Scope
from rapport.platform.db import sql

_EMIT = """
INSERT INTO outbox_outboxevent (practice_id, id, type, object_type, object_id, version, sequence,
    changed, request_id, created_at, transaction_id, position)
SELECT %(practice)s, %(id)s, %(type)s, %(object_type)s, %(object_id)s, %(version)s,
    coalesce((SELECT max(sequence) FROM outbox_outboxevent
              WHERE practice_id = %(practice)s AND object_id = %(object_id)s), 0) + 1,
    %(changed)s, %(request_id)s, %(at)s, pg_current_xact_id()::text::bigint + (SELECT shift FROM outbox_epoch),
    nextval('outbox_position')
"""


_EMIT_ALL = """
INSERT INTO outbox_outboxevent (practice_id, id, type, object_type, object_id, version, sequence,
    changed, request_id, created_at, transaction_id, position)
SELECT %(practice)s, o.event_id, %(type)s, %(object_type)s, o.object_id, o.version,
    coalesce((SELECT max(sequence) FROM outbox_outboxevent e
              WHERE e.practice_id = %(practice)s AND e.object_id = o.object_id), 0) + 1,
    %(changed)s, %(request_id)s, %(at)s, pg_current_xact_id()::text::bigint + (SELECT shift FROM outbox_epoch),
    nextval('outbox_position')
FROM unnest(%(ids)s::uuid[], %(objects)s::uuid[], %(versions)s::int[]) AS o (event_id, object_id, version)
"""


class EmittedOutsideTransaction(RuntimeError):
    """A defect: the event could be kept while the change it reports is rolled back."""


@dataclass(frozen=True, slots=True)
class Event:
    """A fact as listeners inside the program see it: ids and a type, no people."""

    type: str
    object_type: str
    object_id: UUID
    version: int
    changed: tuple[str, ...]


Listener = Callable[[Scope, Event, datetime], None]

_listeners: dict[str, list[Listener]] = {}


def on(event_type: str) -> Callable[[Listener], Listener]:
    """Call the decorated function, in the same transaction, whenever such an event is emitted."""

    def keep(listener: Listener) -> Listener:
        _listeners.setdefault(event_type, []).append(listener)
        return listener

    return keep


def emit(
    event_type: str,
    *,
    scope: Scope,
    object_type: str,
    object_id: UUID,
    version: int,
    now: datetime,
    changed: Sequence[str] = (),
) -> UUID:
    """
    Record an event in the present transaction; it is delivered after the commit.

    The object's row must have been locked or changed by this transaction, so that two events of
    one object cannot be numbered at the same time.

    :param event_type: `resource.past_tense`
    :param changed: names of fields; never their values
    :return: the event's id
    :raises EmittedOutsideTransaction: there is no transaction to commit with
    """
    if not connection.in_atomic_block:
        raise EmittedOutsideTransaction(event_type)
    id = new_uuid()
    sql.run(
        _EMIT,
        {
            "practice": scope.practice_id,
            "id": id,
            "type": event_type,
            "object_type": object_type,
            "object_id": object_id,
            "version": version,
            "changed": list(changed),
            "request_id": scope.source.request_id,
            "at": now,
        },
    )
    for listener in _listeners.get(event_type, ()):
        listener(scope, Event(event_type, object_type, object_id, version, tuple(changed)), now)
    return id


def emit_all(
    event_type: str,
    *,
    scope: Scope,
    object_type: str,
    objects: Sequence[tuple[UUID, int]],
    now: datetime,
    changed: Sequence[str] = (),
) -> None:
    """
    Record the same event of many objects, as `emit` does of one, in one round trip.

    :param objects: (id, version) of each; no object twice
    :raises EmittedOutsideTransaction: there is no transaction to commit with
    """
    if not connection.in_atomic_block:
        raise EmittedOutsideTransaction(event_type)
    if not objects:
        return
    sql.run(
        _EMIT_ALL,
        {
            "practice": scope.practice_id,
            "type": event_type,
            "object_type": object_type,
            "ids": [new_uuid() for _ in objects],
            "objects": [id for id, _ in objects],
            "versions": [version for _, version in objects],
            "changed": list(changed),
            "request_id": scope.source.request_id,
            "at": now,
        },
    )
    for listener in _listeners.get(event_type, ()):
        for id, version in objects:
            listener(scope, Event(event_type, object_type, id, version, tuple(changed)), now)
