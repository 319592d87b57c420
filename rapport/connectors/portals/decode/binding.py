"""Which column a field stands in: told by the portal's own name of it, else by the words of its header."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rapport.connectors.portals.decode.raw import Bound, Column, Noted, note
from rapport.connectors.portals.definition import Field
from rapport.connectors.portals.words import all_words, folded
from rapport.rooms.exchange.ports import Verdict

UNBOUND = ("row", "constant")
"""Sources that stand in no column."""


def bind(
    fields: Mapping[str, Field], columns: Sequence[Column], *, place: str, language: str
) -> tuple[dict[str, Bound], list[Noted]]:
    """
    Find each field's column. A required one that is not there, or is there twice, is breaking.

    A field that is found by its name while its header has words nobody knows, or the other way
    round, is healed. A name that says one column and words that say another are suspect.
    """
    bound: dict[str, Bound] = {}
    noted: list[Noted] = []
    heard = [folded(column.label) if column.label else None for column in columns]
    for name, field in fields.items():
        if field.source in UNBOUND:
            continue
        where = f"{place}.{name}"
        by_name = [i for i, column in enumerate(columns) if column.name and column.name in field.column]
        by_label = _labelled(field, heard, language)
        if len(by_name) > 1 or (not by_name and len(by_label) > 1):
            noted.append(note(Verdict.BREAKING, where, seen="two columns", expected=_expected(field)))
        elif by_name:
            bound[name] = Bound(by_name[0], "name")
            if field.labels and by_label != by_name:
                noted.append(_disagreement(where, field, columns, by_name[0], by_label))
        elif by_label:
            bound[name] = Bound(by_label[0], "label")
            if field.column and any(column.name for column in columns):
                label = columns[by_label[0]].label
                noted.append(note(Verdict.HEALED, where, seen=f"column {label!r}", expected=_expected(field), why="found by its words"))
        elif field.required:
            noted.append(note(Verdict.BREAKING, where, seen="no such column", expected=_expected(field)))
    return bound, noted


def language_of(fields: Mapping[str, Field], columns: Sequence[Column], locales: Sequence[str]) -> str:
    """Return the language whose words head most of the columns; the usual one where none does."""
    heard = [folded(column.label) for column in columns]
    known = {one: {folded(word) for field in fields.values() for word in field.labels.get(one, ())} for one in locales}
    return max(locales, key=lambda one: sum(label in known[one] for label in heard))


def _labelled(field: Field, heard: Sequence[str | None], language: str) -> list[int]:
    """Words of the page's language come first; those of another only where these find nothing."""
    for words in (
        {folded(word) for word in field.labels.get(language, ())},
        set(all_words(field.labels)),
    ):
        found = [i for i, label in enumerate(heard) if label in words]
        if found:
            return found
    return []


def _disagreement(
    where: str, field: Field, columns: Sequence[Column], named: int, by_label: list[int]
) -> Noted:
    if by_label and named not in by_label:
        seen = f"named {columns[named].name!r}, headed {columns[named].label!r}"
        return note(Verdict.SUSPECT, where, seen=seen, expected=_expected(field), why="name and words say two columns")
    if by_label:
        return note(Verdict.SAME, where, seen="two headers with these words", expected=_expected(field))
    return note(Verdict.HEALED, where, seen=f"headed {columns[named].label!r}", expected=_expected(field), why="found by its name")


def _expected(field: Field) -> str:
    return " or ".join((*field.column, *all_words(field.labels)))[:200]
