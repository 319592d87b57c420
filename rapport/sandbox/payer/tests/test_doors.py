"""The two doors that have the shapes of public interfaces: what they promise, and what they do not."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import quote, urlencode

from rapport.sandbox.payer.desk import Received
from rapport.sandbox.payer.form_door import FormDoor
from rapport.sandbox.payer.json_door import CLAIMS, JsonDoor
from rapport.sandbox.payer.messages import Reply, Request
from rapport.sandbox.payer.tests.conftest import Bench
from tests.support.claims837 import TestClaim, write_837p


def file(control: int) -> bytes:
    return write_837p([TestClaim(number=f"C{control}")], control=control)


def ask(bench: Bench, method: str, path: str, body: bytes = b"", **headers: str) -> Reply:
    path, _, query = path.partition("?")
    pairs = dict(pair.split("=") for pair in query.split("&")) if query else {}
    door = JsonDoor(bench.desk, api_key="key")
    return asyncio.run(door.answer(Request(method, path, pairs, {"authorization": "key", **headers}, body)))


def post(bench: Bench, service: str, **fields: object) -> Any:
    body = urlencode({"AccountKey": "key", **fields}).encode()
    request = Request("POST", f"/services/{service}/", {}, {"content-type": "application/x-www-form-urlencoded"}, body)
    return json.loads(asyncio.run(FormDoor(bench.desk, account_key="key").answer(request)).body)


def test_a_key_gets_its_answer_again_for_a_day_and_after_that_the_call_runs_again(bench: Bench) -> None:
    body = json.dumps({"x12": file(1).decode()}).encode()

    first = ask(bench, "POST", CLAIMS, body, **{"idempotency-key": "k"})
    bench.pass_time(23 * 3600)
    same = ask(bench, "POST", CLAIMS, body, **{"idempotency-key": "k"})
    bench.pass_time(2 * 3600)
    second = ask(bench, "POST", CLAIMS, body, **{"idempotency-key": "k"})

    assert first.body == same.body != second.body
    assert bench.desk.accepted()["counts"]["claims_accepted_more_than_once"] == 1


def test_an_upload_comes_in_as_often_as_it_is_sent(bench: Bench) -> None:
    for _ in range(2):
        assert isinstance(bench.desk.receive(file(2), channel="form", name="B2.837"), Received)

    assert [one["accepted_count"] for one in bench.desk.accepted()["claims"]] == [2]
    assert [one["filename"] for one in post(bench, "uploadlist")["file"]] == ["B2.837", "B2.837"]


def test_the_control_by_the_plain_door_a_control_number_counts_once(bench: Bench) -> None:
    for _ in range(2):
        bench.desk.receive(file(2), channel="http")

    assert [one["accepted_count"] for one in bench.desk.accepted()["claims"]] == [1]


def test_a_token_passes_nothing_over_where_a_time_would(bench: Bench) -> None:
    for control in (3, 4):
        bench.desk.receive(file(control), channel="json")
    # The clock stands still: all six answers are of one instant, and a page ends among them.
    polling = "/2023-08-01/polling/transactions"
    by_token, token = [], ""
    while True:
        where = f"pageToken={token}" if token else "startDateTime=2020-01-01T00:00:00Z"
        page = json.loads(ask(bench, "GET", f"{polling}?{where}&pageSize=4").body)
        if not page["items"]:
            break
        by_token += [one["fileExecutionId"] for one in page["items"]]
        token = page["nextPageToken"]
    first = json.loads(ask(bench, "GET", f"{polling}?startDateTime=2020-01-01T00:00:00Z&pageSize=4").body)["items"]
    behind = quote(first[-1]["processedAt"], safe=":")
    by_time = json.loads(ask(bench, "GET", f"{polling}?startDateTime={behind}&pageSize=4").body)["items"]

    assert len(by_token) == len(set(by_token)) == 6
    assert len(first) + len(by_time) < 6, "the control: asked for by time, the rest of that instant is lost"


def test_a_download_has_its_own_signature_and_takes_no_key(bench: Bench) -> None:
    bench.desk.receive(file(5), channel="json")
    bench.desk.work()
    door = JsonDoor(bench.desk, api_key="key")

    def get(path: str, query: dict[str, str], **headers: str) -> Reply:
        return asyncio.run(door.answer(Request("GET", path, query, headers, b"")))

    led = get("/2023-08-01/executions/execution-1/input", {}, authorization="key", host="here")
    url = json.loads(led.body)["documentDownloadUrl"]
    path, _, signature = url.removeprefix("http://here").partition("?signature=")

    assert (led.status, led.headers["Location"]) == (302, url)
    assert get(path, {"signature": signature}).body.startswith(b"ISA")
    assert get(path, {"signature": signature}, authorization="key").status == 400
    assert get(path, {"signature": "0" * 64}).status == 400
    assert get("/2023-08-01/executions/execution-1/input", {}, authorization="no").status == 401


def test_statuses_and_remittances_are_told_behind_an_id(bench: Bench) -> None:
    bench.desk.receive(write_837p([TestClaim(number="C6"), TestClaim(number="C7", member_id="SBX277A")], control=6),
                       channel="form", name="B6.837")  # fmt: skip
    bench.desk.receive(write_837p([TestClaim(number="C8", member_id="SBX999")], control=8), channel="form", name="B8.837")

    told = post(bench, "response", ResponseID=0)
    rest = post(bench, "response", ResponseID=told["last_responseid"])
    eras = post(bench, "eralist", ERAID=0, NewOnly=0, Page=1)
    era = post(bench, "era835", eraid=eras["last_eraid"])

    assert [(row["pcn"], row["status"], row["filename"]) for row in told["claim"]] == [
        ("C6", "A", "B6.837"), ("C7", "R", "B6.837"), ("C8", "R", "B8.837"),
    ]  # fmt: skip
    assert rest == {"last_responseid": told["last_responseid"], "claim": []}
    assert [one["eraid"] for one in eras["era"]] == [eras["last_eraid"]]
    assert era["data"].startswith("ISA")
    assert post(bench, "eralist", ERAID=eras["last_eraid"])["era"] == []
    assert "error" in post(bench, "era835", eraid=999)
