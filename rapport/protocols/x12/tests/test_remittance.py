"""Remittances: a large one is read in a stream of memory, and oxedi agrees that ours balance."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import oxedi
import pytest

from rapport.protocols.x12 import remit835, syntax

CORPUS = Path(__file__).resolve().parents[4] / "tests" / "corpus" / "x12" / "835"


@pytest.mark.parametrize(
    "path", sorted((CORPUS / "pass").glob("*.edi")), ids=lambda path: path.stem
)
def test_oxedi_finds_nothing_in_the_remittances_we_call_clean(path: Path) -> None:
    assert list(oxedi.parse(path.read_bytes()).diagnostics) == []


def test_a_reversal_and_its_correction_come_to_the_payment() -> None:
    data = (CORPUS / "pass" / "reversal-and-correction.edi").read_bytes()
    [remittance] = remit835.remittances(syntax.read(data))
    assert [claim.status for claim in remittance.claims] == ["22", "1"]
    assert remittance.claims_paid == remittance.total == Decimal(15)


def test_money_of_no_claim_is_kept_apart_from_the_claims() -> None:
    data = (CORPUS / "pass" / "recovery-and-interest.edi").read_bytes()
    [remittance] = remit835.remittances(syntax.read(data))
    assert [(one.reason, one.amount) for one in remittance.provider_adjustments] == [
        ("WO", Decimal(10)),
        ("L6", Decimal(-3)),
    ]
    assert remittance.claims_paid - remittance.withheld == remittance.total
