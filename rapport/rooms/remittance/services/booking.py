"""What is booked for a service and for a check, as entries that are not posted yet."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from rapport.rooms.ledger.rules import entries as book
from rapport.rooms.remittance.models import Remittance, RemittanceLine
from rapport.rooms.remittance.rules.planning import CONTRACTUAL, NO_DECISION, PATIENT, booked

UNMATCHED = "UNMATCHED"
"""Reason of money that found no claim: it waits in the payer's clearing account."""


def named(name: str, *, turn: int | str) -> str:
    """Return an entry's name for one posting of a file: each posting has entries of its own."""
    return name if turn == 1 else f"{name}@{turn}"


def of_line(line: RemittanceLine, *, day: date, turn: int | str) -> Iterable[book.NewEntry]:
    """Yield the payment of a service and what becomes of each adjustment. :param turn: which posting of its file"""

    def source(name: str) -> book.Source:
        return book.Source("remittance_line", line.id, named(name, turn=turn))

    if line.patient_id is None:
        if line.paid_cents:
            yield book.payer_level(source("paid"), day, cents=line.paid_cents, reason=UNMATCHED)
        return
    about = book.About(
        line.patient_id, line.appointment_id, claim_id=line.claim_id, service_on=line.service_on
    )
    if line.paid_cents:
        yield book.insurance_payment(source("paid"), day, about, cents=line.paid_cents)
    if line.status_code in NO_DECISION:
        return
    for number, adjustment in enumerate(line.adjustments, 1):
        name, cents = f"{adjustment['group']}-{adjustment['reason']}", booked(adjustment)
        if not cents:
            continue
        if adjustment["plan"] == CONTRACTUAL:
            yield book.contractual_adjustment(source(f"{name}#{number}"), day, about, cents=cents, reason=name)
        elif adjustment["plan"] == PATIENT:
            yield book.transfer_to_patient(source(f"{name}#{number}"), day, about, cents=cents, reason=name)


def of_check(check: Remittance, *, day: date, turn: int) -> Iterable[book.NewEntry]:
    """Yield what a check moves beside its claims (PLB)."""
    for number, one in enumerate(check.provider_adjustments, 1):
        if one["cents"]:
            source = book.Source("remittance", check.id, named(f"PLB-{number}", turn=turn))
            yield book.payer_level(source, day, cents=-one["cents"], reason=one["reason"])
