"""What the addresses of this room share."""

from __future__ import annotations

from rapport.platform.api.router import RoomRouter

router = RoomRouter(connected="refused", tag="Claims")

X12 = "application/edi-x12"
