"""Writes small, valid 837P files for tests: one billing provider, any number of claims."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class TestLine:
    """One service line."""

    __test__ = False
    code: str = "90837"
    charge: str = "180"
    pointer: str = "1"
    prior: tuple[str, ...] = ()
    """Segments of loop 2430, as they are to be written."""


@dataclass(frozen=True)
class TestClaim:
    """One claim of one member who is the subscriber."""

    __test__ = False
    member_id: str = "W123456789"
    number: str = "CLAIM1"
    lines: tuple[TestLine, ...] = (TestLine(),)
    charge: str = ""
    frequency: str = "1"
    original: str = ""
    rank: str = "P"
    other_payer: tuple[str, ...] = ()
    """Segments of loops 2320 and 2330, as they are to be written."""


def write_837p(
    claims: Sequence[TestClaim] = (TestClaim(),),
    *,
    control: int = 101,
    sender: str = "CLINICBH01",
    ask_ta1: bool = False,
    npi: str = "1234567893",
    leave_out: str = "",
) -> bytes:
    """An interchange of one group and one set; segments starting with `leave_out` are left out."""
    body = [
        "ST*837*0001*005010X222A1",
        f"BHT*0019*00*B{control}*20260105*0930*CH",
        f"NM1*41*2*EXAMPLE BEHAVIORAL HEALTH PLLC*****46*{sender}",
        "PER*IC*BILLING OFFICE*TE*8605550100",
        "NM1*40*2*EXAMPLE HEALTH PLAN*****46*60054",
        "HL*1**20*1",
        "PRV*BI*PXC*261QM0801X",
        f"NM1*85*2*EXAMPLE BEHAVIORAL HEALTH PLLC*****XX*{npi}",
        "N3*100 MAIN ST*STE 200",
        "N4*HARTFORD*CT*061030001",
        "REF*EI*123456789",
    ]
    for level, claim in enumerate(claims, start=2):
        body += _claim(claim, level)
    body = [line for line in body if not leave_out or not line.startswith(leave_out)]
    body.append(f"SE*{len(body) + 1}*0001")
    asked = "1" if ask_ta1 else "0"
    lines = [
        f"ISA*00*          *00*          *ZZ*{sender:<15}*ZZ*60054          *260105*0930*^*00501"
        f"*{control:09d}*{asked}*T*:",
        f"GS*HC*{sender}*60054*20260105*0930*{control}*X*005010X222A1",
        *body,
        f"GE*1*{control}",
        f"IEA*1*{control:09d}",
    ]
    return "".join(f"{line}~\n" for line in lines).encode()


def _claim(claim: TestClaim, level: int) -> list[str]:
    total = claim.charge or str(sum(Decimal(line.charge) for line in claim.lines))
    lines = [
        f"HL*{level}*1*22*0",
        f"SBR*{claim.rank}*18*GRP10023******CI",
        f"NM1*IL*1*RIVERA*ANA****MI*{claim.member_id}",
        "N3*22 ELM ST",
        "N4*HARTFORD*CT*061050002",
        "DMG*D8*19850214*F",
        "NM1*PR*2*EXAMPLE HEALTH PLAN*****PI*60054",
        f"CLM*{claim.number}*{total}***11:B:{claim.frequency}*Y*A*Y*Y",
    ]
    if claim.original:
        lines.append(f"REF*F8*{claim.original}")
    lines += [
        f"REF*D9*T{claim.number}",
        "HI*ABK:F411",
        "NM1*82*1*NGUYEN*LENA****XX*1987654328",
        "PRV*PE*PXC*1041C0700X",
        *claim.other_payer,
    ]
    for number, line in enumerate(claim.lines, start=1):
        lines += [
            f"LX*{number}",
            f"SV1*HC:{line.code}*{line.charge}*UN*1***{line.pointer}",
            "DTP*472*D8*20251203",
            f"REF*6R*{claim.number}L{number}",
            *line.prior,
        ]
    return lines
