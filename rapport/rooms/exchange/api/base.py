"""What the routes of connections share."""

from __future__ import annotations

from rapport.platform.access.permissions import Permission
from rapport.platform.api.router import RoomRouter

router = RoomRouter(tag="Connections")

READ, MANAGE = Permission.CONNECTIONS_READ, Permission.CONNECTIONS_MANAGE
