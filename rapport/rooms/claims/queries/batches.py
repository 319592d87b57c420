"""Questions about batches and the files they leave in."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from rapport.kernel.problems import Forbidden, NotFound, StateConflict
from rapport.platform.access.scope import Scope
from rapport.platform.db import sql
from rapport.platform.db.rows import by_id
from rapport.rooms.claims.models import BatchClaim, Claim, ClaimBatch, Submission
from rapport.rooms.claims.states import BatchState, Outcome


def get_batch(*, scope: Scope, claim_batch_id: UUID, lock: bool = False) -> ClaimBatch:
    """Return a batch. :raises NotFound: there is none"""
    row = by_id(ClaimBatch, scope=scope, id=claim_batch_id, lock=lock)
    if row is None:
        raise NotFound(_sought=[("claim_batch", claim_batch_id)])
    scope.trail.target("claim_batch", row.id, row.version)
    return row


def batches_of(*, scope: Scope, claim_batch_ids: Sequence[UUID]) -> list[ClaimBatch]:
    """Return batches in the order of their ids."""
    found = {row.id: row for row in ClaimBatch.objects.visible_to(scope).filter(id__in=list(claim_batch_ids))}
    return [found[id] for id in claim_batch_ids if id in found]


def left_out_of(*, scope: Scope, claim_batch_id: UUID) -> list[BatchClaim]:
    """Return the claims that a batch left out, as far as the actor may see them; the first thousand."""
    seen = Claim.objects.visible_to(scope).values("id")
    rows = BatchClaim.objects.visible_to(scope).filter(
        batch_id=claim_batch_id, outcome=Outcome.LEFT_OUT.value, claim_id__in=seen
    )
    return list(rows.order_by("position")[:1000])


def submission_of_batch(*, scope: Scope, batch: ClaimBatch) -> Submission | None:
    """Return a batch's file, once it is whole."""
    return by_id(Submission, scope=scope, id=batch.submission_id)


def file_of_batch(*, scope: Scope, batch: ClaimBatch) -> Submission:
    """Return a batch's file. :raises StateConflict: it is being made, or there is none"""
    submission = submission_of_batch(scope=scope, batch=batch)
    if submission is None:
        making = batch.state == BatchState.MAKING
        raise StateConflict(
            "Its file is still being made." if making else "Nothing of it could be sent: it has no file.",
            current_state=batch.state,
        )
    return submission


def see_whole_file(*, scope: Scope, submission_id: UUID) -> None:
    """
    Let a file pass that carries nobody whom the actor may not see, and note whom it carries.

    :raises Forbidden: a claim in it is not on the actor's caseload
    """
    rows = sql.rows(
        "SELECT DISTINCT c.patient_id FROM claims_submittedclaim s LEFT JOIN claims_claim c"
        " ON c.practice_id = s.practice_id AND c.id = s.claim_id"
        " WHERE s.practice_id = %s AND s.submission_id = %s",
        (scope.practice_id, submission_id),
    )
    patients = {row[0] for row in rows}
    if None in patients:
        raise Forbidden("The file carries claims of patients whom you may not see.", reason="caseload")
    scope.trail.patient_ids |= patients
