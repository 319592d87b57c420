"""Everything at one address: a token in the header, ids before values, 401 when it is over."""

from __future__ import annotations

import base64
from typing import Any

import httpx
import pytest

from rapport.sandbox.portal.tests.support import Portal

NEW = {"patient_id": 7, "clinician_id": 2, "start_at": "2027-03-01T10:00", "minutes": 50, "code": "90837", "place": "Telehealth"}


class Caller:
    """A program that calls by JSON-RPC."""

    def __init__(self, portal: Portal) -> None:
        self.portal = portal
        self.browser = portal.browser()
        self.head: dict[str, str] = {}

    def post(self, method: str, *params: Any) -> httpx.Response:
        """Call and return the answer as it is."""
        body = {"id": 7, "method": method, "params": list(params)}
        return self.browser.post("/rpc", json=body, headers=self.head)

    def call(self, method: str, *params: Any) -> Any:
        """Call and return the result."""
        said = self.post(method, *params).json()
        assert "error" not in said, said
        return said["result"]

    def error(self, method: str, *params: Any) -> str:
        """Call and return the kind of error."""
        return str(self.post(method, *params).json()["error"][0])

    def sign_in(self, login: str = "nick", **more: str) -> Any:
        """Sign in, and keep the token."""
        given = {"password": self.portal.ready["users"][login]["password"]} | more
        said = self.post("common.login", login, given, "en").json()
        if "result" in said:
            uid, token = said["result"]
            self.head = {"Authorization": "Session " + base64.b64encode(f"{login}:{uid}:{token}".encode()).decode()}
        return said


@pytest.fixture
def nick(portal: Portal) -> Caller:
    caller = Caller(portal)
    caller.sign_in()
    return caller


def test_ids_come_first_and_values_second(portal: Portal, nick: Caller) -> None:
    ids = nick.call("model.patient.search", {}, 0, 1000, None, {})
    assert (len(ids), nick.call("model.patient.search_count", {}, {})) == (132, 132)
    rows = nick.call("model.patient.read", ids[3:5], ["rec_name", "age", "status", "clinician.rec_name"], {})
    assert rows[0] == {"id": 4, "rec_name": "Esme Adeyemi", "age": "72\u200by", "status": "Active",
                       "clinician.rec_name": "Owen Hart", "_write": True, "_delete": False}  # fmt: skip
    assert nick.call("model.patient.search", {}, 130, 25) == [131, 132]


def test_a_search_is_capped(nick: Caller) -> None:
    assert len(nick.call("model.appointment.search", {"from": "2026-11-09"}, 0, 5000, None, {})) <= 1000
    assert nick.call("model.appointment.search_count", {"patient": 7}) == 3


def test_an_ended_session_is_401_with_nothing_in_it(portal: Portal, nick: Caller) -> None:
    assert nick.call("model.user.get_preferences")["login"] == "nick"
    portal.order("DELETE", "session")
    answer = nick.post("model.user.get_preferences")
    assert (answer.status_code, answer.content) == (401, b"")
    nick.head = {"Authorization": "Session not-base64"}
    assert nick.post("model.user.get_preferences").status_code == 401
    nick.sign_in()
    assert nick.call("common.logout") is True
    assert nick.post("model.user.get_preferences").status_code == 401


def test_danas_code_is_asked_for_and_given_with_her_password(portal: Portal) -> None:
    dana = Caller(portal)
    assert dana.sign_in("dana")["error"] == ["LoginException", "code", "•••-0142"]
    assert dana.sign_in("dana")["error"][1] == "code"
    assert len(portal.rows("code?login=dana")) == 1
    assert "result" in dana.sign_in("dana", code=portal.code("dana"))


def test_wrong_passwords_are_401_and_then_429(portal: Portal) -> None:
    caller = Caller(portal)
    answers = [caller.post("common.login", "nick", {"password": "wrong"}, "en") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 401, 429]
    assert answers[-1].headers["Retry-After"] == "900"


def test_what_a_user_may_not_is_an_error_of_its_own(portal: Portal, nick: Caller) -> None:
    dora, tess = Caller(portal), Caller(portal)
    dora.sign_in("dora")
    tess.sign_in("tess")
    assert dora.error("model.note.search", {}) == "AccessError"
    assert tess.error("model.appointment.create", [NEW], {}) == "AccessError"
    assert [caller.call("model.patient.read", [1], [], {})[0]["_write"] for caller in (nick, tess)] == [True, False]
    signed = portal.rows("note?status=Signed")[0]["id"]
    assert tess.call("model.note.read", [signed], ["status"], {})[0]["_write"] is False
    assert nick.error("model.secret.read", [1], []) == "NotFound"
    assert nick.error("model.patient.read", [99999], []) == "NotFound"
    assert nick.error("model.patient.read", 5) == "BadRequest"


def test_an_appointment_is_booked_changed_and_kept_from_a_stale_change(portal: Portal, nick: Caller) -> None:
    (id,) = nick.call("model.appointment.create", [NEW], {})
    assert nick.error("model.appointment.create", [NEW], {}) == "UserError"
    assert nick.call("model.appointment.write", [id], {"minutes": 25, "version": 1}, {}) is True
    assert nick.error("model.appointment.write", [id], {"minutes": 30, "version": 1}, {}) == "ConflictError"
    assert portal.rows(f"appointment?id={id}")[0]["minutes"] == 25
    assert [row["outcome"] for row in portal.rows("audit")] == ["kept", "refused", "kept", "refused"]
    portal.order("DELETE", f"appointment/{id}")


def test_the_log_names_the_method_and_trouble_reaches_the_one_address(portal: Portal, nick: Caller) -> None:
    nick.call("model.patient.search_count", {})
    last = portal.rows("request?path=/rpc")[-1]
    assert (last["call"], last["login"], last["host"]) == ("model.patient.search_count", "nick", "portal")
    portal.trouble("login_page", "/rpc")
    assert nick.post("model.patient.search_count", {}).headers["Content-Type"].startswith("text/html")
    portal.trouble("expire", "/rpc")
    assert nick.post("model.patient.search_count", {}).status_code == 401
