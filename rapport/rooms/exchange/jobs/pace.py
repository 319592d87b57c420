"""The governor as a driver sees it: asked before each request, told after it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from rapport.platform.access.scope import Scope
from rapport.platform.db.session import entered
from rapport.rooms.exchange import services
from rapport.rooms.exchange.ports import Target

MOST_AT_ONCE = 5.0
"""Seconds to sleep before asking again: others may have let go."""


class LostHold(RuntimeError):
    """Another worker has what this one was at: nothing more may leave."""


@dataclass(slots=True)
class Governed:
    """The pace of one call of a driver."""

    scope: Scope
    connection_id: UUID
    keep: float
    """Share of the burst that is left to others: a sync leaves half of it to whoever waits for an answer."""
    still_mine: Callable[[], bool] | None = None
    """Asked before each request, last of all; False: it may not leave any more."""
    asked: int = 0
    """Requests that were let through."""
    waited: float = 0.0
    """Seconds that they were made to wait for it."""
    answered_at: datetime | None = None
    """When the last answer came; decoding it may take longer than the next answer's way."""

    def put_into(self, target: Target) -> Target:
        """Return the target with this pace in it."""
        return replace(target, pace=self)

    def before(self) -> None:
        """
        Wait until one more request may leave.

        :raises LostHold: it may not, since another worker has taken over
        """
        while True:
            with entered(self.scope):
                wait = services.take_token(
                    scope=self.scope, connection_id=self.connection_id, keep=self.keep, now=timezone.now()
                )
                if self.still_mine is not None and not self.still_mine():
                    raise LostHold
            if wait <= 0:
                self.asked += 1
                return
            # A little more each time, by chance: those who wait together do not come back together.
            pause = min(wait, MOST_AT_ONCE) * random.uniform(1.0, 1.1)  # noqa: S311 - jitter, no secret
            self.waited += pause
            time.sleep(pause)

    def after(self, *, seconds: float, busy: bool, retry_after_seconds: int | None = None) -> None:
        """Take note of how the portal took it."""
        self.answered_at = timezone.now()
        with entered(self.scope):
            services.note_answer(
                scope=self.scope, connection_id=self.connection_id, seconds=seconds, busy=busy,
                retry_after_seconds=retry_after_seconds, now=timezone.now(),
            )  # fmt: skip

    def settle(self, *, requests: int) -> None:
        """Charge what left without asking."""
        if requests > self.asked:
            with entered(self.scope):
                services.charge(
                    scope=self.scope, connection_id=self.connection_id,
                    requests=requests - self.asked, now=timezone.now(),
                )  # fmt: skip
