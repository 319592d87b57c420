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

GROUP_CREATED = "group.created"
GROUP_UPDATED = "group.updated"
GROUP_SESSION_CREATED = "group_session.created"
GROUP_SESSION_RESCHEDULED = "group_session.rescheduled"
GROUP_SESSION_CANCELLED = "group_session.cancelled"
