"""
A page of the portal read over HTTP and in a real browser, with one session: what a script of the page writes over its cells,
and what the portal tells browsers alone, is seen nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rapport.connectors.portals.driver import PortalDriver
from rapport.connectors.portals.tests.live import Stage, needs_chromium, now
from rapport.rooms.exchange.ports import Got, Reason, SignedIn, Trouble, View, Views

pytestmark = [needs_chromium, pytest.mark.long]
BOTH = {"patients.read": {}, "payments.read": {}}


def look(stage: Stage, session: bytes, asked: Mapping[str, Mapping[str, str]] = BOTH, *, login: str = "nick") -> Views | Trouble:
    return stage.driver.look(replace(stage.target(login), secrets={}), asked=asked, session=session, now=now())


def views(found: Views | Trouble) -> Views:
    assert isinstance(found, Views), found
    return found


def different(view: View) -> dict[str, set[str]]:
    """Return field -> ids of rows in which a browser shows another value than HTTP brought, both times."""
    shown, again = ({row.remote_id: row.values for row in rows} for rows in (view.browser, view.again))
    found: dict[str, set[str]] = {}
    for row in view.http:
        for name, value in row.values.items():
            if shown[row.remote_id][name] != value and again[row.remote_id][name] == value:
                found.setdefault(name, set()).add(row.remote_id)
    return found


def test_a_browser_shows_what_http_brings_and_goes_on_with_the_session_that_there_is(stage: Stage) -> None:
    session = stage.sign_in("nick")
    stage.set(pin_user_agent="1")
    found = views(look(stage, session))

    assert sorted(found.lists) == sorted(BOTH)
    assert all(len(view.http) == len(view.browser) == len(view.again) > 10 for view in found.lists.values())
    assert [different(view) for view in found.lists.values()] == [{}, {}]
    assert len([one for one in stage.rows("attempt") if one["kind"] == "password"]) == 1, "nobody was signed in again"
    assert isinstance(stage.driver.who(stage.target(), session=found.session, now=now()), SignedIn), "and the session lives"


@pytest.mark.parametrize("script", [
    {"fault": "script_value", "value": "phone:7"},
    {"fault": "other_value", "value": "phone:7", "browser": True},
    {"fault": "other_value", "value": "phone:7", "browser": False},
], ids=["a script writes over it", "a browser is told otherwise", "a program is told otherwise"])  # fmt: skip
def test_what_the_two_show_differently_is_seen_and_no_reading_sees_it(stage: Stage, script: dict[str, Any]) -> None:
    session = stage.session()
    stage.trouble(script | {"on": "/patients", "times": 0})
    found = views(look(stage, session))

    assert different(found.lists["patients.read"]) == {"phone": {"7"}}
    assert different(found.lists["payments.read"]) == {}
    assert isinstance(stage.read("patients.read", found.session), Got), "the control: a reading believes it"


def test_what_this_user_may_not_see_is_left_out_and_an_ended_session_is_said(stage: Stage) -> None:
    seen = views(look(stage, stage.session("dora"), {**BOTH, "notes.read": {}}, login="dora"))
    assert list(seen.lists) == ["patients.read"]

    session = stage.session()
    stage.trouble({"fault": "expire", "on": "/patients", "browser": True})
    ended = look(stage, session)
    assert isinstance(ended, Trouble)
    assert ended.reason is Reason.SESSION_EXPIRED


def test_without_a_browser_that_is_said_and_nothing_is_asked(stage: Stage, tmp_path: Path) -> None:
    bare = Stage(stage.portal, PortalDriver(local=True, executable=str(tmp_path / "none")))
    session = stage.session()
    before = len(stage.requests())
    found = look(bare, session)

    assert isinstance(found, Trouble)
    assert found.reason is Reason.NO_BROWSER
    assert len(stage.requests()) == before
