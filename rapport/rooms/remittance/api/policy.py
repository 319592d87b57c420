"""What posts itself, and what becomes of adjustment reasons."""

from __future__ import annotations

from django.utils import timezone

from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.api import etags
from rapport.platform.api.router import ScopedRequest
from rapport.platform.api.shapes import Answer
from rapport.rooms.remittance import examples, queries, services
from rapport.rooms.remittance.models import PostingPolicy
from rapport.rooms.remittance.schemas import plan as s

from .base import router


def _policy(row: PostingPolicy | None, scope: Scope) -> Answer:
    shape = s.policy_out(row)
    return Answer(shape, etag=etags.of(scope.practice_id, shape.version))


@router.get(
    "/posting-policy",
    summary="Read the posting policy",
    needs=Permission.REMITTANCES_READ,
    action="posting_policy.read",
    returns=(200, s.PostingPolicyOut),
    example=examples.POSTING_POLICY,
)
def get_posting_policy(request: ScopedRequest) -> Answer:
    """What posts itself, and what becomes of single adjustment reasons; version 0: the practice has set nothing."""
    return _policy(queries.get_policy(scope=request.auth), request.auth)


@router.patch(
    "/posting-policy",
    summary="Change the posting policy",
    needs=Permission.REMITTANCES_POST,
    action="posting_policy.update",
    returns=(200, s.PostingPolicyOut),
    match=True,
    example=examples.POSTING_POLICY,
    request_example={"most": {"amount": 500000}, "overrides": [{"group": "CO", "reason": "97", "plan": "contractual"}]},
)
def change_posting_policy(request: ScopedRequest, body: s.PostingPolicyChange) -> Answer:
    """
    Change the members that are sent; `overrides` replaces the whole list.

    An override never writes a denial off: where nothing is paid and nothing is the patient's, a
    `contractual` reason waits for a person all the same. CO and PI are never the patient's.
    """
    row = services.change_policy(
        scope=request.auth, given=body.given(), if_match=request.edge.if_match, now=timezone.now()
    )
    return _policy(row, request.auth)


@router.get(
    "/adjustment-reasons",
    summary="List what becomes of adjustment reasons",
    needs=Permission.REMITTANCES_READ,
    action="adjustment_reason.list",
    returns=(200, s.AdjustmentReasonsOut),
    example=examples.ADJUSTMENT_REASONS,
)
def list_adjustment_reasons(request: ScopedRequest) -> Answer:
    """Reasons (CARC) by class, in our own words, and codes of money of no claim (PLB). Official texts are not ours to ship."""
    return Answer(s.reasons_out())
