"""One form for each value, so that two copies of a record can be compared byte for byte."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from rapport.kernel import text


def plain(value: Any) -> Any:
    """
    Return a value as it is kept: text in NFC without outer spaces, days and instants in ISO form.

    >>> plain(date(2026, 3, 2)), plain(" Ana "), plain(None), plain("")
    ('2026-03-02', 'Ana', None, None)
    """
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value).strip() or None
    return value


def compared(value: Any) -> Any:
    """
    Return a value as two copies of it are compared: a page shows lines and spaces of a text its own way.

    >>> compared("Seen again.\\r\\n  No change… ")
    'Seen again. No change...'
    """
    value = plain(value)
    if not isinstance(value, str):
        return value
    return text.plain(value) or None


def record(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record with every value in its plain form."""
    return {name: plain(value) for name, value in values.items()}


def dump(values: Mapping[str, Any]) -> bytes:
    """Return the one JSON text of a record."""
    return json.dumps(values, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def load(content: bytes) -> dict[str, Any]:
    """Return the record of such a text."""
    values: dict[str, Any] = json.loads(content)
    return values
