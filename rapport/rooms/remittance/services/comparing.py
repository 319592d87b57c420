"""What payers allowed, beside what their contracts say: many services at once."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from rapport.platform.access.scope import Scope
from rapport.rooms.claims.queries.billed import BilledService, billed_services
from rapport.rooms.coverage import queries as coverage
from rapport.rooms.coverage.rules.contracts import Service
from rapport.rooms.remittance.models import RemittanceLine
from rapport.rooms.remittance.rules.underpayments import (
    Compared,
    allowed_of,
    expected_of,
    reason_to_leave_out,
)


def compare(
    *, scope: Scope, lines: Sequence[RemittanceLine]
) -> dict[UUID, tuple[Compared, BilledService | None]]:
    """
    Return line -> how the payer's decision stands beside its contract, and the service as it was billed.

    The adjustments have their plans. One question for the payers that have a contract, and where there are such one for
    the services and one for the rates. The service is None where the line was left out before it was looked for.
    """
    found: dict[UUID, tuple[Compared, BilledService | None]] = {}
    wanted: list[RemittanceLine] = []
    for line in lines:
        reason = reason_to_leave_out(
            status=line.status_code, position=line.position, modifiers=line.modifiers, adjustments=line.adjustments,
            matched=line.claim_id is not None and (line.claim_line > 0 or not line.position),
        )  # fmt: skip
        if reason:
            found[line.id] = Compared(left_out=reason), None
        else:
            wanted.append(line)
    payers = coverage.payers_with_contract(scope=scope) if wanted else set()
    services = (
        billed_services(scope=scope, claim_ids={line.claim_id for line in wanted if line.claim_id}, payer_ids=payers)
        if payers
        else {}
    )
    contracts = coverage.contracts_of(scope=scope, payer_ids={one.payer_id for one in services.values()})
    for line in wanted:
        assert line.claim_id is not None
        billed = services.get((line.claim_id, line.claim_line))
        found[line.id] = _beside(line, billed, contracts), billed
    return found


def _beside(line: RemittanceLine, billed: BilledService | None, contracts: coverage.Contracts) -> Compared:
    if billed is None:
        return Compared(left_out="no-contract")
    if billed.rank != "primary":
        return Compared(left_out="another-payer")
    rate = contracts.rate_for(
        payer_id=billed.payer_id,
        service=Service(
            billed.service_code, billed.modifiers, billed.place_of_service_code, billed.credentials, billed.service_on
        ),
    )
    if rate is None:
        return Compared(left_out="no-contract")
    allowed, stated = allowed_of(
        charge_cents=line.charge_cents, paid_cents=line.paid_cents, said_cents=line.allowed_cents,
        adjustments=line.adjustments,
    )  # fmt: skip
    expected = expected_of(rate_cents=rate.allowed_cents, units=billed.units, charge_cents=billed.charge_cents)
    return Compared(expected_cents=expected, allowed_cents=allowed, stated=stated, rule=rate.rule)
