"""What happens to portals: changes to recorded pages, each of which leaves the truth as it was."""

from __future__ import annotations

import re
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace

from lxml.html import HtmlElement, fragment_fromstring, tostring

from rapport.connectors.portals import markup
from rapport.connectors.portals.answer import Answer
from rapport.connectors.portals.cassette import Exchange
from rapport.connectors.portals.lexicon import leads_on

Change = Callable[[HtmlElement, int], None]
"""Changes a page in place; the number counts the pages of the list from 0."""


@dataclass(frozen=True, slots=True)
class Mutation:
    """One change, with its name."""

    name: str
    apply: Callable[[list[Exchange]], list[Exchange]]


def _pages(name: str, change: Change) -> Mutation:
    def apply(exchanges: list[Exchange]) -> list[Exchange]:
        made = []
        for number, one in enumerate(exchanges):
            tree = Answer(one.status, "http://portal.test/", one.body, one.headers).tree
            change(tree, number)
            made.append(replace(one, body=tostring(tree, encoding="utf-8", doctype="<!doctype html>")))
        return made

    return Mutation(name, apply)


def _bodies(name: str, change: Callable[[Exchange, int], Exchange]) -> Mutation:
    return Mutation(name, lambda exchanges: [change(one, number) for number, one in enumerate(exchanges)])


def _table(tree: HtmlElement) -> tuple[HtmlElement, HtmlElement, list[HtmlElement]]:
    """The table with the most rows of its own, its head, and the rows that have as many cells."""
    table = max(tree.iter("table"), key=lambda one: len(_own(one)))
    head, *rest = _own(table)
    return table, head, [row for row in rest if len(row) == len(head)]


def _own(table: HtmlElement) -> list[HtmlElement]:
    return [row for row in table.iter("tr") if next(row.iterancestors("table")) is table]


def _reorder(order: Callable[[list[HtmlElement]], list[HtmlElement]], *, head: bool = True, body: bool = True) -> Change:
    def change(tree: HtmlElement, number: int) -> None:
        _, first, rows = _table(tree)
        for row in ([first] if head else []) + (rows if body else []):
            row[:] = order(list(row))

    return change


def _swap(one: int, other: int) -> Callable[[list[HtmlElement]], list[HtmlElement]]:
    def order(cells: list[HtmlElement]) -> list[HtmlElement]:
        if len(cells) > max(one, other):
            cells[one], cells[other] = cells[other], cells[one]
        return cells

    return order


def _rows(change: Callable[[HtmlElement, list[HtmlElement], int], None]) -> Change:
    def apply(tree: HtmlElement, number: int) -> None:
        _, _, rows = _table(tree)
        if rows:
            change(rows[0].getparent(), rows, number)

    return apply


def _texts(pattern: str, by: str | Callable[[re.Match[str]], str]) -> Change:
    """Rewrite the text of every cell."""

    def change(tree: HtmlElement, number: int) -> None:
        for row in _table(tree)[2]:
            for one in row.iter():
                if one.text:
                    one.text = re.sub(pattern, by, one.text)

    return change


def _rename(attribute: bool, places: Callable[[int], bool] = lambda _: True, words: str = "Col {} (2027)") -> Change:
    def change(tree: HtmlElement, number: int) -> None:
        for place, cell in enumerate(_table(tree)[1]):
            if places(place):
                cell.text = words.format(place)
                if attribute and cell.get("data-column"):
                    cell.set("data-column", f"c{place}")

    return change


def _add(cell: str, head: str, *, first: bool) -> Change:
    def change(tree: HtmlElement, number: int) -> None:
        _, top, rows = _table(tree)
        for row, text in [(top, head), *((row, cell) for row in rows)]:
            row.insert(0 if first else len(row), fragment_fromstring(text))

    return change


def _drop_rows(of: list[HtmlElement], keep: Callable[[int], bool]) -> None:
    for place, row in enumerate(of):
        if not keep(place):
            row.drop_tree()


def _next_links(tree: HtmlElement) -> list[HtmlElement]:
    return [link for link in tree.iter("a") if link.get("rel") == "next" or leads_on(markup.text_of(link))]


def _no_next(tree: HtmlElement, number: int) -> None:
    if number == 1:
        for link in _next_links(tree):
            link.drop_tree()


def _second_next(tree: HtmlElement, number: int) -> None:
    for link in _next_links(tree):
        other = deepcopy(link)
        other.set("href", "?page=99")
        link.addprevious(other)


