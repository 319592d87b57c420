"""What a payer decided: called by remittance when it posts an 835."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from rapport.kernel.ids import new_uuid
from rapport.platform.access.scope import Scope
from rapport.platform.db import rows, sql
from rapport.platform.outbox.emit import emit, emit_all
from rapport.rooms.claims import events, queries
from rapport.rooms.claims.models import Claim, ClaimHistory
from rapport.rooms.claims.states import MOVES, Action


@dataclass(frozen=True, slots=True)
class Decision:
    """What a payer said of one claim, or that it took that back."""

    claim_id: UUID
    detail: str
    """A code such as `835:1`."""
    denied: bool = False
    """Nothing was paid on any service, and not because of the patient's share."""
    payer_claim_number: str = ""
    reversal: bool = False


def record_decisions(*, scope: Scope, decisions: Sequence[Decision], now: datetime) -> None:
    """
    Write down what payers decided of many claims, and tell it: as `record_decision` and `record_reversal`.

    Claims that are named once are moved together; the decisions of one that is named more often, one by one.

    :raises StateConflict: one of them is in a state that no payer decides in
    """
    times = Counter(one.claim_id for one in decisions)
    once = [one for one in decisions if times[one.claim_id] == 1]
    _move_together(scope, [one for one in once if not one.reversal and not one.denied], Action.PAY, now=now)
    _move_together(scope, [one for one in once if not one.reversal and one.denied], Action.DENY, now=now)
    _move_together(scope, [one for one in once if one.reversal], Action.REVERSE, now=now)
    for one in decisions:
        if times[one.claim_id] == 1:
            continue
        if one.reversal:
            record_reversal(scope=scope, claim_id=one.claim_id, detail=one.detail, now=now)
        else:
            record_decision(
                scope=scope, claim_id=one.claim_id, denied=one.denied, detail=one.detail,
                payer_claim_number=one.payer_claim_number, now=now,
            )  # fmt: skip


_MOVE = """
UPDATE claims_claim c SET state = %(state)s, state_changed_at = %(at)s, updated_at = %(at)s,
    version = c.version + 1,
    payer_claim_number = CASE WHEN d.number = '' THEN c.payer_claim_number ELSE d.number END
FROM unnest(%(ids)s::uuid[], %(numbers)s::text[]) d (id, number)
WHERE c.practice_id = %(practice)s AND c.id = d.id AND c.state = ANY(%(sources)s) AND c.source_remote_id IS NULL
RETURNING c.id, c.version
"""


def _move_together(scope: Scope, decisions: Sequence[Decision], action: Action, *, now: datetime) -> None:
    if not decisions:
        return
    move = MOVES[action]
    moved = dict(
        sql.rows(
            _MOVE,
            {
                "state": move.target.value, "at": now, "practice": scope.practice_id,
                "ids": [one.claim_id for one in decisions],
                "numbers": ["" if one.reversal else one.payer_claim_number[:50] for one in decisions],
                "sources": sorted(move.sources),
            },
        )
    )  # fmt: skip
    rows.add_many(
        [
            ClaimHistory(
                id=new_uuid(), practice_id=scope.practice_id, claim_id=one.claim_id, action=action.value,
                state=move.target.value, by=scope.actor_id, at=now, detail=one.detail[:80], submission_id=None,
            )
            for one in decisions
            if one.claim_id in moved
        ]
    )  # fmt: skip
    if action is Action.REVERSE:
        return  # where one is not moved, there was nothing to take back
    emit_all(
        events.CLAIM_DENIED if action is Action.DENY else events.CLAIM_PAID, scope=scope, object_type="claim",
        objects=list(moved.items()), now=now, changed=["state"],
    )  # fmt: skip
    for one in decisions:
        if one.claim_id not in moved:  # another system's, or in no state to be decided in
            record_decision(
                scope=scope, claim_id=one.claim_id, denied=one.denied, detail=one.detail,
                payer_claim_number=one.payer_claim_number, now=now,
            )  # fmt: skip


def record_decision(
    *, scope: Scope, claim_id: UUID, denied: bool, payer_claim_number: str, detail: str, now: datetime
) -> None:
    """
    Write down that the payer has decided, and tell it.

    What became of a claim that another system has is for that system to say: of such a claim only the
    payer's own number is kept, which no portal shows.

    :param denied: nothing was paid on any service, and not because of the patient's share
    :param detail: a code such as `835:1`
    """
    claim = queries.get_claim(scope=scope, claim_id=claim_id, lock=True)
    if payer_claim_number:
        Claim.objects.visible_to(scope).filter(id=claim.id).update(
            payer_claim_number=payer_claim_number[:50]
        )
    if claim.mirrored:
        return
    action = Action.DENY if denied else Action.PAY
    claim.move(action, by=scope.actor_id, at=now, detail=detail)
    emit(
        events.CLAIM_DENIED if denied else events.CLAIM_PAID, scope=scope, object_type="claim",
        object_id=claim.id, version=claim.version, now=now, changed=["state"],
    )  # fmt: skip


def record_reversal(*, scope: Scope, claim_id: UUID, detail: str, now: datetime) -> None:
    """Write down that the payer took its decision back. What it decides next follows."""
    claim = queries.get_claim(scope=scope, claim_id=claim_id, lock=True)
    if not claim.mirrored and claim.allows(Action.REVERSE):
        claim.move(Action.REVERSE, by=scope.actor_id, at=now, detail=detail)
