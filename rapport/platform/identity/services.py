"""People, memberships, sessions and keys: what can be done to them."""

from __future__ import annotations

import binascii
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from rapport.kernel.ids import new_uuid
from rapport.kernel.problems import Forbidden, NotFound
from rapport.platform.access.permissions import Permission, Role
from rapport.platform.access.scope import Scope, Source, system_scope
from rapport.platform.crypto import aead
from rapport.platform.db.session import set_scope

from .models import Affiliation, ApiKey, Credential, Membership, Session, User

ACCESS_LIFE = timedelta(minutes=15)
REFRESH_LIFE = timedelta(hours=12)
SESSION_LIFE = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Tokens:
    """Fresh secrets of a session. They are shown once and kept nowhere."""

    access: str
    refresh: str
    access_expires_at: datetime
    session_id: UUID


def create_user(*, login: str, password: str | None, display_name: str, now: datetime) -> User:
    """
    Make a person who can sign in.

    :param login: e-mail address; kept in lower case
    :param password: None for a person who cannot sign in by password yet
    """
    user = User(
        login=login.strip().lower(),
        display_name=display_name,
        created_at=now,
        password_changed_at=now,
    )
    if password is None:
        user.set_unusable_password()
    else:
        user.set_password(password)
    user.save(force_insert=True)
    return user


@transaction.atomic
def add_member(
    *,
    scope: Scope,
    user: User,
    roles: Sequence[Role],
    now: datetime,
    clinician_id: UUID | None = None,
    supervises: Sequence[UUID] = (),
) -> Membership:
    """Let a person work in the scope's practice."""
    Affiliation.objects.create(user=user, practice_id=scope.practice_id)
    return Membership.objects.create(
        practice_id=scope.practice_id,
        user=user,
        roles=[role.value for role in roles],
        clinician_id=clinician_id,
        supervises=list(supervises),
        created_at=now,
        updated_at=now,
    )


@transaction.atomic
def open_session(
    *, membership: Membership, amr: Sequence[str], source: Source, now: datetime
) -> Tokens:
    """Begin a session of a member who has proved who they are. Runs in the practice's scope."""
    session = Session.objects.create(
        practice_id=membership.practice_id,
        membership=membership,
        user_id=membership.user_id,
        amr=list(amr),
        ip=source.ip or None,
        user_agent=source.user_agent,
        created_at=now,
        last_used_at=now,
        expires_at=now + SESSION_LIFE,
    )
    return issue_tokens(session=session, now=now)


def issue_tokens(*, session: Session, now: datetime) -> Tokens:
    """Make a new pair of tokens for a session. The access token lives 15 minutes."""
    access, refresh = f"rat_{secrets.token_urlsafe(32)}", f"rrt_{secrets.token_urlsafe(32)}"
    access_expires_at = min(now + ACCESS_LIFE, session.expires_at)
    Credential.objects.bulk_create(
        Credential(
            digest=aead.token_digest(token),
            kind=kind,
            practice_id=session.practice_id,
            session_id=session.id,
            expires_at=expires_at,
            created_at=now,
        )
        for token, kind, expires_at in (
            (access, "access", access_expires_at),
            (refresh, "refresh", min(now + REFRESH_LIFE, session.expires_at)),
        )
    )
    return Tokens(access, refresh, access_expires_at, session.id)


def end_session(session: Session, *, reason: str, now: datetime) -> None:
    """End a session: its tokens are dead from the next request on."""
    if session.ended_at is None:
        session.ended_at, session.end_reason = now, reason
        session.save(update_fields=["ended_at", "end_reason"])


def end_sessions(
    *, scope: Scope, user_id: UUID, reason: str, now: datetime, but: UUID | None = None
) -> int:
    """
    End a person's sessions in every practice, and come back to the scope.

    :param but: one session that goes on
    :return: how many ended
    """
    ended = 0
    homes = Affiliation.objects.filter(user_id=user_id).values_list("practice_id", flat=True)
    for home in list(homes):
        inside = system_scope(practice_id=home, actor_id=home, time_zone=scope.time_zone)
        set_scope(inside)
        ended += end_sessions_here(scope=inside, user_id=user_id, reason=reason, now=now, but=but)
    set_scope(scope)
    return ended


