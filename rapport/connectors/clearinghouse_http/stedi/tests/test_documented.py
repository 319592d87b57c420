"""What the public reference says comes back, and what each of it means here. None was captured from the service."""

from __future__ import annotations

import json
from dataclasses import astuple
from pathlib import Path
from typing import Any

import pytest

from rapport.connectors.clearinghouse_http.stedi import mapper
from rapport.connectors.clearinghouse_http.stedi.driver import StediClearinghouse
from rapport.connectors.clearinghouse_http.stedi.settings import StediSettings
from rapport.rooms.claims.ports import InDoubt, Refused, Sent
from tests.support.clearinghouse_contract import claim_file, question_file
from tests.support.documented import Player, exchanges

EXCHANGES = exchanges(Path(__file__).parent / "documented")
NAME = "B7.837"


def house(player: Player, **more: Any) -> StediClearinghouse:
    return StediClearinghouse(
        StediSettings(
            api_key="test_key", sender_id="CLINICBH01", base_url=f"{player.url}/2024-04-01",
            answers_url=f"{player.url}/2023-08-01", total_seconds=4, **more,
        )
    )  # fmt: skip


@pytest.mark.parametrize("exchange", EXCHANGES, ids=lambda one: one["name"])
def test_a_documented_reply_means_what_the_table_says(exchange: dict[str, Any]) -> None:
    with Player(exchange["replies"]) as player:
        if exchange["call"] == "send":
            answer: Any = house(player).send(file=claim_file(7), name=NAME, key="key-7")
        elif exchange["call"] == "ask":
            answer = house(player).ask(file=question_file("270"), key="key-7")
        elif exchange["call"] == "inquire":
            answer = house(player).send(file=question_file("276"), name="B7.276", key="key-7")
        else:
            answer = house(player).find(name=NAME, key="key-7", sha256="")

    kind, *values = exchange["means"]
    assert type(answer).__name__ == kind, answer
    assert list(astuple(answer))[: len(values)] == values
    assert len(player.asked) == 1, "nothing is called a second time by itself"


def test_the_calls_are_those_of_the_reference() -> None:
    with Player([{"status": 500}, {"status": 500}, {"status": 500}]) as player:
        house(player).send(file=claim_file(7), name=NAME, key="key-7")
        house(player).find(name=NAME, key="key-7", sha256="")
        house(player).list_inbound(after="a token/with+signs")

    send, find, poll = player.asked
    assert (send.method, send.path) == (
        "POST", "/2024-04-01/change/medicalnetwork/professionalclaims/v3/raw-x12-submission",
    )  # fmt: skip
    assert json.loads(send.body) == {"x12": claim_file(7).decode()}
    assert send.headers["idempotency-key"] == "key-7"
    assert {one.headers["authorization"] for one in player.asked} == {"test_key"}
    assert find.path == "/2023-08-01/transactions?businessIdentifier=B7"
    assert poll.path == "/2023-08-01/polling/transactions?pageToken=a%20token%2Fwith%2Bsigns&pageSize=50"
    assert not any("test_key" in one.path or "C7X0" in one.path for one in player.asked)


def test_a_question_goes_where_its_kind_is_asked_and_its_answer_comes_with_the_receipt() -> None:
    with Player([{"status": 500}, reply_of("276"), {"status": 500}]) as player:
        house(player).ask(file=question_file("270"), key="key-7")
        sent = house(player).send(file=question_file("276"), name="B7.276", key="key-7")
        claim = house(player).ask(file=claim_file(7), key="key-7")
        doubt = house(player).find(name="B7.276", key="key-7", sha256="")

    where = "/2024-04-01/change/medicalnetwork"
    assert [one.path for one in player.asked] == [f"{where}/eligibility/v3/raw-x12", f"{where}/claimstatus/v2/raw-x12"]
    assert all("idempotency-key" not in one.headers for one in player.asked), "documented for claims alone"
    assert json.loads(player.asked[0].body) == {"x12": question_file("270").decode()}
    assert isinstance(sent, Sent)
    assert sent.reply is not None
    assert (sent.reply.name, sent.reply.kind, sent.reply.data[:3]) == ("B7.reply.277", "277", b"ISA")
    assert claim == Refused("not-at-once", False, "only eligibility and claim status are asked at once")
    assert isinstance(doubt, InDoubt), "nothing says that a question was not asked"


