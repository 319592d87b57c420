"""What telehealth tells."""

from __future__ import annotations

CREATED = "telehealth.created"
MOVED = "telehealth.moved"
OPENED = "telehealth.started"
ENDED = "telehealth.ended"
CANCELLED = "telehealth.cancelled"
RENEWED = "telehealth.renewed"
