"""What can be done to telehealth sessions. Each runs in the caller's transaction."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID
from zoneinfo import ZoneInfo

from rapport.kernel.problems import Conflict, Forbidden, LinkExpired, LinkInvalid, StateConflict
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope, Source
from rapport.platform.crypto import aead
from rapport.platform.db.session import set_scope
from rapport.platform.outbox.emit import emit
from rapport.rooms.roster import queries as roster
from rapport.rooms.scheduling import queries as scheduling
from rapport.rooms.scheduling import services as scheduling_services
from rapport.rooms.scheduling.states import AppointmentStatus

from . import events, queries
from .models import PERSONS, Link, Session
from .states import CLOSES_AFTER, OPENS_BEFORE, Action, SessionState

if TYPE_CHECKING:
    from rapport.rooms.scheduling.models import Appointment


class NotYet(Conflict):
    code = "session-not-open-yet"
    title = "It is too early for this session."


_LIVE = (AppointmentStatus.BOOKED, AppointmentStatus.CHECKED_IN)


def follow(
    *, scope: Scope, appointment_id: UUID, now: datetime, reopened: bool = False, new: bool = False
) -> None:
    """
    Bring the session of an appointment up to what became of the appointment.

    Called in the transaction of every change: a telehealth appointment gets a session, a new time
    moves its window, another clinician gets a host link of their own and the old one dies, and an
    appointment that is off or moved to a place takes its links with it. A group meets in one room, so its
    members' appointments get no sessions of their own.

    :param reopened: an outcome was taken back: what was ended is to come again
    :param new: the appointment was made just now, and has no session yet
    """
    appointment = scheduling.get_appointment(scope=scope, appointment_id=appointment_id)
    session = (
        None if new else queries.session_of(scope=scope, appointment_id=appointment_id, lock=True)
    )
    alone = appointment.group_session_id is None
    if session is None and not (appointment.telehealth and alone):
        return
    if session is None:
        session = _create(scope, appointment, now=now)
    elif not appointment.telehealth or appointment.status not in _LIVE:
        _close(scope, session, appointment, now=now)
    else:
        _keep_up(scope, session, appointment, now=now, reopened=reopened)
    _show(scope, session, now=now)


def _window(appointment: Appointment) -> dict[str, datetime]:
    return {
        "opens_at": appointment.start_at - OPENS_BEFORE,
        "closes_at": appointment.end_at + CLOSES_AFTER,
    }


def _create(scope: Scope, appointment: Appointment, *, now: datetime) -> Session:
    session = Session(
        practice_id=scope.practice_id,
        appointment=appointment,
        patient_id=appointment.patient_id,
        host_id=appointment.clinician_id,
        created_at=now,
        updated_at=now,
        **_window(appointment),
    )
    session.save(force_insert=True)
    session.note("create", scope=scope, at=now)
    _mint(scope, session, PERSONS, now=now)
    _tell(events.CREATED, scope, session, now=now)
    return session


def _keep_up(
    scope: Scope, session: Session, appointment: Appointment, *, now: datetime, reopened: bool
) -> None:
    """Follow a live appointment's time and clinician."""
    window = _window(appointment)
    if session.state == SessionState.CANCELLED:
        session.move(Action.RENEW, scope=scope, at=now, host_id=appointment.clinician_id, **window)
        _mint(scope, session, PERSONS, now=now)
        _tell(events.RENEWED, scope, session, now=now)
        return
    moved = any(getattr(session, name) != value for name, value in window.items())
    if session.state == SessionState.ENDED and (reopened or moved):
        session.move(Action.RENEW, scope=scope, at=now)
        _tell(events.RENEWED, scope, session, now=now)
    handed_over = session.host_id != appointment.clinician_id
    if not (moved or handed_over):
        return
    session.host_id = appointment.clinician_id
    session.opens_at, session.closes_at = window["opens_at"], window["closes_at"]
    session.version += 1
    session.updated_at = now
    session.save(update_fields=["host", "opens_at", "closes_at", "version", "updated_at"])
    if moved:
        # The patient's link stays the one they have; it opens later, or earlier.
        live = Link.objects.visible_to(scope).filter(session_id=session.id, revoked_at=None)
        live.update(expires_at=session.closes_at)
        session.note("reschedule", scope=scope, at=now)
    if handed_over:
        _mint(scope, session, ("host",), now=now)
        session.note("hand_over", scope=scope, at=now)
    _tell(events.MOVED, scope, session, now=now)


def _close(scope: Scope, session: Session, appointment: Appointment, *, now: datetime) -> None:
    """End or cancel the session of an appointment that is no longer to come."""
    over = appointment.telehealth and appointment.status == AppointmentStatus.COMPLETED
    if over:
        if session.state in (SessionState.SCHEDULED, SessionState.OPEN):
            session.move(Action.END, scope=scope, at=now, ended_at=now)
            _tell(events.ENDED, scope, session, now=now)
        return
    if session.state != SessionState.CANCELLED:
        session.move(Action.CANCEL, scope=scope, at=now)
        _revoke(scope, session, PERSONS, now=now)
        _tell(events.CANCELLED, scope, session, now=now)


def _revoke(scope: Scope, session: Session, persons: tuple[str, ...], *, now: datetime) -> None:
    Link.objects.visible_to(scope).filter(
        session_id=session.id, person__in=persons, revoked_at=None
    ).update(revoked_at=now)


