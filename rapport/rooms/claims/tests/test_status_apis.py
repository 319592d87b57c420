"""What became of claims is asked over an interface that answers in the same call, and over one that does not offer it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from rapport.rooms.claims import services
from rapport.rooms.claims.models import Submission
from tests.support.billing import Billing
from tests.support.cast import House
from tests.support.clock import let_retries_come
from tests.support.sandbox import SandboxProcess

from .test_status_inquiry import ask, sent


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    process = SandboxProcess(tmp_path_factory.mktemp("payer"))
    yield process
    process.stop()


def questions(billing: Billing) -> list[Submission]:
    with billing.house.entered() as scope:
        return [one for one in Submission.objects.visible_to(scope).order_by("created_at") if one.file_name.endswith(".276")]


def test_the_answer_that_comes_in_the_same_call_is_filed(willow: House, sandbox: SandboxProcess) -> None:
    billing = Billing(willow, sandbox, way="stedi")
    claim = sent(billing)
    ask(billing, claim)
    billing.work(fetch=False)

    [question] = billing.read(claim)["status_inquiries"]
    assert (question["state"], question["answers"][0]["standing"]) == ("answered", "pending")
    assert question["answers"][0]["payer_claim_number"] == billing.read(claim)["payer_claim_number"]
    [file] = billing.house.biller.get("/v1/inbound-files?kind=277").json()["data"]
    assert (file["outcome"], file["name"].endswith(".reply.277")) == ("read", True)


def test_by_schedule_each_claim_has_a_question_of_its_own_where_one_is_answered_at_once(
    willow: House, sandbox: SandboxProcess
) -> None:
    billing = Billing(willow, sandbox, way="stedi")
    claims = [sent(billing, hour=hour) for hour in range(2)]
    with billing.house.entered() as scope:
        assert services.inquire_what_is_due(scope=scope, now=timezone.now() + timedelta(days=15)) == 2
    billing.work(fetch=False)
    assert len(questions(billing)) == 2
    assert {billing.read(claim)["status_inquiries"][0]["state"] for claim in claims} == {"answered"}


def test_a_question_whose_reply_is_lost_is_in_doubt_and_is_not_asked_again(
    willow: House, sandbox: SandboxProcess
) -> None:
    billing = Billing(willow, sandbox, way="stedi")
    claim = sent(billing)
    sandbox.script({"fault": "drop_reply"})
    ask(billing, claim)
    for _ in range(3):
        billing.work(fetch=False)
        let_retries_come(billing.house)
    [question] = billing.read(claim)["status_inquiries"]
    assert (question["state"], question["answers"]) == ("in_doubt", [])
    assert billing.read(claim)["state"] == claim["state"], "a question moves no claim"


def test_the_control_a_question_that_certainly_was_not_asked_is_asked_again(
    willow: House, sandbox: SandboxProcess
) -> None:
    billing = Billing(willow, sandbox, way="stedi")
    claim = sent(billing)
    sandbox.script({"fault": "503", "seconds": 1})
    ask(billing, claim)
    billing.work(fetch=False)
    assert billing.read(claim)["status_inquiries"][0]["state"] == "ready"
    let_retries_come(billing.house)
    billing.work(fetch=False)
    assert billing.read(claim)["status_inquiries"][0]["state"] == "answered"


def test_where_claim_status_is_not_offered_nothing_is_asked(willow: House, sandbox: SandboxProcess) -> None:
    billing = Billing(willow, sandbox, way="claim_md")
    claim = sent(billing)
    answer = billing.house.biller.post(f"/v1/claims/{claim['id']}/inquire-status", {})
    assert (answer.status_code, answer.json()["code"]) == (409, "no-channel")
