"""
One submitter for each payer: what is asked of a payer through the practice's portal is not asked again here.

Rooms above know what a portal has; one of them says so through `ports.Elsewhere`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from rapport.kernel.ids import type_id
from rapport.kernel.problems import Conflict
from rapport.platform.access.scope import Scope
from rapport.rooms.claims import queries
from rapport.rooms.claims.ports import Elsewhere
from rapport.rooms.coverage import queries as coverage
from rapport.rooms.coverage.states import Submitter

_supplied: list[Elsewhere] = []


class DuplicateClaim(Conflict):
    code = "duplicate-claim"
    title = "A claim already asks this payer for this service."


class OtherSubmitter(Conflict):
    code = "other-submitter"
    title = "The practice's claims to this payer are sent by the other of its systems."


def supply_elsewhere(look: Elsewhere | None) -> None:
    """Name who knows the claims of other systems. Called by `exchange`; None: nobody."""
    _supplied[:] = [] if look is None else [look]


def asks_elsewhere(*, scope: Scope) -> bool:
    """Tell whether the practice has another system that may hold claims."""
    return any(look.has_another(scope=scope) for look in _supplied)


def require_here(*, scope: Scope, patient_id: UUID, payer_id: UUID, days: Sequence[date]) -> None:
    """
    Pass if services of these days may be asked of a payer from here.

    :raises DuplicateClaim: the portal asks for one of them already
    :raises OtherSubmitter: the portal sends the practice's claims to this payer
    """
    for look in _supplied:
        remote_id = look.open_claim(scope=scope, patient_id=patient_id, payer_id=payer_id, days=days)
        if remote_id is not None:
            raise DuplicateClaim(
                "The portal has a claim for this patient, payer and day. Withdraw it there first.",
                claim_id=None, remote_id=remote_id,
            )
    payer = coverage.get_payer(scope=scope, payer_id=payer_id)
    if coverage.submitter_of(scope=scope, payer=payer) is Submitter.PORTAL:
        raise OtherSubmitter("Send it there, or change the payer's submitter.", submitter="portal")


def require_there(
    *, scope: Scope, patient_id: UUID | None, payer_ids: Sequence[UUID], on: date | None
) -> None:
    """
    Pass if a claim of the portal may be sent from the portal.

    :param patient_id: whose it is; None: nobody who is known here
    :param payer_ids: who it may be that is asked, as far as it is known here
    :param on: day of the service; None: it is not known
    :raises DuplicateClaim: a claim made here asks for it already
    :raises OtherSubmitter: the practice's claims to this payer are sent from here
    """
    if patient_id is not None and on is not None:
        claim_id = queries.open_claim(scope=scope, patient_id=patient_id, payer_ids=payer_ids, on=on)
        if claim_id is not None:
            raise DuplicateClaim(
                "A claim made here asks for it. Void that one first.",
                claim_id=type_id("claim", claim_id), remote_id=None,
            )
    for payer_id in payer_ids:
        payer = coverage.get_payer(scope=scope, payer_id=payer_id)
        if coverage.submitter_of(scope=scope, payer=payer) is Submitter.RAPPORT:
            raise OtherSubmitter("Send it from here, or change the payer's submitter.", submitter="rapport")
