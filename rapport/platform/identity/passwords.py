"""
Setting a password anew, by a token that is mailed.

It takes both: the ticket that the asking program got in its answer, and the token in the mail.
So a mail that is read by somebody else, or a program that asks for a stranger, gets nowhere. The
answer, its time and its work are the same for a login that nobody has. Nobody is signed in by
it: the second factor is asked for as ever. (Security S-029, S-042.)
"""

from __future__ import annotations

import base64
import hmac
import secrets
from datetime import datetime, timedelta

from django.contrib.auth.hashers import make_password

from rapport.kernel.problems import BadRequest, FieldError, Invalid
from rapport.platform.crypto import aead, keyring
from rapport.platform.jobs.registry import defer
from rapport.platform.tenancy.queries import house_scope

from . import services, throttle
from .models import Affiliation, PasswordReset, User
from .signin import Visit

RESET_LIFE = timedelta(minutes=15)
SHORTEST, LONGEST = 12, 256
"""Length of a password. No other rule: length is what helps (NIST SP 800-63B §3.1.1.2)."""


class ResetInvalid(BadRequest):
    code, title = "reset-invalid", "The ticket or the token is not good any more. Ask again."
    keeps_work = True


def check_password(password: str, *, login: str = "", pointer: str = "/password") -> None:
    """
    Pass if this may be somebody's password.

    :raises Invalid: it is too short or too long, of one letter, or is the login
    """
    fault = ""
    if not SHORTEST <= len(password) <= LONGEST:
        fault = "too-short" if len(password) < SHORTEST else "too-long"
    elif len(set(password)) < 5 or (login and password.lower() == login):
        fault = "too-easy"
    if fault:
        text = f"Use {SHORTEST} to {LONGEST} characters that are not your login."
        raise Invalid("1 field is not valid.", errors=(FieldError(pointer, fault, text),))


def reset_token(reset: PasswordReset) -> str:
    """Return the token that is mailed: derived under the key ring, kept nowhere."""
    key = keyring.current().derive("password-reset-token")
    digest = hmac.digest(key, bytes(reset.digest), "sha256")
    return base64.b32encode(digest[:20]).decode().lower()


def ask(visit: Visit, *, login: str, now: datetime) -> tuple[str, datetime]:
    """
    Begin to set a password anew, for whoever has the login, if anybody.

    :return: the ticket, which goes to the asking program only, and until when it is good
    :raises TooManyAttempts: asked for too often
    """
    login = login.strip().lower()
    here = throttle.bucket(throttle.RESET_FROM_ADDRESS, throttle.network(visit.house.source.ip))
    of_login = throttle.bucket(throttle.RESET_OF_LOGIN, login)
    throttle.hold(of_login)
    throttle.refuse_if_full(here, of_login, now=now, reason="throttled")
    throttle.count(here, of_login, now=now)
    user = User.objects.filter(login=login, is_active=True).first()
    PasswordReset.objects.filter(expires_at__lt=now - timedelta(days=1)).delete()
    text = f"rpt_{secrets.token_urlsafe(32)}"
    reset = PasswordReset.objects.create(
        digest=aead.token_digest(text), user=user, created_at=now, expires_at=now + RESET_LIFE
    )
    defer("identity.mail_reset", house_scope(), reset_digest=bytes(reset.digest).hex())
    if user is not None:
        visit.scope.trail.target("user", user.id)
    return text, reset.expires_at


def confirm(visit: Visit, *, ticket: str, token: str, password: str, now: datetime) -> None:
    """
    Set the password. Every session of the person ends, everywhere.

    :raises ResetInvalid: ticket and token are not a pair, or not good any more
    :raises Invalid: the password is not acceptable
    """
    reset = (
        PasswordReset.objects.select_for_update(of=("self",))
        .select_related("user")
        .filter(digest=aead.token_digest(ticket))
        .first()
    )
    if reset is None:
        raise ResetInvalid(reason="unknown")
    if reset.spent_at is not None or reset.expires_at <= now:
        raise ResetInvalid(reason="spent" if reset.spent_at else "expired")
    user = reset.user
    if not hmac.compare_digest(reset_token(reset).encode(), token.strip().lower().encode()):
        # One wrong token ends it: there is no honest way to mistype what is clicked.
        reset.spent_at = now
        reset.save(update_fields=["spent_at"])
        raise ResetInvalid(reason="bound_to_other_request")
    if user is None or not user.is_active:
        raise ResetInvalid(reason="unknown")
    check_password(password, login=user.login)
    reset.spent_at = now
    reset.save(update_fields=["spent_at"])
    PasswordReset.objects.filter(user=user, spent_at__isnull=True).update(spent_at=now)
    user.password = make_password(password)
    user.password_changed_at = now
    user.save(update_fields=["password", "password_changed_at"])
    services.end_sessions(scope=visit.scope, user_id=user.id, reason="password_changed", now=now)
    homes = list(Affiliation.objects.filter(user=user).values_list("practice_id", flat=True))
    if len(homes) == 1:
        visit.enter(homes[0], user=user)
    else:
        visit.leave(user=user)
    visit.scope.trail.target("user", user.id)
