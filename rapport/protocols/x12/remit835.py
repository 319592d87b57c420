"""
Remittances: 005010X221A1 (835) -> exact records, with balancing at three levels.

One `Remittance` per transaction set (one check or EFT). Amounts are exact decimals in dollars.
Equations (the guide's balancing section): line SVC02 - adjustments = SVC03; claim CLP03 - all
adjustments = CLP04; transaction BPR02 = sum of CLP04 - sum of PLB amounts.

`stream` yields claim by claim and keeps none, so that memory does not grow with the file;
`remittances` and `from_transaction` keep every claim of a remittance.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import BinaryIO

from .envelope import Envelopes, Sealed, TransactionSet, sealed
from .guides.elements import day
from .records835 import (
    ONE,
    ZERO,
    Adjustment,
    ClaimPayment,
    ProviderAdjustment,
    Remittance,
    ServiceLine,
)
from .syntax import Finding, NotX12, Reading, Segment

__all__ = [
    "Adjustment",
    "ClaimPayment",
    "ProviderAdjustment",
    "Remittance",
    "ServiceLine",
    "from_transaction",
    "remittances",
    "stream",
]

MAX_FINDINGS = 1000
"""Of one remittance: so many errors, and so many warnings. A wrong file repeats itself."""
_REMEMBERED = 10_000
"""Claims among which one that stands twice is noticed: the guide's most for one remittance."""
_CACHED = 16_384
"""Amounts and days that are kept as they were read."""
_GROUPS = frozenset({"CO", "PR", "OA", "PI", "CR"})
_STATUSES = frozenset({"1", "2", "3", "4", "19", "20", "21", "22", "23", "25"})
_NUMBER = re.compile(r"-?(\d{1,12}(\.\d{0,6})?|\.\d{1,6})\Z", re.ASCII)


class _Amounts(dict[str, Decimal]):
    """Text -> amount, made where it is first asked for. What is no number is zero, and is noted."""

    def __init__(self) -> None:
        super().__init__({"": ZERO})
        self.bad = False
        """What was asked for since this was last reset is no number."""

    def __missing__(self, text: str) -> Decimal:
        if not _NUMBER.match(text):
            self.bad = True
            return ZERO
        value = Decimal(text)
        if len(self) < _CACHED:
            self[text] = value
        return value


