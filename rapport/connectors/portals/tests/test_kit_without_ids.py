"""
The kit on portals of no known kind.

Bills by the number of their page, without a count and without ids, the sign-in beside the base (as a shared budget
has them), and tickets in rows with heads of their own, whose links go on behind the id (as an administrator's pages do).
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from rapport.connectors.portals import cassette, loader
from rapport.connectors.portals.answer import Answer
from rapport.connectors.portals.calibrate import calibrate
from rapport.connectors.portals.cassette import Exchange
from rapport.connectors.portals.kit import drafting, files, gate, recording, rerun
from rapport.connectors.portals.kit.outcome import Unusable
from rapport.connectors.portals.markup import find_all
from rapport.connectors.portals.redact import Redactor
from rapport.connectors.portals.terms import Element

PAGES, SIZE = 3, 100
HEADS = ("When?", "Who paid?", "How much?", "Actions")


def bill(number: int) -> str:
    cells = f"<td>2026-0{1 + number % 9}-{10 + number % 19}</td><td>Ada {number % 3}</td><td>{number}.40 ({number}.20 each)</td>"
    return f"<tr>{cells}<td><a href='/edit/{number}'>edit</a><form action='/drop/{number}'><button>x</button></form></td></tr>"


def listed(number: int, *, rows: int = SIZE) -> str:
    """One page of the bills; its pager stands above the table, and is there on the last page too."""
    last = number == PAGES
    pager = "".join(f"<li class='page-item '><a href='/?page={one}&q='>{one}</a></li>" for one in range(1, PAGES + 1))
    on = f"<li class='page-item {'disabled' if last else ''}'><a href='/?{'' if last else f'page={number + 1}'}&q='>Older bills</a></li>"
    body = "".join(bill(number * 1000 + one) for one in range(rows))
    head = "".join(f"<th>{one}</th>" for one in HEADS)
    return f"<ul>{pager}{on}</ul><table id=bills><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def shown(address: str, body: str, *, cookie: bool = True) -> Exchange:
    beside = "<table><tr><td>Ada 1</td><td>+3.20</td></tr></table><form action='/exit'><input type=submit value=Logout></form>"
    heads = {"content-type": "text/html; charset=utf-8"} | ({"set-cookie": "session=[cookie]"} if cookie else {})
    return Exchange(f"GET {address}", 200, heads, f"<!doctype html><html lang=en><body>{beside}{body}<div class=footer-left>Free software</div></body></html>".encode())


ENTRY = shown(
    "/authenticate", "<form method=post><label for=id>Project</label><input name=id id=id><input type=password name=code><button>Enter</button></form>"
)  # fmt: skip
BILLS = [shown(f"/?page={one}", listed(one, rows=SIZE if one < PAGES else 3)) for one in range(1, PAGES + 1)]
NONE = shown("/?page=1&search=zzzz", "<p class=filters>Hide filters</p><div class=none><h3>No bills</h3></div>")


def kept(folder: Path, exchanges: Sequence[Exchange], **more: Any) -> str:
    folder.mkdir(exist_ok=True)
    (folder / files.RECORDING).write_bytes(cassette.dump(exchanges))
    files.write_json(folder / "recording.json", {"volatile": [], "beside_the_base": ["/authenticate"]} | more)
    return str(folder)


def drafted(folder: Path, exchanges: Sequence[Exchange], **lists: str) -> dict[str, Any]:
    """Draft, answer what the draft asks about the empty list, and return the definition."""
    out = folder / "definition.json"
    told = drafting.draft(kept(folder, exchanges), name="bills", product="Bills", lists=lists, out=out)
    made: dict[str, Any] = json.loads(out.read_bytes())
    made["calls"]["bills"]["empty"] = {"when": {"has": {"tag": "h3", "text_any": {"en": ["No bills"]}}}}
    out.write_text(json.dumps(made))
    return made | {"told": told}


def test_a_draft_that_finds_no_list_says_what_it_saw_and_what_to_say_next(tmp_path: Path) -> None:
    recorded = kept(tmp_path, [ENTRY, *BILLS, NONE])
    with pytest.raises(Unusable) as refused:
        drafting.draft(recorded, name="bills", product="Bills", lists={}, out=tmp_path / "definition.json")
    assert "page /: There is a table (When?, Who paid?, How much?, Actions)" in str(refused.value)
    assert "--list NAME=/" in str(refused.value)
    with pytest.raises(Unusable, match="no page of it has a table with rows; it has /authenticate"):
        drafting.draft(kept(tmp_path, [ENTRY]), name="bills", product="Bills", lists={}, out=tmp_path / "definition.json")


def test_a_list_of_no_kind_of_the_contract_is_drafted_by_its_own_heads_and_numbers(tmp_path: Path) -> None:
    made = drafted(tmp_path, [ENTRY, *BILLS, NONE], bills="/")
    call = made["calls"]["bills"]
    assert {name: rule["type"] for name, rule in call["fields"].items()} == {"when": "day", "who_paid": "text", "how_much": "money", "id": "text"}
    assert (call["fields"]["how_much"]["amount"], call["remote_id"]) == ("first", {"from": "link", "field": "id"})
    assert call["page"] == {"by": "number", "parameter": "page", "size": SIZE}
    assert call["request"]["query"] == {"page": "$page.number"}
    assert made["login"]["start"] == "/", "the sign-in lies beside the base, and `/` leads there"
    # Which words say that there is nothing is for a person: a page with a filter has others of its own.
    assert made["told"].data["questions"]["calls.bills.empty"].endswith("'Hide filters', 'No bills'?")

    read = rerun.replay(str(tmp_path), str(tmp_path), rows=None, save=False, shapes=None)
    assert read.data["calls"]["bills"] | {"rows": SIZE * (PAGES - 1) + 3, "complete": "last_page", "unread": []} == read.data["calls"]["bills"]
    gym = rerun.run_gym(str(tmp_path), str(tmp_path))
    assert gym.data["silent"] == []
    assert gym.data["calls"]["bills"]["mutations"] >= 25


def merged(into: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    """Return one with what the other says of its members; of what is no list of members the other's counts."""
    deep = {name: merged(into[name], value) for name, value in more.items() if isinstance(value, dict) and isinstance(into.get(name), dict) and name != "last_page"}
    return into | more | deep


