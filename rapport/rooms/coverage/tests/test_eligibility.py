"""Asking payers: what is kept, what is made of it, and what becomes of answers that are none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.db import DatabaseError, connection
from django.utils import timezone

from rapport.kernel.ids import parse_type_id
from rapport.platform.access.scope import Scope
from rapport.platform.jobs.worker import drain
from rapport.protocols.x12 import elig270, elig271
from rapport.protocols.x12.check import check_bytes
from rapport.protocols.x12.elig271 import Asker, Benefit, Entity, Member, Refusal, Source
from rapport.protocols.x12.entities import Contact, Party, Trace
from rapport.protocols.x12.envelope import (
    Address,
    Numbers,
    TransactionSet,
    interchange,
    transaction_sets,
)
from rapport.protocols.x12.syntax import read
from rapport.rooms.claims.jobs import _driver
from rapport.rooms.claims.services import ChannelInquiries
from rapport.rooms.coverage import jobs, services
from rapport.rooms.coverage.models import Payer as Kept
from rapport.rooms.coverage.ports import Answered, InDoubt, Later, Refused
from tests.support import props
from tests.support.billing import Billing
from tests.support.cast import House
from tests.support.clock import let_retries_come
from tests.support.sandbox import SandboxProcess

AT = datetime(2026, 11, 1, 8, 0, tzinfo=UTC)
Said = Answered | Refused | Later | InDoubt
Answer = Said | Callable[[elig270.Inquiry], elig271.Answer]

GOLD = (
    Benefit("1", "", ("30",), plan="GOLD 500"),
    Benefit("1", "", ("MH",)),
    Benefit("B", "IND", ("MH",), time="27", amount=Decimal("25"), in_network="Y", messages=("TELEHEALTH AS IN PERSON",)),
    Benefit("B", "IND", ("MH",), time="27", amount=Decimal("60"), in_network="N"),
    Benefit("A", "IND", ("MH",), percent=Decimal(".2"), in_network="Y", authorisation="Y"),
    Benefit("C", "IND", ("30",), time="23", amount=Decimal("500"), in_network="Y"),
    Benefit("C", "IND", ("30",), time="29", amount=Decimal("120.50"), in_network="Y"),
    Benefit("F", "IND", ("MH",), time="29", quantity_kind="VS", quantity=Decimal("22"), in_network="Y"),
)  # fmt: skip


def telling(*rows: Benefit, refusals: tuple[Refusal, ...] = ()) -> Callable[[elig270.Inquiry], elig271.Answer]:
    """Return a payer that tells these rows of whoever it is asked about."""

    def answer(asked: elig270.Inquiry) -> elig271.Answer:
        member = Member(
            asked.patient.party, birth_on=asked.patient.birth_on, refusals=refusals, benefits=rows,
            traces=(Trace("2", asked.trace, asked.patient.traces[0].origin),),
        )  # fmt: skip
        return elig271.Answer(
            Source(asked.payer), Asker(asked.provider.party),
            subscriber=member if asked.dependant is None else Member(asked.subscriber.party),
            dependant=member if asked.dependant else None,
        )  # fmt: skip

    return answer


def file_of(answer: elig271.Answer, reference: str) -> bytes:
    body = elig271.write([answer], reference=reference, at=AT)
    return b"".join(
        interchange(
            [("271", body.segments)], sender=Address("ZZ", "PAYER"), receiver=Address("ZZ", "US"),
            numbers=Numbers(1, 1, 1), at=AT, usage="T",
        )
    )  # fmt: skip


@dataclass
class Payer(ChannelInquiries):
    """The practice's channel, at whose end a payer answers by script; without one as GOLD."""

    script: list[Answer] = field(default_factory=list)
    asked: list[tuple[bytes, str]] = field(default_factory=list)
    in_transaction: bool = False

    def __post_init__(self) -> None:
        super().__init__(_driver)

    def ask(self, *, scope: Scope, channel_id: UUID, file: bytes, key: str) -> Said:
        self.in_transaction |= connection.in_atomic_block
        self.asked.append((file, key))
        said = self.script.pop(0) if self.script else telling(*GOLD)
        if not callable(said):
            return said
        one = next(self.inquiries(file))
        return Answered(file_of(said(one), one.reference))

    def inquiries(self, file: bytes) -> Iterator[elig270.Inquiry]:
        for part in transaction_sets(read(file)):
            assert isinstance(part, TransactionSet)
            yield from elig270.read(part)


