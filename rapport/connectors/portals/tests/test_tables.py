from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from rapport.connectors.portals.answer import Answer
from rapport.connectors.portals.decode.columns import Decoding
from rapport.connectors.portals.decode.items import extract_items
from rapport.connectors.portals.decode.raw import Extract
from rapport.connectors.portals.decode.records import extract_csv, extract_json
from rapport.connectors.portals.decode.table import extract
from rapport.connectors.portals.definition import Call
from rapport.rooms.exchange.ports import Verdict

BASE: dict[str, Any] = {
    "request": {"path": "/"}, "kind": "html_table", "remote_id": {"from": "row", "attribute": "data-id"}, "page": {"by": "none"},
    "order": "id", "end": "whole_file", "empty": {"when": {"has": {"id": "empty"}}},
    "fields": {
        "name": {"labels": {"en": ["Name", "Client"], "de": ["Patient"]}, "type": "text", "required": True},
        "paid": {"labels": {"en": ["Paid"], "de": ["Bezahlt"]}, "type": "money", "amount": "first", "badges": [{"has_class": "badge"}]},
        "status": {"labels": {"en": ["Status"]}, "type": "code", "from": "attribute", "attribute": "data-code", "codes": {"1": "open"}},
        "chart": {"labels": {"en": ["Chart"]}, "type": "text"},
        "patient": {"labels": {"en": ["Name", "Client"]}, "type": "text", "from": "link"},
    },
}  # fmt: skip


def call(**changes: Any) -> Call:
    return msgspec.convert(BASE | changes, type=Call)


def page(html: str) -> Answer:
    return Answer(200, "http://portal.test/", f"<!doctype html><html lang=en><body>{html}</body></html>".encode())


def table(head: str, *rows: str) -> str:
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def rows_of(of: Call, found: Extract) -> list[dict[str, Any]]:
    decoding = Decoding(of)
    decoding.take(found)
    return [one.values | {f"!{name}": kind for name, kind in one.absent.items()} for one in decoding.finish()[0]]


def read(of: Call, html: str) -> tuple[Extract, list[dict[str, Any]]]:
    found = extract(of, page(html), place="list", locales=("en", "de"))
    return found, rows_of(of, found)


HEAD = "<th>Name</th><th>Paid</th><th>Status</th><th hidden>Chart</th>"
ROW = (
    "<tr data-id=7><td><a href='/patients/41'>Rivera, Ana</a></td><td>$0.00 <span class=badge>UNDERPAID $0.00 / $40.00</span></td>"
    "<td data-code=1>Offen</td><td hidden>MRN-7</td></tr>"
)


def test_badges_links_codes_and_hidden_columns() -> None:
    found, rows = read(call(), table(HEAD, ROW))
    assert rows == [{"name": "Rivera, Ana", "paid": 0, "status": "open", "chart": "MRN-7", "patient": "41"}]
    assert found.rows[0].remote_id == "7"
    assert found.columns[3].hidden


def test_columns_are_told_by_their_header_wherever_they_stand() -> None:
    head = "<th>Status</th><th>Paid</th><th>Client</th>"
    _, rows = read(call(), table(head, "<tr data-id=7><td data-code=1>x</td><td>$4.00</td><td>Rivera, Ana</td></tr>"))
    assert rows == [{"name": "Rivera, Ana", "paid": 400, "status": "open", "!patient": "unreadable", "!chart": "not_present"}]


def test_a_cell_that_spans_two_columns_moves_nothing() -> None:
    head = "<th colspan=2>Client</th><th>Paid</th>"
    _, rows = read(call(), table(head, "<tr data-id=7><td>Ana</td><td>J</td><td>$4.00</td></tr>"))
    assert rows == []  # two columns with one name: nobody can tell which is meant
    _, rows = read(call(), table("<th>Client</th><th>x</th><th>Paid</th>", "<tr data-id=7><td colspan=2>Ana</td><td>$4.00</td></tr>"))
    assert rows[0]["paid"] == 400


@pytest.mark.parametrize(
    "html",
    [
        "", "<p>nothing</p>", table("<th>Paid</th>", "<tr><td>$4.00</td></tr>"), table(HEAD, ROW) + table(HEAD, ROW),
        table("<th>Name</th><th>Client</th>", "<tr><td>a</td><td>b</td></tr>"),
    ],
)  # fmt: skip
def test_no_table_or_two_that_fit_is_breaking(html: str) -> None:
    found, rows = read(call(), html)
    assert rows == []
    assert Verdict.BREAKING in {one.verdict for one in found.noted}


