"""Claims that go by the interfaces of two clearinghouses: there and back, and what is done when nobody can tell."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from rapport.rooms.claims import jobs, queries, services
from rapport.rooms.claims.models import InboundFile
from rapport.rooms.claims.ports import InDoubt, Sent
from tests.support import process
from tests.support.billing import Billing
from tests.support.cast import House
from tests.support.clock import let_retries_come
from tests.support.sandbox import SandboxProcess

WAYS = ("stedi", "claim_md")


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    process = SandboxProcess(tmp_path_factory.mktemp("payer"))
    yield process
    process.stop()


@pytest.fixture(params=WAYS)
def billing(request: pytest.FixtureRequest, willow: House, sandbox: SandboxProcess) -> Billing:
    return Billing(willow, sandbox, way=request.param)


@pytest.fixture
def by_form(willow: House, sandbox: SandboxProcess) -> Billing:
    return Billing(willow, sandbox, way="claim_md")


def times(sandbox: SandboxProcess, claim: Any) -> int:
    """How often the payer took a claim in."""
    counts = {one["number"]: one["accepted_count"] for one in sandbox.accepted()["claims"]}
    return counts.get(claim["control_number"], 0)


def settle(billing: Billing, claim: Any, **body: Any) -> Any:
    path = f"/v1/claims/{claim['id']}"
    return billing.house.biller.post(f"{path}/settle-doubt", body, if_match=billing.house.biller.get(path)["ETag"])


def doubtful(billing: Billing, claim: Any) -> Any:
    return billing.house.biller.get("/v1/claim-work-items?kind=doubt&state=open").json()["data"]


def let_patience_end(house: House) -> None:
    with house.entered(), connection.cursor() as cursor:
        cursor.execute("UPDATE claims_submission SET state_changed_at = now() - interval '11 minutes'")


def test_a_claim_goes_there_is_acknowledged_and_paid(billing: Billing, sandbox: SandboxProcess) -> None:
    claim = billing.claim()

    billing.submit(claim)
    billing.work()

    now = billing.read(claim)
    assert now["state"] == "paid", now["history"]
    assert [s["state"] for s in now["submissions"]] == ["sent"]
    assert "277CA" in {ack["kind"] for ack in now["acknowledgements"]}
    assert now["payer_claim_number"]
    assert times(sandbox, claim) == 1


def test_a_claim_that_is_turned_away_comes_back_with_its_reason(billing: Billing) -> None:
    claim = billing.claim(member_id="SBX277REJ1")

    billing.submit(claim)
    billing.work()

    now = billing.read(claim)
    assert now["state"] == "rejected", now["acknowledgements"]
    assert "277CA" in {ack["kind"] for ack in now["acknowledgements"]}


def test_what_was_fetched_is_not_taken_a_second_time(billing: Billing) -> None:
    billing.submit(billing.claim())
    billing.work()
    with billing.house.entered() as scope:
        first = InboundFile.objects.visible_to(scope).count()

    with billing.house.entered(), connection.cursor() as cursor:
        # As after a kill between the last file and the note of how far it was.
        cursor.execute("UPDATE claims_channel SET inbound_cursor = ''")
    billing.work()

    with billing.house.entered() as scope:
        again = InboundFile.objects.visible_to(scope).values_list("name", flat=True)
        assert len(set(again)) == len(again)
        assert {one for one in again if one.endswith(".835") or one.startswith("era-")}
        assert first <= len(again) <= first + 1, "statuses that came meanwhile may be told in one file more"


def test_r12_a_lost_reply_is_settled_by_looking_it_up_and_never_by_sending_again(
    billing: Billing, sandbox: SandboxProcess
) -> None:
    claim = billing.claim()
    sandbox.script({"fault": "drop_reply", "accept": True})

    billing.submit(claim)
    billing.work(fetch=False)
    unknown = billing.read(claim)
    let_retries_come(billing.house)
    billing.work(fetch=False)

    assert unknown["state"] == "unknown"
    assert billing.read(claim)["state"] == "submitted"
    assert [s["state"] for s in billing.read(claim)["submissions"]] == ["sent"]
    assert times(sandbox, claim) == 1, "the control, a second upload that counts twice, is in the driver's contract"


@pytest.mark.long
@pytest.mark.parametrize(
    ("way", "point"),
    [("stedi", "claim.after_send"), ("claim_md", "claim.before_send"), ("claim_md", "claim.after_send")],
)
def test_r11_a_worker_killed_there_leaves_the_claim_sent_once(
    willow: House, sandbox: SandboxProcess, way: str, point: str
) -> None:
    billing = Billing(willow, sandbox, way=way)
    claim = billing.claim()
    billing.submit(claim)

    killed = process.start("send", str(billing.house.id), RAPPORT_CRASHPOINTS=f"{point}:1").wait(timeout=60)
    leases_end(billing.house)
    let_retries_come(billing.house)
    billing.work(fetch=False)
    if point == "claim.before_send":
        # Not in the list, which proves nothing there: a person looks.
        assert billing.read(claim)["state"] == "unknown"
        assert times(sandbox, claim) == 0
        assert settle(billing, claim, arrived=False).status_code == 200
    let_retries_come(billing.house)
    billing.work(fetch=False)

    assert killed == -9, "the control: the kill did happen"
    assert [s["state"] for s in billing.read(claim)["submissions"]] == ["sent"]
    assert times(sandbox, claim) == 1


def take(billing: Billing) -> Any:
    """Take the practice's one open file for sending, as a worker does."""
    with billing.house.entered() as scope:
        [submission] = queries.open_submissions(scope=scope)
        return services.begin_sending(scope=scope, submission_id=submission.id, now=timezone.now())


