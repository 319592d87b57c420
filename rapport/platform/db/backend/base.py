"""PostgreSQL for Django, keeping psycopg's C loader for timestamps.

Django replaces it by a Python one (3.5 microseconds a value), which is most of the cost of a list.
Every connection runs in UTC, so the loader's answer is the same.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.backends.postgresql import base
from psycopg.types.datetime import TimestamptzLoader


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's PostgreSQL backend, less its Python timestamp loader."""

    def get_connection_params(self) -> dict[str, Any]:
        parameters: dict[str, Any] = super().get_connection_params()
        if self.timezone is dt.UTC:
            parameters["context"].register_loader("timestamptz", TimestamptzLoader)
        return parameters

    def create_cursor(self, name: str | None = None) -> Any:
        if name or self.timezone is not dt.UTC:
            return super().create_cursor(name)
        return self.connection.cursor()