def _next_back(tree: HtmlElement, number: int) -> None:
    for link in _next_links(tree) if number else ():
        link.set("href", "?page=1")


def _next_renamed(tree: HtmlElement, number: int) -> None:
    for link in _next_links(tree):
        link.text = "Older"


def _double(body: HtmlElement, rows: list[HtmlElement], number: int) -> None:
    for row in rows:
        row.addnext(deepcopy(row))


_OF = re.compile(r"(\b\d+ (?:out )?of )(\d+)\b")
"""How pages say a count in words: 1 to 50 of 122."""


def _totals(by: Callable[[int], str | None]) -> Change:
    def change(tree: HtmlElement, number: int) -> None:
        for one in tree.iter():
            if isinstance(one.tag, str) and one.get("data-total"):
                made = by(int(one.get("data-total", "0")))
                if made is None:
                    one.drop_tree()
                else:
                    one.set("data-total", made)
            elif isinstance(one.tag, str) and one.text and _OF.search(one.text):
                one.text = _OF.sub(lambda found: found[1] + (by(int(found[2])) or ""), one.text)

    return change


def _codes(every: int) -> Change:
    """A status that nobody knows, in every so-manieth row that has one."""

    def change(tree: HtmlElement, number: int) -> None:
        for place, row in enumerate(_table(tree)[2]):
            for cell in list(row.iter("td"))[::-1]:
                if re.fullmatch(r"\d\d", cell.get("data-code", "")) and (place + 25 * number) % every == 1:
                    cell.set("data-code", "97")
                    cell.text = "Paused"
                    break

    return change


def _blank(*columns: str) -> Change:
    def change(tree: HtmlElement, number: int) -> None:
        _, head, rows = _table(tree)
        for place, cell in enumerate(head):
            if cell.get("data-column") in columns:
                for row in rows:
                    if len(row) > place:
                        del row[place][:]
                        row[place].text = ""

    return change


def _badge(tree: HtmlElement, number: int) -> None:
    """A badge before the text of every linked cell but the first row's."""
    for row in _table(tree)[2][1:]:
        for link in row.iter("a"):
            link.addprevious(fragment_fromstring("<span class='tag'>NEW</span>"))


def _look_alike(tree: HtmlElement, number: int) -> None:
    """A short table with the same header above the list: what was looked at lately."""
    table, _, _ = _table(tree)
    other = deepcopy(table)
    other.set("id", "recent")
    for row in list(other.iter("tr"))[4:]:
        row.drop_tree()
    table.addprevious(other)


def _no_ids(tree: HtmlElement, number: int) -> None:
    for row in _table(tree)[2]:
        row.attrib.pop("data-id", None)


def _empty_body(mark: bool) -> Change:
    def change(tree: HtmlElement, number: int) -> None:
        table, head, _ = _table(tree)
        _drop_rows([row for row in _own(table) if row is not head], lambda _: False)
        if mark:
            table.addnext(fragment_fromstring("<p id='empty'>There is nothing to show.</p>"))

    return change


def _one_cell_less(tree: HtmlElement, number: int) -> None:
    for row in _table(tree)[2]:
        if len(row) > 2:
            row.remove(row[2])


def _days_swapped(found: re.Match[str]) -> str:
    return f"{found[2]}/{found[1]}/{found[3]}"


def _answer(status: int, body: str, type: str = "text/html") -> Callable[[Exchange, int], Exchange]:
    return lambda one, number: replace(one, status=status, body=body.encode(), headers={"content-type": type})


def _same_page(exchanges: list[Exchange]) -> list[Exchange]:
    """Every page has the rows of the first, but its own way on."""
    if len(exchanges) < 2:
        return exchanges
    first = Answer(200, "http://portal.test/", exchanges[0].body, exchanges[0].headers).tree
    made = [exchanges[0]]
    for one in exchanges[1:]:
        tree = Answer(200, "http://portal.test/", one.body, one.headers).tree
        mine, theirs = _table(tree), _table(deepcopy(first))
        mine[0].getparent().replace(mine[0], theirs[0])
        made.append(replace(one, body=tostring(tree, encoding="utf-8", doctype="<!doctype html>")))
    return made


_SIGN_IN = "<!doctype html><html lang=en><body><form action=/login><label>Password <input type=password autocomplete=current-password></label><button>Sign in</button></form></body></html>"

