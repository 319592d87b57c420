"""What the public documentation says comes back, and what each of it means here. None was captured from the service."""

from __future__ import annotations

from dataclasses import astuple
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.connectors.clearinghouse_http.claim_md.driver import ClaimMdClearinghouse
from rapport.connectors.clearinghouse_http.claim_md.mapper import Cursor, Statuses, portion
from rapport.connectors.clearinghouse_http.claim_md.settings import ClaimMdSettings
from rapport.connectors.clearinghouse_http.claim_md.statuses import Told, as_277ca
from rapport.protocols.x12 import acks
from rapport.protocols.x12.check import check_bytes
from rapport.protocols.x12.envelope import TransactionSet, transaction_sets
from rapport.protocols.x12.syntax import read
from rapport.rooms.claims.ports import Refused
from tests.support.clearinghouse_contract import claim_file, question_file
from tests.support.documented import Player, exchanges

EXCHANGES = exchanges(Path(__file__).parent / "documented")
NAME = "B7.837"
X12_835 = (
    "ISA*00*          *00*          *ZZ*PAYER          *ZZ*CLINICBH01     *260105*0930*^*00501*000000009*0*T*:~\n"
    "GS*HP*PAYER*CLINICBH01*20260105*0930*9*X*005010X221A1~\nST*835*0001~\nSE*2*0001~\nGE*1*9~\nIEA*1*000000009~\n"
)


def house(player: Player) -> ClaimMdClearinghouse:
    return ClaimMdClearinghouse(
        ClaimMdSettings(account_key="the key", sender_id="CLINICBH01", base_url=player.url, total_seconds=4, page_size=2)
    )


@pytest.mark.parametrize("exchange", EXCHANGES, ids=lambda one: one["name"])
def test_a_documented_reply_means_what_the_table_says(exchange: dict[str, Any]) -> None:
    with Player(exchange["replies"]) as player:
        if exchange["call"] == "send":
            answer: Any = house(player).send(file=claim_file(7), name=NAME, key="key-7")
        elif exchange["call"] == "ask":
            answer = house(player).ask(file=question_file("270"), key="key-7")
        else:
            answer = house(player).find(name=NAME, key="key-7", sha256="")

    kind, *values = exchange["means"]
    assert type(answer).__name__ == kind, answer
    assert list(astuple(answer))[: len(values)] == values
    assert "DOE" not in repr(answer), "an error's words may quote a question"
    assert len(player.asked) == len(exchange["replies"]), "nothing is called a second time by itself"


def test_the_calls_are_those_of_the_documentation_and_the_key_is_in_no_url() -> None:
    with Player([{"status": 500}] * 3) as player:
        house(player).send(file=claim_file(7), name=NAME, key="key-7")
        house(player).find(name=NAME, key="key-7", sha256="")
        house(player).list_inbound(after="12:5")

    send, find, statuses = player.asked
    assert [one.path for one in player.asked] == ["/services/upload/", "/services/uploadlist/", "/services/response/"]
    assert {(one.method, one.headers["accept"]) for one in player.asked} == {("POST", "application/json")}
    assert send.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert b'name="AccountKey"\r\n\r\nthe key\r\n' in send.body
    assert b'name="File"; filename="B7.837"' in send.body
    assert claim_file(7) in send.body
    assert parse_qs(find.body.decode()) == {"AccountKey": ["the key"], "Page": ["1"]}
    assert parse_qs(statuses.body.decode()) == {"AccountKey": ["the key"], "ResponseID": ["12"]}


def test_eligibility_is_asked_as_a_file_in_parts_and_claim_status_nowhere() -> None:
    with Player([{"status": 500}]) as player:
        house(player).ask(file=question_file("270"), key="key-7")
        other = house(player).ask(file=question_file("276"), key="key-7")

    [asked] = player.asked
    assert (asked.method, asked.path) == ("POST", "/services/elig/")
    assert b'name="AccountKey"\r\n\r\nthe key\r\n' in asked.body
    assert b'name="File"; filename="question.270"' in asked.body
    assert question_file("270") in asked.body
    assert other == Refused("not-at-once", False, "only eligibility is asked at once")


def test_remittances_are_fetched_oldest_first_though_the_newest_are_listed_first() -> None:
    eras = [
        {"status": 200, "body": {"last_responseid": "0", "claim": []}},
        {"status": 200, "body": {"last_eraid": "23", "era": [{"eraid": "23"}, {"eraid": "22"}]}},
        {"status": 200, "body": {"last_eraid": "23", "era": {"eraid": "21"}}},
        {"status": 200, "body": {"last_eraid": "23"}},
        {"status": 200, "body": {"eraid": "21", "data": X12_835}},
        {"status": 200, "body": {"eraid": "22", "data": X12_835}},
    ]
    with Player(eras) as player:
        files, cursor = house(player).list_inbound(after="")

    assert ([one.name for one in files], cursor) == (["era-21", "era-22"], "0:22")
    assert files[0].data == X12_835.encode()
    fetched = [parse_qs(one.body.decode()).get("eraid") for one in player.asked]
    assert fetched[-2:] == [["21"], ["22"]], "the control: by the list's last id, 21 and 22 were passed over"
    assert parse_qs(player.asked[1].body.decode())["NewOnly"] == ["0"], "what somebody else fetched is not left out"


