"""Sessions with real parts: the sandbox portal, Chromium, a mailbox by IMAP, and the room between them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from django.utils import timezone

from rapport.connectors.mailbox_imap.driver import ImapMailboxes
from rapport.connectors.portals.driver import PortalDriver
from rapport.connectors.portals.sessions import opened
from rapport.connectors.portals.tests.live import needs_chromium
from rapport.platform.jobs.worker import drain
from rapport.rooms.exchange import jobs, services
from rapport.rooms.exchange.jobs.syncing import sync
from rapport.rooms.exchange.models import Connection
from tests.support.cast import House
from tests.support.connected import Connected, at_once
from tests.support.imap import PASSWORD, USER, Postbox, postbox
from tests.support.portal import ScriptedPortal
from tests.support.sandbox_portal import Portal

pytestmark = [needs_chromium, pytest.mark.long]


class Driver(PortalDriver):
    """The real driver, with the name of the definition that a test links by."""

    definition = "sandbox-portal"


class Single(Driver):
    definition = "sandbox-portal-sso"


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Portal]:
    running = Portal(tmp_path / "portal", patients=10)
    yield running
    running.kill()


def linked(willow: House, there: Portal, driver: Driver, login: str) -> Connected:
    """Link one of the portal's users; no password is given yet."""
    connected = Connected(willow, cast(ScriptedPortal, driver))
    connected.link(base_url=there.ready["url"], identity={"practice_code": there.ready["practice_code"], "username": login})
    hosts = {"id.fernbrook.example": there.ready["idp_url"].rpartition("/")[2]}
    with willow.entered():
        Connection.objects.filter(id=connected.id).update(calibration={"hosts": hosts})
    return connected


def work(connected: Connected) -> None:
    """Do everything that is due: two browsers, and all lists at the portal's pace."""
    drain(connected.house.id, timeout=150)


def give(connected: Connected, there: Portal, login: str) -> None:
    """Give the password, and let the workers do what follows."""
    assert connected.secrets(there.ready["users"][login]["password"]).status_code == 202
    work(connected)


def tries(there: Portal, login: str) -> list[tuple[str, int]]:
    """What the portal was given by somebody who wanted to sign in, and whether it was good."""
    return [(one["kind"], one["good"]) for one in there.rows(f"attempt?login={login}")]


def answer(connected: Connected, code: str) -> None:
    asked = connected.list("challenges", state="open")[0]
    assert connected.admin.post(f"{connected.path}/challenges/{asked['id']}/answer", {"code": code}).status_code == 202
    work(connected)


def test_eight_calls_at_once_to_a_portal_that_turns_the_cookie_each_time_end_with_its_newest(
    willow: House, there: Portal
) -> None:
    connected = linked(willow, there, Driver(local=True), "nick")
    give(connected, there, "nick")
    assert connected.read()["state"] == "healthy"
    there.set(rotate="each")
    before = {one["token"] for one in there.rows("session?login=nick")}
    kinds = [(kind, near) for near in (True, False) for kind in ("patients", "clinicians", "claims", "notes")]
    answers = at_once(
        *(
            (lambda kind=kind, near=near: sync(scope=willow.scope, connection_id=connected.id, kind=kind, near=near))
            for kind, near in kinds
        )
    )
    assert not [one for one in answers if isinstance(one, Exception)], answers
    with willow.entered() as scope:
        kept = services.lease(scope=scope, connection_id=connected.id, now=timezone.now())
    assert kept is not None
    jar = {one.name: one.value for one in opened(kept.session, base_url=there.ready["url"]).cookies}
    newest = {one["token"] for one in there.rows("session?login=nick")}

    assert {jar["fernbrook"]} == newest != before
    assert tries(there, "nick") == [("password", 1)], "nobody was signed out"


def test_a_living_session_of_the_identity_provider_renews_ours_without_password_and_code(
    willow: House, there: Portal
) -> None:
    connected = linked(willow, there, Single(local=True), "sam")
    give(connected, there, "sam")
    answer(connected, there.code("sam"))
    assert connected.read()["state"] == "healthy"
    there.order("DELETE", "session")
    there.order("DELETE", "request")

    assert connected.sync("patients")["state"] == "published"

    assert tries(there, "sam") == [("password", 1), ("code", 1)], "those of the first time"
    assert len(there.rows("code?login=sam")) == 1
    assert [one["path"] for one in there.rows("request") if one["method"] == "POST"] == []
    # The control: without that session the provider asks for both.
    there.order("DELETE", "session")
    there.order("DELETE", "idp_session")
    assert connected.sync("patients")["reason"] == "second_factor_needed"
    assert tries(there, "sam")[-1] == ("password", 1)


@contextmanager
def carried(there: Portal, box: Postbox, login: str) -> Iterator[None]:
    """Carry what the portal mails to somebody into their mailbox, as the post would."""
    done, known = threading.Event(), 0

    def carry() -> None:
        nonlocal known
        while not done.wait(0.2):
            letters: list[dict[str, Any]] = there.order("GET", f"inbox/{login}")["data"]
            for letter in letters[known:]:
                box.put(letter["text"], at=datetime.fromtimestamp(letter["arrived_at"], UTC))
            known = len(letters)

    thread = threading.Thread(target=carry, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(5)


def wait_for_mail(box: Postbox, number: int = 1) -> None:
    """Wait until the post has brought so many letters."""
    deadline = time.monotonic() + 20
    while len(box.flags()) < number:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def with_mailbox(willow: House, there: Portal, box: Postbox) -> Connected:
    jobs.supply_mailboxes(ImapMailboxes(local=True, tls=box.trust))
    connected = linked(willow, there, Single(local=True), "sam")
    consent = {"may_be_read": True, "statement": "A mailbox of our own that gets the portal's codes alone."}
    body = {"host": "localhost", "port": box.port, "username": USER, "password": PASSWORD, "consent": consent}
    assert connected.admin.post(f"{connected.path}/mailbox", body).status_code == 202
    return connected


def test_a_code_is_read_from_the_mailbox_and_the_older_one_that_lies_there_is_not_used(
    willow: House, there: Portal, tmp_path: Path
) -> None:
    there.set(code_seconds=60)
    there.order("POST", "code", {"login": "sam", "way": "email", "seconds_ago": 90})  # dead there, unread here
    with postbox(tmp_path) as box, carried(there, box, "sam"):
        wait_for_mail(box)
        connected = with_mailbox(willow, there, box)
        there.set(code_late_seconds=2)
        give(connected, there, "sam")

    assert connected.read()["state"] == "healthy"
    assert tries(there, "sam") == [("password", 1), ("code", 1)]
    assert connected.list("challenges")[0]["state"] == "passed"
    assert connected.open_items() == []


def test_where_the_portal_sends_no_code_because_an_unused_one_is_alive_that_one_is_used(
    willow: House, there: Portal, tmp_path: Path
) -> None:
    there.order("POST", "code", {"login": "sam", "way": "email", "seconds_ago": 20})
    with postbox(tmp_path) as box, carried(there, box, "sam"):
        wait_for_mail(box)
        connected = with_mailbox(willow, there, box)
        give(connected, there, "sam")

    assert connected.read()["state"] == "healthy"
    assert tries(there, "sam") == [("password", 1), ("code", 1)]
    assert len(there.rows("code?login=sam")) == 1, "none was sent"
    verified = [one for one in there.rows("request") if one["method"] == "POST" and one["path"].startswith("/id/verify")]
    assert len(verified) == 1, "and no other one was asked for"
