"""What a payer after others may take off: no more than those have left of a service."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
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
    services: dict[UUID, list[AskedService]] = {}
    claims_at: dict[UUID, set[UUID]] = {}
    """Visit -> the claims that ask for it."""
    for one in asked:
        services.setdefault(one.claim_id, []).append(one)
        claims_at.setdefault(one.appointment_id, set()).add(one.claim_id)
    here = _by_claim(line for line in lines if line.status_code != "22" and line.status_code not in NO_DECISION)
    own = {line.id for line in lines}
    standing = queries.standing(scope=scope, claim_ids=services.keys())
    before = _by_claim(
        line for several in standing.values() for line in several if line.id not in fallen and line.id not in own
    )
    order = {claim_id: asks[0].order for claim_id, asks in services.items()}
    # What is bounded of an earlier payer here counts for the later ones.
    for claim_id in sorted((id for id in order if order[id] > 0 and id in here), key=lambda id: order[id]):
        asks = services[claim_id]
        earlier = {
            id for one in asks for id in claims_at[one.appointment_id] if order[id] < order[claim_id]
        }
        _one_claim(
            asks, here[claim_id],
            earlier={(one.claim_id, one.position): one for id in earlier for one in services[id]},
            others=[line for id in sorted(earlier) for line in (*before.get(id, ()), *here.get(id, ()))],
        )  # fmt: skip


def _by_claim(lines: Iterable[RemittanceLine]) -> dict[UUID, list[RemittanceLine]]:
    found: dict[UUID, list[RemittanceLine]] = {}
    for line in lines:
        if line.claim_id is not None:
            found.setdefault(line.claim_id, []).append(line)
    return found


def _one_claim(
    services: Sequence[AskedService], mine: Sequence[RemittanceLine], *,
    earlier: Mapping[Service, AskedService], others: Sequence[RemittanceLine],
) -> None:  # fmt: skip
    """
    Bound what one claim's decision books.

    :param earlier: what the payers before were asked for the same visits
    :param others: what those decided
    """
    taken: dict[tuple[UUID, str], int] = {}
    """Visit and code -> what payers before took from it."""
    whole = 0
    """What they took from claims as a whole."""
    for line in others:
        by = _service_of(line, earlier)
        cents = credited(paid_cents=line.paid_cents, adjustments=line.adjustments)
        if by is not None:
            taken[by.appointment_id, by.service_code] = taken.get((by.appointment_id, by.service_code), 0) + cents
        else:
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


def _service_of(line: RemittanceLine, earlier: Mapping[Service, AskedService]) -> AskedService | None:
    """Return which service a decision of a payer before is about; the only one, where it decided the claim as a whole."""
    assert line.claim_id is not None
    if line.claim_line:
        return earlier.get((line.claim_id, line.claim_line))
    of_claim = [one for one in earlier.values() if one.claim_id == line.claim_id]
    return of_claim[0] if len(of_claim) == 1 else None
