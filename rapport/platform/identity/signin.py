"""
Signing in: password, then second factor, then a session. And refreshing it.

These calls are made by nobody yet: they begin in the house's scope and enter a practice when it
is known, so that what happens is in that practice's trail. A refusal here keeps its work
(`Problem.keeps_work`): the failure that is counted and its audit row are committed with it.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import NoReturn
from uuid import UUID

from django.contrib.auth.hashers import make_password

from rapport.kernel.ids import type_id
from rapport.kernel.problems import (
    BadRequest,
    FieldError,
    Invalid,
    TooManyAttempts,
    Unauthenticated,
)
from rapport.platform.access.permissions import Permission, Role, permissions_of
from rapport.platform.access.scope import Scope
from rapport.platform.audit.write import nobody
from rapport.platform.crypto import aead
from rapport.platform.db.session import set_scope
from rapport.platform.jobs.registry import defer
from rapport.platform.tenancy.models import HOUSE_ID, Practice
from rapport.platform.tenancy.queries import house_scope

from . import hashing, mfa, services, throttle
from .models import Affiliation, Credential, KnownAddress, Membership, MfaTicket, Session, User
from .ports import PortalChallenge, portal_challenges
from .services import Tokens

TICKET_LIFE = timedelta(minutes=5)
TICKET_PREFIX = "rmt_"
IDLE = timedelta(minutes=15)
MOST_CODES = 3
"""Codes mailed for one ticket."""
ADDRESS_LIFE = timedelta(days=60)


class WrongCredentials(Unauthenticated):
    code, title = "credentials-wrong", "Login or password is not right."
    keeps_work = True


class MfaRequired(Unauthenticated):
    code, title = "mfa-required", "The password is right. Now give the second factor."
    keeps_work = True
    outcome = "allow"


class TicketInvalid(Unauthenticated):
    code, title = "mfa-ticket-invalid", "The ticket is spent, too old or not of this sign-in."


class PracticeRequired(Invalid):
    code, title = "practice-required", "You work in several practices: say which."
    keeps_work = True
    outcome = "allow"


class InvalidGrant(BadRequest):
    code, title = "invalid-grant", "The refresh token is not good any more. Sign in again."
    keeps_work = True


@dataclass(slots=True)
class Visit:
    """One call of somebody who is not known yet: where it is noted, and as what."""

    scope: Scope
    """Begins as nobody in the house; the audit row is written in what it is at the end."""
    action: str
    house: Scope = field(init=False)

    def __post_init__(self) -> None:
        self.house = self.scope

    def enter(self, practice_id: UUID, *, user: User | None = None) -> Scope:
        """Give transaction and trail to a practice: as the person, or as nobody so far."""
        scope = nobody(practice_id=practice_id, source=self.house.source)
        if user is not None:
            scope = replace(scope, actor_type="user", actor_id=user.id, user_id=user.id)
        set_scope(scope)
        self.scope = scope
        return scope

    def leave(self, *, user: User | None = None) -> None:
        """Go back to the house."""
        self.enter(HOUSE_ID, user=user)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that has just begun or was refreshed."""

    tokens: Tokens
    membership: Membership
    session: Session
    portal_challenges: Sequence[PortalChallenge] = ()
    """Second factors that portals of the practice wait for, where the person may answer them."""

    @property
    def scopes(self) -> list[str]:
        """What the person may do here at present."""
        roles = frozenset(Role(role) for role in self.membership.roles)
        return sorted(
            permission.value for permission in permissions_of(roles) | {Permission.SELF_READ}
        )


def _memberships(visit: Visit, user: User, practice_id: UUID | None) -> list[Membership]:
    """Return where the person may work now, in all practices or in one."""
    found = []
    homes = Affiliation.objects.filter(user=user).order_by("id")
    if practice_id is not None:
        homes = homes.filter(practice_id=practice_id)
    for home in homes.values_list("practice_id", flat=True):
        scope = visit.enter(home)
        member = Membership.objects.visible_to(scope).filter(user=user, active=True).first()
        if member is not None:
            found.append(member)
    return found


def _place(visit: Visit, user: User | None, practice_id: UUID | None) -> None:
    """Choose the trail: the practice's where there is no doubt which, else the house's."""
    if user is None:
        return
    homes = list(Affiliation.objects.filter(user=user).values_list("practice_id", flat=True))
    if practice_id in homes:
        homes = [practice_id]
    if len(homes) == 1:
        visit.enter(homes[0])
    visit.scope.trail.target("user", user.id)


def _known_digest(user: User, address: str) -> bytes:
    return aead.blind_index(f"{user.id}|{throttle.network(address)}", context="known-address")


