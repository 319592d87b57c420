"""
Large files that are right: remittances that balance and professional claims, of any size.

The same size and seed give the same bytes. Written by hand as text, in pieces, and by none of the
product's code, so that they can be held against it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

SERVICES = (
    ("90791", 22500), ("90832", 9500), ("90834", 13500), ("90837", 18000), ("90847", 16000),
    ("90853", 6500), ("99213", 12000), ("99214", 17000), ("96130", 19000), ("90785", 2000),
)  # fmt: skip
"""Code and charge in cents."""
DIAGNOSES = ("F411", "F331", "F4310", "F902", "F4323", "F1020", "F3181", "F840")
LAST = ("ALVAREZ", "BAKER", "CHEN", "DAVIS", "FOSTER", "IYER", "KIM", "O'NEIL", "QUINN", "TAYLOR")
FIRST = ("ANA", "BEN", "CARLA", "DREW", "FAITH", "HANA", "JUNE", "KAI", "LENA", "MARK")
PAYEE = "1234567893"
RECOVERED, INTEREST = 51237, -1422
"""Provider adjustments of every remittance, in cents: a recovery, and interest paid."""


def npi(base: int) -> str:
    """Return the NPI with these first nine digits."""
    total = 24
    for number, digit in enumerate(reversed(f"{base:09}")):
        value = int(digit) * (1 if number % 2 else 2)
        total += value - 9 if value > 9 else value
    return f"{base:09}{-total % 10}"


def money(cents: int) -> str:
    """Return cents as X12 writes dollars: no needless zeros."""
    sign, cents = "-" if cents < 0 else "", abs(cents)
    text = f"{cents // 100}.{cents % 100:02}".rstrip("0").rstrip(".")
    return sign + text


@dataclass(frozen=True, slots=True)
class Paid:
    """One adjudicated claim: its segments, and what was paid, in cents."""

    segments: list[str]
    paid: int
    lines: int


def _paid(number: int, random: Random) -> Paid:
    control, denied = f"BH{number:08}", random.random() < 0.06
    lines: list[str] = []
    charged = paid = owed = 0
    chosen = random.sample(SERVICES, random.choice((2, 3)))
    day = f"2025{random.randint(10, 12)}{random.randint(1, 28):02}"
    for place, (code, charge) in enumerate(chosen, 1):
        allowed = charge * random.randint(55, 85) // 100
        left: list[tuple[str, int]] = []
        if not denied:
            if random.random() < 0.25:
                left.append(("1", allowed * 4 // 10))
            rest = allowed - sum(cents for _, cents in left)
            left.append(("3", min(2500, rest)) if random.random() < 0.6 else ("2", rest // 5))
        patient = sum(cents for _, cents in left)
        got = 0 if denied else allowed - patient
        modifier = ":95" if random.random() < 0.5 else ""
        lines += [
            f"SVC*HC:{code}{modifier}*{money(charge)}*{money(got)}**1",
            f"DTM*472*{day}",
        ]
        if denied:
            lines.append(f"CAS*CO*{random.choice(('197', '16', '29', '96'))}*{money(charge)}")
        else:
            lines.append(f"CAS*CO*45*{money(charge - allowed)}")
            lines.append("CAS*PR" + "".join(f"*{why}*{money(cents)}*" for why, cents in left)[:-1])
        lines.append(f"REF*6R*{control}L{place}")
        lines.append("LQ*HE*N130" if denied else f"AMT*B6*{money(allowed)}")
        charged, paid, owed = charged + charge, paid + got, owed + patient
    head = [
        f"CLP*{control}*{'4' if denied else '1'}*{money(charged)}*{money(paid)}"
        f"*{money(owed) if owed else ''}*12*26005{number:09}*11*1",
        f"NM1*QC*1*{random.choice(LAST)}*{random.choice(FIRST)}****MI*W{random.randint(10**8, 10**9 - 1)}",
        f"NM1*82*1*{random.choice(LAST)}*{random.choice(FIRST)}****XX*{npi(100_000_007 + 1000 * random.randint(0, 400))}",
        "REF*1L*GRP10023",
        "DTM*050*20251229",
    ]
    return Paid(head + lines, paid, len(chosen))


def remittance(claims: int, *, seed: int = 1, newline: str = "\n") -> Iterator[bytes]:
    """Yield an 835 of one check, piece by piece; two or three lines a claim, six in a hundred denied."""
    total = sum(_paid(n, random).paid for random in (Random(seed),) for n in range(1, claims + 1))
    head = [
        "ISA*00*          *00*          *ZZ*PAYERID01      *ZZ*CLINICBH01     *260105*0930*^*00501*000000001*0*T*:",
        "GS*HP*PAYERID01*CLINICBH01*20260105*0930*1*X*005010X221A1",
        "ST*835*0001",
        f"BPR*I*{money(total - RECOVERED - INTEREST)}*{'C' if total else 'D'}*ACH*CCP*01*021000021*DA*123456789"
        "*1512345678**01*071000013*DA*987654321*20260105",
        "TRN*1*EFT202601050001*1512345678", "REF*EV*CLINICBH01", "DTM*405*20260105",
        "N1*PR*EXAMPLE HEALTH PLAN", "N3*PO BOX 1000", "N4*HARTFORD*CT*06101", "REF*2U*60054",
        "PER*CX*PROVIDER SERVICES*TE*8005550100", "PER*BL*EDI SUPPORT*TE*8005550101",
        f"N1*PE*EXAMPLE BEHAVIORAL HEALTH PLLC*XX*{PAYEE}", "REF*TJ*123456789", "LX*1",
    ]  # fmt: skip
    end = "~" + newline
    count = len(head) - 2
    yield "".join(segment + end for segment in head).encode()
    random = Random(seed)
    for number in range(1, claims + 1):
        segments = _paid(number, random).segments
        count += len(segments)
        yield "".join(segment + end for segment in segments).encode()
    tail = [
        f"PLB*{PAYEE}*20261231*WO:RC2025-00917*{money(RECOVERED)}*L6:INT2026*{money(INTEREST)}",
        f"SE*{count + 2}*0001", "GE*1*1", "IEA*1*000000001",
    ]  # fmt: skip
    yield "".join(segment + end for segment in tail).encode()


def _claim(number: int, level: int, random: Random) -> list[str]:
    control, remote = f"BH{number:08}", random.random() < 0.5
    place = random.choice(("02", "10")) if remote else "11"
    services = random.sample(SERVICES, random.choice((1, 1, 2, 2, 3)))
    diagnoses = random.sample(DIAGNOSES, random.choice((1, 2)))
    day = f"2025{random.randint(10, 12)}{random.randint(1, 28):02}"
    segments = [
        f"HL*{level}*1*22*0", "SBR*P*18*GRP10023******CI",
        f"NM1*IL*1*{random.choice(LAST)}*{random.choice(FIRST)}****MI*W{random.randint(10**8, 10**9 - 1)}",
        f"N3*{random.randint(1, 999)} ELM ST", "N4*HARTFORD*CT*06105",
        f"DMG*D8*{random.randint(1950, 2012)}{random.randint(1, 12):02}{random.randint(1, 28):02}*{random.choice('FM')}",
        "NM1*PR*2*EXAMPLE HEALTH PLAN*****PI*60054",
        f"CLM*{control}*{money(sum(charge for _, charge in services))}***{place}:B:1*Y*A*Y*Y",
        f"REF*D9*{number:012}",
        "HI*" + "*".join(f"{'ABF' if n else 'ABK'}:{code}" for n, code in enumerate(diagnoses)),
        f"NM1*82*1*{random.choice(LAST)}*{random.choice(FIRST)}****XX*{npi(100_000_007 + 1000 * random.randint(0, 400))}",
        "PRV*PE*PXC*1041C0700X",
    ]  # fmt: skip
    pointers = ":".join(str(n + 1) for n in range(len(diagnoses)))
    for place_in, (code, charge) in enumerate(services, 1):
        segments += [
            f"LX*{place_in}",
            f"SV1*HC:{code}{':95' if remote else ''}*{money(charge)}*UN*1***{pointers}",
            f"DTP*472*D8*{day}",
            f"REF*6R*{control}L{place_in}",
        ]
    return segments


def professional(
    claims: int, *, seed: int = 2, per_set: int = 5000, newline: str = "\n"
) -> Iterator[bytes]:
    """Yield an 837P, piece by piece: office and telehealth, one to three lines a claim."""
    end, random = "~" + newline, Random(seed)
    yield (
        "ISA*00*          *00*          *ZZ*CLINICBH01     *ZZ*60054          *260105*0930*^*00501*000000002*0*T*:"
        f"{end}GS*HC*CLINICBH01*60054*20260105*0930*2*X*005010X222A1{end}"
    ).encode()
    sets = 0
    for first in range(1, claims + 1, per_set):
        sets += 1
        head = [
            f"ST*837*{sets:04}*005010X222A1", f"BHT*0019*00*BATCH{sets:05}*20260105*0930*CH",
            "NM1*41*2*EXAMPLE BEHAVIORAL HEALTH PLLC*****46*CLINICBH01", "PER*IC*BILLING OFFICE*TE*8605550100",
            "NM1*40*2*EXAMPLE HEALTH PLAN*****46*60054", "HL*1**20*1", "PRV*BI*PXC*261QM0801X",
            f"NM1*85*2*EXAMPLE BEHAVIORAL HEALTH PLLC*****XX*{PAYEE}", "N3*100 MAIN ST STE 200",
            "N4*HARTFORD*CT*061030001", "REF*EI*123456789",
        ]  # fmt: skip
        count = len(head)
        yield "".join(segment + end for segment in head).encode()
        for level, number in enumerate(range(first, min(first + per_set, claims + 1)), 2):
            segments = _claim(number, level, random)
            count += len(segments)
            yield "".join(segment + end for segment in segments).encode()
        yield f"SE*{count + 1}*{sets:04}{end}".encode()
    yield f"GE*{sets}*2{end}IEA*1*000000002{end}".encode()
