"""Batches of claims over HTTP."""

from __future__ import annotations

from base64 import b64encode
from uuid import UUID

from django.utils import timezone

from rapport.kernel.problems import ReferenceNotFound, StateConflict
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.api import etags
from rapport.platform.api.lists import Filter, ListSpec, Sort
from rapport.platform.api.router import ScopedRequest
from rapport.platform.api.shapes import Answer, path_id
from rapport.rooms.claims import examples, queries, services
from rapport.rooms.claims.queries import batches as files
from rapport.rooms.claims.schemas import CarriedIn
from rapport.rooms.claims.schemas import batches as s

from .base import X12, router

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
        s.batch_summary(batch) for batch in files.batches_of(scope=scope, claim_batch_ids=ids)
    ],
)  # fmt: skip


def _whole(scope: Scope, batch_id: UUID, *, status: int | None = None) -> Answer:
    batch = files.get_batch(scope=scope, claim_batch_id=batch_id)
    return Answer(
        s.batch_out(
            batch,
            left_out=files.left_out_of(scope=scope, claim_batch_id=batch.id),
            submission=files.submission_of_batch(scope=scope, batch=batch),
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


@router.get(
    "/claim-batches/{claim_batch_id}/file",
    summary="Take the file of a claim batch",
    needs=Permission.CLAIMS_READ,
    action="claim_batch.take_file",
    returns=(200, None),
    problems=(StateConflict,),
    example=None,
    other_types={X12: "The frozen 837P, byte for byte."},
)
def take_file(request: ScopedRequest, claim_batch_id: str) -> Answer:
    """
    The 837P of a batch, as it was frozen: to carry it to a payer or clearinghouse by hand, or to keep it. Taking it changes
    nothing: the claims wait until somebody says that it was handed in (`mark-submitted`).

    A batch has one file. For one of each payer make a batch of each (`payer_id`). The file carries other people's
    claims, so it is given to those who may see every one of them. It is checked against its digest before the
    first byte leaves; `Repr-Digest` has it.
    """
    scope = request.auth
    batch = files.get_batch(scope=scope, claim_batch_id=path_id("claim_batch", claim_batch_id))
    submission = files.file_of_batch(scope=scope, batch=batch)
    files.see_whole_file(scope=scope, submission_id=submission.id)
    digest = b64encode(bytes.fromhex(submission.sha256)).decode()
    return Answer(
        queries.submission_bytes(submission=submission),
        content_type=X12,
        etag=etags.of(submission.id, submission.attempt),
        headers={
            "Content-Disposition": f'attachment; filename="{submission.file_name}"',
            "Repr-Digest": f"sha-256=:{digest}:",
        },
    )


@router.post(
    "/claim-batches/{claim_batch_id}/mark-submitted",
    summary="Say that a batch's file was handed in",
    needs=Permission.CLAIMS_SUBMIT,
    action="claim_batch.mark_submitted",
    returns=(200, s.ClaimBatchOut),
    match=True,
    problems=(StateConflict,),
    example=examples.BATCH,
    request_example={"reference": "PORTAL-4711"},
)
def mark_submitted(request: ScopedRequest, claim_batch_id: str, body: CarriedIn | None = None) -> Answer:
    """
    A person says that they handed in the file of a batch whose channel sends nothing (`download`, `portal`): its claims
    are `submitted` from then on, and were not before. What the other side calls it is kept as `receipt` of the file.
    """
    id = path_id("claim_batch", claim_batch_id)
    services.mark_batch_submitted(
        scope=request.auth, claim_batch_id=id, if_match=request.edge.if_match,
        reference=(body.reference or "") if body else "", now=timezone.now(),
    )  # fmt: skip
    return _whole(request.auth, id)
