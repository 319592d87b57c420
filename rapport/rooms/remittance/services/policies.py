"""What a practice lets post itself, and what it has done with single reasons."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rapport.kernel.problems import FieldError, Invalid
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.api import etags
from rapport.platform.db import sql
from rapport.platform.outbox.emit import emit
from rapport.rooms.remittance import events, queries
from rapport.rooms.remittance.models import PostingPolicy
from rapport.rooms.remittance.rules.planning import ALLOWED


def change_policy(
    *, scope: Scope, given: Mapping[str, Any], if_match: str, now: datetime
) -> PostingPolicy:
    """
    Change the practice's posting policy; it is made at the first change.

    :param given: the members that were sent
    :raises Invalid: an override that no practice may make: CO and PI are never the patient's
    :raises PreconditionFailed: it was changed since it was read
    """
    scope.require(Permission.REMITTANCES_POST)
    sql.hold(f"{scope.practice_id}|posting-policy")
    row = queries.get_policy(scope=scope, lock=True)
    if row is None:
        # There is one of each practice: it has the practice's id, and so an ETag before it is there.
        row = PostingPolicy(
            id=scope.practice_id, practice_id=scope.practice_id, version=0, created_at=now, updated_at=now
        )
    etags.check(row, if_match)
    for name, value in given.items():
        if name == "overrides":
            row.overrides = _overrides(value)
        elif name == "tolerance":
            row.tolerance_cents = value.amount
        elif name == "most":
            row.most_cents = value.amount if value is not None else None
        else:
            setattr(row, name, value)
    row.version += 1
    row.updated_at = now
    row.save(force_insert=row.version == 1)
    scope.trail.changed = sorted(given)
    scope.trail.target("posting_policy", row.id, row.version)
    emit(
        events.POLICY_CHANGED, scope=scope, object_type="posting_policy", object_id=row.id,
        version=row.version, now=now, changed=sorted(given),
    )  # fmt: skip
    return row


def _overrides(given: Any) -> dict[str, str]:
    """Return reason -> plan. :raises Invalid: one that no practice may make, or a reason twice"""
    found: dict[str, str] = {}
    for place, one in enumerate(given):
        key = f"{one.group}-{one.reason}"
        if one.plan not in ALLOWED[one.group]:
            raise _fault(f"/overrides/{place}/plan", "not-allowed-for-group")
        if key in found:
            raise _fault(f"/overrides/{place}/reason", "twice")
        found[key] = one.plan
    return found


def _fault(pointer: str, code: str) -> Invalid:
    return Invalid("1 field is not valid.", errors=(FieldError(pointer, code),))
