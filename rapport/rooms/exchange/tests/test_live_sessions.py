"""Sessions with real parts: the sandbox portal, Chromium, a mailbox by IMAP, and the room between them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from rapport.connectors.portals.sessions import opened
from rapport.connectors.portals.tests.live import needs_chromium
from rapport.rooms.exchange import services
from rapport.rooms.exchange.jobs import codes as looking
from rapport.rooms.exchange.jobs.syncing import sync
from rapport.rooms.exchange.rules import codes
from rapport.rooms.exchange.tests.live import (
    Driver,
    Single,
    answer,
    carried,
    give,
    linked,
    tries,
    wait_for_mail,
    with_mailbox,
)
from tests.support.cast import House
from tests.support.connected import at_once
from tests.support.imap import postbox
from tests.support.sandbox_portal import Portal

pytestmark = [needs_chromium, pytest.mark.long]


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


def test_a_code_is_read_from_the_mailbox_and_the_older_one_that_lies_there_is_not_used(
    willow: House, there: Portal, tmp_path: Path
) -> None:
    there.set(code_seconds=60)
    there.order("POST", "code", {"login": "sam", "way": "email", "seconds_ago": 90})  # dead there, unread here
    with postbox(tmp_path) as box, carried(there, box, "sam"):
        wait_for_mail(box)
        connected = with_mailbox(willow, there, box, Single(local=True), "sam")
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
        connected = with_mailbox(willow, there, box, Single(local=True), "sam")
        give(connected, there, "sam")

    assert connected.read()["state"] == "healthy"
    assert tries(there, "sam") == [("password", 1), ("code", 1)]
    assert len(there.rows("code?login=sam")) == 1, "none was sent"
    verified = [one for one in there.rows("request") if one["method"] == "POST" and one["path"].startswith("/id/verify")]
    assert len(verified) == 1, "and no other one was asked for"


BRINGS = "texts@phone.example"
"""Who carries dana's texts into the mailbox."""
TEXTS = {"texts": {"sender": BRINGS, "telephone_ends": "0142"}}


def test_a_code_by_text_is_read_where_the_texts_of_that_telephone_come_and_an_older_one_is_not_used(
    willow: House, there: Portal, tmp_path: Path
) -> None:
    there.set(code_seconds=60)
    there.order("POST", "code", {"login": "dana", "way": "sms", "seconds_ago": 90})  # dead there, unread here
    with postbox(tmp_path) as box, carried(there, box, "dana", sender=BRINGS):
        wait_for_mail(box)
        connected = with_mailbox(willow, there, box, Driver(local=True), "dana", **TEXTS)
        there.set(code_late_seconds=2)
        give(connected, there, "dana")

    assert connected.read()["state"] == "healthy"
    assert connected.list("challenges")[0]["factor"] == "sms"
    assert tries(there, "dana") == [("password", 1), ("code", 1)]
    assert connected.open_items() == []
    assert connected.read()["mailbox"]["texts"] == TEXTS["texts"]


def test_the_control_who_does_not_wait_for_the_new_text_types_the_older_one(
    willow: House, there: Portal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(codes, "NEW_WITHIN", timedelta(0))
    there.set(code_seconds=60)
    there.order("POST", "code", {"login": "dana", "way": "sms", "seconds_ago": 90})
    with postbox(tmp_path) as box, carried(there, box, "dana", sender=BRINGS):
        wait_for_mail(box)
        connected = with_mailbox(willow, there, box, Driver(local=True), "dana", **TEXTS)
        there.set(code_late_seconds=20)
        give(connected, there, "dana")

    assert tries(there, "dana")[:2] == [("password", 1), ("code", 0)]


@pytest.mark.parametrize(
    "stated",
    [{}, {"texts": {"sender": BRINGS, "telephone_ends": "9999"}}, {"texts": {"sender": "@other.example", "telephone_ends": "0142"}}],
    ids=["none", "other telephone", "other sender"],
)
def test_a_text_is_not_looked_for_where_nobody_said_that_it_comes_and_a_person_is_asked(
    willow: House, there: Portal, tmp_path: Path, stated: dict[str, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "ENOUGH_SECONDS", 3.0)
    with postbox(tmp_path) as box, carried(there, box, "dana", sender=BRINGS):
        connected = with_mailbox(willow, there, box, Driver(local=True), "dana", **stated)
        give(connected, there, "dana")
        wait_for_mail(box)

        assert tries(there, "dana") == [("password", 1)]
        assert connected.open_items() == ["second_factor_needed"]
        answer(connected, there.code("dana"))
    assert connected.read()["state"] == "healthy"
