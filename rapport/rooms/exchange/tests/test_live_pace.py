"""How the running sandbox portal is asked when it slows down, when it is down, and while a long reading runs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connection as database

from rapport.connectors.portals.tests.live import needs_chromium
from rapport.rooms.exchange.jobs import caller
from rapport.rooms.exchange.ports import Got, Reason, Trouble
from rapport.rooms.exchange.tests.live import driver, give, linked, read
from tests.support.cast import House
from tests.support.clock import moving
from tests.support.connected import Connected, at_once
from tests.support.sandbox_portal import Portal

pytestmark = [needs_chromium, pytest.mark.long]
PATIENTS = "/patients"


@contextmanager
def going_on(deed: Callable[[], object], callers: int) -> Iterator[None]:
    """Let so many callers do something again and again, until the block is over."""
    over = threading.Event()

    def run() -> None:
        try:
            while not over.is_set():
                deed()
        finally:
            database.close()

    threads = [threading.Thread(target=run, daemon=True) for _ in range(callers)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join(60)


def asked(there: Portal, path: str = PATIENTS) -> list[dict[str, Any]]:
    """Return what the portal was asked for, by its own log."""
    return [one for one in there.rows("request") if one["path"].startswith(path)]


def most_at_once(requests: list[dict[str, Any]], *, after: float, before: float) -> int:
    """Return how many requests the portal had under way at once in a stretch of time."""
    ends = [one["at"] + one["ms"] / 1000 for one in requests]
    within = [one["at"] for one in requests if after <= one["at"] <= before]
    return max((sum(one["at"] <= at < end for one, end in zip(requests, ends, strict=True)) for at in within), default=0)


def slow(there: Portal, seconds: float) -> float:
    """Let each list take so long from now on. :return: the instant"""
    there.trouble("slow", PATIENTS, value=str(seconds), times=0)
    return time.time()


def test_a_portal_that_gets_five_times_slower_has_half_as_much_under_way_within_ten_seconds_and_all_of_it_again(
    willow: House, there: Portal, tmp_path: Path
) -> None:
    quick = driver(tmp_path, session={"rotates": False}, requests_per_second=30.0, burst=30, parallel=4)
    connected = linked(willow, there, quick, "nick")
    there.set(rotate=0)
    give(connected, there, "nick")
    there.order("DELETE", "request")
    troubles = []

    def one() -> None:
        found = read(connected)
        if isinstance(found, Trouble):
            troubles.append(found.reason)

    with going_on(one, 6):
        began = slow(there, 0.3)
        time.sleep(12)
        slowed = slow(there, 1.5)
        time.sleep(20)
        eased = slow(there, 0.3)
        time.sleep(25)
        ended = time.time()

    requests = asked(there)
    assert troubles == []
    assert most_at_once(requests, after=began, before=slowed) == 4, "the control: as many as the definition allows"
    assert most_at_once(requests, after=slowed + 10, before=eased) == 2
    assert most_at_once(requests, after=eased, before=ended) == 4


def test_a_portal_that_is_down_is_probed_once_an_interval_and_another_one_goes_on(
    willow: House, there: Portal, tmp_path: Path
) -> None:
    second = Portal(tmp_path / "second", patients=10)
    try:
        down = linked(willow, there, driver(tmp_path), "nick")
        give(down, there, "nick")
        other = linked(willow, second, driver(tmp_path), "nick")
        give(other, second, "nick")
        there.trouble("status", "/", value="503", times=0)
        there.order("DELETE", "request")
        for _ in range(6):
            assert down.sync("patients")["reason"] == Reason.PORTAL_DOWN
        assert len(there.rows("request")) == 3, "three times in a row, then it is left alone"
        assert down.read()["state"] == "degraded"

        with moving() as clock:
            for interval in range(1, 3):
                clock.move(seconds=31 * interval)
                assert {one.reason for one in at_once(*[lambda: read(down)] * 4)} == {Reason.PORTAL_DOWN}
                assert len(there.rows("request")) == 3 + interval, "one probe, of four that wanted"
                assert other.sync("patients")["state"] == "published", "another portal is read as ever"
                assert other.read()["state"] == "healthy"
            there.trouble("status", "/nowhere")
            assert down.sync("patients")["reason"] == Reason.PORTAL_DOWN, "not before the interval is over"
            clock.move(minutes=5)
            assert down.sync("patients")["state"] == "published"
            assert down.read()["state"] == "healthy"
    finally:
        second.kill()


READS = 20


def overtaken(connected: Connected, there: Portal) -> list[int]:
    """
    Read a short list for somebody who waits, again and again, while all patients are read without a pause.

    :return: for each, how many of the others' requests the portal was given between the call and its own request
    """
    stamps = []
    there.order("DELETE", "request")
    with going_on(lambda: read(connected, sync=True), 3):
        time.sleep(3)
        for _ in range(READS):
            stamps.append(time.time())
            assert isinstance(read(connected, "clinicians.read"), Got)
            time.sleep(1)
    log = there.rows("request")
    own = [one["at"] for one in log if one["path"].startswith("/staff")]
    others = [one["at"] for one in asked(there)]
    assert len(own) == READS
    assert len(others) > 2 * READS, "the long reading went on all the while"
    return sorted(sum(began < at < came for at in others) for began, came in zip(stamps, own, strict=True))


def test_who_waits_for_an_answer_is_behind_one_request_of_a_long_reading_at_most(willow: House, tmp_path: Path) -> None:
    """An answer of the portal is as long as another, so whoever waits for one takes twice as long as in quiet."""
    there = Portal(tmp_path / "portal", patients=132)
    try:
        connected = linked(willow, there, driver(tmp_path), "nick")
        give(connected, there, "nick")
        there.trouble("slow", "/", value="0.15", times=0)
        assert overtaken(connected, there)[int(READS * 0.95) - 1] <= 1
    finally:
        there.kill()


def test_the_control_a_reading_that_leaves_nothing_to_others_goes_before_them(
    willow: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caller, "SYNC_LEAVES", 0.0)
    there = Portal(tmp_path / "portal", patients=132)
    try:
        connected = linked(willow, there, driver(tmp_path), "nick")
        give(connected, there, "nick")
        there.trouble("slow", "/", value="0.15", times=0)
        assert overtaken(connected, there)[int(READS * 0.95) - 1] > 1
    finally:
        there.kill()
