"""
Claims in place of another one (frequency 7) or to take one back (8), and claims that are withdrawn.

The payer is asked to correct what it has decided, by its own number of that claim. While the original is
on its way there is nothing to correct, and two of them could be paid.
"""

from __future__ import annotations

from collections.abc import Iterable, Set
from datetime import datetime
from typing import Any
from uuid import UUID

from rapport.kernel.ids import type_id
from rapport.kernel.problems import FieldError, Invalid, StateConflict
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.api import etags
from rapport.platform.outbox.emit import emit
from rapport.rooms.claims import events, payers, queries
from rapport.rooms.claims.models import Billed, Claim, ClaimHistory, ClaimLine
from rapport.rooms.claims.rules.deciding import REVERSAL
from rapport.rooms.claims.states import DECIDED, UNDECIDED, Action, ClaimState, WorkKind

from .elsewhere import DuplicateClaim
from .own import own, parse_reference
from .settling import reopen_proposals
from .work import settle_work

_ENDED = "835:22"
"""Detail of the move by which a reversal ends a claim."""


def original_of(*, scope: Scope, body: Any) -> Claim | None:
    """
    Return the claim that a new one is to replace or void, held; None: it is an original itself.

    :param body: `schemas.ClaimIn`
    :raises Invalid: it is named, or not named, against the frequency
    :raises StateConflict: the payer has not decided about it, or gave it no number
    :raises DuplicateClaim: another claim replaces or voids it
    """
    if body.frequency == "original":
        if body.original_claim_id:
            raise Invalid(
                "1 field is not valid.",
                errors=(FieldError("/original_claim_id", "not-allowed", "Only for a replacement or void."),),
            )
        return None
    if not body.original_claim_id:
        raise Invalid("1 field is not valid.", errors=(FieldError("/original_claim_id", "required"),))
    original = own(scope=scope, claim_id=parse_reference("claim", text=body.original_claim_id, pointer="/original_claim_id"))
    successor = payers.successor_of(scope=scope, claim_id=original.id)
    if successor is not None:
        raise DuplicateClaim(
            "Another claim replaces or voids it: go on with that one.",
            claim_id=type_id("claim", successor.id),
        )
    _require_decided(original)
    return original


def _require_decided(original: Claim) -> None:
    if original.state not in DECIDED:
        raise StateConflict(
            f"The original is {original.state}: it can be replaced or voided once its payer has decided.",
            current_state=original.state,
        )
    if not original.payer_claim_number:
        raise StateConflict(
            "The payer has not given the original a number yet; it cannot be replaced or voided.",
            current_state=original.state,
        )


def same_request(
    *, original: Claim, patient_id: UUID, payer_id: UUID, frequency: str, visits: Set[UUID], asked: Set[UUID]
) -> None:
    """
    Pass if a claim asks what its original did: the same patient and payer; to void it, the same visits.

    :raises Invalid: it does not
    """
    if (original.patient_id, original.payer_id) != (patient_id, payer_id):
        fault = FieldError("/original_claim_id", "other-request", "It is about another patient or payer.")
    elif frequency == "void" and visits != asked:
        fault = FieldError("/appointment_ids", "other-request", "Name the visits of the claim to void.")
    else:
        return
    raise Invalid("1 field is not valid.", errors=(fault,))


def settle_original(*, scope: Scope, claim: Claim, now: datetime) -> bool:
    """
    Let a claim whose decision was taken back end, where a later one was sent to replace or void it.

    :param claim: held; the payer has taken its decision back
    :return: whether it has ended
    """
    later = payers.successor_of(scope=scope, claim_id=claim.id)
    if later is None or later.state not in {*UNDECIDED, *DECIDED}:
        return False
    if later.frequency == "replacement":
        if claim.allows(Action.REPLACE):
            claim.move(Action.REPLACE, by=scope.actor_id, at=now, detail=_ENDED)
        return True
    for one in (claim, later):
        if one.allows(Action.CANCEL):
            one.move(Action.CANCEL, by=scope.actor_id, at=now, detail=_ENDED)
            _free(scope, one)
            _tell_voided(scope, one, now)
    return True


_TOLD = {
    ClaimState.SUBMITTED: events.CLAIM_SUBMITTED, ClaimState.ACKNOWLEDGED: events.CLAIM_ACKNOWLEDGED,
    ClaimState.ACCEPTED: events.CLAIM_ACCEPTED, ClaimState.PAID: events.CLAIM_PAID,
    ClaimState.DENIED: events.CLAIM_DENIED, ClaimState.UNKNOWN: events.CLAIM_UNKNOWN,
}  # fmt: skip


