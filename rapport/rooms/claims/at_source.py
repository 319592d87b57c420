"""Claims of a connected practice leave from the system that keeps them: one submitter for each practice, and a person approves."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from rapport.kernel.outcomes import Asked, Done, Outcome
from rapport.kernel.problems import NotAtSource, StateConflict
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.api import etags
from rapport.platform.api.handed_on import Supplied
from rapport.platform.tenancy.source import SourceRef

from . import mirroring, queries
from .ports import SystemOfRecord
from .states import ClaimState

keeper: Supplied[SystemOfRecord] = Supplied()
"""What keeps the claims of connected practices."""


def submit(*, scope: Scope, claim_id: UUID, if_match: str, now: datetime, key: str) -> Outcome:
    """
    Have a claim submitted where it is kept.

    :raises ConnectorNotReady: nothing can write there
    :raises StateConflict: it is not ready there, or on its way already
    """
    scope.require(Permission.CLAIMS_SUBMIT)
    record = keeper.get()
    claim = queries.get_claim(scope=scope, claim_id=claim_id, lock=True)
    etags.check(claim, if_match)
    if claim.state != ClaimState.VALIDATED:
        raise StateConflict(f"A claim that is {claim.state} cannot be submitted.", current_state=claim.state)
    if claim.source_remote_id is None:
        raise NotAtSource("The claim is not in that system.")
    asked = Asked(
        key, claim.patient_id, {"status": "submitted"}, claim.source_system, claim.source_remote_id, ("status",)
    )
    return record.submit(scope=scope, asked=asked, now=now)


def mirror_done(*, scope: Scope, outcome: Done, now: datetime) -> None:
    """Mirror what the other system was seen to have."""
    source = SourceRef(outcome.system, outcome.remote_id, now)
    mirroring.mirror_claim(scope=scope, source=source, values=outcome.values, now=now)


__all__ = ["keeper", "mirror_done", "submit"]
