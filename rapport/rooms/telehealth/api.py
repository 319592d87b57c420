"""Telehealth over HTTP. A view turns a request into one service call, and does nothing else."""

from __future__ import annotations

from django.utils import timezone

from rapport.kernel.ids import type_id
from rapport.kernel.problems import LinkExpired, LinkInvalid, Problem, StateConflict
from rapport.platform.access.permissions import Permission
from rapport.platform.api import etags
from rapport.platform.api.router import RoomRouter, ScopedRequest
from rapport.platform.api.shapes import Answer, instant, path_id
from rapport.rooms.roster import queries as roster

from . import examples, queries, services
from . import schemas as s
from .models import Session
from .states import SessionState

router = RoomRouter(tag="Telehealth")


def _session(request: ScopedRequest, session: Session) -> Answer:
    scope = request.auth
    scope.trail.target("telehealth_session", session.id, session.version)
    return Answer(s.session_out(scope, session), etag=etags.of(session.id, session.version))


@router.get(
    "/telehealth-sessions/{telehealth_session_id}",
    summary="Read a telehealth session",
    needs=Permission.APPOINTMENTS_READ,
    action="telehealth_session.read",
    returns=(200, s.TelehealthSessionOut),
    example=examples.SESSION,
)
def get_session(request: ScopedRequest, telehealth_session_id: str) -> Answer:
    """One session with its window. Those who book or host also see each person's link."""
    id = path_id("telehealth_session", telehealth_session_id)
    return _session(request, queries.get_session(scope=request.auth, session_id=id))


@router.post(
    "/telehealth-sessions/{telehealth_session_id}/start",
    summary="Start a telehealth session",
    needs=Permission.TELEHEALTH_HOST,
    action="telehealth_session.start",
    returns=(200, s.TelehealthSessionOut),
    problems=(services.NotYet, StateConflict),
    example=examples.SESSION | {"state": "open", "started_at": "2026-11-02T16:58:00.000Z"},
    request_example={},
)
def start(
    request: ScopedRequest, telehealth_session_id: str, body: s.LinksIn | None = None
) -> Answer:
    """The host opens the session: the patient may enter. From 15 minutes before the start on."""
    id = path_id("telehealth_session", telehealth_session_id)
    return _session(request, services.start(scope=request.auth, session_id=id, now=timezone.now()))


@router.post(
    "/telehealth-sessions/{telehealth_session_id}/end",
    summary="End a telehealth session",
    needs=Permission.TELEHEALTH_HOST,
    action="telehealth_session.end",
    returns=(200, s.TelehealthSessionOut),
    problems=(StateConflict,),
    example=examples.SESSION | {"state": "ended", "ended_at": "2026-11-02T17:52:00.000Z"},
    request_example={},
)
def end(
    request: ScopedRequest, telehealth_session_id: str, body: s.LinksIn | None = None
) -> Answer:
    """The host closes the session. It can be started again until its window is over."""
    id = path_id("telehealth_session", telehealth_session_id)
    return _session(request, services.end(scope=request.auth, session_id=id, now=timezone.now()))


@router.post(
    "/telehealth-sessions/{telehealth_session_id}/links",
    summary="Renew the links of a telehealth session",
    needs=Permission.APPOINTMENTS_WRITE,
    action="telehealth_session.renew_links",
    returns=(200, s.TelehealthSessionOut),
    problems=(StateConflict,),
    example=examples.SESSION,
    request_example={},
)
def renew_links(
    request: ScopedRequest, telehealth_session_id: str, body: s.LinksIn | None = None
) -> Answer:
    """Fresh links for everybody; those before open nothing any more. For a link that went astray."""
    id = path_id("telehealth_session", telehealth_session_id)
    return _session(
        request, services.renew_links(scope=request.auth, session_id=id, now=timezone.now())
    )


@router.post(
    "/telehealth/join",
    summary="Come to a telehealth session with a link",
    needs=None,
    action="telehealth_session.join",
    returns=(200, s.JoinOut),
    key="none",
    problems=(LinkInvalid, LinkExpired),
    example=examples.JOIN,
    request_example={"token": "k3mJ…"},
)
def join(request: ScopedRequest, body: s.JoinIn) -> Answer:
    """
    Say who a link lets in, and whether they may enter now or have to wait.

    No sign-in: the token is the key. An unknown or replaced one is `link-invalid`, one whose time
    is over is `link-expired`. Coming is written down. Ask again while waiting.
    """
    now = timezone.now()
    edge = request.edge
    try:
        scope, session, person = services.knock(token=body.token, source=edge.source, now=now)
    except Problem as problem:
        # From here on the practice whose link it is keeps the trail of the try.
        edge.scope = problem.data.pop("_scope", None) or edge.scope
        raise
    edge.scope = scope
    host = roster.get_clinician(scope=scope, clinician_id=session.host_id)
    in_window = session.opens_at <= now < session.closes_at
    is_open = session.state == SessionState.OPEN
    waits_for_nobody = is_open or (person == "host" and session.state == SessionState.SCHEDULED)
    return Answer(
        s.JoinOut(
            object="telehealth_join",
            id=type_id("telehealth_session", session.id),
            person=person,  # type: ignore[arg-type]
            state=session.state,  # type: ignore[arg-type]
            may_enter=in_window and waits_for_nobody,
            host_display_name=host.display_name,
            opens_at=instant(session.opens_at),
            closes_at=instant(session.closes_at),
            version=session.version,
        )
    )
