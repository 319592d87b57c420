"""What the routes of remittances share."""

from __future__ import annotations

from rapport.platform.api.router import RoomRouter

router = RoomRouter(tag="Remittance")
