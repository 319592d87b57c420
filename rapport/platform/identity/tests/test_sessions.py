"""Sessions after they began: refresh, list, end (security S-037, S-038)."""

from __future__ import annotations

from datetime import timedelta

import time_machine
from django.utils import timezone

from rapport.kernel.ids import new_uuid, parse_type_id, type_id
from rapport.platform.access.permissions import Role
from rapport.platform.identity.models import Session
from tests.support.cast import Api, House

from .people import Caller, hire, trail
from .test_signing_in import also_in, code_of


def refresh(token: str) -> tuple[int, dict]:
    answer = Caller().post("/v1/sessions/refresh", {"refresh_token": token})
    return answer.status_code, answer.json()


def test_a_refresh_token_used_twice_ends_the_whole_family(willow: House) -> None:
    """S-038 The old refresh token again: 400 invalid-grant, and every token of the session is dead."""
    first = Caller().sign_in(hire(willow))
    status, second = refresh(first["refresh_token"])
    assert status == 200
    assert second["id"] == first["id"]
    assert second["token"] != first["token"]
    assert Api(second["token"]).get("/v1/me").status_code == 200  # control: good until the reuse

    stolen = refresh(first["refresh_token"])

    assert (stolen[0], stolen[1]["code"]) == (400, "invalid-grant")
    for token in (first["token"], second["token"]):
        assert code_of(Api(token).get("/v1/me")) == (401, "token-revoked")
    assert refresh(second["refresh_token"])[1]["code"] == "invalid-grant"
    assert ("deny", "reuse") in trail(willow, "token.refresh")


def test_refreshing_goes_on_and_on_and_keeps_no_idle_session_alive(willow: House) -> None:
    session = Caller().sign_in(hire(willow))
    token = session["refresh_token"]
    for _ in range(3):
        status, fresh = refresh(token)
        assert status == 200
        token = fresh["refresh_token"]

    id = parse_type_id("session", session["id"])
    with willow.entered():
        Session.objects.filter(id=id).update(last_used_at=timezone.now() - timedelta(minutes=16))

    assert refresh(token)[1]["code"] == "invalid-grant"
    assert code_of(Api(fresh["token"]).get("/v1/me")) == (401, "session-expired")


def test_unknown_and_old_refresh_tokens_are_refused(willow: House) -> None:
    session = Caller().sign_in(hire(willow))

    assert refresh("rrt_nothing")[1]["code"] == "invalid-grant"
    assert refresh(session["token"])[1]["code"] == "invalid-grant"
    with time_machine.travel(timezone.now() + timedelta(hours=13), tick=False):
        assert refresh(session["refresh_token"])[1]["code"] == "invalid-grant"


def test_one_sees_and_ends_ones_own_sessions_only(willow: House, aspen: House) -> None:
    maya, luz = hire(willow, "maya"), hire(willow, "luz")
    phone, desk = (
        Caller().sign_in(maya),
        Caller().second(Caller().ticket(maya.login), maya.fresh()),
    )
    desk_api, luz_api = Api(desk.json()["token"]), Api(Caller().sign_in(luz)["token"])

    listed = desk_api.get("/v1/sessions").json()["data"]

    assert {entry["id"]: entry["current"] for entry in listed} == {
        desk.json()["id"]: True, phone["id"]: False,
    }  # fmt: skip
    assert "token" not in listed[0]
    path = f"/v1/sessions/{phone['id']}"
    unknown = f"/v1/sessions/{type_id('session', new_uuid())}"
    for stranger in (luz_api, aspen.admin):
        assert stranger.delete(path).status_code == stranger.delete(unknown).status_code == 404
    assert Api(phone["token"]).get("/v1/me").status_code == 200
    assert desk_api.delete(path).status_code == 204
    assert code_of(Api(phone["token"]).get("/v1/me")) == (401, "token-revoked")
    # An administrator may end anybody's here.
    assert willow.admin.delete(f"/v1/sessions/{desk.json()['id']}").status_code == 204
    assert desk_api.get("/v1/me").status_code == 401


def test_signing_out_everywhere_else_reaches_other_practices(willow: House, aspen: House) -> None:
    """S-037 All sessions but this one are refused from the next request on, in every practice."""
    maya = hire(willow)
    also_in(aspen, maya, Role.SCHEDULER)
    caller, tokens = Caller(), []
    for house in (willow, aspen):
        place = type_id("practice", house.id)
        ticket = caller.ticket(maya.login, practice_id=place)
        tokens.append(caller.second(ticket, maya.fresh()).json()["token"])
    here, there = Api(tokens[0]), Api(tokens[1])
    assert there.get("/v1/me").status_code == 200

    assert here.delete("/v1/sessions").status_code == 204

    assert here.get("/v1/me").status_code == 200
    assert code_of(there.get("/v1/me")) == (401, "token-revoked")


def test_a_person_sees_the_practices_they_work_in(willow: House, aspen: House) -> None:
    maya = hire(willow)
    also_in(aspen, maya, Role.SCHEDULER)
    caller = Caller()
    ticket = caller.ticket(maya.login, practice_id=type_id("practice", willow.id))
    me = Api(caller.second(ticket, maya.fresh()).json()["token"])

    listed = me.get("/v1/practices").json()["data"]

    assert [(entry["name"], entry["current"]) for entry in listed] == [
        ("Aspen", False),
        ("Willow", True),
    ]
    assert me.get(f"/v1/practices/{type_id('practice', willow.id)}").status_code == 200
    assert me.get(f"/v1/practices/{type_id('practice', aspen.id)}").status_code == 404
    assert [entry["name"] for entry in willow.admin.get("/v1/practices").json()["data"]] == [
        "Willow"
    ]
