"""What comes back of a claim on paper: the fourteen characters of its number that box 26 has room for."""

from __future__ import annotations

from typing import Any

import pytest

from rapport.protocols.cms1500.form import layout
from rapport.rooms.claims import queries, services
from rapport.rooms.claims.models import Claim
from tests.support import props
from tests.support.billing import Billing
from tests.support.cast import House


@pytest.fixture
def billing(willow: House) -> Billing:
    return Billing(willow)


def found(house: House, *named: tuple[str, str]) -> dict[tuple[str, str], str]:
    with house.entered() as scope:
        facts = queries.find_for_remittance(scope=scope, named=named)
        return {pair: one.control_number for pair, one in facts.items()}


def printed(billing: Billing, claim: Any) -> str:
    """Return what the form has in box 26."""
    with billing.house.entered() as scope:
        row = queries.get_claim(scope=scope, claim_id=props.uuid_of("claim", claim))
        record = services.build_record(scope=scope, claim=row)
        [text] = [one.text for one in layout(record, today=scope.day_of(row.created_at))[0] if one.text in row.control_number and len(one.text) > 9]
        return text


def test_the_number_as_it_is_printed_finds_its_claim(billing: Billing, aspen: House) -> None:
    claim = billing.claim()
    ours, short = claim["control_number"], printed(billing, claim)
    assert (len(ours), len(short)) == (18, 14)
    whole, paper, low = (ours, ""), (short, "ICN9"), (f" {short.lower()}", "")

    assert found(billing.house, whole, paper, low) == dict.fromkeys((whole, paper, low), ours)
    assert found(aspen, paper) == {}, "another practice's claim"


def test_what_is_shorter_longer_or_fits_two_claims_finds_none(billing: Billing) -> None:
    claim, other = billing.claim(hour=1), billing.claim(hour=2)
    ours = claim["control_number"]
    wrong = [(ours[:13], ""), (ours[:15], ""), (ours[:13] + "*", ""), ("0" * 14, ""), (ours[4:], "")]
    assert found(billing.house, *wrong) == {}

    with billing.house.entered() as scope:
        rows = Claim.objects.visible_to(scope)
        twin = ours[:14] + ("AAAA" if not ours.endswith("AAAA") else "BBBB")
        rows.filter(id=props.uuid_of("claim", other)).update(control_number=twin)
        rows.filter(id=props.uuid_of("claim", claim)).update(payer_claim_number="ICN7")

    assert found(billing.house, (ours[:14], "")) == {}, "two of the practice's claims fit"
    assert found(billing.house, (ours[:14], "ICN7")) == {(ours[:14], "ICN7"): ours}, "the payer's own number still tells"
