"""Proof that a list was read to its end, and that an empty one is empty. Without it there are no rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rapport.connectors.portals.answer import Answer
from rapport.connectors.portals.definition import Call
from rapport.connectors.portals.predicates import holds, take
from rapport.rooms.exchange.ports import Finding, Reason, Trouble


@dataclass(frozen=True, slots=True)
class Facts:
    """What one page says of the list it belongs to."""

    rows: int
    count: int | None
    """How many rows the page says there are in all; None: it does not say."""
    phantom: int
    """How many of them are none, as far as this page shows."""
    goes_on: bool
    """It has a way to a next page."""
    marks_empty: bool
    marks_last: bool


def facts(call: Call, answer: Answer, *, rows: int, goes_on: bool, ids: int | None = None) -> Facts:
    """
    Read what a page says of its list.

    :param ids: how many rows there are, where their ids were asked for first
    """
    kind = expected_of(call)
    rule = call.count
    shows = rule is not None and (rule.phantom_when is None or holds(rule.phantom_when, answer))
    return Facts(
        rows=rows, count=_count(call, answer) if ids is None else ids, phantom=rule.phantom if rule is not None and shows else 0, goes_on=goes_on,
        marks_empty=call.empty.when is not None and holds(call.empty.when, answer, expected=kind),
        marks_last=call.last_page is not None and holds(call.last_page, answer, expected=kind),
    )  # fmt: skip


def expected_of(call: Call) -> str:
    """Return what an answer to a call must be: html, json or csv."""
    return {"html_table": "html", "html_items": "html", "csv": "csv"}.get(call.kind, "json")


def _count(call: Call, answer: Answer) -> int | None:
    if call.count is None:
        return None
    said = take(call.count.pick, answer)
    return int(said) if said is not None and said.isascii() and said.isdigit() else None


def moved(pages: Sequence[Facts]) -> bool:
    """Whether the list was changed while it was read: its pages do not say the same count."""
    return len({page.count for page in pages if page.count is not None}) > 1


def prove(call: Call, pages: Sequence[Facts], *, place: str, distinct: int) -> str | Trouble:
    """
    Return which proof holds: `count`, `last_page`, `empty_marker` or `whole_file`.

    :param distinct: rows with different ids, over all pages
    """
    total = sum(page.rows for page in pages)
    if not pages:
        return _none(place, "no page", "at least one")
    if total == 0:
        return _empty(call, pages, place)
    if any(page.marks_empty for page in pages) and call.end != "whole_file":
        return _none(place, "rows, and the words for an empty list", "one of them")
    if distinct != total:
        return _none(place, f"{total} rows, {distinct} different ones", "each row once")
    short = _short(call, pages)
    if short:
        return _none(place, f"{pages[short - 1].rows} rows on page {short}", f"{call.page.size} rows on each page but the last")
    match call.end:
        case "count":
            return _by_count(pages, place, total)
        case "last_page":
            return _by_last_page(pages, place)
        case "whole_file":
            if call.last_page is not None and not pages[-1].marks_last:
                return _none(place, "a page that ends before what stands behind the list", "the whole page")
            return "whole_file"


def _empty(call: Call, pages: Sequence[Facts], place: str) -> str | Trouble:
    last = pages[-1]
    if not last.marks_empty:
        return _none(place, "no rows, and no words that there are none", "the mark of an empty list")
    unsaid = call.count is not None and call.count.unless_empty and last.count is None
    if any(page.goes_on for page in pages) or (call.count is not None and last.count != last.phantom and not unsaid):
        return _none(place, "the mark of an empty list, and more of it", "a count of nothing")
    return "empty_marker"


def _by_count(pages: Sequence[Facts], place: str, total: int) -> str | Trouble:
    counts = {page.count for page in pages}
    if None in counts:
        return _none(place, "a page without a count", "a count on each page")
    if len(counts) > 1:
        return _none(place, "pages with different counts", "one count: the list was changed meanwhile")
    count = (counts.pop() or 0) - max(page.phantom for page in pages)
    seen = 0
    for number, page in enumerate(pages, 1):
        seen += page.rows
        if seen < count and not page.goes_on:
            return _none(place, f"no way on from page {number}, after {seen} of {count} rows", f"{count} rows")
        if page.goes_on and seen >= count:
            return _none(place, f"a way on from page {number}, after all {count} rows", "the end of the list")
    if total != count:
        return _none(place, f"{total} rows", f"{count} rows by its own count")
    return "count"


def _short(call: Call, pages: Sequence[Facts]) -> int:
    """Return the number of the first page that does not have as many rows as it must; 0: there is none."""
    size = call.page.size
    if not size or call.page.by not in ("number", "link"):
        return 0
    wrong = [number for number, page in enumerate(pages, 1) if page.rows > size or (number < len(pages) and page.rows != size)]
    return wrong[0] if wrong else 0


def _by_last_page(pages: Sequence[Facts], place: str) -> str | Trouble:
    if not pages[-1].marks_last:
        return _none(place, "an end without the mark of the last page", "the mark of the last page")
    if pages[-1].goes_on:
        return _none(place, f"the mark of the last page on page {len(pages)}, and a way on from it", "no way on from the last page")
    if any(page.marks_last or not page.goes_on for page in pages[:-1]):
        return _none(place, "the mark of the last page before the end", "it on the last page only")
    return "last_page"


def _none(place: str, seen: str, expected: str) -> Trouble:
    finding = Finding(place=place, seen=seen, expected=expected, note="completeness")
    return Trouble(Reason.INCOMPLETE, f"The portal's list could not be proven whole: {seen}.", findings=(finding,))
