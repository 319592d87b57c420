"""R-11: a worker killed at any point between queue and note never sends a claim twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from tests.faults import ROUNDS
from tests.support import process
from tests.support.billing import Billing
from tests.support.cast import House
from tests.support.sandbox import SandboxProcess

POINTS = ("claim.before_send", "claim.after_send", "claim.before_mark_commit", "claim.after_mark")


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


@pytest.mark.parametrize("point", POINTS)
def test_r11_a_kill_there_leaves_the_claim_sent_once(
    willow: House, sandbox: SandboxProcess, point: str
) -> None:
    billing = Billing(willow, sandbox)
    for turn in range(ROUNDS):
        claim = billing.claim(hour=turn, days_ago=2 + turn // 6)
        billing.submit(claim)

        killed = process.start("send", str(willow.id), RAPPORT_CRASHPOINTS=f"{point}:1").wait(timeout=60)
        for _ in range(1 if turn else 3):
            leases_end(willow)
            process.start("send", str(willow.id)).wait(timeout=60)

        assert killed == -9, "the control: the kill did happen"
        counts = sandbox.call("GET", "/_sandbox/accepted").json()["counts"]
        assert counts["interchanges"] == turn + 1
        assert counts["claims_accepted_more_than_once"] == 0
        assert [s["state"] for s in billing.read(claim)["submissions"]] == ["sent"]
