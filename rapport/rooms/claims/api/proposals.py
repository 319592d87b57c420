"""Several payers over HTTP: what should be asked of the next one, who answers for a finding, and the story of it."""

from __future__ import annotations

from django.utils import timezone

from rapport.kernel.problems import ReferenceNotFound, StateConflict
from rapport.platform.access.permissions import Permission
from rapport.platform.api import etags
from rapport.platform.api.lists import Filter, ListSpec, Sort
from rapport.platform.api.router import ScopedRequest
from rapport.platform.api.shapes import Answer, Page, path_id
from rapport.rooms.claims import examples, payers, queries, services
from rapport.rooms.claims import schemas as shapes
from rapport.rooms.claims.models import Proposal
from rapport.rooms.claims.schemas import payers as s

from .base import router
from .claims import whole


@router.get(
    "/claims/{claim_id}/history",
    summary="Read the history of a claim",
    needs=Permission.CLAIMS_READ,
    action="claim.read_history",
    kind="list",
    returns=(200, s.StoryOut),
    example=examples.page(examples.HISTORY),
)
def get_history(request: ScopedRequest, claim_id: str) -> Page:
    """
    Everything that happened to a claim, oldest first, each as one sentence: by whom, and in which file
    and at which segment it was read.
    """
    claim = queries.get_claim(scope=request.auth, claim_id=path_id("claim", claim_id))
    told = payers.story_of(scope=request.auth, claim=claim)
    request.auth.trail.count = len(told)
    return Page(
        data=[s.story_out(one, practice_id=claim.practice_id) for one in told], has_more=False, next_cursor=None
    )


@router.post(
    "/claims/{claim_id}/override",
    summary="Answer for a finding",
    needs=Permission.CLAIMS_SUBMIT,
    action="claim.override",
    returns=(200, shapes.ClaimOut),
    problems=(StateConflict,),
    example=examples.CLAIM,
    request_example={"code": "crossed-over", "reason": "the second payer has no such claim"},
)
def override_finding(request: ScopedRequest, claim_id: str, body: shapes.FindingOverrideIn) -> Answer:
    """
    Let a finding that blocks a claim be a warning, because somebody knows better. `crossed-over` only:
    the payer before said that it passed the claim on, and the next one says that it did not get it.
    """
    claim = services.override_finding(
        scope=request.auth, claim_id=path_id("claim", claim_id), code=body.code, reason=body.reason,
        now=timezone.now(),
    )  # fmt: skip
    return whole(request.auth, claim.id)


PROPOSALS = ListSpec(
    route="claim-proposals",
    columns="p.id",
    source="claims_proposal p",
    id_column="p.id",
    practice_column="p.practice_id",
    sorts={"created_at": Sort("p.created_at", "timestamptz")},
    default_sort="-created_at",
    filters={
        "state": Filter("p.state", "enum:open|accepted|dismissed|withdrawn", ("eq", "in")),
        "claim_id": Filter("p.claim_id", "id:claim"),
        "patient_id": Filter("p.patient_id", "id:patient"),
    },
    build_page=lambda ids, scope: [
        s.proposal_out(row) for row in payers.proposals_of(scope=scope, proposal_ids=ids)
    ],
)  # fmt: skip


def _proposal(row: Proposal) -> Answer:
    return Answer(s.proposal_out(row), etag=etags.of(row.id, row.version))


@router.get(
    "/claim-proposals",
    summary="List proposals of claims",
    needs=Permission.CLAIMS_READ,
    action="claim_proposal.list",
    returns=(200, s.ProposalOut),
    list_spec=PROPOSALS,
    example=examples.page(examples.PROPOSAL),
)
def list_claim_proposals(request: ScopedRequest) -> Answer:
    """
    What should be asked of patients' further payers now that one has decided. `state=open` is the work list.
    """
    return PROPOSALS.run(request, scope=request.auth)


@router.get(
    "/claim-proposals/{claim_proposal_id}",
    summary="Read a proposal of a claim",
    needs=Permission.CLAIMS_READ,
    action="claim_proposal.read",
    returns=(200, s.ProposalOut),
    example=examples.PROPOSAL,
)
def get_claim_proposal(request: ScopedRequest, claim_proposal_id: str) -> Answer:
    """One proposal, and the claim that was made of it."""
    id = path_id("claim_proposal", claim_proposal_id)
    return _proposal(payers.get_proposal(scope=request.auth, proposal_id=id))


@router.post(
    "/claim-proposals/{claim_proposal_id}/accept",
    summary="Make the claim that is proposed",
    needs=Permission.CLAIMS_WRITE,
    action="claim_proposal.accept",
    returns=(200, s.ProposalOut),
    match=True,
    key="required",
    key_days=30,
    problems=(services.DuplicateClaim, services.OtherSubmitter, ReferenceNotFound, StateConflict),
    example=examples.PROPOSAL | {"state": "accepted", "made_claim_id": "clm_01h455vb4pex5vsknk084sn031"},
    request_example={},
)
def accept_claim_proposal(
    request: ScopedRequest, claim_proposal_id: str, body: s.ProposalAcceptIn | None = None
) -> Answer:
    """
    Make the claim to the further payer, with what was decided before it. It leaves when it is submitted, as every claim.
    """
    row = services.accept_proposal(
        scope=request.auth, proposal_id=path_id("claim_proposal", claim_proposal_id),
        channel_id=body.channel_id if body else None, if_match=request.edge.if_match, now=timezone.now(),
    )  # fmt: skip
    return _proposal(row)


@router.post(
    "/claim-proposals/{claim_proposal_id}/dismiss",
    summary="Leave the further payer unasked",
    needs=Permission.CLAIMS_WRITE,
    action="claim_proposal.dismiss",
    returns=(200, s.ProposalOut),
    match=True,
    problems=(StateConflict,),
    example=examples.PROPOSAL | {"state": "dismissed", "reason": "that plan ended in spring"},
    request_example={"reason": "that plan ended in spring"},
)
def dismiss_claim_proposal(
    request: ScopedRequest, claim_proposal_id: str, body: s.ProposalDismissIn
) -> Answer:
    """Leave the further payer unasked, with a reason: what waited for it becomes the patient's to pay."""
    row = services.dismiss_proposal(
        scope=request.auth, proposal_id=path_id("claim_proposal", claim_proposal_id), reason=body.reason,
        if_match=request.edge.if_match, now=timezone.now(),
    )  # fmt: skip
    return _proposal(row)