@pytest.fixture
def payer(monkeypatch: pytest.MonkeyPatch) -> Payer:
    made = Payer()
    monkeypatch.setattr("rapport.rooms.coverage.services.eligibility.ways", [made])
    return made


@pytest.fixture
def billing(willow: House) -> Billing:
    billing = Billing(willow)
    props.made(
        willow.biller.post(
            "/v1/channels",
            {
                "name": "Clearinghouse", "kind": "http", "secret": "s",
                "settings": {
                    "base_url": "http://127.0.0.1:9", "sender_id": "WILLOW", "receiver_id": "CH",
                    "receiver_name": "CLEARINGHOUSE",
                },
            },
        )
    )  # fmt: skip
    billing.visit(member_id="W123456789")
    return billing


def policy_of(billing: Billing) -> Any:
    listed = billing.house.scheduler.get(f"/v1/insurance-policies?patient_id={billing.things['patient']['id']}")
    [found] = listed.json()["data"]
    return found


def check(billing: Billing, **body: Any) -> Any:
    policy = policy_of(billing)
    answer = billing.house.scheduler.post(f"/v1/insurance-policies/{policy['id']}/eligibility-checks", body)
    assert answer.status_code == 202, answer.content
    return answer.json()


def work(billing: Billing, *, later: bool = False) -> None:
    """Do what a worker would do now; or when all waits are over."""
    if later:
        with billing.house.entered(), connection.cursor() as cursor:
            cursor.execute("UPDATE coverage_eligibilitycheck SET retry_at = NULL, leased_until = NULL")
        let_retries_come(billing.house)
        jobs.look_after_eligibility()
    drain(billing.house.id)


def read_check(billing: Billing, made: Any) -> Any:
    return billing.house.scheduler.get(f"/v1/eligibility-checks/{made['id']}").json()


def test_the_question_is_frozen_and_valid_and_the_answer_kept_as_it_came(billing: Billing, payer: Payer) -> None:
    made = check(billing, service_on="2026-11-02")
    assert (made["state"], made["benefits"]) == ("queued", None)
    assert check(billing)["id"] == made["id"], "one under way is not made twice"

    work(billing)

    [(file, key)] = payer.asked
    assert [f for f in check_bytes(file).findings if f.severity == "error"] == []
    [asked] = list(payer.inquiries(file))
    assert (asked.subscriber.party.id, asked.payer.id, asked.questions[0].service_types) == (
        "W123456789", "60054", ("30", "MH"),
    )  # fmt: skip
    assert asked.patient.periods[0].first == date(2026, 11, 2)
    assert not payer.in_transaction
    assert key
    raw = billing.house.scheduler.get(f"/v1/eligibility-checks/{made['id']}", accept="application/edi-x12")
    assert raw.content.startswith(b"ISA")
    assert raw.content.count(b"EB*") == len(GOLD)
    with billing.house.entered(), pytest.raises(DatabaseError), connection.cursor() as cursor:
        cursor.execute("UPDATE coverage_eligibilityexchange SET response_sha256 = 'x'")


def test_benefits_are_what_the_payer_said_of_a_visit_and_show_on_policy_and_appointment(
    billing: Billing, payer: Payer
) -> None:
    made = check(billing)
    work(billing)

    now = read_check(billing, made)
    assert now["state"] == "answered"
    told = now["benefits"]
    assert (told["coverage"], told["plan"], told["covered"], told["carved_out"]) == ("active", "GOLD 500", True, False)
    assert told["copay"] == {"amount": 2500, "currency": "USD"}
    assert (told["coinsurance_basis_points"], told["visits_remaining"], told["authorization"]) == (2000, 22, "required")
    assert (told["deductible"]["amount"], told["deductible_remaining"]["amount"]) == (50000, 12050)
    assert told["out_of_pocket"] is None, "what was not said is not made up"
    assert told["messages"] == ["TELEHEALTH AS IN PERSON"]
    short = policy_of(billing)["eligibility"]
    assert (short["check_id"], short["as_of"], short["copay"]["amount"]) == (made["id"], now["as_of"], 2500)
    visit = billing.house.scheduler.get("/v1/appointments").json()["data"][0]
    path = f"/v1/appointments/{visit['id']}"
    seen = billing.house.scheduler.get(path).json()
    assert seen["eligibility"] == short
    assert [one["code"] for one in seen["warnings"]] == ["authorization-required"]
    assert visit["eligibility"] is None, "lists are short"


