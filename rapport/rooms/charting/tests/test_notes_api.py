"""Notes over HTTP: drafts, who sees what, and what must not be possible."""

from __future__ import annotations

from typing import Any

import pytest

from rapport.kernel.ids import new_uuid
from rapport.platform.access.permissions import Permission, Role
from rapport.platform.audit.models import AuditEvent
from rapport.rooms.charting.tests.support import (
    CONTENT,
    DIAGNOSES,
    Clinic,
    act,
    clinician,
    etag,
    open_clinic,
    uuid_of,
)
from rapport.rooms.roster import examples
from tests.support.cast import House, public


@pytest.fixture
def clinic(willow: House) -> Clinic:
    return open_clinic(willow)


def trail(house: House, action: str) -> list[tuple[str, str | None]]:
    with house.entered() as scope:
        events = AuditEvent.objects.visible_to(scope).filter(action=action).order_by("id")
        return [(event.outcome, event.reason) for event in events]


def test_a_draft_says_what_it_lacks_until_it_is_complete(clinic: Clinic) -> None:
    note = clinic.begin(content={"data": "Slept badly."}, diagnoses=[])
    path = f"/v1/clinical-notes/{note['id']}"
    assert note["completeness"] == {"complete": False, "missing": ["/content/plan", "/diagnoses"]}
    assert (note["status"], note["locked"], note["version"]) == ("draft", False, 1)

    half = clinic.maya.patch(path, {"content": {"plan": "Rest."}}, if_match=etag(clinic.maya, note["id"]))  # fmt: skip
    whole = clinic.maya.patch(path, {"diagnoses": DIAGNOSES}, if_match=half["ETag"])

    assert half.json()["completeness"]["missing"] == ["/diagnoses"]
    assert whole.json()["completeness"] == {"complete": True, "missing": []}
    assert whole.json()["content"] == {"data": "Slept badly.", "plan": "Rest."}
    assert whole.json()["diagnoses"] == [{"code": "F41.1", "label": "Generalized anxiety disorder"}]


def test_a_section_is_replaced_by_its_new_text_and_removed_by_null(clinic: Clinic) -> None:
    note = clinic.begin()

    answer = clinic.maya.patch(
        f"/v1/clinical-notes/{note['id']}",
        {"content": {"plan": "Other.", "assessment": None}},
        if_match=etag(clinic.maya, note["id"]),
    )

    assert answer.json()["content"] == {"subjective": CONTENT["subjective"], "plan": "Other."}


def test_diagnoses_are_taken_over_from_the_latest_signed_note(clinic: Clinic) -> None:
    clinic.signed(diagnoses=[{"code": "F33.1"}, {"code": "f411"}])

    body = {"patient_id": clinic.patient, "type": "progress", "content": CONTENT}
    note = clinic.maya.post("/v1/clinical-notes", body).json()

    assert [diagnosis["code"] for diagnosis in note["diagnoses"]] == ["F33.1", "F41.1"]


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"diagnoses": [{"code": "F41.1"}, {"code": "F99.99"}]}, "/diagnoses/1/code", "unknown-diagnosis"),
        ({"diagnoses": [{"code": "F41"}]}, "/diagnoses/0/code", "diagnosis-not-billable"),
        ({"diagnoses": [{"code": "F41.1"}, {"code": "F411"}]}, "/diagnoses", "repeated"),
        ({"type": "poem"}, "/type", "not-allowed"),
        ({"service_on": "2999-01-01"}, "/service_on", "in-the-future"),
        ({"content": {"Not A Name": "x"}}, "/content/Not A Name", "malformed"),
        ({"content": {"plan": "x" * 200_001}}, "/content", "too-long"),
        ({"patient_id": "pat_x"}, "/patient_id", "reference-not-found"),
        ({"patient_id": public("patient", new_uuid())}, "/patient_id", "reference-not-found"),
        ({"clinician_id": public("clinician", new_uuid())}, "/clinician_id", "reference-not-found"),
        ({"patient_id": None}, "/appointment_id", "required"),
        ({"signed_at": "2026-01-01T00:00:00Z"}, "/signed_at", "unknown-field"),
    ],
)  # fmt: skip
def test_a_faulty_note_is_refused_with_a_pointer(
    clinic: Clinic, change: dict[str, Any], pointer: str, code: str
) -> None:
    body = {"patient_id": clinic.patient, "type": "progress", "content": CONTENT}

    answer = clinic.maya.post("/v1/clinical-notes", body | change)

    assert answer.status_code == 422, answer.content
    assert [(e["pointer"], e["code"]) for e in answer.json()["errors"]] == [(pointer, code)]


