"""A group meets once and is many appointments: one entry of the calendar, and nobody is shown to whom they are not."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from rapport.kernel.ids import parse_type_id
from rapport.rooms.scheduling.models import Appointment, GroupSession
from tests.support import props
from tests.support.cast import House
from tests.support.circle import AHEAD, HELD, Circle

from .test_races import at_once


@pytest.fixture
def circle(willow: House) -> Circle:
    return Circle(willow)


def statuses(circle: Circle, session: Any) -> list[str]:
    return [one["status"] for one in circle.read(session)["members"]]


def test_a_session_is_one_entry_and_takes_the_clinicians_time_once(circle: Circle) -> None:
    session = circle.meet()

    api, lead = circle.house.scheduler, circle.lead["id"]
    (entry,) = api.get(f"/v1/calendar?clinician_id={lead}").json()["data"]
    assert (entry["kind"], entry["id"], entry["patient"]) == ("group_session", session["id"], None)
    assert entry["group"]["label"] == "Monday evening"
    rows = api.get(f"/v1/appointments?group_session_id={session['id']}").json()["data"]
    assert {row["group_session_id"] for row in rows} == {session["id"]}
    assert len(rows) == 3
    props.service_code(circle.house, "90837")
    alone = {
        "patient_id": circle.people["Ana"]["id"], "clinician_id": lead, "service_code": "90837",
        "start_local": AHEAD + "19:00", "time_zone": "America/Los_Angeles", "location_id": circle.office["id"],
    }  # fmt: skip
    refused = api.post("/v1/appointments", alone)
    assert (refused.status_code, refused.json()["code"]) == (409, "slot-taken")
    assert circle.ask(wall="19:00").json()["code"] == "slot-taken"
    # The control: another clinician has time, and the same clinician later.
    props.made(api.post("/v1/appointments", alone | {"clinician_id": circle.other["id"]}))
    props.made(api.post("/v1/appointments", alone | {"start_local": AHEAD + "19:30"}))
    assert len(api.get(f"/v1/calendar?clinician_id={lead}").json()["data"]) == 2


def test_a_session_holds_its_time_also_when_nobody_is_left_in_it(circle: Circle) -> None:
    session = circle.meet()
    for first in circle.people:
        assert circle.act(session, first, "cancel").status_code == 200

    assert circle.ask(wall="18:30").json()["code"] == "slot-taken"
    assert circle.all(session, "cancel", {}).json()["status"] == "cancelled"
    assert circle.ask(wall="18:30").status_code == 201


def test_each_member_has_an_attendance_of_their_own(circle: Circle) -> None:
    session = circle.meet(HELD)
    assert circle.act(session, "Ana", "complete").status_code == 200
    assert circle.act(session, "Ben", "cancel", {"late": True, "initiated_by": "patient"}).status_code == 200
    assert circle.act(session, "Cleo", "no-show").status_code == 200

    assert statuses(circle, session) == ["completed", "late_cancelled", "no_show"]
    assert circle.read(session)["seats_left"] == 2
    assert circle.all(session, "cancel", {}).json()["code"] == "state-conflict", "somebody was seen in it"


def test_who_joins_the_series_is_in_every_session_to_come_and_a_guest_in_one(circle: Circle) -> None:
    house = circle.house
    past, *coming = (circle.meet(HELD), circle.meet(), circle.meet("2030-03-11T"))
    dora = props.patient(house, name={"first": "Dora", "last": "Quist"})
    path = f"/v1/groups/{circle.group['id']}/members"

    grown = props.made(house.scheduler.post(path, {"patient_id": dora["id"]}))
    assert grown["members_count"] == 4
    assert [len(circle.read(one)["members"]) for one in (past, *coming)] == [3, 4, 4]
    assert props.made(house.scheduler.post(path, {"patient_id": dora["id"]}))["members_count"] == 4, "as she was"
    gone = house.scheduler.delete(f"{path}/{dora['id']}")
    assert (gone.status_code, gone.json()["members_count"]) == (200, 3)
    assert [statuses(circle, one)[3] for one in coming] == ["cancelled", "cancelled"]

    here = f"/v1/group-sessions/{coming[0]['id']}/members"
    props.made(house.scheduler.post(here, {"patient_id": dora["id"]}))
    assert house.scheduler.post(here, {"patient_id": dora["id"]}).json()["code"] == "of-a-group"
    assert [circle.read(one)["seats_left"] for one in coming] == [0, 1]
    full = house.scheduler.post(here, {"patient_id": props.patient(house, "Eve")["id"]})
    assert (full.status_code, full.json()["code"]) == (409, "group-full")
    assert house.scheduler.delete(f"{path}/{dora['id']}").status_code == 404


def test_a_place_that_was_given_away_is_not_taken_back(circle: Circle) -> None:
    house = circle.house
    session = circle.meet()
    for name in ("Dora", "Eve"):
        circle.people[name] = props.patient(house, name)
    path = f"/v1/group-sessions/{session['id']}/members"
    props.made(house.scheduler.post(path, {"patient_id": circle.people["Dora"]["id"]}))
    assert circle.act(session, "Ben", "cancel").status_code == 200
    props.made(house.scheduler.post(path, {"patient_id": circle.people["Eve"]["id"]}))

    assert circle.act(session, "Ben", "reopen").json()["code"] == "group-full"
    assert circle.act(session, "Eve", "cancel").status_code == 200
    assert circle.act(session, "Ben", "reopen").status_code == 200


def test_r04_of_many_who_join_at_once_no_more_get_in_than_there_is_room(circle: Circle) -> None:
    house = circle.house
    session = circle.meet()
    guests = [props.patient(house, f"Guest{letter}") for letter in "ABCDEFGH"]
    path = f"/v1/group-sessions/{session['id']}/members"
    house.scheduler.get("/v1/me")

    answers = at_once([partial(house.scheduler.post, path, {"patient_id": guest["id"]}) for guest in guests])

    assert sorted(answer.status_code for answer in answers) == [200, *[409] * 7]
    assert circle.read(session)["seats_left"] == 0


def test_the_database_counts_seats_whatever_a_program_does(circle: Circle) -> None:
    session = circle.meet()
    circle.act(session, "Ana", "cancel")
    with circle.house.entered() as scope:
        Appointment.objects.visible_to(scope)
        id = parse_type_id("group_session", session["id"])
        GroupSession.objects.visible_to(scope).filter(id=id).update(capacity=2)
        (ana,) = Appointment.objects.visible_to(scope).filter(group_session_id=id, status="cancelled")
        with pytest.raises(IntegrityError, match="no place left"), transaction.atomic():
            Appointment.objects.visible_to(scope).filter(id=ana.id).update(status="booked")
        # The control: with room it may.
        GroupSession.objects.visible_to(scope).filter(id=id).update(capacity=3)
        Appointment.objects.visible_to(scope).filter(id=ana.id).update(status="booked")


def test_a_session_moves_for_everybody_and_no_member_alone(circle: Circle) -> None:
    session, api = circle.meet(), circle.house.scheduler
    path = f"/v1/appointments/{circle.part(session, 'Ben')}"
    alone = api.patch(path, {"start_at": "2030-03-05T18:00:00Z"}, if_match=api.get(path)["ETag"])
    assert (alone.status_code, alone.json()["code"]) == (409, "of-a-group")
    assert circle.act(session, "Cleo", "cancel").status_code == 200

    moved = circle.all(
        session, "reschedule", {"start_local": "2030-03-05T17:30:00", "time_zone": "America/Los_Angeles"}
    )

    assert (moved.status_code, moved.json()["start_local"]) == (200, "2030-03-05T17:30:00")
    rows = api.get(f"/v1/appointments?group_session_id={session['id']}&status=booked").json()["data"]
    assert [row["start_local"] for row in rows] == ["2030-03-05T17:30:00"] * 2
    assert circle.act(session, "Cleo", "reopen").json()["code"] == "of-a-group", "her time is another one"
    assert circle.ask().status_code == 201, "the time it left is free"


def test_a_series_keeps_its_wall_time_when_clocks_change(circle: Circle) -> None:
    answer = circle.ask(day="2030-03-04T", repeat={"every_weeks": 1, "times": 2})

    first, second = props.made(answer)["sessions"]
    assert (first["start_local"], second["start_local"]) == ("2030-03-04T18:00:00", "2030-03-11T18:00:00")
    assert (first["utc_offset"], second["utc_offset"]) == ("-08:00", "-07:00")
    # All or none: the second of these two is taken.
    assert circle.ask(day="2030-02-25T", repeat={"times": 2}).json()["code"] == "slot-taken"
    assert len(circle.house.scheduler.get("/v1/group-sessions").json()["data"]) == 2


def test_who_may_see_one_member_sees_not_the_others_through_the_group(circle: Circle) -> None:
    session = circle.meet()
    ben = circle.people["Ben"]["id"]
    hidden = ("Ana", "Rivera", "Cleo", "Lindqvist", circle.people["Ana"]["id"], circle.people["Cleo"]["id"])
    paths = (
        f"/v1/groups/{circle.group['id']}", "/v1/groups", f"/v1/group-sessions/{session['id']}", "/v1/group-sessions",
        f"/v1/calendar?clinician_id={circle.lead['id']}", "/v1/appointments",
        f"/v1/appointments?group_session_id={session['id']}",
    )  # fmt: skip
    for path in paths:
        text = circle.luz.get(path).content.decode()
        assert [name for name in hidden if name in text] == [], path
        # The control: who sees everybody is shown them there.
        assert "Ana" in circle.maya.get(path).content.decode() or "calendar" in path
    assert [one["patient"]["id"] for one in circle.read(session, api=circle.luz)["members"]] == [ben]
    assert circle.read(session, api=circle.luz)["seats_left"] == 1

    refused = circle.all(session, "cancel", {}, api=circle.luz)
    assert (refused.status_code, refused.json()["code"]) == (409, "group-out-of-sight")
    body = {"start_local": AHEAD + "12:00", "time_zone": "America/Los_Angeles"}
    assert circle.all(session, "reschedule", body, api=circle.luz).json()["code"] == "group-out-of-sight"
    more = circle.luz.post(f"/v1/groups/{circle.group['id']}/sessions", body | {"location_id": circle.office["id"]})
    assert more.json()["code"] == "group-out-of-sight"
    assert circle.all(session, "cancel", {}, api=circle.maya).status_code == 200


def test_a_group_is_seen_under_a_code_that_several_can_be_given(circle: Circle) -> None:
    props.service_code(circle.house, "90837")
    refused = circle.house.scheduler.post("/v1/groups", circle.body(service_code="90837"))
    assert refused.json()["errors"][0] | {"detail": ""} == {
        "pointer": "/service_code", "code": "not-for-groups", "detail": "",
    }  # fmt: skip
    overfull = circle.house.scheduler.post("/v1/groups", circle.body(capacity=2))
    assert overfull.json()["code"] == "group-full"
    api, path = circle.house.scheduler, f"/v1/groups/{circle.group['id']}"
    smaller = api.patch(path, {"capacity": 2}, if_match=api.get(path)["ETag"])
    assert smaller.json()["code"] == "group-full"
    assert api.patch(path, {"capacity": 3, "label": "Evening"}, if_match=api.get(path)["ETag"]).status_code == 200


def test_members_of_a_group_by_video_get_no_rooms_of_their_own(circle: Circle) -> None:
    session = circle.meet(telehealth=True, location_id=None)
    part = circle.house.scheduler.get(f"/v1/appointments/{circle.part(session, 'Ana')}").json()
    assert (part["telehealth"], part["telehealth_session"], part["place_of_service_code"]) == (True, None, "10")
