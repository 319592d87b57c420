"""Add rows to the audit trail. There is no way to change one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from rapport.kernel.ids import new_uuid
from rapport.platform.access.scope import Scope, Source
from rapport.platform.db import sql

_APPEND = """
INSERT INTO audit_auditevent (practice_id, id, occurred_at, actor_type, actor_id, roles, session_id,
    amr, action, outcome, reason, patient_ids, target_type, target_id, target_version, fields,
    changed, count, ip, user_agent, request_id)
VALUES (%s, %s, clock_timestamp(), %s, %s, %s::text[], %s, %s::text[], %s, %s, %s, %s::uuid[], %s,
    %s, %s, %s::text[], %s::text[], %s, %s::inet, %s, %s)
"""


def _array(values: Iterable[object]) -> str:
    """Return PostgreSQL's text form of an array (its manual, 8.15.6); cheaper than the driver's."""
    said = (str(value).replace("\\", "\\\\").replace('"', '\\"') for value in values)
    return "{" + ",".join(f'"{value}"' for value in said) + "}"


def append(
    *,
    scope: Scope,
    action: str,
    outcome: str = "allow",
    reason: str | None = None,
    patient_ids: Iterable[UUID] = (),
    target_type: str | None = None,
    target_id: UUID | None = None,
    target_version: int | None = None,
    fields: Sequence[str] = (),
    changed: Sequence[str] = (),
    count: int = 0,
) -> None:
    """
    Add one row, in the present transaction and scope.

    :param action: `object.verb`, e.g. `patient.read`
    :param outcome: `allow`, `deny` or `error`
    :param reason: a code, or the words a person gave as their reason; no values of a record
    """
    source = scope.source
    sql.run(
        _APPEND,
        (
            scope.practice_id, new_uuid(), scope.actor_type, scope.actor_id,
            _array(scope.roles), scope.session_id, _array(scope.amr), action, outcome,
            reason[:200] if reason else None, _array(patient_ids), target_type, target_id,
            target_version, _array(fields), _array(changed), count, source.ip or None,
            source.user_agent, source.request_id,
        ),
    )  # fmt: skip


def append_trail(*, scope: Scope, action: str, outcome: str = "allow") -> None:
    """Add the row of an operation whose work is kept, from what it noted on its trail."""
    trail = scope.trail
    append(
        scope=scope,
        action=action,
        outcome=outcome,
        reason=trail.reason,
        patient_ids=trail.patient_ids,
        target_type=trail.target_type,
        target_id=trail.target_id,
        target_version=trail.target_version,
        fields=trail.fields,
        changed=trail.changed,
        count=trail.count,
    )
    for further in trail.extra:
        append(scope=scope, **further)


def nobody(*, practice_id: UUID, source: Source) -> Scope:
    """Return a scope for rows about a caller who is not known (a failed sign-in)."""
    from zoneinfo import ZoneInfo

    return Scope(
        practice_id=practice_id,
        actor_type="nobody",
        actor_id=UUID(int=0),
        permissions=frozenset(),
        time_zone=ZoneInfo("UTC"),
        source=source,
    )