def reply_of(kind: str) -> dict[str, Any]:
    """What is documented to come back to a question of this kind."""
    call = {"270": "ask", "276": "inquire"}[kind]
    found: dict[str, Any] = next(one for one in EXCHANGES if one["call"] == call and one["means"][0] in ("Answered", "Sent"))
    return dict(found["replies"][0])


def transaction(id: int, kind: str, direction: str = "INBOUND") -> dict[str, Any]:
    return {
        "direction": direction, "fileExecutionId": f"e-{id}", "transactionId": f"t-{id}",
        "x12": {"metadata": {"transaction": {"transactionSetIdentifier": kind}}},
    }  # fmt: skip


def page(token: str, *rows: dict[str, Any]) -> dict[str, Any]:
    return {"status": 200, "body": {"items": list(rows), "nextPageToken": token}}


X12_835 = (
    "ISA*00*          *00*          *ZZ*PAYER          *ZZ*CLINICBH01     *260105*0930*^*00501*000000009*0*T*:~"
    "GS*HP*PAYER*CLINICBH01*20260105*0930*9*X*005010X221A1~ST*835*0001~SE*2*0001~GE*1*9~IEA*1*000000009~"
)
LED = {"status": 302, "headers": {"Location": "{here}/signed?s=1"}, "body": {"documentDownloadUrl": "{here}/signed?s=1"}}


def test_pages_without_an_answer_to_claims_are_gone_over_and_the_token_goes_on() -> None:
    replies = [
        page("2", transaction(1, "837", "OUTBOUND")),
        page("3", transaction(2, "271")),
        page("4", transaction(3, "835"), transaction(3, "835")), LED, {"status": 200, "body": X12_835},
    ]  # fmt: skip
    with Player(replies) as player:
        files, cursor = house(player).list_inbound(after="1")

    assert ([(one.name, one.kind) for one in files], cursor) == ([("e-3.835", "835")], "4")
    assert player.asked[-1].path == "/signed?s=1"
    assert "authorization" not in player.asked[-1].headers, "the signed URL gets no key"
    assert sum("/executions/" in one.path for one in player.asked) == 1, "a file of two sets is fetched once"


@pytest.mark.parametrize(
    "broken",
    [
        [LED, {"status": 500}],
        [LED, {"status": 200, "body": X12_835[:150]}],
        [{"status": 404, "body": {}}],
        [{"status": 302, "body": {}}],
        [{"status": 302, "headers": {"Location": "ftp://elsewhere/x"}, "body": {}}],
    ],
)
def test_a_file_that_cannot_be_had_stops_the_page_and_nothing_behind_it_is_passed_over(
    broken: list[dict[str, Any]], caplog: pytest.LogCaptureFixture
) -> None:
    with Player([page("2", transaction(1, "835"), transaction(2, "835")), *broken]) as player:
        assert house(player).list_inbound(after="1") == ((), "1")

    told = [record for record in caplog.records if record.name.startswith("rapport")]
    assert told
    assert not any(word in record.getMessage() for record in told for word in ("signed", "test_key", "ISA"))


@pytest.mark.parametrize(
    "reply",
    [
        {"status": 401, "body": {}}, {"status": 200, "body": "<html>"}, {"status": 200, "body": {"items": []}},
        {"status": 200, "body": {"items": "x", "nextPageToken": "2"}},
        {"status": 200, "body": {"items": [1], "nextPageToken": "2"}},
        page("2", {**transaction(1, "835"), "fileExecutionId": "../../keys"}),
        page("2", {**transaction(1, "835"), "fileExecutionId": None}),
    ],
)  # fmt: skip
def test_a_list_that_cannot_be_read_moves_nothing(reply: dict[str, Any]) -> None:
    with Player([reply]) as player:
        assert house(player).list_inbound(after="1") == ((), "1")
    assert len(player.asked) == 1


def test_the_words_of_an_edit_stay_there_since_they_may_quote_a_claim() -> None:
    body = {"status": "ERROR", "errors": [{"code": "33", "description": "Subscriber JANE DOE"}, {"code": "a b c"}]}

    answer = mapper.sent_answer(400, {}, json.dumps(body).encode())

    assert "DOE" not in repr(answer)
    assert getattr(answer, "reason_code", "") == "claim-edits:33"


def test_the_same_file_makes_the_same_body_each_time() -> None:
    assert mapper.body_of(claim_file(7)) == mapper.body_of(claim_file(7)) != mapper.body_of(claim_file(8))
