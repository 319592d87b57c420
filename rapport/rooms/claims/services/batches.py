"""Many claims in one file: picked, looked through set by set, frozen, and handed over together."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import F

from rapport.kernel.ids import new_uuid
from rapport.kernel.problems import Conflict, Problem
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.blobs.store import default_store
from rapport.platform.db import sql
from rapport.platform.jobs import registry as jobs
from rapport.platform.outbox.emit import emit
from rapport.platform.tenancy import queries as tenancy
from rapport.protocols.x12.claim837p import Claim as Record
from rapport.protocols.x12.syntax import Finding as X12Finding
from rapport.rooms.claims import events, queries
from rapport.rooms.claims.models import BatchClaim, BatchSet, Claim, ClaimBatch
from rapport.rooms.claims.rules.findings import Finding, from_x12
from rapport.rooms.claims.rules.ways import CLAIMS_A_FILE
from rapport.rooms.claims.states import Action, BatchState, ClaimState, Outcome, WorkKind
from rapport.rooms.coverage import queries as coverage
from rapport.rooms.coverage.states import Submitter

from .assembly import NoChannel
from .covering import ask_coverage
from .elsewhere import asks_elsewhere, require_here
from .freezing import Set, keep_file, note_claims, write_set
from .judging import faults_of, keep_findings
from .materials import gather
from .numbers import control_number_of, require_left
from .own import parse_reference
from .own_rules import apply_rules
from .work import settle_work

CLAIMS_A_SET = 500
"""The guide allows 5 000. A 999 turns a whole set away, so a fault in one claim costs no more than this many a day."""
MOST = 10_000
"""Claims of one batch; what is more goes with the next."""


class NothingToSend(Conflict):
    code = "nothing-to-send"
    title = "No claim is ready to be sent that way."


class TooManyClaims(Conflict):
    code = "too-many-claims"
    title = "The channel's clearinghouse takes fewer claims in one file."


_READY = """
SELECT c.id FROM claims_claim c
WHERE c.practice_id = %(practice)s AND c.state = 'validated' AND c.format = '837p'
  AND c.source_remote_id IS NULL AND c.channel_id = %(channel)s
  AND (%(payer)s::uuid IS NULL OR c.payer_id = %(payer)s)
  AND NOT EXISTS (SELECT 1 FROM claims_batchclaim b WHERE b.practice_id = c.practice_id
                  AND b.claim_id = c.id AND b.outcome = 'waiting')
ORDER BY c.created_at, c.id LIMIT %(most)s
"""


def create_batch(*, scope: Scope, now: datetime, body: Any) -> ClaimBatch:
    """
    Pick claims that are ready, and have them put into one file by a job.

    :param body: `schemas.ClaimBatchIn`: a payer, a channel, or the very claims
    :raises NoChannel: none was named, and the practice has not just one
    :raises NothingToSend: no claim is ready
    :raises TooManyClaims: the clearinghouse takes one claim at a time, or fewer than were named
    :raises NumbersUsedUp: the channel has no control number left
    :raises ReferenceNotFound: a claim, payer or channel is not there for this actor
    """
    scope.require(Permission.CLAIMS_SUBMIT)
    payer_id = None
    if body.payer_id:
        id = parse_reference("payer", text=body.payer_id, pointer="/payer_id")
        payer_id = coverage.refer_to_payer(scope=scope, payer_id=id, pointer="/payer_id").id
    named = []
    if body.claim_ids:
        named = queries.refer_to_claims(
            scope=scope,
            claim_ids=[
                parse_reference("claim", text=text, pointer=f"/claim_ids/{place}")
                for place, text in enumerate(dict.fromkeys(body.claim_ids))
            ],
        )
    if body.channel_id:
        id = parse_reference("channel", text=body.channel_id, pointer="/channel_id")
        channel = queries.refer_to_channel(scope=scope, channel_id=id, pointer="/channel_id")
    else:
        only = queries.default_channel(scope=scope)
        if only is None:
            raise NoChannel("Name the channel.")
        channel = only
    most = min(MOST, CLAIMS_A_FILE.get(channel.kind, MOST))
    if most == 1 or len(named) > most:
        raise TooManyClaims(f"Claims in one file there: {most}. Submit them one by one, or in smaller batches.")
    picked = named
    if not body.claim_ids:
        picked = [
            row[0]
            for row in sql.rows(
                _READY,
                {"practice": scope.practice_id, "channel": channel.id, "payer": payer_id, "most": most},
            )
        ]
    require_left(channel)
    if not picked:
        raise NothingToSend("Validate claims first; what blocks each is in its findings.")
    batch = _begin(scope, picked, channel_id=channel.id, payer_id=payer_id, follows=None, now=now)
    scope.trail.target("claim_batch", batch.id, batch.version)
    scope.trail.count = len(picked)
    return batch


def follow_up(*, scope: Scope, submission_id: UUID, claim_ids: Sequence[UUID], now: datetime) -> None:
    """Send the claims anew whose file was turned away for another claim's fault."""
    before = ClaimBatch.objects.visible_to(scope).filter(submission_id=submission_id).first()
    if before is not None and claim_ids:
        _begin(scope, claim_ids, channel_id=before.channel_id, payer_id=before.payer_id, follows=before, now=now)


