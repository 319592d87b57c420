"""Questions about telehealth sessions. They change nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings

from rapport.kernel.ids import type_id
from rapport.kernel.problems import NotFound
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.api.shapes import instant
from rapport.platform.crypto import aead
from rapport.platform.db import sql
from rapport.platform.db.rows import by_id

from .models import Link, Session

if TYPE_CHECKING:
    from rapport.rooms.roster.models import Clinician


def get_session(*, scope: Scope, session_id: UUID, lock: bool = False) -> Session:
    """Return a session of a patient the actor may see. :raises NotFound: there is none."""
    row = by_id(Session, scope=scope, id=session_id, lock=lock)
    if row is None:
        raise NotFound(_sought=[("telehealth_session", session_id)])
    scope.trail.patient_ids.add(row.patient_id)
    return row


def session_of(*, scope: Scope, appointment_id: UUID, lock: bool = False) -> Session | None:
    """Return the session of an appointment, or None."""
    row = by_id(Session, scope=scope, id=appointment_id, lock=lock, key="appointment_id")
    return row


def place_of_token(link: Link) -> bytes:
    """Return what a sealed token is bound to: it opens in its own row only."""
    return b"telehealth_link|token_sealed|" + link.practice_id.bytes + link.id.bytes


def may_hand_on(scope: Scope) -> bool:
    """Tell whether the actor may see the links: those who book, and those who host."""
    return scope.allows(Permission.APPOINTMENTS_WRITE) or scope.allows(Permission.TELEHEALTH_HOST)


def summary(session: Session, *, host: Clinician) -> dict[str, Any]:
    """Return a session as its appointment shows it, without links."""
    return {
        "id": type_id("telehealth_session", session.id),
        "state": session.state,
        "host": {"id": type_id("clinician", host.id), "display_name": host.display_name},
        "opens_at": instant(session.opens_at),
        "closes_at": instant(session.closes_at),
        "join_urls": [],
    }


def join_urls(*, scope: Scope, session: Session) -> list[dict[str, str]]:
    """
    Return the live links of a session, host first; none for those who only read.

    The token stands behind a `#`: browsers do not send that part, so it stays out of logs.
    """
    if not may_hand_on(scope):
        return []
    links = Link.objects.visible_to(scope).filter(session_id=session.id, revoked_at=None)
    base = settings.RAPPORT.link_base
    return [
        {
            "person": link.person,
            "url": f"{base}/telehealth/join#{_token(link)}",
            "expires_at": instant(link.expires_at),
        }
        for link in links.order_by("person")
    ]


def _token(link: Link) -> str:
    sealed = bytes(link.token_sealed)
    return aead.open_(sealed, aad=place_of_token(link), purpose="field").decode()


@dataclass(frozen=True, slots=True)
class Knock:
    """What a token opens, whatever practice it belongs to."""

    practice_id: UUID
    link_id: UUID
    session_id: UUID
    patient_id: UUID
    person: str
    expires_at: datetime
    revoked: bool
    time_zone: str


def link_by_token(token: str) -> Knock | None:
    """Return what a token stands for, or None. Looks over the walls: it is how one gets in."""
    row = sql.one(
        "SELECT practice_id, link_id, session_id, patient_id, person, expires_at, revoked, time_zone"
        " FROM rapport_telehealth_link(%s)",
        (aead.token_digest(token),),
    )
    return None if row is None or row[0] is None else Knock(*row)
