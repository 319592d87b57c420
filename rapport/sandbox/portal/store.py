"""What the portal keeps: one SQLite file. Every figure in it can be told from its row's number."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS user (
    login TEXT PRIMARY KEY, password TEXT NOT NULL, name TEXT NOT NULL, role TEXT NOT NULL,
    factor TEXT NOT NULL, totp_secret TEXT NOT NULL DEFAULT '', phone TEXT NOT NULL DEFAULT '',
    wrong INTEGER NOT NULL DEFAULT 0, locked_until REAL NOT NULL DEFAULT 0, notice TEXT NOT NULL DEFAULT '',
    last_step INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS session (
    id INTEGER PRIMARY KEY, token TEXT NOT NULL, before TEXT NOT NULL DEFAULT '', turned_at REAL NOT NULL,
    login TEXT NOT NULL, user_agent TEXT NOT NULL, csrf TEXT NOT NULL, seen_at REAL NOT NULL, state TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS code (
    id INTEGER PRIMARY KEY, login TEXT NOT NULL, way TEXT NOT NULL, code TEXT NOT NULL, sent_at REAL NOT NULL,
    spent INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS clinician (id INTEGER PRIMARY KEY, first TEXT, last TEXT, credentials TEXT, npi TEXT);
CREATE TABLE IF NOT EXISTS patient (
    id INTEGER PRIMARY KEY, first TEXT, middle TEXT, last TEXT, preferred TEXT, birth_on TEXT, sex TEXT, status TEXT,
    clinician_id INTEGER, email TEXT, phone TEXT, line1 TEXT, city TEXT, state TEXT, postal_code TEXT,
    payer TEXT, member_id TEXT, updated_at TEXT);
CREATE TABLE IF NOT EXISTS appointment (
    id INTEGER PRIMARY KEY, patient_id INTEGER, clinician_id INTEGER, code TEXT, start_at TEXT, minutes INTEGER,
    place TEXT, status TEXT, version INTEGER NOT NULL DEFAULT 1, updated_at TEXT);
CREATE TABLE IF NOT EXISTS note (
    id INTEGER PRIMARY KEY, patient_id INTEGER, clinician_id INTEGER, appointment_id INTEGER, type TEXT, service_on TEXT, status TEXT,
    signed_at TEXT, signed_by TEXT);
CREATE TABLE IF NOT EXISTS request (
    id INTEGER PRIMARY KEY, at REAL, login TEXT, method TEXT, path TEXT, user_agent TEXT, status INTEGER);
"""

_FIRST = "Ana Ben Chloe Dario Esme Femi Greta Hugo Inés Jonas Kaya Liam Mira Noah Oona Petra Quinn Rafael Sofia Tariq".split()
_LAST = "Rivera O'Brien Nakamura Schmidt Adeyemi Larsen Moreau Kowalski Haddad Okafor Silva Brandt Novák".split()
_CITIES = (("Portland", "OR", "97205"), ("Salem", "OR", "97301"), ("Boise", "ID", "83702"))
_PAYERS = (("Cascade Health Plan", "CHP"), ("Example Mutual", "EXM"), ("", ""))
CLINICIANS = (
    (1, "Maya", "Chen", "PhD", "1000000004"), (2, "Owen", "Hart", "LCSW", "1000000012"), (3, "Ruth", "Vega", "MD", "1000000020"),
)  # fmt: skip
ZONE_HOURS = 8
"""The portal's people live eight hours west of Greenwich; it writes wall time without a zone."""


