"""What can be done to a practice."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from rapport.kernel.ids import new_uuid
from rapport.platform.access.scope import system_scope
from rapport.platform.db.session import entered

from .models import Practice


def create_practice(
    *, name: str, time_zone: str, now: datetime, livemode: bool = False, **details: str
) -> Practice:
    """
    Found a practice. Done by the installation's operator, not over the API.

    :param details: `npi`, `tax_id`, `address_line1` … as on the model
    :raises zoneinfo.ZoneInfoNotFoundError: the zone is not an IANA name
    """
    id = new_uuid()
    scope = system_scope(practice_id=id, actor_id=id, time_zone=ZoneInfo(time_zone))
    with entered(scope):
        return Practice.objects.create(
            id=id,
            name=name,
            time_zone=time_zone,
            livemode=livemode,
            created_at=now,
            updated_at=now,
            **details,
        )
