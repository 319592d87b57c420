"""How old each kind of record may be, and which days are read when."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from types import MappingProxyType

TARGET_SECONDS: Mapping[str, int] = MappingProxyType({"appointments": 60, "patients": 300, "notes": 300})
"""Kind -> how old it may be. The calendar window, and what today's visits need."""
OTHER_SECONDS = 900
AGAIN_SECONDS = 60
"""So long nothing is tried again that did not work, unless it is due more often."""
WHOLE_SECONDS = 900
"""How often kinds that are read by days are read beyond the near ones."""

DAY_FIELDS: Mapping[str, str] = MappingProxyType({"appointments": "start_local", "notes": "service_on"})
"""Kinds that are read by days -> the field with the day."""

Window = tuple[date | None, date | None]
"""First and last day of a reading; None and None: all there is."""


def target_seconds(kind: str) -> int:
    """
    Return how old a kind may be.

    >>> target_seconds("appointments"), target_seconds("remittances")
    (60, 900)
    """
    return TARGET_SECONDS.get(kind, OTHER_SECONDS)


def windows(kind: str, *, today: date, near: bool) -> list[Window]:
    """
    Return the pieces in which a kind is read, one after the other.

    >>> len(windows("patients", today=date(2026, 3, 2), near=True))
    1
    >>> windows("appointments", today=date(2026, 3, 2), near=True)
    [(datetime.date(2026, 3, 1), datetime.date(2026, 3, 16))]
    """
    if kind not in DAY_FIELDS:
        return [(None, None)]
    if near:
        ahead = 14 if kind == "appointments" else 0
        return [(today - timedelta(days=1), today + timedelta(days=ahead))]
    first, last = today - timedelta(days=62), today + timedelta(days=93 if kind == "appointments" else 0)
    pieces: list[Window] = []
    while first <= last:
        pieces.append((first, min(first + timedelta(days=30), last)))
        first += timedelta(days=31)
    return pieces


def day_in(kind: str, values: Mapping[str, object]) -> date | None:
    """
    Return the day of a record of a kind that is read by days.

    >>> day_in("appointments", {"start_local": "2026-03-02T09:00:00"})
    datetime.date(2026, 3, 2)
    """
    text = str(values.get(DAY_FIELDS.get(kind, ""), "") or "")[:10]
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def given(window: Window) -> dict[str, str]:
    """
    Return a window as a portal's list takes it: its end is the first day that is not wanted.

    A portal that counts that day in shows a day more, which does no harm.

    >>> given((date(2026, 3, 1), date(2026, 3, 16)))
    {'from_on': '2026-03-01', 'to_on': '2026-03-17'}
    """
    first, last = window
    if first is None or last is None:
        return {}
    return {"from_on": first.isoformat(), "to_on": (last + timedelta(days=1)).isoformat()}


def is_quiet(hour_minute: str, *, quiet_from: str, quiet_to: str) -> bool:
    """
    Tell whether a time of day (`HH:MM`) is in the quiet hours.

    >>> is_quiet("23:30", quiet_from="22:00", quiet_to="05:00"), is_quiet("12:00", quiet_from="22:00", quiet_to="05:00")
    (True, False)
    """
    if not quiet_from or not quiet_to:
        return False
    if quiet_from <= quiet_to:
        return quiet_from <= hour_minute < quiet_to
    return hour_minute >= quiet_from or hour_minute < quiet_to
