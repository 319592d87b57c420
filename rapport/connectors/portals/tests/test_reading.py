"""What proves a list whole or empty, and what becomes of a batch. The pages are small and made here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import pytest

from rapport.connectors.portals import canary
from rapport.connectors.portals.answer import Answer
from rapport.connectors.portals.decode.columns import Decoded
from rapport.connectors.portals.definition import Call, Definition
from rapport.connectors.portals.reading import Reading, Whole
from rapport.connectors.portals.tests.recorded import AT, definition, trouble, whole
from rapport.rooms.exchange.ports import Reason, Trouble, Verdict

CALL: dict[str, Any] = {
    "request": {"path": "/list"}, "kind": "html_table", "rows": {"table": {"id": "list"}}, "bind": {"attribute": "data-column"},
    "remote_id": {"from": "row", "attribute": "data-id"},
    "page": {"by": "link", "next": {"role": "link", "labels": {"en": ["Next"]}, "recorded": "label"}}, "order": "id", "end": "count",
    "count": {"pick": {"element": {"id": "count"}, "attribute": "data-total"}}, "empty": {"when": {"has": {"id": "empty"}}},
    "fields": {
        "born": {"column": ["born"], "labels": {"en": ["Born"]}, "type": "day", "formats": {"en": ["%m/%d/%Y"]}, "required": True},
        "status": {"column": ["status"], "labels": {"en": ["Status"]}, "type": "code", "texts": {"en": {"Open": "open", "Shut": "shut"}}, "required": True},
        "email": {"column": ["email"], "labels": {"en": ["Email"]}, "type": "email", "coverage": {"floor": 0.5, "tolerance": 0.1}},
        "one": {"column": ["one"], "labels": {"en": ["One"]}, "type": "text"},
        "other": {"column": ["other"], "labels": {"en": ["Other"]}, "type": "text"},
    },
}  # fmt: skip
HEADS = ("born", "status", "email", "one", "other")


def of(**changes: Any) -> Definition:
    call = msgspec.convert(CALL | changes, type=Call)
    return msgspec.structs.replace(definition(), calls={"list": call}, locales=("en",))


def row(number: int, **changes: str) -> dict[str, str]:
    return {
        "born": f"{1 + number % 12:02}/{1 + number % 28:02}/1980", "status": "Open", "email": f"p{number}@example.org", "one": f"a{number}",
        "other": f"b{number}",
    } | changes  # fmt: skip


def page(
    rows: Mapping[int, Mapping[str, str]], *, total: int | None, more: str = "", empty: bool = False, heads: Sequence[str] = HEADS,
    words: Mapping[str, str] | None = None, extra: str = "",
) -> str:  # fmt: skip
    head = "".join(f"<th data-column={one}>{(words or {}).get(one, one.capitalize())}</th>" for one in heads)
    body = "".join(f"<tr data-id={id}>" + "".join(f"<td>{cells[one]}</td>" for one in heads) + "</tr>" for id, cells in rows.items())
    count = "" if total is None else f"<p id=count data-total={total}>"
    link = f"<a href='{more}'>Next</a>" if more else ""
    return f"<html lang=en><body>{count}<table id=list><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{'<p id=empty>None</p>' if empty else ''}{link}{extra}</body></html>"


def read(*pages: str, given: Mapping[str, str] | None = None, by: Definition | None = None, **named: Any) -> Whole | Trouble:
    reading = Reading(by or of(), "list", given=given or {}, **named)
    outgoing: Any = reading.start()
    for text in pages:
        assert outgoing is not None, "nothing more was asked for"
        outgoing = reading.take(Answer(200, "http://portal.test/list", f"<!doctype html>{text}".encode()), at=AT)
    return reading.finish()


def rows(*ids: int, **changes: str) -> dict[int, dict[str, str]]:
    return {id: row(id, **changes) for id in ids}


MANY = rows(*range(1, 61))


def test_a_list_whose_count_is_reached_is_whole() -> None:
    got = whole(read(page(rows(1, 2), total=3, more="?page=2"), page(rows(3), total=3)))
    assert (got.complete, [one.remote_id for one in got.rows], got.verdict) == ("count", ["1", "2", "3"], Verdict.SAME)
    assert [one.rows for one in got.pages] == [2, 1]
    assert got.pages[1].signature == "GET /list?page=2"
    assert [one.page for one in got.rows] == [0, 0, 1]


@pytest.mark.parametrize(
    "pages",
    [
        [page(rows(1, 2), total=3)],
        [page(rows(1, 2), total=None)],
        [page(rows(1, 2), total=2, more="?page=2"), page({}, total=2)],
        [page(rows(1, 2), total=4, more="?page=2"), page(rows(2, 3), total=4)],
        [page(rows(1), total=3, more="?page=2"), page(rows(2), total=3, more="?page=2")],
        [page({}, total=0)],
        [page({}, total=2, empty=True)],
        [page({}, total=0, empty=True, more="?page=2"), page({}, total=0, empty=True)],
        [page(rows(1), total=1, empty=True)],
        [page(rows(1), total=2, more="?page=2", extra="<a href='?page=9'>Next</a>")],
    ],
    ids=["cut short", "no count", "a way on after the end", "a row twice", "a way on in a circle", "no words for nothing", "nothing of two", "empty and more", "empty with a row", "two ways on"],
)  # fmt: skip
def test_without_proof_there_are_no_rows(pages: list[str]) -> None:
    assert trouble(read(*pages)).reason is Reason.INCOMPLETE


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_a_list_that_breaks_off_says_nothing_of_its_page(share: float) -> None:
    text = page(rows(*range(1, 9)), total=8)
    found = trouble(read(text[: int(len(text) * share)]))
    assert found.reason is Reason.CUT_SHORT
    assert found.findings[0].seen == "an answer that breaks off"


@pytest.mark.parametrize("ends", ["</html>", ""])
def test_the_control_a_whole_page_that_lost_a_column_has_changed_and_need_not_say_where_it_ends(ends: str) -> None:
    text = page(rows(1, 2), total=2, heads=("born", "email", "one", "other")).replace("</body></html>", ends)
    assert trouble(read(text)).reason is Reason.DRIFT_BREAKING


def test_an_empty_list_that_says_so_is_empty() -> None:
    got = whole(read(page({}, total=0, empty=True)))
    assert (got.complete, got.rows) == ("empty_marker", ())


def test_a_list_that_changes_while_it_is_read_is_read_again() -> None:
    moving = [page(rows(1, 2), total=3, more="?page=2"), page(rows(2, 3), total=4)]
    still = [page(rows(1, 2), total=4, more="?page=2"), page(rows(3, 4), total=4)]
    assert len(whole(read(*moving, *still)).rows) == 4
    assert trouble(read(*moving * 4)).reason is Reason.INCOMPLETE


def test_a_list_that_says_no_count_when_it_is_empty_is_told_by_its_mark_alone() -> None:
    silent = of(count={"pick": CALL["count"]["pick"], "unless_empty": True})
    assert whole(read(page({}, total=None, empty=True), by=silent)).complete == "empty_marker"
    assert trouble(read(page({}, total=None), by=silent)).reason is Reason.INCOMPLETE
    assert trouble(read(page({}, total=2, empty=True), by=silent)).reason is Reason.INCOMPLETE
    # With rows the count is still what proves them.
    assert trouble(read(page({1: row(1)}, total=None), by=silent)).reason is Reason.INCOMPLETE
    # The control: a list that always has its count.
    assert trouble(read(page({}, total=None, empty=True))).reason is Reason.INCOMPLETE


def test_a_list_that_is_never_empty_was_not_read_when_it_is() -> None:
    never = of(empty={"never": True})
    assert whole(read(page({1: row(1)}, total=1), by=never)).complete == "count"
    assert trouble(read(page({}, total=0, empty=True), by=never)).reason is Reason.INCOMPLETE


def test_a_phantom_row_is_counted_where_it_is_declared() -> None:
    declared = of(count={"pick": CALL["count"]["pick"], "phantom": 1})
    assert len(whole(read(page(rows(1, 2), total=3), by=declared)).rows) == 2
    assert trouble(read(page(rows(1, 2), total=4), by=declared)).reason is Reason.INCOMPLETE
    assert trouble(read(page(rows(1, 2), total=2), by=declared)).reason is Reason.INCOMPLETE
    seen = of(count={"pick": CALL["count"]["pick"], "phantom": 1, "phantom_when": {"has": {"id": "new"}}})
    assert len(whole(read(page(rows(1, 2), total=2), by=seen)).rows) == 2
    last = page(rows(3), total=4, extra="<p id=new>")
    assert len(whole(read(page(rows(1, 2), total=4, more="?page=2"), last, by=seen)).rows) == 3


def test_the_last_page_is_proven_by_its_mark() -> None:
    by = of(end="last_page", last_page={"has": {"id": "end"}}, count=None)
    first = page(rows(1), total=None, more="?page=2")
    assert whole(read(first, page(rows(2), total=None, extra="<p id=end>"), by=by)).complete == "last_page"
    assert trouble(read(first, page(rows(2), total=None), by=by)).reason is Reason.INCOMPLETE


NUMBERED = of(
    request={"path": "/list", "query": {"page": "$page.number"}}, page={"by": "number", "parameter": "page"}, end="last_page",
    last_page={"lacks": {"id": "more"}}, count=None,
)  # fmt: skip
"""Pages by their numbers, and a mark of the last one that is only a thing not there."""


def test_a_page_that_links_to_the_next_number_is_not_the_last_whatever_its_mark_says() -> None:
    first = page(rows(1, 2), total=None, extra="<p id=more><a href='?page=2&q='>Older</a>")
    last = page(rows(3), total=None, extra="<a href='?page=1'>1</a><a href='/other?page=3'>Of another list</a>")
    assert len(whole(read(first, last, by=NUMBERED)).rows) == 3
    # The mark is gone from the first page, as when it was written down wrongly: its link says that there is more.
    misread = first.replace("id=more", "id=moar")
    got = trouble(read(misread, by=NUMBERED))
    assert (got.reason, "a way on" in got.detail) == (Reason.INCOMPLETE, True)
    # The control: without that link nothing tells, and half of the list counts as all of it.
    assert len(whole(read(misread.replace("page=2", "page=1"), by=NUMBERED)).rows) == 2


def test_a_page_in_the_middle_that_lost_rows_is_seen_by_its_size_where_there_is_no_count() -> None:
    sized = msgspec.structs.replace(NUMBERED, calls={"list": msgspec.convert(msgspec.to_builtins(NUMBERED.calls["list"]) | {"page": {"by": "number", "parameter": "page", "size": 2}}, type=Call)})
    more = "<p id=more>"
    good = [page(rows(1, 2), total=None, extra=more), page(rows(3, 4), total=None, extra=more), page(rows(5), total=None)]
    short = [good[0], page(rows(3), total=None, extra=more), good[2]]
    assert len(whole(read(*good, by=sized)).rows) == 5
    assert trouble(read(*short, by=sized)).reason is Reason.INCOMPLETE
    assert trouble(read(*good[:2], page(rows(5, 6, 7), total=None), by=sized)).reason is Reason.INCOMPLETE, "more than a page has"
    # The control: where no size is said, the row that is gone is missed by nobody.
    assert len(whole(read(*short, by=NUMBERED)).rows) == 4


def settled() -> Whole:
    return whole(read(page(MANY, total=60)))


def baseline() -> dict[str, Any]:
    before = settled()
    return {"shape": before.shape, "coverage": before.coverage}


def places(result: Whole | Trouble) -> set[str]:
    return {one.place for one in result.findings}


def test_what_is_harmless_is_published_and_named() -> None:
    order = whole(read(page(MANY, total=60, heads=HEADS[::-1]), baseline=baseline()))
    assert order.verdict is Verdict.SAME
    assert order.fingerprint != settled().fingerprint
    assert [one.values for one in order.rows] == [one.values for one in settled().rows]
    added = whole(read(page({id: cells | {"new": "x"} for id, cells in MANY.items()}, total=60, heads=("new", *HEADS)), baseline=baseline()))
    assert added.verdict is Verdict.ADDITIVE
    renamed = whole(read(page(MANY, total=60, words={"born": "Date of birth"}), baseline=baseline()))
    assert (renamed.verdict, places(renamed)) == (Verdict.HEALED, {"list.born"})
    assert [one.values for one in renamed.rows] == [one.values for one in settled().rows]


def test_a_required_column_that_is_lost_is_breaking_and_another_is_held_back() -> None:
    lost = trouble(read(page(MANY, total=60, heads=("born", "email", "one", "other"))))
    assert (lost.reason, places(lost)) == (Reason.DRIFT_BREAKING, {"list.status"})
    other = trouble(read(page(MANY, total=60, heads=("born", "status", "one", "other")), baseline=baseline()))
    assert (other.reason, places(other)) == (Reason.DRIFT_SUSPECT, {"list.email"})


def test_a_column_that_was_never_there_is_not_a_null() -> None:
    got = whole(read(page(MANY, total=60, heads=("born", "status", "email", "other"))))
    assert all("one" not in one.values and one.absent["one"] == "not_present" for one in got.rows)


def test_one_unknown_code_is_one_unreadable_row_and_many_are_held_back() -> None:
    few = whole(read(page(rows(*range(1, 101)) | {7: row(7, status="Paused")}, total=100)))
    assert few.rows[6].absent == {"status": "unreadable"}
    assert "status" not in few.rows[6].values
    assert few.verdict is Verdict.ADDITIVE
    third = {id: row(id, status="Paused" if id % 3 == 0 else "Open") for id in range(1, 61)}
    assert trouble(read(page(third, total=60))).reason is Reason.DRIFT_SUSPECT


def test_heads_that_were_swapped_over_other_contents_are_held_back() -> None:
    swapped = {id: cells | {"born": cells["email"], "email": cells["born"]} for id, cells in MANY.items()}
    assert places(trouble(read(page(swapped, total=60)))) >= {"list.born", "list.email"}


def test_day_and_month_the_other_way_round() -> None:
    other = {id: row(id, born=f"{1 + id % 28:02}/{1 + id % 12:02}/1980") for id in MANY}
    assert trouble(read(page(other, total=60))).reason is Reason.DRIFT_SUSPECT
    early = {id: row(id, born=f"{1 + id % 12:02}/{1 + id % 11:02}/1980") for id in MANY}
    assert isinstance(read(page(early, total=60)), Whole), "the control: nothing tells, where no day is known"
    assert trouble(read(page(early, total=60), baseline=baseline())).reason is Reason.DRIFT_SUSPECT


def test_days_that_could_be_read_in_two_ways_are_not() -> None:
    both = of(fields=CALL["fields"] | {"born": CALL["fields"]["born"] | {"formats": {"en": ["%m/%d/%Y", "%d/%m/%Y"]}}})
    unclear = rows(1, 2, 3, born="03/04/1980")
    assert trouble(read(page(unclear, total=3), by=both)).reason is Reason.DRIFT_SUSPECT
    plain = unclear | {4: row(4, born="31/12/1980")}
    assert whole(read(page(plain, total=4), by=both)).rows[0].values["born"] == "1980-04-03"


def test_rows_outside_of_what_was_asked_for() -> None:
    by = of(within={"field": "born", "from_given": "from_on", "to_given": "to_on"})
    assert isinstance(read(page(MANY, total=60), by=by, given={"from_on": "1980-01-01", "to_on": "1980-12-31"}), Whole)
    assert trouble(read(page(MANY, total=60), by=by, given={"from_on": "1980-02-01", "to_on": "1980-02-29"})).reason is Reason.DRIFT_SUSPECT


def test_coverage_alarms_beyond_its_tolerance_and_with_enough_rows_only() -> None:
    def sparse(share: float, of_rows: int) -> str:
        return page({id: row(id, **({} if id <= share * of_rows else {"email": ""})) for id in range(1, of_rows + 1)}, total=of_rows)

    assert isinstance(read(sparse(0.42, 50)), Whole)
    assert trouble(read(sparse(0.38, 50))).reason is Reason.DRIFT_SUSPECT
    assert isinstance(read(sparse(0.0, 10)), Whole)
    assert isinstance(read(sparse(0.95, 60), baseline=baseline()), Whole)
    assert trouble(read(sparse(0.8, 60), baseline=baseline())).reason is Reason.DRIFT_SUSPECT


def test_what_must_be_there_once_is_not_there_twice() -> None:
    by = of(fields=CALL["fields"] | {"one": CALL["fields"]["one"] | {"unique": True}})
    assert trouble(read(page(rows(1, 2, one="same"), total=2), by=by)).reason is Reason.DRIFT_SUSPECT


def test_a_known_record_catches_what_no_format_can() -> None:
    many = {id: cells | {"one": f"Zebulon {id}"} for id, cells in MANY.items()}
    swapped = {id: cells | {"one": cells["other"], "other": cells["one"]} for id, cells in many.items()}
    assert isinstance(read(page(swapped, total=60)), Whole), "the control: like columns look alike"
    seventh = whole(read(page(many, total=60))).rows[6]
    known = canary.remember(Decoded(seventh.remote_id, dict(seventh.values), {}, 0), fields=["one", "born"], salt="s")
    assert isinstance(read(page(many, total=60), calibration={"canary": {"list": known}}), Whole)
    caught = trouble(read(page(swapped, total=60), calibration={"canary": {"list": known}}))
    assert (caught.reason, places(caught)) == (Reason.DRIFT_SUSPECT, {"list.one"})
    assert "Zebulon" not in str(known) + str(caught)
    gone = trouble(read(page(rows(1, 2), total=2), calibration={"canary": {"list": known}}))
    assert gone.reason is Reason.DRIFT_SUSPECT


def test_something_new_inside_a_cell_of_text() -> None:
    badge = {id: row(id, one=f"<span>NEW</span> a{id}" if id > 40 else f"a{id}") for id in MANY}
    plain = {id: row(id, one=f"<b>a{id}</b>") for id in MANY}
    before = whole(read(page(plain, total=60)))
    known = {"shape": before.shape, "coverage": before.coverage}
    assert isinstance(read(page(plain, total=60), baseline=known), Whole)
    mixed = {id: cells if id > 40 else plain[id] for id, cells in badge.items()}
    assert trouble(read(page(mixed, total=60), baseline=known)).reason is Reason.DRIFT_SUSPECT


def test_no_finding_and_no_shape_has_a_value_in_it() -> None:
    secret = rows(*range(1, 41), one="Zebulon") | {41: row(41, born="soon", status="Zebulon", email="Zebulon")}
    result = read(page(secret, total=41), baseline=baseline())
    assert "Zebulon" not in str(result.findings) + str(getattr(result, "shape", "")) + str(getattr(result, "detail", ""))
