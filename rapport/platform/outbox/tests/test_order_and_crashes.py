"""Order per object under load, and what is left when a process dies (reliability R-31, R-33)."""

from __future__ import annotations

import json
import random
import threading
from collections import Counter, defaultdict
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.db import connections

from rapport.platform.db import sql
from rapport.platform.db.local import OWNER, locate
from rapport.platform.outbox.relay import LEASE_SECONDS, Lease, Relay
from tests.support import process
from tests.support.cast import House
from tests.support.sink import Act, Sink, sink

from .support import deliveries, due_now, endpoint, settle, tell

OBJECTS, CHANGES, RELAYS = 50, 30, 4


class Unordered(Relay):
    """The negative control: a relay that does not look who stands in line before."""

    def lease(self) -> Lease | None:
        import psycopg

        server = locate(settings.RAPPORT.home / "postgres")
        with psycopg.connect(server.url(OWNER, "rapport")) as owner:
            row = owner.execute(
                "UPDATE outbox_delivery SET leased_until = clock_timestamp() + %s * interval '1 s',"
                " fence = fence + 1 WHERE (practice_id, id) IN (SELECT practice_id, id"
                " FROM outbox_delivery WHERE practice_id = %s AND state = 'pending'"
                " AND (attempts = 0 OR next_attempt_at <= clock_timestamp())"
                " AND (leased_until IS NULL OR leased_until < clock_timestamp())"
                " LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING practice_id, id, fence",
                [LEASE_SECONDS, self.practice_id],
            ).fetchone()
        return Lease(*row) if row else None


def soon(attempt: int, *, chance: float) -> float | None:
    """Stand in for the schedule: the same number of tries, at once."""
    return 0.01 if attempt <= 20 else None


def run_relays(house: House, kind: type[Relay], changes: int) -> Sink:
    dice = random.Random(33)
    with sink(lambda *_: Act(500 if dice.random() < 0.2 else 200)) as receiver:
        endpoint(house, receiver.url)
        for _ in range(OBJECTS):
            tell(house, times=changes)
        settle_fan_out()
        stop = threading.Event()

        def work() -> None:
            try:
                kind(practice_id=house.id, delay_before=soon).run(stop, idle_seconds=0.02)
            finally:
                connections.close_all()

        relays = [threading.Thread(target=work) for _ in range(RELAYS)]
        for relay in relays:
            relay.start()
        waiter = threading.Event()
        for _ in range(1200):
            waiter.wait(0.1)
            with house.entered():
                left = sql.one(
                    "SELECT count(*) FROM outbox_delivery WHERE practice_id = %s"
                    " AND state = 'pending'", (house.id,),
                )  # fmt: skip
            if left == (0,):
                break
        stop.set()
        for relay in relays:
            relay.join()
    return receiver


def settle_fan_out() -> None:
    while sql.one("SELECT rapport_fan_out(500)") != (0,):
        pass


def by_object(receiver: Sink) -> dict[str, list[dict[str, Any]]]:
    """Return the messages that were taken, per object, in the order of arrival."""
    lines: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for got in receiver.received:
        if got.answered == 200:
            message = json.loads(got.body)
            lines[message["object"]["id"]].append(message)
    return lines


def inversions(receiver: Sink) -> int:
    count = 0
    for line in by_object(receiver).values():
        numbers = [message["object"]["sequence"] for message in line]
        count += sum(later < earlier for earlier, later in pairwise(numbers))
    return count


@pytest.mark.slow
def test_four_relays_keep_the_order_of_each_object_and_lose_nothing(willow: House) -> None:
    receiver = run_relays(willow, Relay, CHANGES)

    lines = by_object(receiver)
    assert len(lines) == OBJECTS
    for line in lines.values():
        assert sorted({m["object"]["sequence"] for m in line}) == list(range(1, CHANGES + 1))
    assert inversions(receiver) == 0
    ids = {
        (m["object"]["id"], m["object"]["sequence"]): set() for line in lines.values() for m in line
    }
    for line in lines.values():
        for m in line:
            ids[m["object"]["id"], m["object"]["sequence"]].add(m["id"])
    assert Counter(len(known) for known in ids.values()) == {1: OBJECTS * CHANGES}


