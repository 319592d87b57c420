"""Keys for programs. What one may do is its scopes, cut down to its owner's present rights."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from rapport.kernel.problems import FieldError, Forbidden, Invalid, NotFound
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope

from .models import ApiKey, Membership
from .services import create_api_key, person_of

LONGEST_LIFE = timedelta(days=366)
USUAL_LIFE = timedelta(days=90)


class Escalation(Forbidden):
    code, title = "role-escalation", "You may not give rights that you do not have."


def issue(
    *,
    scope: Scope,
    name: str,
    scopes: Sequence[Permission],
    expires_at: datetime | None,
    ip_allowlist: Sequence[str],
    now: datetime,
) -> tuple[ApiKey, str]:
    """
    Make a key that the actor owns.

    :param expires_at: 90 days from now when None
    :raises Escalation: a scope is not among the actor's own rights
    :raises PersonOnly: a program cannot make keys
    :raises Invalid: the expiry is past or more than a year ahead
    """
    scope.require(Permission.API_KEYS_MANAGE)
    user_id = person_of(scope)
    if set(scopes) - scope.permissions:
        raise Escalation(reason="role_escalation")
    expires_at = expires_at or now + USUAL_LIFE
    if expires_at.tzinfo is None or not now < expires_at <= now + LONGEST_LIFE:
        raise Invalid(
            "1 field is not valid.",
            errors=(
                FieldError("/expires_at", "out-of-range", "With offset, at most a year ahead."),
            ),
        )
    owner = Membership.objects.visible_to(scope).get(user_id=user_id)
    key, text = create_api_key(
        owner=owner, name=name, scopes=list(dict.fromkeys(scopes)), expires_at=expires_at,
        livemode=scope.livemode, now=now, ip_allowlist=ip_allowlist,
    )  # fmt: skip
    scope.trail.target("api_key", key.id, key.version)
    return key, text


def revoke(*, scope: Scope, api_key_id: UUID, now: datetime) -> None:
    """
    Withdraw a key: it opens nothing from the next request on. Again: nothing happens.

    :raises NotFound: no such key here
    """
    scope.require(Permission.API_KEYS_MANAGE)
    key = ApiKey.objects.visible_to(scope).select_for_update().filter(id=api_key_id).first()
    if key is None:
        raise NotFound(_sought=[("api_key", api_key_id)])
    if key.revoked_at is None:
        key.revoked_at = key.updated_at = now
        key.version += 1
        key.save(update_fields=["revoked_at", "updated_at", "version"])
    scope.trail.target("api_key", key.id, key.version)