def leases_end(house: House) -> None:
    with house.entered(), connection.cursor() as cursor:
        cursor.execute("UPDATE claims_submission SET leased_until = now() - interval '1 second', retry_at = NULL")


def test_r15_a_worker_that_was_taken_for_dead_has_no_say_any_more(billing: Billing, sandbox: SandboxProcess) -> None:
    claim = billing.claim()
    billing.submit(claim)
    stopped = take(billing)
    driver = jobs._driver(stopped.channel_kind, stopped.channel_settings, stopped.channel_secret)
    arrived = driver.send(file=stopped.file, name=stopped.name, key=stopped.key)

    leases_end(billing.house)
    second = take(billing)
    found = driver.find(name=second.name, key=second.key, sha256=second.sha256)
    with billing.house.entered() as scope:
        services.resolve_doubt(scope=scope, sending=second, answer=found, now=timezone.now())
        late = services.record_answer(scope=scope, sending=stopped, answer=InDoubt("woke up"), now=timezone.now())

    assert isinstance(arrived, Sent)
    assert second.ask_first, "whoever takes over asks before it sends"
    assert late is None
    assert [s["state"] for s in billing.read(claim)["submissions"]] == ["sent"]
    assert times(sandbox, claim) == 1


def test_the_control_while_a_worker_is_at_it_nobody_takes_over_and_its_word_counts(
    by_form: Billing, sandbox: SandboxProcess
) -> None:
    claim = by_form.claim()
    by_form.submit(claim)
    working = take(by_form)

    other = take(by_form)
    with by_form.house.entered() as scope:
        services.record_answer(scope=scope, sending=working, answer=Sent("F-1"), now=timezone.now())

    assert other is None
    assert [(s["state"], s["receipt"]) for s in by_form.read(claim)["submissions"]] == [("sent", "F-1")]


def test_r14_a_busy_clearinghouse_is_asked_again_when_it_says(billing: Billing, sandbox: SandboxProcess) -> None:
    claim = billing.claim()
    sandbox.script({"fault": "429", "seconds": 40})

    billing.submit(claim)
    billing.work(fetch=False)
    waiting = billing.read(claim)
    let_retries_come(billing.house)
    billing.work(fetch=False)

    assert (waiting["state"], waiting["submissions"][0]["last_code"]) == ("queued", "later")
    assert waiting["submissions"][0]["retry_at"] > (timezone.now() + timedelta(seconds=20)).isoformat()
    assert billing.read(claim)["state"] == "submitted"
    assert times(sandbox, claim) == 1


