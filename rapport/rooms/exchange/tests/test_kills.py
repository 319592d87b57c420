"""R-60: a worker killed at any point of a write leaves it made exactly once, and never confirmed unmade."""

from __future__ import annotations

import pytest
from django.db import connection as database

from rapport.rooms.exchange.services.journal import LEASE
from tests.support import process
from tests.support.connected import Connected
from tests.support.portal import ScriptedPortal

POINTS = (
    "write.intended", "write.pre_image", "write.armed", "write.before_leave", "write.after_leave",
    "write.noted", "write.read_back",
)  # fmt: skip


def leases_end(connected: Connected) -> None:
    """Let so much time go by that nothing a dead worker sent can be under way, and all is due."""
    with connected.house.entered(), database.cursor() as cursor:
        cursor.execute(
            "UPDATE exchange_write SET retry_at = NULL, state_changed_at = state_changed_at - %s WHERE practice_id = %s",
            [LEASE, connected.house.id],
        )


@pytest.mark.parametrize("point", POINTS)
def test_r60_a_kill_there_leaves_one_record(connected: Connected, portal: ScriptedPortal, point: str) -> None:
    connected.start()
    write = connected.write()
    arguments = ("write", str(connected.house.id), str(portal.file))

    killed = process.start(*arguments, RAPPORT_CRASHPOINTS=f"{point}:1").wait(timeout=60)
    if point == "write.read_back":
        # The first process ends with the form sent; it is the one that reads back that dies.
        assert killed == 0
        leases_end(connected)
        killed = process.start(*arguments, RAPPORT_CRASHPOINTS=f"{point}:1").wait(timeout=60)
    assert killed == -9, "the control: the kill did happen"
    with connected.house.entered():
        write.refresh_from_db()
    assert write.state != "confirmed"
    for _ in range(4):
        leases_end(connected)
        assert process.start(*arguments).wait(timeout=60) == 0
    with connected.house.entered():
        write.refresh_from_db()
    assert (write.state, len(portal.rows("appointments"))) == ("confirmed", 1)


def test_a_kill_in_the_middle_of_a_sign_in_lets_the_next_one_try(
    connected: Connected, portal: ScriptedPortal
) -> None:
    import os
    import signal
    import time

    connected.start()
    write = connected.write()
    portal.end_sessions()
    slow = process.start("write", str(connected.house.id), str(portal.file), RAPPORT_TEST_PORTAL_SECONDS="5")
    deadline = time.monotonic() + 30
    while not held(connected) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert held(connected), "the control: it holds its locks"
    os.kill(slow.pid, signal.SIGKILL)
    slow.wait(timeout=10)
    leases_end(connected)
    assert connected.settle(write).state == "confirmed", "what died let go"


def held(connected: Connected) -> bool:
    with connected.house.entered(), database.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
        return cursor.fetchone()[0] > 0
