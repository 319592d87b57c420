"""The sandbox's memory: one SQLite file, written through to the disk before anything is said."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS interchange (
    id TEXT PRIMARY KEY, key TEXT UNIQUE, sha256 TEXT NOT NULL, sender TEXT NOT NULL,
    isa13 TEXT NOT NULL, channel TEXT NOT NULL, name TEXT NOT NULL, data BLOB NOT NULL,
    note TEXT NOT NULL, received_at REAL NOT NULL, answered INTEGER NOT NULL DEFAULT 0);
DROP INDEX IF EXISTS one_interchange_per_number;
CREATE UNIQUE INDEX IF NOT EXISTS one_interchange_per_number_of_a_sender
    ON interchange (sender, isa13) WHERE note = '000' AND channel NOT IN ('json', 'form');
CREATE UNIQUE INDEX IF NOT EXISTS one_interchange_per_upload
    ON interchange (name) WHERE channel = 'sftp';
CREATE TABLE IF NOT EXISTS claim (
    position INTEGER PRIMARY KEY, interchange_id TEXT NOT NULL REFERENCES interchange,
    sender TEXT NOT NULL, number TEXT NOT NULL, icn TEXT NOT NULL, frequency TEXT NOT NULL,
    charge TEXT NOT NULL, outcome TEXT NOT NULL, decision TEXT);
CREATE INDEX IF NOT EXISTS claim_by_number ON claim (number);
CREATE INDEX IF NOT EXISTS claim_by_icn ON claim (icn);
CREATE TABLE IF NOT EXISTS payment (
    position INTEGER PRIMARY KEY, icn TEXT NOT NULL, paid TEXT NOT NULL, trace TEXT NOT NULL,
    paid_on TEXT NOT NULL, decision TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS payment_by_icn ON payment (icn);
CREATE TABLE IF NOT EXISTS waiting (
    position INTEGER PRIMARY KEY, interchange_id TEXT NOT NULL REFERENCES interchange,
    kind TEXT NOT NULL, payload TEXT NOT NULL, due_at REAL);
CREATE TABLE IF NOT EXISTS outbound (
    position INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, kind TEXT NOT NULL,
    sha256 TEXT NOT NULL, data BLOB NOT NULL, created_at REAL NOT NULL,
    interchange_id TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS balance (account TEXT PRIMARY KEY, owed TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS script (position INTEGER PRIMARY KEY AUTOINCREMENT, fault TEXT NOT NULL);
"""


class Store:
    """One connection, used from one thread. Every change happens inside `change()`."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.executescript(SCHEMA)

    @contextmanager
    def change(self) -> Iterator[None]:
        """One transaction, on the disk when the block ends, and nothing at all if it raises."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def run(self, statement: str, *values: Any) -> None:
        """Execute one statement."""
        self._db.execute(statement, values)

    def rows(self, statement: str, *values: Any) -> list[sqlite3.Row]:
        """All rows of a query."""
        return self._db.execute(statement, values).fetchall()

    def row(self, statement: str, *values: Any) -> sqlite3.Row | None:
        """The first row of a query, or None."""
        found: sqlite3.Row | None = self._db.execute(statement, values).fetchone()
        return found

    def next(self, counter: str) -> int:
        """The next number of a counter, from 1; only inside `change()`."""
        self.run(
            "INSERT INTO counter VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET value = value + 1",
            counter,
        )
        row = self.row("SELECT value FROM counter WHERE name = ?", counter)
        if row is None:
            raise LookupError(counter)
        return int(row["value"])

    def setting(self, name: str, default: str) -> str:
        """A value chosen once and kept: `default` is stored the first time it is asked for."""
        self.run("INSERT OR IGNORE INTO setting VALUES (?, ?)", name, default)
        row = self.row("SELECT value FROM setting WHERE name = ?", name)
        return default if row is None else str(row["value"])

    def close(self) -> None:
        """Give the file back."""
        self._db.close()