def test_a_row_of_another_width_is_noted_and_one_that_spans_all_is_none() -> None:
    found, rows = read(call(), table(HEAD, ROW, "<tr><td>a</td><td>b</td></tr>", "<tr><td colspan=4>Total</td></tr>"))
    assert len(rows) == 1
    assert [one.verdict for one in found.noted] == [Verdict.SUSPECT]


def test_a_table_inside_a_cell_keeps_its_rows() -> None:
    inner = "<table><tr><td>x</td><td>y</td></tr></table>"
    found, rows = read(call(), table(HEAD, ROW.replace("MRN-7", inner)))
    assert len(rows) == 1
    assert not found.noted


def test_rows_that_are_hidden_are_no_rows() -> None:
    _, rows = read(call(), table(HEAD, ROW, ROW.replace("<tr", "<tr hidden").replace("=7", "=8")))
    assert len(rows) == 1


MARKED = call(bind={"attribute": "data-column"}, fields=BASE["fields"] | {"name": BASE["fields"]["name"] | {"column": ["name"]}})


@pytest.mark.parametrize(
    ("head", "verdict"),
    [
        ("<th data-column=name>Name</th>", None),
        ("<th data-column=name>Person</th>", Verdict.HEALED),
        ("<th data-column=who>Name</th>", Verdict.HEALED),
        ("<th data-column=name>Person</th><th data-column=other>Name</th>", Verdict.SUSPECT),
        ("<th data-column=who>Person</th>", Verdict.BREAKING),
    ],
)  # fmt: skip
def test_the_portals_own_name_and_its_words_vouch_for_each_other(head: str, verdict: Verdict | None) -> None:
    found, _ = read(MARKED, f"<table id=t><thead><tr>{head}</tr></thead></table>")
    if not found.found:
        found, _ = read(msgspec.structs.replace(MARKED, rows=msgspec.convert({"table": {"id": "t"}}, type=type(MARKED.rows))), f"<table id=t><thead><tr>{head}</tr></thead></table>")
    assert {one.verdict for one in found.noted if one.finding.place == "list.name"} == ({verdict} if verdict else set())


def test_words_where_a_record_is_closed_or_not_for_this_user() -> None:
    field = BASE["fields"]["chart"] | {"withheld": {"en": ["Locked"]}, "not_permitted": {"en": ["No access"]}}
    of = call(fields=BASE["fields"] | {"chart": field})
    _, rows = read(of, table(HEAD, ROW.replace("MRN-7", "Locked"), ROW.replace("MRN-7", "No access").replace("=7", "=8")))
    assert [row.get("!chart") for row in rows] == ["withheld_locked", "not_permitted"]


GRID = call(
    kind="json", rows={"path": "rows"}, bind={"metadata": {"path": "/columns"}, "names": "columns[].name", "index": "columns[].at"},
    remote_id={"from": "field", "field": "id"},
    fields={"id": {"column": ["id"], "type": "text", "required": True}, "status": {"column": ["state_hidden"], "type": "code", "codes": {"01": "active"}, "required": True}, "email": {"column": ["email"], "type": "email"}},
)  # fmt: skip


def grid(names: list[str], rows: Any) -> Extract:
    metadata = Answer(200, "http://portal.test/", json.dumps({"columns": [{"name": one, "at": at} for at, one in enumerate(names)]}).encode())
    answer = Answer(200, "http://portal.test/", json.dumps({"rows": rows}).encode())
    return extract_json(GRID, answer, place="list", locales=("en",), metadata=metadata)


def test_rows_without_names_are_bound_by_the_metadata_in_any_order() -> None:
    one = grid(["id", "state_hidden", "email"], [["204", "01", "a@example.org"]])
    other = grid(["email", "x", "state_hidden", "id"], [["a@example.org", 1, "01", "204"]])
    assert rows_of(GRID, one) == rows_of(GRID, other) == [{"id": "204", "status": "active", "email": "a@example.org"}]


