"""Signing in and out, and who is asking."""

from __future__ import annotations

from django.utils import timezone

from rapport.kernel.ids import type_id
from rapport.kernel.problems import ReferenceNotFound, TooManyAttempts
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.api.lists import ListSpec, Sort
from rapport.platform.api.router import ScopedRequest
from rapport.platform.api.shapes import Answer, instant, path_id
from rapport.platform.identity import examples, mfa, services, signin
from rapport.platform.identity import schemas as s
from rapport.platform.identity.models import ApiKey, User
from rapport.platform.identity.ports import PortalChallenge
from rapport.platform.identity.signin import SignedIn, Visit
from rapport.platform.tenancy.queries import get_practice

from .base import id_in, router, visit


def _session(made: SignedIn) -> s.SessionOut:
    member, tokens = made.membership, made.tokens
    return s.SessionOut(
        object="session",
        id=type_id("session", tokens.session_id),
        token=tokens.access,
        refresh_token=tokens.refresh,
        expires_at=instant(tokens.access_expires_at),
        session_expires_at=instant(made.session.expires_at),
        scopes=made.scopes,
        roles=list(member.roles),
        practice_id=type_id("practice", member.practice_id),
        user_id=type_id("user", member.user_id),
        clinician_id=type_id("clinician", member.clinician_id) if member.clinician_id else None,
        amr=list(made.session.amr),
        portal_challenges=[_challenge(one) for one in made.portal_challenges],
        version=1,
    )


def _challenge(one: PortalChallenge) -> s.PortalChallengeOut:
    connection, challenge = type_id("connection", one.connection_id), type_id("challenge", one.challenge_id)
    return s.PortalChallengeOut(
        connection_id=connection, challenge_id=challenge, factor=one.factor,
        masked_destination=one.masked_destination or None, expires_at=instant(one.expires_at),
        answer_at=f"/v1/connections/{connection}/challenges/{challenge}/answer",
    )  # fmt: skip


@router.post(
    "/sessions",
    summary="Sign in: login and password",
    needs=None,
    action="auth.password",
    returns=(201, s.SessionOut),
    problems=(signin.MfaRequired, signin.WrongCredentials, TooManyAttempts, ReferenceNotFound),
    example=examples.SESSION,
    request_example=examples.SIGN_IN,
)
def sign_in(request: ScopedRequest, body: s.SessionIn) -> s.SessionOut:
    """
    The first step. With the right password the answer is 401 `mfa-required`, with an
    `mfa_ticket` (five minutes, good for nothing but the second step) and the `methods` that the
    person has: staff always give a second factor. A login that nobody has is answered like a
    wrong password. After ten wrong ones from an address the answer is 429, for 15 minutes.
    """
    practice_id = id_in("practice", body.practice_id, "/practice_id")
    return visit(
        request,
        lambda caller: signin.begin(
            caller, login=body.login, password=body.password, practice_id=practice_id,
            now=timezone.now(),
        ),
    )  # fmt: skip


@router.post(
    "/sessions/mfa/send",
    summary="Sign in: have a code mailed",
    needs=None,
    action="auth.mfa_send",
    returns=(202, s.CodeSentOut),
    problems=(signin.TicketInvalid, TooManyAttempts),
    example=examples.CODE_SENT,
    request_example={"ticket": "rmt_Zm9yIGV4YW1wbGU", "method": "email"},
)
def send_code(request: ScopedRequest, body: s.MfaSendIn) -> s.CodeSentOut:
    """
    Mail six digits to the address the person signs in with; good for ten minutes, for this ticket.

    Only where `methods` offers `email`: to people who have no authenticator yet. A new code makes
    the former one void; three may be sent for one ticket.
    """
    until = visit(
        request,
        lambda caller: signin.send_code(
            caller, ticket=body.ticket, method=body.method, now=timezone.now()
        ),
    )
    return s.CodeSentOut(object="mfa_code", method="email", expires_at=instant(until))


@router.post(
    "/sessions/mfa",
    summary="Sign in: second factor",
    needs=None,
    action="auth.mfa",
    returns=(201, s.SessionOut),
    problems=(
        signin.TicketInvalid, signin.PracticeRequired, mfa.CodeWrong, mfa.CodeUsed, TooManyAttempts,
        ReferenceNotFound,
    ),
    example=examples.SESSION,
    request_example=examples.SECOND_FACTOR,
)  # fmt: skip
def second_factor(request: ScopedRequest, body: s.MfaIn) -> s.SessionOut:
    """
    The second step: ticket, method and code. A code works once. After ten wrong ones the right
    one is refused too, with 429, for 15 minutes.

    Somebody who works in several practices and named none gets 422 `practice-required` with the
    `practices`; the ticket is then proved, and is sent again with `practice_id` and no code.

    Where the practice works over a portal, and that waits for a second factor of the practice's user
    there, members who may manage connections are told: `portal_challenges` says which, how much time
    is left, and where to post the code. It is the portal's factor and no part of this sign-in.
    """
    practice_id = id_in("practice", body.practice_id, "/practice_id")
    user_id = id_in("user", body.user_id, "/user_id")
    made = visit(
        request,
        lambda caller: signin.finish(
            caller, ticket=body.ticket, method=body.method, code=body.code,
            practice_id=practice_id, user_id=user_id, now=timezone.now(),
        ),
    )  # fmt: skip
    return _session(made)