def _begin(
    scope: Scope, picked: Sequence[UUID], *, channel_id: UUID, payer_id: UUID | None,
    follows: ClaimBatch | None, now: datetime,
) -> ClaimBatch:  # fmt: skip
    batch = ClaimBatch.objects.create(
        practice_id=scope.practice_id, channel_id=channel_id, payer_id=payer_id, follows=follows,
        by=scope.actor_id, total=len(picked), batch_id=control_number_of("B"), submission_id=new_uuid(),
        created_at=now, updated_at=now,
    )  # fmt: skip
    BatchClaim.objects.bulk_create(
        BatchClaim(practice_id=scope.practice_id, batch=batch, claim_id=id, position=place)
        for place, id in enumerate(picked, 1)
    )
    jobs.defer("claims.make_batch", scope, queueing_lock=f"batch:{batch.id}", claim_batch_id=batch.id)
    return batch


def make_set(*, scope: Scope, batch_id: UUID, now: datetime) -> bool:
    """
    Look through the next claims of a batch, and freeze those without fault as one set.

    A claim with a fault is left out and says why; it holds nobody up. Killed in between, the batch
    goes on with the next call.

    :return: whether claims are left to be looked through
    """
    batch = ClaimBatch.objects.visible_to(scope).select_for_update().get(id=batch_id)
    if batch.state != BatchState.MAKING:
        return False
    waiting = list(
        BatchClaim.objects.visible_to(scope)
        .filter(batch_id=batch.id, outcome=Outcome.WAITING.value)
        .order_by("position").values_list("id", "claim_id", named=True)[:CLAIMS_A_SET]
    )
    if not waiting:
        return False
    number = 1 + (
        BatchSet.objects.visible_to(scope).filter(batch_id=batch.id).order_by("-number")
        .values_list("number", flat=True).first() or 0
    )  # fmt: skip
    claims = queries.lock_claims(scope=scope, claim_ids=[row.claim_id for row in waiting])
    why = {row.claim_id: ["not-found"] for row in waiting if row.claim_id not in claims}
    good = _without_fault(scope, batch, list(claims.values()), why, now=now)
    made: Set | None = None
    set_id = f"{batch.batch_id}{number:02}"
    while good and (made is None or not made.clean):
        made = _write(scope, batch, good, set_id, now=now)
        if made.common:
            return _fail(batch, made.common, now=now)
        _leave_out(scope, good, made, why, now=now)
    if made is not None and good:
        _keep(scope, batch, good, made, number=number, batch_id=set_id, now=now)
    _tell(scope, waiting, why)
    ClaimBatch.objects.visible_to(scope).filter(id=batch.id).update(
        done=F("done") + len(waiting),
        included=F("included") + len(good),
        charge_cents=F("charge_cents") + sum(claims[id].charge_cents for id in good),
        version=F("version") + 1,
        updated_at=now,
    )
    left: int = batch.total - batch.done - len(waiting)
    return left > 0