@pytest.mark.parametrize("names", [["id", "email"], [], ["id", "id", "state_hidden"]])
def test_metadata_that_does_not_name_what_is_needed_is_breaking(names: list[str]) -> None:
    found = grid(names, [["204", "01", "a@example.org"]])
    assert Verdict.BREAKING in {one.verdict for one in found.noted}


def test_a_row_that_is_too_short_is_not_read() -> None:
    found = grid(["id", "email", "state_hidden"], [["204", "a@example.org"]])
    assert found.rows == []
    assert [one.verdict for one in found.noted] == [Verdict.SUSPECT]


RPC = call(
    kind="json_rpc", rows={"path": "result"}, remote_id={"from": "field", "field": "id"},
    fields={"id": {"column": ["id"], "type": "text", "required": True}, "clinician": {"column": ["clinician.rec_name"], "type": "text"}, "age": {"column": ["age"], "type": "text"}},
)  # fmt: skip


def test_rpc_rows_are_bound_by_key_also_inside() -> None:
    body = {"id": 3, "result": [{"id": 7, "clinician.": None, "clinician": {"rec_name": "Maya"}, "age": "36\u200by"}, {"id": 8, "clinician": {"rec_name": "Owen"}}]}
    found = extract_json(RPC, Answer(200, "", json.dumps(body).encode()), place="list", locales=("en",), metadata=None)
    assert rows_of(RPC, found) == [{"id": "7", "clinician": "Maya", "age": "36y"}, {"id": "8", "clinician": "Owen", "!age": "not_loaded"}]


def test_an_rpc_error_is_no_empty_list() -> None:
    for body in ({"id": 3, "error": ["AccessError", "no"]}, {"id": 3, "result": None}, []):
        found = extract_json(RPC, Answer(200, "", json.dumps(body).encode()), place="list", locales=("en",), metadata=None)
        assert not found.found


ITEMS = call(
    kind="html_items", rows={"table": {"id": "addenda"}, "row": {"tag": "li"}},
    fields={"body": {"element": {"has_class": "text"}, "type": "text", "required": True}},
)  # fmt: skip


def test_items_of_a_page() -> None:
    html = "<ol id=addenda><li data-id=1><b class=text>one</b></li><li data-id=2><b class=text>two</b></li></ol>"
    found = extract_items(ITEMS, page(html), place="list", locales=("en",))
    assert [(one.remote_id, one.cells["body"].value) for one in found.rows] == [("1", "one"), ("2", "two")]
    assert not extract_items(ITEMS, page("<ol></ol>"), place="list", locales=("en",)).found
    lost = extract_items(ITEMS, page(html.replace("class=text", "")), place="list", locales=("en",))
    assert {one.verdict for one in lost.noted} == {Verdict.BREAKING}


EXPORT = call(
    kind="csv", remote_id={"from": "field", "field": "id"},
    fields={
        "id": {"labels": {"en": ["ID"], "de": ["Nummer"]}, "type": "text", "required": True},
        "name": {"labels": {"en": ["Name"], "de": ["Name"]}, "type": "text", "required": True},
        "on": {"labels": {"en": ["Date"], "de": ["Datum"]}, "type": "day", "formats": {"en": ["%m/%d/%Y"], "de": ["%d.%m.%Y"]}},
    },
)  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [
        b'ID,Name,Date\n7,"Rivera, Ana",11/24/2026\n',
        '\ufeffDatum,Nummer,Name\n24.11.2026,7,"Rivera, Ana"\n'.encode(),
        'Name,ID,Date\n"Rivera, Ana",7,11/24/2026'.encode("utf-16"),
    ],
)  # fmt: skip
def test_an_export_is_bound_by_its_header_in_either_language(body: bytes) -> None:
    found = extract_csv(EXPORT, Answer(200, "", body), place="list", locales=("en", "de"))
    assert rows_of(EXPORT, found) == [{"id": "7", "name": "Rivera, Ana", "on": "2026-11-24"}]
    assert not found.noted


@pytest.mark.parametrize("body", [b"", b"\n\n", b'ID,Name,Date\n7,"Rivera, Ana', b"<html></html>"])
def test_an_export_cut_short_is_not_read(body: bytes) -> None:
    found = extract_csv(EXPORT, Answer(200, "", body), place="list", locales=("en", "de"))
    assert Verdict.BREAKING in {one.verdict for one in found.noted}
