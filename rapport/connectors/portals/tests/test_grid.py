"""Portals whose pages are drawn by a script: rows without names beside a metadata file, and JSON-RPC on one address."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import pytest

from rapport.connectors.portals import publish, signature
from rapport.connectors.portals.answer import Answer
from rapport.connectors.portals.definition import Call, Definition
from rapport.connectors.portals.outgoing import Outgoing
from rapport.connectors.portals.reading import Reading
from rapport.connectors.portals.tests.recorded import (
    AT,
    Portal,
    answered,
    definition,
    read_live,
    trouble,
    whole,
)  # fmt: skip
from rapport.rooms.exchange.ports import Reason, Trouble, Verdict

GRID: dict[str, Any] = {
    "request": {"path": "/data/patients", "query": {"limit": "$page.size", "offset": "$page.offset", "v": "1"}}, "kind": "json", "volatile": ["v"],
    "rows": {"path": "rows"}, "bind": {"metadata": {"path": "/data/patients/columns.json"}, "names": "columns[].name"},
    "remote_id": {"from": "field", "field": "external_id"}, "page": {"by": "offset", "parameter": "offset", "size": 50}, "order": "id", "end": "count",
    "count": {"pick": {"json": "count"}, "phantom": 1}, "empty": {"when": {"json": [{"path": "rows", "test": "equal", "to": []}]}},
    "fields": {
        "external_id": {"column": ["id"], "type": "text", "required": True, "unique": True},
        "last_name": {"column": ["name"], "type": "text", "required": True, "cuts": [{"at": ", ", "take": 0}]},
        "birth_on": {"column": ["birth_on"], "type": "day", "required": True, "formats": {"en": ["%m/%d/%Y", "%d.%m.%Y"], "de": ["%d.%m.%Y"]}},
        "status": {"column": ["status_code"], "type": "code", "required": True, "codes": {"01": "active", "02": "inactive"}},
        "email": {"column": ["email"], "type": "email"},
    },
}  # fmt: skip
CONTEXT: dict[str, Any] = {"language": "en"}
RPC: dict[str, Any] = {
    "request": {"method": "POST", "path": "/rpc", "body": {"id": 1, "method": "model.patient.read", "params": ["$page.ids", ["first", "last", "birth_on", "status", "age"], CONTEXT]}},
    "ids": {"request": {"method": "POST", "path": "/rpc", "body": {"id": 1, "method": "model.patient.search", "params": [{}, "$page.offset", "$page.size", None, CONTEXT]}}, "path": "result", "size": 100, "chunk": 60},
    "kind": "json_rpc", "rows": {"path": "result"}, "remote_id": {"from": "field", "field": "external_id"}, "page": {"by": "none"}, "order": "id", "end": "count",
    "empty": {"when": {"json": [{"path": "result", "test": "equal", "to": []}]}},
    "fields": {
        "external_id": {"column": ["id"], "type": "text", "required": True, "unique": True},
        "last_name": {"column": ["last"], "type": "text", "required": True},
        "birth_on": {"column": ["birth_on"], "type": "day", "required": True, "formats": {"en": ["%Y-%m-%d"], "de": ["%Y-%m-%d"]}},
        "age": {"column": ["age"], "type": "text", "pattern": "\\d{1,3}y"},
    },
}  # fmt: skip


def of(call: dict[str, Any]) -> Definition:
    made = msgspec.structs.replace(definition(), calls={"patients": msgspec.convert(call, type=Call)}, writes={}, files={}, abilities={}, probe=(), canary=())
    assert publish.faults(made) == []
    return made


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    running = Portal(tmp_path_factory.mktemp("portal"))
    yield running
    running.kill()


@pytest.fixture
def browser(portal: Portal) -> httpx.Client:
    portal.order("PUT", "trouble", [])
    return portal.signed_in()


def test_rows_without_names_read_like_the_page(portal: Portal, browser: httpx.Client) -> None:
    pages: list[tuple[Outgoing, Answer]] = []
    grid = whole(read_live(browser, "patients", of=of(GRID), pages=pages))
    page = whole(read_live(browser, "patients"))
    names = ("external_id", "last_name", "birth_on", "status", "email")
    assert [tuple(row.values[name] for name in names) for row in grid.rows] == [tuple(row.values[name] for name in names) for row in page.rows]
    assert (grid.complete, len(pages)) == ("count", 4)
    assert "v=" not in grid.pages[0].signature


@pytest.mark.parametrize("value", ["reverse", "3", "8"])
def test_columns_in_another_order_are_the_same_rows(portal: Portal, browser: httpx.Client, value: str) -> None:
    quiet = whole(read_live(browser, "patients", of=of(GRID)))
    baseline = {"shape": quiet.shape, "coverage": quiet.coverage}
    portal.order("PUT", "trouble", [{"fault": "reorder_columns", "on": "/data/patients", "value": value, "times": 0}])
    reading = Reading(of(GRID), "patients", given={}, baseline=baseline)
    outgoing: Outgoing | None = reading.start()
    while outgoing is not None:
        outgoing = reading.take(answered(browser.get(outgoing.url)), at=AT)
    moved = whole(reading.finish())
    assert [row.values for row in moved.rows] == [row.values for row in quiet.rows]
    assert moved.verdict is Verdict.SAME
    assert moved.fingerprint != quiet.fingerprint


def test_a_count_that_is_one_more_than_declared_is_refused(portal: Portal, browser: httpx.Client) -> None:
    portal.order("PUT", "trouble", [{"fault": "wrong_total", "on": "/data/patients", "value": "1", "times": 0}])
    assert trouble(read_live(browser, "patients", of=of(GRID))).reason is Reason.INCOMPLETE


def token(portal: Portal, browser: httpx.Client) -> dict[str, str]:
    user = portal.ready["users"]["nick"]
    said = browser.post("/rpc", json={"id": 1, "method": "common.login", "params": ["nick", {"password": user["password"]}, "en"]}).json()
    carried = base64.b64encode(f"nick:{said['result'][0]}:{said['result'][1]}".encode()).decode()
    return {"Authorization": f"Session {carried}"}


def test_rows_by_id_on_one_address(portal: Portal, browser: httpx.Client) -> None:
    portal.order("PUT", "settings", {"zero_width": "1"})
    browser.headers.update(token(portal, browser))
    pages: list[tuple[Outgoing, Answer]] = []
    rpc = whole(read_live(browser, "patients", of=of(RPC), pages=pages))
    portal.order("PUT", "settings", {"zero_width": "0"})
    page = whole(read_live(portal.signed_in(), "patients"))
    assert [(row.remote_id, row.values["last_name"], row.values["birth_on"]) for row in rpc.rows] == [
        (row.remote_id, row.values["last_name"], row.values["birth_on"]) for row in page.rows
    ]
    assert len(pages) == 5, "two for the ids, three for the rows"
    signed = {signature.of(signature.line(one.method, one.url, one.body)) for one, _ in pages}
    assert len(signed) == 5, "one address, five calls"


def scripted(*bodies: Any) -> Any:
    reading = Reading(of(RPC), "patients", given={})
    outgoing: Any = reading.start()
    for body in bodies:
        assert outgoing is not None
        outgoing = reading.take(Answer(200, "http://portal.test/rpc", msgspec.json.encode(body)), at=AT)
    return reading.finish()


def one(number: int) -> dict[str, Any]:
    return {"id": number, "last": "Rivera", "birth_on": "1980-01-02", "age": "46y"}


def test_an_id_that_does_not_come_back_is_a_row_that_is_missing() -> None:
    assert len(whole(scripted({"result": [1, 2]}, {"result": [one(1), one(2)]})).rows) == 2
    for bodies in (
        ({"result": [1, 2]}, {"result": [one(1)]}),
        ({"result": [1, 2]}, {"result": [one(1), one(1)]}),
        ({"result": [1, 2]}, {"error": ["AccessError", "no"]}),
        ({"error": ["AccessError", "no"]},),
        ({"result": None},),
    ):
        assert isinstance(scripted(*bodies), Trouble)
    assert whole(scripted({"result": []})).complete == "empty_marker"
