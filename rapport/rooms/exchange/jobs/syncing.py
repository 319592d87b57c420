"""Readings: one kind at a time, piece by piece, into the mirror."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from rapport.platform.access.scope import Scope
from rapport.platform.db.session import entered
from rapport.platform.jobs import registry as jobs
from rapport.rooms.exchange import queries, services
from rapport.rooms.exchange.ports import Got, SignedIn, Target, Trouble
from rapport.rooms.exchange.rules.freshness import given
from rapport.rooms.exchange.states import WORKS, RunState

from .caller import call
from .locks import held

PUBLISH_SECONDS = 120.0
"""How long a piece waits for the one of another kind before it."""
OFFERED_AT_ONCE = 20


@jobs.task("exchange.sync", retries=1, outside=True)
def sync(*, scope: Scope, connection_id: UUID, kind: str, near: bool) -> dict[str, object] | None:
    """Read one kind and bring the mirror up to it, as far as what comes is believed."""
    today = scope.day_of(timezone.now())
    with entered(scope):
        running = services.begin_run(
            scope=scope, connection_id=connection_id, kind=kind, near=near, today=today,
            now=timezone.now(),
        )  # fmt: skip
    if running is None:
        return None
    for piece in range(running.checkpoint, len(running.pieces)):
        narrow = given(running.pieces[piece])

        def ask(target: Target, session: bytes, now: datetime, narrow: dict[str, str] = narrow) -> Got | Trouble:
            return services.portal().read(
                target, ability=running.ability, given=narrow, session=session,
                baseline=running.baseline, now=now,
            )  # fmt: skip

        answer, epoch = call(
            scope=scope, connection_id=connection_id, capability=running.ability, ask=ask, sync=True,
            asks_right=running.asks_right,
        )  # fmt: skip
        if isinstance(answer, Trouble):
            with entered(scope):
                services.refuse_run(scope=scope, running=running, trouble=answer, now=timezone.now())
            return {"reason": answer.reason.value}
        # One at a time: who waits for a row that is locked for long is sent away by the database.
        with held(connection_id, "publish", wait_seconds=PUBLISH_SECONDS), entered(scope):
            state = services.publish_piece(
                scope=scope, running=running, piece=piece, got=answer, epoch=epoch, now=timezone.now()
            )
        if state is not RunState.RUNNING:
            break
    _offer_held(scope, connection_id, kind)
    return {"run": str(running.run_id)}


def _offer_held(scope: Scope, connection_id: UUID, kind: str) -> None:
    """Offer some at a time what other kinds hold, so that nobody waits long for a calendar."""
    with entered(scope):
        ids = services.held_besides(scope=scope, connection_id=connection_id, kind=kind)
    for first in range(0, len(ids), OFFERED_AT_ONCE):
        with held(connection_id, "publish", wait_seconds=PUBLISH_SECONDS), entered(scope):
            services.offer_again(
                scope=scope, connection_id=connection_id, ids=ids[first : first + OFFERED_AT_ONCE], now=timezone.now()
            )


@jobs.task("exchange.probe", retries=1, outside=True)
def probe(*, scope: Scope, connection_id: UUID) -> None:
    """Ask what the portal's user may do, and read what they may."""

    def ask(target: Target, session: bytes, now: datetime) -> Mapping[str, bool] | Trouble:
        return services.portal().probe(target, session=session, now=now)

    answer, _ = call(scope=scope, connection_id=connection_id, capability="probe", ask=ask)
    if isinstance(answer, Trouble):
        return
    with entered(scope):
        services.note_probe(
            scope=scope, connection_id=connection_id, permitted=answer, now=timezone.now()
        )
        connection = queries.get_connection(scope=scope, connection_id=connection_id)
        if connection.state in WORKS:
            for kind in services.kinds_of(connection):
                services.defer_sync(scope=scope, connection=connection, kind=kind, near=False)


@jobs.task("exchange.keep_alive", retries=0, outside=True)
def keep_alive(*, scope: Scope, connection_id: UUID) -> None:
    """Ask the oracle, so that the portal keeps a session that somebody works with."""

    def ask(target: Target, session: bytes, now: datetime) -> SignedIn | Trouble:
        return services.portal().who(target, session=session, now=now)

    # Without a hold: else one look would be the reason for the next, for ever.
    call(scope=scope, connection_id=connection_id, capability="keep_alive", ask=ask, renew=False, sign_in=False, hold=False)
