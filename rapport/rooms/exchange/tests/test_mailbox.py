"""Codes from a mailbox that the practice connects: the right one, once, and a person where there is none."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from rapport.connectors.mailbox_imap.driver import ImapMailboxes
from rapport.rooms.exchange import jobs
from rapport.rooms.exchange.jobs import codes as reading
from rapport.rooms.exchange.models import CodeMailbox, Secret, SpentCode
from rapport.rooms.exchange.ports import CodeFound, CodeMail, MailMark
from rapport.rooms.exchange.rules.codes import choose
from tests.support.connected import Connected
from tests.support.imap import PASSWORD, SENDER, USER, Postbox, postbox
from tests.support.portal import ScriptedPortal

RIGHT = "246810"
CONSENT = {"may_be_read": True, "statement": "A mailbox of our own that gets the portal's codes alone."}


@pytest.fixture
def box(tmp_path: Path, portal: ScriptedPortal) -> Iterator[Postbox]:
    portal.code_mail = CodeMail((SENDER,), r"verification code is ([0-9]{6})\.")
    with postbox(tmp_path) as running:
        jobs.supply_mailboxes(ImapMailboxes(local=True, tls=running.trust))
        yield running


def give(connected: Connected, box: Postbox, **other: Any) -> Any:
    body = {"host": "localhost", "port": box.port, "username": USER, "password": PASSWORD, "consent": CONSENT}
    return connected.admin.post(f"{connected.path}/mailbox", body | other)


def start(connected: Connected, portal: ScriptedPortal, box: Postbox) -> None:
    """Link with a mailbox, to a portal that asks for a code by e-mail."""
    portal.script("sign_in", {"challenge": "email"})
    connected.link()
    assert give(connected, box).status_code == 202
    connected.secrets()
    connected.work()


def typed(portal: ScriptedPortal) -> list[str | None]:
    return [one["code"] for one in portal.log("answer")]


def test_the_new_code_is_typed_and_not_an_older_one_that_nobody_read(
    connected: Connected, portal: ScriptedPortal, box: Postbox
) -> None:
    box.code("111111", seconds_ago=30)
    # It takes its time: the older one lies there while the new one is under way.
    portal.sends = lambda: threading.Timer(1.5, lambda: box.code(RIGHT)).start()
    start(connected, portal, box)

    assert connected.read()["state"] == "healthy"
    assert typed(portal) == [RIGHT]
    assert connected.open_items() == []
    assert len(portal.log("sign_in")) == 1


def test_an_older_code_that_nobody_used_is_typed_where_the_portal_sends_no_other(
    connected: Connected, portal: ScriptedPortal, box: Postbox
) -> None:
    box.code(RIGHT, seconds_ago=60)
    began = time.monotonic()
    start(connected, portal, box)

    assert time.monotonic() - began > 4, "a new one could have come"
    assert typed(portal) == [RIGHT], "and no other one was asked for"
    assert connected.read()["state"] == "healthy"


def test_a_code_is_given_to_one_sign_in_and_what_does_not_come_is_asked_for_once(
    connected: Connected, portal: ScriptedPortal, box: Postbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "ENOUGH_SECONDS", 1.0)
    portal.sends = lambda: box.code(RIGHT)
    start(connected, portal, box)
    assert typed(portal) == [RIGHT]

    portal.sends = None
    portal.end_sessions()
    portal.script("sign_in", {"challenge": "email"})
    portal.script("answer", {"waits": "email"})
    connected.sync("patients")
    connected.work()

    assert typed(portal) == [RIGHT, None], "the old one is spent; another one is asked for, once"
    assert connected.open_items() == ["second_factor_needed"], "and a person is left to it"
    with connected.house.entered() as scope:
        assert SpentCode.objects.visible_to(scope).count() == 1
    path = f"{connected.path}/challenges/{connected.list('challenges')[0]['id']}/answer"
    assert connected.admin.post(path, {"code": RIGHT}).status_code == 202
    connected.work()
    assert connected.read()["state"] == "healthy"


def test_a_mailbox_that_does_not_open_is_somebodys_to_mend_and_its_password_is_not_sent_again(
    connected: Connected, portal: ScriptedPortal, box: Postbox
) -> None:
    connected.link()
    assert give(connected, box, password="ZZSECRET-wrong").status_code == 202
    connected.work()
    assert connected.open_items() == ["mailbox_closed"]
    assert connected.read()["mailbox"]["works"] is False
    assert give(connected, box, password="ZZSECRET-wrong").json()["code"] == "secret-rejected"

    assert give(connected, box).status_code == 202
    connected.work()
    assert connected.open_items() == []
    assert connected.read()["mailbox"]["works"] is True
    assert PASSWORD not in str(connected.read())


def test_without_consent_or_to_a_server_inside_no_mailbox_is_connected(
    connected: Connected, portal: ScriptedPortal, box: Postbox
) -> None:
    connected.link()
    silent = {"may_be_read": False, "statement": CONSENT["statement"]}
    assert give(connected, box, consent=silent).json()["code"] == "consent-missing"
    for host, port in (("10.0.0.5", 993), ("imap.example.org", 143), ("https://imap.example.org", 993)):
        assert give(connected, box, host=host, port=port).status_code == 422, host
    portal.code_mail = None
    assert give(connected, box).status_code == 422, "this portal mails no codes that are known"
    assert connected.read()["mailbox"] is None


def test_texts_of_a_telephone_are_read_where_it_was_said_that_they_come(
    connected: Connected, portal: ScriptedPortal, box: Postbox
) -> None:
    texts = {"sender": "@phone.example", "telephone_ends": "0142"}
    portal.code_mail, portal.code_text = None, r"code is ([0-9]{6})"
    portal.sends = lambda: box.code(RIGHT, sender="app@phone.example")
    portal.script("sign_in", {"challenge": "sms"})
    connected.link()
    assert give(connected, box).status_code == 422, "this portal mails none"
    for wrong in ({"sender": "phone.example"}, {"telephone_ends": "142"}):
        assert give(connected, box, texts=texts | wrong).status_code == 422, wrong
    assert give(connected, box, texts=texts).status_code == 202
    connected.secrets()
    connected.work()

    assert (connected.read()["state"], typed(portal)) == ("healthy", [RIGHT])
    assert connected.read()["mailbox"]["texts"] == texts


def test_texts_cannot_be_stated_for_a_portal_whose_texts_nobody_knows(
    connected: Connected, portal: ScriptedPortal, box: Postbox
) -> None:
    connected.link()
    texts = {"sender": "@phone.example", "telephone_ends": "0142"}
    assert give(connected, box, texts=texts).status_code == 422
    assert give(connected, box).status_code == 202, "the control: its mails are known"


@pytest.mark.parametrize("how", ["removed", "withdrawn"])
def test_a_mailbox_is_erased_with_its_password(
    connected: Connected, portal: ScriptedPortal, box: Postbox, how: str
) -> None:
    def kept() -> tuple[int, int]:
        with connected.house.entered() as scope:
            secrets = Secret.objects.visible_to(scope).filter(connection_id=connected.id, kind="mailbox")
            return CodeMailbox.objects.visible_to(scope).count(), secrets.count()

    connected.link()
    give(connected, box)
    assert kept() == (1, 1), "the control: it was there"
    if how == "removed":
        assert connected.admin.delete(f"{connected.path}/mailbox").status_code == 204
    else:
        assert connected.admin.post(f"{connected.path}/withdraw").status_code == 202
    assert kept() == (0, 0)


def test_a_push_is_looked_at_until_somebody_nods(connected: Connected, portal: ScriptedPortal) -> None:
    portal.script("sign_in", {"challenge": "push"})
    portal.script("answer", {"waits": "push"})
    connected.start()
    deadline = time.monotonic() + 20
    while connected.read()["state"] != "healthy" and time.monotonic() < deadline:
        time.sleep(0.3)
        connected.work()

    assert connected.read()["state"] == "healthy"
    assert typed(portal) == [None, None], "looked at twice, and nobody asked us to"
    assert connected.list("challenges")[0]["tries"] == 0, "a look is no try"


NOW = datetime(2026, 11, 2, 15, 0, tzinfo=UTC)
LIFE = timedelta(minutes=5)


def mail(uid: int, seconds_ago: float, validity: int = 1) -> CodeFound:
    return CodeFound(validity, uid, NOW - timedelta(seconds=seconds_ago), f"{uid:06}")


def chosen(found: list[CodeFound], *, waited: float = 1, mark: MailMark | None = None, spent: Any = ()) -> int | None:
    one = choose(
        found, mark=mark, issued_at=NOW - timedelta(seconds=waited), good_for=LIFE, spent=set(spent), now=NOW
    )
    return one.uid if one else None


def test_the_mailboxs_own_numbers_say_what_is_new_whatever_the_clocks_say() -> None:
    mark = MailMark(1, 8)
    assert chosen([mail(7, 0), mail(8, 90)], mark=mark) == 8, "its clock is wrong, its numbers are not"
    assert chosen([mail(7, 0)], mark=mark) is None, "one that was there before, however new it says it is"
    assert chosen([mail(7, 0)], mark=mark, waited=4) == 7, "after four seconds"
    assert chosen([mail(7, 90)], mark=MailMark(2, 1), waited=1) is None, "other numbers: its clock has to do"
    assert chosen([mail(7, 2)], mark=MailMark(2, 1), waited=1) == 7


def test_spent_and_dead_codes_are_never_chosen_and_the_newest_of_several_is() -> None:
    assert chosen([mail(7, 1), mail(8, 1), mail(9, 1)], mark=MailMark(1, 7)) == 9
    assert chosen([mail(8, 1)], mark=MailMark(1, 7), spent=[(1, 8)], waited=9) is None
    assert chosen([mail(6, 301)], mark=MailMark(1, 7), waited=9) is None, "its life is over"
    assert chosen([mail(5, 50), mail(6, 40)], mark=MailMark(1, 7), waited=9) == 6
