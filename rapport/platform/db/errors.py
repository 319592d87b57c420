"""What a database error means for a caller."""

from __future__ import annotations

import psycopg
from django.db import Error, InterfaceError, OperationalError


def sqlstate(error: BaseException) -> str:
    """Return the SQLSTATE behind a Django or driver error, or an empty string."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, psycopg.Error) and cause.sqlstate:
            return cause.sqlstate
        cause = cause.__cause__
    return ""


def asks_for_retry(error: BaseException) -> bool:
    """Tell whether running the same transaction again can succeed (deadlock, serialization)."""
    return isinstance(error, Error | psycopg.Error) and sqlstate(error) in {"40001", "40P01"}


def is_outage(error: BaseException) -> bool:
    """Tell whether the database is away, overloaded or full, so that nothing was done."""
    state = sqlstate(error)
    if state[:2] in {"08", "53", "57", "58"} or state in {"55P03", "25P03"}:
        return True
    return not state and isinstance(
        error, OperationalError | InterfaceError | psycopg.OperationalError
    )


def is_disk_full(error: BaseException) -> bool:
    """Tell whether the database has no room to write."""
    return sqlstate(error) == "53100"


def constraint_name(error: BaseException) -> str:
    """Return the constraint that was violated, or an empty string."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, psycopg.Error):
            return cause.diag.constraint_name or ""
        cause = cause.__cause__
    return ""
