"""A new password, by a token that is mailed."""

from __future__ import annotations

from django.utils import timezone

from rapport.kernel.problems import TooManyAttempts
from rapport.platform.api.router import ScopedRequest
from rapport.platform.api.shapes import instant
from rapport.platform.identity import examples, passwords
from rapport.platform.identity import schemas as s

from .base import router, visit


@router.post(
    "/password-resets",
    summary="Ask for a new password",
    needs=None,
    action="password.reset_ask",
    returns=(202, s.ResetOut),
    problems=(TooManyAttempts,),
    example=examples.RESET,
    request_example={"login": "maya@example.org"},
)
def ask(request: ScopedRequest, body: s.ResetIn) -> s.ResetOut:
    """
    Mail a token to whoever has this login, if anybody. The answer is the same for every login;
    its `ticket` is needed together with the mailed token, within fifteen minutes. New members set
    their first password this way.
    """
    ticket, until = visit(
        request, lambda caller: passwords.ask(caller, login=body.login, now=timezone.now())
    )
    return s.ResetOut(object="password_reset", ticket=ticket, expires_at=instant(until))


@router.post(
    "/password-resets/confirm",
    summary="Set a new password",
    needs=None,
    action="password.reset",
    returns=(204, None),
    problems=(passwords.ResetInvalid,),
    example=None,
    request_example={
        "ticket": "rpt_Zm9yIGV4YW1wbGU",
        "token": "mfrggzdfmztwq2lknnwg23tpoa",
        "password": "correct horse battery staple",
    },
)
def confirm(request: ScopedRequest, body: s.ResetConfirmIn) -> None:
    """
    Set the password, with the ticket of the asking program and the token of the mail. Works once;
    a wrong token ends the ticket. All sessions of the person end, and signing in still takes the
    second factor.
    """
    visit(
        request,
        lambda caller: passwords.confirm(
            caller, ticket=body.ticket, token=body.token, password=body.password,
            now=timezone.now(),
        ),
    )  # fmt: skip
