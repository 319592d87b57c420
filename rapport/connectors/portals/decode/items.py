"""Rows that are no table: items of a page, or the page of one record. Each field is an element in the item."""

from __future__ import annotations

from lxml.html import HtmlElement

from rapport.connectors.portals import markup
from rapport.connectors.portals.answer import Answer
from rapport.connectors.portals.decode.raw import Bound, Column, Extract, Raw, RawRow, note
from rapport.connectors.portals.decode.table import closed, link_id, odd_in, shown_in, value_in
from rapport.connectors.portals.decode.values import cut
from rapport.connectors.portals.definition import Call, Field
from rapport.connectors.portals.words import clean
from rapport.rooms.exchange.ports import Verdict


def extract_items(call: Call, answer: Answer, *, place: str, locales: tuple[str, ...]) -> Extract:
    """Return the items that a call means. A required field that is in none of them is breaking."""
    language = markup.language_of(answer.tree)
    language = language if language in locales else locales[0]
    scopes = markup.find_all(answer.tree, call.rows.table) if call.rows.table else [answer.tree]
    if len(scopes) != 1 or call.rows.row is None:
        missing = note(Verdict.BREAKING, place, seen="no such part of the page, or two", expected="one")
        return Extract((), {}, [], language, [missing], found=False)
    items = markup.find_all(scopes[0], call.rows.row)
    rows = [_item(call, one) for one in items]
    names = [name for name in call.fields if any(name in row.cells for row in rows)]
    columns = tuple(Column(name, "") for name in names)
    bound = {name: Bound(number, "name") for number, name in enumerate(names)}
    noted = [
        note(Verdict.BREAKING, f"{place}.{name}", seen="no such element", expected="one in each item")
        for name, field in call.fields.items()
        if rows and field.required and name not in bound
    ]
    return Extract(columns, bound, rows, language, noted)


def _item(call: Call, item: HtmlElement) -> RawRow:
    found: dict[str, Raw] = {}
    absent: dict[str, str] = {}
    for name, field in call.fields.items():
        if field.source == "constant":
            found[name] = Raw(field.constant)
        elif field.source == "row":
            found[name] = Raw(item.get(field.attribute))
        else:
            _part(name, field, item, found, absent)
    rule = call.remote_id
    id = item.get(rule.attribute, "") if rule.source == "row" else ""
    if rule.source == "link":
        id = link_id(item, rule.parameter) or ""
    if rule.source == "field" and rule.field in found:
        id = cut(clean(str(found[rule.field].value or "")), call.fields[rule.field])
    return RawRow(clean(id), found, absent)


def _part(name: str, field: Field, item: HtmlElement, found: dict[str, Raw], absent: dict[str, str]) -> None:
    parts = markup.find_all(item, field.element) if field.element else []
    if len(parts) != 1:
        absent[name] = "unreadable" if parts else "not_present"
        return
    shown = shown_in(parts[0], field.badges)
    kind = closed(field, shown)
    if kind:
        absent[name] = kind
    else:
        found[name] = Raw(value_in(field, parts[0], shown), shown, odd=odd_in(field, parts[0]))
