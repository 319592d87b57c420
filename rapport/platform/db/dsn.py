"""A PostgreSQL URL as Django's database settings."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit


def django_database(url: str, *, application: str) -> dict[str, Any]:
    """
    Turn `postgresql://user:secret@host:port/name?host=/socket&sslmode=…` into Django's settings.

    Timeouts are set here so that no statement, lock or forgotten transaction can hold a worker
    for long (reliability: every wait has an end).
    """
    parts = urlsplit(url)
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    host = query.pop("host", None) or parts.hostname or ""
    return {
        "ENGINE": "rapport.platform.db.backend",
        "NAME": unquote(parts.path.lstrip("/")) or "rapport",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": False,
        "OPTIONS": {
            "application_name": application,
            "connect_timeout": 5,
            "prepare_threshold": 1,
            "server_side_binding": True,
            "options": "-c statement_timeout=15000 -c lock_timeout=5000"
            " -c idle_in_transaction_session_timeout=20000 -c jit=off",
            **query,
        },
    }
