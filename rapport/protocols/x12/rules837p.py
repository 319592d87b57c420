"""
Rules between the elements of professional claims as they are read: what no guide table says.

The same rules as `scrub837p`, which looks at a claim before it is written; here every finding
has its place in the file. Sources: as there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation

from .guides.elements import day, period_ok
from .scrub837p import (
    DIAGNOSIS,
    PLACES_OF_SERVICE,
    PO_BOX,
    PROCEDURE,
    STATES,
    TELEHEALTH_MODIFIERS,
    TELEHEALTH_PLACES,
    npi_ok,
)
from .syntax import Finding, Segment

ICD10_FROM = date(2015, 10, 1)
"""Services from this day on carry ICD-10 codes."""
ZERO = Decimal(0)
_MODIFIER = re.compile(r"[A-Z0-9]{2}\Z")
_TAXONOMY = re.compile(r"[0-9A-Z]{9}X\Z")
_PROVIDERS = {
    "2010AA": "billing", "2310B": "rendering", "2310D": "supervising", "2420A": "rendering",
    "2420D": "supervising",
}  # fmt: skip
"""Loops whose provider must say who it is: by NPI, or as an atypical provider by REF."""

Placed = Sequence[tuple[str, Segment]]


def decimal(text: str) -> Decimal:
    """Return an amount; zero when it is none, which the form check reports."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        return ZERO
    return value if value.is_finite() else ZERO


@dataclass(slots=True)
class _Line:
    lx: Segment
    sv1: Segment | None = None
    charge: Decimal = ZERO
    paid: dict[str, Decimal] = field(default_factory=dict)
    """Other payer's id -> what it paid and adjusted on the line."""


@dataclass(slots=True)
class _Other:
    """One 2320 loop: the decision of another payer."""

    sbr: Segment
    payer: str = ""
    paid: Segment | None = None
    """AMT*D."""
    adjusted: Decimal = ZERO


@dataclass(slots=True)
class _Claim:
    clm: Segment
    diagnoses: list[str] = field(default_factory=list)
    lines: list[_Line] = field(default_factory=list)
    others: list[_Other] = field(default_factory=list)
    controls: set[str] = field(default_factory=set)
    payer_claim_number: Segment | None = None
    icd9: Segment | None = None


