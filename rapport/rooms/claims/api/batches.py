"""Batches of claims over HTTP."""

from __future__ import annotations

from uuid import UUID

from django.utils import timezone

from rapport.kernel.problems import ReferenceNotFound
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.api import etags
from rapport.platform.api.lists import Filter, ListSpec, Sort
from rapport.platform.api.router import ScopedRequest
from rapport.platform.api.shapes import Answer, path_id
from rapport.rooms.claims import examples, queries, services
from rapport.rooms.claims.schemas import batches as s

from .base import router

BATCHES = ListSpec(
    route="claim-batches",
    columns="b.id",
    source="claims_claimbatch b",
    id_column="b.id",
    practice_column="b.practice_id",
    sorts={"created_at": Sort("b.created_at", "timestamptz")},
    default_sort="-created_at",
    filters={
        "state": Filter("b.state", "text", ("eq", "in")),
        "payer_id": Filter("b.payer_id", "id:payer"),
        "channel_id": Filter("b.channel_id", "id:channel"),
    },
    build_page=lambda ids, scope: [
        s.batch_summary(batch) for batch in queries.batches_of(scope=scope, claim_batch_ids=ids)
    ],
)  # fmt: skip


def _whole(scope: Scope, batch_id: UUID, *, status: int | None = None) -> Answer:
    batch = queries.get_batch(scope=scope, claim_batch_id=batch_id)
    return Answer(
        s.batch_out(
            batch,
            left_out=queries.left_out_of(scope=scope, claim_batch_id=batch.id),
            submission=queries.submission_of_batch(scope=scope, batch=batch),
        ),
        etag=etags.of(batch.id, batch.version),
        status=status,
    )


@router.get(
    "/claim-batches",
    summary="List claim batches",
    needs=Permission.CLAIMS_READ,
    action="claim_batch.list",
    returns=(200, s.ClaimBatchSummary),
    list_spec=BATCHES,
    example=examples.page(
        {k: v for k, v in examples.BATCH.items() if k not in ("findings", "left_out", "submission")}
    ),
)
def list_batches(request: ScopedRequest) -> Answer:
    """The practice's batches, newest first. `state=failed` is what needs a look at the practice's own setup."""
    return BATCHES.run(request, scope=request.auth)


@router.post(
    "/claim-batches",
    summary="Send many claims in one file",
    needs=Permission.CLAIMS_SUBMIT,
    action="claim_batch.create",
    returns=(202, s.ClaimBatchOut),
    key="required",
    key_days=30,
    problems=(
        services.NoChannel, services.NothingToSend, services.NumbersUsedUp, services.TooManyClaims, ReferenceNotFound,
    ),
    example=examples.BATCH | {"state": "making", "submission": None, "left_out": []},
    request_example=examples.NEW_BATCH,
)
def create_batch(request: ScopedRequest, body: s.ClaimBatchIn) -> Answer:
    """
    Pick claims that are ready (`validated`), of one payer or of all behind a channel, or the very ones named.

    Answers 202: a job looks each one through again, freezes those without a fault into one 837P and has it sent;
    read the batch to follow its `progress`, or wait for `claim_batch.completed`. A claim with a fault is left
    out, says why, and holds nobody up. At most 10 000 claims go at once; call again for the rest.
    """
    batch = services.create_batch(scope=request.auth, now=timezone.now(), body=body)
    return _whole(request.auth, batch.id)


@router.get(
    "/claim-batches/{claim_batch_id}",
    summary="Read a claim batch",
    needs=Permission.CLAIMS_READ,
    action="claim_batch.read",
    returns=(200, s.ClaimBatchOut),
    example=examples.BATCH,
)
def get_batch(request: ScopedRequest, claim_batch_id: str) -> Answer:
    """How far a batch is, which claims it left out and why, and what became of its file."""
    return _whole(request.auth, path_id("claim_batch", claim_batch_id))
