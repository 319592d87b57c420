"""A portal of one page, whose script keeps the session as a token in the local storage and talks JSON-RPC."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from rapport.connectors.portals.driver import PortalDriver
from rapport.connectors.portals.sessions import opened
from rapport.connectors.portals.tests.live import Stage, changed, needs_chromium, now
from rapport.rooms.exchange.ports import Got, Reason, SignedIn, Trouble

pytestmark = [needs_chromium, pytest.mark.long]


def rpc(method: str, *params: Any) -> dict[str, Any]:
    return {"method": "POST", "path": "/rpc", "body": {"id": 1, "method": method, "params": list(params)}}


def one_page(content: dict[str, Any]) -> None:
    password = content["login"]["prompts"][0]
    password["fill"].pop("practice_code")
    for name, one in (("username", "login"), ("password", "password")):
        password["fill"][name]["anchor"] |= {"id": one, "recorded": "id"}
    content["login"] |= {"start": "/app", "prompts": [password]}
    content["session"] |= {
        "carrier": {"local_storage": ["fernbrook_session"], "header_recipe": {"Authorization": {
            "prefix": "Session ", "join": ":", "base64": True,
            "pieces": ["$local.fernbrook_session.login", "$local.fernbrook_session.uid", "$local.fernbrook_session.token"]}}},
        "oracle": {"call": rpc("model.user.get_preferences"), "true_when": {"json": [{"path": "result.login", "test": "present"}]},
                   "subject": {"json": "result.name"}},
        "signals": [{"when": {"status": [401]}, "means": "session_expired"}],
        "sign_out": rpc("common.logout"), "keep_alive": rpc("model.user.get_preferences"),
    }  # fmt: skip
    content["calls"] = {"clinicians": {
        "request": rpc("model.clinician.read", [1, 2, 3], ["first", "last"], {}), "kind": "json_rpc", "rows": {"path": "result"},
        "remote_id": {"from": "field", "field": "external_id"}, "page": {"by": "none"}, "order": "portal", "end": "whole_file",
        "empty": {"when": {"json": [{"path": "result", "test": "equal", "to": []}]}},
        "fields": {"external_id": {"column": ["id"], "type": "text", "required": True, "unique": True},
                   "first_name": {"column": ["first"], "type": "text"}, "last_name": {"column": ["last"], "type": "text", "required": True}},
    }}  # fmt: skip
    content |= {"writes": {}, "files": {}, "probe": [], "canary": [], "factors": [], "identity_fields": ["username"],
                "abilities": {"clinicians.read": {"kind": "read", "call": "clinicians"}}}  # fmt: skip


@pytest.fixture
def app(stage: Stage, tmp_path: Path) -> Stage:
    return Stage(stage.portal, PortalDriver(local=True, folder=changed(tmp_path, one_page)))


def test_a_token_of_the_local_storage_is_the_session_and_no_browser_is_needed_to_use_it(app: Stage) -> None:
    session = app.sign_in("nick")
    kept = opened(session, base_url=app.portal.ready["url"])
    later = Stage(app.portal, PortalDriver(local=True, folder=app.driver._folder))
    began = time.monotonic()
    alive = later.driver.who(later.target(), session=session, now=now())
    took = time.monotonic() - began
    got = later.read("clinicians.read", session)
    later.driver.sign_out(later.target(), session=session, now=now())
    ended = later.read("clinicians.read", session)

    assert list(kept.local) == [app.portal.ready["url"]]
    assert isinstance(alive, SignedIn), alive
    assert alive.subject == "Nick Plain"
    assert took < 0.3
    assert isinstance(got, Got), got
    assert {row.values["last_name"] for row in got.rows} == {"Chen", "Hart", "Vega"}
    assert isinstance(ended, Trouble), ended
    assert ended.reason is Reason.SESSION_EXPIRED


def test_a_wrong_password_is_told_by_the_page_that_stays(app: Stage) -> None:
    found = app.driver.sign_in(app.target("nick", password="not-it"), now=now())

    assert isinstance(found, Trouble), found
    assert found.reason is Reason.CREDENTIALS_REJECTED
    assert len([one for one in app.rows("attempt") if one["kind"] == "password"]) == 1
