"""The table of the acceptance tests, `acceptance.txt`: its columns are explained at its head."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).with_name("acceptance.txt")
_NOT_YET = "not yet: "


@dataclass(frozen=True)
class Row:
    """One acceptance test: what shows it, what shows that it could fail, and what is not shown."""

    number: int
    what: str
    tests: tuple[str, ...]
    controls: tuple[str, ...]
    lacks: str
    """Why it is not shown as a whole; empty: it is."""


def table(text: str) -> list[Row]:
    """
    Return the rows of a table.

    :raises ValueError: a line has not five parts, or its last is neither a dash nor a reason
    :raises KeyError: a short name of a file is not declared
    """
    names: dict[str, str] = {}
    rows = []
    for line in text.splitlines():
        if line.startswith("@"):
            short, path = line[1:].split()
            names[short] = path
        elif line and not line.startswith("#"):
            number, what, tests, controls, lacks = (part.strip() for part in line.split(" | "))
            if lacks != "-" and not lacks.startswith(_NOT_YET):
                raise ValueError(f"{number}: {lacks!r} is no reason")
            rows.append(Row(int(number), what, _nodes(tests, names), _nodes(controls, names), lacks.removeprefix(_NOT_YET).strip("-")))
    return rows


def _nodes(part: str, names: dict[str, str]) -> tuple[str, ...]:
    if part == "-":
        return ()
    return tuple(f"{names[short]}::{test}" for short, _, test in (one.partition("::") for one in part.split()))


def acceptance() -> list[Row]:
    """Return the table as it stands."""
    return table(FILE.read_text("utf-8"))
