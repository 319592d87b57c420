"""What an 837P says, as far as a payer needs it to decide: claims, lines, and who is who."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from rapport.sandbox.payer.x12 import Segment, TransactionSet

ZERO = Decimal(0)


@dataclass(slots=True)
class Line:
    """One service line (2400)."""

    procedure: str
    charge: Decimal
    units: str
    service_on: str = ""
    """DTM*472 value as sent: CCYYMMDD, or a range of two."""
    control: str = ""
    """REF*6R: the sender's own number for the line."""
    pointers: tuple[int, ...] = ()
    prior_paid: Decimal | None = None
    """What an earlier payer paid (SVD02), where this payer is not the first."""
    prior_payer: str = ""
    """Whose decision stands last (SVD01)."""
    prior_adjustments: list[tuple[str, str, str, Decimal]] = field(default_factory=list)
    """Payer, group, reason, amount."""

    @property
    def code(self) -> str:
        """The procedure code without its qualifier and modifiers."""
        parts = self.procedure.split(":")
        return parts[1] if len(parts) > 1 else ""


@dataclass(slots=True)
class Claim:
    """One claim (2300) with the loops above it folded in."""

    number: str
    """CLM01."""
    charge: Decimal
    place: str
    frequency: str
    member_id: str
    member_at: int
    """Position of the subscriber's NM1, counted from ST as 1."""
    payer_rank: str
    filing: str
    last_name: str
    first_name: str
    payer_name: str
    payer_id: str
    billing_name: str
    billing_npi: str
    billing_tax_id: str
    diagnosis_count: int = 0
    original_number: str = ""
    """REF*F8: the payer's own number of the claim that this one replaces or voids."""
    trace: str = ""
    next_payer_id: str = ""
    """2330B NM109 of the first other payer that has not decided."""
    rendering: Segment | None = None
    prior_paid: Decimal | None = None
    prior_adjustments: list[tuple[str, str, Decimal]] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Batch:
    """One transaction set of claims."""

    reference: str
    """BHT03, which the 277CA gives back."""
    submitter_name: str
    submitter_id: str
    claims: tuple[Claim, ...]


def decimal_of(text: str) -> Decimal:
    """A money element; nothing or nonsense counts as zero, since the checks report it."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        return ZERO
    return value if value.is_finite() else ZERO


def read_batch(transaction: TransactionSet) -> Batch:
    """Read the claims of a transaction set that has passed the checks of `guide`."""
    return _Reader().read(transaction)


class _Reader:
    def __init__(self) -> None:
        self.reference = self.submitter_name = self.submitter_id = ""
        self.billing = Segment(("NM1",))
        self.tax_id = ""
        self.subscriber_rank = Segment(("SBR",))
        self.member = Segment(("NM1",))
        self.patient = Segment(("NM1",))
        self.payer = Segment(("NM1",))
        self.member_at = 0
        self.level = ""
        self.other_payer = self.other_decided = False
        self.adjusted: list[tuple[str, str, Decimal]] = []
        self.claims: list[Claim] = []
        self.claim: Claim | None = None
        self.line: Line | None = None

    def read(self, transaction: TransactionSet) -> Batch:
        for position, segment in enumerate(transaction.segments, start=1):
            if segment.tag == "HL":
                self.level = segment.at(3)
                self.claim = self.line = None
                if self.level == "22":
                    self.patient = Segment(("NM1",))
            elif self.claim is None or segment.tag == "CLM":
                self._above(segment, position)
            elif self.line is None and segment.tag != "LX":
                self._in_claim(self.claim, segment)
            else:
                self._in_line(self.claim, segment)
        return Batch(self.reference, self.submitter_name, self.submitter_id, tuple(self.claims))

    def _above(self, segment: Segment, position: int) -> None:
        match segment.tag, segment.at(1):
            case "BHT", _:
                self.reference = segment.at(3)
            case "NM1", "41":
                self.submitter_name, self.submitter_id = segment.at(3), segment.at(9)
            case "NM1", "85":
                self.billing = segment
            case "REF", ("EI" | "SY") if self.level == "20":
                self.tax_id = segment.at(2)
            case "SBR", _:
                self.subscriber_rank = segment
            case "NM1", "IL":
                self.member, self.member_at = segment, position
            case "NM1", "QC":
                self.patient = segment
            case "NM1", "PR":
                self.payer = segment
            case "CLM", _:
                self._open(segment)
            case _:
                return

    def _open(self, segment: Segment) -> None:
        facility = [*segment.parts(5), "", "", ""]
        person = self.patient if self.patient.at(3) else self.member
        self.claim = Claim(
            number=segment.at(1), charge=decimal_of(segment.at(2)), place=facility[0],
            frequency=facility[2], member_id=self.member.at(9), member_at=self.member_at,
            payer_rank=self.subscriber_rank.at(1), filing=self.subscriber_rank.at(9),
            last_name=person.at(3), first_name=person.at(4), payer_name=self.payer.at(3),
            payer_id=self.payer.at(9), billing_name=self.billing.at(3),
            billing_npi=self.billing.at(9), billing_tax_id=self.tax_id,
        )  # fmt: skip
        self.line, self.other_payer = None, False
        self.claims.append(self.claim)

    def _in_claim(self, claim: Claim, segment: Segment) -> None:
        match segment.tag, segment.at(1):
            case "SBR", _:
                self.other_payer, self.other_decided, self.adjusted = True, False, []
            case "REF", "F8" if not self.other_payer:
                claim.original_number = segment.at(2)
            case "REF", "D9":
                claim.trace = segment.at(2)
            case "HI", _:
                claim.diagnosis_count += len(segment.elements) - 1
            case "NM1", "82" if not self.other_payer:
                claim.rendering = segment
            case "NM1", "PR" if self.other_payer:
                if not self.other_decided and not claim.next_payer_id:
                    claim.next_payer_id = segment.at(9)
            case "AMT", "D" if self.other_payer:
                # Of several payers before, the last one says what is left.
                self.other_decided, claim.prior_paid = True, decimal_of(segment.at(2))
                claim.prior_adjustments = self.adjusted
            case "CAS", _ if self.other_payer:
                self.adjusted.extend(_adjustments(segment))
            case _:
                return

    def _in_line(self, claim: Claim, segment: Segment) -> None:
        if segment.tag == "LX":
            self.line = Line("", ZERO, "1")
            claim.lines.append(self.line)
            return
        line = self.line
        if line is None:
            return
        match segment.tag, segment.at(1):
            case "SV1", procedure:
                line.procedure = procedure.replace(segment.component, ":")
                line.charge, line.units = decimal_of(segment.at(2)), segment.at(4) or "1"
                line.pointers = tuple(
                    int(part) for part in segment.parts(7) if part.isascii() and part.isdigit()
                )
            case "DTP", "472":
                line.service_on = segment.at(3)
            case "REF", "6R":
                line.control = segment.at(2)
            case "SVD", payer:
                line.prior_payer = payer
                line.prior_paid = (line.prior_paid or ZERO) + decimal_of(segment.at(2))
            case "CAS", _:
                line.prior_adjustments.extend(
                    (line.prior_payer, *adjusted) for adjusted in _adjustments(segment)
                )
            case _:
                return


def _adjustments(segment: Segment) -> list[tuple[str, str, Decimal]]:
    return [
        (segment.at(1), segment.at(index), decimal_of(segment.at(index + 1)))
        for index in range(2, len(segment.elements), 3)
        if segment.at(index)
    ]
