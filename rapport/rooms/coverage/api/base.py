"""What the routes of coverage share."""

from __future__ import annotations

from rapport.platform.access.permissions import Permission
from rapport.platform.api.router import RoomRouter

router = RoomRouter(tag="Coverage")

READ, WRITE = Permission.POLICIES_READ, Permission.POLICIES_WRITE
