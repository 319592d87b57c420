"""What a group did is written once; each member's note is that member's own and names nobody else."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.utils import timezone
from pypdf import PdfReader

from rapport.rooms.charting.rules.naming import names_in
from rapport.rooms.coding import services as coding
from tests.support import props
from tests.support.cast import House
from tests.support.circle import Circle

SHARED = "Breathing exercise; the group talked about sleep."
OWN = {"subjective": "Slept five hours.", "plan": "Sleep diary."}


@pytest.fixture
def circle(willow: House) -> Circle:
    coding.load_icd10(now=timezone.now())
    return Circle(willow)


def begin(circle: Circle, session: Any, shared: str = SHARED) -> Any:
    return circle.maya.post(f"/v1/group-sessions/{session['id']}/notes", {"shared": shared})


def change(circle: Circle, note: Any, body: Any) -> Any:
    path = f"/v1/clinical-notes/{note['id']}"
    return circle.maya.patch(path, body, if_match=circle.maya.get(path)["ETag"])


def sign(circle: Circle, note: Any) -> Any:
    path = f"/v1/clinical-notes/{note['id']}"
    return circle.maya.post(f"{path}/sign", {}, if_match=circle.maya.get(path)["ETag"])


def codes(answer: Any) -> list[tuple[str, str]]:
    return [(fault["pointer"], fault["code"]) for fault in answer.json()["errors"]]


def test_each_who_was_there_has_a_note_with_what_the_group_did_and_its_own(circle: Circle) -> None:
    session = circle.held()

    notes = begin(circle, session).json()["notes"]

    assert {note["patient_id"] for note in notes} == {circle.people[one]["id"] for one in ("Ana", "Ben")}
    assert [note["content"] for note in notes] == [{"group_session": SHARED}] * 2
    first, second = notes
    assert "/content/subjective" in first["completeness"]["missing"], "each says what was that patient's own"
    assert change(circle, first, {"content": OWN, "diagnoses": [{"code": "F41.1"}]}).status_code == 200
    assert sign(circle, first).status_code == 200
    # Sent again it replaces the shared part of what is not signed, and nothing else.
    again = begin(circle, session, "Grounding exercise.").json()["notes"]
    assert [(note["id"], note["content"]) for note in again] == [(second["id"], {"group_session": "Grounding exercise."})]
    kept = circle.maya.get(f"/v1/clinical-notes/{first['id']}").json()
    assert kept["content"] == OWN | {"group_session": SHARED}


def test_a_signed_note_and_its_paper_name_no_other_member(circle: Circle) -> None:
    session = circle.held()
    note = next(one for one in begin(circle, session).json()["notes"] if one["patient_id"] == circle.people["Ben"]["id"])
    change(circle, note, {"content": OWN, "diagnoses": [{"code": "F41.1"}]})
    assert sign(circle, note).status_code == 200

    link = circle.maya.post(f"/v1/clinical-notes/{note['id']}/document-link", {}).json()
    paper = circle.maya.http.get(link["url"])
    text = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(paper.content)).pages)
    said = circle.luz.get(f"/v1/clinical-notes/{note['id']}").content.decode()
    for hidden in ("Ana", "Rivera", "Cleo", "Lindqvist", "Monday evening"):
        assert hidden not in text
        assert hidden not in said
    assert "Okafor" in text
    assert SHARED in " ".join(text.split())


def test_a_name_of_another_member_is_refused_wherever_it_is_written(circle: Circle) -> None:
    session = circle.held()
    for named in ("Ana led.", "ben was quiet", "Ms. Lindqvist was missed"):
        refused = begin(circle, session, named)
        assert (refused.status_code, codes(refused)) == (422, [("/shared", "names-a-member")])
        assert "Lindqvist" not in refused.content.decode()
    notes = begin(circle, session).json()["notes"]
    ben = next(one for one in notes if one["patient_id"] == circle.people["Ben"]["id"])

    refused = change(circle, ben, {"content": {"plan": "Call Rivera's group."}})
    assert codes(refused) == [("/content/plan", "names-another-member")]
    # The control: a patient's own name may stand in the patient's own note.
    assert change(circle, ben, {"content": OWN | {"plan": "Ben keeps a diary."}, "diagnoses": [{"code": "F41.1"}]}).status_code == 200
    assert sign(circle, ben).status_code == 200
    path = f"/v1/clinical-notes/{ben['id']}/addenda"
    assert codes(circle.maya.post(path, {"text": "Cleo called."})) == [("/text", "names-another-member")]
    assert circle.maya.post(path, {"text": "Called."}).status_code == 201


def test_a_note_is_looked_at_again_when_it_is_signed(circle: Circle) -> None:
    session = circle.held()
    (note, _) = begin(circle, session, "Greta Garbo films as a metaphor.").json()["notes"]
    change(circle, note, {"content": OWN, "diagnoses": [{"code": "F41.1"}]})
    greta = props.patient(circle.house, name={"first": "Greta", "last": "Ek"}, clinician_ids=[circle.lead["id"]])
    props.made(circle.house.scheduler.post(f"/v1/group-sessions/{session['id']}/members", {"patient_id": greta["id"]}))

    assert codes(sign(circle, note)) == [("/content/group_session", "names-another-member")]


def test_nobody_learns_from_a_refusal_who_else_is_in_the_group(circle: Circle) -> None:
    """Luz stands in for Maya, and may see Ben alone."""
    session = circle.meet("2026-03-09T", clinician_id=circle.other["id"])
    circle.act(session, "Ben", "complete")
    path = f"/v1/group-sessions/{session['id']}/notes"

    (note,) = circle.luz.post(path, {"shared": "Ana, Cleo and Quentin."}).json()["notes"]

    assert note["patient_id"] == circle.people["Ben"]["id"]
    assert circle.luz.post(path, {"shared": "Ben."}).status_code == 422


def test_there_is_no_note_before_anybody_came(circle: Circle) -> None:
    session = circle.meet("2026-03-09T")
    assert begin(circle, session).json()["code"] == "appointment-not-held"
    assert circle.luz.post("/v1/group-sessions/gses_01h455vb4pex5vsknk084sn02q/notes", {"shared": "x"}).status_code == 404


@pytest.mark.parametrize(
    "text", ["José left", "JOSE left", "with José’s help", "Muñoz-Ruiz", "(jose)", "jose_", "ruiz."]
)
def test_a_name_is_found_with_and_without_accents(text: str) -> None:
    assert names_in(text, of=["José", "Muñoz Ruiz"])


@pytest.mark.parametrize("text", ["josette left", "a mark on the wall; hope", "J was there", ""])
def test_what_is_no_name_is_none(text: str) -> None:
    assert not names_in(text, of=["José", "Mark", "Hope", "J"])
