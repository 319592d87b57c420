"""What a payer decided: called by remittance when it posts an 835."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from rapport.platform.access.scope import Scope
from rapport.platform.outbox.emit import emit
from rapport.rooms.claims import events, queries
from rapport.rooms.claims.models import Claim
from rapport.rooms.claims.states import Action


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