def reinstate(*, scope: Scope, claim_ids: Iterable[UUID], now: datetime) -> set[UUID]:
    """
    Let claims go on where they were that a reversal had ended (replaced or voided), once no reversal of them counts any more.

    :param claim_ids: of the decisions that were taken back with their file
    :return: those whose decisions stand again; a claim that asked for the withdrawal is where it was, and not among them
    :raises StateConflict: the visits of a void were billed anew meanwhile
    """
    ended = Claim.objects.visible_to(scope).filter(
        id__in=list(claim_ids), state__in=[ClaimState.VOIDED, ClaimState.REPLACED]
    )
    # Some payers name the claim that asks for the withdrawal, not the one that is taken back.
    firsts = {row.original_id if row.frequency == "void" and row.original_id else row.id for row in ended}
    found: set[UUID] = set()
    for claim in queries.lock_claims(scope=scope, claim_ids=sorted(firsts)).values():
        reversed_ = any(one.status_code == REVERSAL for one in payers.standing_words(scope=scope, claim_id=claim.id))
        if not reversed_ and _go_back(scope, claim, now):
            found.add(claim.id)
            # A void that was carried out is no successor any more, since it has ended too.
            for later in Claim.objects.visible_to(scope).filter(original_id=claim.id, frequency="void"):
                if _go_back(scope, later, now):
                    _take_again(scope, later)
    return found


def _go_back(scope: Scope, claim: Claim, now: datetime) -> bool:
    """Bring a claim to where it was before a reversal ended it. :return: whether one had"""
    if not claim.allows(Action.REINSTATE):
        return False
    moves = list(ClaimHistory.objects.visible_to(scope).filter(claim_id=claim.id).order_by("-at", "-id"))
    # What ended it came last; moves of one instant stand in no order.
    end = next((one for one in moves if one.at == moves[0].at and one.detail == _ENDED and one.state == claim.state), None)
    before = next((one for one in moves if one is not end), None)
    if end is None or before is None:
        return False
    claim.move(Action.REINSTATE, by=scope.actor_id, at=now, detail="835:unposted", back_to=before.state)
    event = _TOLD.get(ClaimState(claim.state))
    if event:
        emit(
            event, scope=scope, object_type="claim", object_id=claim.id, version=claim.version, now=now,
            changed=["state"],
        )  # fmt: skip
    return True


def _take_again(scope: Scope, void: Claim) -> None:
    """Let a void hold its services again, which it gave free. :raises StateConflict: another claim asks for them"""
    lines = queries.lines_of(scope=scope, claim_id=void.id)
    taken = Billed.objects.visible_to(scope).filter(
        payer_id=void.payer_id, appointment_id__in=[line.appointment_id for line in lines]
    )
    if taken.exists():
        raise StateConflict(
            "Visits of a claim that was voided by this file were billed anew. Withdraw that claim first.",
            current_state="posted",
        )
    _hold(scope, void)


def void_claim(*, scope: Scope, claim_id: UUID, if_match: str, now: datetime) -> Claim:
    """
    Withdraw a claim that no payer has. Its services can then be billed anew.

    One that was to replace or void another gives its services back to that one.

    :raises StateConflict: a payer may have it; make a claim with frequency `void` instead
    """
    scope.require(Permission.CLAIMS_WRITE)
    claim = own(scope=scope, claim_id=claim_id)
    etags.check(claim, if_match)
    if claim.allows(Action.REOPEN_SENT):
        raise StateConflict(
            f"A claim that is {claim.state} cannot be withdrawn. Where its payer does not have it, reopen it first.",
            current_state=claim.state,
        )
    claim.move(Action.VOID, by=scope.actor_id, at=now)
    settle_work(scope=scope, kinds=list(WorkKind), claim_ids=[claim.id], how="withdrawn", now=now)
    _free(scope, claim)
    if claim.original_id is not None:
        _give_back(scope, queries.get_claim(scope=scope, claim_id=claim.original_id, lock=True))
    reopen_proposals(scope=scope, made=claim, now=now)
    _tell_voided(scope, claim, now)
    scope.trail.target("claim", claim.id, claim.version)
    return claim


def _free(scope: Scope, claim: Claim) -> None:
    Billed.objects.visible_to(scope).filter(claim_id=claim.id).delete()
    ClaimLine.objects.visible_to(scope).filter(claim_id=claim.id).update(live=False)


def _give_back(scope: Scope, original: Claim) -> None:
    """Let the original ask for its services again: the claim in its place was withdrawn."""
    if original.state in (ClaimState.VOIDED, ClaimState.REPLACED):
        return
    _hold(scope, original)


def _hold(scope: Scope, claim: Claim) -> None:
    """Give a claim the right to ask its payer for its services."""
    ClaimLine.objects.visible_to(scope).filter(claim_id=claim.id).update(live=True)
    Billed.objects.bulk_create(
        Billed(
            practice_id=scope.practice_id, claim=claim, appointment_id=line.appointment_id,
            service_code=line.service_code, payer_id=claim.payer_id,
        )
        for line in queries.lines_of(scope=scope, claim_id=claim.id)
    )  # fmt: skip


def _tell_voided(scope: Scope, claim: Claim, now: datetime) -> None:
    emit(
        events.CLAIM_VOIDED, scope=scope, object_type="claim", object_id=claim.id,
        version=claim.version, now=now, changed=["state"],
    )  # fmt: skip
