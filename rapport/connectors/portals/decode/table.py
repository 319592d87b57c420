"""Rows of a table in a page: which table, which rows of it, what stands in each cell."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from itertools import repeat
from urllib.parse import parse_qs, unquote, urlsplit

from lxml import etree
from lxml.html import HtmlElement

from rapport.connectors.portals import markup
from rapport.connectors.portals.answer import Answer
from rapport.connectors.portals.decode.binding import UNBOUND, bind, language_of
from rapport.connectors.portals.decode.raw import Bound, Column, Extract, Raw, RawRow, note
from rapport.connectors.portals.decode.values import cut
from rapport.connectors.portals.definition import Badge, Call, Field
from rapport.connectors.portals.words import all_words, clean, is_one_of, odd
from rapport.rooms.exchange.ports import Verdict

_CELLS = ("td", "th")
_SPANS = etree.XPath("boolean(descendant::*/@colspan)")
_CELLS_IN_ROWS = etree.XPath("count(descendant::tr/td) + count(descendant::tr/th)")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]*")


@dataclass(slots=True)
class Found:
    """The table that a call means, bound, with as many rows as count; what stands in them is read later."""

    call: Call
    page: Extract
    """Its rows, and what stands inside their cells, are there after `read`."""
    rows: list[HtmlElement] = dataclass_field(default_factory=list)
    is_even: bool = True
    """Whether what stands in a row is its cells, each as wide as one column."""

    def read(self) -> None:
        """Read the rows. Once."""
        if self.rows:
            cells_of = list if self.is_even else _spread
            by_column = list(zip(*(cells_of(row) for row in self.rows), strict=True))
            self.page.rows += _rows(self.call, self.rows, by_column, self.page.bound)
            self.page.inner = _inner(self.call, by_column, self.page.bound)


def extract(call: Call, answer: Answer, *, place: str, locales: tuple[str, ...]) -> Extract:
    """Return the rows of the table that a call means. No table, or two that fit, is nothing found."""
    found = find(call, answer, place=place, locales=locales)
    found.read()
    return found.page


def find(call: Call, answer: Answer, *, place: str, locales: tuple[str, ...]) -> Found:
    """Return the table that a call means, as far as has to be known of a page before the next one is asked for."""
    language = markup.language_of(answer.tree)
    language = language if language in locales else locales[0]
    table = _choose(call, answer, place, language)
    if table is None:
        missing = note(Verdict.BREAKING, place, seen="no such table, or two", expected="one table with these columns")
        return Found(call, Extract((), {}, [], language, [missing], found=False))
    head, body = _parts(table)
    columns = _columns(head, call.bind.attribute)
    if markup.language_of(answer.tree) not in locales:
        language = language_of(call.fields, columns, locales)
    bound, noted = bind(call.fields, columns, place=place, language=language)
    result = Found(call, Extract(columns, bound, [], language, noted), is_even=_is_even(table))
    for row in body:
        if call.rows.row is not None and not markup.matches(row, call.rows.row):
            continue
        # To count what stands in a row takes a hundredth of the time that looking at each cell takes.
        cells = None if result.is_even else _spread(row)
        count = len(row) if cells is None else len(cells)
        alone = count == 1 if cells is None else bool(cells) and cells[0] is cells[-1]
        if len(columns) > 1 and alone:
            continue  # one cell over the whole width is a heading or a sum
        if count != len(columns):
            if count:
                noted.append(note(Verdict.SUSPECT, place, seen=f"a row of {count} cells", expected=f"{len(columns)} cells"))
            continue
        result.rows.append(row)
    return result


def _is_even(table: HtmlElement) -> bool:
    """Tell whether what stands in a row of a table is its cells, each as wide as one column."""
    return not _SPANS(table) and _CELLS_IN_ROWS(table) == sum(map(len, table.iter("tr")))


def _choose(call: Call, answer: Answer, place: str, language: str) -> HtmlElement | None:
    """The table that the rule means; among several, or without a rule, the one that binds what is required."""
    rule = call.rows.table
    tables = markup.find_all(answer.tree, rule) if rule else [one for one in answer.tree.iter("table") if markup.is_seen(one)]
    if rule and len(tables) == 1:
        return tables[0]
    if rule and not tables:
        tables = [one for one in answer.tree.iter("table") if markup.is_seen(one)]
    fit = []
    for table in tables:
        columns = _columns(_parts(table)[0], call.bind.attribute)
        bound, _ = bind(call.fields, columns, place=place, language=language)
        if all(name in bound or field.source in UNBOUND for name, field in call.fields.items() if field.required):
            fit.append(table)
    return fit[0] if len(fit) == 1 else None


def _parts(table: HtmlElement) -> tuple[HtmlElement | None, list[HtmlElement]]:
    """The header row and the rows of the body; rows of tables inside are not its own."""
    rows = list(table.iter("tr"))
    if table.tag != "table" or next(table.iterdescendants("table"), None) is not None:
        rows = [row for row in rows if next(row.iterancestors("table"), None) is table]
    parts = [row.getparent().tag for row in rows]
    in_head = [row for row, part in zip(rows, parts, strict=True) if part == "thead" and len(row)]
    if in_head:
        head = in_head[-1]
    else:
        head = rows[0] if rows and all(cell.tag == "th" for cell in rows[0]) and len(rows[0]) else None
    body = [row for row, part in zip(rows, parts, strict=True) if row is not head and part not in ("thead", "tfoot")]
    return head, markup.only_seen(body)


def _columns(head: HtmlElement | None, attribute: str) -> tuple[Column, ...]:
    if head is None:
        return ()
    found = []
    for cell in _spread(head):
        name = cell.get(attribute, "") if attribute else ""
        found.append(Column(clean(name), markup.text_of(cell), hidden=not markup.is_seen(cell)))
    return tuple(found)


def _spread(row: HtmlElement) -> list[HtmlElement]:
    """The cells of a row, one for each column it spans. A hidden cell keeps its place."""
    cells: list[HtmlElement] = []
    for cell in row:
        if cell.tag in _CELLS:
            span = cell.get("colspan", "1")
            cells += [cell] * (min(int(span), 200) if span.isascii() and span.isdigit() and int(span) else 1)
    return cells


def _rows(
    call: Call, rows: Sequence[HtmlElement], by_column: Sequence[Sequence[HtmlElement]], bound: Mapping[str, Bound]
) -> Iterator[RawRow]:
    """Read column by column, and give the rows."""
    found: list[dict[str, Raw]] = [{} for _ in rows]
    absent: list[dict[str, str]] = [{} for _ in rows]
    texts: dict[int, list[str]] = {}
    odds: dict[int, list[str]] = {}
    for name, field in call.fields.items():
        if field.source == "constant":
            value = Raw(field.constant)
            for here in found:
                here[name] = value
        elif field.source == "row":
            for here, row in zip(found, rows, strict=True):
                here[name] = Raw(row.get(field.attribute))
        elif name not in bound:
            for gone in absent:
                gone[name] = "not_present"
        else:
            place = bound[name].place
            if field.badges:
                shown = [shown_in(cell, field.badges) for cell in by_column[place]]
            elif place in texts:
                shown = texts[place]
            else:
                shown = texts[place] = [
                    markup.text_of(cell) if len(cell) else clean(cell.text or "") for cell in by_column[place]
                ]
            if place not in odds and may_be_odd(field):
                odds[place] = [_odd_in(cell) for cell in by_column[place]]
            _column(name, field, by_column[place], shown, odds.get(place, ()), found, absent)
    ids = _remote_ids(call, rows, by_column, bound, found)
    return (RawRow(*each) for each in zip(ids, found, absent, strict=True))


def _column(
    name: str, field: Field, cells: Sequence[HtmlElement], shown: Sequence[str], odds: Sequence[str],
    found: Sequence[dict[str, Raw]], absent: Sequence[dict[str, str]],
) -> None:  # fmt: skip
    is_text, is_clean = field.source == "text", field.source != "link"
    may_be_closed = bool(field.withheld or field.not_permitted)
    as_shown = odds if may_be_odd(field) else repeat("")
    for cell, text, told, here, gone in zip(cells, shown, as_shown, found, absent, strict=False):
        kind = closed(field, text) if may_be_closed else ""
        if kind:
            gone[name] = kind
        else:
            here[name] = Raw(text if is_text else value_in(field, cell, text), text, is_clean, told)


def closed(field: Field, shown: str) -> str:
    """Return why a cell has words instead of a value; empty: it has a value."""
    if field.withheld and is_one_of(shown, field.withheld):
        return "withheld_locked"
    return "not_permitted" if field.not_permitted and is_one_of(shown, field.not_permitted) else ""


def value_in(field: Field, cell: HtmlElement, shown: str) -> str | None:
    if field.source == "attribute":
        raw = cell.get(field.attribute)
        if raw is None and len(cell):
            raw = next((inner.get(field.attribute) for inner in cell.iter() if inner.get(field.attribute) is not None), None)
        return clean(raw) if raw is not None else None
    return link_id(cell, field.attribute) if field.source == "link" else shown


def may_be_odd(field: Field) -> bool:
    """Tell whether the text of a cell is the value, so that it is kept as the page has it."""
    return field.type == "text" and field.source == "text"


def odd_in(field: Field, cell: HtmlElement) -> str:
    """Return the text of a cell as the page has it, where cleaning changes it; of texts that are values only."""
    return _odd_in(cell) if may_be_odd(field) else ""


def _odd_in(cell: HtmlElement) -> str:
    return odd("".join(cell.itertext()) if len(cell) else cell.text or "")


def shown_in(cell: HtmlElement, badges: tuple[Badge, ...]) -> str:
    if not badges:
        return markup.text_of(cell)
    aside = [inner for inner in cell.iterdescendants() for badge in badges if _is_badge(inner, badge)]
    shown = markup.text_of(cell, without=aside)
    for badge in badges:
        for word in all_words(badge.text_any):
            if shown.casefold().startswith(word) and not shown[len(word) : len(word) + 1].isalnum():
                shown = shown[len(word) :].strip()
    return shown


def _inner(
    call: Call, by_column: Sequence[Sequence[HtmlElement]], bound: Mapping[str, Bound]
) -> dict[str, set[str]]:
    """What stands inside the cells of each field's column; fields that share one column are looked at once."""
    plain: dict[int, set[str]] = {}
    found: dict[str, set[str]] = {}
    for name, where in bound.items():
        badges = call.fields[name].badges
        if badges:
            found[name] = _kinds(by_column[where.place], badges)
            continue
        if where.place not in plain:
            plain[where.place] = _kinds(by_column[where.place], badges)
        found[name] = plain[where.place]
    return found


