"""Telehealth listens to appointments, and adds its session to their answers."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from rapport.platform.access.scope import Scope
from rapport.platform.outbox.emit import Event, on
from rapport.rooms.scheduling import events as scheduling
from rapport.rooms.scheduling.services import register_annex

from . import queries, services
from .schemas import session_ref


def follow_appointment(scope: Scope, event: Event, now: datetime) -> None:
    """Bring the session up to its appointment, in the transaction of the change."""
    services.follow(
        scope=scope, appointment_id=event.object_id, now=now,
        reopened=event.type == scheduling.REOPENED, new=event.type == scheduling.CREATED,
    )  # fmt: skip


def session_with_links(scope: Scope, appointment_id: UUID) -> Any:
    """Return the session of an appointment with the links the actor may hand on."""
    session = queries.session_of(scope=scope, appointment_id=appointment_id)
    return None if session is None else session_ref(scope, session)


def connect() -> None:
    """Listen to every change of an appointment."""
    for event in (
        scheduling.CREATED, scheduling.UPDATED, scheduling.RESCHEDULED, scheduling.CANCELLED,
        scheduling.CHECKED_IN, scheduling.COMPLETED, scheduling.NO_SHOW, scheduling.REOPENED,
    ):  # fmt: skip
        on(event)(follow_appointment)
    register_annex("telehealth_session", supply=session_with_links)