class Rules:
    """Looks at the placed segments of one transaction set."""

    def __init__(self, placed: Placed, *, sent_on: date | None) -> None:
        """
        :param placed: (loop, segment) as `guides.walker.walk` returns them
        :param sent_on: the day the file was made; without it nothing is in the future
        """
        self.placed, self.sent_on = placed, sent_on
        self.found: list[Finding] = []
        self.claim: _Claim | None = None
        self.controls: set[str] = set()
        self.payer = ""
        self.lower = False

    def error(self, segment: Segment, element: str, rule: str, message: str) -> None:
        """Note a fault."""
        self.found.append(Finding(segment.tag, segment.index, element, rule, "error", message))

    def warn(self, segment: Segment, element: str, rule: str, message: str) -> None:
        """Note a doubt."""
        self.found.append(Finding(segment.tag, segment.index, element, rule, "warning", message))

    def run(self) -> Iterator[Finding]:
        """Yield every finding."""
        for number, (loop, segment) in enumerate(self.placed):
            if segment.tag == "NM1":
                self.name(number, loop, segment)
            handler = _HANDLERS.get(segment.tag)
            if handler is not None:
                handler(self, loop, segment)
        self.close_claim()
        yield from self.found

    # Who and where

    def name(self, number: int, loop: str, segment: Segment) -> None:
        identifier = segment.get(9)
        if segment.get(8) == "XX" and not npi_ok(identifier):
            self.error(
                segment, "09", "npi-check-digit", "The NPI is missing or its check digit wrong."
            )
        elif not identifier and loop in _PROVIDERS and not self.has_other_id(number, loop):
            self.error(segment, "09", "npi-missing", f"The {_PROVIDERS[loop]} provider has no NPI.")
        elif loop == "2330B" and self.claim and self.claim.others:
            self.claim.others[-1].payer = identifier
        if not self.lower and any(part != part.upper() for part in segment.elements[3:6]):
            self.lower = True  # once: it is a habit of the sender
            self.warn(segment, "03", "lower-case", "Not every receiver takes lower case in names.")

    def has_other_id(self, number: int, loop: str) -> bool:
        """Tell whether a provider without NPI is identified by a REF (atypical providers)."""
        where = {loop, "2010BB"} if loop == "2010AA" else {loop}
        for name, segment in self.placed[number + 1 :]:
            if segment.tag == "CLM" or (loop != "2010AA" and name != loop):
                return False
            if (
                segment.tag == "REF"
                and name in where
                and segment.get(1) in ("0B", "1G", "G2", "LU")
            ):
                return True
        return False

    def street(self, loop: str, segment: Segment) -> None:
        if loop == "2010AA" and PO_BOX.match(segment.get(1)):
            self.error(segment, "01", "po-box", "The billing address is a street, not a PO box.")

    def city(self, loop: str, segment: Segment) -> None:
        if segment.get(4) not in ("", "US"):
            return
        if segment.get(2) not in STATES:
            self.error(
                segment, "02", "state", "This is no state or territory of the United States."
            )
        code = segment.get(3)
        if not code.isdigit() or len(code) not in (5, 9):
            self.error(segment, "03", "zip", "A ZIP code has five or nine digits.")
        elif loop in ("2010AA", "2310C", "2420C") and len(code) != 9:
            self.error(segment, "03", "zip-plus-four", "This address needs a nine-digit ZIP code.")

    def birth(self, loop: str, segment: Segment) -> None:
        born = day(segment.get(2))
        if born is None:
            self.error(segment, "02", "date", "This is not a date of the form CCYYMMDD.")
        elif self.sent_on is not None and born > self.sent_on:
            self.error(segment, "02", "birth-date-future", "The date of birth is in the future.")
        elif self.sent_on is not None and self.sent_on.year - born.year > 125:
            self.error(segment, "02", "birth-date-past", "The birth is more than 125 years ago.")

    def speciality(self, loop: str, segment: Segment) -> None:
        if segment.get(3) and not _TAXONOMY.match(segment.get(3)):
            self.error(
                segment, "03", "taxonomy-form", "A taxonomy code has ten characters ending in X."
            )

    # The claim

    def open_claim(self, loop: str, segment: Segment) -> None:
        self.close_claim()
        self.claim = _Claim(segment)
        control = segment.get(1)
        if control in self.controls:
            self.warn(segment, "01", "claim-twice", "The claim control number stands twice.")
        self.controls.add(control)
        if len(control) > 20:
            self.warn(segment, "01", "control-number", "Payers return twenty characters only.")
        place, _, frequency = ([*segment.components(5), "", ""])[:3]
        if place and place not in PLACES_OF_SERVICE:
            self.error(segment, "05-1", "place-of-service", "This is no place of service code.")
        if frequency and frequency not in ("1", "7", "8"):
            self.error(segment, "05-3", "frequency", "The frequency is 1, 7 or 8.")
        if decimal(segment.get(2)) < 0:
            self.error(segment, "02", "charge-negative", "A charge is not negative.")

    def close_claim(self) -> None:
        claim, self.claim = self.claim, None
        if claim is None:
            return
        clm = claim.clm
        frequency = ([*clm.components(5), "", ""])[2]
        if frequency in ("7", "8") and claim.payer_claim_number is None:
            self.error(clm, "05-3", "payer-claim-number", "A replacement or void needs REF*F8.")
        elif frequency == "1" and claim.payer_claim_number is not None:
            self.warn(
                claim.payer_claim_number, "02", "payer-claim-number",
                "An original claim carries the payer's claim number.",
            )  # fmt: skip
        total = sum((line.charge for line in claim.lines), ZERO)
        if claim.lines and decimal(clm.get(2)) != total:
            self.error(clm, "02", "charge-total", "The charge is not the sum of the lines (SV102).")
        for number, line in enumerate(claim.lines, 1):
            if line.lx.get(1) != str(number):
                self.error(line.lx, "01", "line-number", f"LX01 must be {number}.")
            if line.sv1 is not None:
                self.pointers(line.sv1, len(claim.diagnoses))
        for other in claim.others:
            self.balance(claim, other)

    def pointers(self, sv1: Segment, diagnoses: int) -> None:
        for place, pointer in enumerate(sv1.components(7), 1):
            if pointer.isascii() and pointer.isdigit() and int(pointer) > diagnoses:
                self.error(
                    sv1, f"07-{place}", "pointer-beyond", "The pointer goes beyond the diagnoses."
                )

    def balance(self, claim: _Claim, other: _Other) -> None:
        """Coordination of benefits: what was charged is what was paid and what was adjusted."""
        for line in claim.lines:
            if line.sv1 is not None and line.paid.get(other.payer, line.charge) != line.charge:
                self.error(
                    line.sv1, "02", "balance-cob-line",
                    "The charge is not what the other payer paid and adjusted (SVD, CAS).",
                )  # fmt: skip
        if other.paid is not None and other.adjusted:
            if decimal(other.paid.get(2)) + other.adjusted != decimal(claim.clm.get(2)):
                self.error(
                    other.paid, "02", "balance-cob-claim",
                    "The claim's charge is not what the other payer paid and adjusted (AMT*D, CAS).",
                )  # fmt: skip

    def reference(self, loop: str, segment: Segment) -> None:
        qualifier, value = segment.get(1), segment.get(2)
        if loop == "2010AA" and qualifier in ("EI", "SY"):
            if len(value) != 9 or not value.isdigit():
                self.error(segment, "02", "tax-id", "The tax id has nine digits.")
        elif loop == "2300" and qualifier == "F8" and self.claim:
            self.claim.payer_claim_number = segment
        elif loop == "2400" and qualifier == "6R" and self.claim:
            if value in self.claim.controls:
                self.error(segment, "02", "line-control", "The line control number stands twice.")
            self.claim.controls.add(value)

    def diagnosis(self, loop: str, segment: Segment) -> None:
        if self.claim is None:
            return
        for number in range(1, len(segment.elements)):
            qualifier, code = ([*segment.components(number), ""])[:2]
            if qualifier not in ("ABK", "ABF", "BK", "BF"):
                continue
            if qualifier in ("BK", "BF"):
                self.claim.icd9 = segment
            elif not DIAGNOSIS.match(code) or "." in code:
                self.error(
                    segment, f"{number:02}-2", "diagnosis-form",
                    "This is not the form of an ICD-10-CM code without its dot.",
                )  # fmt: skip
            if code in self.claim.diagnoses:
                self.error(
                    segment, f"{number:02}-2", "diagnosis-twice", "A diagnosis stands twice."
                )
            self.claim.diagnoses.append(code)

    # Its lines

    def open_line(self, loop: str, segment: Segment) -> None:
        if self.claim is not None:
            self.claim.lines.append(_Line(segment))

    def service(self, loop: str, segment: Segment) -> None:
        claim = self.claim
        if claim is None or not claim.lines:
            return
        line = claim.lines[-1]
        line.sv1, line.charge = segment, decimal(segment.get(2))
        if line.charge < 0:
            self.error(segment, "02", "charge-negative", "A charge is not negative.")
        if segment.get(4) and decimal(segment.get(4)) <= 0:
            self.error(segment, "04", "units", "Units must be more than zero.")
        qualifier, procedure, *rest = [*segment.components(1), ""]
        modifiers = [one for one in rest[:4] if one]
        if qualifier == "HC" and not PROCEDURE.match(procedure):
            self.error(
                segment, "01-2", "procedure-form", "This is not the form of a CPT or HCPCS code."
            )
        for place, modifier in enumerate(rest[:4], 3):
            if modifier and not _MODIFIER.match(modifier):
                self.error(
                    segment, f"01-{place}", "modifier-form", "A modifier has two characters."
                )
        if len(set(modifiers)) != len(modifiers):
            self.error(segment, "01-4", "modifier-twice", "A modifier stands twice.")
        place_code = segment.get(5) or claim.clm.components(5)[0]
        if segment.get(5) and place_code not in PLACES_OF_SERVICE:
            self.error(segment, "05", "place-of-service", "This is no place of service code.")
        remote = bool(set(modifiers) & TELEHEALTH_MODIFIERS)
        if place_code in TELEHEALTH_PLACES and not remote:
            self.warn(
                segment, "01-3", "telehealth-modifier", "A telehealth place without its modifier."
            )
        if remote and place_code not in TELEHEALTH_PLACES:
            self.warn(
                segment,
                "05",
                "telehealth-place",
                "A telehealth modifier, but the place is not 02 or 10.",
            )

    def period(self, loop: str, segment: Segment) -> None:
        qualifier, text = segment.get(2), segment.get(3)
        if not period_ok(qualifier, text):
            self.error(segment, "03", "date", "This is not a date of the form its qualifier names.")
            return
        served = day(text[:8])
        if segment.get(1) != "472" or served is None:
            return
        if self.sent_on is not None and served > self.sent_on:
            self.error(segment, "03", "service-future", "The service is later than the file.")
        if self.claim and self.claim.icd9 and served >= ICD10_FROM:
            self.error(
                self.claim.icd9, "01-1", "icd9",
                "Services since 1 October 2015 carry ICD-10 codes (ABK, ABF).",
            )  # fmt: skip
            self.claim.icd9 = None  # once for each claim

    # What other payers decided

    def coverage(self, loop: str, segment: Segment) -> None:
        if loop == "2320" and self.claim is not None:
            self.claim.others.append(_Other(segment))

    def amount(self, loop: str, segment: Segment) -> None:
        if loop == "2320" and segment.get(1) == "D" and self.claim and self.claim.others:
            self.claim.others[-1].paid = segment

    def decision(self, loop: str, segment: Segment) -> None:
        claim = self.claim
        if claim is None or not claim.lines:
            return
        self.payer = segment.get(1)
        if all(other.payer != self.payer for other in claim.others):
            self.error(
                segment, "01", "payer-unknown", "SVD01 names none of the other payers (2330B)."
            )
        paid = claim.lines[-1].paid
        paid[self.payer] = paid.get(self.payer, ZERO) + decimal(segment.get(2))

    def adjustment(self, loop: str, segment: Segment) -> None:
        claim = self.claim
        if claim is None:
            return
        total = sum((decimal(segment.get(n)) for n in range(3, len(segment.elements), 3)), ZERO)
        if loop == "2430" and claim.lines and self.payer in claim.lines[-1].paid:
            claim.lines[-1].paid[self.payer] += total
            for other in claim.others:
                if other.payer == self.payer:
                    other.adjusted += total
        elif loop == "2320" and claim.others:
            claim.others[-1].adjusted += total


_HANDLERS: dict[str, Callable[[Rules, str, Segment], None]] = {
    "N3": Rules.street, "N4": Rules.city, "DMG": Rules.birth, "PRV": Rules.speciality,
    "CLM": Rules.open_claim, "REF": Rules.reference, "HI": Rules.diagnosis, "LX": Rules.open_line,
    "SV1": Rules.service, "DTP": Rules.period, "SBR": Rules.coverage, "AMT": Rules.amount,
    "SVD": Rules.decision, "CAS": Rules.adjustment,
}  # fmt: skip
