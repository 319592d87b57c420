"""What a payer decided: called by remittance when it posts an 835."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.types.json import Jsonb

from rapport.kernel.ids import new_uuids
from rapport.platform.access.scope import Scope
from rapport.platform.db import rows, sql
from rapport.platform.outbox.emit import emit, emit_all
from rapport.rooms.claims import events, queries
from rapport.rooms.claims.models import Claim, ClaimHistory
from rapport.rooms.claims.models import Decision as Kept
from rapport.rooms.claims.rules.deciding import Decided
from rapport.rooms.claims.states import MOVES, Action, ClaimState, WorkKind

from .correcting import settle_original
from .proposals import propose
from .reopening import turn_up_decided
from .settling import withdraw_proposals
from .work import settle_work

_ANSWERED = (WorkKind.STATUS, WorkKind.REJECTED)
"""What a claim waits for a person for no longer, once its payer has decided."""


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
    words: Decided | None = None
    """Its words, kept for the payers after it; None: what was said before holds again, or no longer, since a
    file was taken back."""


def record_decisions(*, scope: Scope, decisions: Sequence[Decision], now: datetime) -> None:
    """
    Write down what payers decided of many claims, and tell it: as `record_decision` and `record_reversal`.

    Claims that are named once are moved together; the decisions of one that is named more often, one by one.

    :raises StateConflict: one of them is in a state that no payer decides in
    """
    times = Counter(one.claim_id for one in decisions)
    # What a payer takes back may end a claim, or open it to another: each of those is looked at by itself.
    once = [one for one in decisions if times[one.claim_id] == 1 and not (one.reversal and one.words)]
    together = {one.claim_id for one in once}
    _move_together(scope, [one for one in once if not one.reversal and not one.denied], Action.PAY, now=now)
    _move_together(scope, [one for one in once if not one.reversal and one.denied], Action.DENY, now=now)
    _move_together(scope, [one for one in once if one.reversal], Action.REVERSE, now=now)
    for one in decisions:
        if one.claim_id in together:
            continue
        if one.reversal:
            record_reversal(
                scope=scope, claim_id=one.claim_id, detail=one.detail, decided=one.words, now=now
            )
        else:
            _decide(scope, one, now=now)


def _decide(scope: Scope, one: Decision, *, now: datetime) -> None:
    record_decision(
        scope=scope, claim_id=one.claim_id, denied=one.denied, detail=one.detail,
        payer_claim_number=one.payer_claim_number, decided=one.words, now=now,
    )  # fmt: skip


# By the key of each claim; a join with a list of unknown length was planned as every claim beside every one of the list.
_MOVE = """
UPDATE claims_claim c SET state = %(state)s, state_changed_at = %(at)s, updated_at = %(at)s,
    version = c.version + 1,
    payer_claim_number = coalesce(%(numbers)s ->> c.id::text, c.payer_claim_number)
WHERE c.practice_id = %(practice)s AND c.id = ANY(%(ids)s) AND c.state = ANY(%(sources)s) AND c.source_remote_id IS NULL
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
                "numbers": Jsonb({
                    str(one.claim_id): one.payer_claim_number[:50]
                    for one in decisions if one.payer_claim_number and not one.reversal
                }),
                "sources": sorted(move.sources),
            },
        )
    )  # fmt: skip
    rows.add_plain(
        ClaimHistory,
        [
            {
                "id": id, "practice_id": scope.practice_id, "claim_id": one.claim_id, "action": action.value,
                "state": move.target.value, "by": scope.actor_id, "at": now, "detail": one.detail[:80],
                "submission_id": None,
            }
            for id, one in zip(new_uuids(len(decisions)), decisions, strict=True)
            if one.claim_id in moved
        ],
    )  # fmt: skip
    if action is Action.REVERSE:
        withdraw_proposals(scope=scope, claim_ids=[one.claim_id for one in decisions], now=now)
        return  # where one is not moved, there was nothing to take back
    settle_work(scope=scope, kinds=_ANSWERED, claim_ids=list(moved), how="decided", now=now)
    emit_all(
        events.CLAIM_DENIED if action is Action.DENY else events.CLAIM_PAID, scope=scope, object_type="claim",
        objects=list(moved.items()), now=now, changed=["state"],
    )  # fmt: skip
    here = [one for one in decisions if one.claim_id in moved]
    _keep(scope, [(one.claim_id, one.words) for one in here], now=now)
    further = queries.further_payers(scope=scope, claim_ids=[one.claim_id for one in here])
    for one in here:
        if one.claim_id in further:
            _follow(scope, queries.get_claim(scope=scope, claim_id=one.claim_id), one.words, denied=action is Action.DENY, now=now)
    for one in decisions:
        if one.claim_id not in moved:  # another system's, or in no state to be decided in
            _decide(scope, one, now=now)


