"""Answers that are lost and workers that are killed in the middle: what was to be written is there once, and nobody doubts it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection as database

from rapport.connectors.portals.tests.live import needs_chromium
from rapport.platform.db.crashpoints import Crashpoint
from rapport.rooms.exchange import services
from rapport.rooms.exchange.jobs.caller import call
from rapport.rooms.exchange.models import Write, WriteHistory
from rapport.rooms.exchange.ports import InDoubt, Submitted, Target
from rapport.rooms.exchange.services.journal import LEASE
from tests.connect.stage import Linked, Stage, until
from tests.support.connected import at_once

pytestmark = [needs_chromium, pytest.mark.long]

FIFTY, HOURS = 50, range(7, 17)
DOUBT_SECONDS = 60
POINTS = (
    Crashpoint.WRITE_INTENDED, Crashpoint.WRITE_PRE_IMAGE, Crashpoint.WRITE_ARMED, Crashpoint.WRITE_BEFORE_LEAVE,
    Crashpoint.WRITE_AFTER_LEAVE, Crashpoint.WRITE_NOTED, Crashpoint.WRITE_READ_BACK,
)  # fmt: skip


@pytest.fixture(autouse=True)
def _the_portal_takes_what_it_has(stage: Stage) -> None:
    """A clinician can be booked twice at once: the portal itself keeps nobody from writing twice."""
    stage.portal.order("PUT", "settings", {"allow_overlap": True})


def visit(stage: Stage, number: int) -> dict[str, Any]:
    """Return one of many visits on days that no other test has."""
    day = date.fromisoformat(stage.portal.today) + timedelta(days=70 + number // len(HOURS))
    return {
        "patient": str(1 + number % 30), "clinician": "1", "start_local": f"{day}T{HOURS[number % len(HOURS)]:02}:00:00",
        "duration_minutes": 50, "service_code": "90837", "location": "Main office",
    }  # fmt: skip


def there(stage: Stage, values: dict[str, Any]) -> int:
    """Return how many the portal has at that time."""
    return sum(one["start_at"] == values["start_local"][:16] for one in stage.portal.rows("appointment"))


def doubted(stage: Stage, write: Write) -> float:
    """Return for how many seconds nobody knew what became of a write."""
    with stage.house.entered() as scope:
        rows = WriteHistory.objects.visible_to(scope).filter(write_id=write.id).order_by("at", "id")
        at: dict[str, datetime] = {row.state: row.at for row in rows}
    return (at["confirmed"] - at["in_doubt"]).total_seconds()


def test_fifty_at_once_whose_answers_are_lost_are_fifty_and_none_is_in_doubt_for_a_minute(
    stage: Stage, robin: Linked
) -> None:
    wanted = [visit(stage, number) for number in range(FIFTY)]
    before = len(stage.portal.rows("appointment"))
    stage.trouble({"fault": "drop_reply", "on": "/appointments/new", "method": "POST", "times": 0})

    ids = at_once(*(lambda values=values: robin.write("appointments.create", **values) for values in wanted))
    rows = [robin.settled(id, seconds=600) for id in ids]

    assert {(row.state, row.sends) for row in rows} == {("confirmed", 1)}
    assert len(stage.portal.rows("appointment")) == before + FIFTY
    assert [there(stage, values) for values in wanted] == [1] * FIFTY
    assert len({row.remote_id for row in rows}) == FIFTY
    lost = [one for one in stage.portal.rows("request") if one["faults"] == "drop_reply"]
    assert len(lost) == FIFTY, "the control: each answer was lost"
    assert max(doubted(stage, row) for row in rows) < DOUBT_SECONDS


def test_the_control_who_sends_again_without_looking_makes_two(stage: Stage, robin: Linked) -> None:
    values = visit(stage, FIFTY)
    stage.trouble({"fault": "drop_reply", "on": "/appointments/new", "method": "POST"})

    def ask(target: Target, session: bytes, now: datetime) -> Any:
        return services.portal().submit(
            target, ability="appointments.create", values=values, session=session, now=now
        )

    answers = [
        call(scope=stage.house.scope, connection_id=robin.uuid, capability="appointments.create", ask=ask)[0]
        for _ in range(2)
    ]
    assert [type(one) for one in answers] == [InDoubt, Submitted]
    assert there(stage, values) == 2


@pytest.fixture
def restarted(stage: Stage) -> Iterator[Stage]:
    """The stage, with a worker that lives afterwards."""
    yield stage
    if stage.worker.poll() is not None:
        stage.start_worker()


@pytest.mark.timeout(400)
@pytest.mark.parametrize("point", POINTS)
def test_a_worker_killed_there_leaves_one_row_at_the_portal(
    restarted: Stage, robin: Linked, point: Crashpoint
) -> None:
    stage, values = restarted, visit(restarted, FIFTY + 1 + POINTS.index(point))
    stage.worker.kill()
    stage.worker.wait(20)
    stage.start_worker(RAPPORT_CRASHPOINTS=f"{point}:1")
    write_id = robin.write("appointments.create", **values)
    until("the worker to die", lambda: stage.worker.poll() is not None, seconds=90)
    assert stage.worker.poll() == -9, "the control: it was killed there"
    with stage.house.entered() as scope:
        left = Write.objects.visible_to(scope).get(id=write_id)
    assert left.state != "confirmed"
    arrived = POINTS.index(point) >= POINTS.index(Crashpoint.WRITE_AFTER_LEAVE)
    assert there(stage, values) == arrived, "the control: it was killed before, or after, the portal had it"

    stage.start_worker()
    row = robin.settled(write_id, seconds=LEASE.total_seconds() + 120)

    assert row.state == "confirmed"
    assert there(stage, values) == 1
    assert row.sends == (2 if point is Crashpoint.WRITE_BEFORE_LEAVE else 1)
    database.close()