class Store:
    """One file and one connection; calls take turns."""

    def __init__(self, file: Path) -> None:
        self._turn = threading.RLock()
        self._connection = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.executescript(SCHEMA)

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Return all rows of a query."""
        with self._turn:
            return [dict(row) for row in self._connection.execute(statement, values)]

    def one(self, statement: str, values: Sequence[Any] = ()) -> dict[str, Any] | None:
        """Return the first row of a query, or None."""
        found = self.rows(statement, values)
        return found[0] if found else None

    def run(self, statement: str, values: Sequence[Any] = ()) -> int:
        """Change something. :return: the new row's number, for an insert"""
        with self._turn:
            return int(self._connection.execute(statement, values).lastrowid or 0)

    def many(self, statement: str, values: Iterable[Sequence[Any]]) -> None:
        """Change many rows, all or none."""
        with self._turn:
            self._connection.execute("BEGIN")
            self._connection.executemany(statement, values)
            self._connection.execute("COMMIT")

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


def fill(store: Store, *, patients: int, today: date) -> None:
    """Put a practice into an empty store: clinicians, patients, three weeks of appointments, notes."""
    if store.one("SELECT id FROM clinician LIMIT 1"):
        return
    store.many("INSERT INTO clinician VALUES (?, ?, ?, ?, ?)", CLINICIANS)
    store.many(
        f"INSERT INTO patient VALUES ({', '.join('?' * 18)})",  # noqa: S608 - question marks
        (patient(number, today=today) for number in range(1, patients + 1)),
    )
    visits = [
        visit
        for number in range(1, patients + 1)
        for visit in _visits(number, today=today)
    ]
    store.many(
        "INSERT INTO appointment (patient_id, clinician_id, code, start_at, minutes, place, status, updated_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        visits,
    )
    store.run(
        "INSERT INTO note (patient_id, clinician_id, appointment_id, type, service_on, status, signed_at, signed_by)"
        " SELECT a.patient_id, a.clinician_id, a.id, 'Progress Note', substr(a.start_at, 1, 10),"
        " CASE a.id % 3 WHEN 0 THEN 'Draft' ELSE 'Signed' END,"
        " CASE a.id % 3 WHEN 0 THEN '' ELSE substr(a.start_at, 1, 10) || 'T18:30' END,"
        " CASE a.id % 3 WHEN 0 THEN '' ELSE c.first || ' ' || c.last || ', ' || c.credentials END"
        " FROM appointment a JOIN clinician c ON c.id = a.clinician_id WHERE a.status = 'Completed'"
    )


def patient(number: int, *, today: date) -> tuple[Any, ...]:
    """Return the patient with this number."""
    city, state, postal_code = _CITIES[number % 3]
    payer, prefix = _PAYERS[number % 3]
    first, last = _FIRST[number % len(_FIRST)], _LAST[number % len(_LAST)]
    born = date(1950 + number % 55, 1 + number % 12, 1 + number % 28)
    return (
        number, first, "J" if number % 4 == 0 else "", last, "", born.isoformat(), "FM"[number % 2],
        "Inactive" if number % 9 == 0 else "Active", 1 + number % 3, f"patient{number}@example.org",
        f"503-555-{number % 10000:04}", f"{number} Alder Court", city, state, postal_code, payer,
        f"{prefix}{number:06}" if payer else "", f"{today.isoformat()}T06:00:00",
    )  # fmt: skip


def _visits(number: int, *, today: date) -> Iterable[tuple[Any, ...]]:
    """Yield a patient's weekly visits: two that took place and one to come. Nobody meets two at once."""
    clinician, turn = 1 + number % 3, number // 3
    slot = turn % 40
    monday = today - timedelta(days=today.weekday())
    for week in (-2, -1, 1):
        if turn >= 40:
            return
        day = monday + timedelta(weeks=week, days=slot // 8)
        start = datetime.combine(day, time(9 + slot % 8))
        status = "Scheduled" if week > 0 else "Completed"
        place = "Telehealth" if number % 2 else "Main office"
        yield (
            number, clinician, "90837" if number % 2 else "90834", start.isoformat(timespec="minutes"), 50, place,
            status, f"{today.isoformat()}T06:00:00",
        )  # fmt: skip


def now_text() -> str:
    """Return the portal's wall time, to the second."""
    return (datetime.now(UTC) - timedelta(hours=ZONE_HOURS)).replace(tzinfo=None).isoformat(timespec="seconds")
