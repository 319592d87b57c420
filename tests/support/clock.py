"""Time that passes in a test: the clock that the program goes by is moved on, and what waits becomes due."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from unittest.mock import patch

from django.db import connection
from django.utils import timezone

from tests.support.cast import House


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


def let_retries_come(house: House) -> None:
    """Make every waiting submission and job of a practice due."""
    with house.entered(), connection.cursor() as cursor:
        cursor.execute("UPDATE claims_submission SET retry_at = now() WHERE retry_at > now()")
        cursor.execute("UPDATE jobs_job SET scheduled_at = now() WHERE scheduled_at > now()")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET scheduled_at = now() WHERE scheduled_at > now()")
