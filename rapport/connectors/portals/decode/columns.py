"""
The values of a whole list, read column by column.

A column has one format on a page, so that a day which could be read in two ways is read as the
other days of its page are, and a page none of whose days tells which it is, is not guessed at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rapport.connectors.portals.decode.raw import Extract, Raw
from rapport.connectors.portals.decode.values import (
    EMPTY,
    UnknownCode,
    Unreadable,
    Value,
    cut,
    moment_of,
    read,
)
from rapport.connectors.portals.definition import Call, Field
from rapport.connectors.portals.words import clean, folded

REPEATING = ("code", "boolean")
"""Types of which the cells of a column have few different values: each is read once."""
_Known = dict[Raw, Value | Unreadable]


@dataclass(slots=True)
class Tally:
    """What became of one field's cells."""

    rows: int = 0
    values: int = 0
    unreadable: int = 0
    unknown: int = 0
    ambiguous: int = 0
    fallen_back: int = 0
    """Codes that were missing, and told by their text instead."""
    plain: int = 0
    """Days of which only one reading exists, whichever way round day and month stand."""
    seen: dict[Any, int] = field(default_factory=dict)
    """For unique fields: value -> how often."""


@dataclass(slots=True)
class Decoded:
    """One row with its values."""

    remote_id: str
    values: dict[str, Any]
    absent: dict[str, str]
    page: int


def decode(call: Call, pages: Sequence[Extract]) -> tuple[list[Decoded], dict[str, Tally]]:
    """Return every row with its values in the contract's names, and a tally for each field."""
    tallies = {name: Tally() for name in call.fields}
    rows = [
        Decoded(raw.remote_id, {}, dict(raw.absent), number)
        for number, page in enumerate(pages)
        for raw in page.rows
    ]
    for name, rule in call.fields.items():
        proven = _proven(rule, name, pages)
        known: dict[tuple[str, tuple[str, ...]], _Known] = {}
        at = 0
        for page, patterns in zip(pages, proven, strict=True):
            until = at + len(page.rows)
            told = known.setdefault((page.language, patterns), {})
            _column(rule, name, page, patterns, rows[at:until], tallies[name], told)
            at = until
    return rows, tallies


def _column(
    rule: Field, name: str, page: Extract, patterns: tuple[str, ...], rows: Sequence[Decoded], tally: Tally, known: _Known
) -> None:
    """
    Read a field of one page.

    :param known: what was read in this column of other pages of its language and formats
    """
    language, repeats = page.language, rule.type in REPEATING
    is_day = rule.type in ("day", "local_time")
    for raw, row in zip(page.rows, rows, strict=True):
        cell = raw.cells.get(name)
        if cell is None:
            if raw.absent.get(name) in ("unreadable", "not_loaded"):
                tally.rows += 1
                tally.unreadable += 1
            continue
        tally.rows += 1
        # Of JSON a value may also be 1 or true, which a dictionary takes for the same.
        if repeats and isinstance(cell.value, str):
            if cell not in known:
                known[cell] = _value(rule, cell, language, patterns)
            value = known[cell]
        else:
            value = _value(rule, cell, language, patterns)
        if isinstance(value, Unreadable):
            row.absent[name] = "unreadable"
            tally.unreadable += 1
            tally.unknown += isinstance(value, UnknownCode)
            tally.ambiguous += len(patterns) > 1
            continue
        row.values[name] = value
        if value is None:
            continue
        tally.values += 1
        tally.fallen_back += cell.value is None
        if rule.unique:
            tally.seen[value] = tally.seen.get(value, 0) + 1
        if is_day:
            tally.plain += int(str(value)[8:10]) > 12


def _value(rule: Field, cell: Raw, language: str, patterns: tuple[str, ...]) -> Value | Unreadable:
    try:
        return read(rule, cell, language=language, patterns=patterns)
    except Unreadable as problem:
        return problem.with_traceback(None)


def _proven(rule: Field, name: str, pages: Sequence[Extract]) -> list[tuple[str, ...]]:
    """For each page the formats that read all of its cells; what one page leaves open another may settle."""
    if rule.type not in ("day", "local_time"):
        return [()] * len(pages)
    fitting = [_fitting(rule, name, page) for page in pages]
    settled: Mapping[str, set[str]] = {
        page.language: {only[0] for other, only in zip(pages, fitting, strict=True) if len(only) == 1 and other.language == page.language}
        for page in pages
    }
    return [
        tuple(one for one in fit if one in settled[page.language]) or fit if len(fit) > 1 else fit
        for page, fit in zip(pages, fitting, strict=True)
    ]


def _fitting(rule: Field, name: str, page: Extract) -> tuple[str, ...]:
    patterns = rule.formats.get(page.language, ())
    texts = {
        cut(clean(str(row.cells[name].value)), rule)
        for row in page.rows
        if name in row.cells and row.cells[name].value is not None
    }
    texts = {text for text in texts if folded(text) not in EMPTY}
    readings = {one: tuple(moment_of(text, one, rule.type) for text in sorted(texts)) for one in patterns}
    whole = [one for one in patterns if None not in readings[one]]
    if not whole:
        most = max(patterns, key=lambda one: sum(found is not None for found in readings[one]))
        return (most,)
    distinct = {readings[one]: one for one in reversed(whole)}
    return tuple(distinct.values())