MUTATIONS: tuple[Mutation, ...] = (
    _pages("headers renamed, names kept", _rename(False)),
    _pages("one header and its name renamed", _rename(True, lambda place: place == 2)),
    _pages("all headers and names renamed", _rename(True)),
    _pages("columns turned round", _reorder(lambda cells: cells[::-1])),
    _pages("two columns exchanged", _reorder(_swap(1, 3))),
    _pages("heads exchanged, cells not", _reorder(_swap(1, 3), body=False)),
    _pages("heads of like columns exchanged", _reorder(_swap(0, 1), body=False)),
    _pages("cells exchanged, heads not", _reorder(_swap(2, 4), head=False)),
    _pages("first column dropped", _reorder(lambda cells: cells[1:])),
    _pages("third column dropped", _reorder(lambda cells: cells[:2] + cells[3:])),
    _pages("one head dropped, cells not", _reorder(lambda cells: cells[:2] + cells[3:], body=False)),
    _pages("one cell dropped in each row", _one_cell_less),
    _pages("column added in front", _add("<td>none</td>", "<th data-column='referral'>Referral</th>", first=True)),
    _pages("hidden column added", _add("<td hidden>7</td>", "<th hidden>Key</th>", first=True)),
    _pages("cells of a column added, no head", _add("<td>1</td>", "<!-- none -->", first=True)),
    _pages("headers in another language", _rename(False, words="Spalte {}")),
    _pages("texts in another language, codes kept", _texts(r"^(Active|Scheduled|Completed|Signed|Draft)$", lambda found: f"~{found[1]}")),
    _pages("day and month exchanged", _texts(r"\b(\d\d)/(\d\d)/(\d{4})", _days_swapped)),
    _pages("years with two figures", _texts(r"\b(\d\d)/(\d\d)/\d\d(\d\d)", r"\1/\2/\3")),
    _pages("a code nobody knows in one row", _codes(10_000)),
    _pages("a code nobody knows in a third", _codes(3)),
    _pages("second page cut short", _rows(lambda _, rows, number: _drop_rows(rows, lambda place: number != 1 or place < len(rows) - 5))),
    _pages("second page without rows", _rows(lambda _, rows, number: _drop_rows(rows, lambda place: number != 1))),
    Mutation("every page shows the first", _same_page),
    _pages("each row twice", _rows(_double)),
    _pages("a blank row at the end", _rows(lambda body, rows, _: body.append(fragment_fromstring("<tr>" + "<td></td>" * len(rows[0]) + "</tr>")))),
    _pages("way on missing on page two", _no_next),
    _pages("two ways on", _second_next),
    _pages("way on leads back", _next_back),
    _pages("way on has other words", _next_renamed),
    _pages("count one too high", _totals(lambda count: str(count + 1))),
    _pages("count one too low", _totals(lambda count: str(count - 1))),
    _pages("count gone", _totals(lambda _: None)),
    _pages("no rows, no words for it", _empty_body(False)),
    _pages("no rows, words for it, and a count", _empty_body(True)),
    _pages("ids of rows gone", _no_ids),
    _pages("zero-width characters in cells", _texts(r"(?<=\w)(?=\w)", "\u200b")),
    _pages("no-break spaces and marks of direction", _texts(" ", "\u00a0\u200e")),
    _pages("badge before linked text", _badge),
    _pages("another table with this header", _look_alike),
    _pages("column of birth days or starts empty", _blank("birth_on", "start", "service_on")),
    _pages("column of addresses or places empty", _blank("email", "place", "clinician")),
    _bodies("half of the page", lambda one, _: replace(one, body=one.body[: len(one.body) // 2])),
    _bodies("nothing at all", _answer(200, "")),
    _bodies("sign-in page with 200", _answer(200, _SIGN_IN)),
    _bodies("JSON in place of a page", _answer(200, '{"rows": []}', "application/json")),
    _bodies("page about maintenance", _answer(200, "<!doctype html><html><body><h1>We will be back soon</h1></body></html>")),
    _bodies("bytes of another character set", lambda one, _: replace(one, headers={"content-type": "text/html; charset=utf-16"})),
)  # fmt: skip


def table_of(body: bytes) -> list[list[str]]:
    """Return a page's largest table as texts, header first: what a naive reader works with."""
    tree = markup.parse(body)
    tables = list(tree.iter("table"))
    if not tables:
        return []
    _, head, rows = _table(tree)
    return [[markup.text_of(cell) for cell in row] for row in (head, *rows)]
