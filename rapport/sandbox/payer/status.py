"""What became of a claim, as far as the payer knows it at this moment: the 277 to a 276."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from rapport.sandbox.payer.adjudicate import ClaimPaid
from rapport.sandbox.payer.benefits import Cover, cover_of
from rapport.sandbox.payer.inquiries import Patient, again, patients, reference_of
from rapport.sandbox.payer.records import load_claim
from rapport.sandbox.payer.store import Store
from rapport.sandbox.payer.x12 import Segment, TransactionSet, money, segment

VERSION_277 = "005010X212"
ZERO = Decimal(0)
_WHY_DENIED = {
    ("CO", "16"): "21", ("CO", "22"): "171", ("CO", "29"): "718", ("CO", "197"): "84",
    ("OA", "18"): "54",
}  # fmt: skip
"""Adjustment -> claim status code; others are 107, processed by the contract."""
_PATIENTS_SHARE = {("PR", "1"), ("PR", "2"), ("PR", "3")}


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a claim stands: one STC."""

    category: str
    code: str
    icn: str = ""
    charge: Decimal | None = None
    paid: Decimal | None = None
    paid_on: str = ""
    trace: str = ""


NOT_HELD = Standing("D0", "35")
Look = Callable[[Patient, tuple[Segment, ...]], Standing]


def look_up(store: Store, sender: str, asked: tuple[Segment, ...]) -> Standing:
    """
    Where the claim of one TRN stands: by the sender's number, or the payer's.

    :param sender: qualifier and identity, as claims are kept under
    :param asked: TRN and what follows it
    """
    numbers = {(one.at(1) if one.tag == "REF" else "TRN"): one.at(2) for one in asked}
    row = store.row(
        "SELECT * FROM claim WHERE sender = ? AND (number IN (?, ?) OR (icn = ? AND icn != ''))"
        " ORDER BY position DESC",
        *(sender, numbers.get("EJ", ""), numbers.get("TRN", ""), numbers.get("1K", "")),
    )
    if row is None or row["outcome"] == "rejected_999":
        return NOT_HELD
    charge = Decimal(row["charge"])
    if row["outcome"] == "rejected_277ca":
        return Standing("A3", "21", charge=charge)
    payments = store.rows("SELECT * FROM payment WHERE icn = ? ORDER BY position", row["icn"])
    if not payments:
        return Standing("P1", "20", row["icn"], charge)
    paid = sum((Decimal(one["paid"]) for one in payments), ZERO)
    last = payments[-1]
    decided = load_claim(last["decision"])
    category, code = _decided(decided, paid)
    return Standing(category, code, row["icn"], charge, paid, last["paid_on"], last["trace"])


def _decided(decided: ClaimPaid, paid: Decimal) -> tuple[str, str]:
    if decided.status == "22":
        return "F3", "101"
    if paid > ZERO:
        return "F1", "65"
    reasons = [pair[:2] for line in decided.lines for pair in line.adjustments]
    if any(reason in _PATIENTS_SHARE for reason in reasons):
        return "F1", "98"
    why = next((_WHY_DENIED[reason] for reason in reasons if reason in _WHY_DENIED), "107")
    return "F2", why


def write_277(
    transaction: TransactionSet,
    number: str,
    look: Look,
    *,
    reference: str,
    at: datetime,
    refused: str = "",
) -> list[str]:
    """
    The answer to one 276: each TRN with the state of its claim.

    `refused` is a status of the whole request, when nothing shall be said of any claim.
    """
    day = f"{at:%Y%m%d}"
    lines = [
        segment("ST", "277", number, VERSION_277),
        segment("BHT", "0010", "08", reference, day, f"{at:%H%M}", "DG"),
    ]
    asked = list(patients(transaction))
    if any(cover_of(one.member_id) is Cover.LATER for one in asked):
        refused = "E1:0"
    if refused:
        return lines + _refused(transaction, asked[0], refused, day)
    above: tuple[str, ...] = ()
    parents = [0, 0, 0]
    level = 0
    for patient in asked:
        names = tuple(map(again, (patient.payer, patient.receiver, patient.provider)))
        shared = 0
        while shared < len(above) and above[shared] == names[shared]:
            shared += 1
        for depth in range(shared, 3):
            level += 1
            parent = str(parents[depth - 1]) if depth else ""
            lines += [
                segment("HL", str(level), parent, ("20", "21", "19")[depth], "1"),
                names[depth],
            ]
            parents[depth] = level
        above = names
        level += 1
        lines.append(
            segment("HL", str(level), str(parents[2]), "22", "1" if patient.dependant else "0")
        )
        lines.append(again(patient.member))
        if patient.dependant is not None:
            level += 1
            lines += [segment("HL", str(level), str(level - 1), "23"), again(patient.dependant)]
        for claim in _claims(patient):
            lines += _told(claim, look(patient, claim), day)
    return lines


def _refused(transaction: TransactionSet, first: Patient, refused: str, day: str) -> list[str]:
    return [
        segment("HL", "1", "", "20", "1"), again(first.payer),
        segment("HL", "2", "1", "21", "0"), again(first.receiver),
        segment("TRN", "2", reference_of(transaction)), segment("STC", refused, day),
    ]  # fmt: skip


def _claims(patient: Patient) -> list[tuple[Segment, ...]]:
    found: list[list[Segment]] = []
    for one in patient.segments:
        if one.tag == "TRN":
            found.append([one])
        elif found:
            found[-1].append(one)
    return [tuple(one) for one in found]


def _told(claim: tuple[Segment, ...], standing: Standing, day: str) -> list[str]:
    lines = [
        segment("TRN", "2", claim[0].at(2)),
        segment(
            "STC", f"{standing.category}:{standing.code}", standing.paid_on or day, "",
            "" if standing.charge is None else money(standing.charge),
            "" if standing.paid is None else money(standing.paid), standing.paid_on, "",
            standing.paid_on, standing.trace,
        ),
    ]  # fmt: skip
    if standing.icn:
        lines.append(segment("REF", "1K", standing.icn))
    lines += [again(one) for one in claim if one.tag == "REF" and one.at(1) == "EJ"]
    service = next((one for one in claim if one.tag == "DTP"), None)
    if service is not None:
        lines.append(again(service))
    return lines
