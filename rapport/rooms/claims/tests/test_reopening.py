"""Claims that were sent and that nobody answers for: opened again by a person, who may be wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from rapport.kernel.ids import parse_type_id
from rapport.kernel.problems import StateConflict
from rapport.rooms.claims import queries, services
from rapport.rooms.claims.models import Submission
from rapport.rooms.claims.ports import InboundFile as Arrived
from rapport.rooms.claims.ports import InDoubt
from rapport.rooms.claims.services.decisions import record_decision
from tests.support.billing import Billing
from tests.support.cast import House
from tests.support.sandbox import SandboxProcess

REASON = "the payer says it has no such claim"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    process = SandboxProcess(tmp_path_factory.mktemp("payer"))
    yield process
    process.stop()


@pytest.fixture
def billing(willow: House, sandbox: SandboxProcess) -> Billing:
    return Billing(willow, sandbox)


def act(billing: Billing, claim: Any, verb: str, body: Any = None) -> Any:
    biller, path = billing.house.biller, f"/v1/claims/{claim['id']}"
    return biller.post(f"{path}/{verb}", body or {}, if_match=biller.get(path)["ETag"])


def reopen(billing: Billing, claim: Any) -> Any:
    answer = act(billing, claim, "reopen", {"reason": REASON})
    assert answer.status_code == 200, answer.content
    return answer.json()


def unanswered(billing: Billing) -> Any:
    """A claim whose file left, and of which nothing was heard since."""
    claim = billing.claim(member_id="SBXNEVER")
    billing.submit(claim)
    billing.work(fetch=False)
    now = billing.read(claim)
    assert now["state"] == "submitted"
    return now


def told(billing: Billing, claim: Any, category: str, name: str) -> None:
    """Let a 277CA come that says this of the claim, as its first file had it."""
    with billing.house.entered() as scope:
        first = queries.submissions_of(scope=scope, claim_id=parse_type_id("claim", claim["id"]))[0]
        action = "WQ" if category == "A2" else "U"
        body = [
            "ST*277*0001*005010X214", "BHT*0085*08*P1*20260302*0900*TH", "HL*1**20*1", "NM1*PR*2*EXAMPLE HEALTH PLAN*****PI*60054",
            "TRN*1*A1", "DTP*050*D8*20260302", "DTP*009*D8*20260302", "HL*2*1*21*1", "NM1*41*2*WILLOW*****46*S1",
            f"TRN*2*{first.row.batch_id}", "STC*A1:19:PR*20260302*WQ*180", "HL*3*2*19*1", "NM1*85*2*WILLOW*****XX*1000000004", "TRN*2*0",
            "STC*A1:19:PR*20260302*WQ*180", "HL*4*3*PT", "NM1*QC*1*RIVERA*ANA****MI*SBXNEVER",
            f"TRN*2*{claim['control_number']}", f"STC*{category}:20:PR*20260302*{action}*180",
        ]  # fmt: skip
        segments = [
            "ISA*00*          *00*          *ZZ*SANDBOXCH      *ZZ*US             *260302*0900*^*00501*000000009*0*T*:",
            "GS*HN*SANDBOXCH*US*20260302*0900*9*X*005010X214", *body, f"SE*{len(body) + 1}*0001", "GE*1*9", "IEA*1*000000009",
        ]  # fmt: skip
        services.receive_file(
            scope=scope, channel_id=parse_type_id("channel", billing.things["channel"]["id"]),
            arrived=Arrived(name=name, kind="277", data=("~".join(segments) + "~").encode()), now=timezone.now(),
        )  # fmt: skip


def decided(billing: Billing, claim: Any) -> None:
    with billing.house.entered() as scope:
        id = parse_type_id("claim", claim["id"])
        assert id is not None
        record_decision(
            scope=scope, claim_id=id, denied=False, payer_claim_number="ICN1", detail="835:1", now=timezone.now()
        )


def moves(claim: Any) -> list[str]:
    return [move["action"] for move in claim["history"]]


def test_olga_reopens_a_claim_that_nobody_answers_for_and_sends_it_anew(billing: Billing) -> None:
    claim = unanswered(billing)
    refused = act(billing, claim, "void")
    assert (refused.status_code, refused.json()["code"]) == (409, "state-conflict")
    assert "cannot be withdrawn" in refused.json()["detail"]
    assert "reopen it first" in refused.json()["detail"]
    assert act(billing, claim, "reopen").status_code == 422, "a reason is needed"

    again = reopen(billing, claim)
    assert (again["state"], moves(again)[-2:]) == ("validated", ["reopen_sent", "pass"])
    history = billing.house.biller.get(f"/v1/claims/{claim['id']}/history").json()["data"]
    assert "Somebody opened it again: no payer answered for what was sent." in [one["text"] for one in history]
    assert REASON not in str(history), "what somebody wrote is in the trail alone"

    billing.submit(again)
    billing.work(fetch=False)
    anew = billing.read(claim)
    assert anew["state"] == "submitted"
    first, second = anew["submissions"]
    assert first["interchange_number"] != second["interchange_number"]
    assert anew["frequency"] == "original"


def test_a_reopened_claim_is_withdrawn_and_its_visit_billed_anew(billing: Billing) -> None:
    claim = unanswered(billing)
    visit = claim["lines"][0]["appointment_id"]
    biller = billing.house.biller
    assert biller.post("/v1/claims", {"appointment_ids": [visit]}).json()["code"] == "duplicate-claim"

    reopen(billing, claim)
    assert act(billing, claim, "void").json()["state"] == "voided"
    assert biller.post("/v1/claims", {"appointment_ids": [visit]}).status_code == 201


@pytest.mark.parametrize("sent_anew", [False, True], ids=["before it was sent anew", "after it was sent anew"])
def test_late_answers_to_the_first_file(billing: Billing, sent_anew: bool) -> None:
    """Before: the payer has it after all, and the claim is where it was. After: what is said of the first file is history."""
    claim = unanswered(billing)
    reopen(billing, claim)
    if sent_anew:
        billing.submit(claim)
        billing.work(fetch=False)
    before = billing.read(claim)

    told(billing, claim, "A7", "turned away")
    assert billing.read(claim)["state"] == before["state"] == ("submitted" if sent_anew else "validated")
    told(billing, claim, "A2", "taken in")
    assert billing.read(claim)["state"] == before["state"], "the payer turned that one away"
    assert len(billing.read(claim)["acknowledgements"]) == len(before["acknowledgements"]) + 2

    decided(billing, claim)
    assert billing.read(claim)["state"] == "paid", "a decision is of the claim, whichever file it came in"


def test_a_payer_that_has_it_after_all_says_so_and_the_claim_is_with_it_again(billing: Billing) -> None:
    claim = unanswered(billing)
    reopen(billing, claim)
    told(billing, claim, "A2", "taken in")

    now = billing.read(claim)
    assert (now["state"], moves(now)[-2:]) == ("accepted", ["turn_up", "accept"])
    refused = act(billing, claim, "reopen", {"reason": REASON}).json()
    assert (refused["code"], "inquire-status" in refused["detail"]) == ("state-conflict", True)
    decided(billing, claim)
    refused = act(billing, claim, "reopen", {"reason": REASON}).json()
    assert "`replacement` or `void`" in refused["detail"]


def test_the_control_a_draft_that_never_left_is_decided_by_nobody_and_not_reopened(billing: Billing) -> None:
    claim = billing.claim(member_id="SBXNEVER")

    with pytest.raises(StateConflict):
        decided(billing, claim)
    refused = act(billing, claim, "reopen", {"reason": REASON})
    assert (refused.status_code, refused.json()["detail"]) == (409, "It has not left: there is nothing to reopen.")


def test_a_claim_in_doubt_is_not_reopened_before_that_is_settled(billing: Billing) -> None:
    claim = billing.claim(member_id="SBXNEVER")
    billing.submit(claim)
    with billing.house.entered() as scope:
        row = queries.latest_submission(scope=scope, claim_id=parse_type_id("claim", claim["id"]))
        assert row is not None
        sending = services.begin_sending(scope=scope, submission_id=row.id, now=timezone.now())
        assert sending is not None
    while_sending = act(billing, claim, "reopen", {"reason": REASON}).json()
    with billing.house.entered() as scope:
        services.record_answer(scope=scope, sending=sending, answer=InDoubt("no reply"), now=timezone.now())
    in_doubt = act(billing, claim, "reopen", {"reason": REASON}).json()

    for refused in (while_sending, in_doubt):
        assert (refused["status"], "settle-doubt" in refused["detail"]) == (409, True)
    with billing.house.entered() as scope:
        assert Submission.objects.visible_to(scope).get(id=row.id).state == "in_doubt"
