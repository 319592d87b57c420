"""Which column a field of the contract is likely to be, judged by the words of its header and by what is in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from rapport.connectors.portals import markup
from rapport.connectors.portals.decode.raw import Raw
from rapport.connectors.portals.decode.values import Unreadable, moment_of, read
from rapport.connectors.portals.definition import Field
from rapport.connectors.portals.lexicon import DAYS, FIELDS, TIMES, VALUES
from rapport.connectors.portals.words import all_words, clean, folded, says_any

SAMPLE = 400
MOMENTS = tuple(f"{day}{join}{time}" for day in DAYS for join in (" ", ", ", "T") for time in TIMES)
"""Patterns of a day with a time."""
_HARD = frozenset(("day", "local_time", "integer", "money", "phone", "email"))


@dataclass(slots=True)
class Column:
    """A column of the pages, with what stands in it."""

    name: str
    label: str
    texts: list[str] = field(default_factory=list)
    codes: dict[str, list[str | None]] = field(default_factory=dict)
    """Attribute -> its value in each cell."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The column that is proposed, or what has to be asked."""

    place: int = -1
    because: str = ""
    question: str = ""
    more: tuple[tuple[str, Any, str], ...] = ()
    """Further members of the field: name, value, evidence."""


def columns_of(tables: Sequence[Any], attribute: str) -> list[Column]:
    """Return the columns of a list over all its pages."""
    head = next(iter(tables[0].iter("tr")))
    found = [Column(clean(cell.get(attribute, "")) if attribute else "", markup.text_of(cell)) for cell in head]
    for table in tables:
        for row in list(table.iter("tr"))[1:]:
            if len(row) != len(found):
                continue
            for column, cell in zip(found, row, strict=True):
                if len(column.texts) < SAMPLE:
                    column.texts.append(markup.text_of(cell))
                    for name in ("data-code", "data-value", "data-id", "data-status"):
                        column.codes.setdefault(name, []).append(cell.get(name))
    return found


def choose(
    name: str, rule: Field, columns: Sequence[Column], *, language: str, taken: set[int], said: str | None
) -> Choice:
    """Propose a column for a field. Two that are equally likely are a question."""
    if said is not None:
        named = [place for place, column in enumerate(columns) if folded(column.label) == folded(said)]
        if len(named) != 1:
            return Choice(question=f"No single column is headed {said!r}.")
        content = _content(rule, columns[named[0]], language)
        if content is None:
            return Choice(question=f"What stands under {said!r} cannot be read as {rule.type}.")
        return Choice(named[0], "a person said so", more=tuple(content))
    scores: list[tuple[float, int, list[tuple[str, Any, str]]]] = []
    for place, column in enumerate(columns):
        words = _words(name, rule, column.label)
        content = None if place in taken else _content(rule, column, language)
        if content is not None and words:
            scores.append((words, place, content))
    scores.sort(key=lambda one: -one[0])
    if not scores:
        return Choice(question=_ask(name, columns))
    if len(scores) > 1 and scores[0][0] == scores[1][0]:
        return Choice(question=_ask(name, [columns[place] for score, place, _ in scores if score == scores[0][0]]))
    score, place, more = scores[0]
    how = "are known words for it" if score >= 3 else "have a word for it"
    return Choice(place, f"the words {columns[place].label!r} {how}, and its cells read as {rule.type}", more=tuple(more))


def _ask(name: str, columns: Sequence[Column]) -> str:
    return f"Which column is {name}? There are: {', '.join(column.label for column in columns)}."


def _words(name: str, rule: Field, label: str) -> float:
    """How well a header's words fit: known to the definition, to the lexicon, or with one such word in it."""
    heard = folded(label)
    if heard in all_words(rule.labels):
        return 4
    known = FIELDS.get(name, ())
    if heard in known:
        return 3 + 0.1 * (len(known) - known.index(heard)) / len(known)
    if any(heard in words for words in FIELDS.values()):
        return 0  # whole, they are known words for something else
    inside = [place for place, word in enumerate(known) if says_any(heard, {"": [word]})]
    return 2 + 0.1 * (len(known) - inside[0]) / len(known) if inside else 0


