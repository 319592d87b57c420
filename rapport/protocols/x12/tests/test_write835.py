"""What is written as an 835 is read back as it was, and balances."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from rapport.protocols.x12 import remit835, write835
from rapport.protocols.x12.envelope import Address, Numbers, Sealed, check, interchange
from rapport.protocols.x12.records835 import (
    Adjustment,
    ClaimPayment,
    ProviderAdjustment,
    Remittance,
    ServiceLine,
)
from rapport.protocols.x12.syntax import Finding, read

DAY = date(2026, 11, 2)
DOLLARS = st.integers(-50_000, 50_000).map(lambda cents: Decimal(cents) / 100)
REASON = st.tuples(st.sampled_from(["CO", "PR", "OA", "PI"]), st.sampled_from(["1", "45", "197", "B11"]), DOLLARS)
SERVICE = st.tuples(
    st.lists(REASON, max_size=14), DOLLARS, st.sampled_from(["90837", "H0004"]),
    st.lists(st.sampled_from(["95", "HO", "HQ"]), unique=True),
)  # fmt: skip


def total(amounts: list[Decimal]) -> Decimal:
    return sum(amounts, Decimal(0))


@given(st.lists(SERVICE, min_size=1, max_size=4), st.lists(DOLLARS, max_size=8))
def test_what_is_written_is_read_back_and_balances(services: list[tuple[list[tuple[str, str, Decimal]], Decimal, str, list[str]]], beside: list[Decimal]) -> None:
    lines = [
        ServiceLine(
            code, tuple(modifiers), paid + total([one[2] for one in reasons]), paid, Decimal(1), "", 0, service_on=DAY,
            adjustments=[Adjustment(*one, None) for one in sorted(reasons, key=lambda one: one[0])], control=f"L{place}",
            allowed=paid, remarks=["N130"],
        )
        for place, (reasons, paid, code, modifiers) in enumerate(services)
    ]  # fmt: skip
    owed = total([a.amount for line in lines for a in line.adjustments if a.group == "PR"])
    claim = ClaimPayment(
        "RA1", "1", total([line.charge for line in lines]), total([line.paid for line in lines]), owed, "CI", "ICN1",
        "11", "1", 0, lines=lines,
    )  # fmt: skip
    said = Remittance(
        Sealed("", "", "", "", "", ""), "", total=claim.paid - total(beside), method="CHK", paid_on=DAY, trace="123",
        payer_tax_id="1512345678", payer_name="PLAN", payee_name="WILLOW", payee_npi="1234567893", claims=[claim],
        provider_adjustments=[ProviderAdjustment("1234567893", "20261231", "WO", "R:1", one, 0) for one in beside],
    )  # fmt: skip

    data = b"".join(
        interchange(
            [("835", write835.body(said))], sender=Address("ZZ", "A"), receiver=Address("ZZ", "B"),
            numbers=Numbers(1, 1, 1), at=datetime(2026, 11, 2, tzinfo=UTC), usage="P",
        )
    )  # fmt: skip
    findings: list[Finding] = []
    [heard] = remit835.remittances(check(read(data), findings=findings))

    assert [f for f in (*findings, *heard.findings) if f.severity == "error"] == []
    assert (heard.total, heard.trace, heard.payee_npi, heard.paid_on) == (said.total, "123", "1234567893", DAY)
    assert [one.amount for one in heard.provider_adjustments] == beside
    for before, after in zip(lines, heard.claims[0].lines, strict=True):
        assert (after.procedure, after.modifiers, after.charge, after.paid) == (
            before.procedure, before.modifiers[:4], before.charge, before.paid,
        )  # fmt: skip
        assert sorted((a.group, a.reason, a.amount) for a in after.adjustments) == sorted(
            (a.group, a.reason, a.amount) for a in before.adjustments
        )
