"""Asking by file: one file for each payer, answers in whatever file and order, and nobody asked twice blindly."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from rapport.config import wiring
from rapport.kernel.ids import parse_type_id
from rapport.platform.jobs.worker import drain
from rapport.protocols.x12 import elig270, elig271
from rapport.protocols.x12.check import check_bytes
from rapport.protocols.x12.elig271 import Asker, Refusal, Source
from rapport.protocols.x12.envelope import (
    Address,
    Numbers,
    TransactionSet,
    interchange,
    transaction_sets,
)
from rapport.protocols.x12.syntax import read
from rapport.rooms.claims import jobs as claims_jobs
from rapport.rooms.claims import queries as claims
from rapport.rooms.claims import services as claims_services
from rapport.rooms.claims.models import InboundFile, Submission
from rapport.rooms.claims.ports import InboundFile as Arrived
from rapport.rooms.coverage import jobs, services
from rapport.rooms.coverage.models import Policy
from rapport.rooms.coverage.services.eligibility_files import MOST
from tests.support import process, props
from tests.support.billing import Billing
from tests.support.cast import House
from tests.support.clock import let_retries_come, moving
from tests.support.sandbox import SandboxProcess

from .test_eligibility import GOLD, read_check, telling

AT = datetime(2026, 11, 1, 8, 0, tzinfo=UTC)
_names = count(1)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    process = SandboxProcess(tmp_path_factory.mktemp("payer"))
    yield process
    process.stop()


@pytest.fixture
def own_sandbox(tmp_path: Path) -> Iterator[SandboxProcess]:
    """One that no other practice uses: it shows all of its answers to whoever signs in."""
    process = SandboxProcess(tmp_path)
    yield process
    process.stop()


def sftp(house: House, sandbox: SandboxProcess) -> Billing:
    """A practice whose only way to its payers is a clearinghouse's folders."""
    wiring.connect()
    billing = Billing(house)
    settings = {
        "host": "127.0.0.1", "port": sandbox.sftp_port, "user": sandbox.sftp_user,
        "host_key": sandbox.sftp_host_key, "keeps_received_in": ["/inbound"],
        "sender_id": f"W{house.id.hex[-12:].upper()}", "receiver_id": "SANDBOXCH",
        "receiver_name": "SANDBOX CLEARINGHOUSE",
    }  # fmt: skip
    billing.things["channel"] = props.made(
        house.biller.post(
            "/v1/channels",
            {"name": "Folders", "kind": "sftp", "secret": sandbox.sftp_password, "settings": settings},
        )
    )
    return billing


@pytest.fixture
def billing(willow: House, sandbox: SandboxProcess) -> Billing:
    return sftp(willow, sandbox)


def policy(billing: Billing, member_id: str, payer: Any = None) -> Any:
    house = billing.house
    patient = props.patient(house, clinician_ids=[billing.things["clinician"]["id"]])
    return props.policy(house, patient, payer or billing.things["payer"], member_id=member_id)


def ask(billing: Billing, *members: str) -> dict[str, Any]:
    """Ask about fresh patients with these member ids, in one call. Return member -> its check."""
    made = {policy(billing, member)["id"]: member for member in members}
    answer = billing.house.scheduler.post("/v1/eligibility-checks", {"policy_ids": list(made)})
    assert answer.status_code == 202, answer.content
    return {made[one["policy_id"]]: one["check"] for one in answer.json()["data"]}


def states(billing: Billing, made: dict[str, Any]) -> dict[str, tuple[str, str | None]]:
    now = {member: read_check(billing, one) for member, one in made.items()}
    return {member: (one["state"], one["last_code"]) for member, one in now.items()}


def files(billing: Billing) -> list[Any]:
    listed: list[Any] = billing.house.scheduler.get("/v1/eligibility-files").json()["data"]
    return listed


def handed_in(sandbox: SandboxProcess, billing: Billing) -> list[Any]:
    """What the clearinghouse took in from this practice."""
    sender = f"ZZ:W{billing.house.id.hex[-12:].upper()}"
    return [one for one in sandbox.accepted()["interchanges"] if one["sender"] == sender]