def _mint(scope: Scope, session: Session, persons: tuple[str, ...], *, now: datetime) -> None:
    """Give each person a fresh link; the one before opens nothing any more."""
    _revoke(scope, session, persons, now=now)
    for person in persons:
        token = secrets.token_urlsafe(32)
        link = Link(
            practice_id=scope.practice_id,
            session=session,
            patient_id=session.patient_id,
            person=person,
            digest=aead.token_digest(token),
            expires_at=session.closes_at,
            created_at=now,
        )
        link.token_sealed = aead.seal(
            token.encode(), aad=queries.place_of_token(link), purpose="field"
        )
        link.save(force_insert=True)


def _show(scope: Scope, session: Session, *, now: datetime) -> None:
    host = roster.get_clinician(scope=scope, clinician_id=session.host_id)
    scheduling_services.show_telehealth_session(
        scope=scope,
        appointment_id=session.appointment_id,
        session=queries.summary(session, host=host),
    )


def _tell(event: str, scope: Scope, session: Session, *, now: datetime) -> None:
    emit(
        event, scope=scope, object_type="telehealth_session", object_id=session.id,
        version=session.version, now=now,
    )  # fmt: skip


def _host_only(scope: Scope, session: Session) -> None:
    scope.require(Permission.TELEHEALTH_HOST)
    if scope.actor_type != "system" and scope.clinician_id != session.host_id:
        raise Forbidden("Only the host may do this.", reason="not_the_host")


def start(*, scope: Scope, session_id: UUID, now: datetime) -> Session:
    """
    Open a session: the patient may enter.

    :raises Forbidden: the actor is not the host
    :raises NotYet: before `opens_at`
    :raises StateConflict: it is open or cancelled, or its window is over
    """
    session = queries.get_session(scope=scope, session_id=session_id, lock=True)
    _host_only(scope, session)
    if now < session.opens_at:
        raise NotYet("Come back when it opens.", opens_at=session.opens_at.isoformat())
    if now >= session.closes_at:
        raise StateConflict("Its time is over.", current_state=session.state)
    session.move(
        Action.START, scope=scope, at=now, started_at=session.started_at or now, ended_at=None
    )
    _done(scope, session, events.OPENED, now=now)
    return session


def end(*, scope: Scope, session_id: UUID, now: datetime) -> Session:
    """Close an open session. :raises Forbidden: not the host. :raises StateConflict: not open."""
    session = queries.get_session(scope=scope, session_id=session_id, lock=True)
    _host_only(scope, session)
    if session.state != SessionState.OPEN:
        raise StateConflict(
            f"A session that is {session.state} cannot be ended.", current_state=session.state
        )
    session.move(Action.END, scope=scope, at=now, ended_at=now)
    _done(scope, session, events.ENDED, now=now)
    return session


def _done(scope: Scope, session: Session, event: str, *, now: datetime) -> None:
    scope.trail.target("telehealth_session", session.id, session.version)
    scope.trail.changed = ["state"]
    _show(scope, session, now=now)
    _tell(event, scope, session, now=now)


def renew_links(*, scope: Scope, session_id: UUID, now: datetime) -> Session:
    """
    Replace both links; those before open nothing any more. For a link that went astray.

    :raises Forbidden: the actor neither books nor hosts
    :raises StateConflict: the session is cancelled or ended, or its window is over
    """
    if not queries.may_hand_on(scope):
        raise Forbidden(reason="permission")
    session = queries.get_session(scope=scope, session_id=session_id, lock=True)
    dead = session.state not in (SessionState.SCHEDULED, SessionState.OPEN)
    if dead or now >= session.closes_at:
        raise StateConflict("It has no links any more.", current_state=session.state)
    _mint(scope, session, PERSONS, now=now)
    session.note("renew_links", scope=scope, at=now)
    scope.trail.target("telehealth_session", session.id, session.version)
    scope.trail.changed = ["join_urls"]
    return session


def knock(*, token: str, source: Source, now: datetime) -> tuple[Scope, Session, str]:
    """
    Come to a session's door with a link. Enters the transaction into the link's practice.

    :return: a scope that may do nothing but be audited, the session, and whose link it was
    :raises LinkInvalid: no such link, or it was revoked; which of them is not said
    :raises LinkExpired: its time is over
    """
    found = queries.link_by_token(token)
    if found is None:
        raise LinkInvalid(reason="unknown_link")
    scope = Scope(
        practice_id=found.practice_id,
        actor_type="link",
        actor_id=found.link_id,
        permissions=frozenset(),
        time_zone=ZoneInfo(found.time_zone),
        source=source,
    )
    scope.trail.target("telehealth_session", found.session_id)
    scope.trail.patient_ids.add(found.patient_id)
    set_scope(scope)
    if found.revoked:
        raise LinkInvalid(reason="revoked_link", _scope=scope)
    if found.expires_at <= now:
        raise LinkExpired(reason="expired_link", _scope=scope)
    session = queries.get_session(scope=scope, session_id=found.session_id, lock=True)
    session.note("knock", scope=scope, at=now, person=found.person)
    scope.trail.target("telehealth_session", session.id, session.version)
    return scope, session, found.person
