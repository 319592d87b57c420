"""From the times a request gives to one instant, or a problem that names the choices."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from rapport.kernel.problems import FieldError, Invalid
from rapport.platform.access.scope import Scope
from rapport.platform.api.shapes import instant

from .rules import wall_clock
from .rules.hours import Stretch
from .rules.wall_clock import LocalTime, wall_text


class NonexistentLocalTime(Invalid):
    code = "nonexistent-local-time"
    title = "The clocks skip that wall time. Choose one before or after."


class AmbiguousLocalTime(Invalid):
    code = "ambiguous-local-time"
    title = "The clocks show that wall time twice. Say which, by utc_offset or fold."


def fault(pointer: str, code: str, detail: str = "") -> Invalid:
    """Return the problem of one faulty field."""
    return Invalid("1 field is not valid.", errors=(FieldError(pointer, code, detail),))


def shown(local: LocalTime) -> dict[str, str]:
    """Return a wall time as a choice in an answer."""
    return {
        "start_at": instant(local.at),
        "start_local": wall_text(local.wall),
        "utc_offset": local.offset_text,
    }


def slot_times(stretch: Stretch, *, time_zone: str, scope: Scope) -> dict[str, str]:
    """Return when a free stretch is, as an instant and on the wall; in the practice's zone by default."""
    local = wall_clock.show(stretch.start_at, wall_clock.zone_named(time_zone) or scope.time_zone)
    return {
        "start_at": instant(stretch.start_at),
        "end_at": instant(stretch.end_at),
        "time_zone": time_zone,
        "start_local": wall_text(local.wall),
        "utc_offset": local.offset_text,
    }


def start_of(when: Any, *, zone: ZoneInfo) -> LocalTime:
    """
    Return the start that a body gives.

    :param when: `schemas.When`, with `start_at`, `start_local`, or both
    :param zone: the zone when the body names none
    :raises Invalid: no time is given, two disagree, or the wall time exists not or twice
    """
    named = wall_clock.zone_named(when.time_zone) if when.time_zone else None
    if when.start_local is None:
        if when.start_at is None:
            raise fault(
                "/start_at", "required", "Send `start_at`, or `start_local` and `time_zone`."
            )
        local = wall_clock.show(when.start_at, named or zone)
        offset = wall_clock.offset_of(when.utc_offset) if when.utc_offset else None
        if offset is not None and offset != local.offset:
            raise fault("/utc_offset", "disagrees", "The zone has another offset at that instant.")
        return local
    if named is None:
        raise fault("/time_zone", "required", "A wall time needs its zone.")
    try:
        wall = datetime.fromisoformat(when.start_local)
    except ValueError as error:
        raise fault("/start_local", "malformed") from error
    if not 1900 < wall.year < 2200:
        raise fault("/start_local", "malformed", "Out of range.")
    return _resolved(when, wall, named)


def _resolved(when: Any, wall: datetime, zone: ZoneInfo) -> LocalTime:
    offset: timedelta | None = None
    if when.utc_offset:
        offset = wall_clock.offset_of(when.utc_offset)
    elif when.start_at is not None:
        # An instant beside the wall time says which of two it is.
        offset = wall_clock.show(when.start_at, zone).offset
    try:
        local = wall_clock.resolve(wall, zone, offset=offset, fold=when.fold)
    except wall_clock.NoSuchWallTime as error:
        raise NonexistentLocalTime(
            "Clocks are put forward over that time.",
            errors=(FieldError("/start_local", "nonexistent-local-time"),),
            suggestions=[shown(error.before), shown(error.after)],
        ) from error
    except wall_clock.TwoSuchWallTimes as error:
        raise AmbiguousLocalTime(
            "Clocks are put back over that time.",
            errors=(FieldError("/start_local", "ambiguous-local-time"),),
            suggestions=[shown(error.first), shown(error.second)],
        ) from error
    except wall_clock.WrongOffset as error:
        pointer = "/utc_offset" if when.utc_offset else "/start_at"
        raise fault(pointer, "disagrees", "Not the instant of that wall time.") from error
    if when.start_at is not None and when.start_at != local.at:
        raise fault("/start_at", "disagrees", "Not the instant of that wall time.")
    return local
