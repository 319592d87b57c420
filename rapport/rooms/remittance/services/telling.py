"""What a payer said of one claim, as the claims room keeps it for the payers after it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from rapport.rooms.claims.rules.deciding import Decided, ServiceDecided, Source, adjusted_of
from rapport.rooms.remittance.models import Remittance, RemittanceLine
from rapport.rooms.remittance.rules.planning import NEXT_PAYER


def words_of(*, check: Remittance, lines: Sequence[RemittanceLine], day: date) -> Decided:
    """
    Return what a check says of one claim, unchanged.

    :param lines: of that claim, in order; position 0 is the claim as a whole
    :param day: what stands for the day of a check that names none
    """
    first = lines[0]
    services = [line for line in lines if line.position]
    whole = adjusted_of(first.adjustments) if not first.position else ()
    if services:
        charge = sum(line.charge_cents for line in services)
        paid = sum(line.paid_cents for line in services) - sum(one.cents for one in whole)
    else:
        charge, paid = first.charge_cents, first.paid_cents
    return Decided(
        status_code=first.status_code,
        decided_on=check.paid_on or day,
        charge_cents=charge,
        paid_cents=paid,
        payer_claim_number=first.payer_claim_number,
        adjustments=whole,
        services=tuple(
            ServiceDecided(
                line=line.claim_line,
                code=line.service_code,
                modifiers=tuple(line.modifiers),
                charge_cents=line.charge_cents,
                paid_cents=line.paid_cents,
                units=f"{line.units:f}",
                adjustments=adjusted_of(line.adjustments),
            )
            for line in services
        ),
        source=Source(check.id, check.era_file_id, first.said.get("segment", 0)),
        remarks=tuple(first.said.get("remarks", ())),
        crossover=bool(first.said.get("crossover")),
        awaits_next=any(a["plan"] == NEXT_PAYER for line in lines for a in line.adjustments),
    )
