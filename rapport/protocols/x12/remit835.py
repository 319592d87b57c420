"""
Remittances: 005010X221A1 (835) -> exact records, with balancing at three levels.

One `Remittance` per transaction set (one check or EFT). Amounts are exact decimals in dollars.
Equations (the guide's balancing section): line SVC02 - adjustments = SVC03; claim CLP03 - all
adjustments = CLP04; transaction BPR02 = sum of CLP04 - sum of PLB amounts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from .envelope import Sealed, TransactionSet, sealed
from .guides.elements import day
from .syntax import Finding, NotX12, Segment

ZERO = Decimal(0)
_GROUPS = frozenset({"CO", "PR", "OA", "PI", "CR"})
_STATUSES = frozenset({"1", "2", "3", "4", "19", "20", "21", "22", "23", "25"})
_NUMBER = re.compile(r"-?(\d{1,12}(\.\d{0,6})?|\.\d{1,6})\Z", re.ASCII)


@dataclass(slots=True)
class Adjustment:
    """One reason of a CAS segment. A positive amount reduces the payment."""

    group: str
    """CO, PR, OA or PI (and CR in old files)."""
    reason: str
    """CARC."""
    amount: Decimal
    quantity: Decimal | None


def _sum(adjustments: list[Adjustment], group: str = "") -> Decimal:
    """Add up adjustments, those of one group when it is named."""
    total = ZERO
    for adjustment in adjustments:
        if not group or adjustment.group == group:
            total += adjustment.amount
    return total


@dataclass(slots=True)
class ServiceLine:
    """One adjudicated service (2110)."""

    procedure: str
    modifiers: tuple[str, ...]
    charge: Decimal
    paid: Decimal
    units: Decimal
    original_procedure: str
    """SVC06: the code that was submitted, when the payer changed it."""
    index: int
    """Position of its SVC segment in the file."""
    service_on: date | None = None
    adjustments: list[Adjustment] = field(default_factory=list)
    control: str = ""
    """REF*6R: our line control number."""
    allowed: Decimal | None = None
    """AMT*B6."""
    remarks: list[str] = field(default_factory=list)
    """LQ*HE remark codes."""

    @property
    def adjusted(self) -> Decimal:
        """Sum of the adjustments."""
        return _sum(self.adjustments)


@dataclass(slots=True)
class ClaimPayment:
    """One adjudicated claim (2100)."""

    control: str
    """CLP01: our CLM01."""
    status: str
    """CLP02: 1, 2, 3 processed as primary …, 4 denied, 19-21 forwarded, 22 reversal …"""
    charge: Decimal
    paid: Decimal
    patient_responsibility: Decimal
    filing_indicator: str
    payer_claim_number: str
    """CLP07: needed to replace or void."""
    place_of_service: str
    frequency: str
    index: int
    adjustments: list[Adjustment] = field(default_factory=list)
    lines: list[ServiceLine] = field(default_factory=list)
    member_id: str = ""
    """NM1*QC or IL 09."""
    service_on: date | None = None
    """DTM*232, for lines without their own date."""
    crossover: bool = False
    """NM1*TT is present: the payer has sent it on."""
    remarks: list[str] = field(default_factory=list)

    @property
    def adjusted(self) -> Decimal:
        """Sum of all adjustments, of the claim and of its lines."""
        total = _sum(self.adjustments)
        for line in self.lines:
            total += _sum(line.adjustments)
        return total


@dataclass(slots=True)
class ProviderAdjustment:
    """Money that belongs to no claim of this file (PLB). Positive takes money away."""

    provider: str
    fiscal_year_end: str
    reason: str
    reference: str
    amount: Decimal
    index: int


@dataclass(slots=True)
class Remittance:
    """One check or EFT and what it is for."""

    envelope: Sealed
    st_control: str
    handling: str = ""
    """BPR01."""
    total: Decimal = ZERO
    """BPR02."""
    credit: bool = True
    """BPR03 is C: money to the provider."""
    method: str = ""
    """BPR04: ACH, CHK, FWT, NON …"""
    paid_on: date | None = None
    """BPR16."""
    trace: str = ""
    """TRN02: check or EFT number."""
    payer_tax_id: str = ""
    """TRN03: originating company."""
    payer_name: str = ""
    payer_id: str = ""
    payee_name: str = ""
    payee_npi: str = ""
    payee_tax_id: str = ""
    claims: list[ClaimPayment] = field(default_factory=list)
    provider_adjustments: list[ProviderAdjustment] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    """Faults of this transaction set. An `error` of rule `balance-transaction` holds the whole
    remittance back; `balance-claim` and `balance-line` hold back their claim."""

    @property
    def claims_paid(self) -> Decimal:
        """Sum of CLP04."""
        return sum((c.paid for c in self.claims), ZERO)

    @property
    def withheld(self) -> Decimal:
        """Sum of the PLB amounts."""
        return sum((p.amount for p in self.provider_adjustments), ZERO)


class _Reader:
    """Reads one transaction set, segment by segment."""

    def __init__(self, envelope: Sealed, st: Segment) -> None:
        self.remittance = Remittance(envelope=envelope, st_control=st.get(2))
        self.claim: ClaimPayment | None = None
        self.line: ServiceLine | None = None
        self.party = ""
        self.seen_bpr = self.seen_trn = False
        self.bpr_index = 0
        self.amounts: dict[str, Decimal] = {"": ZERO}
        """Amounts read before: a remittance repeats its charges thousands of times."""
        self.days: dict[str, date] = {}

    def fault(
        self, segment: Segment, element: str, rule: str, message: str, severity: str = "error"
    ) -> None:
        self.remittance.findings.append(
            Finding(segment.elements[0], segment.index, element, rule, severity, message)
        )

    def money(self, segment: Segment, number: int) -> Decimal:
        elements = segment.elements
        text = elements[number] if number < len(elements) else ""
        known = self.amounts.get(text)
        return known if known is not None else self.new_money(segment, number, text)

    def new_money(self, segment: Segment, number: int, text: str) -> Decimal:
        if not _NUMBER.match(text):
            self.fault(segment, f"{number:02}", "number", "This is not a number.")
            return ZERO
        value = self.amounts[text] = Decimal(text)
        return value

    def day(self, segment: Segment, number: int) -> date | None:
        text = segment.get(number)[:8]
        known = self.days.get(text)
        if known is None:
            known = day(text)
            if known is None:
                message = "This is not a date of the form CCYYMMDD."
                self.fault(segment, f"{number:02}", "date", message)
                return None
            self.days[text] = known
        return known

    def bpr(self, s: Segment) -> None:
        r = self.remittance
        self.seen_bpr, self.bpr_index = True, s.index
        r.handling, r.total, r.credit, r.method = (
            s.get(1),
            self.money(s, 2),
            s.get(3) != "D",
            s.get(4),
        )
        if s.get(16):
            r.paid_on = self.day(s, 16)

    def trn(self, s: Segment) -> None:
        if self.claim is None and not self.seen_trn:
            self.seen_trn = True
            self.remittance.trace, self.remittance.payer_tax_id = s.get(2), s.get(3)

    def n1(self, s: Segment) -> None:
        self.party = s.get(1)
        r = self.remittance
        if self.party == "PR":
            r.payer_name = s.get(2)
            if s.get(4):
                r.payer_id = s.get(4)
        elif self.party == "PE":
            r.payee_name = s.get(2)
            if s.get(3) == "XX":
                r.payee_npi = s.get(4)
            elif s.get(3) == "FI":
                r.payee_tax_id = s.get(4)

    def ref(self, s: Segment) -> None:
        qualifier, value = s.get(1), s.get(2)
        if self.line is not None:
            if qualifier == "6R":
                self.line.control = value
        elif self.claim is None:
            if self.party == "PR" and qualifier == "2U":
                self.remittance.payer_id = value
            elif self.party == "PE" and qualifier == "TJ":
                self.remittance.payee_tax_id = value

    def clp(self, s: Segment) -> None:
        self.close_claim()
        self.line = None
        self.claim = ClaimPayment(
            control=s.get(1), status=s.get(2), charge=self.money(s, 3), paid=self.money(s, 4),
            patient_responsibility=self.money(s, 5), filing_indicator=s.get(6),
            payer_claim_number=s.get(7), place_of_service=s.get(8), frequency=s.get(9), index=s.index,
        )  # fmt: skip
        if s.get(2) not in _STATUSES:
            self.fault(s, "02", "claim-status", "This is no claim status of the guide.")
        self.remittance.claims.append(self.claim)

    def nm1(self, s: Segment) -> None:
        if self.claim is None:
            return
        entity = s.get(1)
        if entity == "QC" or (entity == "IL" and not self.claim.member_id):
            self.claim.member_id = s.get(9) or self.claim.member_id
        elif entity == "TT":
            self.claim.crossover = True

    def svc(self, s: Segment) -> None:
        if self.claim is None:
            self.fault(s, "", "svc-outside", "A service line stands outside a claim.")
            return
        self.close_line()
        parts = s.components(1)
        original = s.components(6)
        self.line = ServiceLine(
            procedure=parts[1] if len(parts) > 1 else "",
            modifiers=tuple(m for m in parts[2:6] if m),
            charge=self.money(s, 2),
            paid=self.money(s, 3),
            units=self.money(s, 5) if s.get(5) else Decimal(1),
            original_procedure=original[1] if len(original) > 1 else "",
            index=s.index,
        )
        self.claim.lines.append(self.line)

    def dtm(self, s: Segment) -> None:
        if self.line is not None:
            if s.get(1) in ("472", "150"):
                self.line.service_on = self.day(s, 2)
        elif self.claim is not None and s.get(1) == "232":
            self.claim.service_on = self.day(s, 2)

    def cas(self, s: Segment) -> None:
        target = self.line or self.claim
        if target is None:
            self.fault(s, "", "cas-outside", "An adjustment stands outside a claim.")
            return
        elements = s.elements
        group = s.get(1)
        if group not in _GROUPS:
            self.fault(s, "01", "adjustment-group", "The group is CO, PR, OA or PI.")
        for start in range(2, len(elements), 3):
            if elements[start]:
                quantity = self.money(s, start + 2) if s.get(start + 2) else None
                target.adjustments.append(
                    Adjustment(group, elements[start], self.money(s, start + 1), quantity)
                )

    def amt(self, s: Segment) -> None:
        if self.line is not None and s.get(1) == "B6":
            self.line.allowed = self.money(s, 2)

    def lq(self, s: Segment) -> None:
        if self.line is not None and s.get(1) == "HE":
            self.line.remarks.append(s.get(2))

    def moa(self, s: Segment) -> None:
        if self.claim is not None:
            self.claim.remarks.extend(code for code in s.elements[3:8] if code)

    def plb(self, s: Segment) -> None:
        self.close_claim()
        for start in range(3, len(s.elements), 2):
            parts = s.components(start)
            if parts[0]:
                self.remittance.provider_adjustments.append(
                    ProviderAdjustment(
                        s.get(1), s.get(2), parts[0], parts[1] if len(parts) > 1 else "",
                        self.money(s, start + 1), s.index,
                    )
                )  # fmt: skip

    def close_line(self) -> None:
        line, self.line = self.line, None
        if line is not None and line.charge - line.adjusted != line.paid:
            self.remittance.findings.append(
                Finding("SVC", line.index, "03", "balance-line", "error",
                        "The line's charge less its adjustments is not what was paid.")
            )  # fmt: skip

    def close_claim(self) -> None:
        self.close_line()
        claim, self.claim = self.claim, None
        if claim is None:
            return

        def off(element: str, rule: str, severity: str, message: str) -> None:
            self.remittance.findings.append(
                Finding("CLP", claim.index, element, rule, severity, message)
            )

        if claim.charge - claim.adjusted != claim.paid:
            off(
                "04",
                "balance-claim",
                "error",
                "The claim's charge less all adjustments is not what was paid.",
            )
        if claim.lines and sum((line.charge for line in claim.lines), ZERO) != claim.charge:
            off("03", "balance-claim", "error", "The claim's charge is not the sum of its lines.")
        owed = _sum(claim.adjustments, "PR")
        for line in claim.lines:
            owed += _sum(line.adjustments, "PR")
        if claim.status != "22" and owed != claim.patient_responsibility:
            off(
                "05",
                "patient-responsibility",
                "warning",
                "CLP05 is not the sum of the PR adjustments.",
            )

    def finish(self, se: Segment) -> Remittance:
        self.close_claim()
        r = self.remittance
        if not self.seen_bpr:
            self.fault(se, "", "bpr-missing", "The remittance has no BPR segment.")
        if not self.seen_trn:
            self.fault(se, "", "trn-missing", "The remittance has no TRN segment.")
        if self.seen_bpr and r.claims_paid - r.withheld != r.total:
            r.findings.append(
                Finding("BPR", self.bpr_index, "02", "balance-transaction", "error",
                        "The payment is not the sum of the claims less the provider adjustments.")
            )  # fmt: skip
        keys = set()
        for claim in r.claims:
            key = (claim.control, claim.status, claim.payer_claim_number, claim.charge, claim.paid)
            if key in keys and claim.status != "22":
                r.findings.append(
                    Finding(
                        "CLP",
                        claim.index,
                        "01",
                        "claim-twice",
                        "warning",
                        "The same claim payment stands twice.",
                    )
                )
            keys.add(key)
        return r


_HANDLERS = {
    "BPR": _Reader.bpr, "TRN": _Reader.trn, "N1": _Reader.n1, "REF": _Reader.ref, "CLP": _Reader.clp,
    "NM1": _Reader.nm1, "SVC": _Reader.svc, "DTM": _Reader.dtm, "DTP": _Reader.dtm, "CAS": _Reader.cas,
    "AMT": _Reader.amt, "LQ": _Reader.lq, "MOA": _Reader.moa, "MIA": _Reader.moa, "PLB": _Reader.plb,
}  # fmt: skip


def from_transaction(transaction: TransactionSet) -> Remittance:
    """Return the remittance of one transaction set that is already read."""
    reader = _Reader(transaction.envelope, transaction.st)
    for segment in transaction.body:
        if segment.tag in _HANDLERS:
            _HANDLERS[segment.tag](reader, segment)
    return reader.finish(transaction.body[-1] if transaction.body else transaction.st)


def remittances(segments: Iterable[Segment]) -> Iterator[Remittance]:
    """
    Yield each remittance of a file. Other transaction sets in it are passed over.

    :raises NotX12: what is read is not X12, or an 835 begins inside another
    """
    isa = gs = None
    reader: _Reader | None = None
    for segment in segments:
        tag = segment.elements[0]
        if tag == "ISA":
            isa = segment
        elif tag == "GS":
            gs = segment
        elif tag == "ST":
            if reader is not None:
                raise NotX12("A transaction set begins inside another.", rule="st-inside", segment="ST",
                             index=segment.index, offset=segment.offset)  # fmt: skip
            reader = _Reader(sealed(isa, gs), segment) if segment.get(1) == "835" else None
        elif tag == "SE":
            if reader is not None:
                yield reader.finish(segment)
            reader = None
        elif reader is not None and tag in _HANDLERS:
            _HANDLERS[tag](reader, segment)