def _kinds(cells: Sequence[HtmlElement], badges: tuple[Badge, ...]) -> set[str]:
    """What stands in the cells of a column, each kind once; empty: a text alone."""
    filled = [cell for cell in cells if len(cell)]
    kinds = {_markup(cell, badges) for cell in filled}
    return kinds | {""} if len(filled) < len(cells) else kinds


def _markup(cell: HtmlElement, badges: tuple[Badge, ...]) -> str:
    """Which elements stand in a cell, less those that are known not to be its value."""
    inside = cell.iterdescendants()
    if badges:
        inside = (one for one in inside if not any(_is_badge(one, badge) for badge in badges))
    return " ".join(sorted({str(one.tag) for one in inside}))


def _is_badge(element: HtmlElement, badge: Badge) -> bool:
    if not badge.has_class and not badge.attributes:
        return False
    fits = not badge.has_class or badge.has_class in element.get("class", "").split()
    return fits and all(element.get(name) == value for name, value in badge.attributes.items())


def link_id(cell: HtmlElement, parameter: str) -> str | None:
    """The id in the one link of a cell; links to two different things are no id."""
    found = {id for link in cell.iter("a") for id in _ids(link.get("href", ""), parameter)}
    return found.pop() if len(found) == 1 else None


def _ids(href: str, parameter: str) -> Iterator[str]:
    parts = urlsplit(href)
    if parameter:
        yield from parse_qs(parts.query).get(parameter, [])[:1]
    else:
        last = unquote(parts.path.rstrip("/").rpartition("/")[2])
        if _ID.fullmatch(last):
            yield last


def _remote_ids(
    call: Call, rows: Sequence[HtmlElement], by_column: Sequence[Sequence[HtmlElement]], bound: Mapping[str, Bound],
    found: Sequence[Mapping[str, Raw]],
) -> list[str]:  # fmt: skip
    rule = call.remote_id
    if rule.source == "row":
        return [clean(row.get(rule.attribute, "")) for row in rows]
    if rule.source == "link":
        if rule.field not in bound:
            return [""] * len(rows)
        return [link_id(cell, rule.parameter) or "" for cell in by_column[bound[rule.field].place]]
    values = (here[rule.field].value if rule.field in here else None for here in found)
    return ["" if value is None else cut(clean(str(value)), call.fields[rule.field]) for value in values]
