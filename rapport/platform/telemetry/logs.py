"""
Logs as one JSON line per event, by an allow-list.

Only fields named here are written, and only values of plain types; a message is one of ours,
never a formatted one. Exceptions give their type and place, not their text: the text of a
database error can hold a person's data.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

ALLOWED = frozenset(
    "request_id method route status ms job job_id attempt queue practice_id object_type object_id "
    "outcome count state endpoint_id delivery_id event_type error sqlstate port pid kind version "
    "reason channel_id submission_id era_file_id seconds".split()
)
"""Fields that may be written. A new one is added here on purpose, after a look at its values."""


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    return str(value)[:200]


def _place(trace: TracebackType | None) -> str:
    frames = traceback.extract_tb(trace)
    return " < ".join(
        f"{frame.filename.rsplit('/rapport/', 1)[-1]}:{frame.lineno}" for frame in frames[-4:][::-1]
    )


class AllowListFormatter(logging.Formatter):
    """Formats a record as JSON, keeping what is allowed and dropping the rest."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        # Our messages are constants. Those of libraries may be formatted from data, so only
        # their template is kept.
        line["event"] = str(record.msg) if not record.name.startswith("rapport") else record.msg
        for name, value in record.__dict__.items():
            if name in ALLOWED:
                line[name] = _plain(value)
        if record.exc_info and record.exc_info[0] is not None:
            line["exception"] = record.exc_info[0].__name__
            line["where"] = _place(record.exc_info[2])
            cause = getattr(record.exc_info[1], "sqlstate", None)
            if cause:
                line["sqlstate"] = str(cause)
        return json.dumps(line, ensure_ascii=True)


def configure(*, level: int = logging.INFO) -> None:
    """Send every log line of the process to standard error in that form."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(AllowListFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("httpx", "httpcore", "asyncssh", "fontTools", "pyhanko", "procrastinate"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
