"""
The second factor: authenticator app (TOTP), recovery codes, mailed codes.

A TOTP code is good in its own step and the next, by the server's clock, and once: the unique
index on (person, step) decides, not a look beforehand, so two sign-ins at the same moment cannot
both have it. (RFC 6238 §5.2; security S-025 to S-030.)
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import pyotp
from django.db import transaction

from rapport.kernel.ids import new_uuid
from rapport.kernel.problems import Forbidden, NotFound, StateConflict, Unauthenticated
from rapport.platform.crypto import aead, keyring
from rapport.platform.db import sql

from . import ports, throttle
from .models import MfaFactor, MfaTicket, RecoveryCode, User

STEP_SECONDS = 30
EMAIL_CODE_LIFE = timedelta(minutes=10)
RECOVERY_CODES = 10
ISSUER = "Rapport"
AMR = {"totp": "otp", "email": "email", "recovery": "recovery"}
"""Method -> what the session's `amr` says."""
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


class CodeWrong(Unauthenticated):
    code, title = "code-wrong", "The code is not right, or no longer."
    keeps_work = True


class CodeUsed(Unauthenticated):
    code, title = "code-used", "The code was used already. Wait for the next one."
    keeps_work = True


class MfaRequiredByPolicy(Forbidden):
    code, title = "mfa-required-by-policy", "The second factor cannot be turned off."


class StepUpRequired(Unauthenticated):
    code, title = "step-up-required", "Give a fresh code of your present second factor."


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A factor that waits for its first code. The secret is shown once."""

    factor: MfaFactor
    secret: str
    """Base32, for people who type it in."""
    url: str
    """`otpauth://totp/…`, for a QR code."""


def _aad(factor: MfaFactor) -> bytes:
    return b"identity_mfafactor|secret|" + factor.user_id.bytes + factor.id.bytes


def _secret(factor: MfaFactor) -> str:
    return aead.open_(bytes(factor.secret_sealed), aad=_aad(factor), purpose="field").decode()


def confirmed_factor(user_id: UUID) -> MfaFactor | None:
    """Return the person's authenticator, if its first code was accepted."""
    return MfaFactor.objects.filter(user_id=user_id, confirmed_at__isnull=False).first()


def recovery_codes_left(user_id: UUID) -> int:
    """Return how many recovery codes are unused. The codes themselves are not kept."""
    return RecoveryCode.objects.filter(user_id=user_id, used_at__isnull=True).count()


def methods_of(user_id: UUID) -> list[str]:
    """
    Return the ways in which a person can give their second factor, best first.

    Mail is for people who have no authenticator yet: offered beside one, it would let whoever
    reads the mailbox reset the password and pass the second factor too.
    """
    if confirmed_factor(user_id) is not None:
        return ["totp", "recovery"] if recovery_codes_left(user_id) else ["totp"]
    return ["email"] if ports.code_mail() is not None else []


def email_code(ticket: MfaTicket) -> str:
    """Return the code last mailed for a ticket: derived under the key ring, kept nowhere."""
    key = keyring.current().derive("mfa-email-code")
    digest = hmac.digest(key, bytes(ticket.digest) + bytes([ticket.email_codes]), "sha256")
    return f"{int.from_bytes(digest[:8]) % 1_000_000:06d}"


_ACCEPT = """
INSERT INTO identity_usedtotpstep (user_id, step, used_at) VALUES (%s, %s, %s)
ON CONFLICT (user_id, step) DO NOTHING
"""


def accept_step(*, user_id: UUID, step: int, now: datetime) -> bool:
    """Take a TOTP step for this transaction. False: it was taken before, or at this moment."""
    return sql.run(_ACCEPT, (user_id, step, now)) == 1


def prove(
    *, user_id: UUID, method: str, code: str, now: datetime, ticket: MfaTicket | None = None
) -> None:
    """
    Pass if the code proves the person.

    Must run where a refusal keeps its work (`Problem.keeps_work`): a wrong code is counted.

    :param method: `totp`, `recovery` or `email`
    :param now: the server's clock
    :param ticket: the sign-in under way, for a mailed code
    :raises CodeWrong: or CodeUsed
    :raises TooManyAttempts: ten were wrong; the right one is refused too for a while
    """
    tries = throttle.bucket(throttle.MFA_OF_PERSON, str(user_id))
    throttle.hold(tries)
    throttle.refuse_if_full(tries, now=now, reason="locked")
    given = code.replace(" ", "").replace("-", "").lower()
    try:
        if method == "totp":
            factor = confirmed_factor(user_id)
            if factor is None:
                raise CodeWrong(reason="no_factor")
            _check_totp(factor, given, now=now)
        elif method == "recovery":
            _check_recovery(user_id, given, now=now)
        else:
            _check_email(ticket, given, now=now)
    except (CodeWrong, CodeUsed):
        throttle.count(tries, now=now)
        raise


def _check_totp(factor: MfaFactor, given: str, *, now: datetime) -> None:
    otp = pyotp.TOTP(_secret(factor), interval=STEP_SECONDS)
    present = int(now.timestamp()) // STEP_SECONDS
    for step in (present, present - 1):
        if hmac.compare_digest(otp.generate_otp(step).encode(), given.encode()):
            if not accept_step(user_id=factor.user_id, step=step, now=now):
                raise CodeUsed(reason="replay")
            MfaFactor.objects.filter(id=factor.id).update(last_used_at=now)
            return
    # For the trail only: a clock that is wrong is told apart from a guess.
    near = [*range(present - 10, present - 1), *range(present + 1, present + 11)]
    if given in {otp.generate_otp(step) for step in near}:
        raise CodeWrong(reason="out_of_window")
    raise CodeWrong(reason="wrong")


