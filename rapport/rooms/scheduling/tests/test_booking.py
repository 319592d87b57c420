"""Booking, changing and reading appointments over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from rapport.kernel.ids import new_uuid
from rapport.platform.access.permissions import Role
from rapport.platform.db import sql
from rapport.rooms.scheduling import queries
from tests.support import props
from tests.support.cast import House, public
from tests.support.props import uuid_of

from .stage import HELD, Stage


@pytest.fixture
def stage(willow: House) -> Stage:
    return Stage(willow)


def errors(answer: Any) -> list[tuple[str, str]]:
    assert answer.status_code == 422, answer.content
    return [(error["pointer"], error["code"]) for error in answer.json()["errors"]]


def test_a_booked_appointment_says_when_in_every_way(stage: Stage) -> None:
    made = stage.book("09:00")

    assert made["start_at"] == "2026-11-30T17:00:00.000Z"
    assert made["end_at"] == "2026-11-30T18:00:00.000Z"
    assert (made["start_local"], made["utc_offset"]) == ("2026-11-30T09:00:00", "-08:00")
    assert (made["duration_minutes"], made["status"], made["version"]) == (60, "booked", 1)
    assert made["patient"]["display_name"] == "Ana Rivera"
    assert made["clinician"]["display_name"] == "Maya Chen, PhD"
    assert made["service_code"] == "90837"
    assert (made["telehealth"], made["telehealth_session"]) == (False, None)
    read = stage.house.scheduler.get(f"/v1/appointments/{made['id']}")
    assert read.json() == made
    assert read["ETag"].startswith('"1-')


def test_an_instant_takes_the_zone_of_its_place(stage: Stage) -> None:
    made = stage.book(start_local=..., time_zone=..., start_at="2026-11-30T12:00:00-05:00")

    assert (made["start_at"], made["time_zone"]) == (
        "2026-11-30T17:00:00.000Z",
        "America/Los_Angeles",
    )
    assert made["start_local"] == "2026-11-30T09:00:00"


def test_a_taken_slot_names_the_next_free_ones(stage: Stage) -> None:
    stage.book("09:00")

    answer = stage.ask("09:30")

    assert (answer.status_code, answer.json()["code"]) == (409, "slot-taken")
    assert [free["start_local"][11:16] for free in answer.json()["alternatives"]] == [
        "10:00", "10:15", "10:30",
    ]  # fmt: skip
    assert stage.ask("10:00").status_code == 201
    assert stage.ask("08:00", clinician_id=stage.luz["id"]).status_code == 201


def test_a_cancelled_slot_is_free_at_once(stage: Stage) -> None:
    made = stage.book()
    assert (
        stage.act(made, "cancel", {"reason": "illness", "initiated_by": "patient"}).json()[
            "ended_by"
        ]
        == "patient"
    )
    again = stage.book()

    reopened = stage.act(made, "reopen")

    assert (reopened.status_code, reopened.json()["code"]) == (409, "slot-taken")
    stage.act(again, "cancel")
    assert stage.act(made, "reopen").json()["status"] == "booked"


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"location_id": ...}, ("/location_id", "required")),
        ({"telehealth": True, "location_id": "loc_01h455vb4pex5vsknk084sn02v"}, ("/location_id", "reference-not-found")),
        ({"start_local": ..., "time_zone": ...}, ("/start_at", "required")),
        ({"time_zone": ...}, ("/time_zone", "required")),
        ({"start_at": "2026-11-30T17:00:01Z"}, ("/start_at", "disagrees")),
        ({"utc_offset": "-07:00"}, ("/utc_offset", "disagrees")),
        ({"start_local": "2026-02-30T09:00"}, ("/start_local", "malformed")),
        ({"time_zone": "Mars/Base"}, ("/time_zone", "value-error")),
        ({"start_at": 1790000000}, ("/start_at", "value-error")),
        ({"start_at": "2026-11-30T09:00:00"}, ("/start_at", "timezone-aware")),
        ({"duration_minutes": 0}, ("/duration_minutes", "too-small")),
        ({"duration_minutes": 1441}, ("/duration_minutes", "too-large")),
        ({"patient_setting": "home"}, ("/patient_setting", "not-allowed")),
        ({"override": {"reason": "x", "checks": []}}, ("/override/reason", "too-short")),
        ({"status": "completed"}, ("/status", "unknown-field")),
    ],
)  # fmt: skip
def test_a_fault_is_named_by_its_pointer(
    stage: Stage, fields: dict[str, Any], fault: tuple[str, str]
) -> None:
    answer = stage.ask(**fields)

    assert fault in errors(answer)
    assert "2026" not in answer.json()["detail"]


def test_a_place_and_telehealth_exclude_each_other(stage: Stage) -> None:
    assert errors(stage.ask(telehealth=True, location_id=stage.office["id"])) == [
        ("/location_id", "not-allowed")
    ]
    code = props.service_code(stage.house, "90853", telehealth_allowed=False)
    assert errors(stage.ask(telehealth=True, service_code=code["id"])) == [
        ("/telehealth", "not-allowed")
    ]
    made = stage.book(telehealth=True, telehealth_mode="audio", patient_setting="elsewhere")
    assert (made["location_id"], made["telehealth_mode"]) == (None, "audio")
    assert (made["place_of_service_code"], made["modifiers"]) == ("02", ["93"])
    with stage.house.entered() as scope:
        facts = queries.billing_facts(scope=scope, appointment_id=uuid_of("appointment", made))
    assert (facts.place.place_of_service_code, facts.place.modifiers) == ("02", ("93",))
    assert (facts.code, facts.minutes, facts.units, str(facts.service_on)) == (
        "90837",
        60,
        1,
        "2026-11-30",
    )


def test_ids_of_another_practice_are_as_unknown_as_ids_of_nobody(
    stage: Stage, aspen: House
) -> None:
    theirs = Stage(aspen)
    foreign = {
        "patient_id": (theirs.ana["id"], "patient"),
        "clinician_id": (theirs.maya["id"], "clinician"),
        "location_id": (theirs.office["id"], "location"),
        "service_code": (theirs.code["id"], "service_code"),
    }
    for name, (id, kind) in foreign.items():
        answers = [stage.ask(**{name: text}) for text in (id, public(kind, new_uuid()))]
        drop = ("instance", "request_id")
        bodies = [{k: v for k, v in a.json().items() if k not in drop} for a in answers]
        assert [a.status_code for a in answers] == [422, 422]
        assert bodies[0] == bodies[1]
        assert (bodies[0]["code"], bodies[0]["errors"][0]["pointer"]) == (
            "reference-not-found",
            f"/{name}",
        )
    with stage.house.entered() as scope:
        rows = sql.rows(
            "SELECT reason FROM audit_auditevent WHERE practice_id = %s AND outcome = 'deny'"
            " AND action = 'appointment.create'",
            (scope.practice_id,),
        )
    assert sorted(row[0] for row in rows) == ["foreign_reference"] * 4 + ["missing"] * 4


def test_another_practice_cannot_touch_an_appointment(stage: Stage, aspen: House) -> None:
    made = stage.book()
    path = f"/v1/appointments/{made['id']}"
    etag = stage.house.scheduler.get(path)["ETag"]

    assert aspen.scheduler.get(path).status_code == 404
    assert aspen.scheduler.get(f"{path}/history").status_code == 404
    assert aspen.scheduler.patch(path, {"duration_minutes": 30}, if_match=etag).status_code == 404
    assert aspen.scheduler.post(f"{path}/cancel", {}, if_match=etag).status_code == 404
    assert aspen.scheduler.get("/v1/appointments").json()["data"] == []


def test_an_external_id_that_exists_updates_its_appointment(stage: Stage, aspen: House) -> None:
    stage.day = HELD
    pair = {"external_ids": [{"system": "urn:example:crm", "value": "visit-1"}]}
    first = stage.ask("09:00", **pair)
    same = stage.ask("09:00", **pair)
    moved = stage.ask("13:00", **pair)

    assert [a.status_code for a in (first, same, moved)] == [201, 200, 200]
    assert first.json()["id"] == same.json()["id"] == moved.json()["id"]
    assert (same.json()["version"], moved.json()["version"]) == (1, 2)
    assert moved.json()["start_local"][11:16] == "13:00"
    stage.act(moved.json(), "complete")
    assert stage.ask("13:00", **pair).status_code == 200
    assert stage.ask("14:00", **pair).json()["code"] == "state-conflict"
    bea = props.patient(stage.house, "Bea")
    assert errors(stage.ask("13:00", patient_id=bea["id"], **pair)) == [
        ("/patient_id", "immutable-field")
    ]
    assert Stage(aspen).ask("09:00", **pair).status_code == 201
    put = stage.house.scheduler.call(
        "PUT", "/v1/appointments/by-external-id", stage.body("13:00", **pair)
    )
    assert (put.status_code, put.json()["id"]) == (200, first.json()["id"])
    bare = stage.house.scheduler.call("PUT", "/v1/appointments/by-external-id", stage.body("15:00"))
    assert errors(bare) == [("/external_ids", "required")]


def test_an_override_books_over_another_one_and_leaves_its_reason(stage: Stage) -> None:
    stage.book()
    override = {"reason": "Crisis visit agreed by phone", "checks": ["conflict"]}
    maya = stage.house.person("maya", Role.CLINICIAN, clinician_id=uuid_of("clinician", stage.maya))
    path = f"/v1/patients/{stage.ana['id']}"
    etag = stage.house.scheduler.get(path)["ETag"]
    stage.house.scheduler.patch(path, {"clinician_ids": [stage.maya["id"]]}, if_match=etag)

    assert maya.post("/v1/appointments", stage.body("09:30", override=override)).status_code == 403
    made = stage.book("09:30", override=override)

    assert made["overbooked"] is True
    assert stage.ask("10:15").json()["code"] == "slot-taken"
    with stage.house.entered() as scope:
        row = sql.one(
            "SELECT reason, target_id FROM audit_auditevent WHERE practice_id = %s"
            " AND action = 'appointment.override'",
            (scope.practice_id,),
        )
    assert row == ("Crisis visit agreed by phone", uuid_of("appointment", made))


def test_a_slot_taken_by_a_patient_one_may_not_see_is_taken_all_the_same(stage: Stage) -> None:
    stage.book("09:00")
    luz = stage.house.person("luz", Role.CLINICIAN, clinician_id=uuid_of("clinician", stage.luz))
    bea = props.patient(stage.house, "Bea", clinician_ids=[stage.luz["id"]])

    listed = luz.get("/v1/appointments").json()["data"]
    answer = luz.post("/v1/appointments", stage.body("09:00", patient_id=bea["id"]))
    free = luz.get(
        f"/v1/availability?clinician_id={stage.maya['id']}&from=2026-11-30&to=2026-12-01&duration=60"
    )

    assert listed == []
    assert answer.json()["code"] == "slot-taken"
    assert "09:00" not in [slot["start_local"][11:16] for slot in free.json()["data"]]


def test_a_change_needs_the_present_etag(stage: Stage) -> None:
    made = stage.book()
    path = f"/v1/appointments/{made['id']}"
    api = stage.house.scheduler
    etag = api.get(path)["ETag"]

    assert api.patch(path, {"duration_minutes": 45}).status_code == 428
    assert api.post(f"{path}/cancel", {}).status_code == 428
    assert (
        api.patch(
            path, {"duration_minutes": 45, "service_code": "90837"}, if_match=etag
        ).status_code
        == 200
    )
    stale = api.post(f"{path}/check-in", {}, if_match=etag)
    assert (stale.status_code, stale.json()["code"]) == (412, "precondition-failed")
    assert api.post(f"{path}/check-in", {}, if_match=stale["ETag"]).json()["status"] == "checked_in"


def test_a_second_click_books_once(stage: Stage) -> None:
    key = new_uuid().hex
    first = stage.house.scheduler.post("/v1/appointments", stage.body(), idempotency_key=key)
    second = stage.house.scheduler.post("/v1/appointments", stage.body(), idempotency_key=key)
    without = stage.ask()

    assert (first.status_code, second.status_code) == (201, 201)
    assert second["Idempotent-Replayed"] == "true"
    assert first.json() == second.json()
    assert without.status_code == 409


def test_rescheduling_keeps_the_appointment_and_its_history(stage: Stage) -> None:
    made = stage.book("09:00", duration_minutes=45)
    assert errors(stage.act(made, "reschedule", {"clinician_id": stage.luz["id"]})) == [
        ("/start_at", "required")
    ]

    moved = stage.act(
        made, "reschedule",
        {"start_local": "2026-12-01T11:00:00", "time_zone": "America/Los_Angeles", "clinician_id": stage.luz["id"]},
    )  # fmt: skip

    assert moved.status_code == 200, moved.content
    assert (moved.json()["id"], moved.json()["duration_minutes"]) == (made["id"], 45)
    assert stage.ask("09:00").status_code == 201
    history = stage.house.scheduler.get(f"/v1/appointments/{made['id']}/history").json()["data"]
    assert [(h["action"], h["clinician_id"]) for h in history] == [
        ("book", stage.maya["id"]), ("reschedule", stage.luz["id"]),
    ]  # fmt: skip


def test_what_took_place_is_frozen_until_it_is_reopened(stage: Stage) -> None:
    stage.day = HELD
    made = stage.book()
    stage.act(made, "complete")

    assert stage.patch(made, {"duration_minutes": 45}).json()["code"] == "state-conflict"
    tagged = stage.patch(made, {"external_ids": [{"system": "urn:x", "value": "1"}]})
    assert tagged.status_code == 200
    stage.act(made, "reopen")
    assert stage.patch(made, {"duration_minutes": 45}).status_code == 200


def test_switching_between_place_and_telehealth(stage: Stage) -> None:
    made = stage.book()

    remote = stage.patch(made, {"telehealth": True})
    assert (remote.json()["telehealth"], remote.json()["location_id"]) == (True, None)
    assert errors(stage.patch(made, {"telehealth": False})) == [("/location_id", "required")]
    audio = stage.patch(made, {"telehealth_mode": "audio"})
    assert (audio.json()["telehealth_mode"], audio.json()["patient_setting"]) == ("audio", "home")
    back = stage.patch(made, {"location_id": stage.office["id"]})
    assert (back.json()["telehealth"], back.json()["telehealth_mode"]) == (False, None)


def test_working_hours_are_searched_and_forbid_the_rest(stage: Stage) -> None:
    maya = stage.maya["id"]
    path = f"/v1/clinicians/{maya}/work-schedule"
    shifts = [
        {"weekday": "monday", "starts": "10:00", "ends": "12:00"},
        {"weekday": "monday", "starts": "13:00", "ends": "14:00"},
    ]
    assert stage.house.scheduler.get(path).json()["id"] is None

    answer = stage.house.scheduler.call(
        "PUT", path, {"shifts": shifts, "time_zone": "America/Los_Angeles"}
    )

    assert answer.status_code == 200, answer.content
    assert answer.json()["shifts"] == shifts
    outside = stage.ask("11:30")
    assert (outside.status_code, outside.json()["code"]) == (409, "outside-hours")
    assert [a["start_local"][11:16] for a in outside.json()["alternatives"]][:1] == ["13:00"]
    assert (
        stage.ask("11:30", override={"reason": "Agreed with Maya", "checks": ["hours"]}).status_code
        == 201
    )
    free = stage.house.scheduler.get(
        f"/v1/availability?clinician_id={maya}&from=2026-11-30&to=2026-12-08&duration_minutes=60&step_minutes=30"
    ).json()
    assert [slot["start_local"] for slot in free["data"]] == [
        "2026-11-30T10:00:00", "2026-11-30T10:30:00", "2026-11-30T13:00:00",
        "2026-12-07T10:00:00", "2026-12-07T10:30:00", "2026-12-07T11:00:00", "2026-12-07T13:00:00",
    ]  # fmt: skip
    bad = stage.house.scheduler.call(
        "PUT", path, {"shifts": [{"weekday": "monday", "starts": "10:00", "ends": "09:00"}]}
    )
    assert errors(bad) == [("/shifts/0/ends", "before-start")]


def test_availability_wants_its_window(stage: Stage) -> None:
    api, maya = stage.house.scheduler, stage.maya["id"]
    for query in ("", f"clinician_id={maya}", f"clinician_id={maya}&from=x&to=y",
                  f"clinician_id={maya}&from=0001-01-01&to=0001-01-02",
                  f"clinician_id={maya}&from=9999-12-30&to=9999-12-31",
                  f"clinician_id={maya}&from=2026-11-30&to=2026-11-29",
                  f"clinician_id={maya}&from=2026-11-30&to=2027-11-29",
                  f"clinician_id={maya}&from=2026-11-30&to=2026-12-01&duration=0",
                  f"clinician_id={maya}&from=2026-11-30&to=2026-12-01&who=me"):  # fmt: skip
        assert api.get(f"/v1/availability?{query}").status_code in (400, 404), query
    page = api.get(
        f"/v1/availability?clinician_id={maya}&from=2026-11-30&to=2026-12-01&limit=2"
    ).json()
    assert (len(page["data"]), page["has_more"]) == (2, True)


def test_a_week_of_a_clinician_is_listed_in_order(stage: Stage) -> None:
    for wall in ("11:00", "09:00", "10:00"):
        stage.book(wall)
    stage.book("09:00", clinician_id=stage.luz["id"])
    week = "start_at[gte]=2026-11-30T00:00:00Z&start_at[lt]=2026-12-07T00:00:00Z"
    url = f"/v1/appointments?clinician_id={stage.maya['id']}&{week}"

    listed = stage.house.scheduler.get(url).json()["data"]

    assert [a["start_local"][11:16] for a in listed] == ["09:00", "10:00", "11:00"]
    assert listed[0]["patient"]["display_name"] == "Ana Rivera"
    assert stage.house.scheduler.get(f"{url}&status=cancelled").json()["data"] == []
    assert stage.house.auditor.get(url).status_code == 403


def test_a_room_above_may_forbid_to_reopen(stage: Stage) -> None:
    from rapport.kernel.problems import Conflict
    from rapport.rooms.scheduling import services
    from rapport.rooms.scheduling.states import Action

    stage.day = HELD
    held = uuid_of("appointment", stage.book())

    def claim_rests_on_it(scope: Any, appointment: Any, action: Action) -> None:
        if appointment.id == held and action is Action.REOPEN:
            raise Conflict("A claim rests on it.")

    services.register_guard(claim_rests_on_it)
    thing = {"id": public("appointment", held)}
    stage.act(thing, "complete")

    assert stage.act(thing, "reopen").status_code == 409
    assert stage.status(thing) == "completed"
