"""One page of a list, with whatever is wrong with it today."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rapport.sandbox.portal.cells import CODED, Cell, View, cell, kind_of
from rapport.sandbox.portal.kinds import KINDS, Kind
from rapport.sandbox.portal.settings import number, setting
from rapport.sandbox.portal.store import Store, shown_until
from rapport.sandbox.portal.trouble import Faults

MOST = 100
"""Rows of a page, however many are asked for."""


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a column."""

    name: str
    """The page's own mark, `data-column`."""
    words: str
    type: str
    hidden: bool = False


@dataclass(slots=True)
class Listing:
    """One page of a list."""

    kind: str
    heads: list[Head]
    rows: list[tuple[Any, list[Cell]]]
    total: int
    """What the page says; more than there is where a phantom is counted."""
    first: int
    last: int
    next_page: int | None
    marks_empty: bool
    new_row: bool = False
    """The last row is an empty one, for entering something."""
    rewritten: list[tuple[int, str]] = field(default_factory=list)
    """Places of columns that a script of the page writes over, each with the one row that is meant, or none."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What part of a list is wanted."""

    kind: str
    offset: int = 0
    limit: int = 25
    filters: Mapping[str, str] = field(default_factory=dict)

    @property
    def page(self) -> int:
        """Number of the page, from 1."""
        return self.offset // max(self.limit, 1) + 1


def found(store: Store, *, asked: Asked, limited: bool = True) -> tuple[list[dict[str, Any]], int]:
    """Return the rows that are asked for, and how many there are in all."""
    kind = KINDS[asked.kind]
    where, values = " WHERE 1 = 1", []
    for name, clause in kind.filters.items():
        if asked.filters.get(name):
            where += f" AND {clause}"
            values.append(asked.filters[name])
    if kind.made_at:
        where += f" AND {kind.made_at} <= ?"
        values.append(shown_until(number(store, "late_seconds")))
    total = store.count(f"SELECT count(*) FROM ({kind.select}{where})", values)  # noqa: S608 - parts of this program
    part = " LIMIT ? OFFSET ?" if limited else ""
    rows = store.rows(
        f"{kind.select}{where} ORDER BY {_order(store, kind)}{part}",
        [*values, asked.limit, asked.offset] if limited else values,
    )
    return rows, total


def _order(store: Store, kind: Kind) -> str:
    by_name = kind.name == "patients" and setting(store, "patient_order") == "name"
    return "p.last, p.first, p.id" if by_name else kind.order


def listing(store: Store, *, asked: Asked, view: View, phantom: bool = False) -> Listing:
    """
    Return a page of a list as this look shows it.

    :param phantom: count a row more than there is, as for somebody who may enter one
    """
    faults, kind = view.faults, KINDS[asked.kind]
    if "repeat_page" in faults:
        rows, total = found(store, asked=Asked(asked.kind, 0, asked.limit, asked.filters))
    else:
        rows, total = found(store, asked=asked)
    if "empty_list" in faults:
        rows, total = [], 0
    more = asked.offset + asked.limit < total
    names, heads = heads_and_names(kind, view)
    shown = [(row["id"], [cell(name, row, view, kind=kind.name) for name in names]) for row in rows]
    if "extra_column" in faults:
        heads.insert(1, Head("referral", view.look.words["referral"], "text"))
        shown = [(id, [cells[0], Cell("none"), *cells[1:]]) for id, cells in shown]
    if "double_rows" in faults:
        shown = [row for row in shown for _ in range(2)]
    if "no_rows" in faults:
        shown = []
    phantoms = setting(store, "phantom_row")
    ends = any(value in ("", str(asked.page)) for value in faults.values("no_next"))
    return Listing(
        kind=kind.name, heads=heads, rows=shown, total=total + (phantom or phantoms != "0") + int(faults.value("wrong_total") or 0),
        first=asked.offset + 1 if rows else 0, last=asked.offset + len(rows), next_page=asked.page + 1 if more and not ends else None,
        marks_empty="no_rows" not in faults, new_row=phantoms == "shown" and not more,
        rewritten=[
            (names.index(name), only) for name, _, only in (one.partition(":") for one in faults.values("script_value")) if name in names
        ],
    )  # fmt: skip


def heads_and_names(kind: Kind, view: View) -> tuple[list[str], list[Head]]:
    """Return which columns are shown, and the head that stands over each."""
    names = _names(kind, view)
    return names, _heads(names, kind, view)


def _names(kind: Kind, view: View) -> list[str]:
    """Return the columns, in today's order."""
    faults = view.faults
    names = [name for name in view.look.orders.get(kind.name, kind.columns) if name not in faults.values("drop_column")]
    for one, other in _pairs(faults, "swap_columns", names):
        names[one], names[other] = names[other], names[one]
    if "reorder_columns" in faults:
        seed = faults.value("reorder_columns")
        if seed.isdigit():
            random.Random(int(seed)).shuffle(names)  # noqa: S311 - an order to test with
        else:
            names.reverse()
    return names


def _heads(names: list[str], kind: Kind, view: View) -> list[Head]:
    faults, words = view.faults, view.look.words
    heads = [Head(name, words.get(name, name), kind_of(name), name in kind.hidden) for name in names]
    labels = dict(value.partition("=")[::2] for value in faults.values("rename_label"))
    for place, head in enumerate(heads):
        if head.name in labels:
            heads[place] = Head(head.name, labels[head.name] or f"{head.words} (2027)", head.type, head.hidden)
        if head.name in faults.values("rename_column"):
            heads[place] = Head(f"{head.name}_2", f"{head.words} (2027)", head.type, head.hidden)
    for one, other in _pairs(faults, "swap_heads", names):
        heads[one], heads[other] = heads[other], heads[one]
    return heads


def _pairs(faults: Faults, fault: str, names: list[str]) -> list[tuple[int, int]]:
    """Return the places of pairs of columns that a fault names, where both are there."""
    pairs = (value.split(",") for value in faults.values(fault))
    return [
        (names.index(pair[0]), names.index(pair[1]))
        for pair in pairs
        if len(pair) == 2 and set(pair) <= set(names)
    ]


def as_grid(shown: Listing) -> tuple[list[dict[str, Any]], list[list[Any]]]:
    """Return a list as a grid has it: columns by themselves, and rows without names; codes in hidden columns at the end."""
    coded = [place for place, head in enumerate(shown.heads) if head.type == "code" or head.name in ("patient", "clinician")]
    columns = [
        {"name": head.name, "label": head.words, "type": head.type, "hidden": head.hidden} for head in shown.heads
    ]
    columns += [
        {"name": f"{shown.heads[place].name}_{'code' if shown.heads[place].name in CODED else 'id'}", "label": "", "type": "text", "hidden": True}
        for place in coded
    ]  # fmt: skip
    rows = [
        [_value(head, one) for head, one in zip(shown.heads, cells, strict=True)] + [cells[place].code for place in coded]
        for _, cells in shown.rows
    ]
    return columns, rows


def _value(head: Head, one: Cell) -> Any:
    return int(one.text) if head.type == "number" and one.text.isdigit() else one.text
