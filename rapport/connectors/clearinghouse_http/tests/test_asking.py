"""Questions that are answered at once, over each of the three interfaces: what came, and what it means when nothing did."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from rapport.connectors.clearinghouse_http.claim_md.driver import ClaimMdClearinghouse
from rapport.connectors.clearinghouse_http.claim_md.settings import ClaimMdSettings
from rapport.connectors.clearinghouse_http.driver import HttpClearinghouse
from rapport.connectors.clearinghouse_http.settings import HttpSettings
from rapport.connectors.clearinghouse_http.stedi.driver import StediClearinghouse
from rapport.connectors.clearinghouse_http.stedi.settings import StediSettings
from rapport.protocols.x12.kinds import kind_of, question_of
from rapport.rooms.claims.ports import Answered, InDoubt, Later, RealTime, Refused
from tests.support.clearinghouse_contract import claim_file, question_file
from tests.support.faultproxy import Fault, FaultProxy
from tests.support.sandbox import SandboxProcess

Way = Callable[[str, str], RealTime]


def _http(url: str, key: str) -> RealTime:
    return HttpClearinghouse(HttpSettings(base_url=url, api_key=key, total_seconds=4))


def _stedi(url: str, key: str) -> RealTime:
    return StediClearinghouse(
        StediSettings(
            api_key=key, sender_id="CLINICBH01", base_url=f"{url}/2024-04-01", answers_url=f"{url}/2023-08-01",
            ask_seconds=4,
        )
    )  # fmt: skip


def _claim_md(url: str, key: str) -> RealTime:
    return ClaimMdClearinghouse(ClaimMdSettings(account_key=key, sender_id="CLINICBH01", base_url=url, ask_seconds=4))


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    process = SandboxProcess(tmp_path_factory.mktemp("payer"))
    yield process
    process.stop()


@pytest.fixture
def proxy(sandbox: SandboxProcess) -> Iterator[FaultProxy]:
    with FaultProxy(sandbox.http_port) as between:
        yield between


@pytest.fixture(params=[_http, _stedi, _claim_md])
def way(request: pytest.FixtureRequest) -> Way:
    made: Way = request.param
    return made


@pytest.fixture
def house(way: Way, sandbox: SandboxProcess, proxy: FaultProxy) -> RealTime:
    return way(f"http://127.0.0.1:{proxy.port}", sandbox.api_key)


def test_the_payers_answer_comes_as_it_is(house: RealTime) -> None:
    answer = house.ask(file=question_file("270", trace="T77"), key="k")

    assert isinstance(answer, Answered)
    assert kind_of(answer.data) == "271"
    assert b"TRN*2*T77*" in answer.data
    assert b"EB*B**MH***27*25" in answer.data


@pytest.mark.parametrize(
    "fault", [{"fault": "drop_reply"}, {"fault": "500"}, {"fault": "html200"}, {"fault": "409"}],
    ids=lambda one: one["fault"],
)  # fmt: skip
def test_what_does_not_say_whether_the_payer_was_asked_is_in_doubt(
    house: RealTime, sandbox: SandboxProcess, fault: dict[str, object]
) -> None:
    sandbox.script(fault)
    assert isinstance(house.ask(file=question_file("270"), key="k"), InDoubt)


def test_half_an_answer_is_no_answer(house: RealTime, proxy: FaultProxy) -> None:
    proxy.next(Fault("cut_response", bytes=300))
    assert isinstance(house.ask(file=question_file("270"), key="k"), InDoubt)


def test_a_payer_that_never_answers_is_in_doubt(house: RealTime) -> None:
    assert isinstance(house.ask(file=question_file("270", "SBXNEVER1"), key="k"), InDoubt)


def test_who_is_too_busy_was_certainly_not_asked(house: RealTime, sandbox: SandboxProcess) -> None:
    sandbox.script({"fault": "429", "seconds": 7})
    assert house.ask(file=question_file("270"), key="k") == Later(7)


def test_nobody_there_is_later_and_a_wrong_key_a_no(way: Way, sandbox: SandboxProcess) -> None:
    assert isinstance(way("http://127.0.0.1:9", "key").ask(file=question_file("270"), key="k"), Later)
    wrong = way(sandbox.http_url, "wrong").ask(file=question_file("270"), key="k")
    assert isinstance(wrong, Refused)
    assert wrong.reason_code == "login-refused"


def test_a_question_is_told_by_its_group() -> None:
    assert [question_of(question_file(kind)) for kind in ("270", "276")] == ["270", "276"]
    assert [question_of(data) for data in (claim_file(7), b"", b"ISA", b"x" * 200)] == [""] * 4
