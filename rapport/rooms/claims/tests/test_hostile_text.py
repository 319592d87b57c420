"""S-049: text that means something in X12, from the form field to the bytes that leave."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from rapport.protocols.x12.check import check_bytes
from tests.support import props
from tests.support.billing import Billing
from tests.support.cast import House
from tests.support.sandbox import SandboxProcess

HOSTILE = (
    "SMITH*JOHN~NM1*IL", "A:B", "A^B", "O'BRIEN", "ISAAC", "SMI\r\nTH", "PI|PE", "MÜLLER", "Ł~*:^|",
    "IEA*1*000000001~",
)  # fmt: skip
ADDRESS = {"line1": "12 Alder Court", "city": "Portland", "state": "OR", "postal_code": "97205"}


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    process = SandboxProcess(tmp_path_factory.mktemp("payer"))
    yield process
    process.stop()


def segments(edi: bytes) -> list[str]:
    """Split a file by the delimiter that its own envelope names."""
    text = edi.decode("ascii")
    return [one.strip() for one in text.split(text[105]) if one.strip()]


def billed(billing: Billing, hour: int, *, name: str = "Rivera", street: str = "12 Alder Court", group: str = "") -> Any:
    """Bill a visit of a patient with this text; return the answer that refused it, or the file."""
    house = billing.house
    answer = house.scheduler.post(
        "/v1/patients",
        {
            "name": {"first": "Ana", "last": name}, "birth_on": "1990-04-12", "sex": "female",
            "clinician_ids": [billing.things["clinician"]["id"]], "address": ADDRESS | {"line1": street},
        },
    )  # fmt: skip
    if answer.status_code != 201:
        return answer
    patient = answer.json()
    props.policy(house, patient, billing.things["payer"], member_id="W123456789", group_number=group or None)
    visit = billing.visit(patient=patient, days_ago=2 + hour // 6, hour=hour)
    billing.note(visit)
    claim = props.made(house.biller.post("/v1/claims", {"appointment_ids": [visit["id"]]}))
    path = f"/v1/claims/{claim['id']}"
    sent = house.biller.post(f"{path}/submit", {}, if_match=house.biller.get(path)["ETag"])
    if sent.status_code != 202:
        return sent
    return house.biller.get(path, accept="application/edi-x12").content


def test_s049_hostile_text_in_a_form_is_one_element_of_the_claim_or_is_refused(
    willow: House, sandbox: SandboxProcess
) -> None:
    billing = Billing(willow, sandbox)
    plain = segments(billed(billing, 0, group="GROUP1"))
    made = 0
    for hour, text in enumerate(HOSTILE, 1):
        file = billed(billing, hour, name=text, street=text, group=text)
        if not isinstance(file, bytes):
            assert file.status_code in (409, 422), (text, file.content)
            assert file.json()["errors"], text
            continue
        made += 1
        found = segments(file)
        # The same segments in the same order: the text made none, and swallowed none.
        assert [s.split(file.decode()[3])[0] for s in found] == [s.split("*")[0] for s in plain], text
        assert not [f for f in check_bytes(file).findings if f.severity == "error"], text
        subscriber = next(s for s in found if s.startswith("NM1*IL*"))
        assert subscriber.split("*")[4] == "ANA", text
        assert subscriber.endswith("*MI*W123456789"), text
        assert next(s for s in found if s.startswith("SE*")).split("*")[1] == str(len(found) - 4), text
    assert made >= 3, "the control: O'BRIEN, ISAAC and others do reach the payer"


def test_the_control_a_file_with_a_segment_too_many_is_seen(willow: House, sandbox: SandboxProcess) -> None:
    plain = billed(Billing(willow, sandbox), 0)
    injected = plain.replace(b"*RIVERA*", b"*RIVERA~NM1*IL*", 1)

    assert len(segments(injected)) == len(segments(plain)) + 1
    assert [f for f in check_bytes(injected).findings if f.severity == "error"]


@pytest.mark.parametrize("text", ["S" * 61, "S" * 200, "A\x00B", ""])
def test_what_no_payer_could_hold_is_refused_at_the_form(willow: House, sandbox: SandboxProcess, text: str) -> None:
    answer = billed(Billing(willow, sandbox), 0, name=text)

    assert not isinstance(answer, bytes)
    assert answer.status_code in (400, 422)