def test_a_remittance_that_does_not_come_whole_is_asked_for_again() -> None:
    replies = [
        {"status": 200, "body": {"last_responseid": "0"}},
        {"status": 200, "body": {"last_eraid": "22", "era": [{"eraid": "21"}, {"eraid": "22"}]}},
        {"status": 200, "body": {"last_eraid": "22"}},
        {"status": 200, "body": {"eraid": "21", "data": X12_835}},
        {"status": 200, "body": {"eraid": "22", "data": X12_835[:150]}},
    ]
    with Player(replies) as player:
        files, cursor = house(player).list_inbound(after="0:20")

    assert ([one.name for one in files], cursor) == (["era-21"], "0:21")


@pytest.mark.parametrize(
    "reply",
    [
        {"status": 500, "body": {}}, {"status": 200, "body": "<result/>"}, {"status": 200, "body": {"claim": []}},
        {"status": 200, "body": {"error": {"error_code": "1", "error_mesg": "no"}}},
        {"status": 200, "body": {"last_responseid": "twelve", "claim": []}},
    ],
)  # fmt: skip
def test_statuses_that_cannot_be_read_move_nothing(reply: dict[str, Any]) -> None:
    with Player([reply]) as player:
        assert house(player).list_inbound(after="12:5") == ((), "12:5")


def told(number: int, status: str = "A", **more: str) -> Told:
    facts = {"control": f"C{number}", "words": "", "source": "PAYER", "payer_claim_number": "", "file_name": "B7.837", "npi": ""}
    return Told(number=number, status=status, **(facts | more))


@pytest.mark.parametrize(
    ("one", "verdict"),
    [
        (told(1), "received"),
        (told(2, payer_claim_number="ICN1"), "accepted"),
        (told(3, "R", words="Member id: not *ours*~"), "rejected"),
        (told(4, "P"), "accepted"),
        (told(5, "D"), "accepted"),
        (told(6, "F"), "received"),
        (told(7, "?"), "received"),
    ],
)  # fmt: skip
def test_a_status_is_written_down_as_the_277ca_that_says_the_same(one: Told, verdict: str) -> None:
    data = as_277ca([one], sender_id="CLINICBH01", number=one.number, at=datetime(2026, 1, 5, 9, 30, tzinfo=UTC))

    assert [f for f in check_bytes(data).findings if f.severity == "error"] == []
    [part] = transaction_sets(read(data))
    assert isinstance(part, TransactionSet)
    answer = acks.read_277ca(part)
    assert (answer.batch_id, answer.source) == ("B7", "PAYER")
    assert [(claim.control, claim.verdict) for claim in answer.claims] == [(one.control, verdict)]
    assert answer.claims[0].payer_claim_number == one.payer_claim_number


@given(st.text(max_size=400), st.text(max_size=80), st.text(min_size=1, max_size=60))
def test_no_words_of_the_other_side_break_the_file(words: str, source: str, control: str) -> None:
    said = told(9, "R", words=words, source=source, control=f"X{control}")

    data = as_277ca([said], sender_id="CLINICBH01", number=9, at=datetime(2026, 1, 5, tzinfo=UTC))

    [part] = transaction_sets(read(data))
    assert isinstance(part, TransactionSet)
    assert [claim.verdict for claim in acks.read_277ca(part).claims] == ["rejected"]


@given(st.lists(st.integers(1, 12), max_size=30), st.integers(1, 5))
def test_portions_put_together_are_everything_once(numbers: list[int], most: int) -> None:
    waiting = sorted((told(number) for number in numbers), key=lambda one: one.number)
    got: list[Told] = []
    after = 0
    while left := [one for one in waiting if one.number > after]:
        some = portion(Statuses(tuple(left), left[-1].number), most=most)
        got += some.told
        assert some.last > after
        after = some.last

    assert got == waiting, "two of one id are never cut apart: behind it, the second would be passed over"


def test_a_cursor_reads_what_it_wrote() -> None:
    assert Cursor.read("") == Cursor(0, 0)
    assert Cursor.read(Cursor(9007199254740993, 4).write()) == Cursor(9007199254740993, 4)
    with pytest.raises(ValueError, match="unpack"):
        Cursor.read("page-7")
