"""What goes beside a claim, and what goes by hand: attachments, carried files, and forms that fit their paper."""

from __future__ import annotations

import io
from typing import Any

import pytest
from pypdf import PdfReader

from tests.support import props
from tests.support.billing import Billing
from tests.support.cast import House


@pytest.fixture(params=["download", "portal"])
def billing(willow: House, request: pytest.FixtureRequest) -> Billing:
    billing = Billing(willow)
    billing.things["channel"] = props.made(
        willow.biller.post(
            "/v1/channels",
            {"name": "By hand", "kind": request.param,
             "settings": {"sender_id": "WILLOW", "receiver_id": "PAYER", "receiver_name": "PAYER"}},
        )
    )  # fmt: skip
    return billing


def act(billing: Billing, path: tuple[str, str], body: Any) -> Any:
    who = billing.house.biller
    return who.post(f"{path[0]}{path[1]}", body, if_match=who.get(path[0])["ETag"])


def test_a_paper_is_named_in_the_claim_by_its_number_and_marked_when_it_was_sent(billing: Billing) -> None:
    claim = billing.claim()
    biller, path = billing.house.biller, f"/v1/claims/{claim['id']}"
    note = billing.maya.get(f"/v1/documents?patient_id={claim['patient_id']}").json()["data"][0]

    paper = props.made(biller.post(f"{path}/attachments", {"document_id": note["id"], "way": "FX"}))
    billing.submit(billing.read(claim))
    edi = biller.get(path, accept="application/edi-x12").content.decode()
    at = f"/v1/claim-attachments/{paper['id']}"
    sent = act(billing, (at, "/sent"), {"how": "fax"})
    twice = act(billing, (at, "/sent"), {"how": "mail"})

    assert f"PWK*OZ*FX***AC*{paper['control_number']}~" in edi
    assert (sent.status_code, sent.json()["state"], sent.json()["sent_how"]) == (200, "sent", "fax"), sent.content
    assert (twice.status_code, twice.json()["code"]) == (409, "state-conflict")
    assert billing.read(claim)["attachments"][0]["state"] == "sent"
    late = biller.post(f"{path}/attachments", {"document_id": note["id"]})
    assert (late.status_code, late.json()["code"]) == (409, "state-conflict"), "it has left"


def test_another_patients_paper_is_no_paper_of_this_claim(billing: Billing) -> None:
    mine, other = billing.claim(), billing.claim(hour=10)
    note = billing.maya.get(f"/v1/documents?patient_id={other['patient_id']}").json()["data"][0]

    answer = billing.house.biller.post(f"/v1/claims/{mine['id']}/attachments", {"document_id": note["id"]})

    assert (answer.status_code, answer.json()["code"]) == (422, "reference-not-found")


def test_a_claim_is_submitted_when_a_person_says_that_they_carried_it(billing: Billing) -> None:
    claim = billing.claim()
    path = f"/v1/claims/{claim['id']}"
    early = act(billing, (path, "/mark-submitted"), {})
    billing.submit(claim)
    from rapport.platform.jobs.worker import drain

    drain(billing.house.id)
    waiting = billing.read(claim)

    carried = act(billing, (path, "/mark-submitted"), {"reference": "P-4711"})
    twice = act(billing, (path, "/mark-submitted"), {})

    assert early.status_code == 409, "the control: nothing was made to be carried yet"
    assert (waiting["state"], waiting["submissions"][0]["state"]) == ("queued", "ready")
    now = carried.json()
    assert (now["state"], now["submissions"][0]["state"]) == ("submitted", "sent"), carried.content
    assert now["submissions"][0]["receipt"] == "P-4711"
    assert (twice.status_code, twice.json()["code"]) == (409, "state-conflict")


def words(pdf: bytes) -> dict[str, tuple[float, float]]:
    found: dict[str, tuple[float, float]] = {}

    def see(text: str, _: Any, matrix: list[float], *rest: Any) -> None:
        if text.strip():
            found.setdefault(text.strip(), (matrix[4], matrix[5]))

    PdfReader(io.BytesIO(pdf)).pages[0].extract_text(visitor_text=see)
    return found


def test_what_is_printed_moves_as_the_practices_printer_needs_it(willow: House) -> None:
    billing, path = Billing(willow), "/v1/print-setting"
    claim = billing.claim()
    form = f"/v1/claims/{claim['id']}"
    before = words(willow.biller.get(form, accept="application/pdf").content)
    page = words(willow.biller.get(path, accept="application/pdf").content)

    said = willow.biller.call(
        "PUT", path, {"dx": 10, "dy": -5}, if_match=willow.biller.get(path)["ETag"]
    )
    after = words(willow.biller.get(form, accept="application/pdf").content)
    moved = words(willow.biller.get(path, accept="application/pdf").content)

    assert (said.status_code, said.json()["dx"], said.json()["dy"]) == (200, 10, -5), said.content
    for text, old, new in (("90837", before, after), ("XXX", page, moved)):
        assert new[text][0] - old[text][0] == pytest.approx(7.2, abs=0.01), text
        assert new[text][1] - old[text][1] == pytest.approx(3.6, abs=0.01), text