def _password_buckets(
    user: User | None, *, login: str, password: str, address: str, now: datetime
) -> tuple[list[throttle.Bucket], list[throttle.Bucket]]:
    """Return the buckets that bind this try, and those in which its failure counts."""
    near = throttle.network(address)
    here = throttle.bucket(throttle.PASSWORD_HERE, login, near)
    of_login = throttle.bucket(throttle.PASSWORD_OF_LOGIN, login)
    from_address = throttle.bucket(throttle.PASSWORD_FROM_ADDRESS, near)
    sprayed = throttle.bucket(throttle.PASSWORD_SPRAYED, throttle.short(password))
    all_ = [here, of_login, from_address, sprayed]
    known = (
        user is not None
        and KnownAddress.objects.filter(
            digest=_known_digest(user, address), last_at__gt=now - ADDRESS_LIFE
        ).exists()
    )
    return ([here] if known else all_), all_


def begin(
    visit: Visit, *, login: str, password: str, practice_id: UUID | None, now: datetime
) -> NoReturn:
    """
    Check login and password. It never ends in a session: the second factor comes next.

    Somebody who does not exist, has no password or is switched off costs the same hash and gets
    the same answer as a wrong password.

    :raises MfaRequired: they are right; carries the ticket and the methods
    :raises WrongCredentials: they are not, or open no practice
    :raises TooManyAttempts: too many were not
    """
    login = login.strip().lower()
    user = User.objects.filter(login=login).first()
    _place(visit, user, practice_id)
    binding, counting = _password_buckets(
        user, login=login, password=password, address=visit.scope.source.ip, now=now
    )
    throttle.refuse_if_full(*binding, now=now, reason="throttled")
    encoded = user.password if user is not None and user.is_active else None
    right = hashing.is_right(password, encoded)
    # Whoever tried at the same time has been counted once the lock is ours.
    throttle.hold(counting[0])
    throttle.refuse_if_full(*binding, now=now, reason="throttled")
    if user is None or not right:
        throttle.count(*counting, now=now)
        raise WrongCredentials(reason="bad" if user else "unknown_login")
    members = _memberships(visit, user, practice_id)
    if not members:
        visit.leave()
        throttle.count(*counting, now=now)
        raise WrongCredentials(reason="no_membership")
    if hashing.is_outdated(user.password):
        user.password = make_password(password)
        user.save(update_fields=["password"])
    if len(members) == 1:
        visit.enter(members[0].practice_id, user=user)
    else:
        visit.leave(user=user)
    text = f"{TICKET_PREFIX}{secrets.token_urlsafe(32)}"
    MfaTicket.objects.create(
        digest=aead.token_digest(text),
        user=user,
        practice_id=members[0].practice_id if len(members) == 1 else None,
        expires_at=now + TICKET_LIFE,
    )
    methods = mfa.methods_of(user.id)
    detail = "Send it with the ticket to POST /v1/sessions/mfa."
    if not methods:
        detail = "You have no second factor, and no mail can be sent. Ask your administrator."
    raise MfaRequired(detail, mfa_ticket=text, methods=methods)


def _ticket(text: str, *, now: datetime) -> MfaTicket:
    """Return and lock a ticket that is good. :raises TicketInvalid: it is not"""
    ticket = (
        MfaTicket.objects.select_for_update(of=("self",))
        .select_related("user")
        .filter(digest=aead.token_digest(text))
        .first()
    )
    if ticket is None:
        raise TicketInvalid(reason="ticket_unknown")
    if ticket.spent_at is not None:
        raise TicketInvalid(reason="ticket_spent")
    if ticket.expires_at <= now or not ticket.user.is_active:
        raise TicketInvalid(reason="ticket_expired")
    return ticket


def send_code(visit: Visit, *, ticket: str, method: str, now: datetime) -> datetime:
    """
    Mail a code for a sign-in under way. A job carries it.

    :return: until when the code is good
    :raises TicketInvalid: or Invalid when the method is not one of the person's
    :raises TooManyAttempts: three were sent for this ticket, or ten to this person in an hour
    """
    row = _ticket(ticket, now=now)
    if method not in mfa.methods_of(row.user_id):
        raise _not_offered()
    mailed = throttle.bucket(throttle.CODES_MAILED, str(row.user_id))
    throttle.hold(mailed)
    throttle.refuse_if_full(mailed, now=now, reason="throttled")
    if row.email_codes >= MOST_CODES:
        raise TooManyAttempts(reason="throttled", headers={"Retry-After": "300"})
    throttle.count(mailed, now=now)
    row.email_codes += 1
    row.email_code_sent_at = now
    row.expires_at = max(row.expires_at, now + mfa.EMAIL_CODE_LIFE)
    row.save(update_fields=["email_codes", "email_code_sent_at", "expires_at"])
    defer("identity.mail_code", house_scope(), ticket_digest=bytes(row.digest).hex())
    visit.enter(row.practice_id or HOUSE_ID, user=row.user)
    visit.scope.trail.target("user", row.user_id)
    return now + mfa.EMAIL_CODE_LIFE


