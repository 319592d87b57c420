"""R-18: a control number is given once: over kills, two processes, the end of the numbers, and a restore."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from rapport.kernel.ids import parse_type_id
from rapport.rooms.claims import services
from rapport.rooms.claims.models import Submission
from rapport.rooms.claims.ports import InboundFile as Arrived
from rapport.rooms.claims.services import numbers
from rapport.rooms.claims.tests.test_kills import leases_end
from tests.support import process
from tests.support.billing import Billing
from tests.support.cast import House
from tests.support.sandbox import SandboxProcess


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[SandboxProcess]:
    payer = SandboxProcess(tmp_path)
    yield payer
    payer.stop()


@pytest.fixture
def billing(willow: House, sandbox: SandboxProcess) -> Billing:
    return Billing(willow, sandbox)


def channel(billing: Billing) -> Any:
    return billing.house.biller.get(f"/v1/channels/{billing.things['channel']['id']}")


def given(billing: Billing) -> list[tuple[int, int, str]]:
    """Return the numbers of every file that was frozen, and its bytes' hash."""
    with billing.house.entered() as scope:
        rows = Submission.objects.visible_to(scope).order_by("interchange_number")
        return [(row.interchange_number, row.group_number, row.sha256) for row in rows]


def count_from(billing: Billing, number: int) -> Any:
    now = channel(billing)
    return billing.house.biller.patch(
        f"/v1/channels/{now.json()['id']}", {"last_control_number": number}, if_match=now["ETag"]
    )


def says(billing: Billing, *segments: str, name: str) -> None:
    """Let an answer of the clearinghouse come through the channel."""
    head = "ISA*00*          *00*          *ZZ*CH             *ZZ*US             *260302*0900*^*00501*000000009*0*T*:"
    data = "".join(f"{segment}~" for segment in (head, *segments, "IEA*0*000000009")).encode()
    with billing.house.entered() as scope:
        id = parse_type_id("channel", billing.things["channel"]["id"])
        assert id is not None
        services.receive_file(
            scope=scope, channel_id=id, arrived=Arrived(name=name, kind="999", data=data), now=timezone.now()
        )  # fmt: skip


def test_r18_killed_between_number_and_send_a_file_keeps_its_number_and_the_next_gets_another(
    billing: Billing, sandbox: SandboxProcess
) -> None:
    billing.submit(billing.claim())
    before = given(billing)
    killed = process.start("send", str(billing.house.id), RAPPORT_CRASHPOINTS="claim.before_send:1")
    assert killed.wait(timeout=60) == -9, "the control: the kill did happen"
    leases_end(billing.house)
    process.start("send", str(billing.house.id)).wait(timeout=60)
    leases_end(billing.house)
    process.start("send", str(billing.house.id)).wait(timeout=60)
    billing.submit(billing.claim(hour=1))
    process.start("send", str(billing.house.id)).wait(timeout=60)

    assert [(one, two) for one, two, _ in given(billing)] == [(1, 1), (2, 2)]
    assert given(billing)[:1] == before, "the very bytes that were frozen before the kill"
    assert sandbox.call("GET", "/_sandbox/accepted").json()["counts"]["interchanges"] == 2


def test_r18_two_processes_that_make_files_at_once_take_different_numbers(billing: Billing) -> None:
    claims = [billing.claim(hour=turn) for turn in range(4)]
    made = []
    for pair in (claims[:2], claims[2:]):
        answer = billing.house.biller.post(
            "/v1/claim-batches", {"claim_ids": [claim["id"] for claim in pair]}
        )
        assert answer.status_code == 202, answer.content
        made.append(process.start("batch", str(billing.house.id), answer.json()["id"], "2"))
    assert [one.wait(timeout=120) for one in made] == [0, 0]
    assert [(one, two) for one, two, _ in given(billing)] == [(1, 1), (2, 2)]


def test_r18_after_the_last_number_nothing_is_sent_rather_than_one_used_again(billing: Billing) -> None:
    first, second = billing.claim(), billing.claim(hour=1)
    assert count_from(billing, numbers.LAST - 1).status_code == 200
    billing.submit(first)
    assert given(billing)[0][:2] == (numbers.LAST, numbers.LAST)

    path = f"/v1/claims/{second['id']}"
    refused = billing.house.biller.post(
        f"{path}/submit", {}, if_match=billing.house.biller.get(path)["ETag"]
    )
    assert (refused.status_code, refused.json()["code"]) == (409, "control-numbers-used-up")
    refused = billing.house.biller.post("/v1/claim-batches", {"claim_ids": [second["id"]]})
    assert (refused.status_code, refused.json()["code"]) == (409, "control-numbers-used-up")
    assert len(given(billing)) == 1
    assert billing.read(second)["state"] == second["state"]


@pytest.mark.parametrize(
    ("answer", "last"),
    [
        (("TA1*000000057*260302*0900*A*000",), 57 + numbers.GAP),
        (("GS*FA*CH*US*20260302*0900*1*X*005010X231A1", "ST*999*0001*005010X231A1", "AK1*HC*2000*005010X222A1",
          "AK9*A*1*1*1", "SE*4*0001", "GE*1*1"), 2000 + numbers.GAP),
        (("TA1*000000001*260302*0900*R*025",), 1 + numbers.GAP),
        (("TA1*000000001*260302*0900*A*000",), 1),
        (("TA1*999999998*260302*0900*A*000",), 1),
    ],
    ids=["a TA1 of a number not given", "a 999 of one", "a number used before", "the control: ours", "too far ahead"],
)  # fmt: skip
def test_r18_after_a_restore_the_count_jumps_ahead_of_what_the_other_side_has_seen(
    billing: Billing, answer: tuple[str, ...], last: int
) -> None:
    billing.submit(billing.claim())
    says(billing, *answer, name="answer")
    assert channel(billing).json()["last_control_number"] == last
    billing.submit(billing.claim(hour=1))
    assert given(billing)[-1][:2] == (last + 1, last + 1)


def test_r18_a_person_who_knows_the_last_number_moves_the_count_up_and_never_back(
    billing: Billing,
) -> None:
    assert count_from(billing, 500).json()["last_control_number"] == 500
    refused = count_from(billing, 499)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "/last_control_number"
    billing.submit(billing.claim())
    assert given(billing)[0][:2] == (501, 501)


def test_the_control_the_database_itself_refuses_a_number_that_goes_back(billing: Billing) -> None:
    count_from(billing, 500)
    with billing.house.entered(), pytest.raises(DatabaseError, match="only grow"):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("UPDATE claims_channel SET last_interchange = 499")
