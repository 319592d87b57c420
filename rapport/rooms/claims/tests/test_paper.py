"""The paper claim through the door that billers use."""

from __future__ import annotations

import io

import pytest
from pypdf import PdfReader

from tests.support.billing import Billing
from tests.support.cast import House


def text_of(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)


@pytest.mark.parametrize("background", [False, True])
def test_a_claim_is_printed_with_and_without_the_form(willow: House, background: bool) -> None:
    claim = Billing(willow).claim()
    query = "?background=true" if background else ""

    answer = willow.biller.get(f"/v1/claims/{claim['id']}{query}", accept="application/pdf")

    assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf"), answer.content
    printed = text_of(answer.content)
    for text in ("90837", "18000", "F411", "SBXFULL01", "SIGNATURE ON FILE", "1000000004"):
        assert text in printed
    assert ("COPY" in printed) is background


def test_an_identifier_too_long_for_its_box_is_refused_and_never_cut(willow: House) -> None:
    billing = Billing(willow)
    member_id = "SBXFULL01" + "7" * 25
    claim = billing.claim(member_id=member_id)

    answer = willow.biller.get(f"/v1/claims/{claim['id']}", accept="application/pdf")

    assert (answer.status_code, answer.json()["code"]) == (409, "state-conflict"), answer.content
    assert "Box 1a" in answer.json()["detail"]
    assert member_id.encode() not in answer.content


def test_another_practice_does_not_learn_that_the_claim_exists(willow: House, aspen: House) -> None:
    claim = Billing(willow).claim()

    answer = aspen.biller.get(f"/v1/claims/{claim['id']}", accept="application/pdf")

    assert answer.status_code == 404
