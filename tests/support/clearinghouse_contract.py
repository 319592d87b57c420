"""What every driver of the clearinghouse port must do, told once and run for each of them."""

from __future__ import annotations

import hashlib
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path
from typing import ClassVar

import pytest

from rapport.protocols.x12 import elig270
from rapport.protocols.x12.envelope import Address, Numbers, interchange
from rapport.rooms.claims.ports import (
    Clearinghouse,
    Held,
    InboundFile,
    InDoubt,
    Later,
    NotHeld,
    Refused,
    Sent,
)
from tests.support.claims837 import TestClaim, TestLine, write_837p
from tests.support.faultproxy import Fault, FaultProxy
from tests.support.sandbox import SandboxProcess

BIG = 400


def named(control: int) -> dict[str, str]:
    """The name and key that belong to a file for good; the name begins with its BHT03, as the room gives it."""
    return {"name": f"B{control}.837", "key": f"submission-{control}"}


def digest(file: bytes) -> str:
    """The SHA-256 of a file, in hex."""
    return hashlib.sha256(file).hexdigest()


def claim_file(control: int, claims: int = 1) -> bytes:
    """A file of claims whose numbers begin with its control number."""
    return write_837p(
        [
            TestClaim(number=f"C{control}X{n}", lines=(TestLine(), TestLine(code="90785")))
            for n in range(claims)
        ],
        control=control,
    )


def question_file(kind: str, member_id: str = "SBXCOPAY1", trace: str = "T1") -> bytes:
    """A file with one question: `270` about a member's eligibility, `276` in name alone."""
    at = datetime(2026, 11, 1, 8, 0, tzinfo=UTC)
    asked = elig270.inquiry(
        payer_name="EXAMPLE HEALTH PLAN", payer_id="60054", provider_name="WILLOW", provider_npi="1234567893",
        member_id=member_id, last="RIVERA", first="ANA", birth_on=date(1990, 5, 1), on=at.date(), trace=trace,
        origin="9123456789",
    )  # fmt: skip
    body = elig270.write([asked], reference="E1", at=at).segments
    return b"".join(
        interchange(
            [(kind, body)], sender=Address("ZZ", "CLINICBH01"), receiver=Address("ZZ", "SANDBOXCH"),
            numbers=Numbers(1, 1, 1), at=at, usage="T",
        )
    )  # fmt: skip


