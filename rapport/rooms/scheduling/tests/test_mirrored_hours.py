"""Working hours of another system: put together from its stretches, searched for slots, and changed there only."""

from __future__ import annotations

from typing import Any

import pytest

from rapport.platform.tenancy.source import NotTakenOver
from rapport.rooms.scheduling import mirroring
from rapport.rooms.scheduling.tests.portal import SYSTEM, VISIT, Portal
from tests.support.cast import House

MONDAY = {"clinician": "C-1", "weekday": "monday", "starts": "09:00", "ends": "11:00"}


@pytest.fixture
def portal(willow: House) -> Portal:
    return Portal(willow)


def clinician(portal: Portal) -> str:
    """Return our id of the portal's clinician."""
    return next(
        str(one["id"]) for one in portal.house.admin.get("/v1/clinicians").json()["data"]
        if one["source"]["remote_id"] == "C-1"
    )


def week(portal: Portal) -> dict[str, Any]:
    found: dict[str, Any] = portal.house.admin.get(f"/v1/clinicians/{clinician(portal)}/work-schedule").json()
    return found


def slots(portal: Portal, day: str = "2026-11-30") -> list[str]:
    """Return the wall times of the free hours of a day."""
    answer = portal.house.admin.get(
        f"/v1/availability?clinician_id={clinician(portal)}&from={day}T00:00:00&to={day}T23:59:00&duration_minutes=60&step_minutes=60"
    )
    return [one["start_local"][11:16] for one in answer.json()["data"]]


def test_slots_are_what_the_portals_hours_leave_beside_the_portals_appointments(portal: Portal) -> None:
    assert len(slots(portal)) == 10, "the control: nobody has said what the hours are"
    portal.say(mirroring.mirror_shift, "1", MONDAY)
    portal.say(mirroring.mirror_shift, "2", MONDAY | {"starts": "13:00", "ends": "15:00"})

    shown = week(portal)
    assert [(one["weekday"], one["starts"], one["ends"]) for one in shown["shifts"]] == [
        ("monday", "09:00", "11:00"), ("monday", "13:00", "15:00"),
    ]  # fmt: skip
    assert shown["source"]["system"] == SYSTEM
    assert slots(portal) == ["09:00", "10:00", "13:00", "14:00"]
    assert slots(portal, "2026-12-01") == [], "a Tuesday"

    portal.say(mirroring.mirror_appointment, "a1", VISIT | {"start_local": "2026-11-30T10:00", "duration_minutes": 60})
    assert slots(portal) == ["09:00", "13:00", "14:00"]


def test_a_change_and_an_end_there_are_one_here(portal: Portal) -> None:
    portal.say(mirroring.mirror_shift, "1", MONDAY)
    _, changed = portal.say(mirroring.mirror_shift, "1", MONDAY)
    assert (changed, week(portal)["version"]) == ([], 1), "the control: read again, nothing is written"

    portal.say(mirroring.mirror_shift, "1", MONDAY | {"ends": "12:00"})
    assert (slots(portal), week(portal)["version"]) == (["09:00", "10:00", "11:00"], 2)

    portal.lose(mirroring.shift_gone, "1")
    assert week(portal)["id"] is None
    assert len(slots(portal)) == 10


def test_hours_of_the_portal_are_changed_at_the_portal(portal: Portal) -> None:
    path = f"/v1/clinicians/{clinician(portal)}/work-schedule"
    body = {"shifts": [{"weekday": "friday", "starts": "08:00", "ends": "12:00"}]}
    assert portal.house.admin.call("PUT", path, body).status_code == 200, "the control: where the portal shows none"

    portal.say(mirroring.mirror_shift, "1", MONDAY)
    refused = portal.house.admin.call("PUT", path, body)

    assert (refused.status_code, refused.json()["code"]) == (409, "not-at-source")
    assert [one["weekday"] for one in week(portal)["shifts"]] == ["monday"], "the portal's are the truth"


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"clinician": "c99"}, "unknown-clinician"), ({"weekday": "someday"}, "unknown-weekday"),
        ({"starts": "9 am"}, "unreadable-starts"), ({"ends": "08:00"}, "unreadable-ends"),
        ({"ends": None}, "missing-ends"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_held(portal: Portal, wrong: dict[str, Any], code: str) -> None:
    with pytest.raises(NotTakenOver) as held:
        portal.say(mirroring.mirror_shift, "1", MONDAY | wrong)
    assert held.value.code == code
    assert week(portal)["id"] is None