class _Reader:
    """
    Reads one transaction set: the elements of each segment, and its position in the file.

    What a remittance repeats thousands of times (amounts, days, codes) is made once and kept, up
    to a limit, or memory would grow with the file.
    """

    def __init__(self, envelope: Sealed, control: str, component: str, *, keep: bool) -> None:
        """
        :param component: the delimiter of components
        :param keep: hold every claim in the remittance
        """
        self.remittance = Remittance(envelope=envelope, st_control=control)
        self.component, self.keep = component, keep
        self.claim: ClaimPayment | None = None
        self.line: ServiceLine | None = None
        self.target: list[Adjustment] | None = None
        """Where the next adjustment belongs: to the line, else to the claim."""
        self.party = ""
        self.seen_bpr = self.seen_trn = False
        self.bpr_index = 0
        self.errors = self.warnings = 0
        self.amounts = _Amounts()
        self.days: dict[str, date] = {}
        self.services: dict[str, tuple[str, tuple[str, ...]]] = {}
        # Sums of the claim that is open, and what of it was adjusted before its line that is open.
        self.charged = self.adjusted = self.owed = self.before_line = ZERO
        self.seen: set[int] = set()
        self.seen_before: set[int] = set()
        self.handlers: dict[str, Callable[[list[str], int], None]] = {
            "BPR": self.bpr, "TRN": self.trn, "N1": self.n1, "REF": self.ref, "CLP": self.clp,
            "NM1": self.nm1, "SVC": self.svc, "DTM": self.dtm, "DTP": self.dtm, "CAS": self.cas,
            "AMT": self.amt, "LQ": self.lq, "MOA": self.moa, "MIA": self.moa, "PLB": self.plb,
        }  # fmt: skip

    def fault(
        self, tag: str, index: int, element: str, rule: str, message: str, severity: str = "error"
    ) -> None:
        if severity == "error":
            self.errors += 1
            kept = self.errors <= MAX_FINDINGS
        else:
            self.warnings += 1
            kept = self.warnings <= MAX_FINDINGS
        if kept:
            self.remittance.findings.append(Finding(tag, index, element, rule, severity, message))

    def bad_numbers(self, elements: list[str], index: int, places: Iterable[int]) -> None:
        """Report each of these elements that is no number, after one of them was not."""
        self.amounts.bad = False
        for number in places:
            text = _at(elements, number)
            if text and not _NUMBER.match(text):
                self.fault(elements[0], index, f"{number:02}", "number", "This is not a number.")

    def day(self, elements: list[str], number: int, index: int) -> date | None:
        text = elements[number] if number < len(elements) else ""
        known = self.days.get(text)
        if known is None:
            known = day(text[:8])
            if known is None:
                message = "This is not a date of the form CCYYMMDD."
                self.fault(elements[0], index, f"{number:02}", "date", message)
                return None
            if len(self.days) < _CACHED:
                self.days[text] = known
        return known

    # Who pays whom

    def bpr(self, elements: list[str], index: int) -> None:
        r = self.remittance
        self.seen_bpr, self.bpr_index = True, index
        r.handling, r.total = _at(elements, 1), self.amounts[_at(elements, 2)]
        r.credit, r.method = _at(elements, 3) != "D", _at(elements, 4)
        if self.amounts.bad:
            self.bad_numbers(elements, index, (2,))
        if _at(elements, 16):
            r.paid_on = self.day(elements, 16, index)

    def trn(self, elements: list[str], index: int) -> None:
        if self.claim is None and not self.seen_trn:
            self.seen_trn = True
            self.remittance.trace, self.remittance.payer_tax_id = (
                _at(elements, 2),
                _at(elements, 3),
            )

    def n1(self, elements: list[str], index: int) -> None:
        self.party = _at(elements, 1)
        r = self.remittance
        name, qualifier, id = _at(elements, 2), _at(elements, 3), _at(elements, 4)
        if self.party == "PR":
            r.payer_name, r.payer_id = name, id or r.payer_id
        elif self.party == "PE":
            r.payee_name = name
            if qualifier == "XX":
                r.payee_npi = id
            elif qualifier == "FI":
                r.payee_tax_id = id

    def ref(self, elements: list[str], index: int) -> None:
        if len(elements) < 3:
            return
        qualifier = elements[1]
        if self.line is not None:
            if qualifier == "6R":
                self.line.control = elements[2]
        elif self.claim is None:
            if self.party == "PR" and qualifier == "2U":
                self.remittance.payer_id = elements[2]
            elif self.party == "PE" and qualifier == "TJ":
                self.remittance.payee_tax_id = elements[2]

    # A claim and its lines

    def clp(self, elements: list[str], index: int) -> None:
        if self.claim is not None:
            self.close_claim()
        if len(elements) < 10:
            elements = elements + [""] * (10 - len(elements))
        amounts = self.amounts
        status = elements[2]
        claim = self.claim = ClaimPayment(
            elements[1], status, amounts[elements[3]], amounts[elements[4]], amounts[elements[5]],
            elements[6], elements[7], elements[8], elements[9], index,
        )  # fmt: skip
        if amounts.bad:
            self.bad_numbers(elements, index, (3, 4, 5))
        self.target = claim.adjustments
        self.charged = self.adjusted = self.owed = ZERO
        if status not in _STATUSES:
            self.fault("CLP", index, "02", "claim-status", "This is no claim status of the guide.")
        if self.keep:
            self.remittance.claims.append(claim)

    def nm1(self, elements: list[str], index: int) -> None:
        claim = self.claim
        if claim is None or len(elements) < 2:
            return
        entity = elements[1]
        if entity == "QC" or (entity == "IL" and not claim.member_id):
            if len(elements) > 9 and elements[9]:
                claim.member_id = elements[9]
        elif entity == "TT":
            claim.crossover = True

    def svc(self, elements: list[str], index: int) -> None:
        claim = self.claim
        if claim is None:
            self.fault("SVC", index, "", "svc-outside", "A service line stands outside a claim.")
            return
        if self.line is not None:
            self.close_line()
        if len(elements) < 6:
            elements = elements + [""] * (6 - len(elements))
        code, units = elements[1], elements[5]
        original = elements[6] if len(elements) > 6 else ""
        procedure, modifiers = self.services.get(code) or self.service(code)
        amounts = self.amounts
        charge = amounts[elements[2]]
        line = self.line = ServiceLine(
            procedure, modifiers, charge, amounts[elements[3]], amounts[units] if units else ONE,
            self.service(original)[0] if original else "", index,
        )  # fmt: skip
        if amounts.bad:
            self.bad_numbers(elements, index, (2, 3, 5))
        self.target = line.adjustments
        self.before_line = self.adjusted
        self.charged += charge
        claim.lines.append(line)

    def service(self, text: str) -> tuple[str, tuple[str, ...]]:
        """Return the procedure and modifiers that a composite names."""
        parts = text.split(self.component)
        named = parts[1] if len(parts) > 1 else "", tuple(m for m in parts[2:6] if m)
        if len(self.services) < _CACHED:
            self.services[text] = named
        return named

    def dtm(self, elements: list[str], index: int) -> None:
        qualifier = elements[1] if len(elements) > 1 else ""
        if self.line is not None:
            if qualifier == "472" or qualifier == "150":
                self.line.service_on = self.day(elements, 2, index)
        elif qualifier == "232" and self.claim is not None:
            self.claim.service_on = self.day(elements, 2, index)

    def cas(self, elements: list[str], index: int) -> None:
        target = self.target
        if target is None:
            self.fault("CAS", index, "", "cas-outside", "An adjustment stands outside a claim.")
            return
        count = len(elements)
        group = elements[1] if count > 1 else ""
        if group not in _GROUPS:
            self.fault("CAS", index, "01", "adjustment-group", "The group is CO, PR, OA or PI.")
        amounts = self.amounts
        if count == 4 and elements[2]:  # one reason, as nearly always
            total = amounts[elements[3]]
            target.append(Adjustment(group, elements[2], total, None))
        else:
            total = ZERO
            for start in range(2, count, 3):
                reason = elements[start]
                if reason:
                    amount = amounts[elements[start + 1]] if start + 1 < count else ZERO
                    quantity = None
                    if start + 2 < count and elements[start + 2]:
                        quantity = amounts[elements[start + 2]]
                    target.append(Adjustment(group, reason, amount, quantity))
                    total += amount
        if amounts.bad:
            self.bad_numbers(elements, index, (n for n in range(3, count) if n % 3 != 2))
        self.adjusted += total
        if group == "PR":
            self.owed += total

    def amt(self, elements: list[str], index: int) -> None:
        if self.line is not None and len(elements) > 2 and elements[1] == "B6":
            self.line.allowed = self.amounts[elements[2]]
            if self.amounts.bad:
                self.bad_numbers(elements, index, (2,))

    def lq(self, elements: list[str], index: int) -> None:
        if self.line is not None and _at(elements, 1) == "HE":
            self.line.remarks.append(_at(elements, 2))

    def moa(self, elements: list[str], index: int) -> None:
        if self.claim is not None:
            self.claim.remarks.extend(code for code in elements[3:8] if code)

    def plb(self, elements: list[str], index: int) -> None:
        self.close_claim()
        for start in range(3, len(elements), 2):
            reason, _, reference = elements[start].partition(self.component)
            if reason:
                self.remittance.provider_adjustments.append(
                    ProviderAdjustment(
                        _at(elements, 1), _at(elements, 2), reason,
                        reference.split(self.component, 1)[0],
                        self.amounts[_at(elements, start + 1)], index,
                    )
                )  # fmt: skip
        if self.amounts.bad:
            self.bad_numbers(elements, index, range(4, len(elements), 2))

    # Does it balance

    def close_line(self) -> None:
        line, self.line = self.line, None
        if line is not None and line.charge + self.before_line - self.adjusted != line.paid:
            if self.claim is not None:
                self.claim.balanced = False
            self.fault(
                "SVC", line.index, "03", "balance-line",
                "The line's charge less its adjustments is not what was paid.",
            )  # fmt: skip

    def close_claim(self) -> ClaimPayment | None:
        """Close the claim that is open. :return: it, whole and weighed; None: none was open"""
        if self.line is not None:
            self.close_line()
        claim, self.claim, self.target = self.claim, None, None
        if claim is None:
            return None
        index = claim.index
        if claim.charge - self.adjusted != claim.paid:
            claim.balanced = False
            self.fault(
                "CLP", index, "04", "balance-claim",
                "The claim's charge less all adjustments is not what was paid.",
            )  # fmt: skip
        if claim.lines and self.charged != claim.charge:
            claim.balanced = False
            message = "The claim's charge is not the sum of its lines."
            self.fault("CLP", index, "03", "balance-claim", message)
        reversal = claim.status == "22"
        if not reversal and self.owed != claim.patient_responsibility:
            message = "CLP05 is not the sum of the PR adjustments."
            self.fault("CLP", index, "05", "patient-responsibility", message, "warning")
        self.remittance.claims_paid += claim.paid
        key = hash(
            (claim.control, claim.status, claim.payer_claim_number, claim.charge, claim.paid)
        )
        if key in self.seen or key in self.seen_before:
            if not reversal:
                message = "The same claim payment stands twice."
                self.fault("CLP", index, "01", "claim-twice", message, "warning")
        elif len(self.seen) < _REMEMBERED:
            self.seen.add(key)
        else:
            self.seen_before, self.seen = self.seen, {key}
        return claim

    def finish(self, end: Segment) -> Remittance:
        """
        Close the remittance, and weigh it.

        :param end: the segment that ends it, where findings about what is missing stand
        """
        self.close_claim()
        r = self.remittance
        if not self.seen_bpr:
            self.fault(end.tag, end.index, "", "bpr-missing", "The remittance has no BPR segment.")
        if not self.seen_trn:
            self.fault(end.tag, end.index, "", "trn-missing", "The remittance has no TRN segment.")
        if self.seen_bpr and r.claims_paid - r.withheld != r.total:
            self.fault(
                "BPR", self.bpr_index, "02", "balance-transaction",
                "The payment is not the sum of the claims less the provider adjustments.",
            )  # fmt: skip
        return r