def _not_offered() -> Invalid:
    return Invalid(
        "1 field is not valid.",
        errors=(FieldError("/method", "not-allowed", "Use one of the ticket's methods."),),
        reason="method",
    )


def finish(
    visit: Visit,
    *,
    ticket: str,
    method: str,
    code: str | None,
    practice_id: UUID | None,
    user_id: UUID | None,
    now: datetime,
) -> SignedIn:
    """
    Check the second factor and begin the session.

    Which practices somebody works in is told only after both factors; the ticket is then proved,
    and is sent again with the practice's id and without a code.

    :param user_id: when given, must be the person the ticket was made for
    :raises TicketInvalid: or CodeWrong, CodeUsed, TooManyAttempts
    :raises PracticeRequired: both factors are right; several practices to choose from
    """
    row = _ticket(ticket, now=now)
    user = row.user
    visit.enter(row.practice_id or HOUSE_ID)
    visit.scope.trail.target("user", user.id)
    if user_id is not None and user_id != user.id:
        raise TicketInvalid(reason="bound_to_other_login")
    if not row.proved_by:
        if method not in mfa.methods_of(user.id):
            raise _not_offered()
        if not code:
            raise Invalid("1 field is not valid.", errors=(FieldError("/code", "required"),))
        if method == "recovery":
            visit.action = "mfa.recovery"
        mfa.prove(user_id=user.id, method=method, code=code, now=now, ticket=row)
        row.proved_by = method
        row.save(update_fields=["proved_by"])
    chosen = row.practice_id or practice_id
    members = _memberships(visit, user, chosen)
    if not members:
        visit.leave()
        raise TicketInvalid(reason="no_membership")
    if len(members) > 1:
        practices = [_practice_shown(visit, member.practice_id) for member in members]
        visit.leave(user=user)
        raise PracticeRequired(
            "Send the same ticket again with practice_id and without a code.",
            errors=(FieldError("/practice_id", "required"),),
            practices=practices,
        )
    member = members[0]
    visit.enter(member.practice_id, user=user)
    source = visit.scope.source
    tokens = services.open_session(
        membership=member, amr=("pwd", mfa.AMR[row.proved_by]), source=source, now=now
    )
    row.spent_at = now
    row.save(update_fields=["spent_at"])
    KnownAddress.objects.filter(last_at__lt=now - ADDRESS_LIFE).delete()
    KnownAddress.objects.update_or_create(
        digest=_known_digest(user, source.ip), defaults={"last_at": now}
    )
    return _signed_in(visit, member, tokens, now)


def _practice_shown(visit: Visit, practice_id: UUID) -> dict[str, str]:
    visit.enter(practice_id)
    return {
        "id": type_id("practice", practice_id),
        "name": Practice.objects.values_list("name", flat=True).get(id=practice_id),
    }


def _signed_in(visit: Visit, member: Membership, tokens: Tokens, now: datetime) -> SignedIn:
    session = Session.objects.visible_to(visit.scope).get(id=tokens.session_id)
    visit.scope.trail.target("session", session.id)
    found = SignedIn(tokens, member, session)
    if Permission.CONNECTIONS_MANAGE.value not in found.scopes:
        return found
    return replace(found, portal_challenges=tuple(portal_challenges(scope=visit.scope, now=now)))


def refresh(visit: Visit, *, token: str, now: datetime) -> SignedIn:
    """
    Exchange a refresh token for fresh tokens. It works once: a second use ends the session,
    because one of the two who hold it is a thief.

    Refreshing is no sign of a person: the fifteen idle minutes go on.

    :raises InvalidGrant: it is unknown, too old, used, or its session or its person is at an end
    """
    row = (
        Credential.objects.select_for_update()
        .filter(digest=aead.token_digest(token), kind="refresh")
        .first()
    )
    if row is None or row.session_id is None:
        raise InvalidGrant(reason="unknown")
    scope = visit.enter(row.practice_id)
    session = Session.objects.visible_to(scope).select_for_update().get(id=row.session_id)
    scope.trail.target("session", session.id)
    if row.spent_at is not None:
        services.end_session(session, reason="refresh_reuse", now=now)
        raise InvalidGrant(reason="reuse")
    member = (
        Membership.objects.visible_to(scope).select_related("user").get(id=session.membership_id)
    )
    if session.ended_at is not None:
        raise InvalidGrant(reason="ended")
    if row.expires_at <= now or session.expires_at <= now:
        raise InvalidGrant(reason="expired")
    if session.last_used_at < now - IDLE:
        raise InvalidGrant(reason="idle")
    if not member.active or not member.user.is_active:
        raise InvalidGrant(reason="disabled")
    row.spent_at = now
    row.save(update_fields=["spent_at"])
    visit.enter(row.practice_id, user=member.user)
    return _signed_in(visit, member, services.issue_tokens(session=session, now=now), now)