def _recovery_digest(user_id: UUID, code: str) -> bytes:
    return aead.blind_index(f"{user_id}|{code}", context="recovery-code")


def _check_recovery(user_id: UUID, given: str, *, now: datetime) -> None:
    mine = RecoveryCode.objects.filter(user_id=user_id, digest=_recovery_digest(user_id, given))
    if mine.filter(used_at__isnull=True).update(used_at=now):
        return
    if mine.exists():
        raise CodeUsed(reason="used")
    raise CodeWrong(reason="wrong")


def _check_email(ticket: MfaTicket | None, given: str, *, now: datetime) -> None:
    if ticket is None or ticket.email_code_sent_at is None:
        raise CodeWrong(reason="no_code_sent")
    right = hmac.compare_digest(email_code(ticket).encode(), given.encode())
    if now - ticket.email_code_sent_at > EMAIL_CODE_LIFE:
        raise CodeWrong(reason="out_of_window" if right else "wrong")
    if not right:
        raise CodeWrong(reason="wrong")


def step_up(*, user_id: UUID, code: str | None, now: datetime) -> None:
    """
    Ask for a fresh code of the present authenticator (or a recovery code) before it is changed.

    Somebody who has none yet has just proved themselves by mail, and passes.

    :raises StepUpRequired: no code was given
    :raises CodeWrong: or CodeUsed, TooManyAttempts
    """
    if confirmed_factor(user_id) is None:
        return
    if not code:
        raise StepUpRequired(reason="step_up")
    method = "totp" if code.replace(" ", "").isdigit() else "recovery"
    prove(user_id=user_id, method=method, code=code, now=now)


def begin_totp(*, user: User, now: datetime) -> Enrolment:
    """
    Make a new authenticator that waits for its first code; an earlier one that waits is dropped.

    The confirmed one stays good until then.
    """
    MfaFactor.objects.filter(user=user, confirmed_at__isnull=True).delete()
    secret = pyotp.random_base32(32)
    factor = MfaFactor(id=new_uuid(), user=user, kind="totp", created_at=now)
    factor.secret_sealed = aead.seal(secret.encode(), aad=_aad(factor), purpose="field")
    factor.save(force_insert=True)
    url = pyotp.TOTP(secret).provisioning_uri(name=user.login, issuer_name=ISSUER)
    return Enrolment(factor, secret, url)


def confirm_totp(*, user: User, code: str, now: datetime) -> tuple[MfaFactor, list[str]]:
    """
    Make the waiting authenticator the person's, once it has shown a code. The former one goes.

    :return: the factor, and fresh recovery codes if it is the person's first
    :raises StateConflict: none waits
    :raises CodeWrong: or CodeUsed, TooManyAttempts
    """
    tries = throttle.bucket(throttle.MFA_OF_PERSON, str(user.id))
    throttle.hold(tries)
    throttle.refuse_if_full(tries, now=now, reason="locked")
    factor = MfaFactor.objects.filter(user=user, confirmed_at__isnull=True).first()
    if factor is None:
        raise StateConflict("Begin with POST /v1/mfa/totp.", current_state="none")
    try:
        _check_totp(factor, code.replace(" ", ""), now=now)
    except (CodeWrong, CodeUsed):
        throttle.count(tries, now=now)
        raise
    is_first = not MfaFactor.objects.filter(user=user, confirmed_at__isnull=False).exists()
    MfaFactor.objects.filter(user=user, confirmed_at__isnull=False).delete()
    factor.confirmed_at = factor.last_used_at = now
    factor.save(update_fields=["confirmed_at", "last_used_at"])
    return factor, make_recovery_codes(user_id=user.id, now=now) if is_first else []


def enrol_confirmed(*, user: User, now: datetime) -> tuple[str, list[str]]:
    """Give a person an authenticator without asking for a code of it; for `bootstrap_user`."""
    enrolment = begin_totp(user=user, now=now)
    MfaFactor.objects.filter(id=enrolment.factor.id).update(confirmed_at=now)
    return enrolment.secret, make_recovery_codes(user_id=user.id, now=now)


@transaction.atomic
def make_recovery_codes(*, user_id: UUID, now: datetime) -> list[str]:
    """Replace the person's recovery codes by ten new ones, which are shown once and not kept."""
    plain = ["".join(secrets.choice(_LETTERS) for _ in range(10)) for _ in range(RECOVERY_CODES)]
    RecoveryCode.objects.filter(user_id=user_id).delete()
    RecoveryCode.objects.bulk_create(
        RecoveryCode(digest=_recovery_digest(user_id, code), user_id=user_id, created_at=now)
        for code in plain
    )
    return [f"{code[:5]}-{code[5:]}" for code in plain]


def refuse_removal(*, user_id: UUID, factor_id: UUID) -> None:
    """
    Refuse to remove or change a factor: staff always have one. It can be replaced.

    :raises MfaRequiredByPolicy: always, where the factor is the person's
    :raises NotFound: it is not
    """
    if not MfaFactor.objects.filter(user_id=user_id, id=factor_id).exists():
        raise NotFound()
    raise MfaRequiredByPolicy(
        "Enrol a new one with POST /v1/mfa/totp; it takes the old one's place."
    )
