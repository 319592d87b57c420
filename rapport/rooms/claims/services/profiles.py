"""What the practice says of how a payer wants its claims."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.api import etags
from rapport.rooms.claims.models import PayerProfile
from rapport.rooms.claims.queries import desk
from rapport.rooms.coverage import queries as coverage


def change_profile(
    *, scope: Scope, payer_id: UUID, if_match: str, given: Mapping[str, Any], now: datetime
) -> PayerProfile:
    """
    Say how a payer wants its claims. It holds for what is validated from now on.

    :param given: name of a value -> the practice's word; None: the default holds again
    """
    scope.require(Permission.PAYERS_WRITE)
    coverage.get_payer(scope=scope, payer_id=payer_id, lock=True)
    profile = desk.profile_row(scope=scope, payer_id=payer_id)
    etags.check(profile, if_match)
    own = {name: value for name, value in (profile.own | dict(given)).items() if value is not None}
    if profile._state.adding:
        profile.created_at = now
    profile.own, profile.version, profile.updated_at = own, profile.version + 1, now
    profile.save()
    scope.trail.changed = sorted(given)
    scope.trail.target("payer", payer_id)
    return profile
