"""
Send a mail by SMTP (RFC 5321), over TLS from the start (`smtps`) or after STARTTLS (`smtp`).

Without TLS nothing is sent, except to this machine: a code that travels in the clear is no proof.
"""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

from django.conf import settings

from rapport.platform.identity.ports import MailDown

TIMEOUT_SECONDS = 10


@dataclass(frozen=True, slots=True)
class SmtpMail:
    """One mail server and the sender's address."""

    host: str
    port: int
    tls: bool
    """From the start; otherwise by STARTTLS."""
    sender: str
    user: str = ""
    secret: str = field(default="", repr=False)

    def send(self, *, to: str, subject: str, text: str) -> None:
        """Send one mail. :raises MailDown: the server was not reached or did not take it"""
        try:
            message = self._message(to=to, subject=subject, text=text)
            with self._connected() as server:
                server.send_message(message)
        except (OSError, smtplib.SMTPException, ValueError) as error:
            # The cause may quote the address; it is dropped, so that no log shows it.
            raise MailDown(type(error).__name__) from None

    def _message(self, *, to: str, subject: str, text: str) -> EmailMessage:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = self.sender, to, subject
        message["Date"] = formatdate(usegmt=True)
        message["Message-ID"] = make_msgid(domain=self.sender.rpartition("@")[2] or "localhost")
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(text)
        return message

    def _connected(self) -> smtplib.SMTP:
        context = ssl.create_default_context()
        if self.tls:
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                self.host, self.port, timeout=TIMEOUT_SECONDS, context=context
            )
        else:
            server = smtplib.SMTP(self.host, self.port, timeout=TIMEOUT_SECONDS)
            server.ehlo()
            if server.has_extn("starttls"):
                server.starttls(context=context)
            elif not _is_this_machine(self.host):
                server.close()
                raise smtplib.SMTPNotSupportedError("no TLS")
        if self.user:
            server.login(self.user, self.secret)
        return server


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


@lru_cache(maxsize=8)
def from_url(url: str, sender: str) -> SmtpMail:
    """
    Read `smtp://user:secret@host:port` or `smtps://…`.

    :raises ValueError: it is neither
    """
    parts = urlsplit(url)
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise ValueError("RAPPORT_SMTP_URL must be smtp://host:port or smtps://host:port")
    tls = parts.scheme == "smtps"
    return SmtpMail(
        host=parts.hostname,
        port=parts.port or (465 if tls else 587),
        tls=tls,
        sender=sender,
        user=unquote(parts.username or ""),
        secret=unquote(parts.password or ""),
    )


def from_environment() -> SmtpMail | None:
    """Return the mail server of RAPPORT_SMTP_URL, or None when there is none."""
    url = settings.RAPPORT.smtp_url
    return from_url(url, settings.RAPPORT.mail_from) if url else None
