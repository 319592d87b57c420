"""Remittances as payers write them, by the sandbox payer's own hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from rapport.sandbox.payer.adjudicate import ClaimPaid, LinePaid, Provider
from rapport.sandbox.payer.era import VERSION_835, Check, Parties, write_835
from rapport.sandbox.payer.x12 import Route, write_interchange

NPI = "1234567893"
PAID_ON = min(date(2026, 11, 24), datetime.now(UTC).date() - timedelta(days=3))
"""Day of the checks: the same one, unless the clock goes before it."""
Reason = tuple[str, str, int | str]


def service(
    code: str, charge: int | str, paid: int | str, *reasons: Reason, day: str, control: str = "", allowed: int | str | None = None,
) -> LinePaid:  # fmt: skip
    """Return one decided service, amounts in dollars. :param code: `90837` or `90837:95`"""
    return LinePaid(
        procedure=f"HC:{code}", charge=Decimal(charge), paid=Decimal(paid), units="1",
        service_on=day.replace("-", ""), control=control,
        adjustments=tuple((group, reason, Decimal(amount)) for group, reason, amount in reasons),
        allowed=None if allowed is None else Decimal(allowed),
    )  # fmt: skip


def claim(number: str, *lines: LinePaid, status: str = "1", icn: str = "ICN00000031") -> ClaimPaid:
    """Return one decided claim. :param number: our control number"""
    return ClaimPaid(
        number=number, status=status, icn=icn, place="11", frequency="1", filing="CI", member_id="CHP000007",
        last_name="RIVERA", first_name="ANA", lines=lines,
    )  # fmt: skip


def reversal(one: ClaimPaid) -> ClaimPaid:
    """Return what takes a decided claim back: all amounts turned round."""
    lines = tuple(
        LinePaid(
            procedure=line.procedure, charge=-line.charge, paid=-line.paid, units=line.units,
            service_on=line.service_on, control=line.control,
            adjustments=tuple((group, reason, -amount) for group, reason, amount in line.adjustments), allowed=None,
        )
        for line in one.lines
    )  # fmt: skip
    return claim(one.number, *lines, status="22", icn=one.icn)


def check(
    *claims: ClaimPaid, trace: str = "EFT0000001", beside: Sequence[tuple[str, str, int | str]] = (), npi: str = NPI,
    payer: str = "Cascade Health Plan",
) -> Check:  # fmt: skip
    """Return one check. :param beside: (code, reference, amount) of PLB; a positive one takes money away"""
    return Check(
        parties=Parties(payer, "CHP01", "Willow", npi, "930000001", "WILLOW"), trace=trace,
        paid_on=PAID_ON, claims=claims,
        adjustments=tuple(Provider(code, reference, Decimal(amount)) for code, reference, amount in beside),
    )  # fmt: skip


def file(*checks: Check) -> bytes:
    """Return the file that carries checks."""
    sets = [write_835(one, f"{number:04}") for number, one in enumerate(checks, 1)]
    return write_interchange(
        route=Route(("ZZ", "CHP01"), ("ZZ", "WILLOW")), control_number=1, at=datetime(2026, 11, 24, 6, tzinfo=UTC),
        groups_of=[("HP", VERSION_835, sets)],
    )  # fmt: skip


def as_wholes(data: bytes) -> bytes:
    """Return a file whose claims are decided as wholes: no services, and their reasons with the claim."""
    segments, found, clp = data.decode().split("~"), [], 0
    for segment in segments:
        words = segment.strip().split("*")
        if words[0] in ("SVC", "REF", "AMT", "DTM") and clp:
            continue
        if words[0] == "CLP":
            clp = len(found) + 1
        if words[0] == "CAS":
            found.insert(clp, segment)
        elif words[0] == "SE":
            start = next(at for at, one in enumerate(found) if one.strip().startswith("ST*"))
            found.append(f"SE*{len(found) - start + 1}*{words[2]}")
        else:
            found.append(segment)
    return "~".join(found).encode()


def one(*, number: str, service_on: str, npi: str) -> bytes:
    """Return a remittance of 119 dollars for a claim of 180: 80 % allowed, a copay of 25 left to the patient."""
    line = service("90837", 180, 119, ("CO", "45", 36), ("PR", "3", 25), day=service_on, control="L31", allowed=144)
    return file(check(claim(number, line), npi=npi))
