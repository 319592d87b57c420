"""The work list: what of claims waits for a person, opened and settled by what happens to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from rapport.kernel.ids import new_uuid
from rapport.kernel.problems import StateConflict
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.api import etags
from rapport.platform.db import sql
from rapport.platform.identity import members
from rapport.platform.outbox.emit import emit_all
from rapport.rooms.claims import events
from rapport.rooms.claims.models import WorkItem
from rapport.rooms.claims.queries import desk
from rapport.rooms.claims.states import WorkKind

_OPEN = """
INSERT INTO claims_workitem (id, practice_id, claim_id, patient_id, kind, code, times, due_on, resolution,
    version, created_at, updated_at)
SELECT n.id, c.practice_id, c.id, c.patient_id, %(kind)s, %(code)s, 1, coalesce(%(due_on)s::date, c.file_by_on), '',
    1, %(at)s, %(at)s
FROM unnest(%(ids)s::uuid[], %(claims)s::uuid[]) AS n (id, claim_id)
JOIN claims_claim c ON c.practice_id = %(practice)s AND c.id = n.claim_id
ON CONFLICT (practice_id, claim_id, kind) WHERE resolved_at IS NULL
DO UPDATE SET code = excluded.code, times = claims_workitem.times + 1, version = claims_workitem.version + 1,
    updated_at = excluded.updated_at
RETURNING id, version
"""


def open_work(
    *, scope: Scope, kind: WorkKind, claim_ids: Sequence[UUID], code: str, now: datetime, due_on: date | None = None
) -> None:
    """
    Put claims on the work list. One that is there for the same kind is told again.

    :param due_on: None: by the payer's time limit
    """
    if not claim_ids:
        return
    opened = sql.rows(
        _OPEN,
        {
            "kind": kind.value, "code": code[:80], "due_on": due_on, "at": now, "practice": scope.practice_id,
            "ids": [new_uuid() for _ in claim_ids], "claims": list(claim_ids),
        },
    )  # fmt: skip
    emit_all(
        events.WORK_ITEM_OPENED, scope=scope, object_type="work_item",
        objects=[(id, version) for id, version in opened], now=now,
    )  # fmt: skip


def settle_work(
    *, scope: Scope, kinds: Sequence[WorkKind], claim_ids: Sequence[UUID], how: str, now: datetime
) -> None:
    """Take claims off the list, because of what happened to them. :param how: a code"""
    sql.run(
        "UPDATE claims_workitem SET resolved_at = %s, resolved_by = %s, resolution = %s, updated_at = %s,"
        " version = version + 1 WHERE practice_id = %s AND claim_id = ANY(%s) AND kind = ANY(%s)"
        " AND resolved_at IS NULL",
        (now, scope.actor_id, how, now, scope.practice_id, list(claim_ids), [kind.value for kind in kinds]),
    )


def warn_of_limits(*, scope: Scope, now: datetime) -> int:
    """
    Put claims on the list whose payer's time limit is near or past and which have not left; each is told once.

    :return: how many
    """
    today = scope.day_of(now)
    due = sql.rows(
        "UPDATE claims_claim SET warn_on = NULL WHERE practice_id = %s AND warn_on <= %s"
        " AND state IN ('draft', 'validated', 'held', 'rejected') RETURNING id, version, file_by_on",
        (scope.practice_id, today),
    )
    for passed in (False, True):
        mine = [(id, version, by) for id, version, by in due if (by < today) is passed]
        open_work(
            scope=scope, kind=WorkKind.FILING, claim_ids=[id for id, _, _ in mine],
            code="passed" if passed else "near", now=now,
        )  # fmt: skip
        emit_all(
            events.CLAIM_DEADLINE_NEAR, scope=scope, object_type="claim",
            objects=[(id, version) for id, version, _ in mine], now=now,
        )  # fmt: skip
    return len(due)


def change_work(
    *, scope: Scope, work_item_id: UUID, if_match: str, given: Mapping[str, Any], now: datetime
) -> WorkItem:
    """
    Say who takes care of an item, and by when.

    :raises StateConflict: it is settled
    :raises ReferenceNotFound: the owner works not here
    """
    scope.require(Permission.CLAIMS_WRITE)
    item = _held(scope, work_item_id, if_match)
    if "owner_id" in given:
        item.owner = members.refer_to_member(scope=scope, text=given["owner_id"], pointer="/owner_id")
    if "due_on" in given:
        item.due_on = given["due_on"]
    scope.trail.changed = sorted(given)
    return _kept(scope, item, now)


def resolve_work(
    *, scope: Scope, work_item_id: UUID, if_match: str, resolution: str, now: datetime
) -> WorkItem:
    """Settle an item by hand. :raises StateConflict: it is settled already"""
    scope.require(Permission.CLAIMS_WRITE)
    item = _held(scope, work_item_id, if_match)
    item.resolved_at, item.resolved_by, item.resolution = now, scope.actor_id, resolution
    return _kept(scope, item, now)


def _held(scope: Scope, work_item_id: UUID, if_match: str) -> WorkItem:
    item = desk.get_work_item(scope=scope, work_item_id=work_item_id, lock=True)
    etags.check(item, if_match)
    if item.resolved_at is not None:
        raise StateConflict("It is settled.", current_state="resolved")
    return item


def _kept(scope: Scope, item: WorkItem, now: datetime) -> WorkItem:
    item.version += 1
    item.updated_at = now
    item.save()
    scope.trail.target("work_item", item.id, item.version)
    return item
