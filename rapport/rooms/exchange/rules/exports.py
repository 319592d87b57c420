"""A list and the portal's own export of it, compared record by record: what of their differences means something."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from rapport.rooms.exchange.ports import Finding, Row

from . import freshness
from .canonical import compared

MISSING = "not_in_export"
"""Mark of a record that the list has and the export has not."""
STRANGE = "not_in_list"
"""Mark of a record that the export has and the list has not."""


@dataclass(frozen=True, slots=True)
class Copy:
    """One record as the list shows it."""

    remote_id: str
    values: Mapping[str, Any] = field(repr=False)
    absent: Mapping[str, str]
    changed_at: datetime
    """Since when it is as it is."""
    read_at: datetime
    """When it was seen last."""
    there: bool
    """The last whole reading had it."""
    gone_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """What a comparison came to."""

    judged: int
    """Records of which something could be said."""
    unsettled: int
    """Records that changed meanwhile, or whose day was not read."""
    differences: Sequence[tuple[str, str]]
    """Record and field, or record and `MISSING` or `STRANGE`."""

    @property
    def records(self) -> int:
        """How many records differ."""
        return len({remote_id for remote_id, _ in self.differences})


def compare(
    rows: Sequence[Row], copies: Sequence[Copy], *, kind: str, asked_at: datetime, fetched_at: datetime,
    days: tuple[date, date] | None = None,
) -> Compared:
    """
    Compare an export with a list that was read before it was ordered, and read whole again after it was here.

    A list and an export are never of the same instant. A record counts only where the list showed the same before
    and after: then it showed that in between, too, and the export should.

    :param days: of a kind that is read by days: the first and the last that both readings had
    """
    known = {one.remote_id: one for one in copies}
    exported = {row.remote_id: row for row in rows}
    found: list[tuple[str, str]] = []
    judged = unsettled = 0
    for remote_id, row in exported.items():
        copy = known.get(remote_id)
        if not _stood(copy, row, kind=kind, asked_at=asked_at, fetched_at=fetched_at, days=days):
            unsettled += 1
            continue
        judged += 1
        if copy is None or copy.gone_at is not None:
            found.append((remote_id, STRANGE))
        else:
            found += [(remote_id, name) for name in _differing(row, copy)]
    for remote_id, copy in known.items():
        if remote_id not in exported and copy.there and copy.changed_at <= asked_at and copy.read_at >= fetched_at:
            judged += 1
            found.append((remote_id, MISSING))
    return Compared(judged, unsettled, found)


def _stood(
    copy: Copy | None, row: Row, *, kind: str, asked_at: datetime, fetched_at: datetime,
    days: tuple[date, date] | None,
) -> bool:
    """Tell whether the list showed the same before the export was ordered and after it was here."""
    if copy is None:
        day = freshness.day_in(kind, row.values)
        return days is None or (day is not None and days[0] <= day <= days[1])
    if copy.gone_at is not None:
        return copy.gone_at <= asked_at
    return copy.there and copy.changed_at <= asked_at and copy.read_at >= fetched_at


def _differing(row: Row, copy: Copy) -> list[str]:
    return [
        name for name in sorted(row.values)
        if name in copy.values and name not in row.absent and name not in copy.absent
        and compared(row.values[name]) != compared(copy.values[name])
    ]  # fmt: skip


def both_read(kind: str, *, before: date, after: date) -> tuple[date, date] | None:
    """
    Return the days that a whole reading on each of two days had, less one at either end: clocks differ.

    >>> both_read("appointments", before=date(2026, 3, 2), after=date(2026, 3, 3))
    (datetime.date(2026, 1, 1), datetime.date(2026, 6, 2))
    >>> both_read("patients", before=date(2026, 3, 2), after=date(2026, 3, 3)) is None
    True
    """
    first = freshness.windows(kind, today=after, near=False)[0].first
    last = freshness.windows(kind, today=before, near=False)[-1].last
    if first is None or last is None:
        return None
    return first + timedelta(days=1), last - timedelta(days=1)


def findings(kind: str, differences: Sequence[tuple[str, str]], *, judged: int) -> list[Finding]:
    """
    Return differences as counts and names of fields. No value, and no id of a record.

    >>> [one.seen for one in findings("patients", [("7", "phone"), ("8", "phone"), ("9", MISSING)], judged=30)]
    ['without 1 of 30 records', 'another value in 2 of 30 records']
    """
    counts: dict[str, int] = {}
    for _, name in differences:
        counts[name] = counts.get(name, 0) + 1
    said = {MISSING: "without {0} of {1} records", STRANGE: "{0} records that the list does not have"}
    return [
        Finding(
            place=kind if name in said else f"{kind}.{name}",
            seen=said.get(name, "another value in {0} of {1} records").format(counts[name], judged),
            expected="what the list showed before and after", note="export",
        )
        for name in sorted(counts, key=lambda name: (name not in said, name))
    ]  # fmt: skip