def test_lists_hold_facts_and_never_text(clinic: Clinic) -> None:
    signed = clinic.signed()
    draft = clinic.begin(type="contact", content={"summary": "Called."}, diagnoses=[])

    def ids(query: str) -> set[str]:
        answer = clinic.maya.get(f"/v1/clinical-notes?{query}")
        assert answer.status_code == 200, answer.content
        assert "worries about work" not in answer.content.decode()
        assert all("content" not in note for note in answer.json()["data"])
        return {note["id"] for note in answer.json()["data"]}

    both = {signed["id"], draft["id"]}
    today = signed["service_on"]
    assert ids("") == ids(f"patient_id={clinic.patient}") == both
    assert ids("unsigned=true") == ids("status=draft") == ids("type=contact") == {draft["id"]}
    assert ids("unsigned=false") == ids("status=signed") == {signed["id"]}
    assert ids(f"clinician_id={clinic.ivo_id}") == set()
    assert ids(f"service_on[gte]={today}&service_on[lt]=2999-01-01") == both
    assert ids(f"service_on[lt]={today}") == set()
    assert ids(f"updated_at[gte]={draft['updated_at']}") == {draft["id"]}
    assert clinic.maya.get("/v1/clinical-notes?colour=red").status_code == 400


def test_a_biller_sees_that_a_note_is_signed_and_not_what_it_says(clinic: Clinic) -> None:
    """S-016."""
    note = clinic.signed()

    answer = clinic.house.biller.get(f"/v1/clinical-notes/{note['id']}")

    body = answer.json()
    assert (body["status"], body["content"]) == ("signed", None)
    assert body["diagnoses"][0]["code"] == "F41.1"
    assert "worries about work" not in answer.content.decode()
    assert trail(clinic.house, "note.read_metadata") == [("allow", None)]
    link = clinic.house.biller.post(f"/v1/clinical-notes/{note['id']}/document-link", {})
    assert link.status_code == 403


def test_a_draft_is_its_authors_and_their_supervisors_business(clinic: Clinic) -> None:
    note = clinic.begin(clinic.ivo)

    def text(api: Any) -> Any:
        return api.get(f"/v1/clinical-notes/{note['id']}").json()["content"]

    assert text(clinic.ivo) == text(clinic.sue) == text(clinic.cleo) == CONTENT
    assert text(clinic.maya) is None
    assert text(clinic.otto) is None


def test_a_note_of_anothers_patient_is_not_found_whatever_the_body_pretends(
    clinic: Clinic,
) -> None:
    """S-005."""
    note = clinic.begin()
    house = clinic.house
    own = clinician(house, "Luz", "PhD")
    luz = house.person("luz", Role.CLINICIAN, clinician_id=uuid_of("clinician", own))
    mine = house.scheduler.post(
        "/v1/patients", examples.NEW_PATIENT | {"external_ids": [], "clinician_ids": [own]}
    ).json()["id"]

    answer = luz.patch(
        f"/v1/clinical-notes/{note['id']}",
        {"patient_id": mine, "content": {"plan": "Mine."}},
        if_match=etag(clinic.maya, note["id"]),
    )

    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
    assert trail(house, "note.update") == [("deny", "no_relationship")]


@pytest.mark.parametrize(
    ("field", "status", "code"),
    [
        ("patient_id", 422, "immutable-field"),
        ("appointment_id", 422, "immutable-field"),
        ("clinician_id", 422, "immutable-field"),
        ("type", 422, "immutable-field"),
        ("status", 422, "read-only-field"),
        ("signed_at", 422, "read-only-field"),
        ("signatures", 422, "read-only-field"),
        ("is_staff", 422, "unknown-field"),
        ("practice_id", 422, "unknown-field"),
    ],
)
def test_a_note_cannot_be_moved_or_promoted_by_a_patch(
    clinic: Clinic, field: str, status: int, code: str
) -> None:
    """S-006."""
    note = clinic.begin()

    answer = clinic.maya.patch(
        f"/v1/clinical-notes/{note['id']}", {field: "x"}, if_match=etag(clinic.maya, note["id"])
    )

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert [error["pointer"] for error in answer.json()["errors"]] == [f"/{field}"]
    assert clinic.maya.get(f"/v1/clinical-notes/{note['id']}").json() == note
    if code == "immutable-field":
        assert trail(clinic.house, "note.update") == [("deny", "immutable_field")]


