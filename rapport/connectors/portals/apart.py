"""A browser in a thread of its own: its driver cannot run where an event loop does, and runs one itself."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from django.db import connections

from rapport.rooms.exchange.ports import Pace

T = TypeVar("T")


class NoBrowser(RuntimeError):
    """There is no Chromium where it should be: an installation that cannot sign in anywhere."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A pace that is asked in another thread than the one that waits for it."""

    pace: Pace
    thread: ThreadPoolExecutor

    def before(self) -> None:
        """Wait until one more request may leave."""
        self.thread.submit(self.pace.before).result()

    def after(self, *, seconds: float, busy: bool, retry_after_seconds: int | None = None) -> None:
        """Say how the portal took it."""
        self.thread.submit(
            self.pace.after, seconds=seconds, busy=busy, retry_after_seconds=retry_after_seconds
        ).result()


def in_browser(executable: str, pace: Pace | None, work: Callable[[Pace | None], T]) -> T:
    """
    Do what opens a browser, and wait for it.

    Where the browser's event loop runs the database cannot be asked: the pace is kept by another thread, and
    handed to the work.

    :raises NoBrowser: there is none
    """
    if not Path(executable).exists():
        raise NoBrowser(f"no Chromium at {executable}")
    with ThreadPoolExecutor(max_workers=1) as clock, ThreadPoolExecutor(max_workers=1) as pool:
        try:
            return pool.submit(work, Elsewhere(pace, clock) if pace else None).result()
        finally:
            # A connection belongs to its thread.
            clock.submit(connections.close_all).result()
