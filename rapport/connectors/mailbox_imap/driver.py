"""
Reads codes from a mailbox by IMAP (RFC 3501), over TLS from the first byte.

The mailbox is opened for reading only: no mail is marked, moved or removed. Each address is checked
when it is connected to, and that one is used, as for every call that leaves the house. Of a mail only
what the definition's pattern finds is kept; no text of one is ever in an error.
"""

from __future__ import annotations

import imaplib
import re
import socket
import ssl
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import TYPE_CHECKING

from django.db import connection

from rapport.platform.net import lookup
from rapport.platform.net.addresses import UrlNotAllowed, check_url
from rapport.platform.net.guarded import InsideTransaction, default_tls
from rapport.platform.net.lookup import BlockedAddress, Resolve
from rapport.rooms.exchange.ports import CodeFound, CodeMail, Mailbox, MailClosed, MailMark

if TYPE_CHECKING:
    from imap_tools.mailbox import BaseMailBox
    from imap_tools.message import MailMessage

PORT = 993
SECONDS = 10.0
"""For each answer of the server."""
MOST_MAILS = 20
"""The newest so many are looked at."""
MOST_BYTES = 256 * 1024
"""A longer mail says no code."""


class ImapMailboxes:
    """Every mailbox that a practice connected. Keeps nothing between calls."""

    def __init__(
        self, *, local: bool = False, resolve: Resolve = lookup.system, tls: Callable[[], ssl.SSLContext] = default_tls
    ) -> None:
        """
        :param local: servers on this machine's loopback may be called, on any port (demo and tests)
        :param tls: whom to trust
        """
        self._local, self._resolve, self._tls = local, resolve, tls

    def allows(self, host: str, port: int) -> str:
        """Return why this server is not called; empty: it may be. Looks nothing up."""
        try:
            _, name, _ = check_url(f"https://{host}", local=self._local)
        except UrlNotAllowed as problem:
            return str(problem)
        if name != host.lower():
            return "A host is a name, without scheme, port or path."
        if port != PORT and not (self._local and host in ("localhost", "127.0.0.1")):
            return f"Only port {PORT} is called, with TLS from the first byte."
        return ""

    def mark(self, box: Mailbox) -> MailMark:
        """Return where the mailbox stands now. :raises MailClosed: it could not be read"""
        with self._opened(box) as opened:
            return _mark(opened)

    def follow(
        self, box: Mailbox, *, rule: CodeMail, since: datetime
    ) -> Generator[Sequence[CodeFound], None, None]:
        """Return the codes that arrived since an instant, and again each time the next is asked for."""
        with self._opened(box) as opened:
            while True:
                yield _codes(opened, rule, since)

    @contextmanager
    def _opened(self, box: Mailbox) -> Iterator[BaseMailBox]:
        # Only who reads a mailbox loads what does it: a process that answers requests never does.
        from imap_tools.errors import ImapToolsError, MailboxLoginError
        from imap_tools.mailbox import BaseMailBox as Base

        if connection.in_atomic_block:
            raise InsideTransaction
        why = self.allows(box.host, box.port)
        if why:
            raise MailClosed(why)
        client = self._client(box)

        class Box(Base):
            def _get_mailbox_client(self) -> imaplib.IMAP4:
                return client

        try:
            opened = Box()
            try:
                opened.login(box.user, box.password, initial_folder=None)
            except MailboxLoginError:
                # The server's words may quote the user; they are dropped.
                raise MailClosed("The mail server does not take this user and password.", rejected=True) from None
            yield opened
        except (ImapToolsError, imaplib.IMAP4.error, OSError, ValueError) as problem:
            raise MailClosed(f"The mail server did not answer as one does ({type(problem).__name__}).") from None
        finally:
            with suppress(OSError, imaplib.IMAP4.error):
                client.logout()

    def _client(self, box: Mailbox) -> imaplib.IMAP4:
        try:
            addresses = lookup.addresses(box.host, box.port, local=self._local, resolve=self._resolve)
        except BlockedAddress:
            raise MailClosed("The mail server's name leads to an address that is not public.") from None
        except OSError:
            raise MailClosed("There is no such mail server.") from None
        tls = self._tls()

        class Client(imaplib.IMAP4):
            """Speaks to the address that was checked, under the name that was asked for."""

            def _create_socket(self, timeout: float | None) -> socket.socket:
                plain = socket.create_connection((str(addresses[0]), box.port), SECONDS)
                return tls.wrap_socket(plain, server_hostname=box.host)

        try:
            return Client(box.host, box.port, SECONDS)
        except ssl.SSLError:
            raise MailClosed("The mail server's certificate is not to be trusted.") from None
        except (OSError, imaplib.IMAP4.error):
            raise MailClosed("The mail server could not be reached.") from None


def _mark(opened: BaseMailBox) -> MailMark:
    status = opened.folder.status("INBOX", ["UIDVALIDITY", "UIDNEXT"])
    return MailMark(int(status["UIDVALIDITY"]), int(status["UIDNEXT"]))


def _codes(opened: BaseMailBox, rule: CodeMail, since: datetime) -> list[CodeFound]:
    from imap_tools import AND

    # Opened anew each time: not every server shows what has come since in a mailbox that stands open.
    opened.folder.set("INBOX", readonly=True)
    validity = int(opened.client.response("UIDVALIDITY")[1][0] or 0)
    # IMAP searches by days; the day before covers every zone a server may count in.
    asked = AND(date_gte=(since - timedelta(days=1)).date())
    uids = [uid for uid in opened.uids(asked) if uid][-MOST_MAILS:]
    if not uids:
        return []
    heads = opened.fetch(uid_list=uids, headers_only=True, mark_seen=False, bulk=True)
    wanted = [one.uid for one in heads if one.uid and one.size_rfc822 <= MOST_BYTES and _is_from(one.from_, rule.senders)]
    if not wanted:
        return []
    arrived = _arrivals(opened, wanted)
    found = []
    for mail in opened.fetch(uid_list=wanted, mark_seen=False, bulk=True):
        code = _code(mail, rule.pattern)
        at = arrived.get(str(mail.uid))
        if code and at is not None and at >= since:
            found.append(CodeFound(validity, int(str(mail.uid)), at, code))
    return sorted(found, key=lambda one: one.uid)


def _arrivals(opened: BaseMailBox, uids: Sequence[str]) -> dict[str, datetime]:
    """Return when mails arrived, by the server: what a mail says of itself anybody can write."""
    _, answer = opened.client.uid("fetch", ",".join(uids), "(UID INTERNALDATE)")
    found = {}
    for line in answer:
        text = line if isinstance(line, bytes) else b" ".join(line) if isinstance(line, tuple) else b""
        uid, when = re.search(rb"UID (\d+)", text), imaplib.Internaldate2tuple(text)
        if uid and when:
            # The tuple is this machine's wall time.
            found[uid[1].decode()] = datetime(*when[:6]).astimezone(UTC)
    return found


def _is_from(sender: str, allowed: Sequence[str]) -> bool:
    """Tell whether a sender is one of those allowed: an address, or `@host` for all of a host."""
    sender = sender.lower()
    return any(sender.endswith(one.lower()) if one.startswith("@") else sender == one.lower() for one in allowed)


def _code(mail: MailMessage, pattern: str) -> str:
    for text in (mail.text, _words(mail.html), mail.subject):
        found = re.search(pattern, text)
        if found:
            return found[1]
    return ""


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []

    def handle_data(self, data: str) -> None:
        self.parts.append(data)


def _words(html: str) -> str:
    reader = _Text()
    reader.feed(html)
    return " ".join(reader.parts)
