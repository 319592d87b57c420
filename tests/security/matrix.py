"""
Who may call what, as a person decided it: `matrix.txt`, one line per route and one column per role.

The product derives the same from permissions. Here it is written out, so that a new route or a
role that gained a right by a change elsewhere fails the run until somebody has looked at it.
"""

from __future__ import annotations

from pathlib import Path

FILE = Path(__file__).with_name("matrix.txt")
OPEN = "open"
"""In place of roles: the route needs no permission (signing in, and links that are secrets)."""


def read(text: str | None = None) -> tuple[list[str], dict[tuple[str, str], frozenset[str] | str]]:
    """Return the roles, and for each (method, path) the roles that may call it, or `open`."""
    lines = [line for line in (text or FILE.read_text()).splitlines() if line and line[0] != "#"]
    roles = lines[0].split()
    rows: dict[tuple[str, str], frozenset[str] | str] = {}
    for line in lines[1:]:
        method, path, *marks = line.split()
        if (method, path) in rows:
            raise ValueError(f"{method} {path} is there twice")
        if marks == [OPEN]:
            rows[method, path] = OPEN
            continue
        if len(marks) != len(roles) or set(marks) - {"x", "-"}:
            raise ValueError(f"{method} {path} has not one mark for each role")
        rows[method, path] = frozenset(r for r, mark in zip(roles, marks, strict=True) if mark == "x")
    return roles, rows
