"""A real SMTP server that keeps what it is given."""

from __future__ import annotations

import email
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from email.message import Message
from typing import Any

from aiosmtpd.controller import Controller
from django.conf import settings
from django.test import override_settings


@dataclass
class Mailbox:
    """What arrived."""

    port: int = 0
    refuse: str = ""
    """An SMTP answer to give instead of taking the mail."""
    mails: list[tuple[str, Message]] = field(default_factory=list)
    """Recipient and mail, in the order they came."""

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.refuse:
            return self.refuse
        for recipient in envelope.rcpt_tos:
            self.mails.append((recipient, email.message_from_bytes(envelope.content)))
        return "250 OK"

    def text(self, place: int = -1) -> str:
        """The text of a mail; the latest unless told otherwise."""
        payload = self.mails[place][1].get_payload(decode=True)
        assert isinstance(payload, bytes)
        return payload.decode().replace("\r\n", "\n")


@contextmanager
def mailbox(tls: ssl.SSLContext | None = None) -> Iterator[Mailbox]:
    """
    Start a mail server on a free port, and let the product send through it.

    :param tls: speak TLS from the start (`smtps`)
    """
    box = Mailbox()
    # Port 0: the system gives a free one.
    controller = _Controller(box, hostname="127.0.0.1", port=0, ssl_context=tls)
    controller.start()
    box.port = controller.bound_port
    url = f"{'smtps' if tls else 'smtp'}://127.0.0.1:{box.port}"
    try:
        with override_settings(RAPPORT=replace(settings.RAPPORT, smtp_url=url)):
            yield box
    finally:
        controller.stop()


class _Controller(Controller):
    """aiosmtpd's server, on whichever port is free."""

    @property
    def bound_port(self) -> int:
        return int(self.server.sockets[0].getsockname()[1])

    def _trigger_server(self) -> None:
        self.port = self.bound_port
        super()._trigger_server()
