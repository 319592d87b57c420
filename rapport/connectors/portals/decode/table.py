"""Rows of a table in a page: which table, which rows of it, what stands in each cell."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import parse_qs, unquote, urlsplit

from lxml.html import HtmlElement

from rapport.connectors.portals import markup
from rapport.connectors.portals.answer import Answer
from rapport.connectors.portals.decode.binding import UNBOUND, bind, language_of
from rapport.connectors.portals.decode.raw import Bound, Column, Extract, Raw, RawRow, note
from rapport.connectors.portals.decode.values import cut
from rapport.connectors.portals.definition import Badge, Call, Field
from rapport.connectors.portals.words import all_words, clean, is_one_of
from rapport.rooms.exchange.ports import Verdict

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]*")


def extract(call: Call, answer: Answer, *, place: str, locales: tuple[str, ...]) -> Extract:
    """Return the rows of the table that a call means. No table, or two that fit, is nothing found."""
    language = markup.language_of(answer.tree)
    language = language if language in locales else locales[0]
    table = _choose(call, answer, place, language)
    if table is None:
        missing = note(Verdict.BREAKING, place, seen="no such table, or two", expected="one table with these columns")
        return Extract((), {}, [], language, [missing], found=False)
    head, body = _parts(table)
    columns = _columns(head, call.bind.attribute)
    if markup.language_of(answer.tree) not in locales:
        language = language_of(call.fields, columns, locales)
    bound, noted = bind(call.fields, columns, place=place, language=language)
    result = Extract(columns, bound, [], language, noted)
    for row in body:
        cells = _spread(row)
        if call.rows.row is not None and not markup.matches(row, call.rows.row):
            continue
        if len(set(cells)) == 1 and len(columns) > 1:
            continue  # one cell over the whole width is a heading or a sum
        if len(cells) != len(columns):
            if cells:
                noted.append(note(Verdict.SUSPECT, place, seen=f"a row of {len(cells)} cells", expected=f"{len(columns)} cells"))
            continue
        result.rows.append(_row(call, row, cells, bound))
        for name, where in bound.items():
            result.inner.setdefault(name, set()).add(_markup(cells[where.place], call.fields[name].badges))
    return result


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
    rows = [row for row in table.iter("tr") if next(row.iterancestors("table")) is table]
    in_head = [row for row in rows if row.getparent().tag == "thead" and len(row)]
    if in_head:
        head = in_head[-1]
    else:
        head = rows[0] if rows and all(cell.tag == "th" for cell in rows[0]) and len(rows[0]) else None
    body = [row for row in rows if row is not head and row.getparent().tag not in ("thead", "tfoot")]
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
        if cell.tag in ("td", "th"):
            span = cell.get("colspan", "1")
            cells += [cell] * (min(int(span), 200) if span.isascii() and span.isdigit() and int(span) else 1)
    return cells


def _row(call: Call, row: HtmlElement, cells: list[HtmlElement], bound: dict[str, Bound]) -> RawRow:
    found: dict[str, Raw] = {}
    absent: dict[str, str] = {}
    for name, field in call.fields.items():
        if field.source == "constant":
            found[name] = Raw(field.constant)
        elif field.source == "row":
            found[name] = Raw(row.get(field.attribute))
        elif name not in bound:
            absent[name] = "not_present"
        else:
            cell = cells[bound[name].place]
            shown = shown_in(cell, field.badges)
            kind = closed(field, shown)
            if kind:
                absent[name] = kind
            else:
                found[name] = Raw(value_in(field, cell, shown), shown, is_clean=field.source != "link")
    return RawRow(_remote_id(call, row, cells, bound, found), found, absent)


def closed(field: Field, shown: str) -> str:
    """Return why a cell has words instead of a value; empty: it has a value."""
    if field.withheld and is_one_of(shown, field.withheld):
        return "withheld_locked"
    return "not_permitted" if field.not_permitted and is_one_of(shown, field.not_permitted) else ""


def value_in(field: Field, cell: HtmlElement, shown: str) -> str | None:
    if field.source == "attribute":
        raw = cell.get(field.attribute)
        if raw is None:
            raw = next((inner.get(field.attribute) for inner in cell.iter() if inner.get(field.attribute) is not None), None)
        return clean(raw) if raw is not None else None
    return link_id(cell, field.attribute) if field.source == "link" else shown


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


def _markup(cell: HtmlElement, badges: tuple[Badge, ...]) -> str:
    """Which elements stand in a cell, less those that are known not to be its value."""
    if not len(cell):
        return ""
    return " ".join(sorted({str(one.tag) for one in cell.iterdescendants() if not any(_is_badge(one, badge) for badge in badges)}))


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


def _remote_id(
    call: Call, row: HtmlElement, cells: list[HtmlElement], bound: dict[str, Bound], found: dict[str, Raw]
) -> str:
    rule = call.remote_id
    if rule.source == "row":
        return clean(row.get(rule.attribute, ""))
    if rule.source == "link":
        return (link_id(cells[bound[rule.field].place], rule.parameter) or "") if rule.field in bound else ""
    raw = found.get(rule.field)
    return cut(clean(str(raw.value)), call.fields[rule.field]) if raw is not None and raw.value is not None else ""
