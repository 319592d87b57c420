from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rapport.sandbox.payer.desk import Desk, Received
from tests.support.claims837 import TestClaim, write_837p


class Bench:
    """A desk with a clock that stands still until it is moved."""

    def __init__(self, home: Path, delay_seconds: float = 0) -> None:
        self.now = datetime(2026, 3, 2, 15, 30, tzinfo=UTC)
        self.home = home
        self.delay_seconds = delay_seconds
        self.open()

    def open(self) -> None:
        self.desk = Desk(self.home, delay_seconds=self.delay_seconds, clock=lambda: self.now)
        self.cursor = 0

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def send(self, file: bytes) -> Received:
        taken = self.desk.receive(file, channel="http")
        assert isinstance(taken, Received)
        return taken

    def answers(self) -> list[tuple[str, bytes]]:
        """Kind and bytes of what came out since the last time."""
        found = self.desk.files(after=self.cursor, limit=10_000)
        self.cursor = found[-1][0] if found else self.cursor
        return [(one.kind, self.desk.file(one.name) or b"") for _, one in found]

    def paid(self) -> list[bytes]:
        return [data for kind, data in self.answers() if kind == "835"]

    def claim(self, control: int = 101, **facts: object) -> list[tuple[str, bytes]]:
        """Send one claim and get what is answered at once."""
        number = str(facts.pop("number", f"C{control}"))
        self.send(write_837p([TestClaim(number=number, **facts)], control=control))  # type: ignore[arg-type]
        return self.answers()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path / "home")
    yield bench
    bench.desk.store.close()