def test_the_example_of_the_guide_completes_such_a_draft(tmp_path: Path) -> None:
    guide = (loader.FOLDER.parent / "DEFINITIONS.md").read_text("utf-8")
    [example] = re.findall(r"```json\n(.*?)```", guide, re.DOTALL)
    made = drafted(tmp_path, [ENTRY, *BILLS, NONE], bills="/")
    made.pop("told")
    whole = merged(made, json.loads(example))
    (tmp_path / "definition.json").write_text(json.dumps(whole))
    assert loader.decode((tmp_path / "definition.json").read_bytes()).login is not None
    assert rerun.replay(str(tmp_path), str(tmp_path), rows=None, save=False, shapes=None).data["calls"]["bills"]["rows"] == SIZE * (PAGES - 1) + 3
    assert rerun.run_gym(str(tmp_path), str(tmp_path)).data["silent"] == []
    # A list of one page has no pager: by the example's mark it ends, by the draft's it could not be read.
    one = "<table id=bills><thead><tr>" + "".join(f"<th>{word}</th>" for word in HEADS) + f"</tr></thead><tbody>{bill(7)}{bill(8)}</tbody></table>"
    alone = kept(tmp_path / "alone", [ENTRY, shown("/?page=1", one)])
    assert rerun.replay(str(tmp_path), alone, rows=None, save=False, shapes=None).data["calls"]["bills"]["rows"] == 2


def test_the_gym_says_by_what_the_page_that_was_cut_short_would_be_seen(tmp_path: Path) -> None:
    """The control: the same list, of which nobody said how many rows a page has."""
    made = drafted(tmp_path, [ENTRY, *BILLS, NONE], bills="/")
    made.pop("told")
    made["calls"]["bills"]["page"].pop("size")
    (tmp_path / "definition.json").write_text(json.dumps(made))
    gym = rerun.run_gym(str(tmp_path), str(tmp_path))
    assert {one["mutation"] for one in gym.data["silent"]} == {"second page cut short"}
    assert "`page.size`" in "\n".join(gym.lines)


