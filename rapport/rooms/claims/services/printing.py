"""How far the practice's printer is off."""

from __future__ import annotations

from datetime import datetime

from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.api import etags
from rapport.platform.db import sql
from rapport.rooms.claims.models import PrintSetting
from rapport.rooms.claims.queries import desk


def change_print_setting(*, scope: Scope, if_match: str, dx: int, dy: int, now: datetime) -> PrintSetting:
    """Move what is printed on CMS-1500 forms. :param dx: to the right, :param dy: down, hundredths of an inch"""
    scope.require(Permission.CLAIMS_WRITE)
    # Of two who move it at once, for the first time too, the second learns what is now.
    sql.hold(f"{scope.practice_id}|print-setting")
    setting = desk.print_setting(scope=scope)
    etags.check(setting, if_match)
    if setting._state.adding:
        setting.created_at = now
    setting.dx, setting.dy, setting.version, setting.updated_at = dx, dy, setting.version + 1, now
    setting.save()
    scope.trail.changed = ["dx", "dy"]
    return setting
