"""Real workers, a portal in random trouble: every write is made once, and nobody stands in another's way."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from rapport.platform.jobs.models import Job
from rapport.platform.jobs.worker import run_worker
from rapport.rooms.exchange.models import Write
from rapport.rooms.exchange.states import OPEN_WRITES
from tests.support.connected import Connected
from tests.support.portal import ScriptedPortal

pytestmark = pytest.mark.long

SECONDS = 10 * int(os.environ.get("RAPPORT_FAULT_ROUNDS", "1"))
SEED = int(os.environ.get("RAPPORT_FAULT_SEED", "4"))
AT_SUBMIT = (
    {"drop": "after"}, {"drop": "before"}, {"trouble": "session_expired"},
    {"trouble": "busy", "retry_after": 1}, {"late": 0.5},
)  # fmt: skip
AT_READ = ({"trouble": "session_expired"}, {"trouble": "incomplete"}, {"verdict": "additive"})


@contextmanager
def worker() -> Iterator[None]:
    """A worker with its duties, while the block runs."""
    stop = threading.Event()
    thread = threading.Thread(target=run_worker, kwargs={"concurrency": 4, "stop_event": stop})
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_r60_random_trouble_leaves_each_write_made_once(connected: Connected, portal: ScriptedPortal) -> None:
    portal.limits["logins_per_hour"] = 1000
    connected.start()
    chance, made, hour = random.Random(SEED), [], 0
    with worker():
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            what = chance.random()
            if what < 0.15:
                portal.end_sessions()
            elif what < 0.35:
                portal.script("submit", chance.choice(AT_SUBMIT))
            elif what < 0.45:
                portal.script("read:patients", chance.choice(AT_READ))
            elif what < 0.75:
                hour += 1
                made.append(connected.write(start_local=f"2026-03-{1 + hour % 28:02}T{hour // 28 % 24:02}:00:00"))
            else:
                connected.admin.post(f"{connected.path}/refresh", {})
            time.sleep(0.2)
        settled = time.monotonic() + 60
        while open_writes(connected) and time.monotonic() < settled:
            time.sleep(0.2)
    with connected.house.entered() as scope:
        states = {row.state for row in Write.objects.visible_to(scope)}
        dead = Job.objects.visible_to(scope).filter(state="failed").count()
    assert (states, dead) == ({"confirmed"}, 0)
    assert len(portal.rows("appointments")) == len(made) > 5
    assert len(portal.log("sign_in")) > 1, "the control: there was trouble"


def open_writes(connected: Connected) -> int:
    with connected.house.entered() as scope:
        return Write.objects.visible_to(scope).filter(state__in=OPEN_WRITES).count()
