"""A machine without a browser: nobody signs in there, somebody is told, and it goes on by itself once there is one."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from rapport.platform.access.scope import Scope
from rapport.platform.jobs import registry as jobs
from rapport.rooms.exchange import queries
from rapport.rooms.exchange.models import Challenge, Connection
from rapport.rooms.exchange.ports import Reason, Trouble
from rapport.rooms.exchange.states import MAY_SIGN_IN, WORKS, ChallengeState

from . import troubles
from .portals import portal


def note_unable(*, scope: Scope, connection_id: UUID, trouble: Trouble, now: datetime) -> Trouble:
    """Say that this machine cannot sign in anywhere. Nothing was opened for it, and no try is counted."""
    connection = queries.get_connection(scope=scope, connection_id=connection_id, lock=True)
    if connection.state in MAY_SIGN_IN:
        troubles.meet(scope=scope, connection=connection, capability="sign_in", trouble=trouble, now=now)
    return trouble


def go_on_where_able(*, scope: Scope, connection: Connection) -> None:
    """Take up what stopped for want of a browser, if there is one on this machine now."""
    items = queries.open_items(scope=scope, connection_id=connection.id)
    if not any(item.matter == Reason.NO_BROWSER for item in items) or portal().unable() is not None:
        return
    answered = Challenge.objects.visible_to(scope).filter(
        connection_id=connection.id, state=ChallengeState.ANSWERED
    ).first()  # fmt: skip
    if answered is not None:
        jobs.defer(
            "exchange.answer_challenge", scope, queueing_lock=f"answer:{answered.id}",
            connection_id=connection.id, challenge_id=answered.id,
        )  # fmt: skip
        return
    jobs.defer(
        "exchange.sign_in", scope, queueing_lock=f"sign-in:{connection.id}", connection_id=connection.id,
        cause="renewal" if connection.state in WORKS else "person",
    )  # fmt: skip
