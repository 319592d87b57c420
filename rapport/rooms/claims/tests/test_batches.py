"""Many claims in one file: what becomes of each, and that none holds up the others."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from rapport.kernel.ids import parse_type_id
from rapport.platform.access.permissions import Role
from rapport.platform.db.session import entered
from rapport.platform.jobs.worker import drain
from rapport.protocols.x12.check import check_bytes
from rapport.rooms.claims import queries, services
from rapport.rooms.claims.queries import batches as files
from rapport.rooms.claims.services import batches
from tests.support import process
from tests.support.billing import Billing
from tests.support.cast import House
from tests.support.clock import let_retries_come
from tests.support.sandbox import SandboxProcess


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[SandboxProcess]:
    """One for each test: the numbers of a file are those of one account."""
    payer = SandboxProcess(tmp_path)
    yield payer
    payer.stop()


@pytest.fixture
def billing(willow: House, sandbox: SandboxProcess) -> Billing:
    return Billing(willow, sandbox)


def ready(billing: Billing, *member_ids: str) -> list[Any]:
    """Claims of as many patients, each on an hour of its own."""
    return [
        billing.claim(member_id=member, hour=turn, days_ago=2 + turn // 6)
        for turn, member in enumerate(member_ids)
    ]


def now_of(billing: Billing, batch: Any) -> Any:
    return billing.house.biller.get(f"/v1/claim-batches/{batch['id']}").json()


def file_of(billing: Billing, batch: Any) -> bytes:
    id = parse_type_id("claim_batch", batch["id"])
    assert id is not None
    with billing.house.entered() as scope:
        row = files.get_batch(scope=scope, claim_batch_id=id)
        submission = files.submission_of_batch(scope=scope, batch=row)
        assert submission is not None
        return queries.submission_bytes(submission=submission)


def break_the_patient(billing: Billing, claim: Any) -> None:
    """Take the address away that the file needs, after the claim was found good."""
    with billing.house.entered(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE roster_patient SET address_line1 = '' WHERE id = %s",
            [parse_type_id("patient", claim["patient_id"])],
        )


def test_a_batch_of_no_claims_is_refused_and_nothing_leaves(billing: Billing) -> None:
    claim = billing.claim()
    empty = billing.house.biller.post("/v1/claim-batches", {"claim_ids": []})

    assert (empty.status_code, empty.json()["errors"][0]["pointer"]) == (422, "/claim_ids"), empty.content
    assert billing.read(claim)["state"] == "validated"
    assert billing.batch()["progress"]["total"] == 1, "without the list: all that are ready"


def test_claims_of_one_batch_leave_in_one_file_and_each_hears_its_own_answers(billing: Billing) -> None:
    claims = ready(billing, "SBXFULL01", "SBXCOPAY02", "SBX277REJ3")

    batch = billing.batch(payer_id=billing.things["payer"]["id"])
    billing.work()

    done = now_of(billing, batch)
    assert (done["state"], done["progress"], done["included"]) == ("made", {"done": 3, "total": 3}, 3)
    assert done["charge"]["amount"] == 3 * 18000
    assert done["submission"]["state"] == "sent"
    after = [billing.read(claim) for claim in claims]
    assert [claim["state"] for claim in after] == ["paid", "paid", "rejected"]
    assert len({claim["submissions"][0]["id"] for claim in after}) == 1, "one file"
    spans = [(c["submissions"][0]["first_position"], c["submissions"][0]["last_position"]) for c in after]
    assert spans == sorted(spans)
    assert all(last < first for (_, last), (first, _) in itertools.pairwise(spans))
    for claim in after:
        assert sorted({ack["kind"] for ack in claim["acknowledgements"]}) == ["277CA", "999"]
    assert [f for f in check_bytes(file_of(billing, batch)).findings if f.severity == "error"] == []


def test_a_claim_that_went_bad_is_left_out_and_holds_nobody_up(billing: Billing) -> None:
    good, bad = ready(billing, "SBXFULL01", "SBXFULL02")
    break_the_patient(billing, bad)

    batch = billing.batch()
    billing.work()

    done = now_of(billing, batch)
    assert done["included"] == 1
    assert done["left_out"] == [{"claim_id": bad["id"], "codes": ["address-missing"]}]
    left = billing.read(bad)
    assert (left["state"], left["submissions"]) == ("draft", [])
    assert "address-missing" in {finding["code"] for finding in left["findings"]}
    assert billing.read(good)["state"] == "paid"


def test_a_set_that_the_999_turns_away_costs_only_the_claim_with_the_fault(billing: Billing) -> None:
    first, culprit, last = ready(billing, "SBXFULL01", "SBX999BAD2", "SBXFULL03")

    batch = billing.batch()
    for _ in range(3):
        billing.work()

    turned = billing.read(culprit)
    assert turned["state"] == "rejected", turned["history"]
    assert [a["verdict"] for a in turned["acknowledgements"]] == ["rejected"]
    assert turned["acknowledgements"][0]["codes"][0]["segment"]
    for claim in (first, last):
        now = billing.read(claim)
        assert now["state"] == "paid", now["history"]
        assert [s["attempt"] for s in now["submissions"]] == [1, 2]
        assert "returned" in {ack["verdict"] for ack in now["acknowledgements"]}
    follows = billing.house.biller.get("/v1/claim-batches").json()["data"][0]
    assert (follows["follows_batch_id"], follows["included"]) == (batch["id"], 2)
    counts = billing.sandbox.call("GET", "/_sandbox/accepted").json()["counts"] if billing.sandbox else {}
    assert counts["claims_accepted_more_than_once"] == 0


def test_the_control_a_set_in_which_nobody_is_blamed_waits_for_a_person(
    billing: Billing, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rapport.rooms.claims.services import answers

    monkeypatch.setattr(answers, "_within", lambda row, error: False)
    claims = ready(billing, "SBXFULL01", "SBX999BAD2")

    billing.batch()
    billing.work()

    assert [billing.read(claim)["state"] for claim in claims] == ["rejected", "rejected"]
    assert len(billing.house.biller.get("/v1/claim-batches").json()["data"]) == 1


def test_a_lost_reply_is_settled_by_asking_for_all_claims_of_the_file(
    billing: Billing, sandbox: SandboxProcess
) -> None:
    claims = ready(billing, "SBXFULL01", "SBXFULL02")
    sandbox.call("POST", "/_sandbox/script", json={"next": [{"fault": "drop_reply", "accept": True}]})

    billing.batch()
    billing.work(fetch=False)
    doubtful = [billing.read(claim)["state"] for claim in claims]
    let_retries_come(billing.house)
    billing.work()

    assert doubtful == ["unknown", "unknown"]
    assert [billing.read(claim)["state"] for claim in claims] == ["paid", "paid"]
    counts = sandbox.call("GET", "/_sandbox/accepted").json()["counts"]
    assert counts["claims_accepted_more_than_once"] == 0


def test_killed_between_two_sets_a_batch_goes_on_where_it_was(
    billing: Billing, sandbox: SandboxProcess
) -> None:
    claims = ready(billing, "SBXFULL01", "SBXFULL02", "SBXFULL03")
    batch = billing.batch()

    killed = process.start(
        "batch", str(billing.house.id), batch["id"], "2", RAPPORT_CRASHPOINTS="batch.set_kept:1"
    ).wait(timeout=60)
    half = now_of(billing, batch)
    billing.work()

    assert killed == -9, "the control: the kill did happen"
    assert (half["state"], half["progress"]["done"]) == ("making", 2)
    assert now_of(billing, batch)["included"] == 3
    file = file_of(billing, batch)
    assert (file.count(b"~\nST*837*"), file.count(b"~\nCLM*")) == (2, 3)
    assert [f for f in check_bytes(file).findings if f.severity == "error"] == []
    assert {billing.read(claim)["state"] for claim in claims} == {"paid"}
    assert [billing.read(claim)["submissions"][0]["set_number"] for claim in claims] == [1, 1, 2]


def test_a_batch_is_put_together_once_however_many_workers_are_at_it(
    billing: Billing, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims = ready(billing, "SBXFULL01", "SBXFULL02")
    batch = billing.batch()
    drain(billing.house.id)
    id = parse_type_id("claim_batch", batch["id"])
    assert id is not None
    before = file_of(billing, batch)

    with entered(billing.house.scope) as scope:
        from django.utils import timezone

        assert services.make_set(scope=scope, batch_id=id, now=timezone.now()) is False
        services.finish_batch(scope=scope, batch_id=id, now=timezone.now())
    second = billing.house.biller.post("/v1/claim-batches", {"claim_ids": [c["id"] for c in claims]}).json()
    drain(billing.house.id)

    assert file_of(billing, batch) == before
    again = now_of(billing, second)
    assert (again["state"], again["included"]) == ("empty", 0)
    assert all(row["codes"][0].startswith("state:") for row in again["left_out"])


def test_whoever_may_read_one_claim_of_a_file_reads_nobody_elses(billing: Billing) -> None:
    mine, other = ready(billing, "SBXFULL01", "SBXFULL02")
    billing.batch()
    drain(billing.house.id)

    answer = billing.house.biller.get(f"/v1/claims/{mine['id']}", accept="application/edi-x12")

    shown = answer.content.decode()
    assert mine["control_number"] in shown
    assert other["control_number"] not in shown
    assert "SBXFULL02" not in shown
    assert [f for f in check_bytes(answer.content).findings if f.severity == "error"] == []


def test_a_fault_of_the_practice_itself_sends_nothing_and_gives_every_claim_back(billing: Billing) -> None:
    claims = ready(billing, "SBXFULL01", "SBXFULL02")
    batch = billing.batch()
    with billing.house.entered(), connection.cursor() as cursor:
        cursor.execute("UPDATE claims_channel SET settings = settings || '{\"receiver_name\": \"\"}'")

    billing.work(fetch=False)

    failed = now_of(billing, batch)
    assert (failed["state"], failed["submission"], failed["included"]) == ("failed", None, 0)
    assert failed["findings"][0]["segment"] == "NM1"
    assert {billing.read(claim)["state"] for claim in claims} == {"validated"}


def test_without_a_ready_claim_there_is_no_batch(billing: Billing, aspen: House) -> None:
    empty = billing.house.biller.post("/v1/claim-batches", {})
    claim = ready(billing, "SBXFULL01")[0]
    foreign = aspen.biller.post("/v1/claim-batches", {"claim_ids": [claim["id"]], "channel_id": claim["channel_id"]})

    assert (empty.status_code, empty.json()["code"]) == (409, "nothing-to-send")
    assert (foreign.status_code, foreign.json()["code"]) == (422, "reference-not-found")


def test_a_biller_sends_the_claims_of_their_own_caseload(billing: Billing) -> None:
    ready(billing, "SBXFULL01")
    assigned = billing.house.person("ben", Role.BILLER_ASSIGNED)

    nobodys = assigned.post("/v1/claim-batches", {})
    everybodys = billing.house.biller.post("/v1/claim-batches", {})

    assert (nobodys.status_code, nobodys.json()["code"]) == (409, "nothing-to-send")
    assert everybodys.status_code == 202, "the control: there is a claim to send"
    assert batches.CLAIMS_A_SET <= 5000
    assert everybodys.json()["progress"]["total"] == 1