def test_a_dependant_is_asked_about_under_the_subscriber(billing: Billing, payer: Payer) -> None:
    policy, scheduler = policy_of(billing), billing.house.scheduler
    path = f"/v1/insurance-policies/{policy['id']}"
    subscriber = {
        "name": {"first": "Luis", "last": "Rivera"}, "birth_on": "1960-01-31", "sex": "male",
        "address": {"line1": "12 Alder Court", "city": "Portland", "state": "OR", "postal_code": "97205"},
    }  # fmt: skip
    changed = scheduler.patch(
        path, {"relationship": "child", "subscriber": subscriber}, if_match=scheduler.get(path)["ETag"]
    )
    assert changed.status_code == 200, changed.content
    made = check(billing)
    work(billing)
    [asked] = list(payer.inquiries(payer.asked[0][0]))
    assert asked.dependant is not None
    assert (asked.subscriber.party.first, asked.dependant.party.first, asked.dependant.relation) == ("LUIS", "ANA", "19")
    assert [f for f in check_bytes(payer.asked[0][0]).findings if f.severity == "error"] == []
    assert read_check(billing, made)["benefits"]["copay"]["amount"] == 2500


def test_ended_cover_and_a_carve_out_warn_and_forbid_nothing(billing: Billing, payer: Payer) -> None:
    call = Entity(Party("X3", "2", "EXAMPLE BEHAVIORAL"), contacts=(Contact("", (("TE", "8005550100"),)),))
    payer.script = [telling(Benefit("6", "", ("30",)), Benefit("U", "", ("MH",), entities=(call,)))]
    made = check(billing)
    work(billing)
    told = read_check(billing, made)["benefits"]
    assert (told["coverage"], told["carved_out"]) == ("inactive", True)
    assert told["contacts"] == [{"name": "EXAMPLE BEHAVIORAL", "id": None, "phones": ["8005550100"], "other": []}]
    start = (timezone.now() + timedelta(days=2)).replace(hour=17, minute=0, second=0, microsecond=0)
    booked = props.made(
        billing.house.scheduler.post(
            "/v1/appointments",
            {
                "patient_id": billing.things["patient"]["id"], "clinician_id": billing.things["clinician"]["id"],
                "service_code": "90837", "start_at": start.isoformat(), "telehealth": True,
            },
        )
    )  # fmt: skip
    assert [one["code"] for one in booked["warnings"]] == ["coverage-inactive", "carved-out"]
    [found] = billing.house.scheduler.get("/v1/eligibility-checks?coverage=inactive").json()["data"]
    assert found["id"] == made["id"]


def test_a_refusal_says_what_to_do_and_42_is_asked_again(billing: Billing, payer: Payer) -> None:
    payer.script = [telling(refusals=(Refusal("Y", "42", "R"),)), telling(refusals=(Refusal("Y", "72", "C"),))]
    made = check(billing)
    work(billing)
    waiting = read_check(billing, made)
    assert (waiting["state"], waiting["last_code"]) == ("queued", "aaa:42")
    assert waiting["retry_at"] > waiting["updated_at"]
    work(billing)
    assert len(payer.asked) == 1, "not before its time"
    work(billing, later=True)
    ended = read_check(billing, made)
    assert (ended["state"], ended["last_code"]) == ("refused", "aaa:72")
    assert [(one["code"], one["pointer"]) for one in ended["refusals"]] == [("72", "/policy/member_id")]
    assert [one["outcome"] for one in ended["exchanges"]] == ["42", "72"]
    assert len({key for _, key in payer.asked}) == 2, "another question has another key"
    assert policy_of(billing)["eligibility"] is None


def test_a_payer_that_can_never_answer_is_not_asked_for_ever(billing: Billing, payer: Payer) -> None:
    payer.script = [telling(refusals=(Refusal("Y", "42", "R"),))] * 20
    made = check(billing)
    for _ in range(8):
        work(billing, later=True)
    assert (read_check(billing, made)["state"], len(payer.asked)) == ("refused", 5)


