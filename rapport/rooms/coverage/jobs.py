"""What coverage does by itself as days go by."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone

from rapport.platform.access.scope import system_scope
from rapport.platform.db import sql
from rapport.platform.db.session import entered
from rapport.platform.jobs import registry as jobs

from . import services


@jobs.periodic("coverage.roll_over", seconds=1800)
def roll_over() -> None:
    """Where a policy begins or ends about now, show the one that is in force on the practice's day."""
    with transaction.atomic():
        practices = sql.rows("SELECT practice_id, time_zone FROM rapport_turning_practices()")
    for practice_id, zone in practices:
        scope = system_scope(practice_id=practice_id, actor_id=practice_id, time_zone=ZoneInfo(zone))
        with entered(scope):
            services.roll_over(scope=scope, now=timezone.now())
