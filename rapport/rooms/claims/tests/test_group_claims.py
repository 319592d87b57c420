"""Group therapy is billed per patient and session: each claim, charge and statement is of one member alone."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.utils import timezone
from pypdf import PdfReader

from rapport.platform.jobs.worker import drain
from rapport.rooms.coding import services as coding
from tests.support import props
from tests.support.cast import House
from tests.support.circle import NAMES, Circle

OWN = {"subjective": "Slept five hours.", "plan": "Sleep diary."}


@pytest.fixture
def circle(willow: House) -> Circle:
    coding.load_icd10(now=timezone.now())
    circle = Circle(willow)
    payer = props.payer(willow, "Group Health Plan", payer_id_code="GRPHP")
    for number, person in enumerate(circle.people.values()):
        props.policy(willow, person, payer, member_id=f"W10000000{number}")
    by_hand = {
        "name": "By hand", "kind": "download",
        "settings": {"sender_id": "WILLOW", "receiver_id": "PAYER", "receiver_name": "PAYER"},
    }  # fmt: skip
    props.made(willow.biller.post("/v1/channels", by_hand))
    return circle


def documented(circle: Circle) -> Any:
    """Hold a session, and sign the notes of who was there."""
    session, api = circle.held(), circle.maya
    for note in api.post(f"/v1/group-sessions/{session['id']}/notes", {"shared": "Talk about sleep."}).json()["notes"]:
        path = f"/v1/clinical-notes/{note['id']}"
        api.patch(path, {"content": OWN, "diagnoses": [{"code": "F41.1"}]}, if_match=api.get(path)["ETag"])
        assert api.post(f"{path}/sign", {}, if_match=api.get(path)["ETag"]).status_code == 200
    return session


def claim_of(circle: Circle, session: Any, first: str) -> Any:
    return circle.house.biller.post("/v1/claims", {"appointment_ids": [circle.part(session, first)]})


def others_in(text: str, first: str) -> list[str]:
    """Return what of the other members stands in a text."""
    words = [word for name, last in NAMES.items() if name != first for word in (name, last)]
    ids = [f"W10000000{number}" for number, name in enumerate(NAMES) if name != first]
    return [one for one in (*words, *ids, "Monday evening") if one.lower() in text.lower()]


@pytest.mark.parametrize("first", ["Ana", "Ben"])
def test_each_who_was_there_has_a_claim_of_their_own(circle: Circle, first: str) -> None:
    session = documented(circle)
    answer = claim_of(circle, session, first)
    claim = props.made(answer)

    (line,) = claim["lines"]
    assert (claim["state"], line["service_code"], claim["charge"]["amount"]) == ("validated", "90853", 6000), claim["findings"]
    assert line["units"] == 1, "once per patient and session, however long it was"
    api, path = circle.house.biller, f"/v1/claims/{claim['id']}"
    assert api.post(f"{path}/submit", {}, if_match=api.get(path)["ETag"]).status_code == 202
    drain(circle.house.id)
    x12 = api.get(path, accept="application/edi-x12").content.decode()
    paper = api.get(path, accept="application/pdf")
    assert paper.status_code == 200, paper.content
    printed = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(paper.content)).pages)
    for text in (answer.content.decode(), x12, printed):
        assert others_in(text, first) == []
    assert NAMES[first].upper() in x12
    assert "HC:90853" in x12
    assert claim_of(circle, session, first).json()["code"] == "duplicate-claim"


def test_a_member_who_did_not_come_is_asked_for_nothing(circle: Circle) -> None:
    session = documented(circle)
    refused = claim_of(circle, session, "Cleo")
    assert refused.status_code in (409, 422), refused.content
    assert others_in(refused.content.decode(), "Cleo") == []


def test_one_claim_asks_for_one_member(circle: Circle) -> None:
    session = documented(circle)
    both = [circle.part(session, first) for first in ("Ana", "Ben")]
    assert circle.house.biller.post("/v1/claims", {"appointment_ids": both}).status_code == 422


def test_a_statement_says_nothing_of_the_others(circle: Circle) -> None:
    session = documented(circle)
    props.made(claim_of(circle, session, "Ana"))
    period = {"from_on": "2026-01-01", "to_on": "2026-03-31"}
    body = {"patient_id": circle.people["Ben"]["id"], **period}

    made = circle.house.biller.post("/v1/statements", body)

    assert made.status_code == 201, made.content
    assert others_in(made.content.decode(), "Ben") == []
    balance = circle.house.biller.get(f"/v1/patients/{circle.people['Ben']['id']}/balance")
    assert others_in(balance.content.decode(), "Ben") == []
