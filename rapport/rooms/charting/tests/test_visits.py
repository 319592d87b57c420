"""Notes about visits: the right patient, the right day, one per visit, and none ahead of time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from rapport.rooms.charting import queries
from rapport.rooms.charting.states import NoteStatus
from rapport.rooms.charting.tests.support import (
    CONTENT,
    DIAGNOSES,
    Clinic,
    act,
    open_clinic,
    uuid_of,
)
from rapport.rooms.documents.models import Document
from tests.support import props
from tests.support.cast import House

ZONE = ZoneInfo("America/Los_Angeles")


@pytest.fixture
def clinic(willow: House) -> Clinic:
    return open_clinic(willow)


def book(clinic: Clinic, *, days: int, clinician_id: str = "") -> dict[str, Any]:
    """Book the patient so many days from today, at ten in the morning."""
    house = clinic.house
    if "office" not in house.things:
        house.things["office"] = props.location(house)
        props.service_code(house)
    day = timezone.now().astimezone(ZONE).date() + timedelta(days=days)
    return props.made(
        house.scheduler.post(
            "/v1/appointments",
            {
                "patient_id": clinic.patient, "clinician_id": clinician_id or clinic.maya_id,
                "service_code": "90837", "start_local": f"{day}T10:00",
                "time_zone": "America/Los_Angeles", "location_id": house.things["office"]["id"],
                "override": {"reason": "Entered afterwards", "checks": ["hours"]},
            },
        )
    )  # fmt: skip


def about(visit: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {
        "appointment_id": visit["id"], "type": "progress", "content": CONTENT,
        "diagnoses": DIAGNOSES,
    } | fields  # fmt: skip


def test_a_note_takes_patient_clinician_and_day_from_its_visit(clinic: Clinic) -> None:
    visit = book(clinic, days=-3)

    note = clinic.maya.post("/v1/clinical-notes", about(visit)).json()

    assert (note["patient_id"], note["clinician_id"]) == (clinic.patient, clinic.maya_id)
    assert note["appointment_id"] == visit["id"]
    assert note["service_on"] == visit["start_local"][:10]
    listed = clinic.maya.get(f"/v1/clinical-notes?appointment_id={visit['id']}").json()["data"]
    assert [one["id"] for one in listed] == [note["id"]]


def test_a_visit_has_one_progress_note_until_that_is_discarded(clinic: Clinic) -> None:
    visit = book(clinic, days=-3)
    first = clinic.maya.post("/v1/clinical-notes", about(visit))

    second = clinic.maya.post("/v1/clinical-notes", about(visit))
    contact = clinic.maya.post("/v1/clinical-notes", about(visit, type="contact"))

    assert (second.status_code, second.json()["code"]) == (409, "note-exists")
    assert contact.status_code == 201
    path = f"/v1/clinical-notes/{first.json()['id']}"
    assert clinic.maya.delete(path, if_match=first["ETag"]).status_code == 200
    assert clinic.maya.post("/v1/clinical-notes", about(visit)).status_code == 201


def test_a_visit_that_lies_ahead_may_be_prepared_and_not_signed(clinic: Clinic) -> None:
    visit = book(clinic, days=4)
    note = clinic.maya.post("/v1/clinical-notes", about(visit)).json()

    answer = act(clinic.maya, note["id"], "sign")

    assert (answer.status_code, answer.json()["code"]) == (409, "appointment-in-future")
    with clinic.house.entered() as scope:
        assert not Document.objects.visible_to(scope).exists()


def test_a_cancelled_visit_has_no_session_to_note(clinic: Clinic) -> None:
    visit = book(clinic, days=4)
    path = f"/v1/appointments/{visit['id']}"
    scheduler = clinic.house.scheduler
    cancelled = scheduler.post(
        f"{path}/cancel", {"reason": "patient_request"}, if_match=scheduler.get(path)["ETag"]
    )
    assert cancelled.status_code == 200, cancelled.content

    answer = clinic.maya.post("/v1/clinical-notes", about(visit))
    missed = clinic.maya.post(
        "/v1/clinical-notes", about(visit, type="missed_appointment", diagnoses=[])
    )

    assert (answer.status_code, answer.json()["code"]) == (409, "appointment-not-held")
    assert missed.status_code == 201


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("patient_id", None, "not-of-appointment"),
        ("clinician_id", None, "not-of-appointment"),
        ("service_on", "2026-01-01", "not-of-appointment"),
        ("appointment_id", "appt_01h455vb4pex5vsknk084sn02q", "reference-not-found"),
        ("appointment_id", "appt_x", "reference-not-found"),
    ],
)
def test_a_note_cannot_contradict_its_visit(
    clinic: Clinic, field: str, value: str | None, code: str
) -> None:
    visit = book(clinic, days=-3)
    other = {
        "patient_id": clinic.house.scheduler.post(
            "/v1/patients",
            {"name": {"first": "Ben", "last": "Ode"}, "birth_on": "1980-01-01", "sex": "male",
             "clinician_ids": [clinic.maya_id]},
        ).json()["id"],
        "clinician_id": clinic.ivo_id,
    }  # fmt: skip

    answer = clinic.maya.post("/v1/clinical-notes", about(visit, **{field: value or other[field]}))

    assert answer.status_code == 422, answer.content
    assert [(e["pointer"], e["code"]) for e in answer.json()["errors"]] == [(f"/{field}", code)]


def test_nobody_writes_up_a_colleagues_session(clinic: Clinic) -> None:
    visit = book(clinic, days=-3, clinician_id=clinic.ivo_id)

    assert clinic.maya.post("/v1/clinical-notes", about(visit)).status_code == 403
    assert clinic.cleo.post("/v1/clinical-notes", about(visit)).status_code == 201


def test_claims_learn_whether_the_visit_is_signed_and_nothing_else(clinic: Clinic) -> None:
    visit = book(clinic, days=-3, clinician_id=clinic.ivo_id)
    appointment_id = uuid_of("appointment", visit["id"])

    def told() -> queries.BillingNote | None:
        with clinic.house.entered() as scope:
            note = queries.note_of_visit(scope=scope, appointment_id=appointment_id)
            billable = queries.billable_note(scope=scope, appointment_id=appointment_id)
            assert billable == (note if note and note.is_signed else None)
            return note

    assert told() is None
    note = clinic.ivo.post("/v1/clinical-notes", about(visit)).json()
    draft = told()
    act(clinic.ivo, note["id"], "sign")
    waiting = told()
    act(clinic.sue, note["id"], "cosign")
    done = told()

    assert draft is not None
    assert waiting is not None
    assert done is not None
    assert (draft.is_signed, waiting.is_signed, done.is_signed) == (False, False, True)
    assert (waiting.status, waiting.cosign_required) == (NoteStatus.PENDING_REVIEW, True)
    assert done.diagnosis_codes == ("F41.1",)
