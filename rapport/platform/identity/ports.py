"""What identity needs from outside: somebody who carries a code to a person, and who knows what else waits for one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from django.conf import settings
from django.utils.module_loading import import_string

from rapport.platform.access.scope import Scope


class MailDown(Exception):
    """The mail was not taken; trying again later may help."""


class CodeMail(Protocol):
    """Carries short texts to the e-mail address that a person signs in with."""

    def send(self, *, to: str, subject: str, text: str) -> None:
        """
        Send one mail. It says a code and what it is for: no names, no health data.

        :raises MailDown: it was not taken
        """


def code_mail() -> CodeMail | None:
    """Return what mails codes, or None when this installation cannot send mail."""
    supplied: CodeMail | None = import_string(settings.CODE_MAIL)()
    return supplied


@dataclass(frozen=True, slots=True)
class PortalChallenge:
    """A portal that the practice is connected to asks for a second factor of the practice's own user there."""

    connection_id: UUID
    challenge_id: UUID
    factor: str
    masked_destination: str
    expires_at: datetime


class PortalChallenges(Protocol):
    """Knows what the portals of a practice wait for."""

    def __call__(self, *, scope: Scope, now: datetime) -> Sequence[PortalChallenge]:
        """Return it, the one that ends first before the others."""


def portal_challenges(*, scope: Scope, now: datetime) -> Sequence[PortalChallenge]:
    """Return what a practice's portals wait for. The caller has looked whether the person may answer it."""
    ask: PortalChallenges = import_string(settings.PORTAL_CHALLENGES)
    return ask(scope=scope, now=now)
