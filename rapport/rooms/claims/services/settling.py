"""What becomes of proposals: accepted, dismissed, withdrawn with their decision, open again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from rapport.platform.access.scope import Scope
from rapport.platform.outbox.emit import emit
from rapport.rooms.claims import events
from rapport.rooms.claims.models import Claim, Proposal
from rapport.rooms.ledger import services as ledger


def withdraw_proposals(*, scope: Scope, claim_ids: Sequence[UUID], now: datetime) -> None:
    """Withdraw what was proposed of claims: their decisions were taken back."""
    rows = Proposal.objects.visible_to(scope).select_for_update().filter(
        claim_id__any_of=claim_ids, state__in=["open", "dismissed"]
    )  # fmt: skip
    for row in rows:
        for entry_id in row.moved_entry_ids:
            ledger.reverse(scope=scope, entry_id=entry_id, reason="decision taken back", now=now)
        settle(scope=scope, row=row, state="withdrawn", now=now)


def reopen_proposals(*, scope: Scope, made: Claim, now: datetime) -> None:
    """Propose again what a claim was made of that was withdrawn before any payer had it."""
    rows: Sequence[Proposal] = list(
        Proposal.objects.visible_to(scope).select_for_update().filter(made_id=made.id, state="accepted")
    )
    for row in rows:
        row.made = None
        settle(scope=scope, row=row, state="open", now=now)


def settle(*, scope: Scope, row: Proposal, state: str, now: datetime) -> None:
    """Put a proposal, which the caller holds, into another state."""
    row.state, row.updated_at = state, now
    row.version += 1
    row.save()
    scope.trail.target("claim_proposal", row.id, row.version)
    if state != "open":
        tell(scope=scope, row=row, event=events.PROPOSAL_SETTLED, now=now)


def tell(*, scope: Scope, row: Proposal, event: str, now: datetime) -> None:
    """Tell of a proposal."""
    emit(
        event, scope=scope, object_type="claim_proposal", object_id=row.id, version=row.version, now=now,
        changed=["state"],
    )  # fmt: skip
