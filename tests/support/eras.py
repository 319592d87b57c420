"""A payer's 835 about one claim, written by the sandbox payer's own hand."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from rapport.sandbox.payer.adjudicate import ClaimPaid, LinePaid
from rapport.sandbox.payer.era import VERSION_835, Check, Parties, write_835
from rapport.sandbox.payer.x12 import Route, write_interchange


def one(*, number: str, service_on: str, npi: str) -> bytes:
    """Return a remittance of 119 dollars for a claim of 180: 80 % allowed, a copay of 25 left to the patient."""
    line = LinePaid(
        procedure="HC:90837", charge=Decimal(180), paid=Decimal(119), units="1", service_on=service_on.replace("-", ""),
        control="L31", adjustments=(("CO", "45", Decimal(36)), ("PR", "3", Decimal(25))), allowed=Decimal(144),
    )  # fmt: skip
    paid = ClaimPaid(
        number=number, status="1", icn="ICN00000031", place="11", frequency="1", filing="CI", member_id="CHP000007",
        last_name="RIVERA", first_name="ANA", lines=(line,),
    )  # fmt: skip
    check = Check(
        parties=Parties("Cascade Health Plan", "CHP01", "Willow", npi, "930000001", "WILLOW"), trace="EFT0000001",
        paid_on=date(2026, 11, 24), claims=(paid,), adjustments=(),
    )  # fmt: skip
    return write_interchange(
        route=Route(("ZZ", "CHP01"), ("ZZ", "WILLOW")), control_number=1, at=datetime(2026, 11, 24, 6, tzinfo=UTC),
        groups_of=[("HP", VERSION_835, [write_835(check, "0001")])],
    )  # fmt: skip
