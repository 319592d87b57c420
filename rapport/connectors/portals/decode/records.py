"""Rows of JSON, with names or with names in a separate metadata file, and rows of CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from rapport.connectors.portals.answer import Answer
from rapport.connectors.portals.decode.binding import bind, language_of
from rapport.connectors.portals.decode.raw import Bound, Column, Extract, Noted, Raw, RawRow, note
from rapport.connectors.portals.decode.table import closed
from rapport.connectors.portals.decode.values import cut
from rapport.connectors.portals.definition import Call
from rapport.connectors.portals.predicates import search
from rapport.connectors.portals.words import clean, odd
from rapport.rooms.exchange.ports import Verdict


def extract_json(
    call: Call, answer: Answer, *, place: str, locales: tuple[str, ...], metadata: Answer | None
) -> Extract:
    """Return the rows of a JSON answer. Rows without names are bound by the metadata, never by place."""
    rows = search(call.rows.path, answer.json) if answer.json is not None else None
    if not isinstance(rows, list):
        return _nothing(place, locales, "no list of rows there")
    if call.bind.metadata is not None:
        columns = _named(call, metadata)
        if columns is None:
            return _nothing(place, locales, "no names of columns in the metadata")
        return _arrays(call, rows, columns, place, locales)
    dicts = [row for row in rows if isinstance(row, dict)]
    columns = tuple(Column(name, "") for name in dict.fromkeys(key for row in dicts for key in row))
    bound, noted = _keys(call, columns, dicts, place)
    result = Extract(columns, bound, [], locales[0], noted)
    for row in rows:
        if not isinstance(row, dict):
            noted.append(note(Verdict.SUSPECT, place, seen="a row without names", expected="an object"))
            continue
        result.rows.append(_record(call, row, bound, columns))
    return result


def _keys(
    call: Call, columns: tuple[Column, ...], rows: Sequence[Mapping[str, Any]], place: str
) -> tuple[dict[str, Bound], list[Noted]]:
    """A name with a dot leads into a record inside the record, and is bound by its first part."""
    if not rows:
        return {}, []
    there = {column.name: index for index, column in enumerate(columns)}
    tops = {
        name: field.column
        for name, field in call.fields.items()
        if any("." in one for one in field.column)
    }
    flat = {name: field for name, field in call.fields.items() if name not in tops}
    bound, noted = bind(flat, columns, place=place, language="")
    for name, paths in tops.items():
        first = next((path for path in paths if path.partition(".")[0] in there), None)
        if first is not None:
            bound[name] = Bound(there[first.partition(".")[0]], "name")
        elif call.fields[name].required:
            noted.append(note(Verdict.BREAKING, f"{place}.{name}", seen="no such key", expected=" or ".join(paths)))
    return bound, noted


def _record(call: Call, row: Mapping[str, Any], bound: Mapping[str, Bound], columns: tuple[Column, ...]) -> RawRow:
    found: dict[str, Raw] = {}
    absent: dict[str, str] = {}
    for name, field in call.fields.items():
        if field.source == "constant":
            found[name] = Raw(field.constant)
        elif name not in bound:
            absent[name] = "not_present"
        elif columns[bound[name].place].name not in row:
            absent[name] = "not_loaded"
        else:
            key = columns[bound[name].place].name
            path = next((one for one in field.column if one.partition(".")[0] == key), key)
            value: Any = row
            for part in path.split("."):
                value = value.get(part) if isinstance(value, dict) else None
            _put(name, value, closed(field, clean(value)) if isinstance(value, str) else "", found, absent)
    return RawRow(_id(call, found), found, absent)


def _put(name: str, value: Any, kind: str, found: dict[str, Raw], absent: dict[str, str]) -> None:
    if kind:
        absent[name] = kind
    elif isinstance(value, (dict, list)):
        absent[name] = "unreadable"
    else:
        found[name] = Raw(clean(value), clean(value), odd=odd(value)) if isinstance(value, str) else Raw(value)


def _named(call: Call, metadata: Answer | None) -> tuple[Column, ...] | None:
    """Columns in the order in which the rows have them, as the metadata says."""
    if metadata is None or metadata.json is None:
        return None
    names = search(call.bind.names, metadata.json)
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        return None
    places = search(call.bind.index, metadata.json) if call.bind.index else list(range(len(names)))
    if not isinstance(places, list) or len(places) != len(names) or len(set(map(str, places))) != len(places):
        return None
    if not all(isinstance(place, int) and not isinstance(place, bool) and 0 <= place < 1000 for place in places):
        return None
    columns = [Column("", "")] * (max(places) + 1)
    for name, place in zip(names, places, strict=True):
        columns[place] = Column(clean(name), "")
    return tuple(columns)


def _arrays(
    call: Call, rows: Sequence[Any], columns: tuple[Column, ...], place: str, locales: tuple[str, ...]
) -> Extract:
    bound, noted = bind(call.fields, columns, place=place, language="")
    result = Extract(columns, bound, [], locales[0], noted)
    last = max((one.place for one in bound.values()), default=0)
    for row in rows:
        if not isinstance(row, list) or len(row) <= last:
            noted.append(note(Verdict.SUSPECT, place, seen="a row too short", expected=f"{len(columns)} values"))
            continue
        result.rows.append(_line(call, row, bound))
    return result


def _line(call: Call, row: Sequence[Any], bound: Mapping[str, Bound]) -> RawRow:
    found: dict[str, Raw] = {}
    absent: dict[str, str] = {}
    for name, field in call.fields.items():
        if field.source == "constant":
            found[name] = Raw(field.constant)
        elif name not in bound:
            absent[name] = "not_present"
        else:
            value = row[bound[name].place]
            _put(name, value, closed(field, clean(value)) if isinstance(value, str) else "", found, absent)
    return RawRow(_id(call, found), found, absent)


def _id(call: Call, found: Mapping[str, Raw]) -> str:
    raw = found.get(call.remote_id.field)
    return cut(clean(str(raw.value)), call.fields[call.remote_id.field]) if raw is not None and raw.value is not None else ""


def _nothing(place: str, locales: tuple[str, ...], seen: str) -> Extract:
    return Extract((), {}, [], locales[0], [note(Verdict.BREAKING, place, seen=seen, expected="rows")], found=False)


def extract_csv(call: Call, answer: Answer, *, place: str, locales: tuple[str, ...]) -> Extract:
    """Return the rows of an export. Its language is the one whose words bind most of its header."""
    lines = [line for line in _lines(answer.body, call.rows.delimiter) if any(cell.strip() for cell in line)]
    if not lines:
        return _nothing(place, locales, "no header")
    columns = tuple(Column("", clean(cell)) for cell in lines[0])
    language = language_of(call.fields, columns, locales)
    bound, noted = bind(call.fields, columns, place=place, language=language)
    result = Extract(columns, bound, [], language, noted)
    for line in lines[1:]:
        if len(line) != len(columns):
            noted.append(note(Verdict.SUSPECT, place, seen=f"a line of {len(line)} values", expected=f"{len(columns)} values"))
            continue
        result.rows.append(_line(call, line, bound))
    return result


def _lines(body: bytes, delimiter: str) -> list[list[str]]:
    for encoding in ("utf-16",) if body[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "cp1252"):
        try:
            text = body.decode(encoding)
        except UnicodeDecodeError:
            continue
        try:
            return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
        except csv.Error:
            return []
    return []
