"""What follows from a trouble: who is told, what stops, and what goes on. One place for all of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from rapport.platform.access.scope import Scope
from rapport.rooms.exchange import queries
from rapport.rooms.exchange.models import Connection, DriftReport, Pace, PortalSession, SignIn
from rapport.rooms.exchange.ports import Finding, Reason, Trouble
from rapport.rooms.exchange.rules.matters import BREAKS, DOWN, DRIFT, STOPS, Matter
from rapport.rooms.exchange.states import Action, ConnectionState

from . import attention, breakers
from .pacing import BUSY_SECONDS

TAKEN_WAIT = timedelta(minutes=5)
"""Somebody else signed in as this user: so long we stay away, lest two keep throwing each other out."""
LONGEST_TAKEN_WAIT = timedelta(hours=1)
"""Each time they are there again it is twice as long, up to this."""


def meet(
    *, scope: Scope, connection: Connection, capability: str, trouble: Trouble, now: datetime
) -> None:
    """Draw the consequences of a trouble that a driver answered."""
    reason = trouble.reason
    if reason in STOPS:
        stop(
            scope=scope, connection=connection, matter=reason.value, now=now, detail=trouble.detail,
            picture=trouble.picture,
        )  # fmt: skip
    elif reason is Reason.SESSION_TAKEN:
        stay_away(scope=scope, connection=connection, until=now + _give_way(scope, connection, now))
        attention.call_for(scope=scope, connection=connection, matter=reason.value, now=now)
    elif reason is Reason.NO_BROWSER:
        if connection.state == ConnectionState.LINKING:
            connection.move(Action.TRY_AGAIN, by=scope.actor_id, at=now, reason=reason.value)
        attention.call_for(scope=scope, connection=connection, matter=reason.value, now=now, detail=trouble.detail)
    elif reason in DOWN:
        breakers.count_failure(
            scope=scope, connection=connection, reason=reason.value, now=now,
            at_once=reason is Reason.MAINTENANCE,
        )  # fmt: skip
    elif reason is Reason.CUT_SHORT:
        if breakers.count_cut(scope=scope, connection=connection, capability=capability, now=now):
            drifted(
                scope=scope, connection=connection, capability=capability, verdict="breaking", now=now,
                matter=Reason.DRIFT_BREAKING, findings=trouble.findings, detail="The page broke off each time that it was read.",
            )  # fmt: skip
    elif reason is Reason.BUSY:
        seconds = trouble.retry_after_seconds or BUSY_SECONDS
        Pace.objects.visible_to(scope).filter(connection_id=connection.id).update(
            hold_until=now + timedelta(seconds=seconds)
        )
    elif reason is Reason.NOT_PERMITTED:
        note_permission(scope=scope, connection=connection, permitted={capability: False})
        attention.call_for(
            scope=scope, connection=connection, matter=reason.value, capability=capability, now=now,
            detail=trouble.detail,
        )  # fmt: skip
    elif reason in DRIFT:
        drifted(
            scope=scope, connection=connection, capability=capability, verdict="breaking", now=now,
            matter=reason.value, findings=trouble.findings, picture=trouble.picture,
            detail=trouble.detail,
        )  # fmt: skip


def _give_way(scope: Scope, connection: Connection, now: datetime) -> timedelta:
    """Return for how long to stay away: longer where they have come back each time that we did."""
    tries = SignIn.objects.visible_to(scope).filter(connection_id=connection.id)
    last = PortalSession.objects.visible_to(scope).filter(connection_id=connection.id).first()
    if last is not None:
        tries.filter(epoch=last.epoch, outcome="signed_in").update(outcome=Reason.SESSION_TAKEN.value)
    taken = tries.filter(outcome=Reason.SESSION_TAKEN.value, began_at__gt=now - 4 * LONGEST_TAKEN_WAIT).count()
    return min(LONGEST_TAKEN_WAIT, TAKEN_WAIT * float(2 ** max(0, taken - 1)))


def stop(
    *, scope: Scope, connection: Connection, matter: str, now: datetime, detail: str = "",
    picture: bytes | None = None, subject_id: UUID | None = None,
) -> None:
    """Let the whole connection stand still until a person acts."""
    breakers.open_breaker(scope=scope, connection=connection, kind="auth", reason=matter, now=now)
    if connection.allows(Action.NEED_SOMEBODY):
        connection.move(Action.NEED_SOMEBODY, by=scope.actor_id, at=now, reason=matter)
    attention.call_for(
        scope=scope, connection=connection, matter=matter, now=now, detail=detail, subject_id=subject_id,
        picture_id=attention.keep_picture(scope=scope, picture=picture, now=now),
    )  # fmt: skip


def stay_away(*, scope: Scope, connection: Connection, until: datetime) -> None:
    """Let no sign-in go out before an instant."""
    Connection.objects.visible_to(scope).filter(id=connection.id).update(sign_in_not_before=until)
    connection.sign_in_not_before = until


def note_permission(*, scope: Scope, connection: Connection, permitted: Mapping[str, bool]) -> None:
    """Remember what the portal's user may do, as far as it was seen."""
    row = Connection.objects.visible_to(scope).select_for_update().get(id=connection.id)
    row.permitted = row.permitted | dict(permitted)
    row.save(update_fields=["permitted"])
    connection.permitted = row.permitted


def note_other_patient(*, scope: Scope, connection_id: UUID, capability: str, now: datetime) -> None:
    """A list that was asked for one patient has another's record: nothing of it is used."""
    connection = queries.get_connection(scope=scope, connection_id=connection_id, lock=True)
    drifted(
        scope=scope, connection=connection, capability=capability, verdict="suspect", now=now,
        matter=Matter.OTHER_PATIENT,
    )  # fmt: skip


def drifted(
    *, scope: Scope, connection: Connection, capability: str, verdict: str, now: datetime,
    matter: str = "", findings: Sequence[Finding] = (), fingerprint: str = "",
    before: Mapping[str, Any] | None = None, after: Mapping[str, Any] | None = None,
    picture: bytes | None = None, detail: str = "",
) -> None:
    """
    Write down that a page has changed, once per change, and stop the capability where it must.

    :param matter: reason or matter that somebody is asked about; empty: it is written down only
    """
    said = [asdict(one) for one in findings]
    last = (
        DriftReport.objects.visible_to(scope)
        .filter(connection_id=connection.id, capability=capability)
        .order_by("-at")
        .first()
    )
    fresh = last is None or (last.verdict, last.fingerprint, last.findings) != (verdict, fingerprint, said)
    picture_id = None
    if fresh:
        picture_id = attention.keep_picture(scope=scope, picture=picture, now=now)
        DriftReport.objects.create(
            practice_id=scope.practice_id, connection=connection, capability=capability,
            verdict=verdict, reason=matter, fingerprint=fingerprint, findings=said,
            shape_before=dict(before or {}), shape_after=dict(after or {}), picture_id=picture_id,
            revision=connection.revision, at=now,
        )  # fmt: skip
    if matter and (fresh or matter != Matter.DRIFT_HEALED):
        attention.call_for(
            scope=scope, connection=connection, matter=matter, capability=capability, now=now,
            detail=detail, picture_id=picture_id,
        )  # fmt: skip
    if matter in BREAKS:
        breakers.open_breaker(
            scope=scope, connection=connection, kind="drift", reason=matter, capability=capability, now=now
        )
