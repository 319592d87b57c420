"""A write in a worker's hands: freed when the worker is gone, and never sent by one that has lost it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from rapport.rooms.exchange import services
from rapport.rooms.exchange.jobs import duties, writing
from rapport.rooms.exchange.jobs.locks import held
from rapport.rooms.exchange.models import Connection, Write
from rapport.rooms.exchange.services.journal import LEASE, LOOKED_FOR_EACH, Taken
from rapport.rooms.exchange.states import WriteState
from tests.support.connected import Connected, at_once
from tests.support.portal import ScriptedPortal


def taken_by_one_that_dies(connected: Connected, write: Write, *, submitted: bool) -> Taken:
    """Leave a write as a worker does that is killed: in its hands, and perhaps noted as submitted."""
    with connected.house.entered() as scope:
        taken = services.take(scope=scope, write_id=write.id, now=timezone.now())
        assert taken is not None
        if submitted:
            write.refresh_from_db()
            assert write.move(WriteState.ARMED, by=scope.actor_id, at=timezone.now())
            assert services.mark_submitted(scope=scope, taken=taken, now=timezone.now())
    return taken


def goes_on(connected: Connected, write: Write) -> Write:
    writing.write(scope=connected.house.scope, write_id=write.id)
    with connected.house.entered():
        write.refresh_from_db()
    return write


def asked_for(connected: Connected) -> int:
    with connected.house.entered() as scope:
        one = Connection.objects.get(id=connected.id)
        return len(duties._due_writes(scope, one, timezone.now()))


def test_what_a_dead_worker_had_is_taken_up_at_once_and_a_living_ones_is_not(
    connected: Connected, portal: ScriptedPortal
) -> None:
    connected.start()
    taken_by_one_that_dies(connected, connected.write(), submitted=True)

    def looks_while_a_worker_lives() -> int:
        with held(connected.id, "writer", wait_seconds=5):
            [found] = at_once(lambda: asked_for(connected))
            return int(found)

    assert looks_while_a_worker_lives() == 0, "the control: its lock says that it lives"
    assert asked_for(connected) == 1


def test_what_arrived_is_found_at_once_and_confirmed(connected: Connected, portal: ScriptedPortal) -> None:
    connected.start()
    write = connected.write()
    taken = taken_by_one_that_dies(connected, write, submitted=True)
    portal.put("appointments", "r1", **dict(taken.values))

    write = goes_on(connected, write)

    assert (write.state, write.sends, len(portal.log("submit"))) == ("confirmed", 1, 0)


def test_what_is_not_there_is_not_called_absent_while_its_form_may_be_under_way(
    connected: Connected, portal: ScriptedPortal
) -> None:
    connected.start()
    write = connected.write()
    taken_by_one_that_dies(connected, write, submitted=True)
    for _ in range(4):
        write = goes_on(connected, write)
        assert (write.state, write.reason, write.reads) == ("in_doubt", "worker_died", 0)
        assert write.retry_at is not None
        assert write.retry_at - timezone.now() <= LOOKED_FOR_EACH
        with connected.house.entered():
            Write.objects.filter(id=write.id).update(retry_at=None)
    assert portal.log("submit") == []

    # The control: it is over by now, and what two lists lack is sent again.
    with connected.house.entered():
        Write.objects.filter(id=write.id).update(state_changed_at=timezone.now() - LEASE)
    write = connected.settle(write)
    assert (write.state, write.sends, len(portal.rows("appointments"))) == ("confirmed", 2, 1)


def test_a_worker_that_has_lost_the_database_and_lives_sends_nothing_any_more(
    connected: Connected, portal: ScriptedPortal
) -> None:
    connected.start()
    write = connected.write()
    first = taken_by_one_that_dies(connected, write, submitted=True)
    with connected.house.entered() as scope:
        assert services.keep_hold(scope=scope, taken=first, now=timezone.now()), "the control: it still has it"
    goes_on(connected, write)
    with connected.house.entered() as scope:
        assert not services.keep_hold(scope=scope, taken=first, now=timezone.now())
        assert not services.mark_submitted(scope=scope, taken=first, now=timezone.now() + timedelta(seconds=1))


def test_one_that_waits_for_the_pace_and_loses_it_meanwhile_does_not_send(
    connected: Connected, portal: ScriptedPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its session at the database is ended in the middle of a send: the lock is free, and another takes over."""
    connected.start()
    write = connected.write()
    others = iter([True])

    real = portal.submit

    def submit(*given: Any, **named: Any) -> Any:
        if next(others, False):
            at_once(lambda: _another_takes_over(connected, write))
        return real(*given, **named)

    monkeypatch.setattr(portal, "submit", submit)
    writing.write(scope=connected.house.scope, write_id=write.id)
    with connected.house.entered():
        write.refresh_from_db()
    assert (write.state, portal.log("submit")) == ("in_doubt", [])


def _another_takes_over(connected: Connected, write: Write) -> None:
    with connected.house.entered() as scope:
        assert services.take(scope=scope, write_id=write.id, now=timezone.now()) is not None