class ClearinghouseContract(ABC):
    """
    Against the real sandbox, over real sockets, through a proxy that can break them.

    Some interfaces can do less than the room would like; a driver's class says so in these words.
    """

    keyed: ClassVar[bool] = True
    """Handed over twice with one key (or name), a file is taken once."""
    proves_absence: ClassVar[bool] = True
    """`find` can say that a file is not there."""
    compares_bytes: ClassVar[bool] = True
    """`find` tells other bytes under the same name apart."""
    kinds: ClassVar[tuple[str, ...]] = ("277CA", "835", "999")
    """What comes back for a claim that is paid, sorted."""
    verbatim: ClassVar[bool] = True
    """Answers come byte for byte as the sandbox wrote them."""

    def absent(self, answer: object) -> bool:
        """Whether `find` answered as this interface answers for what is not there."""
        return answer == NotHeld() if self.proves_absence else isinstance(answer, InDoubt)

    @abstractmethod
    def driver(self, sandbox: SandboxProcess, port: int, *, login: bool = True) -> Clearinghouse:
        """The driver under test, talking to a port; with `login` false it has a wrong secret."""

    @abstractmethod
    def target_port(self, sandbox: SandboxProcess) -> int:
        """The sandbox's own port for this way of talking."""

    @pytest.fixture(scope="class")
    @classmethod
    def sandbox(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
        process = SandboxProcess(tmp_path_factory.mktemp("sandbox"))
        yield process
        process.stop()

    @pytest.fixture
    def proxy(self, sandbox: SandboxProcess) -> Iterator[FaultProxy]:
        with FaultProxy(self.target_port(sandbox)) as proxy:
            yield proxy

    @pytest.fixture
    def house(self, sandbox: SandboxProcess, proxy: FaultProxy) -> Clearinghouse:
        return self.driver(sandbox, proxy.port)

    def accepted_times(self, sandbox: SandboxProcess, control: int) -> int:
        counts = {one["number"]: one["accepted_count"] for one in sandbox.accepted()["claims"]}
        return counts.get(f"C{control}X0", 0)

    def test_a_file_arrives_byte_for_byte(
        self, sandbox: SandboxProcess, house: Clearinghouse
    ) -> None:
        file = claim_file(1001)

        answer = house.send(file=file, **named(1001))

        assert isinstance(answer, Sent)
        assert answer.receipt
        [held] = [one for one in sandbox.accepted()["interchanges"] if one["isa13"] == "000001001"]
        assert held["sha256"] == digest(file)
        assert held["bytes"] == len(file)

    def test_sending_twice_has_the_same_receipt_and_is_accepted_once(
        self, sandbox: SandboxProcess, house: Clearinghouse
    ) -> None:
        file = claim_file(1002)

        first = house.send(file=file, **named(1002))
        second = house.send(file=file, **named(1002))

        assert (first == second) is self.keyed
        assert self.accepted_times(sandbox, 1002) == (1 if self.keyed else 2)

    def test_what_was_sent_is_found_with_its_receipt(self, house: Clearinghouse) -> None:
        file = claim_file(1003)
        answer = house.send(file=file, **named(1003))
        assert isinstance(answer, Sent)

        assert house.find(**named(1003), sha256=digest(file)) == Held(answer.receipt)

    def test_what_was_never_sent_is_not_held(self, house: Clearinghouse) -> None:
        assert self.absent(house.find(**named(1004), sha256=digest(claim_file(1004))))

    def test_other_bytes_under_the_same_name_are_refused_and_in_doubt_when_asked_for(
        self, sandbox: SandboxProcess, house: Clearinghouse
    ) -> None:
        if not (self.keyed and self.compares_bytes):
            pytest.skip("this interface does not compare bytes")
        file, other = claim_file(1005), claim_file(1006)
        house.send(file=file, **named(1005))

        refused = house.send(file=other, **named(1005))

        assert isinstance(refused, Refused)
        assert not refused.try_again
        assert isinstance(house.find(**named(1005), sha256=digest(other)), InDoubt)
        assert self.accepted_times(sandbox, 1006) == 0

    def test_a_wrong_login_is_refused_for_good(
        self, sandbox: SandboxProcess, proxy: FaultProxy
    ) -> None:
        stranger = self.driver(sandbox, proxy.port, login=False)

        answer = stranger.send(file=claim_file(1007), **named(1007))

        assert isinstance(answer, Refused)
        assert (answer.reason_code, answer.try_again) == ("login-refused", False)
        assert isinstance(stranger.find(**named(1007), sha256=digest(b"")), InDoubt)
        assert stranger.list_inbound(after="") == ((), "")

    def test_nobody_there_means_later(self, sandbox: SandboxProcess) -> None:
        with FaultProxy(1) as gone:
            port = gone.port
        house = self.driver(sandbox, port)

        assert isinstance(house.send(file=claim_file(1008), **named(1008)), Later)
        assert isinstance(house.find(**named(1008), sha256=digest(b"")), InDoubt)
        assert house.list_inbound(after="") == ((), "")

    def test_a_lost_reply_is_in_doubt_until_asked_and_is_accepted_once(
        self, sandbox: SandboxProcess, house: Clearinghouse
    ) -> None:
        file = claim_file(1009)
        sandbox.script({"fault": "drop_reply"})

        answer = house.send(file=file, **named(1009))
        found = house.find(**named(1009), sha256=digest(file))

        assert isinstance(answer, InDoubt)
        assert isinstance(found, Held)
        assert self.accepted_times(sandbox, 1009) == 1
        again = house.send(file=file, **named(1009))
        # The control: sent again without asking, it is billed twice where nothing stands against that.
        assert (again == Sent(found.receipt)) is self.keyed
        assert self.accepted_times(sandbox, 1009) == (1 if self.keyed else 2)

    def test_half_a_file_is_not_held_and_goes_through_whole_afterwards(
        self, sandbox: SandboxProcess, proxy: FaultProxy, house: Clearinghouse
    ) -> None:
        file = claim_file(1010, claims=BIG)
        proxy.next(Fault("cut_request", bytes=len(file) // 2))

        answer = house.send(file=file, **named(1010))
        found = house.find(**named(1010), sha256=digest(file))
        again = house.send(file=file, **named(1010))

        assert not isinstance(answer, Sent | Refused)
        assert self.absent(found)
        assert isinstance(again, Sent)
        assert self.accepted_times(sandbox, 1010) == 1

    def test_many_workers_with_one_file_have_it_accepted_once(
        self, sandbox: SandboxProcess, house: Clearinghouse
    ) -> None:
        if not self.keyed:
            pytest.skip("this interface takes each call for a new file: the room's lease is what keeps it to one")
        file = claim_file(1019)
        with ThreadPoolExecutor(max_workers=8) as pool:
            sends = [pool.submit(house.send, file=file, **named(1019)) for _ in range(8)]
            answers = [send.result() for send in sends]
        last = house.send(file=file, **named(1019))

        assert isinstance(last, Sent)
        assert all(answer == last or isinstance(answer, Later | InDoubt) for answer in answers)
        assert self.accepted_times(sandbox, 1019) == 1

    def test_a_connection_reset_at_once_is_never_taken_for_a_yes(
        self, proxy: FaultProxy, house: Clearinghouse
    ) -> None:
        file = claim_file(1011)
        proxy.next(Fault("refuse"))

        assert isinstance(house.send(file=file, **named(1011)), Later | InDoubt)
        assert self.absent(house.find(**named(1011), sha256=digest(file)))

    def test_silence_ends_in_time(self, proxy: FaultProxy, house: Clearinghouse) -> None:
        proxy.next(Fault("blackhole"))
        started = time.monotonic()

        answer = house.send(file=claim_file(1012), **named(1012))

        assert isinstance(answer, Later | InDoubt)
        assert time.monotonic() - started < 10

    def test_a_slow_line_is_no_trouble(self, proxy: FaultProxy, house: Clearinghouse) -> None:
        proxy.next(Fault("latency", seconds=0.05))

        assert isinstance(house.send(file=claim_file(1013), **named(1013)), Sent)

    def test_a_broken_answer_to_a_question_is_in_doubt(
        self, proxy: FaultProxy, house: Clearinghouse
    ) -> None:
        file = claim_file(1014)
        house.send(file=file, **named(1014))
        proxy.next(Fault("cut_response", bytes=30))

        assert isinstance(house.find(**named(1014), sha256=digest(file)), InDoubt)

    def test_a_receiver_killed_after_taking_the_file_still_holds_it(self, tmp_path: Path) -> None:
        sandbox = SandboxProcess(tmp_path)
        try:
            file = claim_file(1015)
            sent = self.driver(sandbox, self.target_port(sandbox)).send(file=file, **named(1015))
            assert isinstance(sent, Sent)
            sandbox.kill()
            sandbox.start()
            house = self.driver(sandbox, self.target_port(sandbox))

            assert house.find(**named(1015), sha256=digest(file)) == Held(sent.receipt)
            kinds = [one.kind for one in everything(house, "")[0]]
            assert sorted(kinds) == list(self.kinds)
        finally:
            sandbox.stop()

    def test_answers_are_listed_behind_the_cursor_once_each(self, tmp_path: Path) -> None:
        sandbox = SandboxProcess(tmp_path)
        try:
            house = self.driver(sandbox, self.target_port(sandbox))
            nothing, start = house.list_inbound(after="")
            house.send(file=claim_file(1016), **named(1016))
            first, behind_first = everything(house, start)
            house.send(file=claim_file(1017), **named(1017))
            second, behind_second = everything(house, behind_first)

            assert nothing == ()
            assert sorted(one.kind for one in first) == list(self.kinds)
            assert sorted(one.kind for one in second) == list(self.kinds)
            assert not {one.name for one in first} & {one.name for one in second}
            assert house.list_inbound(after=behind_second) == ((), behind_second)
            known = {digest(data) for kind, data in sandbox.answers() if self.verbatim or kind == "835"}
            got = {digest(one.data) for one in (*first, *second) if self.verbatim or one.kind == "835"}
            assert got == known
        finally:
            sandbox.stop()

    def test_a_list_that_breaks_off_loses_nothing(
        self, proxy: FaultProxy, house: Clearinghouse
    ) -> None:
        house.send(file=claim_file(1018), **named(1018))
        whole, _ = everything(house, "")
        got: list[InboundFile] = []
        cursor = ""
        for cut in (200, 3000, 4500, 6000):
            proxy.next(Fault("cut_response", bytes=cut))
            files, cursor = house.list_inbound(after=cursor)
            got += files
        rest, _ = everything(house, cursor)

        assert [one.name for one in (*got, *rest)] == [one.name for one in whole]


class HttpContract(ClearinghouseContract):
    """What a driver must do besides that speaks HTTP: the sandbox can be told to answer it badly."""

    no_interchange: ClassVar[Refused] = Refused("not-an-interchange", False, "refused with status 400")
    """The answer to bytes that are no interchange."""

    def target_port(self, sandbox: SandboxProcess) -> int:
        return sandbox.http_port

    @pytest.mark.parametrize(
        ("fault", "expected"),
        [({"fault": "429", "seconds": 7}, Later(7)), ({"fault": "503", "seconds": 30}, Later(30))],
    )
    def test_a_busy_clearinghouse_says_when_to_come_back(
        self, sandbox: SandboxProcess, house: Clearinghouse, fault: dict[str, object], expected: Later
    ) -> None:
        sandbox.script(fault)

        assert house.send(file=claim_file(2001), **named(2001)) == expected
        assert self.absent(house.find(**named(2001), sha256=digest(claim_file(2001))))

    @pytest.mark.parametrize("kind", ["500", "html200"])
    @pytest.mark.parametrize(("accept", "control"), [(True, 2002), (False, 2003)])
    def test_a_reply_that_says_nothing_is_in_doubt_whether_or_not_the_file_was_taken(
        self, sandbox: SandboxProcess, house: Clearinghouse, kind: str, accept: bool, control: int
    ) -> None:
        control += 10 if kind == "500" else 0
        file = claim_file(control)
        sandbox.script({"fault": kind, "accept": accept})

        assert isinstance(house.send(file=file, **named(control)), InDoubt)
        found = house.find(**named(control), sha256=digest(file))
        assert isinstance(found, Held) if accept else self.absent(found)

    def test_half_a_reply_is_no_reply(self, proxy: FaultProxy, house: Clearinghouse) -> None:
        proxy.next(Fault("cut_response", bytes=40))

        assert isinstance(house.send(file=claim_file(2021), **named(2021)), InDoubt)

    def test_bytes_that_are_no_interchange_are_refused(self, house: Clearinghouse) -> None:
        assert house.send(file=b"no interchange at all", **named(2023)) == self.no_interchange


def everything(house: Clearinghouse, after: str) -> tuple[list[InboundFile], str]:
    """Ask on until a portion is empty."""
    files: list[InboundFile] = []
    while True:
        portion, after = house.list_inbound(after=after)
        if not portion:
            return files, after
        files += portion
