"""Group therapy is billed per patient and session: each claim, charge and statement is of one member alone."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest
from django.utils import timezone
from pypdf import PdfReader

from rapport.platform.jobs.worker import drain
from rapport.protocols.x12.tests.strategies import sample_claim
from rapport.protocols.x12.tests.test_oracles import accepted
from rapport.rooms.claims.rules.profiles import Profile, findings_of
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


def documented(circle: Circle, **booked: Any) -> Any:
    """Hold a session, and sign the notes of who was there."""
    session, api = circle.held(**booked), circle.maya
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


def say(circle: Circle, **values: Any) -> Any:
    api = circle.house.biller
    [payer] = api.get("/v1/payers").json()["data"]
    path = f"/v1/payers/{payer['id']}/claim-profile"
    answer = api.patch(path, values, if_match=api.get(path)["ETag"])
    assert answer.status_code == 200, answer.content
    return answer.json()


def sent(circle: Circle, claim: Any) -> bytes:
    api, path = circle.house.biller, f"/v1/claims/{claim['id']}"
    assert api.post(f"{path}/submit", {}, if_match=api.get(path)["ETag"]).status_code == 202
    return bytes(api.get(path, accept="application/edi-x12").content)


def test_a_payer_that_wants_to_know_of_groups_is_told_before_how_they_met_and_the_claim_says_why(circle: Circle) -> None:
    said = say(circle, group_modifier="HQ")
    session = documented(circle, telehealth=True, location_id=None)

    claim = props.made(claim_of(circle, session, "Ana"))

    assert said["values"]["group_modifier"] == {"value": "HQ", "source": "practice", "note": None}
    assert (claim["lines"][0]["modifiers"], claim["state"]) == (["HQ", "95"], "validated"), claim["findings"]
    [told] = claim["rules"]
    assert (told["rule_id"], told["modifier"], told["lines"], told["version"]) == ("claim-profile/group_modifier", "HQ", [0], 1)
    x12 = sent(circle, claim)
    assert b"*HC:90853:HQ:95*" in x12
    assert accepted(x12), "pyx12 too"
    assert claim["charge"]["amount"] == 6000, "the price is the practice's, whatever the payer is told"


def test_the_control_most_payers_do_not_want_it_and_a_visit_alone_never_has_it(circle: Circle) -> None:
    plain = props.made(claim_of(circle, documented(circle), "Ana"))
    unsaid = circle.house.biller.get(f"/v1/payers/{plain['payer_id']}/claim-profile").json()["values"]["group_modifier"]
    say(circle, group_modifier="HQ")
    judged = circle.house.biller.post(f"/v1/claims/{plain['id']}/validate", {}).json()

    assert unsaid == {"value": "", "source": "default", "note": "default, verify"}
    assert (plain["lines"][0]["modifiers"], plain["rules"]) == ([], [])
    assert ("group-modifier-wanted", "error") in [(f["code"], f["severity"]) for f in judged["findings"]]
    line = replace(sample_claim().lines[0], procedure="90837", modifiers=())
    alone = replace(sample_claim(), lines=(line,))
    wants = Profile(group_modifier="HQ")
    assert findings_of(record=alone, profile=wants, days=1) == []
    assert [f.code for f in findings_of(record=alone, profile=wants, days=1, grouped={1})] == ["group-modifier-wanted"]
    assert [f.severity for f in findings_of(record=replace(alone, rank="S"), profile=wants, days=1, grouped={1})] == ["warning"]
    void = replace(alone, frequency="8", payer_claim_number="ICN1")
    assert findings_of(record=void, profile=wants, days=1, grouped={1}) == [], "a void says what its original said"


def test_an_own_rule_knows_a_group_session_and_is_tried_before_it_is_kept(circle: Circle) -> None:
    """For a payer that wants it on some codes only."""
    claim = props.made(claim_of(circle, documented(circle), "Ana"))
    rule = {
        "id": "hq", "when": [{"field": "group_session", "op": "is", "value": True}],
        "then": {"do": "set_modifier", "modifier": "HQ", "service_codes": ["90853"]},
    }  # fmt: skip
    api = circle.house.biller

    tried = api.post("/v1/claim-rules/dry-run", {"from_on": "2026-01-01", "to_on": "2026-12-31", "rules": [rule]}).json()
    before = api.get(f"/v1/claims/{claim['id']}").json()["lines"][0]["modifiers"]
    props.made(api.post("/v1/claim-rules", {"rules": [rule], "based_on": 0}))
    judged = api.post(f"/v1/claims/{claim['id']}/validate", {}).json()

    assert (tried["by_rule"], before) == ({"hq": 1}, [])
    assert (judged["lines"][0]["modifiers"], judged["state"]) == (["HQ"], "validated")