def _at(elements: list[str], number: int) -> str:
    return elements[number] if number < len(elements) else ""


def stream(
    data: bytes | BinaryIO, *, findings: list[Finding] | None = None
) -> Iterator[tuple[Remittance, ClaimPayment | None]]:
    """
    Yield each claim of a file as soon as it is whole, with its remittance; then that one, settled.

    A remittance's head (payer, payee, number, amount) is known with its first claim; its findings,
    provider adjustments and balance only with the pair whose claim is None. No claim is kept.
    Other transaction sets of the file are passed over.

    :param data: the bytes, or an open binary file, which is read in pieces
    :param findings: grows by the faults of the envelopes, as `envelope.check` reports them
    :raises NotX12: what is read is not X12, or an 835 begins inside another
    """
    reading = Reading(data)
    envelopes = Envelopes([] if findings is None else findings)
    reader: _Reader | None = None
    handlers: dict[str, Callable[[list[str], int], None]] = {}
    for elements, index, end, opened in reading:
        tag = elements[0]
        handler = handlers.get(tag)
        if handler is not None:
            handler(elements, index)
            if not elements[-1]:
                envelopes.trailing(elements, index)
            continue
        if reader is not None and (tag == "CLP" or tag == "PLB"):
            claim = reader.close_claim()
            if claim is not None:
                yield reader.remittance, claim
            reader.handlers[tag](elements, index)
            if not elements[-1]:
                envelopes.trailing(elements, index)
            continue
        segment = Segment(elements, index, end, reading.delimiters, opened)
        envelopes.take(segment)
        if tag == "ST":
            if reader is not None:
                raise _inside(segment)
            if segment.get(1) == "835":
                reader = _Reader(
                    sealed(envelopes.isa, envelopes.gs), segment.get(2),
                    reading.delimiters.component, keep=False,
                )  # fmt: skip
                handlers = {tag: one for tag, one in reader.handlers.items() if tag not in ("CLP", "PLB")}
        elif tag == "SE":
            if reader is not None:
                claim = reader.close_claim()
                if claim is not None:
                    yield reader.remittance, claim
                yield reader.finish(segment), None
            reader, handlers = None, {}


