"""What contracts say that services are worth."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from rapport.platform.access.scope import Scope
from rapport.platform.db import sql
from rapport.rooms.coverage.rules.contracts import ContractRate, Service, rate_for

_RATES = """
SELECT r.payer_id, r.service_code, r.allowed_cents, r.starts_on, r.ends_on, r.modifier, r.credential, r.telehealth,
    r.place_of_service_code
FROM coverage_contractrate r WHERE r.practice_id = %s AND r.payer_id = ANY(%s)
ORDER BY r.payer_id, r.service_code, r.modifier, r.credential, r.place_of_service_code, r.telehealth, r.starts_on
"""


@dataclass(frozen=True, slots=True)
class Contracts:
    """The rates of some payers' contracts."""

    rates: Mapping[tuple[UUID, str], Sequence[ContractRate]]
    """(payer, service code) -> its rates."""
    _found: dict[tuple[UUID, Service], ContractRate | None] = field(default_factory=dict)

    def rate_for(self, *, payer_id: UUID, service: Service) -> ContractRate | None:
        """Return the rate that holds for a service; None: the contract says nothing of it."""
        asked = payer_id, service
        if asked not in self._found:
            self._found[asked] = rate_for(self.rates.get((payer_id, service.service_code), ()), service=service)
        return self._found[asked]


def payers_with_contract(*, scope: Scope) -> set[UUID]:
    """Return the payers of which a contracted rate is known."""
    rows = sql.rows(
        "SELECT DISTINCT r.payer_id FROM coverage_contractrate r WHERE r.practice_id = %s", (scope.practice_id,)
    )
    return {row[0] for row in rows}


def contracts_of(*, scope: Scope, payer_ids: Collection[UUID]) -> Contracts:
    """Return the contracted rates of payers, in one question."""
    found: dict[tuple[UUID, str], list[ContractRate]] = {}
    for payer_id, *rate in sql.rows(_RATES, (scope.practice_id, list(payer_ids))) if payer_ids else ():
        found.setdefault((payer_id, rate[0]), []).append(ContractRate(*rate))
    return Contracts(found)


def contract_rates(*, scope: Scope, payer_id: UUID) -> list[ContractRate]:
    """Return every contracted rate of a payer, by code, conditions and day."""
    rows = sql.rows(_RATES, (scope.practice_id, [payer_id]))
    return [ContractRate(*row[1:]) for row in rows]
