"""What identity needs from outside: somebody who carries a code to a person."""

from __future__ import annotations

from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string


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
