"""
One call of a portal, with all that stands before and behind it.

Breaker, a place among the calls at once, the session of the present epoch; then the driver; then the
session goes back, an ended one is renewed (once for each epoch), and what went wrong has its
consequences.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from math import ceil
from typing import Any, TypeVar
from uuid import UUID

from django.utils import timezone

from rapport.platform.access.scope import Scope
from rapport.platform.db.session import entered
from rapport.rooms.exchange import queries, services
from rapport.rooms.exchange.ports import Reason, Target, Trouble
from rapport.rooms.exchange.rules.pacing import SYNC_LEAVES
from rapport.rooms.exchange.services import Lease
from rapport.rooms.exchange.states import MAY_SIGN_IN

from .locks import LockTimeout, slot
from .pace import Governed
from .signing import ensure_epoch
from .turns import Turns

A = TypeVar("A")

PLACE_SECONDS = 120.0
"""How long a call waits for a place among those at once."""
PATIENCE_SECONDS = 10.0
"""A worker waits so long when the portal asked for silence; longer, and the call comes again."""
MOST_EPOCHS = 4
"""Sessions that one call may see end: where many wait, a short one may be over before a call has its turn."""
SESSION_OVER = (Reason.SESSION_EXPIRED, Reason.SESSION_TAKEN)
Ask = Callable[[Target, bytes, datetime], A | Trouble]
"""Target, session, instant -> the driver's answer, with the session in it where there is one."""


def call(
    *, scope: Scope, connection_id: UUID, capability: str, ask: Ask[A], sync: bool = False,
    renew: bool = True, sign_in: bool = True, asks_right: bool = False, hold: bool = True,
    still_mine: Callable[[], bool] | None = None,
) -> tuple[A | Trouble, int]:
    """
    Ask a portal something.

    :param ask: calls the driver; called again, with a fresh session, when the one before had ended
    :param sync: scheduled work: it yields to whoever waits for an answer
    :param renew: False: an ended session is said and not renewed
    :param asks_right: whether the portal's user may is what is asked: a no is noted, and needs nobody
    :param sign_in: False: this process has no browser; where no session stands that is said, and a worker signs in
    :param hold: False: this call is no reason to keep the session alive
    :param still_mine: asked before each request, inside a transaction; False: nothing more may leave
    :return: the answer, and the epoch that it belongs to
    :raises LostHold: `still_mine` said no
    """
    with entered(scope):
        # Not locked: who publishes has the row for long, and the gate locks what it changes.
        connection = queries.get_connection(scope=scope, connection_id=connection_id)
        if connection.state not in MAY_SIGN_IN:
            return Trouble(Reason.NOT_PERMITTED, detail=f"The connection is {connection.state}."), 0
        stopped = services.gate(
            scope=scope, connection=connection, capability=capability, now=timezone.now()
        )
        at_once, scheduled = services.parallel_of(scope=scope, connection_id=connection_id)
        places = scheduled if sync else at_once
        silence = services.silent_for(scope=scope, connection_id=connection_id, now=timezone.now())
    if stopped is None and silence > PATIENCE_SECONDS:
        stopped = Trouble(Reason.BUSY, retry_after_seconds=ceil(silence))
    if stopped is not None:
        return stopped, 0
    seen = epoch = epochs = 0
    while True:
        standing = _session(scope, connection_id, seen, sign_in=sign_in)
        if isinstance(standing, Trouble):
            return standing, 0
        pace = Governed(scope, connection_id, keep=SYNC_LEAVES if sync else 0.0, still_mine=still_mine)
        try:
            with slot(connection_id, "call", places=places, wait_seconds=PLACE_SECONDS):
                # Others had the place before, and longer than a session may live: the one that stands now is used.
                lease = _leased(scope, connection_id, hold=hold)
                if lease is None or lease.epoch <= seen:
                    if epochs == MOST_EPOCHS:
                        return _at_once(), 0
                    epochs += 1
                    continue
                turns = Turns(scope, lease)
                target = replace(pace.put_into(services.target_of(connection)), turn=turns)
                answer = ask(target, lease.session, timezone.now())
        except LockTimeout:
            return Trouble(Reason.BUSY, detail="Too many calls at once."), standing
        epoch, epochs = lease.epoch, epochs + 1
        _take_back(scope, turns, pace, answer)
        if not (isinstance(answer, Trouble) and answer.reason in SESSION_OVER):
            break
        with entered(scope):
            services.end_epoch(scope=scope, connection_id=connection_id, epoch=epoch)
            fruitful = services.is_fruitful(scope=scope, connection_id=connection_id, epoch=epoch)
        mine = answer.reason is Reason.SESSION_EXPIRED and renew and sign_in
        # One that ended before it gave anything, after another: the portal ends each at once.
        if not mine or epochs == MOST_EPOCHS or (seen and not fruitful):
            break
        seen = epoch
    _draw_consequences(scope, connection_id, capability, answer, asks_right)
    return answer, epoch


def _session(scope: Scope, connection_id: UUID, seen: int, *, sign_in: bool) -> int | Trouble:
    """Return an epoch later than the one that was seen to end, begun here where none stands."""
    with entered(scope):
        # In this order: whoever signs in between the two is found by the second.
        known = max(seen, services.epoch_of(scope=scope, connection_id=connection_id))
        stands = services.standing_epoch(scope=scope, connection_id=connection_id)
    if stands > seen:
        return stands
    if not sign_in:
        return Trouble(Reason.SESSION_EXPIRED, detail="A worker signs in.")
    return ensure_epoch(
        scope=scope, connection_id=connection_id, seen=known, cause="renewal", for_call=True
    )


def _leased(scope: Scope, connection_id: UUID, *, hold: bool) -> Lease | None:
    with entered(scope):
        return services.lease(scope=scope, connection_id=connection_id, now=timezone.now(), hold=hold)


def _at_once() -> Trouble:
    return Trouble(Reason.SESSION_EXPIRED, detail="The portal ends each session at once.")


def _take_back(scope: Scope, turns: Turns, pace: Governed, answer: Any) -> None:
    session = getattr(answer, "session", None)
    if not turns.lease.fruitful and not isinstance(answer, Trouble):
        with entered(scope):
            services.note_fruit(scope=scope, connection_id=turns.lease.connection_id, epoch=turns.lease.epoch)
    if session is not None and not turns.used:
        with entered(scope):
            services.write_back(
                scope=scope, lease=turns.lease, session=session, at=pace.answered_at or timezone.now()
            )
    pace.settle(requests=max(1, len(getattr(answer, "pages", ()))))


def _draw_consequences(
    scope: Scope, connection_id: UUID, capability: str, answer: Any, asks_right: bool
) -> None:
    with entered(scope):
        failed = isinstance(answer, Trouble)
        connection = queries.get_connection(scope=scope, connection_id=connection_id, lock=failed)
        if not isinstance(answer, Trouble):
            services.note_worked(scope=scope, connection=connection, capability=capability, now=timezone.now())
        elif asks_right and answer.reason is Reason.NOT_PERMITTED:
            services.note_permission(scope=scope, connection=connection, permitted={capability: False})
        elif connection.state in MAY_SIGN_IN:
            services.meet(
                scope=scope, connection=connection, capability=capability, trouble=answer,
                now=timezone.now(),
            )  # fmt: skip
