"""
A known record that every run looks at. What is kept of it are digests, salted for one connection.

It catches what no format can: columns that look alike and were swapped, days and months likewise.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Any

from rapport.connectors.portals.decode.columns import Decoded
from rapport.connectors.portals.decode.raw import Noted, note
from rapport.rooms.exchange.ports import Verdict


def digest(value: Any, *, salt: str) -> str:
    """Return what is kept of one value."""
    return hmac.new(salt.encode(), repr(value).encode(), hashlib.sha256).hexdigest()[:32]


def remember(row: Decoded, *, fields: Sequence[str], salt: str) -> dict[str, Any]:
    """Return the calibration of a canary: which record, and the digests of its fields."""
    return {
        "remote_id": row.remote_id,
        "salt": salt,
        "digests": {name: digest(row.values[name], salt=salt) for name in fields if name in row.values},
    }


def check(known: Mapping[str, Any] | None, rows: Sequence[Decoded], *, place: str, whole: bool) -> list[Noted]:
    """
    Compare the known record with what was read of it now.

    :param whole: the list has every record, so that it must be there
    """
    if not known:
        return []
    row = next((one for one in rows if one.remote_id == known["remote_id"]), None)
    if row is None:
        lost = note(Verdict.SUSPECT, place, seen="the known record is not there", expected="it", why="canary")
        return [lost] if whole else []
    return [
        note(Verdict.SUSPECT, f"{place}.{name}", seen=_short(row, name, known["salt"]), expected=str(was)[:8], why="canary")
        for name, was in known["digests"].items()
        if name not in row.values or digest(row.values[name], salt=known["salt"]) != was
    ]


def _short(row: Decoded, name: str, salt: str) -> str:
    """The first part of both digests goes into the report: enough to see that they differ."""
    return digest(row.values[name], salt=salt)[:8] if name in row.values else row.absent.get(name, "nothing")
