"""The clock that the program goes by, moved on: what it does in half an hour is seen in seconds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from unittest.mock import patch

from django.utils import timezone


@dataclass
class Clock:
    """What `timezone.now` says in this process. It goes on by itself, and only ever forward."""

    ahead: timedelta = field(default_factory=timedelta)

    def move(self, **by: float) -> None:
        """Let time pass: `move(minutes=5)`. The database's clock, a portal's and `time.monotonic` stay as they are."""
        self.ahead += timedelta(**by)


@contextmanager
def moving() -> Iterator[Clock]:
    """Put a clock in place that can be moved."""
    clock, real = Clock(), timezone.now

    def now() -> datetime:
        return real() + clock.ahead

    with patch.object(timezone, "now", now):
        yield clock
