"""The remittance: checks written as 835 transaction sets, balanced at line, claim and check."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from rapport.sandbox.payer.adjudicate import ZERO, ClaimPaid, LinePaid, Provider
from rapport.sandbox.payer.x12 import clean, money, segment

VERSION_835 = "005010X221A1"
PAYER_TAX_ID = "1512345678"
FILING_IN_835 = frozenset("12 13 14 15 16 17 AM CH DS HM LM MA MB MC OF TV VA WC ZZ".split())


@dataclass(frozen=True, slots=True)
class Parties:
    """Who pays whom."""

    payer_name: str
    payer_id: str
    payee_name: str
    payee_npi: str
    payee_tax_id: str
    receiver_id: str


@dataclass(frozen=True, slots=True)
class Check:
    """One payment, and everything it is made of."""

    parties: Parties
    trace: str
    paid_on: date
    claims: tuple[ClaimPaid, ...]
    adjustments: tuple[Provider, ...]

    @property
    def amount(self) -> Decimal:
        """BPR02: what the claims come to, less what the provider-level entries take."""
        claims = sum((claim.paid for claim in self.claims), ZERO)
        return claims - sum((entry.amount for entry in self.adjustments), ZERO)


def carry_forward(
    claims: Sequence[ClaimPaid], adjustments: Sequence[Provider], owed: Decimal, trace: str
) -> tuple[tuple[Provider, ...], Decimal]:
    """
    Keep a check from going below zero, and collect what an earlier one left.

    `owed` is what this payee still owes this payer. Answers the entries with a forwarding
    balance (FB) where one is due, and what is owed afterwards.
    """
    total = sum((claim.paid for claim in claims), ZERO) - sum(
        (entry.amount for entry in adjustments), ZERO
    )
    if total < 0:
        return (*adjustments, Provider("FB", trace, total)), owed - total
    collected = min(owed, total)
    if collected > 0:
        return (*adjustments, Provider("FB", trace, collected)), owed - collected
    return tuple(adjustments), owed


def write_835(check: Check, number: str) -> list[str]:
    """One 835 transaction set, from ST to the segment before SE."""
    parties, day = check.parties, f"{check.paid_on:%Y%m%d}"
    lines = [
        segment("ST", "835", number),
        _bpr(check.amount, day),
        segment("TRN", "1", check.trace, PAYER_TAX_ID),
        segment("REF", "EV", parties.receiver_id),
        segment("DTM", "405", day),
        segment("N1", "PR", clean(parties.payer_name)),
        segment("N3", "PO BOX 1000"),
        segment("N4", "HARTFORD", "CT", "06101"),
        segment("REF", "2U", parties.payer_id),
        segment("PER", "CX", "PROVIDER SERVICES", "TE", "8005550100"),
        segment("PER", "BL", "SANDBOX EDI SUPPORT", "TE", "8005550101"),
        segment("N1", "PE", clean(parties.payee_name), "XX", parties.payee_npi),
    ]
    if parties.payee_tax_id:
        lines.append(segment("REF", "TJ", parties.payee_tax_id))
    lines.append(segment("LX", "1"))
    for claim in check.claims:
        lines += _claim(claim)
    return [*lines, *_plb(check)]


def _bpr(amount: Decimal, day: str) -> str:
    if not amount:
        return segment("BPR", "H", "0", "C", "NON", *[""] * 11, day)
    return segment(
        "BPR", "I", money(amount), "C", "ACH", "CCP", "01", "021000021", "DA", "123456789",
        PAYER_TAX_ID, "", "01", "071000013", "DA", "987654321", day,
    )  # fmt: skip


def _claim(claim: ClaimPaid) -> list[str]:
    filing = claim.filing if claim.filing in FILING_IN_835 else "12"
    reversal = claim.status == "22"
    owed = "" if reversal or not claim.patient_owes else money(claim.patient_owes)
    lines = [
        segment("CLP", claim.number, claim.status, money(claim.charge), money(claim.paid), owed,
                filing, claim.icn, claim.place, claim.frequency),
        segment("NM1", "QC", "1", clean(claim.last_name), clean(claim.first_name), "", "", "",
                "MI", claim.member_id),
    ]  # fmt: skip
    if claim.rendering:
        lines.append(segment(*(clean(part) for part in claim.rendering)))
    name, payer = claim.forwarded_to
    if payer and not reversal:
        lines.append(segment("NM1", "TT", "2", clean(name), "", "", "", "", "PI", payer))
    if claim.original_number:
        lines.append(segment("REF", "F8", claim.original_number))
    if claim.received_on:
        lines.append(segment("DTM", "050", claim.received_on))
    if claim.interest:
        lines.append(segment("AMT", "I", money(claim.interest)))
    for line in claim.lines:
        lines += _line(line)
    return lines


def _line(line: LinePaid) -> list[str]:
    lines = [segment("SVC", line.procedure, money(line.charge), money(line.paid), "", line.units)]
    first, _, last = line.service_on.partition("-")
    if last and last != first:
        lines += [segment("DTM", "150", first), segment("DTM", "151", last)]
    elif first:
        lines.append(segment("DTM", "472", first))
    by_group: dict[str, list[str]] = {}
    for group, reason, amount in line.adjustments:
        by_group.setdefault(group, []).extend((reason, money(amount), ""))
    lines += [segment("CAS", group, *triplets) for group, triplets in by_group.items()]
    if line.control:
        lines.append(segment("REF", "6R", line.control))
    if line.allowed is not None:
        lines.append(segment("AMT", "B6", money(line.allowed)))
    return [*lines, *(segment("LQ", "HE", remark) for remark in line.remarks)]


def _plb(check: Check) -> list[str]:
    """The provider-level entries, up to six to a segment."""
    year_end = f"{check.paid_on:%Y}1231"
    pairs = [(f"{one.code}:{one.reference}", money(one.amount)) for one in check.adjustments]
    return [
        segment("PLB", check.parties.payee_npi, year_end,
                *(text for pair in pairs[start : start + 6] for text in pair))
        for start in range(0, len(pairs), 6)
    ]  # fmt: skip