@router.post(
    "/sessions/refresh",
    summary="Refresh a session",
    needs=None,
    action="token.refresh",
    returns=(200, s.SessionOut),
    problems=(signin.InvalidGrant,),
    example=examples.SESSION,
    request_example={"refresh_token": "rrt_Zm9yIGV4YW1wbGU"},
)
def refresh(request: ScopedRequest, body: s.RefreshIn) -> s.SessionOut:
    """
    Exchange a refresh token for fresh tokens. Each works once: using one again ends the session
    with all its tokens, because somebody else has it. Refreshing does not keep an idle session
    alive: 15 minutes without a request end it.
    """

    def work(caller: Visit) -> SignedIn:
        return signin.refresh(caller, token=body.refresh_token, now=timezone.now())

    return _session(visit(request, work))


SESSIONS = ListSpec(
    route="sessions",
    columns=s.SESSION_COLUMNS,
    source="identity_session s",
    id_column="s.id",
    practice_column="s.practice_id",
    sorts={"created_at": Sort("s.created_at", "timestamptz")},
    default_sort="-created_at",
    filters={},
    build=s.session_out,
    where="s.ended_at IS NULL AND s.expires_at > clock_timestamp()"
    " AND s.last_used_at > clock_timestamp() - interval '15 minutes'",
)


@router.get(
    "/sessions",
    summary="List one's sessions",
    needs=Permission.SELF_READ,
    action="session.list",
    returns=(200, s.SessionInfo),
    list_spec=SESSIONS,
    problems=(services.PersonOnly,),
    example=examples.page(examples.SESSION_INFO),
)
def list_sessions(request: ScopedRequest) -> Answer:
    """The caller's own live sessions in this practice, latest first; `current` is this one."""
    user_id = services.person_of(request.auth)
    return SESSIONS.run(
        request, scope=request.auth, extra={"me": user_id}, extra_where="s.user_id = %(me)s"
    )


@router.delete(
    "/sessions/{session_id}",
    summary="Sign out",
    needs=Permission.SELF_READ,
    action="session.end",
    returns=(204, None),
    problems=(services.PersonOnly,),
    example=None,
)
def end_session(request: ScopedRequest, session_id: str) -> None:
    """
    End a session of one's own; those who manage members can end anybody's here. Its tokens are
    refused from the next request on.
    """
    services.end_one_session(
        scope=request.auth, session_id=path_id("session", session_id), now=timezone.now()
    )


@router.delete(
    "/sessions",
    summary="Sign out everywhere else",
    needs=Permission.SELF_READ,
    action="session.end_others",
    returns=(204, None),
    problems=(services.PersonOnly,),
    example=None,
)
def end_other_sessions(request: ScopedRequest) -> None:
    """End all sessions of the caller but this one, in every practice they work in."""
    scope = request.auth
    scope.trail.count = services.end_sessions(
        scope=scope, user_id=services.person_of(scope), reason="signed_out", now=timezone.now(),
        but=scope.session_id,
    )  # fmt: skip


@router.get(
    "/me",
    summary="Who am I?",
    needs=Permission.SELF_READ,
    action="actor.read",
    returns=(200, s.MeOut),
    example=examples.ME,
)
def me(request: ScopedRequest) -> s.MeOut:
    """
    The actor behind the token: a person, or an API key. A key is never shown as its owner. `scopes`
    is what this token may do now: for a key, its scopes less what its owner lost.
    """
    scope = request.auth
    practice = get_practice(scope=scope)
    return s.MeOut(
        object="actor",
        id=type_id("user" if scope.actor_type == "user" else "api_key", scope.actor_id),
        type="user" if scope.actor_type == "user" else "api_key",
        user=_person(scope),
        api_key=_key(scope),
        practice=s.PracticeRef(
            id=type_id("practice", practice.id), name=practice.name,
            time_zone=practice.time_zone, livemode=practice.livemode,
            system="connected" if scope.connected else "native",
        ),
        practice_id=type_id("practice", practice.id),
        roles=sorted(scope.roles),
        scopes=sorted(scope.permissions),
        clinician_id=type_id("clinician", scope.clinician_id) if scope.clinician_id else None,
        session_id=type_id("session", scope.session_id) if scope.session_id else None,
        amr=list(scope.amr),
        version=1,
    )  # fmt: skip


def _person(scope: Scope) -> s.PersonOut | None:
    if scope.actor_type != "user":
        return None
    user = User.objects.get(id=scope.actor_id)
    return s.PersonOut(
        id=type_id("user", user.id), login=user.login, display_name=user.display_name
    )


def _key(scope: Scope) -> s.KeyRef | None:
    if scope.actor_type != "api_key":
        return None
    key = ApiKey.objects.visible_to(scope).get(id=scope.actor_id)
    return s.KeyRef(id=type_id("api_key", key.id), name=key.name, hint=key.hint)
