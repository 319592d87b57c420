"""A machine without a browser: one item says what to do, no password is opened, and it goes on by itself."""

from __future__ import annotations

from rapport.rooms.exchange.jobs.duties import tend
from rapport.rooms.exchange.models import SignIn
from tests.support.connected import Connected
from tests.support.portal import ScriptedPortal


def tries(connected: Connected) -> int:
    with connected.house.entered() as scope:
        return SignIn.objects.visible_to(scope).count()


def go_on(connected: Connected) -> None:
    """What the workers do every few seconds."""
    tend()
    connected.work()


def test_linking_without_a_browser_is_somebodys_to_mend_and_goes_on_once_there_is_one(
    connected: Connected, portal: ScriptedPortal
) -> None:
    portal.able = False
    connected.start()
    seen = connected.read()
    assert (seen["state"], seen["reason"], seen["owner"]) == ("linking", "no_browser", "us")
    assert "Chromium" in seen["to_do"]
    go_on(connected)
    assert connected.open_items() == ["no_browser"], "one item, however often it comes up"
    assert (portal.log("sign_in"), tries(connected)) == ([], 0), "no try is counted: none left"

    portal.able = True
    go_on(connected)
    assert (connected.read()["state"], connected.read()["reason"]) == ("healthy", None)
    assert connected.open_items() == []
    assert len(portal.log("sign_in")) == 1
    go_on(connected)
    assert len(portal.log("sign_in")) == 1, "the control: it is done once"


def test_a_session_that_ends_without_a_browser_is_renewed_once_there_is_one(
    connected: Connected, portal: ScriptedPortal
) -> None:
    connected.start()
    portal.end_sessions()
    portal.able = False
    assert connected.sync("patients")["reason"] == "no_browser"
    assert connected.open_items() == ["no_browser"]

    portal.able = True
    go_on(connected)
    assert connected.open_items() == []
    assert connected.sync("patients")["state"] == "published"


def test_a_code_that_a_person_gave_waits_for_the_browser(connected: Connected, portal: ScriptedPortal) -> None:
    portal.script("sign_in", {"challenge": "sms"})
    connected.start()
    portal.able = False
    path = f"{connected.path}/challenges/{connected.list('challenges')[0]['id']}/answer"
    assert connected.admin.post(path, {"code": "246810"}).status_code == 202
    connected.work()
    assert connected.list("challenges")[0]["state"] == "answered"
    assert set(connected.open_items()) == {"no_browser", "second_factor_needed"}

    portal.able = True
    go_on(connected)
    assert connected.read()["state"] == "healthy"
    assert connected.open_items() == []