def end_sessions_here(
    *, scope: Scope, user_id: UUID, reason: str, now: datetime, but: UUID | None = None
) -> int:
    """End a person's sessions in the scope's practice; return how many ended."""
    return int(
        Session.objects.visible_to(scope)
        .filter(user_id=user_id, ended_at__isnull=True)
        .exclude(id=but)
        .update(ended_at=now, end_reason=reason)
    )


def end_one_session(*, scope: Scope, session_id: UUID, now: datetime) -> None:
    """
    Sign out: one's own session, or, for those who manage members, anybody's here.

    :raises NotFound: no such session for this actor
    """
    found = Session.objects.visible_to(scope).filter(id=session_id)
    if not scope.allows(Permission.MEMBERS_MANAGE):
        found = found.filter(user_id=person_of(scope))
    session = found.select_for_update().first()
    if session is None:
        raise NotFound(_sought=[("session", session_id)])
    reason = "signed_out" if session.user_id == scope.actor_id else "revoked"
    end_session(session, reason=reason, now=now)
    scope.trail.target("session", session.id)


class PersonOnly(Forbidden):
    code, title = "person-only", "A program cannot do this: it takes a person who is signed in."


def person_of(scope: Scope) -> UUID:
    """Return the person who is signed in. :raises PersonOnly: an API key is asking"""
    if scope.actor_type != "user" or scope.user_id is None:
        raise PersonOnly(reason="person_only")
    return scope.user_id


@transaction.atomic
def create_api_key(
    *,
    owner: Membership,
    name: str,
    scopes: Sequence[Permission],
    expires_at: datetime,
    livemode: bool,
    now: datetime,
    ip_allowlist: Sequence[str] = (),
) -> tuple[ApiKey, str]:
    """
    Make a key for a program, without asking who wants it; `keys.issue` asks.

    :return: the row, and the key itself, which is shown once and not kept
    """
    key_id = new_uuid()
    body = f"bh_{'live' if livemode else 'test'}_{key_id.hex[-12:]}_{secrets.token_urlsafe(32)}"
    # A checksum, so that secret scanners can tell a real key from a lookalike.
    text = f"{body}_{binascii.crc32(body.encode()):08x}"
    key = ApiKey.objects.create(
        id=key_id,
        practice_id=owner.practice_id,
        owner=owner,
        name=name,
        scopes=[scope.value for scope in scopes],
        ip_allowlist=list(ip_allowlist),
        hint=text[:12],
        expires_at=expires_at,
        created_at=now,
        updated_at=now,
    )
    Credential.objects.create(
        digest=aead.token_digest(text),
        kind="api_key",
        practice_id=owner.practice_id,
        api_key_id=key.id,
        expires_at=expires_at,
        created_at=now,
    )
    return key, text


@dataclass(frozen=True, slots=True)
class Bootstrapped:
    """Somebody who can sign in at once, and what they need for it. Shown once, kept nowhere."""

    user: User
    membership: Membership
    password: str
    totp_secret: str
    recovery_codes: list[str]


@transaction.atomic
def bootstrap_user(
    *,
    scope: Scope,
    login: str,
    display_name: str,
    roles: Sequence[Role],
    now: datetime,
    password: str | None = None,
    clinician_id: UUID | None = None,
    supervises: Sequence[UUID] = (),
) -> Bootstrapped:
    """
    Make a person with password, authenticator and membership, for the operator and the demo.

    :param password: a random one is made when None
    """
    from . import mfa

    password = password or secrets.token_urlsafe(18)
    user = create_user(login=login, password=password, display_name=display_name, now=now)
    member = add_member(
        scope=scope,
        user=user,
        roles=roles,
        now=now,
        clinician_id=clinician_id,
        supervises=supervises,
    )
    secret, codes = mfa.enrol_confirmed(user=user, now=now)
    return Bootstrapped(user, member, password, secret, codes)
