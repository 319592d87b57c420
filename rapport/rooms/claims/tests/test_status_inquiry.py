"""Payers are asked what became of claims: by a person, by schedule, and what their answers may do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from rapport.kernel.ids import parse_type_id
from rapport.protocols.x12 import status276, status277, syntax
from rapport.protocols.x12.check import check_bytes
from rapport.protocols.x12.entities import Party, Reference
from rapport.protocols.x12.envelope import (
    Address,
    Numbers,
    TransactionSet,
    interchange,
    transaction_sets,
)
from rapport.protocols.x12.status276 import StatusInquiry as Question
from rapport.protocols.x12.status277 import ClaimStatus, Reason, Status, StatusAnswer
from rapport.rooms.claims import jobs, queries, services
from rapport.rooms.claims.models import InboundFile, StatusInquiry
from rapport.rooms.claims.ports import InboundFile as Arrived
from rapport.rooms.claims.rules import inquiries as rules
from rapport.rooms.claims.states import Action
from tests.support.billing import Billing
from tests.support.cast import House
from tests.support.clock import let_retries_come, moving
from tests.support.sandbox import SandboxProcess


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    process = SandboxProcess(tmp_path_factory.mktemp("payer"))
    yield process
    process.stop()


@pytest.fixture
def billing(willow: House, sandbox: SandboxProcess) -> Billing:
    return Billing(willow, sandbox)


def sent(billing: Billing, member_id: str = "SBXLATE01", *, fetch: bool = True, hour: int = 9) -> Any:
    """A claim that is with the payer, which does not decide yet."""
    claim = billing.claim(member_id=member_id, hour=hour)
    billing.submit(claim)
    billing.work(fetch=fetch)
    return billing.read(claim)


def ask(billing: Billing, claim: Any) -> Any:
    answer = billing.house.biller.post(f"/v1/claims/{claim['id']}/inquire-status", {})
    assert answer.status_code == 202, answer.content
    return answer.json()


def asked(billing: Billing, claim: Any) -> Question:
    """The newest question about a claim, as it stands in its file."""
    with billing.house.entered() as scope:
        rows = queries.inquiries_of(scope=scope, claim_id=parse_type_id("claim", claim["id"]))
        data = queries.submission_bytes(submission=rows[-1].submission)
    assert [one for one in check_bytes(data).findings if one.severity == "error"] == []
    [unit] = [one for one in transaction_sets(syntax.read(data)) if isinstance(one, TransactionSet)]
    return next(
        one for one in status276.read(unit) if one.claims[0].trace == rows[-1].inquiry.trace
    )


def say(
    billing: Billing,
    claim: Any,
    category: str,
    *,
    trace: str = "",
    name: str = "answer",
    **told: Any,
) -> InboundFile | None:
    """Let a 277 come through the channel that says this of the newest question."""
    question = asked(billing, claim)
    status = Status((Reason(category, "20"),), on=date(2026, 3, 2), **told)
    answer = StatusAnswer(
        payer=question.payer, receiver=question.receiver, provider=question.provider,
        subscriber=question.subscriber.party,
        claims=(
            ClaimStatus(
                trace or question.claims[0].trace, (status,), (Reference("1K", f"ICN{category}"),)
            ),
        ),
    )  # fmt: skip
    return arrive(billing, answer, name=name)


def arrive(billing: Billing, answer: StatusAnswer, *, name: str) -> InboundFile | None:
    at = datetime(2026, 3, 2, tzinfo=UTC)
    data = b"".join(
        interchange(
            [("277", status277.write([answer], reference="P1", at=at).segments)],
            sender=Address("ZZ", "PAYER"), receiver=Address("ZZ", "US"), numbers=Numbers(9, 9, 1),
            at=at, usage="T", version="005010X212",
        )
    )  # fmt: skip
    with billing.house.entered() as scope:
        return services.receive_file(
            scope=scope, channel_id=parse_type_id("channel", billing.things["channel"]["id"]),
            arrived=Arrived(name=name, kind="277", data=data), now=timezone.now(),
        )  # fmt: skip


def actions(claim: Any) -> list[str]:
    return [move["action"] for move in claim["history"]]


def test_olga_asks_and_the_payers_answer_is_filed(
    billing: Billing, sandbox: SandboxProcess
) -> None:
    """The payer has it and has not decided; then it has paid, and the claim is paid by its remittance alone."""
    claim = sent(billing)
    assert claim["state"] == "accepted"
    [question] = ask(billing, claim)["status_inquiries"]
    assert (question["state"], question["reason"], question["answers"]) == ("ready", "person", [])
    billing.work()

    now = billing.read(claim)
    [question] = now["status_inquiries"]
    [told] = question["answers"]
    assert (question["state"], told["standing"], told["source"]) == (
        "answered",
        "pending",
        "EXAMPLE HEALTH PLAN",
    )
    assert told["codes"] == [{"category": "P1", "code": "20", "entity": ""}]
    assert (told["charge"]["amount"], told["paid"]) == (18000, None)
    assert told["payer_claim_number"] == now["payer_claim_number"] != ""
    assert now["state"] == "accepted"
    assert actions(now)[-2:] == ["ask_status", "status_told"]

    sandbox.advance()
    ask(billing, claim)
    billing.work(fetch=False)
    billing.work()
    told = billing.read(claim)["status_inquiries"][-1]["answers"][-1]
    assert (told["standing"], told["paid"]["amount"]) == ("paid", 11900)
    assert told["payment_number"]
    assert billing.read(claim)["state"] == "paid"


def test_one_question_is_open_for_a_claim_at_a_time(billing: Billing) -> None:
    claim = sent(billing)
    assert len(ask(billing, claim)["status_inquiries"]) == 1
    assert len(ask(billing, claim)["status_inquiries"]) == 1
    billing.work()
    assert len(ask(billing, claim)["status_inquiries"]) == 2


def test_of_a_claim_that_never_left_no_payer_is_asked(billing: Billing) -> None:
    claim = billing.claim()
    answer = billing.house.biller.post(f"/v1/claims/{claim['id']}/inquire-status", {})
    assert (answer.status_code, answer.json()["code"]) == (409, "state-conflict")


def test_a_lost_reply_is_settled_by_asking_for_the_file(
    billing: Billing, sandbox: SandboxProcess
) -> None:
    claim = sent(billing)
    sandbox.script({"fault": "drop_reply", "accept": True})
    ask(billing, claim)
    billing.work(fetch=False)
    assert billing.read(claim)["status_inquiries"][0]["state"] == "in_doubt"
    before = sandbox.call("GET", "/_sandbox/accepted").json()["counts"]["interchanges"]
    let_retries_come(billing.house)
    billing.work()
    assert billing.read(claim)["status_inquiries"][0]["state"] == "answered"
    assert sandbox.call("GET", "/_sandbox/accepted").json()["counts"]["interchanges"] == before
    assert billing.read(claim)["state"] == "accepted"


def test_a_clearinghouse_that_is_busy_is_asked_later(
    billing: Billing, sandbox: SandboxProcess
) -> None:
    claim = sent(billing)
    sandbox.script({"fault": "503", "seconds": 5})
    ask(billing, claim)
    billing.work(fetch=False)
    [question] = billing.read(claim)["status_inquiries"]
    assert (question["state"], question["last_code"]) == ("ready", "later")


def test_what_is_due_is_asked_by_schedule_and_once(billing: Billing) -> None:
    claim = sent(billing)
    with billing.house.entered() as scope:
        now = timezone.now()
        in_time = services.inquire_what_is_due(scope=scope, now=now + timedelta(days=13))
        late = services.inquire_what_is_due(scope=scope, now=now + timedelta(days=15))
        again = services.inquire_what_is_due(scope=scope, now=now + timedelta(days=16))
    assert (in_time, late, again) == (0, 1, 0)
    billing.work()
    [question] = billing.read(claim)["status_inquiries"]
    assert (question["reason"], question["state"]) == ("schedule", "answered")


def test_the_worker_asks_by_itself(billing: Billing) -> None:
    claim = sent(billing)
    jobs.inquire()
    billing.work()
    assert billing.read(claim)["status_inquiries"] == []
    with moving() as clock:
        clock.move(days=15)
        jobs.inquire()
        billing.work(fetch=False)
    billing.work()
    assert billing.read(claim)["status_inquiries"][0]["state"] == "answered"


def test_claims_that_are_due_together_are_asked_for_in_one_file(billing: Billing) -> None:
    claims = [sent(billing, hour=hour) for hour in range(3)]
    with billing.house.entered() as scope:
        services.inquire_what_is_due(scope=scope, now=timezone.now() + timedelta(days=15))
        assert (
            StatusInquiry.objects.visible_to(scope).values("submission_id").distinct().count() == 1
        )
    billing.work()
    assert {billing.read(claim)["status_inquiries"][0]["state"] for claim in claims} == {"answered"}


def test_an_answer_moves_a_claim_forwards(billing: Billing) -> None:
    """Nothing came back but the answer: that the payer has the claim is known by it."""
    claim = sent(billing, fetch=False)
    assert claim["state"] == "submitted"
    ask(billing, claim)
    say(billing, claim, "P3")
    now = billing.read(claim)
    assert (now["state"], now["payer_claim_number"]) == ("accepted", "ICNP3")
    assert actions(now)[-3:] == ["ask_status", "status_told", "accept"]


@pytest.mark.parametrize("category", ["A1", "D0", "E1", "P1", "F1", "F2"])
def test_an_answer_decides_nothing(billing: Billing, category: str) -> None:
    """Received, not found, later, pending, even paid and denied: an accepted claim stays accepted."""
    claim = sent(billing)
    ask(billing, claim)
    say(billing, claim, category)
    now = billing.read(claim)
    assert now["state"] == "accepted"
    assert now["status_inquiries"][0]["answers"][0]["codes"][0]["category"] == category


def test_a_claim_that_is_paid_is_not_undone_by_an_answer(billing: Billing) -> None:
    claim = sent(billing, "SBXCOPAY1")
    assert claim["state"] == "paid"
    ask(billing, claim)
    say(billing, claim, "A3")
    assert billing.read(claim)["state"] == "paid"


def test_an_answer_about_an_earlier_file_changes_nothing(billing: Billing) -> None:
    """The question was about the first file; the claim was mended and sent anew before the answer came."""
    claim = sent(billing, "SBX277A301")
    assert claim["state"] == "rejected"
    ask(billing, claim)
    question = asked(billing, claim)
    path = f"/v1/claims/{claim['id']}"
    mended = billing.house.biller.post(f"{path}/validate", {})
    assert mended.status_code == 200, mended.content
    billing.submit(claim)
    billing.work(fetch=False)
    assert billing.read(claim)["state"] == "submitted"
    say(billing, claim, "A3", trace=question.claims[0].trace)
    now = billing.read(claim)
    assert (now["state"], now["history"][-1]["action"]) == ("submitted", "status_told")
    assert now["history"][-1]["detail"].endswith(":old")
    assert now["payer_claim_number"] != "ICNA3"


def test_the_same_file_is_filed_once_and_a_strange_one_is_parked(billing: Billing) -> None:
    claim = sent(billing)
    ask(billing, claim)
    first = say(billing, claim, "P1", name="one")
    assert first is not None
    assert first.outcome == "read"
    assert say(billing, claim, "P1", name="one") is None
    assert len(billing.read(claim)["status_inquiries"][0]["answers"]) == 1
    strange = replace(
        _answer_about_nobody(), claims=(ClaimStatus("NOTOURS", (Status((Reason("P1", "20"),)),)),)
    )
    parked = arrive(billing, strange, name="strange")
    assert parked is not None
    assert parked.outcome == "parked"


def test_a_refusal_of_the_whole_request_is_told_of_each_question(billing: Billing) -> None:
    claim = sent(billing)
    ask(billing, claim)
    with billing.house.entered() as scope:
        rows = queries.inquiries_of(scope=scope, claim_id=parse_type_id("claim", claim["id"]))
    whole = replace(
        _answer_about_nobody(), subscriber=None, provider=None,
        claims=(ClaimStatus(rows[0].submission.batch_id, (Status((Reason("E1", "0"),)),)),),
    )  # fmt: skip
    arrive(billing, whole, name="later")
    [question] = billing.read(claim)["status_inquiries"]
    assert (question["state"], question["answers"][0]["standing"]) == ("later", "later")


def test_an_amount_that_is_no_money_is_left_out(billing: Billing) -> None:
    claim = sent(billing)
    ask(billing, claim)
    say(billing, claim, "F1", charge=Decimal("180.005"), paid=Decimal("119"))
    [told] = billing.read(claim)["status_inquiries"][0]["answers"]
    assert (told["charge"], told["paid"]["amount"]) == (None, 11900)


def open_items(billing: Billing) -> list[tuple[str, str]]:
    page = billing.house.biller.get("/v1/claim-work-items?state=open").json()["data"]
    return [(item["kind"], item["code"]) for item in page]


@pytest.mark.parametrize(
    ("category", "item"),
    [
        ("D0", ("status", "277:D0:20:not_found")),
        ("R4", ("status", "277:R4:20:information_requested")),
        ("F1", ("status", "277:F1:20:paid")),
        ("F2", ("status", "277:F2:20:denied")),
        ("A3", ("rejected", "277:A3:20")),
        ("P1", None),
        ("E1", None),
    ],
)
def test_an_answer_that_asks_for_somebody_is_on_the_work_list(
    billing: Billing, category: str, item: tuple[str, str] | None
) -> None:
    claim = sent(billing)
    ask(billing, claim)
    say(billing, claim, category)
    assert open_items(billing) == ([item] if item else [])


def test_a_better_answer_or_the_remittance_takes_it_off_the_list(
    billing: Billing, sandbox: SandboxProcess
) -> None:
    claim = sent(billing)
    ask(billing, claim)
    say(billing, claim, "D0", name="one")
    assert open_items(billing)
    say(billing, claim, "P1", name="two")
    assert open_items(billing) == []
    say(billing, claim, "F1", name="three")
    assert open_items(billing)
    sandbox.advance()
    billing.work()
    assert (billing.read(claim)["state"], open_items(billing)) == ("paid", [])


def test_a_question_without_an_answer_is_told_once(billing: Billing) -> None:
    claim = sent(billing)
    ask(billing, claim)
    with billing.house.entered() as scope:
        now = timezone.now()
        services.inquire_what_is_due(scope=scope, now=now + timedelta(days=2))
        in_time = queries.unanswered(scope=scope, now=now + timedelta(days=2))
        assert queries.unanswered(scope=scope, now=now + timedelta(days=4)) != in_time == []
        services.inquire_what_is_due(scope=scope, now=now + timedelta(days=4))
        services.inquire_what_is_due(scope=scope, now=now + timedelta(days=4))
    assert open_items(billing) == [("status", "unanswered")]
    [item] = billing.house.biller.get("/v1/claim-work-items?state=open").json()["data"]
    assert (item["times"], "did not answer" in item["reason"]) == (1, True)
    say(billing, claim, "P1")
    assert open_items(billing) == []


def test_each_payer_is_given_the_time_the_practice_says(billing: Billing) -> None:
    biller, path = billing.house.biller, f"/v1/payers/{billing.things['payer']['id']}/claim-profile"
    changed = biller.patch(path, {"status_after_days": 30}, if_match=biller.get(path)["ETag"])
    assert changed.status_code == 200, changed.content
    sent(billing)
    with billing.house.entered() as scope:
        now = timezone.now()
        assert queries.overdue(scope=scope, now=now + timedelta(days=29), most=9) == []
        assert len(queries.overdue(scope=scope, now=now + timedelta(days=31), most=9)) == 1


def _answer_about_nobody() -> StatusAnswer:
    return StatusAnswer(
        Party("PR", "2", "PAYER", id_kind="PI", id="60054"), Party("41", "2", "US", id_kind="46", id="US1"),
        Party("1P", "2", "US", id_kind="XX", id="1234567893"),
        Party("IL", "1", "BAKER", "ELI", id_kind="MI", id="W1"),
    )  # fmt: skip


NOW = datetime(2026, 3, 30, tzinfo=UTC)


def due(
    state: str = "accepted", *, sent: int, asked: int | None = None, told: str = "", times: int = 0
) -> bool:
    return rules.due(
        state=state, sent_at=NOW - timedelta(days=sent), told=told, asked=times, days=14, now=NOW,
        asked_at=None if asked is None else NOW - timedelta(days=asked),
    )  # fmt: skip


def test_when_a_claim_is_due() -> None:
    assert due(sent=14)
    assert not due(sent=13)
    assert not any(
        due(state, sent=90)
        for state in ("draft", "unknown", "rejected", "paid", "denied", "voided")
    )
    assert due(sent=30, asked=7, told="pending", times=1)
    assert not due(sent=30, asked=6, told="pending", times=1)
    assert due(sent=30, asked=1, told="later", times=1)
    assert not due(sent=90, asked=30, times=rules.MOST_SCHEDULED)


def test_no_answer_leads_to_a_decision_or_backwards() -> None:
    """Whatever is said, of whatever state: forwards to accepted, or turned away before a decision."""
    order = ["unknown", "submitted", "acknowledged", "accepted"]
    standings = {*status277.STANDINGS.values(), "pending", "unknown"}
    for state in ["draft", "queued", "held", "rejected", "paid", "denied", "voided"]:
        assert {rules.move_for(standing, state) for standing in standings} == {None}
    for state in order:
        moves = {rules.move_for(standing, state) for standing in standings} - {None}
        assert moves <= {Action.ACCEPT, Action.ACKNOWLEDGE, Action.REJECT}
    assert rules.move_for("received", "acknowledged") is None
    assert rules.move_for("paid", "accepted") is None
