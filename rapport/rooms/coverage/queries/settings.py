"""What a practice wants of coverage."""

from __future__ import annotations

from datetime import datetime

from rapport.platform.access.scope import Scope
from rapport.platform.db import sql
from rapport.rooms.coverage.models import CoverageSettings


def settings_of(*, scope: Scope, now: datetime, lock: bool = False) -> CoverageSettings:
    """
    Return what the practice wants; where it never said, the defaults, not saved yet.

    The row has the practice's own id, so that its ETag is the same before and after it is first saved.

    :param now: when defaults are said to be from
    """
    if lock:  # two who say it for the first time at once: there is no row yet to be held
        sql.hold(f"{scope.practice_id}|coverage-settings")
    rows = CoverageSettings.objects.visible_to(scope)
    row = (rows.select_for_update() if lock else rows).first()
    return row or CoverageSettings(
        id=scope.practice_id, practice_id=scope.practice_id, created_at=now, updated_at=now
    )
