"""One's own second factors: see, enrol, replace. There is no way to be without."""

from __future__ import annotations

from django.utils import timezone

from rapport.kernel.ids import parse_type_id, type_id
from rapport.kernel.problems import NotFound, StateConflict, TooManyAttempts
from rapport.platform.access.permissions import Permission
from rapport.platform.api.router import ScopedRequest
from rapport.platform.api.shapes import Page, instant, instant_or_none
from rapport.platform.identity import examples, mfa, ports, services
from rapport.platform.identity import schemas as s
from rapport.platform.identity.models import MfaFactor, User

from .base import keeping_mfa, router

_PROOF = (mfa.CodeWrong, mfa.CodeUsed, TooManyAttempts, services.PersonOnly)


def _me(request: ScopedRequest) -> User:
    return User.objects.get(id=services.person_of(request.auth))


@router.get(
    "/mfa/factors",
    summary="List one's second factors",
    needs=Permission.SELF_READ,
    action="mfa.list",
    kind="list",
    returns=(200, s.FactorOut),
    problems=(services.PersonOnly,),
    example=examples.page(examples.FACTOR),
)
def list_factors(request: ScopedRequest) -> Page:
    """
    The caller's authenticator, one that waits for its first code, and how many recovery codes are
    left. Secrets and codes are never shown again. `email` stands for people without authenticator.
    """
    user_id = services.person_of(request.auth)
    found = [
        s.FactorOut(
            object="mfa_factor", id=type_id("mfa_factor", factor.id), type="totp",
            state="active" if factor.confirmed_at else "waiting", remaining=None,
            created_at=instant(factor.created_at),
            last_used_at=instant_or_none(factor.last_used_at), version=1,
        )
        for factor in MfaFactor.objects.filter(user_id=user_id).order_by("created_at")
    ]  # fmt: skip
    has_totp = any(factor.state == "active" for factor in found)
    if has_totp:
        found.append(_bare("recovery", remaining=mfa.recovery_codes_left(user_id)))
    elif ports.code_mail() is not None:
        found.append(_bare("email", remaining=None))
    request.auth.trail.count = len(found)
    return Page(data=found, has_more=False, next_cursor=None)


def _bare(type: str, *, remaining: int | None) -> s.FactorOut:
    return s.FactorOut(
        object="mfa_factor", id=None, type=type, state="active", remaining=remaining,  # type: ignore[arg-type]
        created_at=None, last_used_at=None, version=1,
    )  # fmt: skip


@router.post(
    "/mfa/totp",
    summary="Enrol an authenticator",
    needs=Permission.SELF_READ,
    action="mfa.enrol",
    key="none",
    returns=(201, s.MfaEnrolmentOut),
    problems=(*_PROOF, mfa.StepUpRequired),
    example=examples.ENROLMENT,
    request_example={"code": "123456"},
)
def begin_totp(request: ScopedRequest, body: s.TotpBeginIn) -> s.MfaEnrolmentOut:
    """
    Begin to enrol an authenticator app. Who has one proves it with a fresh `code` of it, or with a
    recovery code; else the answer is 401 `step-up-required`. The old one works until the new one
    is confirmed.
    """
    user, now = _me(request), timezone.now()
    mfa.step_up(user_id=user.id, code=body.code, now=now)
    made = mfa.begin_totp(user=user, now=now)
    return s.MfaEnrolmentOut(
        object="totp_enrolment", id=type_id("mfa_factor", made.factor.id), secret=made.secret,
        otpauth_url=made.url, version=1,
    )  # fmt: skip


@router.post(
    "/mfa/totp/confirm",
    summary="Confirm an authenticator",
    needs=Permission.SELF_READ,
    action="mfa.confirm",
    key="none",
    returns=(200, s.ConfirmedOut),
    problems=(*_PROOF, StateConflict),
    example=examples.CONFIRMED,
    request_example={"code": "123456"},
)
def confirm_totp(request: ScopedRequest, body: s.CodeIn) -> s.ConfirmedOut:
    """
    Show the first code of the new authenticator. It takes the place of the former one, and all
    other sessions of the person end. With the first one come ten recovery codes.
    """
    user, now = _me(request), timezone.now()
    factor, codes = mfa.confirm_totp(user=user, code=body.code, now=now)
    services.end_sessions(
        scope=request.auth, user_id=user.id, reason="mfa_changed", now=now,
        but=request.auth.session_id,
    )  # fmt: skip
    return s.ConfirmedOut(
        object="mfa_factor", id=type_id("mfa_factor", factor.id), type="totp", state="active",
        recovery_codes=codes, created_at=instant(factor.created_at), version=1,
    )  # fmt: skip


@router.post(
    "/mfa/recovery-codes",
    summary="Make new recovery codes",
    needs=Permission.SELF_READ,
    action="mfa.recovery_codes",
    key="none",
    returns=(201, s.RecoveryCodesOut),
    problems=_PROOF,
    example=examples.RECOVERY_CODES,
    request_example={"code": "123456"},
)
def make_recovery_codes(request: ScopedRequest, body: s.CodeIn) -> s.RecoveryCodesOut:
    """
    Ten fresh recovery codes against a fresh code of the authenticator. The former ones are void.
    They are shown this once; later only their number is.
    """
    user_id, now = services.person_of(request.auth), timezone.now()
    mfa.prove(user_id=user_id, method="totp", code=body.code, now=now)
    codes = mfa.make_recovery_codes(user_id=user_id, now=now)
    return s.RecoveryCodesOut(object="recovery_codes", codes=codes, remaining=len(codes))


@router.delete(
    "/mfa/factors/{factor_id}",
    summary="Remove a second factor: refused",
    needs=Permission.SELF_READ,
    action="mfa.disable",
    returns=(204, None),
    problems=(mfa.MfaRequiredByPolicy, services.PersonOnly),
    example=None,
)
def remove_factor(request: ScopedRequest, factor_id: str) -> None:
    """Always 403 `mfa-required-by-policy`: staff have a second factor. Enrol a new one to replace it."""
    _refuse(request, factor_id)


@router.patch(
    "/mfa/factors/{factor_id}",
    summary="Change a second factor: refused",
    needs=Permission.SELF_READ,
    action="mfa.change",
    returns=(200, s.FactorOut),
    problems=(mfa.MfaRequiredByPolicy, services.PersonOnly),
    example=examples.FACTOR,
    request_example={"state": "disabled"},
)
def change_factor(request: ScopedRequest, factor_id: str, body: s.FactorChange) -> None:
    """Always 403 `mfa-required-by-policy`: a factor cannot be switched off, only replaced."""
    keeping_mfa(request, lambda: _refuse(request, factor_id))


def _refuse(request: ScopedRequest, factor_id: str) -> None:
    id = parse_type_id("mfa_factor", factor_id)
    if id is None:
        raise NotFound(reason="malformed_id")
    mfa.refuse_removal(user_id=services.person_of(request.auth), factor_id=id)
