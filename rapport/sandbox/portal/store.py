"""What the portal keeps: one SQLite file, and calls that take turns."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rapport.sandbox.portal.schema import SCHEMA

ZONE_HOURS = 8
"""The portal's people live eight hours west of Greenwich; it writes wall time without a zone."""


class Store:
    """One file and one connection; calls take turns."""

    def __init__(self, file: Path) -> None:
        self._turn = threading.RLock()
        self._connection = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = WAL")
        # A killed process loses nothing by this; only a power cut would.
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(SCHEMA)

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Return all rows of a query."""
        with self._turn:
            return [dict(row) for row in self._connection.execute(statement, values)]

    def one(self, statement: str, values: Sequence[Any] = ()) -> dict[str, Any] | None:
        """Return the first row of a query, or None."""
        found = self.rows(statement, values)
        return found[0] if found else None

    def count(self, statement: str, values: Sequence[Any] = ()) -> int:
        """Return the one number that a query answers."""
        with self._turn:
            return int(self._connection.execute(statement, values).fetchone()[0] or 0)

    def run(self, statement: str, values: Sequence[Any] = ()) -> int:
        """Change something. :return: the new row's number, for an insert"""
        with self._turn:
            return int(self._connection.execute(statement, values).lastrowid or 0)

    def changed(self, statement: str, values: Sequence[Any] = ()) -> int:
        """Change something. :return: how many rows it was"""
        with self._turn:
            return self._connection.execute(statement, values).rowcount

    def many(self, statement: str, values: Iterable[Sequence[Any]]) -> None:
        """Change many rows, all or none."""
        with self._turn:
            self._connection.execute("BEGIN")
            self._connection.executemany(statement, values)
            self._connection.execute("COMMIT")

    def columns(self, table: str) -> list[str]:
        """Return the names of a table's columns; none: there is no such table."""
        return [row["name"] for row in self.rows("SELECT name FROM pragma_table_info(?)", (table,))]

    def exclusive(self) -> threading.RLock:
        """Hold this while reading something and changing it accordingly."""
        return self._turn

    def setting(self, name: str, default: str = "") -> str:
        """Return a setting's value."""
        found = self.one("SELECT value FROM setting WHERE name = ?", (name,))
        return str(found["value"]) if found else default

    def put_setting(self, name: str, value: str) -> None:
        """Keep a setting."""
        self.run("INSERT OR REPLACE INTO setting (name, value) VALUES (?, ?)", (name, value))


def now_text() -> str:
    """Return the portal's wall time, to the second."""
    return (datetime.now(UTC) - timedelta(hours=ZONE_HOURS)).replace(tzinfo=None).isoformat(timespec="seconds")


def shown_until(seconds: float) -> str:
    """Return up to when something must have been made to be in a list that is `seconds` late."""
    return (datetime.fromisoformat(now_text()) - timedelta(seconds=seconds)).isoformat(timespec="seconds")
