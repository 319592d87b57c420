"""Requests of one session one at a time, where the portal changes the session with each answer."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from django.utils import timezone

from rapport.platform.access.scope import Scope
from rapport.platform.db.session import entered
from rapport.rooms.exchange import services
from rapport.rooms.exchange.ports import NoTurn
from rapport.rooms.exchange.services import Lease

from .locks import LockTimeout, held

WAIT_SECONDS = 60.0
"""Longer than the slowest answer of those who may stand before."""


@dataclass(slots=True)
class Turns:
    """The turns of one call. A process that dies lets go; what its last answer brought is kept by then."""

    scope: Scope
    lease: Lease
    used: bool = False
    """The session was kept after each answer: there is nothing to bring back at the end."""
    _held: AbstractContextManager[None] | None = None
    _now: Lease | None = field(default=None, repr=False)

    def take(self) -> bytes | None:
        """
        Wait for the turn. :return: the session as it stands; None: it has ended meanwhile

        :raises NoTurn: others took too long; nothing was sent
        """
        line = held(self.lease.connection_id, "turn", wait_seconds=WAIT_SECONDS)
        try:
            line.__enter__()
        except LockTimeout:
            raise NoTurn from None
        self._held, self.used = line, True
        with entered(self.scope):
            self._now = services.standing(
                scope=self.scope, connection_id=self.lease.connection_id, epoch=self.lease.epoch
            )
        return self._now.session if self._now is not None else None

    def give(self, session: bytes | None) -> None:
        """Keep what an answer made of the session, and let the next request go."""
        line, now, self._held, self._now = self._held, self._now, None, None
        if line is None:
            return
        try:
            if now is not None and session is not None:
                with entered(self.scope):
                    services.write_back(scope=self.scope, lease=now, session=session, at=timezone.now())
        finally:
            line.__exit__(None, None, None)
