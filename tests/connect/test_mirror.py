"""What is read: each value of each kind, what changed since, and what is not believed."""

from __future__ import annotations

import pytest

from rapport.connectors.portals.tests.live import needs_chromium
from tests.connect.expected import KINDS, expected
from tests.connect.stage import Linked, Stage

pytestmark = [needs_chromium, pytest.mark.long]


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_mirror_has_each_value_of_each_record_as_the_portal_has_it(stage: Stage, robin: Linked, kind: str) -> None:
    there = expected(stage.portal.rows, kind)

    assert there, "the control: there is something to compare"
    assert robin.mirrored(kind) == there


def test_one_sign_in_was_enough_for_all_of_it_and_nothing_needs_anybody(stage: Stage, robin: Linked) -> None:
    assert len([one for one in stage.attempts("robin", "password") if one["good"]]) == 1
    assert robin.open_matters() == []


def test_a_change_at_the_portal_shows_after_a_refresh_and_is_told(stage: Stage, robin: Linked) -> None:
    told = len(stage.events("connector.sync_completed"))
    stage.portal.order("PATCH", "patient/7", {"phone": "503-555-9999"})
    assert robin.mirrored("patients")["7"]["phone"] != "503-555-9999", "the control: not by itself"

    run = robin.refresh("patients")

    assert (run["state"], run["changed"], run["created"]) == ("published", 1, 0)
    assert robin.mirrored("patients") == expected(stage.portal.rows, "patients")
    assert len(stage.events("connector.sync_completed")) > told


def test_a_session_that_ends_in_the_middle_of_a_reading_is_renewed_once_and_no_row_is_lost_or_doubled(
    stage: Stage, robin: Linked
) -> None:
    before = len(stage.attempts("robin", "password"))
    stage.trouble({"fault": "expire", "on": "/billing/claims"})

    run = robin.refresh("claims")

    assert (run["state"], run["created"], run["changed"], run["gone"]) == ("published", 0, 0, 0)
    assert robin.mirrored("claims") == expected(stage.portal.rows, "claims")
    assert len(stage.attempts("robin", "password")) == before + 1, "one sign-in renewed it"


def test_a_look_that_is_switched_in_the_middle_of_a_reading_changes_no_value(stage: Stage, robin: Linked) -> None:
    stage.trouble({"fault": "look", "on": "/calendar", "value": "B", "after": 1, "times": 0})

    run = robin.refresh("appointments")

    assert (run["state"], run["changed"], run["gone"]) == ("published", 0, 0)
    pages = [one["faults"] for one in stage.portal.rows("request") if one["path"].startswith("/calendar")]
    assert {"", "look"} == set(pages), "the control: some were of the other look"
    assert robin.mirrored("appointments") == expected(stage.portal.rows, "appointments")


def test_a_column_that_is_gone_stops_that_part_alone_and_leaves_the_mirror_as_it_was(stage: Stage, robin: Linked) -> None:
    before = robin.mirrored("notes")
    stage.trouble({"fault": "drop_column", "on": "/notes", "value": "status", "times": 0})

    run = robin.refresh("notes")

    assert (run["state"], run["reason"]) == ("refused", "drift_breaking")
    assert robin.mirrored("notes") == before
    report = robin.listed("drift-reports", capability="notes.read")[0]
    assert "notes.status" in {one["place"] for one in report["findings"]}
    works = {one["name"]: one["works"] for one in robin.call("GET", "/capabilities")["data"] if one["kind"] == "read"}
    assert not works["notes.read"]
    assert works["patients.read"]
    assert robin.refresh("patients")["state"] == "published", "the control: others go on"

    stage.trouble()
    item = next(one for one in robin.listed("attention") if one["matter"] == "drift_breaking")
    robin.call("POST", f"/attention/{item['id']}/resolve", {"outcome": "accepted"})
    assert robin.refresh("notes")["state"] == "published"
    robin.wait_for("healthy")
