"""What telehealth tells."""

from __future__ import annotations

CREATED = "telehealth_session.created"
MOVED = "telehealth_session.moved"
OPENED = "telehealth_session.opened"
ENDED = "telehealth_session.ended"
CANCELLED = "telehealth_session.cancelled"
RENEWED = "telehealth_session.renewed"
