"""One account at the running sandbox portal: two practices that share it, twenty readers, a second person, and silence."""

from __future__ import annotations

import time
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from django.utils import timezone

from rapport.connectors.portals.tests.live import needs_chromium
from rapport.rooms.exchange import services
from rapport.rooms.exchange.jobs import signing
from rapport.rooms.exchange.jobs.duties import tend_one
from rapport.rooms.exchange.ports import Got
from rapport.rooms.exchange.services import sessions, signing_in, troubles
from rapport.rooms.exchange.tests.live import driver, give, linked, read, tries, work
from tests.support.cast import House
from tests.support.clock import Clock, moving
from tests.support.connected import Connected, at_once
from tests.support.sandbox_portal import Portal

pytestmark = [needs_chromium, pytest.mark.long]
WINDOW = signing_in.TOTP_SECONDS
PERSON = "Browser/1"
READERS = 20


def windows(there: Portal, kind: str) -> list[int]:
    """Return the time windows in which robin's passwords or codes came."""
    return [int(one["at"] // WINDOW) for one in there.rows(f"attempt?login=robin&kind={kind}")]


def both(willow: House, aspen: House, there: Portal) -> list[Connected]:
    """Link robin's account in two practices, with password and seed; nobody has signed in yet."""
    found = [linked(house, there, driver(there.home), "robin") for house in (willow, aspen)]
    robin = there.ready["users"]["robin"]
    for connected in found:
        assert connected.secrets(robin["password"], totp_seed=robin["totp_secret"]).status_code == 202
    return found


def sign_in_at_once(connections: list[Connected]) -> list[object]:
    """Begin a sign-in of each within a second, early in a time window."""
    time.sleep(WINDOW - time.time() % WINDOW + 0.2)
    return at_once(
        *(
            (lambda one=one: signing.sign_in(scope=one.house.scope, connection_id=one.id, cause="person"))
            for one in connections
        )
    )  # fmt: skip


def test_two_sign_ins_of_one_account_at_once_use_two_windows_and_the_portal_rejects_no_code(
    willow: House, aspen: House, there: Portal
) -> None:
    connections = both(willow, aspen, there)

    assert sign_in_at_once(connections) == [None, None]

    assert [one.read()["state"] for one in connections] == ["healthy", "healthy"]
    assert tries(there, "robin") == [("password", 1), ("code", 1)] * 2
    assert windows(there, "password")[1] > windows(there, "code")[0], "the second one waited for the next window"


def test_the_control_without_the_rule_the_portal_rejects_the_second_code(
    willow: House, aspen: House, there: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signing_in, "_wait_for_window", lambda used, *, now: 0.0)
    monkeypatch.setattr(signing, "_alone", lambda scope, connection_id: nullcontext())
    connections = both(willow, aspen, there)
    for _ in range(3):  # two browsers may take longer than a window lasts
        sign_in_at_once(connections)
        codes = windows(there, "code")
        if codes[-1] == codes[-2]:
            break
    assert tries(there, "robin").count(("code", 0)) == 1
    assert "second_factor_denied" in [one.read()["reason"] for one in connections]


def epochs(connected: Connected) -> int:
    """Return how many sessions there were."""
    with connected.house.entered() as scope:
        return services.epoch_of(scope=scope, connection_id=connected.id)


def passwords(there: Portal, login: str = "nick") -> int:
    """Return how often the portal was given a password."""
    return tries(there, login).count(("password", 1))


def test_twenty_readers_of_sessions_that_live_five_seconds_sign_in_once_for_each(
    willow: House, there: Portal, tmp_path: Path
) -> None:
    fast = driver(tmp_path, requests_per_second=20.0, burst=20, parallel=4, logins_per_hour=60)
    connected = linked(willow, there, fast, "nick")
    give(connected, there, "nick")
    there.set(session_most_seconds=5)
    before = epochs(connected)

    def reader() -> list[int]:
        found = [read(connected, ability) for ability in ("patients.read", "clinicians.read") * 4]
        return [len(one.rows) if isinstance(one, Got) and one.complete else -1 for one in found]

    answers = at_once(*[reader] * READERS)

    assert answers == [[10, len(there.rows("clinician"))] * 4] * READERS
    assert epochs(connected) > before + 1, "sessions did end while they read"
    assert passwords(there) == epochs(connected), "one sign-in for each"
    assert connected.open_items() == []


def test_the_control_readers_who_do_not_wait_for_each_other_sign_in_each(
    willow: House, there: Portal, tmp_path: Path
) -> None:
    connected = linked(willow, there, driver(tmp_path, logins_per_hour=60), "nick")
    give(connected, there, "nick")
    there.order("DELETE", "session")
    before = passwords(there)

    def naive() -> object:
        with willow.entered() as scope:
            begun = services.begin_sign_in(
                scope=scope, connection_id=connected.id, cause="renewal", now=timezone.now()
            )
        assert isinstance(begun, services.SigningIn)
        return signing._sign_in(willow.scope, begun)

    assert not [one for one in at_once(*[naive] * 3) if isinstance(one, Exception)]
    assert passwords(there) == before + 3


def come_back(there: Portal, browser: httpx.Client) -> bool:
    """Let the other person go on with their work. :return: whether they had been signed out, and signed in again"""
    page = browser.get("/home")
    if page.url.path == "/home":
        return False
    assert page.url.params["reason"] == "elsewhere"
    assert there.password(browser, "nick").url.path == "/home"
    return True


def ours(there: Portal) -> int:
    """Return how often we gave nick's password, by the portal's log."""
    asked = there.rows("request?method=POST&login=nick")
    return len([one for one in asked if one["path"] == "/login" and one["user_agent"] != PERSON])


def minutes_beside(
    connected: Connected, there: Portal, browser: httpx.Client, clock: Clock, minutes: float, *, most: int = 99
) -> int:
    """Let workers and the other person go on, by our own clock. :return: how often the person was signed out"""
    thrown_out = 0
    for _ in range(int(minutes * 4)):
        clock.move(seconds=15)
        duty(connected)
        work(connected)
        thrown_out += come_back(there, browser)
        if ours(there) >= most:
            break
    return thrown_out


def duty(connected: Connected) -> None:
    """Do once what the worker does every five seconds."""
    with connected.house.entered() as scope:
        tend_one(scope, connected.row(), now=timezone.now())


def test_a_second_person_is_given_way_and_is_thrown_out_once_in_ten_minutes(
    willow: House, there: Portal, tmp_path: Path
) -> None:
    there.set(one_session=1)
    connected = linked(willow, there, driver(tmp_path), "nick")
    give(connected, there, "nick")
    there.order("DELETE", "request")
    with moving() as clock:
        browser = there.signed_in("nick")
        assert minutes_beside(connected, there, browser, clock, 4.5) == 0, "they work in peace"
        assert ours(there) == 0
        assert connected.open_items() == ["session_taken"], "and somebody is told"
        assert minutes_beside(connected, there, browser, clock, 5.5) == 1, "once it was tried whether they are gone"
        assert ours(there) == 1, "with the one that they ended two sign-ins in ten minutes"
        assert connected.open_items() == ["session_taken"]

        browser.post("/logout")  # they go home: the next try is the last one that is needed
        clock.move(minutes=10)
        assert connected.sync("patients")["state"] == "published"
        assert (ours(there), connected.open_items()) == (2, [])


def test_the_control_without_giving_way_the_two_throw_each_other_out(
    willow: House, there: Portal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(troubles, "TAKEN_WAIT", timedelta(0))
    there.set(one_session=1)
    connected = linked(willow, there, driver(tmp_path), "nick")
    give(connected, there, "nick")
    there.order("DELETE", "request")
    with moving() as clock:
        assert minutes_beside(connected, there, there.signed_in("nick"), clock, 10, most=3) >= 3


SILENT = {"quiet_hours": {"from_time": "00:00", "to_time": "23:59"}}


def test_a_session_is_kept_alive_for_who_works_with_it_and_then_half_an_hour_is_silent(
    willow: House, there: Portal, tmp_path: Path
) -> None:
    """
    The first part is real time: a portal that ends a session after twelve seconds without use. The half hour is by
    our own clock, moved on five seconds for each round of the worker's duty; the portal's clock goes on as it does, so at
    the end its twelve seconds are waited for.
    """
    connected = linked(willow, there, driver(tmp_path, session={"idle_seconds": 12}), "nick", **SILENT)
    there.set(session_seconds=12)
    give(connected, there, "nick")
    assert connected.sync("patients")["state"] == "published"
    signed_in = passwords(there)
    there.order("DELETE", "request")

    held_until = time.monotonic() + 30
    while time.monotonic() < held_until:
        with willow.entered() as scope:
            assert services.lease(scope=scope, connection_id=connected.id, now=timezone.now())
        duty(connected)
        work(connected)
        time.sleep(0.5)
    kept = [one["path"] for one in there.rows("request")]
    assert len(kept) >= 2
    assert set(kept) == {"/home"}
    assert connected.sync("patients")["state"] == "published"
    assert passwords(there) == signed_in, "the control: it lived, more than twice as long as it does by itself"

    with moving() as clock:
        clock.move(seconds=sessions.LEASE.total_seconds() + 1)
        there.order("DELETE", "request")
        for turn in range(30 * 12):
            clock.move(seconds=5)
            duty(connected)
            if turn % 12 == 0:
                work(connected)
        work(connected)
        assert there.rows("request") == [], "nobody works with it: nothing is asked"

        time.sleep(13)  # the portal has no use of it either, and ends it
        assert connected.sync("patients")["state"] == "published", "the next call renews it"
        assert passwords(there) == signed_in + 1
