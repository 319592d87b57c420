"""What is written: once, and proved by reading it back from the portal's own page."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from rapport.connectors.portals.tests.live import needs_chromium
from rapport.kernel.ids import new_uuid
from tests.connect.stage import Linked, Stage

pytestmark = [needs_chromium, pytest.mark.long]


def visit(stage: Stage, hour: int) -> dict[str, Any]:
    """Return a visit for which there is room, half a year from the others."""
    first = date.fromisoformat(stage.portal.today) + timedelta(days=60)
    return {
        "patient": "7", "clinician": "2", "start_local": f"{first.isoformat()}T{hour:02}:00:00",
        "duration_minutes": 50, "service_code": "90837", "location": "Main office",
    }  # fmt: skip


def there(stage: Stage, values: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what the portal has at that time."""
    return [one for one in stage.portal.rows("appointment") if one["start_at"] == values["start_local"][:16]]


def test_an_appointment_is_booked_once_and_confirmed_by_reading_it_back(stage: Stage, robin: Linked) -> None:
    values = visit(stage, 9)
    assert there(stage, values) == [], "the control: there was none"

    row = robin.settled(robin.write("appointments.create", **values))

    assert (row.state, row.sends) == ("confirmed", 1)
    [booked] = there(stage, values)
    assert row.remote_id == str(booked["id"])
    assert (booked["patient_id"], booked["clinician_id"], booked["minutes"]) == (7, 2, 50)


def test_an_answer_that_is_lost_is_looked_for_and_the_appointment_stays_one(stage: Stage, robin: Linked) -> None:
    values = visit(stage, 11)
    stage.trouble({"fault": "drop_reply", "on": "/appointments/new", "method": "POST"})

    row = robin.settled(robin.write("appointments.create", **values))

    assert (row.state, row.sends) == ("confirmed", 1)
    assert len(there(stage, values)) == 1


def test_a_form_that_never_arrived_is_sent_again_after_it_was_proved_absent(stage: Stage, robin: Linked) -> None:
    values = visit(stage, 13)
    stage.trouble({"fault": "drop_request", "on": "/appointments/new", "method": "POST"})

    row = robin.settled(robin.write("appointments.create", **values))

    assert (row.state, row.sends) == ("confirmed", 2), "the control of the one before: here it is sent twice"
    assert len(there(stage, values)) == 1


@pytest.mark.parametrize(("late", "hour"), [("4", 14), ("8", 15)])
def test_a_list_that_shows_it_late_is_read_again_and_nothing_is_sent_again(
    stage: Stage, robin: Linked, late: str, hour: int
) -> None:
    values = visit(stage, hour)
    stage.portal.order("PUT", "settings", {"late_seconds": late})

    row = robin.settled(robin.write("appointments.create", **values))

    assert (row.state, row.sends) == ("confirmed", 1)
    assert row.reads == (0 if late == "4" else 1), "the control: the second one was not there at first"
    assert len(there(stage, values)) == 1


def test_a_signed_note_is_not_even_tried_to_be_changed(stage: Stage, robin: Linked) -> None:
    signed = next(one for one in stage.portal.rows("note") if one["status"] == "Signed")
    draft = next(one for one in stage.portal.rows("note") if one["status"] == "Draft")
    known = len(stage.portal.rows("audit?action=note.change"))

    row = robin.settled(robin.write("notes.update", remote_id=str(signed["id"]), body="Something else."))
    assert (row.state, row.reason, row.sends) == ("refused", "withheld_locked", 0)
    assert len(stage.portal.rows("audit?action=note.change")) == known
    assert stage.portal.rows(f"note?id={signed['id']}")[0]["body"] == signed["body"]

    # The control: a draft is changed, and the portal's own trail shows it.
    row = robin.settled(robin.write("notes.update", remote_id=str(draft["id"]), body="Slept better.\nNo  change…"))
    assert (row.state, row.sends) == ("confirmed", 1)
    assert len(stage.portal.rows("audit?action=note.change")) == known + 1
    assert stage.portal.rows(f"note?id={draft['id']}")[0]["body"].split() == ["Slept", "better.", "No", "change…"]


def test_a_cancellation_is_sent_and_proved_on_the_appointments_own_page(stage: Stage, robin: Linked) -> None:
    [booked] = there(stage, visit(stage, 9))

    row = robin.settled(
        robin.write("appointments.cancel", remote_id=str(booked["id"]), reason="Ill", status="cancelled")
    )

    assert (row.state, row.sends) == ("confirmed", 1)
    assert there(stage, visit(stage, 9))[0]["status"] == "Cancelled"


def test_a_claim_leaves_when_somebody_has_approved_it_and_not_before(stage: Stage, robin: Linked) -> None:
    ready = next(one for one in stage.portal.rows("claim") if one["status"] == "Ready")
    write_id = robin.write("claims.submit", remote_id=str(ready["id"]), status="submitted")
    row = robin.listed("writes", ability="claims.submit")[0]
    assert (row["state"], row["attended"], row["sends"]) == ("intended", True, 0)
    assert robin.open_matters() == ["write_to_approve"]
    assert stage.portal.rows(f"claim?id={ready['id']}")[0]["submissions"] == 0, "the control: it waits"
    assert stage.portal.rows(f"audit?action=claim.submit&record={ready['id']}") == []

    biller = stage.server.client(stage.house.biller.token)
    answer = biller.post(
        f"/v1/connections/{robin.id}/writes/{row['id']}/approve", json={}, headers={"Idempotency-Key": new_uuid().hex}
    )
    assert answer.status_code == 202, answer.text

    settled = robin.settled(write_id)
    assert (settled.state, settled.sends) == ("confirmed", 1)
    assert stage.portal.rows(f"claim?id={ready['id']}")[0]["submissions"] == 1
    assert [one["outcome"] for one in stage.portal.rows(f"audit?action=claim.submit&record={ready['id']}")] == ["kept"]
    assert robin.open_matters() == []
    trail = stage.server.client(stage.house.auditor.token).get("/v1/audit-events?action=connector_write.approve").json()
    assert [one["target"]["id"] for one in trail["data"] if one["outcome"] == "allow"] == [row["id"]]
