"""Telehealth's shapes in the API."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from pydantic import Field

from rapport.kernel.ids import type_id
from rapport.platform.access.scope import Scope
from rapport.platform.api.shapes import Input, Instant, Shape, instant, instant_or_none
from rapport.rooms.roster import queries as roster
from rapport.rooms.roster.schemas import ClinicianRef
from rapport.rooms.scheduling.schemas import JoinUrl, SessionRef

from . import queries
from .models import Session

State = Literal["scheduled", "open", "ended", "cancelled"]


class TelehealthSessionOut(Shape):
    """A telehealth session."""

    object: Literal["telehealth_session"]
    id: str
    appointment_id: str
    state: State
    host: ClinicianRef
    opens_at: Instant
    closes_at: Instant
    started_at: Instant | None
    ended_at: Instant | None
    join_urls: Annotated[
        list[JoinUrl], Meta(description="One per person, for those who book or host.")
    ]
    version: int
    created_at: Instant
    updated_at: Instant


class JoinOut(Shape):
    """What a link opens."""

    object: Literal["telehealth_join"]
    id: Annotated[str, Meta(description="Of the session.")]
    person: Literal["host", "patient"]
    state: State
    may_enter: Annotated[
        bool, Meta(description="False: wait. A patient enters once the host has started.")
    ]
    host_display_name: str
    opens_at: Instant
    closes_at: Instant
    version: int


class JoinIn(Input):
    """A token, as the link carries it behind its `#`."""

    token: str = Field(min_length=1, max_length=200)


class LinksIn(Input):
    """Nothing more needs to be said."""


msgspec.json.Decoder(SessionRef)  # met here by one thread: two that first meet a type at once end the process


def session_ref(scope: Scope, session: Session) -> SessionRef:
    """Return a session as its appointment's answer carries it, with links."""
    host = roster.get_clinician(scope=scope, clinician_id=session.host_id)
    kept = queries.summary(session, host=host)
    kept["join_urls"] = queries.join_urls(scope=scope, session=session)
    return msgspec.convert(kept, SessionRef)


def session_out(scope: Scope, session: Session) -> TelehealthSessionOut:
    """Return the shape of a session."""
    ref = session_ref(scope, session)
    return TelehealthSessionOut(
        object="telehealth_session",
        id=ref.id,
        appointment_id=type_id("appointment", session.appointment_id),
        state=session.state,  # type: ignore[arg-type]
        host=ref.host,
        opens_at=ref.opens_at,
        closes_at=ref.closes_at,
        started_at=instant_or_none(session.started_at),
        ended_at=instant_or_none(session.ended_at),
        join_urls=ref.join_urls,
        version=session.version,
        created_at=instant(session.created_at),
        updated_at=instant(session.updated_at),
    )
