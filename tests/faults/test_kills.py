"""Processes killed at random and in the middle of a posting (R-11, R-24)."""

from __future__ import annotations

import random
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from tests.faults import ROUNDS, SEED
from tests.support import process
from tests.support.billing import Billing
from tests.support.cast import House
from tests.support.sandbox import SandboxProcess

KILLS, CLAIMS = 8, 3


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[SandboxProcess]:
    payer = SandboxProcess(tmp_path)
    yield payer
    payer.stop()


def leases_end(house: House) -> None:
    with house.entered(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE claims_submission SET leased_until = now() - interval '1 second', retry_at = NULL"
            " WHERE leased_until IS NOT NULL OR retry_at IS NOT NULL"
        )


def cash(house: House) -> tuple[int, int]:
    """Return (cents taken in, entries in the ledger)."""
    with house.entered(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(cents) FILTER (WHERE account = 'cash'), 0), count(DISTINCT entry_id)"
            " FROM ledger_posting"
        )
        row = cursor.fetchone()
        return int(row[0]), int(row[1])


def together(files: list[bytes]) -> bytes:
    """Return one remittance that says what several say, as a payer's weekly check would."""
    assert len(files) == CLAIMS
    first = [one.strip() for one in files[0].decode().split("~")]
    claims: list[str] = []
    total = 0
    for file in files:
        segments = [one.strip() for one in file.decode().split("~")]
        begin = next(n for n, one in enumerate(segments) if one.startswith("CLP*"))
        end = next(n for n, one in enumerate(segments) if one.startswith(("PLB*", "SE*")))
        claims += segments[begin:end]
        paid = next(one for one in segments if one.startswith("BPR*")).split("*")[2]
        total += int(paid)
    head = first[: next(n for n, one in enumerate(first) if one.startswith("CLP*"))]
    tail = first[next(n for n, one in enumerate(first) if one.startswith("SE*")) :]
    head = [
        "*".join([*one.split("*")[:2], str(total), *one.split("*")[3:]]) if one.startswith("BPR*") else one
        for one in head
    ]
    whole = [*head, *claims]
    inside = len(whole) - next(n for n, one in enumerate(whole) if one.startswith("ST*")) + 1
    tail[0] = "*".join(["SE", str(inside), tail[0].split("*")[2]])
    return "~".join([*whole, *tail]).encode()


@pytest.mark.long
def test_r11_kills_at_random_instants_never_send_a_claim_twice(
    willow: House, sandbox: SandboxProcess
) -> None:
    draw = random.Random(SEED)
    billing = Billing(willow, sandbox)
    for number in range(CLAIMS):
        billing.submit(billing.claim(hour=number, days_ago=number + 2))
    started = time.monotonic()
    process.start("send", "00000000-0000-0000-0000-000000000001").wait(60)
    life = time.monotonic() - started

    killed = 0
    for _ in range(KILLS * ROUNDS):
        leases_end(willow)
        running = process.start("send", str(willow.id))
        # Most of a process's life is its start: aim at its last part, where the sending is. How
        # long that is depends on what else the machine does: one that ended by itself tells.
        started = time.monotonic()
        try:
            running.wait(life * draw.uniform(0.7, 1.1))
            life = time.monotonic() - started
        except subprocess.TimeoutExpired:
            running.kill()
            killed += 1
            life *= 1.02
        running.wait(30)
    for _ in range(3):
        leases_end(willow)
        process.start("send", str(willow.id)).wait(60)

    assert killed, "the control: some were killed alive"
    counts = sandbox.accepted()["counts"]
    assert counts["claims_accepted_more_than_once"] == 0
    assert counts["interchanges"] == CLAIMS


@pytest.mark.slow
def test_r24_a_kill_in_the_middle_of_posting_leaves_all_of_a_file_or_nothing(
    willow: House, sandbox: SandboxProcess, tmp_path: Path
) -> None:
    billing = Billing(willow, sandbox)
    claims = [billing.claim(member_id="W123456789", hour=n, days_ago=n + 2) for n in range(CLAIMS)]
    for claim in claims:
        billing.submit(claim)
    billing.work(fetch=False)
    file = tmp_path / "all.835"
    file.write_bytes(together([data for kind, data in sandbox.answers() if kind == "835"]))
    before = cash(willow)

    died = process.start(
        "era", str(willow.biller.token), str(file), RAPPORT_CRASHPOINTS="remittance.claims_posted:1"
    ).wait(60)
    after_kill = cash(willow)
    process.start("era", str(willow.biller.token), str(file)).wait(60)
    once = cash(willow)
    process.start("era", str(willow.biller.token), str(file)).wait(60)

    assert died == -9, "the control: it was killed with its claims posted, and not yet the file"
    assert after_kill == before
    assert once[0] == before[0] + CLAIMS * 11900
    assert cash(willow) == once
    assert [billing.read(claim)["state"] for claim in claims] == ["paid"] * CLAIMS