def questions(billing: Billing) -> list[tuple[Submission, list[elig270.Inquiry]]]:
    """The files that were made, oldest first, and what they ask."""
    with billing.house.entered() as scope:
        rows = list(Submission.objects.visible_to(scope).order_by("created_at", "id"))
        data = [claims.submission_bytes(submission=row) for row in rows]
    for one in data:
        assert [fault for fault in check_bytes(one).findings if fault.severity == "error"] == []
    return [
        (
            row,
            [asked for part in transaction_sets(read(one)) if isinstance(part, TransactionSet) for asked in elig270.read(part)],
        )
        for row, one in zip(rows, data, strict=True)
    ]


def arrive(billing: Billing, *answers: elig271.Answer, reference: str = "R1", name: str = "") -> InboundFile | None:
    """Let a file with these answers come through the channel."""
    body = elig271.write(answers, reference=reference, at=AT)
    data = b"".join(
        interchange(
            [("271", body.segments)], sender=Address("ZZ", "PAYER"), receiver=Address("ZZ", "US"),
            numbers=Numbers(1, 1, 1), at=AT, usage="T",
        )
    )  # fmt: skip
    return take_in(billing, data, kind="271", name=name)


def take_in(billing: Billing, data: bytes, *, kind: str, name: str = "") -> InboundFile | None:
    with billing.house.entered() as scope:
        return claims_services.receive_file(
            scope=scope, channel_id=parse_type_id("channel", billing.things["channel"]["id"]),
            arrived=Arrived(name=name or f"f{next(_names)}", kind=kind, data=data), now=timezone.now(),
        )  # fmt: skip


def refused_by_999(submission: Submission) -> bytes:
    """A 999 that turns a file away."""
    body = [
        f"AK1*HS*{submission.group_number}*005010X279A1", "AK2*270*0001*005010X279A1", "IK5*R*5", "AK9*R*1*1*0",
    ]  # fmt: skip
    return b"".join(
        interchange(
            [("999", body)], sender=Address("ZZ", "CH"), receiver=Address("ZZ", "US"), numbers=Numbers(2, 2, 1),
            at=AT, usage="T", version="005010X231A1",
        )
    )  # fmt: skip


def test_a_batch_leaves_as_one_file_and_each_answer_finds_its_question(
    billing: Billing, sandbox: SandboxProcess
) -> None:
    """Ten members: told, refused, asked again, and one of whom nothing is ever said."""
    made = ask(billing, "SBXCOPAY1", "SBXCARVE1", "SBXAUTH01", "SBXAAA721", "SBXINACT1", "SBXNEVER1")
    assert {state for state, _ in states(billing, made).values()} == {"queued"}
    drain(billing.house.id)
    assert {state for state, _ in states(billing, made).values()} == {"asked"}
    [file] = files(billing)
    assert (file["state"], file["progress"]["asked"], file["late"]) == ("sent", 6, False)
    [(_, asked)] = questions(billing)
    assert len({one.trace for one in asked}) == 6
    listed = billing.house.scheduler.get(f"/v1/eligibility-checks?file_id={file['id']}").json()["data"]
    assert {one["id"] for one in listed} == {one["id"] for one in made.values()}

    billing.work()

    assert states(billing, made) == {
        "SBXCOPAY1": ("answered", None), "SBXCARVE1": ("answered", None), "SBXAUTH01": ("answered", None),
        "SBXINACT1": ("answered", None), "SBXAAA721": ("refused", "aaa:72"), "SBXNEVER1": ("asked", None),
    }  # fmt: skip
    told = read_check(billing, made["SBXCOPAY1"])
    assert told["benefits"]["copay"]["amount"] == 2500
    assert read_check(billing, made["SBXINACT1"])["benefits"]["coverage"] == "inactive"
    [file] = files(billing)
    assert file["progress"] == {"asked": 1, "answered": 4, "refused": 1, "unanswered": 0, "again": 0}
    raw = billing.house.scheduler.get(f"/v1/eligibility-checks/{told['id']}", accept="application/edi-x12").content
    assert b"SBXCOPAY1" in raw
    assert b"SBXCARVE1" not in raw, "other people's answers stand in the same file"
    assert [one for one in check_bytes(raw).findings if one.severity == "error"] == []
    assert len(handed_in(sandbox, billing)) == 1