def _without_fault(
    scope: Scope, batch: ClaimBatch, claims: Sequence[Claim], why: dict[UUID, list[str]], *, now: datetime
) -> dict[UUID, Record]:
    """Return the records of claims that may go; say of the others why they may not."""
    ready = []
    for claim in claims:
        if claim.state != ClaimState.VALIDATED or claim.mirrored or claim.format != "837p":
            why[claim.id] = [f"state:{claim.state}"]
        elif claim.channel_id not in (None, batch.channel_id):
            why[claim.id] = ["other-channel"]
        elif batch.payer_id not in (None, claim.payer_id):
            why[claim.id] = ["other-payer"]
        else:
            ready.append(claim)
    materials = gather(scope=scope, claims=ready)
    said = ask_coverage(scope=scope, claims=ready, materials=materials, now=now)
    elsewhere = asks_elsewhere(scope=scope)
    portals = {
        id for id, payer in materials.payers.items()
        if coverage.submitter_of(scope=scope, payer=payer) is Submitter.PORTAL
    }  # fmt: skip
    today = scope.day_of(now)
    found: list[tuple[UUID, list[Finding]]] = []
    good: dict[UUID, Record] = {}
    for claim in ready:
        if claim.frequency == "original" and (elsewhere or claim.payer_id in portals):
            try:
                days = [line.service_on for line in materials.lines[claim.id]]
                require_here(scope=scope, patient_id=claim.patient_id, payer_id=claim.payer_id, days=days)
            except Problem as refused:
                why[claim.id] = [refused.code]
                continue
        ruled, held = (
            apply_rules(scope=scope, claim=claim, materials=materials, today=today) if materials.rules else ([], "")
        )
        if held:
            why[claim.id] = ["held-by-rule"]
            _hold(scope, claim, held, now=now)
            continue
        record = materials.record(claim)
        faults = faults_of(claim=claim, materials=materials, record=record, today=today)
        faults = [*ruled, *faults, *said[claim.id]]
        found.append((claim.id, faults))
        blocking = sorted({fault.code for fault in faults if fault.blocks})
        if blocking:
            why[claim.id] = blocking
        else:
            good[claim.id] = record
    keep_findings(scope=scope, found=found)
    unclean = [id for id, faults in found if id not in good]
    _move(scope, Action.FAIL, unclean, now=now)
    return good


def _hold(scope: Scope, claim: Claim, reason: str, *, now: datetime) -> None:
    Claim.objects.visible_to(scope).filter(id=claim.id).update(hold_reason=reason)
    claim.move(Action.HOLD, by=scope.actor_id, at=now, detail="own-rule")


def _write(scope: Scope, batch: ClaimBatch, good: dict[UUID, Record], batch_id: str, *, now: datetime) -> Set:
    channel = queries.get_channel(scope=scope, channel_id=batch.channel_id)
    return write_set(
        list(good.values()), settings=channel.settings, practice=tenancy.get_practice(scope=scope),
        batch_id=batch_id, at=now.astimezone(scope.time_zone),
    )  # fmt: skip


def _leave_out(
    scope: Scope, good: dict[UUID, Record], made: Set, why: dict[UUID, list[str]], *, now: datetime
) -> None:
    """Take the claims out that the guide has something against."""
    faulty = {id: made.faults[record.control] for id, record in good.items() if record.control in made.faults}
    for id, faults in faulty.items():
        why[id] = sorted({fault.rule for fault in faults})
        del good[id]
    keep_findings(scope=scope, found=[(id, from_x12(faults)) for id, faults in faulty.items()])
    _move(scope, Action.FAIL, list(faulty), now=now)


def _keep(
    scope: Scope, batch: ClaimBatch, good: dict[UUID, Record], made: Set, *, number: int, batch_id: str,
    now: datetime,
) -> None:  # fmt: skip
    data = "\n".join(made.body.segments).encode("latin-1")
    id = new_uuid()
    ref = default_store().put(data=data, aad=f"{scope.practice_id}|set|{id}")
    BatchSet.objects.create(
        id=id, practice_id=scope.practice_id, batch=batch, number=number, blob_key=ref.key, sha256=ref.sha256
    )
    note_claims(
        scope=scope, submission_id=batch.submission_id, made=made, records=good, set_number=number,
        batch_id=batch_id, now=now,
    )  # fmt: skip
    _move(scope, Action.QUEUE, list(good), now=now, submission_id=batch.submission_id)
    settle_work(scope=scope, kinds=list(WorkKind), claim_ids=list(good), how="sent-again", now=now)