def test_r14_a_wrong_key_waits_for_a_person(billing: Billing, sandbox: SandboxProcess) -> None:
    path = f"/v1/channels/{billing.things['channel']['id']}"
    wrong = {"secret": "wrong"}
    assert billing.house.biller.patch(path, wrong, if_match=billing.house.biller.get(path)["ETag"]).status_code == 200
    claim = billing.claim()

    billing.submit(claim)
    billing.work()

    now = billing.read(claim)
    assert (now["state"], now["submissions"][0]["last_code"]) == ("rejected", "login-refused")
    assert times(sandbox, claim) == 0
    items = billing.house.biller.get("/v1/claim-work-items?kind=refused&state=open").json()["data"]
    assert [item["claim_id"] for item in items] == [claim["id"]]


def test_a_doubt_that_nobody_can_settle_by_asking_waits_for_a_person_who_says_it_arrived(
    by_form: Billing, sandbox: SandboxProcess
) -> None:
    claim = by_form.claim()
    sandbox.script({"fault": "500", "accept": False})
    by_form.submit(claim)
    by_form.work(fetch=False)
    let_retries_come(by_form.house)
    by_form.work(fetch=False)
    early = doubtful(by_form, claim)
    for _ in range(2):
        let_patience_end(by_form.house)
        let_retries_come(by_form.house)
        by_form.work(fetch=False)
    [item] = doubtful(by_form, claim)

    said = settle(by_form, claim, arrived=True, reference="F-4711")
    twice = settle(by_form, claim, arrived=False)
    let_retries_come(by_form.house)
    by_form.work(fetch=False)

    assert early == [], "ten minutes belong to the look-up"
    assert (item["claim_id"], item["code"], item["times"]) == (claim["id"], "in-doubt", 1)
    assert (said.status_code, said.json()["state"]) == (200, "submitted")
    assert said.json()["submissions"][0]["receipt"] == "F-4711"
    assert (twice.status_code, twice.json()["code"]) == (409, "state-conflict")
    assert doubtful(by_form, claim) == []
    assert times(sandbox, claim) == 0, "a person's word is taken: nothing was sent again"


def test_an_answer_to_a_file_in_doubt_says_that_it_arrived(by_form: Billing, sandbox: SandboxProcess) -> None:
    claim = by_form.claim()
    sandbox.script({"fault": "drop_reply", "accept": True})
    by_form.submit(claim)
    by_form.work(fetch=False)
    assert by_form.read(claim)["submissions"][0]["state"] == "in_doubt"

    by_form.work()

    now = by_form.read(claim)
    assert now["state"] == "paid"
    assert [(s["state"], s["receipt"]) for s in now["submissions"]] == [("sent", "answered")]


def test_a_claim_that_is_not_in_doubt_is_not_settled(billing: Billing, sandbox: SandboxProcess) -> None:
    claim = billing.claim()
    billing.submit(claim)
    billing.work(fetch=False)

    answer = settle(billing, claim, arrived=False)

    assert (answer.status_code, answer.json()["code"]) == (409, "state-conflict")
    assert times(sandbox, claim) == 1


def test_one_claim_at_a_time_where_the_interface_takes_no_more(
    willow: House, sandbox: SandboxProcess
) -> None:
    billing = Billing(willow, sandbox, way="stedi")
    claim = billing.claim()

    together = billing.house.biller.post("/v1/claim-batches", {"claim_ids": [claim["id"]]})

    assert (together.status_code, together.json()["code"]) == (409, "too-many-claims")


def test_many_claims_go_in_one_upload(by_form: Billing, sandbox: SandboxProcess) -> None:
    claims = [by_form.claim(hour=hour) for hour in range(3)]

    by_form.batch(*claims)
    by_form.work()

    assert [by_form.read(claim)["state"] for claim in claims] == ["paid"] * 3
    assert len({by_form.read(claim)["submissions"][0]["sha256"] for claim in claims}) == 1
    assert [times(sandbox, claim) for claim in claims] == [1, 1, 1]


def test_neither_address_leads_inside(willow: House, sandbox: SandboxProcess) -> None:
    billing = Billing(willow, sandbox, way="stedi")

    for name in ("base_url", "answers_url"):
        body = billing.channel_body(**{name: "https://169.254.169.254/"}) | {"name": name}
        answer = willow.biller.post("/v1/channels", body)
        [error] = answer.json()["errors"]
        assert (answer.status_code, error["pointer"], error["code"]) == (422, f"/settings/{name}", "url-not-allowed")
