"""Telehealth sessions as they follow their appointments, and who gets in by which link."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import ProgrammingError, connection, transaction

from rapport.platform.access.permissions import Role
from rapport.platform.db import sql
from rapport.rooms.scheduling.tests.stage import Stage
from rapport.rooms.telehealth.states import MOVES, Action, SessionState
from tests.support.cast import Api, House
from tests.support.props import uuid_of


@pytest.fixture
def stage(willow: House) -> Stage:
    return Stage(willow)


def soon(minutes: int = 5) -> str:
    return (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat(timespec="seconds")


def book(stage: Stage, minutes: int = 5, **fields: Any) -> dict[str, Any]:
    times = {"start_local": ..., "time_zone": ..., "start_at": soon(minutes)}
    return stage.book(**(times | {"telehealth": True, "duration_minutes": 50} | fields))


def token_of(thing: dict[str, Any], person: str) -> str:
    session = thing.get("telehealth_session") or thing
    (url,) = [entry["url"] for entry in session["join_urls"] if entry["person"] == person]
    return str(url).split("#", 1)[1]


def knock(token: str) -> Any:
    return Api(None).post("/v1/telehealth/join", {"token": token})


def codes(*tokens: str) -> list[Any]:
    return [
        answer.status_code if answer.status_code == 200 else answer.json()["code"]
        for answer in map(knock, tokens)
    ]


def hosted_by(house: House, name: str, clinician: dict[str, Any]) -> Api:
    return house.person(
        name,
        Role.CLINICIAN,
        Role.PRACTICE_ADMINISTRATOR,
        clinician_id=uuid_of("clinician", clinician),
    )


def test_a_telehealth_appointment_carries_its_session_and_one_link_per_person(stage: Stage) -> None:
    made = book(stage)
    session = made["telehealth_session"]

    start = datetime.fromisoformat(made["start_at"])
    assert session["state"] == "scheduled"
    assert session["host"] == made["clinician"]
    assert datetime.fromisoformat(session["opens_at"]) == start - timedelta(minutes=15)
    assert datetime.fromisoformat(session["closes_at"]) == start + timedelta(minutes=50 + 60)
    assert [entry["person"] for entry in session["join_urls"]] == ["host", "patient"]
    assert len({entry["url"] for entry in session["join_urls"]}) == 2
    assert all(entry["expires_at"] == session["closes_at"] for entry in session["join_urls"])
    again = stage.house.scheduler.get(f"/v1/appointments/{made['id']}").json()
    assert again == made
    listed = stage.house.scheduler.get("/v1/appointments").json()["data"][0]
    assert listed["telehealth_session"] == session | {"join_urls": []}
    assert stage.book("09:00")["telehealth_session"] is None


def test_tokens_are_nowhere_in_clear(stage: Stage) -> None:
    made = book(stage)
    tokens = [token_of(made, person).encode() for person in ("host", "patient")]
    with stage.house.entered():
        rows = sql.rows("SELECT digest, token_sealed FROM telehealth_link")
        shown = sql.rows("SELECT telehealth_session::text FROM scheduling_appointment")

    assert len(rows) == 2
    for token in tokens:
        assert not any(token in bytes(value) for row in rows for value in row)
        assert not any(token.decode() in row[0] for row in shown)


def test_the_patient_waits_until_the_host_starts(stage: Stage) -> None:
    made = book(stage)
    id = made["telehealth_session"]["id"]
    maya = hosted_by(stage.house, "maya", stage.maya)
    luz = hosted_by(stage.house, "luz", stage.luz)
    patient, host = token_of(made, "patient"), token_of(made, "host")

    waiting = knock(patient).json()
    assert (waiting["person"], waiting["state"], waiting["may_enter"]) == (
        "patient",
        "scheduled",
        False,
    )
    assert waiting["host_display_name"] == "Maya Chen, PhD"
    assert knock(host).json()["may_enter"] is True
    assert stage.house.scheduler.post(f"/v1/telehealth-sessions/{id}/start", {}).status_code == 403
    assert luz.post(f"/v1/telehealth-sessions/{id}/start", {}).status_code == 403
    started = maya.post(f"/v1/telehealth-sessions/{id}/start", {})
    assert (started.status_code, started.json()["state"]) == (200, "open")
    assert knock(patient).json()["may_enter"] is True
    assert maya.post(f"/v1/telehealth-sessions/{id}/start", {}).json()["code"] == "state-conflict"
    ended = maya.post(f"/v1/telehealth-sessions/{id}/end", {})
    assert (ended.json()["state"], ended.json()["ended_at"] is None) == ("ended", False)
    assert knock(patient).json()["may_enter"] is False
    assert maya.post(f"/v1/telehealth-sessions/{id}/end", {}).status_code == 409
    assert maya.post(f"/v1/telehealth-sessions/{id}/start", {}).json()["state"] == "open"
    shown = maya.get(f"/v1/appointments/{made['id']}").json()["telehealth_session"]["state"]
    assert shown == "open"


def test_rescheduling_moves_the_window_and_the_links_go_along(stage: Stage) -> None:
    made = book(stage)
    patient, host = token_of(made, "patient"), token_of(made, "host")

    later = stage.act(made, "reschedule", {"start_at": soon(60 * 24)}).json()

    session = later["telehealth_session"]
    assert session["id"] == made["telehealth_session"]["id"]
    assert session["opens_at"] > made["telehealth_session"]["closes_at"]
    assert (token_of(later, "patient"), token_of(later, "host")) == (patient, host)
    assert all(entry["expires_at"] == session["closes_at"] for entry in session["join_urls"])
    assert knock(host).json()["may_enter"] is False
    maya = hosted_by(stage.house, "maya", stage.maya)
    early = maya.post(f"/v1/telehealth-sessions/{session['id']}/start", {})
    assert (early.status_code, early.json()["code"]) == (409, "session-not-open-yet")


def test_another_clinician_replaces_the_host_and_the_host_link_only(stage: Stage) -> None:
    made = book(stage)
    patient, old_host = token_of(made, "patient"), token_of(made, "host")

    handed = stage.patch(made, {"clinician_id": stage.luz["id"]}).json()

    assert handed["telehealth_session"]["host"]["id"] == stage.luz["id"]
    assert token_of(handed, "patient") == patient
    assert codes(old_host, patient, token_of(handed, "host")) == ["link-invalid", 200, 200]
    maya = hosted_by(stage.house, "maya", stage.maya)
    assert (
        maya.post(
            f"/v1/telehealth-sessions/{made['telehealth_session']['id']}/start", {}
        ).status_code
        == 403
    )


@pytest.mark.parametrize("how", ["cancel", "no-show", "to a place"])
def test_what_is_off_has_no_way_in(stage: Stage, how: str) -> None:
    made = book(stage, minutes=-5 if how == "no-show" else 5)
    tokens = [token_of(made, "patient"), token_of(made, "host")]

    if how == "to a place":
        answer = stage.patch(made, {"location_id": stage.office["id"]})
    else:
        answer = stage.act(made, how)

    assert answer.status_code == 200, answer.content
    assert answer.json()["telehealth_session"]["state"] == "cancelled"
    assert answer.json()["telehealth_session"]["join_urls"] == []
    assert codes(*tokens) == ["link-invalid", "link-invalid"]
    renewed = (
        stage.patch(made, {"telehealth": True})
        if how == "to a place"
        else stage.act(made, "reopen")
    )
    assert renewed.json()["telehealth_session"]["state"] == "scheduled"
    assert renewed.json()["telehealth_session"]["id"] == made["telehealth_session"]["id"]
    assert codes(token_of(renewed.json(), "patient"), *tokens) == [
        200,
        "link-invalid",
        "link-invalid",
    ]


def test_a_completed_visit_ends_its_session(stage: Stage) -> None:
    made = book(stage, minutes=-5)
    assert stage.act(made, "complete").json()["telehealth_session"]["state"] == "ended"
    assert stage.act(made, "reopen").json()["telehealth_session"]["state"] == "scheduled"


def test_links_end_with_the_window_and_nonsense_opens_nothing(stage: Stage) -> None:
    past = book(stage, minutes=-60 * 5)

    assert codes(token_of(past, "patient"), "x" * 43, "?") == [
        "link-expired", "link-invalid", "link-invalid",
    ]  # fmt: skip
    assert knock(token_of(past, "patient")).status_code == 410
    assert knock("").status_code == 422


def test_renewed_links_replace_the_ones_before(stage: Stage, aspen: House) -> None:
    made = book(stage)
    old = [token_of(made, "patient"), token_of(made, "host")]
    path = f"/v1/telehealth-sessions/{made['telehealth_session']['id']}"

    assert aspen.scheduler.post(f"{path}/links", {}).status_code == 404
    assert aspen.scheduler.get(path).status_code == 404
    fresh = stage.house.scheduler.post(f"{path}/links", {}).json()

    assert codes(*old, token_of(fresh, "patient"), token_of(fresh, "host")) == [
        "link-invalid", "link-invalid", 200, 200,
    ]  # fmt: skip
    reader = stage.house.biller.get(path)
    assert (reader.status_code, reader.json()["join_urls"]) == (200, [])
    assert stage.house.auditor.get(path).status_code == 403


def test_every_knock_is_in_the_practices_own_trail(stage: Stage) -> None:
    made = book(stage)
    token = token_of(made, "patient")
    knock(token)
    stage.act(made, "cancel")
    knock(token)
    with stage.house.entered() as scope:
        rows = sql.rows(
            "SELECT actor_type, outcome, reason, patient_ids FROM audit_auditevent"
            " WHERE practice_id = %s AND action = 'telehealth_session.join' ORDER BY occurred_at",
            (scope.practice_id,),
        )
        noted = sql.rows("SELECT action, person FROM telehealth_sessionhistory ORDER BY at, id")
    assert [row[:3] for row in rows] == [("link", "allow", None), ("link", "deny", "revoked_link")]
    assert rows[0][3] == [uuid_of("patient", stage.ana)]
    assert noted == [("create", ""), ("knock", "patient"), ("cancel", "")]


def test_the_database_keeps_history_and_links(stage: Stage) -> None:
    book(stage)
    for statement in ("DELETE FROM telehealth_link", "DELETE FROM telehealth_session",
                      "UPDATE telehealth_sessionhistory SET action = 'x'"):  # fmt: skip
        with (
            pytest.raises(ProgrammingError),
            stage.house.entered(),
            transaction.atomic(),
            connection.cursor() as c,
        ):
            c.execute(statement)


def test_every_state_can_be_reached_and_left() -> None:
    assert {move.target for move in MOVES.values()} == set(SessionState)
    assert frozenset().union(*(move.sources for move in MOVES.values())) == set(SessionState)
    assert set(MOVES) == set(Action)