def from_transaction(transaction: TransactionSet) -> Remittance:
    """Return the remittance of one transaction set that is already read."""
    st = transaction.st
    reader = _Reader(transaction.envelope, st.get(2), st.delimiters.component, keep=True)
    for segment in transaction.body:
        handler = reader.handlers.get(segment.tag)
        if handler is not None:
            handler(segment.elements, segment.index)
    return reader.finish(transaction.se or st)


def remittances(segments: Iterable[Segment]) -> Iterator[Remittance]:
    """
    Yield each remittance of a file, its claims in it. Other transaction sets are passed over.

    :raises NotX12: what is read is not X12, or an 835 begins inside another
    """
    isa = gs = None
    reader: _Reader | None = None
    for segment in segments:
        tag = segment.elements[0]
        handler = reader.handlers.get(tag) if reader is not None else None
        if handler is not None:
            handler(segment.elements, segment.index)
        elif tag == "ISA":
            isa = segment
        elif tag == "GS":
            gs = segment
        elif tag == "ST":
            if reader is not None:
                raise _inside(segment)
            if segment.get(1) == "835":
                reader = _Reader(
                    sealed(isa, gs), segment.get(2), segment.delimiters.component, keep=True
                )
        elif tag == "SE":
            if reader is not None:
                yield reader.finish(segment)
            reader = None


def _inside(segment: Segment) -> NotX12:
    return NotX12("A transaction set begins inside another.", rule="st-inside", segment="ST",
                  index=segment.index, offset=segment.offset)  # fmt: skip
