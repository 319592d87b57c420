"""What a payer after others may take off: no more than those have left of a service."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from rapport.platform.access.scope import Scope
from rapport.rooms.claims.queries.billed import AskedService, asked_by_later
from rapport.rooms.remittance import queries
from rapport.rooms.remittance.models import RemittanceLine
from rapport.rooms.remittance.rules.planning import NO_DECISION, credited, up_to_open

Service = tuple[UUID, int]
"""Claim, and position of its line; 0: the claim as a whole."""


def book_what_is_open(*, scope: Scope, lines: Sequence[RemittanceLine], fallen: Collection[UUID]) -> None:
    """
    Let decisions of second payers and later ones book no more adjustments than what is open of their services.

    Such a payer may say again what the payer before took off by contract (CO-45 beside OA-23). What is open is the charge
    less what the payers before have paid, taken off and moved to the patient, as it stands posted or comes with these.

    :param lines: planned, of checks that are posted together
    :param fallen: the decisions that these take back
    """
    asked = asked_by_later(scope=scope, claim_ids={line.claim_id for line in lines if line.claim_id})
    if not asked:
        return
    decided = [
        line for line in lines if line.claim_id and line.status_code != "22" and line.status_code not in NO_DECISION
    ]
    order = {one.claim_id: one.order for one in asked}
    standing = [
        line
        for several in queries.standing(scope=scope, claim_ids=order.keys()).values()
        for line in several
        if line.id not in fallen
    ]
    own = {line.id for line in lines}
    before = [line for line in standing if line.id not in own]
    claims = sorted((id for id in order if order[id] > 0), key=lambda id: order[id])
    for claim_id in claims:
        mine = [line for line in decided if line.claim_id == claim_id]
        if mine:
            _one_claim(claim_id, mine, asked, [*before, *(line for line in decided if line.claim_id in order)])


def _one_claim(
    claim_id: UUID, mine: Sequence[RemittanceLine], asked: Sequence[AskedService], others: Sequence[RemittanceLine]
) -> None:
    """Bound what one claim's decision books. :param others: decisions about the same visits, this one's among them"""
    services = [one for one in asked if one.claim_id == claim_id]
    place = services[0].order
    earlier = {(one.claim_id, one.position): one for one in asked if one.order < place}
    taken: dict[tuple[UUID, str], int] = {}
    """Visit and code -> what payers before took from it."""
    whole = 0
    """What they took from claims as a whole."""
    for line in others:
        by = _service_of(line, earlier)
        cents = credited(paid_cents=line.paid_cents, adjustments=line.adjustments)
        if by is not None:
            taken[by.appointment_id, by.service_code] = taken.get((by.appointment_id, by.service_code), 0) + cents
        elif any(one.claim_id == line.claim_id for one in earlier.values()):
            whole += cents
    left = {
        one.position: one.charge_cents - taken.get((one.appointment_id, one.service_code), 0) for one in services
    }
    for line in sorted(mine, key=lambda one: one.position == 0):
        if line.position == 0:
            # The claim's own adjustments come last: they have what its services leave.
            open_cents = sum(left.values()) - whole - line.paid_cents
        elif line.claim_line in left:
            open_cents = left[line.claim_line] - line.paid_cents
        else:
            continue
        line.adjustments = up_to_open(line.adjustments, open_cents=open_cents)
        if line.position:
            left[line.claim_line] -= credited(paid_cents=line.paid_cents, adjustments=line.adjustments)


def _service_of(line: RemittanceLine, earlier: dict[Service, AskedService]) -> AskedService | None:
    """Return which service a decision of a payer before is about; the only one, where it decided the claim as a whole."""
    assert line.claim_id is not None
    if line.claim_line:
        return earlier.get((line.claim_id, line.claim_line))
    of_claim = [one for one in earlier.values() if one.claim_id == line.claim_id]
    return of_claim[0] if len(of_claim) == 1 else None
