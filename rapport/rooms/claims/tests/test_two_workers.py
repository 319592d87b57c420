"""R-15: a worker that slept through its lease writes nothing down, and the payer has each claim once."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from rapport.kernel.ids import parse_type_id
from rapport.rooms.claims import jobs, queries, services
from rapport.rooms.claims.models import Submission
from rapport.rooms.claims.ports import Later, NotHeld, Sent
from rapport.rooms.claims.tests.test_kills import leases_end
from tests.support import process
from tests.support.billing import Billing
from tests.support.cast import House
from tests.support.sandbox import SandboxProcess


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    payer = SandboxProcess(tmp_path_factory.mktemp("payer"))
    yield payer
    payer.stop()


@pytest.fixture
def billing(willow: House, sandbox: SandboxProcess) -> Billing:
    return Billing(willow, sandbox)


@pytest.fixture
def asleep(billing: Billing) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Workers that stand still; whoever still does at the end is ended."""
    started: list[subprocess.Popen[bytes]] = []
    yield started
    for one in started:
        if one.poll() is None:
            one.kill()
            one.wait(timeout=10)


def row_of(billing: Billing, claim: Any) -> Submission:
    id = parse_type_id("claim", claim["id"])
    assert id is not None
    with billing.house.entered() as scope:
        row = queries.latest_submission(scope=scope, claim_id=id)
        assert row is not None
        return row


def second(billing: Billing, claim: Any) -> None:
    """Another worker, this process, looks after the claim's file once."""
    jobs.send_submission(scope=billing.house.scope, submission_id=row_of(billing, claim).id)


def everything_of(house: House) -> list[tuple[Any, ...]]:
    """Every row that an answer to a send could change or add."""
    with house.entered(), connection.cursor() as cursor:
        found: list[tuple[Any, ...]] = []
        for table in ("claims_claim", "claims_submission", "claims_claimhistory", "outbox_outboxevent", "jobs_job"):
            cursor.execute(f"SELECT %s, id::text, t::text FROM {table} t ORDER BY 2", [table])
            found += cursor.fetchall()
        return found


def taken_in(sandbox: SandboxProcess) -> tuple[int, int]:
    counts = sandbox.accepted()["counts"]
    return counts["interchanges"], counts["claims_accepted_more_than_once"]


@pytest.mark.long
@pytest.mark.parametrize("point", ["claim.before_send", "claim.after_send"])
def test_r15_of_two_workers_the_one_that_slept_writes_nothing_and_the_payer_has_the_claim_once(
    billing: Billing, sandbox: SandboxProcess, asleep: list[subprocess.Popen[bytes]], point: str
) -> None:
    """The first stands still between note and socket, or between reply and note; its lease runs out; a second takes over."""
    house = billing.house
    before, _ = taken_in(sandbox)
    claim = billing.claim()
    billing.submit(claim)
    first = process.start("send", str(house.id), RAPPORT_CRASHPOINTS=f"{point}:1:stop")
    asleep.append(first)
    process.stands_still(first)
    assert billing.read(claim)["state"] == "sending"

    for _ in range(2):  # one asks what became of it, and where it is not there the next one sends
        leases_end(house)
        second(billing, claim)
    settled = everything_of(house)
    assert row_of(billing, claim).state == "sent"
    first.send_signal(signal.SIGCONT)

    assert first.wait(timeout=60) == 0, "it woke and came to its end"
    assert everything_of(house) == settled, "and changed nothing at all"
    assert taken_in(sandbox) == (before + 1, 0)
    assert [m["action"] for m in billing.read(claim)["history"]].count("record_sent") == 1


def test_r15_the_control_while_the_first_has_its_lease_a_second_worker_does_nothing(
    billing: Billing, sandbox: SandboxProcess, asleep: list[subprocess.Popen[bytes]]
) -> None:
    house = billing.house
    before, _ = taken_in(sandbox)
    claim = billing.claim()
    billing.submit(claim)
    first = process.start("send", str(house.id), RAPPORT_CRASHPOINTS="claim.before_send:1:stop")
    asleep.append(first)
    process.stands_still(first)
    taken = everything_of(house)

    second(billing, claim)

    assert everything_of(house) == taken
    assert taken_in(sandbox) == (before, 0), "nobody sent it"
    first.send_signal(signal.SIGCONT)
    assert first.wait(timeout=60) == 0
    assert row_of(billing, claim).state == "sent"
    assert everything_of(house) != taken, "the first one does write: its lease was good"
    assert taken_in(sandbox) == (before + 1, 0)


def slept(billing: Billing) -> tuple[services.Sending, services.Sending]:
    """What an old worker and the one after it hold of the same claim, which the second is about to send."""
    claim = billing.claim()
    billing.submit(claim)
    id = row_of(billing, claim).id
    held: list[services.Sending] = []
    for _ in range(3):
        leases_end(billing.house)
        with billing.house.entered() as scope:
            now = timezone.now()
            sending = services.begin_sending(scope=scope, submission_id=id, now=now)
            assert sending is not None
            if sending.ask_first:
                services.resolve_doubt(scope=scope, sending=sending, answer=NotHeld(), now=now)
            held.append(sending)
    assert [one.ask_first for one in held] == [False, True, False]
    return held[0], held[2]


def test_r15_an_old_no_does_not_make_what_the_second_is_sending_ready_for_a_third(billing: Billing) -> None:
    old, new = slept(billing)
    with billing.house.entered() as scope:
        assert services.record_answer(scope=scope, sending=old, answer=Later(5), now=timezone.now()) is None
        assert Submission.objects.visible_to(scope).get(id=new.submission_id).state == "sending"
        done = services.record_answer(scope=scope, sending=new, answer=Sent("R1"), now=timezone.now())
        assert done is not None
        assert done.state == "sent"


def test_r15_the_control_with_the_seconds_fence_the_old_no_would_be_believed(billing: Billing) -> None:
    old, new = slept(billing)
    with billing.house.entered() as scope:
        blind = replace(old, fence=new.fence)
        believed = services.record_answer(scope=scope, sending=blind, answer=Later(5), now=timezone.now())
        assert believed is not None
        assert believed.state == "ready", "and a third worker would send what the second has just sent"
