"""Questions about practices."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from rapport.platform.access.scope import Scope, system_scope

from .models import HOUSE_ID, Practice


def get_practice(*, scope: Scope) -> Practice:
    """Return the actor's own practice."""
    return Practice.objects.get(id=scope.practice_id)


def house_scope() -> Scope:
    """Return the scope of the installation itself: its trail, and no patient."""
    return system_scope(practice_id=HOUSE_ID, actor_id=HOUSE_ID, time_zone=ZoneInfo("UTC"))
