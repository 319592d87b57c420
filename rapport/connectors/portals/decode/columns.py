"""
The values of a whole list, read column by column.

A column has one format on a page, so that a day which could be read in two ways is read as the
other days of its page are, and a page none of whose days tells which it is, is not guessed at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rapport.connectors.portals.decode.raw import Extract, Raw
from rapport.connectors.portals.decode.values import (
    DASHES,
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
MOMENTS = ("day", "local_time")
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


@dataclass(frozen=True, slots=True)
class _Taken:
    """A page, its rows, and for each field with days the formats that read all of its cells."""

    page: Extract
    rows: list[Decoded]
    fitting: dict[str, tuple[str, ...]]


class Decoding:
    """The rows of a list with their values, taken page by page."""

    def __init__(self, call: Call) -> None:
        self._fields = call.fields
        self._tallies = {name: Tally() for name in call.fields}
        self._known: dict[tuple[str, str], _Known] = {}
        self._taken: list[_Taken] = []
        self._open: list[_Taken] = []

    @property
    def pages(self) -> int:
        """How many pages were taken."""
        return len(self._taken)

    def take(self, page: Extract) -> None:
        """Take one page more. It is read at once, unless its days can only be told by those of another page."""
        rows = [Decoded(raw.remote_id, {}, dict(raw.absent), self.pages) for raw in page.rows]
        fitting = {name: _fitting(rule, name, page) for name, rule in self._fields.items() if rule.type in MOMENTS}
        taken = _Taken(page, rows, fitting)
        self._taken.append(taken)
        if all(len(fit) == 1 for fit in fitting.values()):
            self._read(taken, fitting)
        else:
            self._open.append(taken)

    def finish(self) -> tuple[list[Decoded], dict[str, Tally]]:
        """Return every row with its values in the contract's names, and a tally for each field."""
        while self._open:
            taken = self._open.pop(0)
            self._read(taken, {name: self._settled(name, taken) for name in taken.fitting})
        return [row for taken in self._taken for row in taken.rows], self._tallies

    def _settled(self, name: str, taken: _Taken) -> tuple[str, ...]:
        """The formats of a page's days; what this page leaves open another of its language may settle."""
        fit = taken.fitting[name]
        if len(fit) == 1:
            return fit
        others = (one.fitting[name] for one in self._taken if one.page.language == taken.page.language)
        settled = {only[0] for only in others if len(only) == 1}
        return tuple(one for one in fit if one in settled) or fit

    def _read(self, taken: _Taken, patterns: Mapping[str, tuple[str, ...]]) -> None:
        for name, rule in self._fields.items():
            known = self._known.setdefault((name, taken.page.language), {})
            tally, formats = self._tallies[name], patterns.get(name, ())
            tally.written = tuple(sorted({*tally.written, *formats}))
            _column(rule, name, taken, formats, tally, known)


def _column(rule: Field, name: str, taken: _Taken, patterns: tuple[str, ...], tally: Tally, known: _Known) -> None:
    """
    Read a field of one page.

    :param known: what was read in this column of other pages in its language
    """
    language, repeats, is_moment = taken.page.language, rule.type in REPEATING, rule.type in MOMENTS
    keeps_odd, rows, values = rule.type == "text", 0, 0
    is_plain = rule.type == "text" and not (rule.cuts or rule.drop_initial or rule.pattern)
    for raw, row in zip(taken.page.rows, taken.rows, strict=True):
        cell = raw.cells.get(name)
        if cell is None:
            if raw.absent.get(name) in ("unreadable", "not_loaded"):
                rows += 1
                tally.unreadable += 1
            continue
        rows += 1
        if is_plain and cell.is_clean and cell.value is not None:
            value = None if cell.value in DASHES else cell.value
        # Of JSON a value may also be 1 or true, which a dictionary takes for the same.
        elif repeats and isinstance(cell.value, str):
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
        if cell.odd and keeps_odd:
            row.raw[name] = cell.odd
        if value is None:
            continue
        values += 1
        if cell.value is None:
            tally.fallen_back += 1
        if rule.unique:
            tally.seen[value] = tally.seen.get(value, 0) + 1
        if is_moment:
            tally.plain += int(str(value)[8:10]) > 12
    tally.rows += rows
    tally.values += values


def _value(rule: Field, cell: Raw, language: str, patterns: tuple[str, ...]) -> Value | Unreadable:
    try:
        return read(rule, cell, language=language, patterns=patterns)
    except Unreadable as problem:
        return problem.with_traceback(None)


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
