"""How old each kind of record may be, and which days are read when."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from math import ceil
from types import MappingProxyType
from typing import NamedTuple

TARGET_SECONDS: Mapping[str, int] = MappingProxyType({"appointments": 60, "patients": 300, "notes": 300})
"""Kind -> how old it may be. The calendar window, and what today's visits need."""
OTHER_SECONDS = 900
AGAIN_SECONDS = 60
"""So long nothing is tried again that did not work, unless it is due more often."""
WHOLE_SECONDS = 900
"""How often kinds that are read by days are read beyond the near ones."""

PARTS_SECONDS = 86400
"""In so long the lists that have to be asked for by patient are read once more, a few at a time."""
PARTS_LATE_SECONDS = PARTS_SECONDS + PARTS_SECONDS // 4
"""How old the oldest of them may be: a night without requests is made up for by day."""
_LONGEST_GAP = 6 * 3600

DAY_FIELDS: Mapping[str, str] = MappingProxyType({"appointments": "start_local", "notes": "service_on"})
"""Kinds that are read by days -> the field with the day."""

AFTER: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "appointments": ("clinicians", "patients"), "notes": ("clinicians", "patients", "appointments"),
        "working_hours": ("clinicians",), "policies": ("patients",), "claims": ("appointments", "policies"), "payments": ("claims",),
        "eras": ("claims",), "claim_files": ("claims",),
    }
)  # fmt: skip
"""Kind -> kinds that are read as a whole before it is read for the first time: it speaks of their records."""
_DAYS_OF: Mapping[str, str] = MappingProxyType({**DAY_FIELDS, "claims": "service_on"})
"""Kinds whose copies say their day -> the field with it."""


class Window(NamedTuple):
    """What one piece of a reading is narrowed to; nothing: all there is."""

    first: date | None = None
    last: date | None = None
    """First and last day, of a kind that is read by days."""
    patient: str = ""
    """The portal's id of a patient, of a list that has to be asked for one by one."""


def waits_for(kind: str, *, readable: Collection[str], read: Collection[str]) -> list[str]:
    """
    Return what has to be read before a kind is read for the first time. What cannot be read is not waited for.

    >>> waits_for("claims", readable=["appointments", "claims"], read=[])
    ['appointments']
    """
    return [one for one in AFTER.get(kind, ()) if one in readable and one not in read]


def target_seconds(kind: str) -> int:
    """
    Return how old a kind may be.

    >>> target_seconds("appointments"), target_seconds("remittances")
    (60, 900)
    """
    return TARGET_SECONDS.get(kind, OTHER_SECONDS)


def share(patients: int, *, seconds: float) -> int:
    """
    Return how many of the lists that are asked for by patient are due again after so many seconds.

    >>> share(2500, seconds=450), share(36, seconds=450), share(2500, seconds=86400), share(0, seconds=450)
    (14, 1, 625, 0)
    """
    return ceil(patients * min(max(seconds, 0), _LONGEST_GAP) / PARTS_SECONDS)


def windows(
    kind: str, *, today: date, near: bool, patients: Sequence[str] | None = None
) -> list[Window]:
    """
    Return the pieces in which a kind is read, one after the other.

    :param patients: of a list that has to be asked for by patient: the portal's ids of all of them

    >>> len(windows("patients", today=date(2026, 3, 2), near=True))
    1
    >>> windows("appointments", today=date(2026, 3, 2), near=True)
    [Window(first=datetime.date(2026, 3, 1), last=datetime.date(2026, 3, 16), patient='')]
    >>> [one.patient for one in windows("policies", today=date(2026, 3, 2), near=False, patients=["7", "8"])]
    ['7', '8']
    """
    if patients is not None:
        return [Window(patient=one) for one in patients]
    if kind not in DAY_FIELDS:
        return [Window()]
    if near:
        ahead = 14 if kind == "appointments" else 0
        return [Window(today - timedelta(days=1), today + timedelta(days=ahead))]
    first, last = today - timedelta(days=62), today + timedelta(days=93 if kind == "appointments" else 0)
    pieces: list[Window] = []
    while first <= last:
        pieces.append(Window(first, min(first + timedelta(days=30), last)))
        first += timedelta(days=31)
    return pieces


def around(kind: str, *, today: date) -> Window:
    """
    Return the days of a kind that are looked at to compare two ways of reading it; nothing: its first page.

    >>> around("notes", today=date(2026, 3, 31)), around("claims", today=date(2026, 3, 31)).first
    (Window(first=datetime.date(2026, 3, 1), last=datetime.date(2026, 4, 14), patient=''), None)
    """
    if kind not in DAY_FIELDS:
        return Window()
    return Window(today - timedelta(days=30), today + timedelta(days=14))


def day_in(kind: str, values: Mapping[str, object]) -> date | None:
    """
    Return the day of a record, of a kind whose records are looked for by their day.

    >>> day_in("appointments", {"start_local": "2026-03-02T09:00:00"})
    datetime.date(2026, 3, 2)
    """
    text = str(values.get(_DAYS_OF.get(kind, ""), "") or "")[:10]
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def given(window: Window) -> dict[str, str]:
    """
    Return a window as a portal's list takes it: its end is the first day that is not wanted.

    A portal that counts that day in shows a day more, which does no harm.

    >>> given(Window(date(2026, 3, 1), date(2026, 3, 16)))
    {'from_on': '2026-03-01', 'to_on': '2026-03-17'}
    """
    first, last, patient = window
    if patient:
        return {"patient_id": patient}
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
