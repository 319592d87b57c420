"""
The sandbox payer answers inquiries: asked and read by our codec, answered by code of its own.

Ana asks about members; what their ids begin with decides, as the sandbox's README says.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from rapport.protocols.x12 import acks, elig270, elig271, status276, status277, syntax
from rapport.protocols.x12.benefits import summary
from rapport.protocols.x12.check import check_bytes
from rapport.protocols.x12.elig271 import Answer
from rapport.protocols.x12.entities import Party, Period, Reference, SetWriter
from rapport.protocols.x12.envelope import (
    Address,
    Numbers,
    TransactionSet,
    interchange,
    transaction_sets,
)
from rapport.protocols.x12.status277 import ClaimStatus, StatusAnswer
from rapport.sandbox.payer.desk import Desk, NotAnInterchange
from tests.support.claims837 import TestClaim, write_837p
from tests.support.sandbox import SandboxProcess

NOW = datetime(2026, 3, 2, 15, 30, tzinfo=UTC)


class Payer:
    """A desk with a clock of ours, and the questions put to it."""

    def __init__(self, home: Path) -> None:
        self.now = NOW
        self.desk = Desk(home, delay_seconds=60, clock=lambda: self.now)
        self.asked = 0

    def file(self, kind: str, body: SetWriter, version: str = "") -> bytes:
        self.asked += 1
        return b"".join(
            interchange(
                [(kind, body.segments)], sender=Address("ZZ", "PRACTICE01"),
                receiver=Address("ZZ", "CLEARING01"), numbers=Numbers(self.asked, self.asked, 1),
                at=NOW, usage="T", version=version,
            )
        )  # fmt: skip

    def question(self, *members: str) -> bytes:
        """A 270 about some members."""
        inquiries = [
            elig270.inquiry(
                payer_name="EXAMPLE HEALTH PLAN", payer_id="60054", provider_name="EXAMPLE PLLC",
                provider_npi="1234567893", member_id=member, last="BAKER", first="ELI",
                birth_on=date(1985, 2, 14), on=NOW.date(), trace=f"T{number}", origin="9512345678",
            )
            for number, member in enumerate(members, 1)
        ]  # fmt: skip
        return self.file("270", elig270.write(inquiries, reference="R1", at=NOW))

    def eligibility(self, member: str) -> Answer:
        """What is answered in real time about a member."""
        answer = self.desk.ask(self.question(member))
        assert isinstance(answer, bytes)
        assert check_bytes(answer).findings == ()
        [unit] = sets(answer)
        assert unit.kind == "271"
        [told] = elig271.read(unit)
        return told

    def status(self, member: str, **asked: Any) -> StatusAnswer:
        """What is answered in real time about a claim."""
        claim = status276.ClaimAsked(
            trace=asked.pop("trace", "S1"), period=Period.on("472", date(2026, 2, 3)), **asked
        )
        inquiry = status276.StatusInquiry(
            payer=Party("PR", "2", "EXAMPLE HEALTH PLAN", id_kind="PI", id="60054"),
            receiver=Party("41", "2", "EXAMPLE PLLC", id_kind="46", id="PRACTICE01"),
            provider=Party("1P", "2", "EXAMPLE PLLC", id_kind="XX", id="1234567893"),
            subscriber=status276.Person(
                Party("IL", "1", "BAKER", "ELI", id_kind="MI", id=member), date(1985, 2, 14)
            ),
            claims=(claim,),
        )
        answer = self.desk.ask(self.file("276", status276.write([inquiry], reference="R2", at=NOW)))
        assert isinstance(answer, bytes)
        assert check_bytes(answer).findings == ()
        [unit] = sets(answer)
        [told] = status277.read(unit)
        return told


def sets(data: bytes) -> list[TransactionSet]:
    return [one for one in transaction_sets(syntax.read(data)) if isinstance(one, TransactionSet)]


@pytest.fixture
def payer(tmp_path: Path) -> Iterator[Payer]:
    made = Payer(tmp_path)
    yield made
    made.desk.store.close()


@pytest.mark.parametrize(
    ("member", "copay", "coinsurance", "remaining", "authorisation", "covered"),
    [
        ("W123456789", "25", None, "640", "", True),
        ("SBXCOPAY1", "25", None, "640", "", True),
        ("SBXFULL1", "0", None, None, "", True),
        ("SBXDED1", None, "0", "1500", "", True),
        ("SBXCOIN1", None, "0.2", "640", "", True),
        ("SBXAUTH1", "25", None, "640", "Y", True),
        ("SBXCO1971", "25", None, "640", "Y", True),
        ("SBXPR2041", None, None, "640", "", False),
        ("SBXPLAN301", None, None, "640", "", None),
        ("SBXCARVE1", None, None, "640", "", None),
    ],
)
def test_a_member_has_the_benefits_of_its_id(
    payer: Payer, member: str, copay: str | None, coinsurance: str | None, remaining: str | None,
    authorisation: str, covered: bool | None,
) -> None:  # fmt: skip
    answer = payer.eligibility(member)
    assert (answer.outcome, answer.traces, answer.reference) == ("answered", ("T1",), "R1")
    found = summary(answer, on=NOW.date())

    def text(name: str) -> str | None:
        chosen = getattr(found, name)
        return None if chosen is None else str(chosen.value)

    assert found.coverage == "active"
    assert (text("copay"), text("coinsurance")) == (copay, coinsurance)
    assert text("deductible_remaining") == remaining
    assert (found.authorisation, found.covered) == (authorisation, covered)


def test_a_carve_out_names_who_answers_for_mental_health(payer: Payer) -> None:
    found = summary(payer.eligibility("SBXCARVE1"))
    assert found.carved_out
    assert [(one.name, one.phones) for one in found.call] == [
        ("EXAMPLE BEHAVIORAL", ("8005550177",))
    ]


def test_another_payer_that_comes_first_is_named(payer: Payer) -> None:
    found = summary(payer.eligibility("SBXCOB1"))
    assert [one.name for one in found.other_payers] == ["EXAMPLE PRIMARY PLAN"]


def test_cover_that_ended_says_when(payer: Payer) -> None:
    found = summary(payer.eligibility("SBXINACT1"))
    assert (found.coverage, found.plan_ends) == ("inactive", date(2025, 12, 31))


@pytest.mark.parametrize(
    ("member", "reason", "outcome"),
    [
        ("SBXAAA751", "75", "refused"), ("SBX2771", "75", "refused"), ("SBXAAA721", "72", "refused"),
        ("SBXAAA711", "71", "refused"), ("SBXAAA511", "51", "refused"),
        ("SBXAAA791", "79", "refused"), ("SBXAAA421", "42", "later"),
    ],
)  # fmt: skip
def test_a_refusal_says_why(payer: Payer, member: str, reason: str, outcome: str) -> None:
    answer = payer.eligibility(member)
    assert ([one.reason for one in answer.refusals], answer.outcome) == ([reason], outcome)


def test_in_real_time_one_patient_is_asked_about(payer: Payer) -> None:
    answer = payer.desk.ask(payer.question("W1", "W2"))
    assert isinstance(answer, bytes)
    [told] = elig271.read(sets(answer)[0])
    assert ([one.reason for one in told.refusals], told.subscriber) == (["04"], None)


def test_a_question_that_is_not_right_is_refused_by_its_acknowledgement(payer: Payer) -> None:
    good = payer.question("W1")
    no_question = payer.desk.ask(good.replace(b"EQ*30^MH~\n", b"").replace(b"SE*13", b"SE*12"))
    assert isinstance(no_question, bytes)
    [refused] = sets(no_question)
    assert acks.read_999(refused).code == "R"
    broken = payer.desk.ask(good.replace(b"IEA*1*000000001", b"IEA*1*000000009"))
    assert isinstance(broken, bytes)
    assert b"TA1*000000001*" in broken
    assert isinstance(payer.desk.ask(b"<html>"), NotAnInterchange)
    claim = payer.desk.ask(write_837p([TestClaim(number="C1")], control=7))
    assert isinstance(claim, bytes)
    assert [unit.kind for unit in sets(claim)] == ["999"]


def test_of_some_nothing_is_ever_said(payer: Payer) -> None:
    assert payer.desk.ask(payer.question("SBXNEVER1")) is None
    payer.desk.receive(payer.question("SBXNEVER1"), channel="http")
    assert payer.desk.advance() == 0


def test_a_file_of_many_patients_is_answered_as_a_file(payer: Payer) -> None:
    payer.desk.receive(payer.question("W1", "SBXAAA751", "SBXINACT1"), channel="http")
    assert payer.desk.advance() == 2
    answers = {one.kind: payer.desk.file(one.name) for _, one in payer.desk.files(after=0, limit=9)}
    assert sorted(answers) == ["271", "999"]
    file = answers["271"]
    assert file is not None
    assert check_bytes(file).findings == ()
    told = list(elig271.read(sets(file)[0]))
    assert [one.traces for one in told] == [("T1",), ("T2",), ("T3",)]
    assert [one.outcome for one in told] == ["answered", "refused", "answered"]


def only(answer: StatusAnswer) -> ClaimStatus:
    [claim] = answer.claims
    return claim


def test_a_claim_is_told_of_as_it_stands(payer: Payer) -> None:
    """Nothing before it came; pending until its check is out; then what was paid, and by what."""
    ours = (Reference("EJ", "C1"),)
    assert only(payer.status("W1", references=ours)).standing == "not_found"
    file = write_837p([TestClaim(number="C1")], control=50, sender="PRACTICE01")
    payer.desk.receive(file, channel="http")
    waits = only(payer.status("W1", references=ours))
    assert (waits.trace, waits.standing) == ("S1", "pending")
    assert waits.payer_claim_number
    payer.now += timedelta(minutes=2)
    paid = only(payer.status("W1", references=ours, charge=Decimal(180)))
    status = paid.statuses[0]
    assert (paid.standing, status.charge, status.paid) == ("paid", Decimal(180), Decimal(119))
    assert (status.paid_on, bool(status.payment_number)) == (payer.now.date(), True)
    by_their_number = (Reference("1K", waits.payer_claim_number),)
    assert only(payer.status("W1", references=by_their_number)).standing == "paid"


@pytest.mark.parametrize(
    ("member", "standing"),
    [
        ("SBXCO1971", "denied"), ("SBXDED1", "paid"), ("SBXLATE1", "pending"),
        ("SBX2771", "rejected"), ("SBX9991", "not_found"), ("SBXLOST1", "paid"),
    ],
)  # fmt: skip
def test_a_claim_of_a_member_stands_where_its_id_says(
    payer: Payer, member: str, standing: str
) -> None:
    claim = TestClaim(number="C1", member_id=member)
    file = write_837p([claim], control=50, sender="PRACTICE01")
    payer.desk.receive(file, channel="http")
    payer.now += timedelta(minutes=2)
    answer = payer.status("W1", references=(Reference("EJ", "C1"),))
    assert only(answer).standing == standing


def test_the_claims_of_another_sender_are_not_told_of(payer: Payer) -> None:
    payer.desk.receive(write_837p([TestClaim(number="C1")], control=50), channel="http")
    assert only(payer.status("W1", references=(Reference("EJ", "C1"),))).standing == "not_found"


def test_a_status_may_be_told_later(payer: Payer) -> None:
    answer = payer.status("SBXAAA421", references=(Reference("EJ", "C1"),))
    assert (answer.subscriber, only(answer).standing) == (None, "later")


def test_over_http_x12_goes_in_and_x12_comes_out(tmp_path: Path) -> None:
    payer = Payer(tmp_path / "questions")
    process = SandboxProcess(tmp_path / "sandbox")
    try:

        def ask(member: str) -> httpx.Response:
            return process.call("POST", "/v1/realtime", content=payer.question(member))

        said = ask("SBXCOPAY1")
        assert (said.status_code, said.headers["Content-Type"]) == (200, "application/edi-x12")
        [told] = elig271.read(sets(said.content)[0])
        assert told.outcome == "answered"
        with pytest.raises(httpx.TransportError):
            ask("SBXNEVER1")
        process.script({"fault": "drop_reply"})
        with pytest.raises(httpx.TransportError):
            ask("SBXCOPAY1")
        process.script({"fault": "503", "seconds": 7})
        busy = ask("SBXCOPAY1")
        assert (busy.status_code, busy.headers["Retry-After"]) == (503, "7")
        assert process.call("POST", "/v1/realtime", content=b"<html>").status_code == 400
        assert process.call("GET", "/_sandbox/accepted").json()["interchanges"] == []
    finally:
        process.stop()
        payer.desk.store.close()