def _move(
    scope: Scope, action: Action, claim_ids: Sequence[UUID], *, now: datetime, submission_id: UUID | None = None
) -> None:
    Claim.move_all(
        action, practice_id=scope.practice_id, claim_ids=claim_ids, by=scope.actor_id, at=now,
        submission_id=submission_id,
    )  # fmt: skip


def _tell(scope: Scope, waiting: Sequence[Any], why: dict[UUID, list[str]]) -> None:
    """Write down what became of each claim that was looked through. :param waiting: id and claim of each"""
    sql.run(
        "UPDATE claims_batchclaim b SET outcome = t.outcome, codes = t.codes::jsonb"
        " FROM unnest(%s::uuid[], %s::text[], %s::text[]) AS t (id, outcome, codes)"
        " WHERE b.practice_id = %s AND b.id = t.id",
        (
            [row.id for row in waiting],
            [(Outcome.LEFT_OUT if row.claim_id in why else Outcome.INCLUDED).value for row in waiting],
            [json.dumps(why.get(row.claim_id, [])) for row in waiting],
            scope.practice_id,
        ),
    )


def _fail(batch: ClaimBatch, common: Sequence[X12Finding], *, now: datetime) -> bool:
    """Nothing of it is sent: what is wrong is the practice's or the channel's, and the same for every claim."""
    batch.move(
        BatchState.FAILED, at=now,
        findings=[
            {"code": f.rule, "segment": f.segment, "element": f.element, "message": f.message}
            for f in common[:20]
        ],
    )  # fmt: skip
    return False


def finish_batch(*, scope: Scope, batch_id: UUID, now: datetime) -> None:
    """Put the envelope around the sets of a batch, keep the file, and have it sent."""
    batch = ClaimBatch.objects.visible_to(scope).select_for_update().get(id=batch_id)
    if batch.state == BatchState.FAILED:
        _give_back(scope, batch, now=now)
        return
    if batch.state != BatchState.MAKING:
        return
    sets = list(BatchSet.objects.visible_to(scope).filter(batch_id=batch.id).order_by("number"))
    if sets:
        keep_file(
            scope=scope, id=batch.submission_id, channel_id=batch.channel_id, bodies=_bodies(scope, sets),
            batch_id=batch.batch_id, key=batch.batch_id, claim=None, attempt=1,
            substitutions=0, now=now,
        )  # fmt: skip
        jobs.defer(
            "claims.send_submission", scope, queueing_lock=f"send:{batch.submission_id}",
            submission_id=batch.submission_id,
        )  # fmt: skip
        # Their files are nobody's now; the sweep takes them.
        BatchSet.objects.visible_to(scope).filter(batch_id=batch.id).delete()
    batch.move(BatchState.MADE if sets else BatchState.EMPTY, at=now)
    emit(
        events.CLAIM_BATCH_COMPLETED, scope=scope, object_type="claim_batch", object_id=batch.id,
        version=batch.version, now=now, changed=["state"],
    )  # fmt: skip
    scope.trail.target("claim_batch", batch.id, batch.version)


def _give_back(scope: Scope, batch: ClaimBatch, *, now: datetime) -> None:
    """Let the claims go that stand in the sets of a batch which failed: none of them left the house."""
    included = BatchClaim.objects.visible_to(scope).filter(batch_id=batch.id, outcome=Outcome.INCLUDED.value)
    _move(scope, Action.UNQUEUE, list(included.values_list("claim_id", flat=True)), now=now)
    rest = BatchClaim.objects.visible_to(scope).filter(batch_id=batch.id).exclude(outcome=Outcome.LEFT_OUT.value)
    rest.update(outcome=Outcome.LEFT_OUT.value, codes=["batch-failed"])
    BatchSet.objects.visible_to(scope).filter(batch_id=batch.id).delete()


def _bodies(scope: Scope, sets: Sequence[BatchSet]) -> Iterator[list[str]]:
    """Yield the segments of each set, one set in memory at a time."""
    for one in sets:
        data = default_store().get(
            key=one.blob_key, aad=f"{scope.practice_id}|set|{one.id}", digest=one.sha256
        )
        yield data.decode("latin-1").split("\n")
