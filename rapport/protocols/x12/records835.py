"""
What a remittance says, as exact records: one `Remittance` per check or EFT.

Amounts are exact decimals in dollars. `remit835` reads them and says where they do not balance.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from .envelope import Sealed
from .syntax import Finding

ZERO = Decimal(0)
ONE = Decimal(1)


@dataclass(slots=True)
class Adjustment:
    """One reason of a CAS segment. A positive amount reduces the payment."""

    group: str
    """CO, PR, OA or PI (and CR in old files)."""
    reason: str
    """CARC."""
    amount: Decimal
    quantity: Decimal | None


def total_of(adjustments: list[Adjustment], group: str = "") -> Decimal:
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
        return total_of(self.adjustments)


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
    balanced: bool = True
    """The claim and each of its lines come to what was paid. Known once the claim is whole."""

    @property
    def adjusted(self) -> Decimal:
        """Sum of all adjustments, of the claim and of its lines."""
        total = total_of(self.adjustments)
        for line in self.lines:
            total += total_of(line.adjustments)
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
    """Empty when it is read claim by claim (`remit835.stream`)."""
    claims_paid: Decimal = ZERO
    """Sum of CLP04."""
    provider_adjustments: list[ProviderAdjustment] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    """Faults of this transaction set. An `error` of rule `balance-transaction` holds the whole
    remittance back; `balance-claim` and `balance-line` hold back their claim. Kept are the first
    thousand errors and the first thousand warnings."""

    @property
    def withheld(self) -> Decimal:
        """Sum of the PLB amounts."""
        return sum((p.amount for p in self.provider_adjustments), ZERO)