def test_of_two_editors_one_saves_and_the_other_is_told(clinic: Clinic) -> None:
    """R-50 and S-072: nothing is lost, and nothing is overwritten unseen."""
    note = clinic.begin()
    path = f"/v1/clinical-notes/{note['id']}"
    tag = etag(clinic.maya, note["id"])

    first = clinic.maya.patch(path, {"content": {"plan": "From this tab."}}, if_match=tag)
    second = clinic.maya.patch(path, {"content": {"plan": "From that tab."}}, if_match=tag)
    bare = clinic.maya.patch(path, {"content": {"plan": "Blind."}})
    star = clinic.maya.patch(path, {"content": {"plan": "Blind."}}, if_match="*")

    assert (first.status_code, second.status_code) == (200, 412)
    assert (bare.status_code, star.status_code) == (428, 428)
    assert second["ETag"] == first["ETag"]
    assert clinic.maya.get(path).json()["content"]["plan"] == "From this tab."
    assert trail(clinic.house, "note.update")[1] == ("deny", "precondition-failed")


def test_only_the_author_changes_signs_and_discards(clinic: Clinic) -> None:
    note = clinic.begin()
    path = f"/v1/clinical-notes/{note['id']}"
    tag = etag(clinic.maya, note["id"])

    for answer in (
        clinic.cleo.patch(path, {"content": {"plan": "Mine."}}, if_match=tag),
        clinic.cleo.delete(path, if_match=tag),
        act(clinic.cleo, note["id"], "sign"),
        act(clinic.ivo, note["id"], "sign"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "not-author")


def test_each_type_has_its_writers(clinic: Clinic) -> None:
    body = {"patient_id": clinic.patient, "content": CONTENT, "clinician_id": clinic.ivo_id}

    def codes(api: Any, type: str) -> tuple[int, str]:
        answer = api.post("/v1/clinical-notes", body | {"type": type})
        return answer.status_code, answer.json().get("code", "")

    assert codes(clinic.sue, "progress") == (403, "writer-role")
    assert codes(clinic.ivo, "psychotherapy") == (403, "writer-role")
    assert codes(clinic.cleo, "psychotherapy") == (403, "forbidden")
    assert codes(clinic.cleo, "progress") == (201, "")
    assert codes(clinic.maya, "progress") == (403, "forbidden")
    assert codes(clinic.house.scheduler, "contact") == (403, "forbidden")
    assert codes(clinic.house.biller, "contact") == (403, "forbidden")


def test_a_signature_is_never_given_by_a_key(clinic: Clinic) -> None:
    note = clinic.begin()
    key = clinic.house.key(
        "maya", Permission.NOTES_READ, Permission.NOTES_READ_METADATA, Permission.NOTES_WRITE,
        Permission.NOTES_SIGN,
    )  # fmt: skip

    answer = act(key, note["id"], "sign")

    assert (answer.status_code, answer.json()["code"]) == (403, "person-needed")


def test_notes_of_another_practice_are_not_there(clinic: Clinic, aspen: House) -> None:
    note = clinic.signed()
    tag = etag(clinic.maya, note["id"])
    chief = aspen.person("chief", Role.CLINICAL_ADMINISTRATOR)
    path = f"/v1/clinical-notes/{note['id']}"
    body = {"patient_id": clinic.patient, "type": "contact", "content": {"summary": "x"}}

    assert chief.get("/v1/clinical-notes").json()["data"] == []
    assert chief.post("/v1/clinical-notes", body).status_code == 422
    for answer in (
        chief.get(path),
        chief.get(f"{path}/verify"),
        chief.patch(path, {"content": {}}, if_match=tag),
        chief.delete(path, if_match=tag),
        chief.post(f"{path}/sign", if_match=tag),
        chief.post(f"{path}/cosign", if_match=tag),
        chief.post(f"{path}/return", {"comment": "No way"}, if_match=tag),
        chief.post(f"{path}/unlock", {"reason": "No way"}, if_match=tag),
        chief.post(f"{path}/void", {"reason": "No way"}, if_match=tag),
        chief.post(f"{path}/addenda", {"text": "No way"}),
        chief.post(f"{path}/document-link", {}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "not-found"), answer.content


def test_roles_without_notes_get_none(clinic: Clinic) -> None:
    note = clinic.begin()

    for api in (clinic.house.scheduler, clinic.house.auditor):
        assert api.get("/v1/clinical-notes").status_code == 403
        assert api.get(f"/v1/clinical-notes/{note['id']}").status_code == 403