def test_each_payer_has_a_file_and_no_file_more_than_the_guide_allows(
    billing: Billing, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MOST == 99
    monkeypatch.setattr("rapport.rooms.coverage.services.eligibility_files.MOST", 2)
    other = props.payer(billing.house, "Second Plan", payer_id_code="60055")
    mine = [policy(billing, f"SBXCOPAY{n}")["id"] for n in range(3)] + [policy(billing, "SBXFULL1", other)["id"]]
    answer = billing.house.scheduler.post("/v1/eligibility-checks", {"policy_ids": mine})
    assert answer.status_code == 202
    drain(billing.house.id)
    made = questions(billing)
    assert sorted((len(asked), asked[0].payer.id) for _, asked in made) == [(1, "60054"), (1, "60055"), (2, "60054")]
    assert len({row.interchange_number for row, _ in made}) == len({row.group_number for row, _ in made}) == 3
    billing.work()
    assert {one["state"] for one in billing.house.scheduler.get("/v1/eligibility-checks").json()["data"]} == {"answered"}


def test_a_payer_is_asked_as_the_practice_says(willow: House, sandbox: SandboxProcess) -> None:
    """With a channel of each kind: at once, unless the payer is said to want files."""
    billing = Billing(willow, sandbox)
    at_once = ask(billing, "SBXCOPAY1")["SBXCOPAY1"]
    assert not at_once["by_file"]
    path = f"/v1/payers/{billing.things['payer']['id']}"
    changed = willow.biller.patch(path, {"eligibility_by": "file"}, if_match=willow.biller.get(path)["ETag"])
    assert (changed.status_code, changed.json()["eligibility_by"]) == (200, "file")
    by_file = ask(billing, "SBXCOPAY2")
    assert by_file["SBXCOPAY2"]["by_file"]
    billing.work()
    billing.work()
    assert states(billing, by_file) == {"SBXCOPAY2": ("answered", None)}


def test_the_same_answers_again_in_another_file_change_nothing(billing: Billing) -> None:
    made = ask(billing, "W1")
    drain(billing.house.id)
    [(_, [asked])] = questions(billing)
    arrive(billing, telling(*GOLD)(asked), name="one")
    first = read_check(billing, made["W1"])
    assert first["state"] == "answered"
    assert arrive(billing, telling(*GOLD)(asked), name="one") is None, "a name is read once"
    again = arrive(billing, telling(*GOLD)(asked), name="two")
    assert again is not None
    assert again.outcome == "read"
    other = arrive(billing, telling(*GOLD[:1])(asked), name="three")
    assert other is not None
    assert read_check(billing, made["W1"]) == first


def test_the_control_an_answer_that_is_not_the_same_question_is_taken(billing: Billing) -> None:
    """The payer cannot answer now, so that it is asked again, under another trace: that answer counts."""
    made = ask(billing, "W1")
    drain(billing.house.id)
    [(_, [asked])] = questions(billing)
    later = telling(refusals=(Refusal("Y", "42", "R"),))(asked)
    arrive(billing, later)
    assert states(billing, made)["W1"] == ("queued", "aaa:42")
    with moving() as clock:
        clock.move(minutes=6)
        let_retries_come(billing.house)
        jobs.look_after_eligibility()
        drain(billing.house.id)
    [_, (_, [second])] = questions(billing)
    assert second.trace != asked.trace
    arrive(billing, later)  # the old answer again
    assert states(billing, made)["W1"][0] == "asked"
    assert files(billing)[1]["progress"]["again"] == 1
    arrive(billing, telling(*GOLD)(second))
    assert states(billing, made)["W1"] == ("answered", None)


def test_an_unknown_trace_is_kept_for_somebody_and_stops_no_other_answer(billing: Billing) -> None:
    made = ask(billing, "W1")
    drain(billing.house.id)
    [(_, [asked])] = questions(billing)
    stranger = elig270.inquiry(
        payer_name="X", payer_id="1", provider_name="W", provider_npi="1234567893", member_id="Z",
        last="DOE", first="JO", birth_on=None, on=AT.date(), trace="NOTOURS", origin="9123456789",
    )  # fmt: skip
    file = arrive(billing, telling(*GOLD)(stranger), telling(*GOLD)(asked))
    assert file is not None
    assert states(billing, made)["W1"] == ("answered", None)
    [parked] = billing.house.biller.get("/v1/inbound-files?outcome=parked").json()["data"]
    assert (parked["kind"], parked["detail"]) == ("271", "unknown-trace:1")
    fine = arrive(billing, telling(*GOLD)(asked))
    assert fine is not None
    assert fine.outcome == "read", "the control"


def test_a_999_that_refuses_the_file_ends_its_checks_with_the_reason(willow: House, own_sandbox: SandboxProcess) -> None:
    """SBX999 has the whole set turned away: the payer was not asked about anybody in it."""
    billing = sftp(willow, own_sandbox)
    made = ask(billing, "SBX99901", "SBXCOPAY1")
    drain(billing.house.id)
    billing.work()
    assert states(billing, made) == {"SBX99901": ("refused", "999:R"), "SBXCOPAY1": ("refused", "999:R")}
    again = ask(billing, "SBXCOPAY2")
    billing.work()
    billing.work()
    assert states(billing, again)["SBXCOPAY2"] == ("answered", None), "the control: without it they are answered"


@pytest.mark.parametrize("first", ["answer", "refusal"])
def test_an_answer_and_a_999_that_contradicts_it_end_alike_in_either_order(billing: Billing, first: str) -> None:
    """Whoever was told of was asked; whoever was not is refused."""
    made = ask(billing, "W1", "W2")
    drain(billing.house.id)
    [(row, asked)] = questions(billing)
    [one] = [one for one in asked if one.subscriber.party.id == "W1"]

    def answer() -> None:
        arrive(billing, telling(*GOLD)(one))

    def refuse() -> None:
        take_in(billing, refused_by_999(row), kind="999")

    for step in (answer, refuse) if first == "answer" else (refuse, answer):
        step()
    assert states(billing, made) == {"W1": ("answered", None), "W2": ("refused", "999:R")}


def test_a_refusal_before_anybody_was_looked_at_is_of_those_who_were_not_told_of(billing: Billing) -> None:
    made = ask(billing, "W1", "W2")
    drain(billing.house.id)
    [(row, asked)] = questions(billing)
    [one] = [one for one in asked if one.subscriber.party.id == "W1"]
    whole = elig271.Answer(Source(one.payer, refusals=(Refusal("N", "79", "C"),)), Asker(one.provider.party))
    arrive(billing, whole, telling(*GOLD)(one), reference=row.batch_id)
    assert states(billing, made) == {"W1": ("answered", None), "W2": ("refused", "aaa:79")}
    strange = arrive(billing, whole, reference="NOTOURS")
    assert strange is not None
    assert strange.outcome == "parked", "the control"


def test_no_answer_in_time_is_late_and_somebody_may_ask_again(billing: Billing, sandbox: SandboxProcess) -> None:
    made = ask(billing, "SBXNEVER1")
    check = made["SBXNEVER1"]
    billing.work()
    path = f"/v1/eligibility-checks/{check['id']}/give-up"
    early = billing.house.scheduler.post(path, {})
    assert (early.status_code, early.json()["code"]) == (409, "state-conflict")
    with moving() as clock:
        clock.move(hours=25)
        assert read_check(billing, check)["late"], read_check(billing, check)
        assert files(billing)[0]["late"]
        same = billing.house.scheduler.post(f"/v1/insurance-policies/{check['policy_id']}/eligibility-checks", {})
        assert same.json()["id"] == check["id"], "asking again means nothing while an answer is awaited"
        given = billing.house.scheduler.post(path, {})
        assert (given.json()["state"], given.json()["last_code"]) == ("unanswered", "given-up")
        assert not files(billing)[0]["late"]
    [(_, [asked])] = questions(billing)
    arrive(billing, telling(*GOLD)(asked))
    assert states(billing, made)["SBXNEVER1"] == ("answered", None), "an answer that comes all the same is taken"


def test_after_days_none_is_awaited_but_of_a_file_that_never_left(billing: Billing) -> None:
    made = ask(billing, "SBXNEVER1")
    billing.work()
    waits = ask(billing, "SBXNEVER2")
    with billing.house.entered() as scope:
        services.make_files(scope=scope, now=timezone.now())  # no worker hands it over
    with billing.house.entered() as scope:
        now = timezone.now()
        assert services.give_up_what_is_lost(scope=scope, now=now + timedelta(days=4)) == 0
        assert services.give_up_what_is_lost(scope=scope, now=now + timedelta(days=6)) == 1
    assert states(billing, made)["SBXNEVER1"] == ("unanswered", "no-answer")
    assert states(billing, waits)["SBXNEVER2"][0] == "asked"


def test_what_the_guide_has_something_against_does_not_stop_the_others(billing: Billing) -> None:
    """A member id of one letter, as a portal may have it: the 999 would turn the whole file away."""
    made = ask(billing, "SBXCOPAY1", "SBXCOPAY2")
    with billing.house.entered() as scope:
        Policy.objects.visible_to(scope).filter(member_id="SBXCOPAY2").update(member_id="X")
    billing.work()
    assert states(billing, made) == {"SBXCOPAY1": ("answered", None), "SBXCOPAY2": ("refused", "guide:too-short")}


def test_before_visits_a_payer_that_answers_by_file_is_asked_two_days_earlier(
    billing: Billing, sandbox: SandboxProcess
) -> None:
    house, now = billing.house, timezone.now()
    mine = policy(billing, "SBXCOPAY1")
    start = datetime.combine(house.scope.day_of(now) + timedelta(days=3), time(17), UTC)
    props.made(
        house.scheduler.post(
            "/v1/appointments",
            {
                "patient_id": mine["patient_id"], "clinician_id": billing.things["clinician"]["id"],
                "service_code": "90837", "start_at": start.isoformat(), "telehealth": True,
            },
        )
    )  # fmt: skip
    etag = house.biller.get("/v1/coverage-settings")["ETag"]
    assert house.biller.patch("/v1/coverage-settings", {"check_days_before": 1}, if_match=etag).status_code == 200

    def asked() -> int:
        with house.entered() as scope:
            return services.check_before_visits(scope=scope, now=now)

    path = f"/v1/payers/{billing.things['payer']['id']}"
    for word, expected in (("at_once", 0), (None, 1), (None, 0)):
        changed = house.biller.patch(path, {"eligibility_by": word}, if_match=house.biller.get(path)["ETag"])
        assert changed.status_code == 200
        assert asked() == expected, word
    billing.work()
    billing.work()
    [check] = house.scheduler.get("/v1/eligibility-checks").json()["data"]
    assert (check["reason"], check["state"]) == ("before_visit", "answered")


@pytest.mark.parametrize("point", ["claim.before_send", "claim.after_send"])
def test_a_worker_killed_between_note_and_send_asks_nobody_twice(
    willow: House, own_sandbox: SandboxProcess, point: str
) -> None:
    billing = sftp(willow, own_sandbox)
    made = ask(billing, "SBXCOPAY1")
    with willow.entered() as scope:
        services.make_files(scope=scope, now=timezone.now())
    killed = process.start("send", str(willow.id), RAPPORT_CRASHPOINTS=f"{point}:1").wait(timeout=60)
    assert killed == -9, "the control: the kill did happen"
    arrived = len(handed_in(own_sandbox, billing))
    assert arrived == (0 if point == "claim.before_send" else 1), "the control: it did tear the two apart"
    for _ in range(2):
        leases_end(willow)
        drain(willow.id)
    assert len(handed_in(own_sandbox, billing)) == 1
    billing.work()
    assert states(billing, made)["SBXCOPAY1"] == ("answered", None)
    assert len(questions(billing)) == 1


def leases_end(house: House) -> None:
    with house.entered(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE claims_submission SET leased_until = now() - interval '1 second', retry_at = NULL"
            " WHERE leased_until IS NOT NULL OR retry_at IS NOT NULL"
        )
    let_retries_come(house)
    claims_jobs.poll()
