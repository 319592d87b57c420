"""Hot reads: SQL that is prepared once per connection, run on the driver's own cursor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from django.db import connection

Parameters = Sequence[Any] | Mapping[str, Any]


def _cursor() -> psycopg.Cursor[tuple[Any, ...]]:
    connection.ensure_connection()
    # The plain cursor binds parameters on the server; Django's own binds them into the text,
    # which cannot be prepared.
    return psycopg.Cursor(connection.connection)


def rows(statement: str, parameters: Parameters = ()) -> list[tuple[Any, ...]]:
    """Run a prepared statement and return its rows. The text must be one of few: it is cached."""
    with _cursor() as cursor:
        return cursor.execute(statement, parameters, prepare=True).fetchall()


def one(statement: str, parameters: Parameters = ()) -> tuple[Any, ...] | None:
    """Run a prepared statement and return its first row, or None."""
    with _cursor() as cursor:
        return cursor.execute(statement, parameters, prepare=True).fetchone()


def run(statement: str, parameters: Parameters = ()) -> int:
    """Run a prepared statement that returns no rows; return how many rows it touched."""
    with _cursor() as cursor:
        return cursor.execute(statement, parameters, prepare=True).rowcount


def hold(name: str) -> None:
    """
    Wait for whoever holds this name, and hold it until the transaction ends.

    For what has no row to be locked yet, or is more than one. A name begins with its practice or names it.
    """
    one("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (name,))
