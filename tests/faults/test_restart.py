"""
R-40: PostgreSQL is stopped at once (no checkpoint, as in a crash) under load, five times.

On a store of its own, with fsync on. What was acknowledged is there afterwards; what was not can
be asked for again with its key and is then there once; meanwhile callers are told 503 and when to
come back; the server finds its database again by itself.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from rapport.kernel.ids import new_uuid
from rapport.platform.db import local
from tests.support.server import Server

RESTARTS, WRITERS = 5, 6


@dataclass
class World:
    """A store of its own and the server on it."""

    postgres: local.LocalServer
    settings: dict[str, str]
    server: Server
    scheduler: str
    auditor: str

    def restart(self) -> None:
        """Stop PostgreSQL as a crash would, and start it again."""
        local.stop(self.postgres, mode="immediate")
        time.sleep(0.3)  # long enough for callers to meet a closed door
        local.start(self.postgres, **self.settings)


@contextmanager
def world(**settings: str) -> Iterator[World]:
    with tempfile.TemporaryDirectory(prefix="rapport-fault-") as folder:
        Path(folder).chmod(0o755)
        environment = {
            "RAPPORT_HOME": folder, "RAPPORT_MODE": "test",
            "RAPPORT_RATE_PER_ACTOR": "1000000", "RAPPORT_RATE_PER_PRACTICE": "1000000",
        }  # fmt: skip
        postgres = local.locate(Path(folder) / "postgres")
        local.start(postgres)
        try:
            for command in (["-m", "rapport", "migrate"], ["-m", "tests.support.process", "found"]):
                done = subprocess.run(
                    [sys.executable, "-W", "ignore", *command], env=os.environ | environment,
                    capture_output=True, text=True, check=True,
                )  # fmt: skip
            scheduler, auditor = done.stdout.split()
            local.stop(postgres, mode="fast")  # all that was founded is on disk, under any settings
            local.start(postgres, **settings)
            server = Server(**environment)  # type: ignore[arg-type]
            try:
                yield World(postgres, settings, server, scheduler, auditor)
            finally:
                server.stop()
        finally:
            local.stop(postgres, mode="immediate")


@dataclass
class Written:
    """What writers did: name of the patient -> key."""

    acknowledged: dict[str, str] = field(default_factory=dict)
    unanswered: dict[str, str] = field(default_factory=dict)
    answers: Counter[int] = field(default_factory=Counter)
    bare: int = 0
    """Refusals that did not say when to come back."""


def body(name: str) -> dict[str, object]:
    return {"name": {"first": "A", "last": name}, "birth_on": "1990-01-01", "sex": "unknown"}


def write(world: World, written: Written, stop: threading.Event) -> None:
    """Add patients until told to stop, giving up on each at the first trouble."""
    with world.server.client(world.scheduler) as client:
        while not stop.is_set():
            name, key = f"N{new_uuid().hex}", new_uuid().hex
            try:
                answer = client.post("/v1/patients", json=body(name), headers={"Idempotency-Key": key})
            except httpx.TransportError:
                written.unanswered[name] = key
                continue
            written.answers[answer.status_code] += 1
            if answer.status_code == 201:
                written.acknowledged[name] = key
            else:
                written.unanswered[name] = key
                written.bare += "Retry-After" not in answer.headers
                time.sleep(0.02)


def everybody(world: World) -> Counter[str]:
    """Return how many patients there are of each last name."""
    found: Counter[str] = Counter()
    with world.server.client(world.scheduler) as client:
        page: str | None = "/v1/patients?limit=100"
        while page:
            answer = client.get(page).raise_for_status()
            found.update(one["name"]["last"] for one in answer.json()["data"])
            cursor = answer.json()["next_cursor"]
            page = f"/v1/patients?limit=100&cursor={cursor}" if cursor else None
    return found


def load(world: World, *, restarts: int) -> Written:
    """Write under load while PostgreSQL goes down and comes back so often."""
    written, stop = Written(), threading.Event()
    writers = [
        threading.Thread(target=write, args=(world, written, stop), daemon=True) for _ in range(WRITERS)
    ]
    for writer in writers:
        writer.start()
    try:
        for _ in range(restarts):
            time.sleep(0.7)
            world.restart()
            with world.server.client(world.scheduler) as client:
                end = time.monotonic() + 30
                while (answer := client.get("/v1/me")).status_code != 200:
                    assert answer.status_code == 503, answer.text
                    assert time.monotonic() < end, "the server did not find its database again"
                    time.sleep(0.05)
        time.sleep(0.3)
    finally:
        stop.set()  # or they would write for ever, and the run never end
        for writer in writers:
            writer.join(60)
    return written


@pytest.mark.slow
def test_r40_what_was_acknowledged_outlives_a_crash_and_the_rest_can_be_asked_again() -> None:
    with world() as here:
        written = load(here, restarts=RESTARTS)
        kept = everybody(here)

        assert len(written.acknowledged) > 100
        assert not [name for name in written.acknowledged if kept[name] != 1]
        assert set(written.answers) <= {201, 503}, written.answers
        assert written.answers[503] > 0, "the control: callers did meet the outage"
        assert written.bare == 0

        with here.server.client(here.scheduler) as client:
            for name, key in (written.unanswered | written.acknowledged).items():
                client.post(
                    "/v1/patients", json=body(name), headers={"Idempotency-Key": key}
                ).raise_for_status()
        after = everybody(here)
        assert not [name for name in written.unanswered | written.acknowledged if after[name] != 1]
        with here.server.client(here.auditor) as client:
            assert client.get("/v1/audit/verify").json()["valid"]


@pytest.mark.slow
def test_the_control_a_database_that_answers_before_it_has_written_is_found_out() -> None:
    with world(synchronous_commit="off", wal_writer_delay="10000ms") as here:
        written = load(here, restarts=2)
        kept = everybody(here)

    assert [name for name in written.acknowledged if kept[name] != 1], "nothing acknowledged was lost"
