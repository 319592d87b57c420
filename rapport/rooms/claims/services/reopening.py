"""
Claims that were sent and that no payer answers for: opened again by a person, who may be wrong.

Nothing that was sent is taken back by it: the payer may have the claim after all. When it says so before the claim was
sent anew, the claim is where it was; afterwards, what it says of the first file is history, as with every other.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from rapport.kernel.problems import StateConflict
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.api import etags
from rapport.rooms.claims import queries
from rapport.rooms.claims.models import Acknowledgement, Claim, ClaimHistory, SubmittedClaim
from rapport.rooms.claims.states import Action, ClaimState, SubmissionState, WorkKind

from .judging import judge
from .own import own
from .work import settle_work

_NOT_LEFT = "It has not left: there is nothing to reopen."
_IN_DOUBT = "Whether its file arrived is not known yet: that is settled first (settle-doubt)."
_DECIDED = "Its payer has decided: make a claim with frequency `replacement` or `void`."
_ELSE = {
    ClaimState.DRAFT: _NOT_LEFT, ClaimState.VALIDATED: _NOT_LEFT, ClaimState.HELD: _NOT_LEFT, ClaimState.QUEUED: _NOT_LEFT,
    ClaimState.SENDING: _IN_DOUBT, ClaimState.UNKNOWN: _IN_DOUBT, ClaimState.PAID: _DECIDED, ClaimState.DENIED: _DECIDED,
    ClaimState.ACCEPTED: "Its payer has taken it in: wait for the decision, or ask for it (inquire-status).",
    ClaimState.REJECTED: "It was turned away: validate it, and send it again.",
    ClaimState.VOIDED: "It was withdrawn.", ClaimState.REPLACED: "Another claim stands in its place.",
}  # fmt: skip


def reopen_claim(*, scope: Scope, claim_id: UUID, if_match: str, reason: str, now: datetime) -> Claim:
    """
    Open a claim again that was sent, since its payer does not have it or never answers; it is looked through anew.

    It can then be mended, sent anew as what it was, or withdrawn. The reason is kept in the trail.

    :raises StateConflict: it has not left, is in doubt, or its payer has it; says what to do then
    """
    scope.require(Permission.CLAIMS_SUBMIT)
    claim = own(scope=scope, claim_id=claim_id)
    etags.check(claim, if_match)
    if not claim.allows(Action.REOPEN_SENT):
        raise StateConflict(
            _ELSE[ClaimState(claim.state)], current_state=claim.state, allowed_from=["submitted", "acknowledged"]
        )
    sent = queries.latest_submission(scope=scope, claim_id=claim.id)
    if sent is None or sent.state != SubmissionState.SENT:
        raise StateConflict(_IN_DOUBT, current_state=claim.state)
    claim.move(Action.REOPEN_SENT, by=scope.actor_id, at=now, detail="by-hand", submission_id=sent.id)
    settle_work(scope=scope, kinds=[WorkKind.STATUS], claim_ids=[claim.id], how="reopened", now=now)
    judge(scope=scope, claim=claim, now=now)
    scope.trail.reason = reason
    scope.trail.target("claim", claim.id, claim.version)
    return claim


def turn_up_taken(*, scope: Scope, claim_id: UUID, submission_id: UUID, detail: str, now: datetime) -> None:
    """
    Let a claim be where it was that was opened again, once its payer says that it has taken in what was sent.

    Not where the claim was sent anew since, or where the payer turned that file's claim away: that counts more.
    """
    claim = queries.get_claim(scope=scope, claim_id=claim_id, lock=True)
    if not claim.allows(Action.TURN_UP) or claim.id in queries.superseded(scope=scope, submission_id=submission_id):
        return
    mine = {"claim_id": claim.id, "submission_id": submission_id}
    opened = ClaimHistory.objects.visible_to(scope).filter(**mine, action=Action.REOPEN_SENT.value)
    refused = Acknowledgement.objects.visible_to(scope).filter(**mine, verdict="rejected")
    if opened.exists() and not refused.exists():
        claim.move(Action.TURN_UP, by=scope.actor_id, at=now, detail=detail, submission_id=submission_id)


def turn_up_decided(*, scope: Scope, claim: Claim, detail: str, now: datetime) -> None:
    """Let a claim be with its payer, which decides it, though it was opened to be mended. :param claim: held"""
    if claim.allows(Action.TURN_UP) and SubmittedClaim.objects.visible_to(scope).filter(claim_id=claim.id).exists():
        claim.move(Action.TURN_UP, by=scope.actor_id, at=now, detail=detail)
