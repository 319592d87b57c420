"""A real IMAP server: the codes of the right sender, by the server's clock and numbers, and nothing is touched."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rapport.connectors.mailbox_imap.driver import ImapMailboxes
from rapport.rooms.exchange.ports import CodeFound, CodeMail, Mailbox, MailClosed
from tests.support.imap import PASSWORD, SENDER, USER, Postbox, postbox

RULE = CodeMail((SENDER, "@mail.fernbrook.example"), r"verification code is ([0-9]{6})\.")


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Postbox]:
    with postbox(tmp_path) as running:
        yield running


def reader(box: Postbox) -> ImapMailboxes:
    return ImapMailboxes(local=True, tls=box.trust)


def account(box: Postbox, *, host: str = "localhost", password: str = PASSWORD) -> Mailbox:
    return Mailbox(host, box.port, USER, password)


def codes(box: Postbox, *, minutes: float = 5) -> list[CodeFound]:
    since = datetime.now(UTC) - timedelta(minutes=minutes)
    with closing(reader(box).follow(account(box), rule=RULE, since=since)) as looks:
        return list(next(looks))


def test_codes_of_the_right_sender_are_found_and_the_mailbox_is_as_it_was(box: Postbox) -> None:
    box.code("111111", seconds_ago=900)
    box.code("222222", seconds_ago=60)
    box.code("333333", sender="somebody@elsewhere.example")
    box.put("Nothing for you here.")
    box.put("<p>Your Fernbrook verification code is <b>444444</b>.</p>", sender="x@mail.fernbrook.example", html=True)
    box.put("x" * 300_000 + "verification code is 555555.")
    before = box.flags()

    found = codes(box)

    assert [one.code for one in found] == ["222222"], "too old, of somebody else, without a code, too long"
    assert abs((datetime.now(UTC) - found[0].arrived_at).total_seconds() - 60) < 5
    assert found[0].code not in repr(found[0])
    assert box.flags() == before
    assert [one.code for one in codes(box, minutes=30)] == ["111111", "222222"], "the control: it was too old"


def test_a_code_in_a_page_is_read_as_its_reader_would(box: Postbox) -> None:
    box.put("<p>Your Fernbrook verification code is 444444.</p>", sender="x@mail.fernbrook.example", html=True)
    assert [one.code for one in codes(box)] == ["444444"]


def test_what_arrives_while_it_is_open_is_seen_and_has_a_number_behind_the_mark(box: Postbox) -> None:
    box.code("111111")
    mark = reader(box).mark(account(box))
    since = datetime.now(UTC) - timedelta(minutes=5)
    with closing(reader(box).follow(account(box), rule=RULE, since=since)) as looks:
        old, = next(looks)
        box.code("222222")
        _, new = next(looks)

    assert (old.code, new.code) == ("111111", "222222")
    assert old.uid < mark.next_uid <= new.uid
    assert {mark.validity} == {old.validity, new.validity}


def test_a_password_that_is_not_taken_is_told_from_a_server_that_is_not_there(box: Postbox) -> None:
    with pytest.raises(MailClosed) as wrong:
        reader(box).mark(account(box, password="ZZSECRET-wrong"))
    with pytest.raises(MailClosed) as gone:
        reader(box).mark(Mailbox("localhost", 1, USER, PASSWORD))

    assert (wrong.value.rejected, gone.value.rejected) == (True, False)
    assert "ZZSECRET" not in wrong.value.detail
    assert USER not in wrong.value.detail


def test_a_certificate_that_nobody_vouches_for_gets_no_password(box: Postbox) -> None:
    with pytest.raises(MailClosed, match="certificate"):
        ImapMailboxes(local=True, tls=ssl.create_default_context).mark(account(box))


@pytest.mark.parametrize(("host", "port"), [
    ("10.0.0.5", 993), ("169.254.169.254", 993), ("localhost", 993), ("127.0.0.1", 993), ("mail.internal", 993),
    ("imap.example.org", 143), ("imap.example.org", 25), ("imap.example.org/x", 993), ("user@imap.example.org", 993),
])  # fmt: skip
def test_servers_that_lead_inside_or_speak_without_tls_are_not_called(host: str, port: int) -> None:
    assert ImapMailboxes().allows(host, port)
    with pytest.raises(MailClosed):
        ImapMailboxes().mark(Mailbox(host, port, USER, PASSWORD))


def test_a_public_name_that_leads_inside_is_not_called(box: Postbox) -> None:
    assert ImapMailboxes().allows("imap.example.org", 993) == "", "the control: the name itself is allowed"
    inside = ImapMailboxes(resolve=lambda host, port: ["10.0.0.5"], tls=box.trust)
    with pytest.raises(MailClosed, match="not public"):
        inside.mark(Mailbox("imap.example.org", 993, USER, PASSWORD))