def _content(rule: Field, column: Column, language: str) -> list[tuple[str, Any, str]] | None:
    """Members that the cells call for; None: the cells are not of the field's type."""
    if rule.source == "link" or (rule.source == "attribute" and rule.attribute == "href"):
        return []  # what is shown is not what is read; the trial reading tells
    if rule.source == "attribute" and rule.type == "text":
        return _attribute(rule, column)
    if rule.type in ("code", "boolean"):
        return _codes(rule, column)
    texts = [text for text in column.texts if text]
    if rule.type in ("day", "local_time"):
        return _formats(rule, texts)
    if rule.type in _HARD and not (texts and _readable(rule, texts, language) >= 0.95):
        return None
    return []


def _readable(rule: Field, texts: Sequence[str], language: str) -> float:
    return sum(reads(rule, text, language) for text in texts) / len(texts)


def reads(rule: Field, text: str, language: str) -> bool:
    """Tell whether a text reads as a field's type."""
    try:
        read(rule, Raw(text, text), language=language)
    except Unreadable:
        return False
    return True


def format_of(rule: Field, texts: Sequence[str]) -> str:
    """
    Return the one way in which all of these are days, or times of day; empty: there is none, or more than one.

    Days that would be others with day and month exchanged are not told, also where nobody is known to write them so.
    """
    patterns = DAYS if rule.type == "day" else MOMENTS
    readings = {one: tuple(moment_of(text, one, rule.type) for text in texts) for one in patterns}
    fit = {values: one for one, values in reversed(readings.items()) if texts and None not in values}
    if len(fit) != 1:
        return ""
    values, pattern = next(iter(fit.items()))
    if pattern.startswith("%Y") or not ("%d" in pattern and "%m" in pattern):
        return pattern  # a year that comes first, or a month in letters, leaves no doubt
    other = pattern.translate({ord("d"): "m", ord("m"): "d"})
    turned = tuple(moment_of(text, other, rule.type) for text in texts)
    return pattern if None in turned or turned == values else ""


def _formats(rule: Field, texts: Sequence[str]) -> list[tuple[str, Any, str]] | None:
    pattern = format_of(rule, texts)
    if not pattern:
        return None
    known = any(pattern in formats for formats in rule.formats.values())
    return [] if known else [("formats", [pattern], f"the only way in which all {len(texts)} cells are days")]


def _attribute(rule: Field, column: Column) -> list[tuple[str, Any, str]] | None:
    for name in (rule.attribute, *column.codes):
        values = column.codes.get(name, [])
        if values and all(value or not text for value, text in zip(values, column.texts, strict=True)) and any(values):
            return [] if name == rule.attribute else [("attribute", name, "every cell with words has it")]
    return None


def _codes(rule: Field, column: Column) -> list[tuple[str, Any, str]] | None:
    """Codes that the definition knows come first; else each text must be a known word for one value."""
    codes = [one for one in column.codes.get(rule.attribute, []) if one] if rule.source == "attribute" else []
    if codes and len(codes) >= len([text for text in column.texts if text]) and set(codes) <= set(rule.codes):
        return []
    wanted = {*rule.codes.values(), *(value for table in rule.texts.values() for value in table.values())}
    texts: dict[str, str] = {}
    for text in sorted({one for one in column.texts if one}):
        known = [value for table in rule.texts.values() for word, value in table.items() if folded(word) == folded(text)]
        fit = set(known) or {value for value in wanted if folded(text) in VALUES.get(value, ())}
        if len(fit) != 1:
            return None
        texts[text] = fit.pop()
    if not texts:
        return None
    more: list[tuple[str, Any, str]] = [("texts", texts, f"all {len(texts)} different texts are known words")]
    return [("from", "text", "its codes are not known"), ("codes", {}, "its codes are not known"), *more] if rule.source == "attribute" else more
