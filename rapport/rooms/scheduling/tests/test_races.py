"""Many people at one slot at the same instant (R-01, R-03), and a check that the test can see it fail."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from tests.support.cast import House

from .stage import Stage

CALLERS, ROUNDS = 24, 15


def at_once(jobs: list[Callable[[], Any]]) -> list[Any]:
    """Run all jobs at the same instant, each in a thread with its own database connection."""
    gate = threading.Barrier(len(jobs))
    results: list[Any] = [None] * len(jobs)

    def run(position: int) -> None:
        try:
            gate.wait()
            results[position] = jobs[position]()
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(position,)) for position in range(len(jobs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def overlaps(house: House) -> int:
    """Count pairs of appointments that take the same clinician's time."""
    with house.entered(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM scheduling_appointment a JOIN scheduling_appointment b"
            " ON a.practice_id = b.practice_id AND a.clinician_id = b.clinician_id AND a.id < b.id"
            " AND tstzrange(a.start_at, a.end_at) && tstzrange(b.start_at, b.end_at)"
            " WHERE a.status IN ('booked', 'checked_in', 'completed')"
            " AND b.status IN ('booked', 'checked_in', 'completed')"
        )
        return int(cursor.fetchone()[0])


@pytest.mark.slow
def test_of_many_who_book_one_slot_exactly_one_gets_it(willow: House) -> None:
    stage = Stage(willow)
    willow.scheduler.get("/v1/me")
    started = time.monotonic()
    for round_number in range(ROUNDS):
        body = stage.body(
            f"{8 + round_number // 2:02}:{30 * (round_number % 2):02}", duration_minutes=30
        )

        answers = at_once([partial(willow.scheduler.post, "/v1/appointments", body)] * CALLERS)

        counted = Counter(answer.status_code for answer in answers)
        assert counted == {201: 1, 409: CALLERS - 1}, [
            a.content for a in answers if a.status_code not in (201, 409)
        ]
        for answer in answers:
            if answer.status_code == 409:
                assert answer.json()["code"] == "slot-taken"
                assert len(answer.json()["alternatives"]) == 3
    assert overlaps(willow) == 0
    print(f"{CALLERS} callers, {ROUNDS} rounds: {time.monotonic() - started:.1f} s")  # noqa: T201 - shown with -s


@pytest.mark.slow
def test_overlapping_times_of_one_clinician_never_both_win(willow: House) -> None:
    stage = Stage(willow)
    willow.scheduler.get("/v1/me")
    walls = [f"09:{5 * step:02}" for step in range(12)] * 2

    answers = at_once(
        [lambda wall=wall: stage.ask(wall, duration_minutes=30) for wall in walls]  # type: ignore[misc]
    )

    assert {answer.status_code for answer in answers} == {201, 409}
    assert overlaps(willow) == 0


def test_two_appointments_that_swap_their_slots_end_in_one_piece(willow: House) -> None:
    stage = Stage(willow)
    for clinicians in ((stage.maya, stage.maya), (stage.maya, stage.luz)):
        for round_number in range(4):
            first = stage.book(f"{8 + round_number}:00".zfill(5), clinician_id=clinicians[0]["id"])
            second = stage.book(f"{14 + round_number}:00", clinician_id=clinicians[1]["id"])
            jobs = []
            for mine, other in ((first, second), (second, first)):
                path = f"/v1/appointments/{mine['id']}"
                etag = willow.scheduler.get(path)["ETag"]
                target = {"start_at": other["start_at"], "clinician_id": other["clinician_id"]}
                jobs.append(
                    lambda path=path, target=target, etag=etag: willow.scheduler.patch(
                        path, target, if_match=etag
                    )
                )

            answers = at_once(jobs)

            assert {answer.status_code for answer in answers} <= {200, 409}
            assert overlaps(willow) == 0
            for thing in (first, second):
                now = willow.scheduler.get(f"/v1/appointments/{thing['id']}").json()
                places = {(a["start_at"], a["clinician_id"]) for a in (first, second)}
                assert (now["start_at"], now["clinician_id"]) in places
                stage.act(thing, "cancel")


def test_crosswise_moves_between_two_calendars_never_deadlock(willow: House) -> None:
    stage = Stage(willow)
    jobs = []
    for number in range(8):
        here, there = (stage.maya, stage.luz) if number % 2 else (stage.luz, stage.maya)
        made = stage.book(f"{8 + number:02}:00", clinician_id=here["id"], duration_minutes=30)
        path = f"/v1/appointments/{made['id']}"
        etag = willow.scheduler.get(path)["ETag"]
        jobs.append(
            lambda path=path, etag=etag, id=there["id"]: willow.scheduler.patch(
                path, {"clinician_id": id}, if_match=etag
            )
        )

    assert [answer.status_code for answer in at_once(jobs)] == [200] * 8


def test_one_external_id_from_two_senders_is_one_appointment(willow: House) -> None:
    stage = Stage(willow)
    willow.scheduler.get("/v1/me")
    pair = {"external_ids": [{"system": "urn:example:crm", "value": "once"}]}
    bodies = [
        stage.body("09:00", clinician_id=clinician["id"], **pair)
        for clinician in (stage.maya, stage.luz) * 4
    ]

    answers = at_once(
        [lambda body=body: willow.scheduler.post("/v1/appointments", body) for body in bodies]
    )  # type: ignore[misc]

    assert Counter(answer.status_code for answer in answers) == {201: 1, 200: 7}
    assert len({answer.json()["id"] for answer in answers}) == 1


def test_a_check_before_an_insert_does_book_twice() -> None:
    """The negative control: without lock and constraint the same storm books one slot many times."""
    url = settings.OWNER_URL
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("CREATE TABLE control_slot (id serial PRIMARY KEY, slot int NOT NULL)")
    try:

        def check_then_insert(slot: int) -> None:
            with psycopg.connect(url) as own:
                gate.wait()
                taken = own.execute("SELECT 1 FROM control_slot WHERE slot = %s", [slot]).fetchone()
                if taken is None:
                    own.execute("INSERT INTO control_slot (slot) VALUES (%s)", [slot])

        for slot in range(5):
            gate = threading.Barrier(CALLERS)
            at_once([lambda slot=slot: check_then_insert(slot)] * CALLERS)  # type: ignore[misc]
        with psycopg.connect(url, autocommit=True) as owner:
            row = owner.execute("SELECT count(*) FROM control_slot").fetchone()
        assert row is not None
        assert row[0] > 5
    finally:
        with psycopg.connect(url, autocommit=True) as owner:
            owner.execute("DROP TABLE control_slot")