def test_pages_that_were_recorded_and_not_read_are_named(tmp_path: Path) -> None:
    """A definition that stops after the first page reads well; its recording has more of them."""
    made = drafted(tmp_path, [ENTRY, *BILLS, NONE], bills="/")
    made.pop("told")
    call = made["calls"]["bills"]
    call |= {"page": {"by": "none"}, "end": "whole_file", "request": {"path": "/", "query": {"page": "1"}}}
    call.pop("last_page")
    (tmp_path / "definition.json").write_text(json.dumps(made))
    read = rerun.replay(str(tmp_path), str(tmp_path), rows=None, save=False, shapes=None)
    assert read.data["calls"]["bills"]["unread"] == ["/?page=2", "/?page=3"]
    assert "Is the end of the list told rightly?" in "\n".join(read.lines)
    with pytest.raises(Unusable, match=r"bills asks for GET /\?page=1"):
        rerun.replay(str(tmp_path), kept(tmp_path / "other", [ENTRY]), rows=None, save=False, shapes=None)


def test_a_calibration_asks_nothing_of_what_stands_in_no_column_and_takes_the_mark_for_the_end(tmp_path: Path) -> None:
    made = drafted(tmp_path, [ENTRY, *BILLS, NONE], bills="/")
    made.pop("told")
    made["calls"]["bills"]["fields"]["kind"] = {"from": "constant", "constant": "bill", "type": "text", "required": True}
    made["calls"]["bills"]["fields"]["id"]["type"] = "integer"
    (tmp_path / "definition.json").write_text(json.dumps(made))
    definition = files.definition(str(tmp_path))
    pages = [Answer(200, f"http://portal.test/?page={number}", one.body, one.headers) for number, one in enumerate(BILLS, 1)]
    empty = Answer(200, "http://portal.test/?page=1", NONE.body, NONE.headers)
    proposal = calibrate(definition, {"bills": pages, "bills.empty": [empty]})
    assert proposal.questions == {}
    assert proposal.overlay["calibrated"] == ["bills"]
    # The control: pages of which the mark stands on none are asked about.
    assert set(calibrate(definition, {"bills": pages[:2], "bills.empty": [empty]}).questions) == {"calls.bills.last_page"}


def test_a_sign_in_that_lies_beside_the_base_is_recorded_and_named(tmp_path: Path) -> None:
    base = "https://portal.example.org/elm"
    page = {"content-type": "text/html"}
    took = [
        recording.seen("GET", "https://portal.example.org/authenticate?project=elm-house", "", "", 200, page, ENTRY.body, base_url=base),
        recording.seen("GET", f"{base}/?page=1", "", "", 200, page, BILLS[0].body, base_url=base),
    ]
    told = recording.record(
        [one for one in took if one is not None], tmp_path, base_url=base, secrets={}, marked=(), keep=(), plain=(), definition=None
    )  # fmt: skip
    assert files.read_json(tmp_path / "recording.json")["beside_the_base"] == ["/authenticate"]
    assert "/authenticate lies beside the base" in told.lines[-1]
    assert "elm-house" not in (tmp_path / files.RECORDING).read_text()


def test_a_class_is_the_same_with_a_space_more() -> None:
    tree = Answer(200, "http://portal.test/", b"<ul><li class='item '>Older</li><li class='item off'>Older</li></ul>").tree
    assert len(find_all(tree, Element(tag="li", attributes={"class": "item"}))) == 1
    assert len(find_all(tree, Element(tag="li", attributes={"class": "off  item"}))) == 0, "in another order it is not what was written"