def test_the_four_answers_from_outside(billing: Billing, payer: Payer) -> None:
    """Later and in doubt: the same file under the same key. Refused: the end. Nonsense: kept, and the end."""
    payer.script = [Later(30), InDoubt("cut off")]
    made = check(billing)
    for _ in range(3):
        work(billing, later=True)
    done = read_check(billing, made)
    assert (done["state"], done["exchanges"][0]["tries"]) == ("answered", 3)
    assert len(set(payer.asked)) == 1

    payer.script = [Refused("login-refused")]
    made = check(billing)
    work(billing)
    assert (read_check(billing, made)["state"], read_check(billing, made)["last_code"]) == ("refused", "login-refused")

    payer.script = [Answered(b"<html>Maintenance</html>")]
    made = check(billing)
    work(billing)
    assert (read_check(billing, made)["state"], read_check(billing, made)["last_code"]) == ("unanswered", "unreadable")
    raw = billing.house.scheduler.get(f"/v1/eligibility-checks/{made['id']}", accept="application/edi-x12")
    assert raw.content == b"<html>Maintenance</html>"
    assert policy_of(billing)["eligibility"] is not None, "what was told before stands, with its day"


def test_an_answer_about_somebody_else_is_no_answer(billing: Billing, payer: Payer) -> None:
    def other(asked: elig270.Inquiry) -> elig271.Answer:
        return telling(*GOLD)(
            elig270.inquiry(
                payer_name="X", payer_id="1", provider_name="W", provider_npi="1234567893", member_id="Z",
                last="DOE", first="JO", birth_on=None, on=date(2026, 1, 1), trace="OTHER", origin="9123456789",
            )
        )  # fmt: skip

    payer.script = [other]
    made = check(billing)
    work(billing)
    assert (read_check(billing, made)["state"], read_check(billing, made)["last_code"]) == ("unanswered", "unreadable")


def test_a_batch_says_of_each_what_became_of_it(billing: Billing, payer: Payer) -> None:
    house = billing.house
    mine = policy_of(billing)["id"]
    unlisted = props.policy(house, props.patient(house), props.payer(house, "Unlisted Plan"))
    with house.entered():  # as a practice's portal may have it
        Kept.objects.filter(id=parse_type_id("payer", unlisted["payer_id"])).update(payer_id_code="")
    answer = house.scheduler.post("/v1/eligibility-checks", {"policy_ids": [mine, unlisted["id"], mine]})
    assert answer.status_code == 202
    said = [(one["policy_id"], bool(one["check"]), one["problem"]) for one in answer.json()["data"]]
    assert said == [(mine, True, None), (unlisted["id"], False, "validation")]


def test_a_batch_with_somebody_elses_policy_asks_nobody(billing: Billing, payer: Payer, aspen: House) -> None:
    mine = policy_of(billing)["id"]
    theirs = props.policy(aspen, props.patient(aspen), props.payer(aspen))["id"]
    for stranger in (theirs, "pol_x"):
        answer = billing.house.scheduler.post("/v1/eligibility-checks", {"policy_ids": [mine, stranger]})
        assert answer.status_code == 422
        assert answer.json()["errors"][0] | {"detail": None} == {
            "pointer": "/policy_ids/1", "code": "reference-not-found", "detail": None,
        }  # fmt: skip
    assert billing.house.scheduler.get("/v1/eligibility-checks").json()["data"] == []


def test_without_a_channel_nothing_is_asked(willow: House, payer: Payer) -> None:
    billing = Billing(willow)
    billing.visit()
    answer = willow.scheduler.post(f"/v1/insurance-policies/{policy_of(billing)['id']}/eligibility-checks", {})
    assert (answer.status_code, answer.json()["code"]) == (409, "no-channel")


