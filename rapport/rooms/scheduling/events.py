"""What scheduling tells."""

from __future__ import annotations

CREATED = "appointment.created"
UPDATED = "appointment.updated"
RESCHEDULED = "appointment.rescheduled"
CANCELLED = "appointment.cancelled"
CHECKED_IN = "appointment.checked_in"
COMPLETED = "appointment.completed"
NO_SHOW = "appointment.no_show"
REOPENED = "appointment.reopened"
