"""The calls of the contract over a practice whose system of record is a portal: the same, but for `source`."""

from __future__ import annotations

from datetime import date, timedelta

import httpx
import pytest

from rapport.connectors.portals.tests.live import needs_chromium
from rapport.kernel.ids import new_uuid
from tests.connect.stage import PORTAL_ZONE, Linked, Stage, rows, until
from tests.support.cast import House

pytestmark = [needs_chromium, pytest.mark.long]


def test_the_roster_is_the_portals_in_the_shape_of_every_practice(stage: Stage, desk: httpx.Client) -> None:
    there = {str(row["id"]): row for row in stage.portal.rows("patient")}

    for patient in rows(desk, "patients"):
        row = there.pop(patient["source"]["remote_id"])
        assert patient["source"]["system"] == "sandbox-portal"
        assert (patient["name"]["first"], patient["name"]["last"]) == (row["first"], row["last"])
        assert (patient["birth_on"], patient["email"], patient["status"]) == (
            row["birth_on"], row["email"], row["status"].lower(),
        )  # fmt: skip

    assert there == {}


def test_a_booking_goes_to_the_portal_once_and_comes_back_as_every_booking_does(
    stage: Stage, desk: httpx.Client
) -> None:
    patient = rows(desk, "patients")[0]
    clinician = next(one for one in rows(desk, "clinicians") if one["source"]["system"] == "sandbox-portal")
    day = date.fromisoformat(stage.portal.today) + timedelta(days=61)
    body = {
        "patient_id": patient["id"], "clinician_id": clinician["id"], "service_code": "90837",
        "start_local": f"{day}T16:00:00", "time_zone": PORTAL_ZONE, "duration_minutes": 50, "telehealth": True,
    }  # fmt: skip
    head = {"Idempotency-Key": new_uuid().hex, "Prefer": "wait"}
    before = len(stage.portal.rows("appointment"))

    answers = [desk.post("/v1/appointments", json=body, headers=head) for _ in range(2)]

    assert answers[0].status_code == 201, answers[0].text
    booked = answers[0].json()
    assert booked["source"]["system"] == "sandbox-portal"
    [row] = [one for one in stage.portal.rows("appointment") if str(one["id"]) == booked["source"]["remote_id"]]
    assert (row["start_at"], str(row["patient_id"])) == (f"{day}T16:00", patient["source"]["remote_id"])
    assert len(stage.portal.rows("appointment")) == before + 1, "the second call was the same one"
    taken = desk.post("/v1/appointments", json=body, headers={"Idempotency-Key": new_uuid().hex})
    assert (taken.status_code, taken.json()["code"]) == (409, "slot-taken")


def test_what_is_not_handed_on_is_not_written_here_either(stage: Stage, desk: httpx.Client) -> None:
    new = {
        "name": {"first": "Ana", "last": "Rivera"}, "birth_on": "1990-04-12", "sex": "female",
        "external_ids": [{"system": "urn:example:crm", "value": "7"}],
    }  # fmt: skip

    answer = desk.put("/v1/patients/by-external-id", json=new, headers={"Idempotency-Key": new_uuid().hex})

    assert (answer.status_code, answer.json()["code"]) == (409, "not-at-source")
    assert len(rows(desk, "patients")) == len(stage.portal.rows("patient"))


def test_a_cancellation_goes_there_too_and_is_seen_there(stage: Stage, desk: httpx.Client) -> None:
    visit = next(one for one in rows(desk, "appointments") if one["status"] == "booked")
    tag = desk.get(f"/v1/appointments/{visit['id']}").headers["ETag"]

    answer = desk.post(
        f"/v1/appointments/{visit['id']}/cancel", json={"reason": "patient_request"},
        headers={"Idempotency-Key": new_uuid().hex, "If-Match": tag},
    )  # fmt: skip

    assert (answer.status_code, answer.json()["status"]) == (202, "cancelled"), answer.text
    id = visit["source"]["remote_id"]
    until(
        "the portal to have it cancelled",
        lambda: any(str(one["id"]) == id and one["status"] == "Cancelled" for one in stage.portal.rows("appointment")),
        seconds=60,
    )


def test_working_hours_and_free_slots_are_what_the_portal_shows(stage: Stage, moss: House, desk: httpx.Client) -> None:
    clinician = next(one for one in rows(desk, "clinicians") if one["source"]["system"] == "sandbox-portal")
    remote = clinician["source"]["remote_id"]
    path = f"/v1/clinicians/{clinician['id']}/work-schedule"
    shown = until("the hours", lambda: (found := desk.get(path).json())["id"] and found, seconds=120)
    there = [one for one in stage.portal.rows("hours") if str(one["clinician_id"]) == remote]
    assert [(one["weekday"], one["starts"], one["ends"]) for one in shown["shifts"]] == [
        (one["weekday"].lower(), one["starts"], one["ends"]) for one in there
    ]  # fmt: skip
    assert shown["source"]["system"] == "sandbox-portal"
    today = date.fromisoformat(stage.portal.today)
    monday = today + timedelta(days=7 - today.weekday())
    taken = {
        int(one["start_at"][11:13]) for one in stage.portal.rows("appointment")
        if str(one["clinician_id"]) == remote and one["start_at"].startswith(str(monday)) and one["status"] == "Scheduled"
    }  # fmt: skip
    assert taken, "the control: there are appointments on that day"

    def free() -> set[int]:
        asked = f"clinician_id={clinician['id']}&from={monday}T00:00:00&to={monday}T23:59:00&duration_minutes=60&step_minutes=60"
        return {int(one["start_local"][11:13]) for one in desk.get(f"/v1/availability?{asked}").json()["data"]}

    until(f"the slots beside {sorted(taken)}", lambda: free() == set(range(8, 18)) - taken, seconds=90)
    first = next(one for one in there if one["weekday"] == "Monday")
    stage.portal.order("PATCH", f"hours/{first['id']}", {"ends": "12:00"})
    with stage.server.client(moss.admin.token) as admin:
        [connection] = admin.get("/v1/connections").json()["data"]
        Linked(stage, "nick", connection["id"], admin).refresh("working_hours")
    assert free() == set(range(8, 12)) - taken
    refused = desk.put(path, json={"shifts": []}, headers={"Idempotency-Key": new_uuid().hex})
    assert (refused.status_code, refused.json()["code"]) in ((409, "not-at-source"), (403, "forbidden"))
