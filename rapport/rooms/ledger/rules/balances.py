"""Adding postings up, and sharing a payment out: pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from rapport.rooms.ledger.states import Account

from .entries import Allocation, Line


@dataclass(frozen=True, slots=True)
class Balance:
    """Where a patient stands. All in cents."""

    patient_responsibility_cents: int
    """What the patient owes."""
    insurance_outstanding_cents: int
    """What their payers are still asked for."""
    credit_cents: int
    """What they paid that pays for nothing yet."""


def balance_of(totals: dict[str, int]) -> Balance:
    """Return the balance from sums by account."""
    return Balance(
        totals.get(Account.PATIENT_RECEIVABLE, 0),
        totals.get(Account.INSURANCE_RECEIVABLE, 0),
        -totals.get(Account.UNAPPLIED, 0),
    )


def replay(postings: Iterable[Line]) -> Balance:
    """Add up a patient's postings from the first: what the stored answers must agree with."""
    totals: Counter[str] = Counter()
    for line in postings:
        totals[line.account] += line.cents
    return balance_of(totals)


@dataclass(frozen=True, slots=True)
class OpenItem:
    """What a patient still owes for one visit."""

    appointment_id: UUID | None
    open_cents: int
    service_on: date


def allocate(cents: int, items: Sequence[OpenItem]) -> list[Allocation]:
    """
    Share an amount out over what is open, in the order given, and no more than is open.

    >>> day = date(2026, 3, 2)
    >>> [part.cents for part in allocate(100, [OpenItem(None, 70, day), OpenItem(None, 50, day)])]
    [70, 30]
    """
    parts: list[Allocation] = []
    for item in items:
        part = min(cents, item.open_cents)
        if part <= 0:
            continue
        parts.append(Allocation(item.appointment_id, part, item.service_on))
        cents -= part
    return parts
