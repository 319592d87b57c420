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
    cut,
    moment_of,
    read,
)
from rapport.connectors.portals.definition import Call, Field
from rapport.connectors.portals.words import clean, folded


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
    written: tuple[str, ...] = ()
    """For days and times: the formats in which they were read."""


@dataclass(slots=True)
class Decoded:
    """One row with its values."""

    remote_id: str
    values: dict[str, Any]
    absent: dict[str, str]
    page: int
    raw: dict[str, str] = field(default_factory=dict)
    """Texts as the portal has them, where the value is another: with characters that nobody sees."""


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
        tallies[name].written = tuple(sorted({one for patterns in proven for one in patterns}))
        at = 0
        for number, page in enumerate(pages):
            patterns = proven[number]
            for raw in page.rows:
                if name in raw.cells:
                    _one(rule, name, raw.cells[name], page.language, patterns, rows[at], tallies[name])
                elif raw.absent.get(name) in ("unreadable", "not_loaded"):
                    tallies[name].rows += 1
                    tallies[name].unreadable += 1
                at += 1
    return rows, tallies


def _one(
    rule: Field, name: str, raw: Raw, language: str, patterns: tuple[str, ...], row: Decoded, tally: Tally
) -> None:
    tally.rows += 1
    try:
        value = read(rule, raw, language=language, patterns=patterns)
    except Unreadable as problem:
        row.absent[name] = "unreadable"
        tally.unreadable += 1
        tally.unknown += isinstance(problem, UnknownCode)
        tally.ambiguous += len(patterns) > 1
        return
    row.values[name] = value
    if raw.odd and rule.type == "text":
        row.raw[name] = raw.odd
    if value is None:
        return
    tally.values += 1
    tally.fallen_back += raw.value is None
    if rule.unique:
        tally.seen[value] = tally.seen.get(value, 0) + 1
    if rule.type in ("day", "local_time"):
        tally.plain += int(str(value)[8:10]) > 12


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
