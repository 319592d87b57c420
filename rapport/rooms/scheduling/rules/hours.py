"""Working hours, and the free slots they leave. Wall times of a zone; real minutes throughout."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True)
class Shift:
    """Working hours on a day of the week, as a wall clock shows them."""

    weekday: int
    """0 is Monday."""
    starts: str
    """`HH:MM`."""
    ends: str
    """`HH:MM`, later than `starts`; `24:00` is midnight."""


@dataclass(frozen=True, slots=True)
class Week:
    """A clinician's working week."""

    zone: ZoneInfo
    shifts: tuple[Shift, ...]
    guides_only: bool = False
    """
    They guide a search for slots and forbid nothing: nobody has said what the hours are, or another system keeps
    the calendar and decides itself what it takes.
    """


def default_week(zone: ZoneInfo) -> Week:
    """Return Monday to Friday, 08:00 to 18:00: what is searched when no hours were set."""
    return Week(zone, tuple(Shift(day, "08:00", "18:00") for day in range(5)), guides_only=True)


@dataclass(frozen=True, slots=True, order=True)
class Stretch:
    """A half-open stretch of time between two instants."""

    start_at: datetime
    end_at: datetime


def _instant(day: date, wall: str, zone: ZoneInfo) -> datetime:
    hour, minute = int(wall[:2]), int(wall[3:5])
    if hour == 24:
        day, hour = day + timedelta(days=1), 0
    # A shift that begins within a gap begins when the clocks go on: fold 0 reads it so.
    return datetime.combine(day, time(hour, minute), tzinfo=zone).astimezone(UTC)


def stretches(week: Week, *, from_at: datetime, to_at: datetime) -> list[Stretch]:
    """Return the working time that touches a window, in order; shifts that meet are joined."""
    day = from_at.astimezone(week.zone).date() - timedelta(days=1)
    last = to_at.astimezone(week.zone).date()
    found: list[Stretch] = []
    while day <= last:
        for shift in sorted(week.shifts, key=lambda shift: shift.starts):
            if shift.weekday != day.weekday():
                continue
            start = _instant(day, shift.starts, week.zone)
            end = _instant(day, shift.ends, week.zone)
            if end <= from_at or start >= to_at or end <= start:
                continue
            if found and start <= found[-1].end_at:
                found[-1] = Stretch(found[-1].start_at, max(end, found[-1].end_at))
            else:
                found.append(Stretch(start, end))
        day += timedelta(days=1)
    return found


def within(week: Week, *, start_at: datetime, end_at: datetime) -> bool:
    """Tell whether a meeting lies within working time as a whole."""
    return any(
        stretch.start_at <= start_at and end_at <= stretch.end_at
        for stretch in stretches(week, from_at=start_at, to_at=end_at)
    )


def free_slots(
    week: Week,
    busy: Sequence[Stretch],
    *,
    from_at: datetime,
    to_at: datetime,
    duration: timedelta,
    step: timedelta,
) -> Iterator[Stretch]:
    """
    Yield slots of this length in working time that touch nothing busy, in order.

    They begin every `step` of real time after the start of a stretch of work, not before
    `from_at`, and end by `to_at`.

    :param busy: in order of `start_at`
    """
    first = 0
    for stretch in stretches(week, from_at=from_at, to_at=to_at):
        # What ended before this stretch began is over for the later ones too.
        while first < len(busy) and busy[first].end_at <= stretch.start_at:
            first += 1
        blocks = []
        for block in busy[first:]:
            if block.start_at >= stretch.end_at:
                break
            if block.end_at > stretch.start_at:
                blocks.append(block)
        at, position, reach = stretch.start_at, 0, stretch.start_at
        while at + duration <= stretch.end_at and at + duration <= to_at:
            end = at + duration
            while position < len(blocks) and blocks[position].start_at < end:
                reach = max(reach, blocks[position].end_at)
                position += 1
            if at >= from_at and reach <= at:
                yield Stretch(at, end)
            at += step
