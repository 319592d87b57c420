"""Mail that carries codes. The queue knows digests only; the code is derived when it is sent."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from rapport.platform.jobs.registry import GiveUp, task

from . import mfa, passwords, ports
from .models import MfaTicket, PasswordReset


def _send(*, to: str, subject: str, text: str) -> None:
    mail = ports.code_mail()
    if mail is None:
        raise GiveUp("no_mail")
    mail.send(to=to, subject=subject, text=text)


@task("identity.mail_code", retries=1, outside=True)
def mail_code(*, practice_id: UUID, ticket_digest: str, now: datetime) -> None:
    """Mail the code of a sign-in, unless it is over. Sent again, it is the same code."""
    ticket = (
        MfaTicket.objects.select_related("user").filter(digest=bytes.fromhex(ticket_digest)).first()
    )
    if ticket is None or ticket.spent_at is not None or ticket.expires_at <= now:
        return
    _send(
        to=ticket.user.email,
        subject="Your sign-in code",
        text=f"{mfa.email_code(ticket)}\n\nIt is good for ten minutes, for the sign-in you have begun."
        "\nIf that was not you, somebody knows your password: change it.\n",
    )


@task("identity.mail_reset", retries=1, outside=True)
def mail_reset(*, practice_id: UUID, reset_digest: str, now: datetime) -> None:
    """Mail the token for a new password. For a login that nobody has there is nothing to do."""
    reset = (
        PasswordReset.objects.select_related("user")
        .filter(digest=bytes.fromhex(reset_digest), user__isnull=False)
        .first()
    )
    if reset is None or reset.user is None or reset.spent_at is not None or reset.expires_at <= now:
        return
    _send(
        to=reset.user.email,
        subject="A new password",
        text=f"{passwords.reset_token(reset)}\n\nEnter this where you asked for a new password, within"
        " fifteen minutes.\nIf you did not ask, do nothing: your password stays.\n",
    )