def test_payers_of_the_next_days_are_asked_once_where_the_practice_wants_it(billing: Billing, payer: Payer) -> None:
    biller, now = billing.house.biller, timezone.now()
    start = (now + timedelta(days=1)).replace(hour=17, minute=0, second=0, microsecond=0)
    for hour in (17, 19):
        props.made(
            billing.house.scheduler.post(
                "/v1/appointments",
                {
                    "patient_id": billing.things["patient"]["id"], "clinician_id": billing.things["clinician"]["id"],
                    "service_code": "90837", "start_at": start.replace(hour=hour).isoformat(), "telehealth": True,
                },
            )
        )  # fmt: skip

    def asked(when: datetime) -> int:
        with billing.house.entered() as scope:
            count = services.check_before_visits(scope=scope, now=when)
        drain(billing.house.id)
        return count

    assert asked(now) == 0, "not by itself at first"
    etag = biller.get("/v1/coverage-settings")["ETag"]
    changed = biller.patch("/v1/coverage-settings", {"check_days_before": 2, "check_again_days": 3}, if_match=etag)
    assert changed.status_code == 200, changed.content
    assert biller.patch("/v1/coverage-settings", {"check_days_before": 3}, if_match=etag).status_code == 412
    assert (asked(now), asked(now)) == (1, 0)
    assert len(payer.asked) == 1
    listed = billing.house.scheduler.get("/v1/eligibility-checks").json()["data"]
    assert [(one["reason"], one["state"]) for one in listed] == [("before_visit", "answered")]
    path = f"/v1/payers/{billing.things['payer']['id']}/enrollments"
    props.made(biller.post(path, {"transaction": "270", "state": "requested"}))
    with connection.cursor() as cursor, billing.house.entered():
        cursor.execute("UPDATE coverage_eligibilitycheck SET created_at = created_at - interval '4 days'")
    assert asked(now) == 0, "the payer wants an enrolment first"
    assert listed[0]["warnings"] == []
    again = billing.house.scheduler.get(f"/v1/eligibility-checks/{listed[0]['id']}").json()
    assert [one["code"] for one in again["warnings"]] == ["not-enrolled-270"]
    props.made(biller.post(path, {"transaction": "270", "state": "active"}))
    assert asked(now) == 1


def test_a_worker_that_died_is_followed_by_another_and_its_late_answer_is_not_written(
    billing: Billing, payer: Payer
) -> None:
    made = check(billing)
    check_id = parse_type_id("eligibility_check", made["id"])
    assert check_id is not None
    with billing.house.entered() as scope:
        dead = services.begin_asking(scope=scope, check_id=check_id, now=timezone.now())
        assert dead is not None
    with billing.house.entered() as scope:
        assert services.begin_asking(scope=scope, check_id=check_id, now=timezone.now()) is None
    work(billing, later=True)
    with billing.house.entered() as scope:
        late = services.record_answer(scope=scope, asking=dead, answer=Refused("late"), now=timezone.now())
    assert late is None
    assert read_check(billing, made)["state"] == "answered"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    process = SandboxProcess(tmp_path_factory.mktemp("payer"))
    yield process
    process.stop()


def test_the_sandbox_payer_is_asked_over_http_and_answers_by_member(willow: House, sandbox: SandboxProcess) -> None:
    """A copay, a carve-out, a needed authorisation, a wrong member id, a payer that cannot answer now, and one that never does."""
    billing = Billing(willow, sandbox)
    made = {}
    for number, member in enumerate(("SBXCOPAY1", "SBXCARVE1", "SBXAUTH01", "SBXAAA721", "SBXAAA421", "SBXNEVER1")):
        billing.visit(member_id=member, hour=number, days_ago=3 + number)
        made[member] = check(billing)
    work(billing)

    now = {member: read_check(billing, one) for member, one in made.items()}
    assert now["SBXCOPAY1"]["benefits"]["copay"] == {"amount": 2500, "currency": "USD"}
    assert now["SBXCOPAY1"]["benefits"]["deductible_remaining"]["amount"] == 64000
    assert now["SBXCARVE1"]["benefits"]["carved_out"]
    assert now["SBXCARVE1"]["benefits"]["contacts"][0]["phones"]
    assert now["SBXAUTH01"]["benefits"]["authorization"] == "required"
    assert now["SBXAUTH01"]["benefits"]["visits_remaining"] == 12
    assert (now["SBXAAA721"]["state"], now["SBXAAA721"]["refusals"][0]["code"]) == ("refused", "72")
    assert (now["SBXAAA421"]["state"], now["SBXAAA421"]["last_code"]) == ("queued", "aaa:42")
    assert (now["SBXNEVER1"]["state"], now["SBXNEVER1"]["last_code"]) == ("queued", "in-doubt")
