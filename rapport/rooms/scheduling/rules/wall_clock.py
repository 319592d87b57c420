"""
What a wall clock shows, and which instant that is.

A zone's clocks skip an hour in spring, so some wall times do not exist; they run through one
hour twice in autumn, so some exist twice. Python answers for both without a word (PEP 495); here
both are errors that name the choices.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones


@dataclass(frozen=True, slots=True)
class LocalTime:
    """An instant as a wall clock in a zone shows it."""

    at: datetime
    """The instant, UTC."""
    wall: datetime
    """What the clock shows; naive."""
    offset: timedelta
    """Of the zone's clocks from UTC, just then."""

    @property
    def offset_text(self) -> str:
        """`+05:30`, `-08:00` …"""
        return offset_text(self.offset)


class NoSuchWallTime(ValueError):
    """The clocks skip this time; `before` and `after` are the same distance off it."""

    def __init__(self, before: LocalTime, after: LocalTime) -> None:
        super().__init__("no such wall time")
        self.before, self.after = before, after


class TwoSuchWallTimes(ValueError):
    """The clocks show this time twice."""

    def __init__(self, first: LocalTime, second: LocalTime) -> None:
        super().__init__("two such wall times")
        self.first, self.second = first, second


class WrongOffset(ValueError):
    """The zone's clocks do not show this time at that offset from UTC."""


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def zone_named(name: str) -> ZoneInfo | None:
    """Return the IANA zone of this name, or None.

    >>> zone_named("America/New_York").key, zone_named("Mars/Base")
    ('America/New_York', None)
    """
    return ZoneInfo(name) if name in _zones() else None


def offset_text(offset: timedelta) -> str:
    """Write an offset as `+HH:MM` (seconds of historic offsets are cut).

    >>> offset_text(timedelta(hours=-3, minutes=-30))
    '-03:30'
    """
    minutes = round(offset.total_seconds()) // 60
    hours, rest = divmod(abs(minutes), 60)
    return f"{'-' if minutes < 0 else '+'}{hours:02}:{rest:02}"


def offset_of(text: str) -> timedelta:
    """Read `+HH:MM`. :raises ValueError: it is not that"""
    sign = {"+": 1, "-": -1}[text[0]]
    return sign * timedelta(hours=int(text[1:3]), minutes=int(text[4:6]))


def show(at: datetime, zone: ZoneInfo) -> LocalTime:
    """Return an instant as clocks in the zone show it."""
    # By way of UTC: within one zone `astimezone` would leave a time that does not exist as it is.
    at = at.astimezone(UTC)
    local = at.astimezone(zone)
    return LocalTime(at, local.replace(tzinfo=None, fold=0), local.utcoffset() or timedelta())


def resolve(
    wall: datetime,
    zone: ZoneInfo,
    *,
    offset: timedelta | None = None,
    fold: int | None = None,
) -> LocalTime:
    """
    Return the one instant at which clocks in the zone show this wall time.

    :param wall: naive
    :param offset: which of two, by the offset from UTC
    :param fold: which of two, 0 the earlier, 1 the later; ignored when there is one only
    :raises NoSuchWallTime: the clocks skip it
    :raises TwoSuchWallTimes: there are two, and neither `offset` nor `fold` chooses
    :raises WrongOffset: clocks do not show it at that offset
    """
    wall = wall.replace(fold=0)
    early = show(wall.replace(tzinfo=zone), zone)
    late = show(wall.replace(tzinfo=zone, fold=1), zone)
    if early.wall != wall:
        # Within a gap the two readings are crossed: fold 1 lies before it, fold 0 after it.
        raise NoSuchWallTime(before=late, after=early)
    options = [early] if early.at == late.at else [early, late]
    if offset is not None:
        fitting = [option for option in options if option.offset == offset]
        if not fitting:
            raise WrongOffset
        return fitting[0]
    if len(options) == 1:
        return early
    if fold is None:
        raise TwoSuchWallTimes(early, late)
    return options[fold]


def wall_text(wall: datetime) -> str:
    """Write a wall time: seconds always, fractions when there are any."""
    return wall.isoformat(timespec="milliseconds" if wall.microsecond else "seconds")