@pytest.mark.slow
def test_the_check_of_the_order_can_see_a_relay_that_does_not_keep_it(willow: House) -> None:
    assert inversions(run_relays(willow, Unordered, 6)) > 0


def test_one_bad_object_does_not_hold_up_the_others(willow: House) -> None:
    bad = tell(willow, times=0)
    from tests.support.cast import public

    wanted = public("patient", bad)
    with sink(lambda path, headers, body: Act(500 if wanted.encode() in body else 200)) as receiver:
        endpoint(willow, receiver.url)
        tell(willow, object_id=bad, times=3)
        tell(willow, times=3)
        settle(willow)

    states = Counter(d["state"] for d in deliveries(willow))
    assert states == {"succeeded": 3, "pending": 3}
    assert len(receiver.received) == 4


def test_a_relay_killed_between_send_and_note_sends_the_same_message_again(willow: House) -> None:
    with sink() as receiver:
        endpoint(willow, receiver.url)
        tell(willow, times=3)
        dying = process.start("relay", str(willow.id), RAPPORT_CRASHPOINTS="relay.after_send:2")
        assert dying.wait(30) == -9
        _end_leases(willow.id)
        settle(willow)

    ids = [r.headers["webhook-id"] for r in receiver.received]
    sequences = [json.loads(r.body)["object"]["sequence"] for r in receiver.received]
    assert sequences == [1, 2, 2, 3]
    assert ids[1] == ids[2]
    assert {d["state"] for d in deliveries(willow)} == {"succeeded"}


def test_a_relay_killed_before_it_sends_loses_nothing(willow: House) -> None:
    with sink() as receiver:
        endpoint(willow, receiver.url)
        tell(willow)
        dying = process.start("relay", str(willow.id), RAPPORT_CRASHPOINTS="relay.after_lease:1")
        assert dying.wait(30) == -9
        settle(willow)
        assert receiver.received == []
        _end_leases(willow.id)
        settle(willow)

    assert len(receiver.received) == 1


@pytest.mark.parametrize(
    ("place", "kept"), [("request.after_commit", 1), ("request.before_commit", 0)]
)
def test_an_answer_that_was_never_given_tells_its_event_if_it_was_kept(
    willow: House, place: str, kept: int
) -> None:
    token = willow.scheduler.token
    assert token
    with sink() as receiver:
        endpoint(willow, receiver.url)
        dying = process.start("patient", token, RAPPORT_CRASHPOINTS=f"{place}:1")
        assert dying.wait(30) == -9
        settle(willow)

    assert len(willow.scheduler.get("/v1/patients").json()["data"]) == kept
    assert len(receiver.received) == kept


def test_a_relay_that_slept_through_its_lease_cannot_write_its_answer(willow: House) -> None:
    with sink() as receiver:
        endpoint(willow, receiver.url)
        tell(willow)
        slow, quick = Relay(practice_id=willow.id), Relay(practice_id=willow.id)
        slow.fan_out()
        first = slow.lease()
        assert first is not None
        _end_leases(willow.id)
        second = quick.lease()
        assert second is not None
        assert second.fence == first.fence + 1
        slow.deliver(first)
        assert receiver.received == []
        quick.deliver(second)

    (done,) = deliveries(willow)
    assert (done["state"], done["attempts"]) == ("succeeded", 1)
    due_now(willow)


def _end_leases(practice_id: UUID) -> None:
    """Let the time of every lease pass."""
    import psycopg

    server = locate(settings.RAPPORT.home / "postgres")
    with psycopg.connect(server.url("postgres", "rapport")) as superuser:
        superuser.execute(
            "UPDATE outbox_delivery SET leased_until = now() - interval '1 second'"
            " WHERE practice_id = %s AND leased_until IS NOT NULL", [practice_id],
        )  # fmt: skip
