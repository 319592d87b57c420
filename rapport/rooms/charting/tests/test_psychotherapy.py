"""Psychotherapy notes: for their author's eyes only (45 CFR 164.501, S-088)."""

from __future__ import annotations

import pytest
from django.db import connections
from psycopg import Error

from rapport.platform.access.permissions import Permission, Role
from rapport.platform.audit.models import AuditEvent
from rapport.platform.db import sql
from rapport.platform.outbox.models import OutboxEvent
from rapport.rooms.charting.models import Addendum, ClinicalNote, NoteMove, Signature, SignedText
from rapport.rooms.charting.tests.support import Clinic, act, etag, open_clinic, uuid_of
from rapport.rooms.documents.models import Document
from tests.support.cast import House

SECRET = "A thought that is nobody else's."


@pytest.fixture
def clinic(willow: House) -> Clinic:
    return open_clinic(willow)


def private(clinic: Clinic) -> str:
    """Write, sign and amend a psychotherapy note of Maya's; return its id."""
    note = clinic.begin(type="psychotherapy", content={"text": SECRET}, diagnoses=None)
    assert act(clinic.maya, note["id"], "sign").status_code == 200
    amended = act(clinic.maya, note["id"], "addenda", {"text": SECRET + " And more."})
    assert amended.status_code == 201, amended.content
    return str(note["id"])


def test_its_author_writes_signs_amends_and_verifies_it(clinic: Clinic) -> None:
    id = private(clinic)

    body = clinic.maya.get(f"/v1/clinical-notes/{id}").json()

    assert (body["status"], body["content"]) == ("signed", {"text": SECRET})
    assert (body["document"], body["diagnoses"]) == (None, [])
    assert body["addenda"][0]["text"] == SECRET + " And more."
    assert clinic.maya.get(f"/v1/clinical-notes/{id}/verify").json()["valid"] is True
    assert [n["id"] for n in clinic.maya.get("/v1/clinical-notes").json()["data"]] == [id]
    link = clinic.maya.post(f"/v1/clinical-notes/{id}/document-link", {})
    assert (link.status_code, link.json()["code"]) == (409, "state-conflict")


def test_for_everybody_else_it_does_not_exist(clinic: Clinic) -> None:
    id = private(clinic)
    tag = etag(clinic.maya, id)
    house = clinic.house
    everybody = [
        clinic.ivo, clinic.sue, clinic.otto, clinic.cleo, house.admin, house.biller,
        house.person("colleague", Role.CLINICIAN, clinician_id=uuid_of("clinician", clinic.maya_id)),
        house.key("maya", *Permission),
    ]  # fmt: skip
    path = f"/v1/clinical-notes/{id}"

    for api in everybody:
        listed = api.get(f"/v1/clinical-notes?patient_id={clinic.patient}")
        assert listed.json()["data"] == []
        assert api.get("/v1/clinical-notes?type=psychotherapy").json()["data"] == []
        assert api.get(path).status_code == 404
        assert api.get(f"{path}/verify").status_code == 404
        for answer in (
            api.patch(path, {"content": {}}, if_match=tag),
            api.post(f"{path}/sign", if_match=tag),
            api.post(f"{path}/cosign", if_match=tag),
            api.post(f"{path}/unlock", {"reason": "Curious"}, if_match=tag),
            api.post(f"{path}/addenda", {"text": "Curious"}),
            api.post(f"{path}/document-link", {}),
        ):
            assert answer.status_code in (403, 404)
            assert answer.json()["code"] in (
                "not-found", "forbidden", "insufficient-scope", "person-needed",
            )  # fmt: skip
    with house.entered() as scope:
        reasons = AuditEvent.objects.visible_to(scope).filter(action="note.read", outcome="deny")
        assert {row.reason for row in reasons} == {"author_only"}


def test_its_absence_looks_like_any_other(clinic: Clinic) -> None:
    id = private(clinic)
    nobody = id[:-3] + "zzz"

    there, missing = (clinic.cleo.get(f"/v1/clinical-notes/{one}").json() for one in (id, nobody))

    drop = ("instance", "request_id")
    assert {k: v for k, v in there.items() if k not in drop} == {
        k: v for k, v in missing.items() if k not in drop
    }


def test_the_rest_of_the_program_cannot_even_count_it(clinic: Clinic) -> None:
    """A job, an export, a search: whatever reads the tables with the whole practice's scope."""
    private(clinic)

    with clinic.house.entered() as scope:
        for model in (ClinicalNote, NoteMove, SignedText, Signature, Addendum):
            assert not model.objects.visible_to(scope).exists()
        assert not Document.objects.visible_to(scope).exists()
        assert (
            not OutboxEvent.objects.visible_to(scope).filter(object_type="clinical_note").exists()
        )


def test_it_lies_sealed_in_the_database(clinic: Clinic) -> None:
    id = private(clinic)

    with connections["owner"].cursor() as cursor:
        for table in ("clinicalnote", "signedtext", "addendum"):
            cursor.execute(
                f"SELECT t::text FROM charting_{table} t WHERE practice_id = %s", [clinic.house.id]
            )
            rows = cursor.fetchall()
            assert rows
            for (text,) in rows:
                assert "nobody else" not in text
                assert SECRET.encode().hex() not in text
    assert clinic.maya.get(f"/v1/clinical-notes/{id}").status_code == 200


def test_a_note_cannot_be_slipped_into_anothers_drawer(clinic: Clinic) -> None:
    private(clinic)
    statement = (
        "INSERT INTO charting_clinicalnote SELECT (jsonb_populate_record(n, jsonb_build_object("
        "'id', gen_random_uuid(), 'type', 'psychotherapy', 'content', '{}'::jsonb))).*"
        " FROM charting_clinicalnote n"
    )
    clinic.begin(diagnoses=[])

    with pytest.raises(Error), clinic.house.entered():
        sql.run(statement)


def test_it_takes_no_diagnosis(clinic: Clinic) -> None:
    answer = clinic.maya.post(
        "/v1/clinical-notes",
        {"patient_id": clinic.patient, "type": "psychotherapy", "content": {"text": SECRET},
         "diagnoses": [{"code": "F41.1"}]},
    )  # fmt: skip

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/diagnoses"