def _follow(scope: Scope, claim: Claim, words: Decided | None, *, denied: bool, now: datetime) -> None:
    """Propose what follows from a decision; where a file was taken back, what was proposed before is settled first."""
    if words is None:
        withdraw_proposals(scope=scope, claim_ids=[claim.id], now=now)
    propose(scope=scope, claim=claim, denied=denied, now=now)


def record_decision(
    *, scope: Scope, claim_id: UUID, denied: bool, payer_claim_number: str, detail: str, now: datetime,
    decided: Decided | None = None,
) -> None:  # fmt: skip
    """
    Write down that the payer has decided, and tell it.

    What became of a claim that another system has is for that system to say: of such a claim only the
    payer's own number is kept, which no portal shows.

    :param denied: nothing was paid on any service, and not because of the patient's share
    :param detail: a code such as `835:1`
    :param decided: its words, kept for the payers after it
    """
    claim = queries.get_claim(scope=scope, claim_id=claim_id, lock=True)
    _keep(scope, [(claim.id, decided)], now=now)
    if payer_claim_number:
        Claim.objects.visible_to(scope).filter(id=claim.id).update(
            payer_claim_number=payer_claim_number[:50]
        )
    if claim.mirrored or (decided is None and claim.state in (ClaimState.REPLACED, ClaimState.VOIDED)):
        return
    action = Action.DENY if denied else Action.PAY
    turn_up_decided(scope=scope, claim=claim, detail=detail, now=now)
    claim.move(action, by=scope.actor_id, at=now, detail=detail)
    _follow(scope, claim, decided, denied=denied, now=now)
    settle_work(scope=scope, kinds=_ANSWERED, claim_ids=[claim.id], how="decided", now=now)
    emit(
        events.CLAIM_DENIED if denied else events.CLAIM_PAID, scope=scope, object_type="claim",
        object_id=claim.id, version=claim.version, now=now, changed=["state"],
    )  # fmt: skip


def record_reversal(
    *, scope: Scope, claim_id: UUID, detail: str, now: datetime, decided: Decided | None = None
) -> None:
    """
    Write down that the payer took its decision back. What it decides next follows.

    :param decided: the payer's words; None: its decision was taken back here, with its file
    """
    claim = queries.get_claim(scope=scope, claim_id=claim_id, lock=True)
    if claim.frequency == "void" and claim.original_id is not None and decided is not None:
        # Some payers name the claim that asks for it, not the one that is taken back.
        claim = queries.get_claim(scope=scope, claim_id=claim.original_id, lock=True)
    _keep(scope, [(claim.id, decided)], now=now)
    withdraw_proposals(scope=scope, claim_ids=[claim.id], now=now)
    if decided is not None and not claim.mirrored and settle_original(scope=scope, claim=claim, now=now):
        return
    if not claim.mirrored and claim.allows(Action.REVERSE):
        claim.move(Action.REVERSE, by=scope.actor_id, at=now, detail=detail)


def withdraw_decisions(*, scope: Scope, remittance_id: UUID, now: datetime) -> None:
    """Let nothing count any more of what a check decided: its file was taken back."""
    Kept.objects.visible_to(scope).filter(remittance_id=remittance_id, withdrawn_at=None).update(
        withdrawn_at=now
    )


_LAST = """
SELECT claim_id, max(number) FROM claims_decision WHERE practice_id = %s AND claim_id = ANY(%s) GROUP BY claim_id
"""


def _keep(scope: Scope, said: Sequence[tuple[UUID, Decided | None]], *, now: datetime) -> None:
    """Keep payers' words on claims, in their order. The claims are held."""
    words = [(claim_id, one) for claim_id, one in said if one is not None]
    if not words:
        return
    last = dict(sql.rows(_LAST, (scope.practice_id, [claim_id for claim_id, _ in words])))
    kept = []
    for id, (claim_id, one) in zip(new_uuids(len(words)), words, strict=True):
        last[claim_id] = last.get(claim_id, 0) + 1
        kept.append({
            "id": id, "practice_id": scope.practice_id, "claim_id": claim_id, "number": last[claim_id],
            "status_code": one.status_code, "decided_on": one.decided_on, "charge_cents": one.charge_cents,
            "paid_cents": one.paid_cents, "payer_claim_number": one.payer_claim_number[:50],
            "adjustments": one.adjustments, "services": one.services,
            "remarks": [remark[:10] for remark in one.remarks], "crossover": one.crossover,
            "awaits_next": one.awaits_next, "remittance_id": one.source.remittance_id,
            "era_file_id": one.source.era_file_id, "segment": one.source.segment, "at": now, "withdrawn_at": None,
        })  # fmt: skip
    rows.add_plain(Kept, kept)