def tickets(number: int, of: int) -> Exchange:
    """A page on which the first cell of a row is its head, and says what stands in it twice."""
    rows = "".join(
        f"<tr><td><input type=checkbox name=one value={id} aria-label='Choose Door {id} of Ada'></td><th><a href='/admin/ticket/{id}/change/?f={number}'>Door {id} of Ada</a></th>"
        f"<td>-</td><td>ada{id}@example.org</td></tr>"
        for id in range(number * 10, number * 10 + 9)
    )  # fmt: skip
    head = "<tr><th><input type=checkbox></th><th>Title</th><th>Owner</th><th>E-Mail</th></tr>"
    body = f"<p class=sum>{9 * of} tickets</p><table id=result_list><thead>{head}</thead><tbody>{rows}</tbody></table><table><tr><th>Door</th><td>open</td></tr></table>"
    return shown(f"/admin/ticket/?p={number}", body)


def test_an_id_in_the_middle_of_a_link_is_cut_out_and_no_head_of_a_row_is_required_of_others(tmp_path: Path) -> None:
    recorded = kept(tmp_path, [ENTRY, *(tickets(one, 3) for one in (1, 2, 3)), shown("/admin/ticket/?q=zzzz", "<p class=sum>0 tickets</p>")])
    drafting.draft(recorded, name="tickets", product="Tickets", lists={"tickets": "/admin/ticket/"}, out=tmp_path / "definition.json")
    made = json.loads((tmp_path / "definition.json").read_bytes())
    call = made["calls"]["tickets"]
    assert call["fields"]["id"]["cuts"] == [{"at": "?", "take": 0}, {"at": "/", "take": -3}]
    assert call["remote_id"] == {"from": "field", "field": "id"}
    assert call["fields"]["title"]["required"]
    assert not call["fields"]["owner"].get("required"), "a dash is nothing"
    call["empty"] = {"when": {"has": {"tag": "p", "has_class": "sum"}, "lacks": {"id": "result_list"}}}
    (tmp_path / "definition.json").write_text(json.dumps(made))
    rerun.replay(str(tmp_path), recorded, rows=tmp_path / "rows.json", save=True, shapes=None)
    assert sorted(files.read_json(tmp_path / "rows.json")["tickets"])[:3] == ["10", "11", "12"], "and nothing of the address behind it"


def test_what_heads_a_row_is_somebodys_and_what_heads_a_column_is_not() -> None:
    names = Redactor(b"0" * 32, secrets={}, keep=(), plain=(), dates=(), data_attributes=())
    tree = Answer(200, "http://portal.test/", tickets(1, 1).body, {"content-type": "text/html"}).tree
    names.page(tree)
    shown_now = tree.text_content() + "".join(one.get("aria-label", "") for one in tree.iter("input"))
    assert "Ada" not in shown_now
    # The control: heads of columns, and what the cell beside it is called, are the portal's words.
    assert {one.text for one in tree.iter("th") if one.text} == {"Title", "Owner", "E-Mail", "Door"}


def test_two_short_numbers_never_become_one() -> None:
    names = Redactor(b"1" * 32, secrets={}, keep=(), plain=(), dates=(), data_attributes=())
    for length in (1, 2):
        numbers = [str(one) for one in range(10 ** (length - 1), 10**length)]
        assert len({names.text(one) for one in numbers}) == len(numbers)


def test_each_of_two_cookies_is_known_by_its_name(tmp_path: Path) -> None:
    two = [{"name": "Set-Cookie", "value": f"{name}=abc; Path=/"} for name in ("csrftoken", "sessionid")]
    entry = {"request": {"method": "GET", "url": "https://portal.example.org/"}, "response": {"status": 200, "headers": [{"name": "Content-Type", "value": "text/html"}, *two], "content": {"text": ENTRY.body.decode()}}}
    seen = recording.of_har(json.dumps({"log": {"entries": [entry]}}).encode(), base_url="https://portal.example.org/")
    recording.record(seen, tmp_path, base_url="https://portal.example.org/", secrets={}, marked=(), keep=(), plain=(), definition=None)
    [one] = files.recording(str(tmp_path))
    assert one.headers["set-cookie"].splitlines() == ["csrftoken=[cookie]", "sessionid=[cookie]"]
    found = gate.gate([one], ["en"], lambda *_: None, {})
    assert found["session"]["carrier"]["cookies"] == ["csrftoken", "sessionid"]
