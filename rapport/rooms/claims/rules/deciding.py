"""
What payers decided about a claim, and which of it counts. Plain values; cents are whole.

A payer may decide in parts, take a decision back (835 status 22) and decide anew. What a later payer
is told is the last decision about each service that was not taken back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import msgspec

REVERSAL = "22"
FORWARDED = frozenset({"19", "20", "21"})
"""CLP02: decided, and passed on to the next payer."""


class Adjusted(msgspec.Struct, frozen=True):
    """
    One reason of the payer, unchanged (CAS). A positive amount reduces what is paid.

    It is kept by the names of its fields; `adjusted_of` reads it.
    """

    group: str
    reason: str
    cents: int
    quantity: str = ""
    """As the payer wrote it; empty: none."""


class ServiceDecided(msgspec.Struct, frozen=True):
    """What a payer decided about one service of a claim (SVC). It is kept by the names of its fields."""

    line: int
    """Position of our line in its claim; 0: it was matched to none."""
    code: str
    """As the payer decided it, which may be another code than was sent."""
    modifiers: tuple[str, ...]
    charge_cents: int
    paid_cents: int
    units: str
    adjustments: tuple[Adjusted, ...] = ()


class Source(msgspec.Struct, frozen=True):
    """Where a decision was read: the check, its file, and the claim's segment in it."""

    remittance_id: UUID
    era_file_id: UUID
    segment: int
    """Position of the CLP segment in the file; 0: entered by hand."""


class Decided(msgspec.Struct, frozen=True):
    """One payer's word about one claim (CLP)."""

    status_code: str
    """CLP02: `22` takes an earlier word back."""
    decided_on: date
    """Day of the check."""
    charge_cents: int
    paid_cents: int
    payer_claim_number: str
    adjustments: tuple[Adjusted, ...]
    """Only those of the claim as a whole."""
    services: tuple[ServiceDecided, ...]
    source: Source
    remarks: tuple[str, ...] = ()
    crossover: bool = False
    """The payer named who it passed the claim on to (NM1*TT)."""
    awaits_next: bool = False
    """What it left to the patient waits for a further payer, and is not in the patient's balance."""

    @property
    def passed_on(self) -> bool:
        """The payer has sent the claim on to the next one itself."""
        return self.crossover or self.status_code in FORWARDED


@dataclass(frozen=True, slots=True)
class Told:
    """What a later payer is told of an earlier one's decisions."""

    charge_cents: int
    paid_cents: int
    adjustments: tuple[Adjusted, ...]
    services: Mapping[int, tuple[ServiceDecided, date]]
    """Position of our line -> decision and day. Empty: it decided about the claim as a whole."""
    decided_on: date
    """Of the latest decision."""
    payer_claim_number: str
    remarks: tuple[str, ...]
    passed_on: bool

    @property
    def left_to_patient_cents(self) -> int:
        """What the payer left to the patient (group PR), of claim and services."""
        return owed(self.adjustments) + sum(owed(one.adjustments) for one, _ in self.services.values())


def owed(adjustments: Iterable[Adjusted]) -> int:
    """Return what is left to the patient, in cents."""
    return sum(one.cents for one in adjustments if one.group == "PR")


def adjusted_of(rows: Iterable[Mapping[str, Any]]) -> tuple[Adjusted, ...]:
    """Return adjustments as they are kept: [{"group", "reason", "cents", "quantity"}]."""
    return tuple(
        Adjusted(row["group"], row["reason"], row["cents"], row.get("quantity") or "") for row in rows
    )


def standing(decisions: Sequence[Decided]) -> list[Decided]:
    """
    Return the decisions that no reversal took back, in their order.

    :param decisions: of one claim, in the order they were posted. A reversal takes back the decision
        that it mirrors, which may come after it; failing that, the latest one before it
    """
    left = [one for one in decisions if one.status_code != REVERSAL]
    inexact = []
    for reversal in (one for one in decisions if one.status_code == REVERSAL):
        mirrored = next((one for one in reversed(left) if _mirrors(reversal, one)), None)
        if mirrored is not None:
            left.remove(mirrored)
        else:
            inexact.append(reversal)
    order = {id(one): place for place, one in enumerate(decisions)}
    for reversal in inexact:
        before = [one for one in left if order[id(one)] < order[id(reversal)]]
        if before:
            left.remove(before[-1])
    return left


def _mirrors(reversal: Decided, decision: Decided) -> bool:
    return _amounts(reversal, -1) == _amounts(decision, 1)


def _amounts(one: Decided, sign: int) -> tuple[object, ...]:
    return (
        sign * one.paid_cents,
        sorted((a.group, a.reason, sign * a.cents) for a in one.adjustments),
        sorted(
            (s.line, sign * s.paid_cents, sorted((a.group, a.reason, sign * a.cents) for a in s.adjustments))
            for s in one.services
        ),
    )


def told(decisions: Sequence[Decided]) -> Told | None:
    """
    Return what counts of a claim's decisions; None when no decision stands.

    A payer that divided a claim decided about each service in another check: the last word about each
    counts. One that decided about the claim as a whole has said its last word with the last check.
    """
    left = standing(decisions)
    if not left:
        return None
    last = left[-1]
    services: dict[int, tuple[ServiceDecided, date]] = {}
    used = [last]
    if last.services:
        used = []
        for one in left:
            for service in one.services:
                services[service.line] = service, one.decided_on
        used = [one for one in left if any(services[s.line][0] is s for s in one.services)]
    whole = tuple(adjustment for one in used for adjustment in one.adjustments)
    by_service = [service for service, _ in services.values()]
    return Told(
        charge_cents=sum(s.charge_cents for s in by_service) if by_service else last.charge_cents,
        paid_cents=sum(s.paid_cents for s in by_service) - sum(a.cents for a in whole)
        if by_service
        else last.paid_cents,
        adjustments=whole,
        services=services,
        decided_on=max(one.decided_on for one in used),
        payer_claim_number=last.payer_claim_number,
        remarks=tuple(dict.fromkeys(remark for one in used for remark in one.remarks)),
        passed_on=any(one.passed_on for one in used),
    )
