"""Wall clocks, working hours and free slots, over every change of the clocks (R-55)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapport.rooms.scheduling.rules import hours, wall_clock
from rapport.rooms.scheduling.rules.hours import Shift, Stretch, Week
from tests.support.cast import House

from .stage import Stage

ZONES = [
    ZoneInfo(name)
    for name in (
        "America/New_York", "America/Los_Angeles", "America/Phoenix", "Pacific/Honolulu",
        "America/St_Johns", "Europe/London", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC",
    )
]  # fmt: skip
zones = st.sampled_from(ZONES)
FIRST, LAST = (datetime.fromisoformat(f"{year}-01-01") for year in (2020, 2035))
wall_times = st.datetimes(min_value=FIRST, max_value=LAST)
instants = wall_times.map(lambda at: at.replace(tzinfo=UTC, second=0, microsecond=0))
NEW_YORK = ZoneInfo("America/New_York")


def changes(zone: ZoneInfo) -> list[datetime]:
    """Return the wall times of a zone's changes of clocks, hour by hour over three years."""
    at, found = datetime(2025, 1, 1, tzinfo=UTC), []
    while at.year < 2028:
        later = at + timedelta(hours=1)
        if at.astimezone(zone).utcoffset() != later.astimezone(zone).utcoffset():
            found.append(later.astimezone(zone).replace(tzinfo=None))
        at = later
    return found


near_changes = st.sampled_from([(zone, wall) for zone in ZONES for wall in changes(zone)]).flatmap(
    lambda pair: st.integers(-180, 180).map(lambda m: (pair[0], pair[1] + timedelta(minutes=m)))
)
anywhere = st.tuples(zones, wall_times)


@given(instants, zones)
def test_every_instant_has_a_wall_time_that_leads_back_to_it(at: datetime, zone: ZoneInfo) -> None:
    shown = wall_clock.show(at, zone)

    assert wall_clock.resolve(shown.wall, zone, offset=shown.offset).at == at


@settings(max_examples=400, deadline=None)
@given(st.one_of(near_changes, anywhere))
def test_a_wall_time_is_one_instant_or_an_error_that_names_two(
    given_: tuple[ZoneInfo, datetime],
) -> None:
    zone, wall = given_[0], given_[1].replace(second=0, microsecond=0)
    gap: wall_clock.NoSuchWallTime | None = None
    twice: wall_clock.TwoSuchWallTimes | None = None
    found = None
    try:
        found = wall_clock.resolve(wall, zone)
    except wall_clock.NoSuchWallTime as error:
        gap = error
    except wall_clock.TwoSuchWallTimes as error:
        twice = error

    if gap:
        assert gap.before.wall < wall < gap.after.wall
        assert gap.after.at - gap.before.at == gap.after.offset - gap.before.offset
        for choice in (gap.before, gap.after):
            assert wall_clock.resolve(choice.wall, zone, offset=choice.offset) == choice
    if twice:
        assert twice.first.at < twice.second.at
        assert twice.first.wall == twice.second.wall == wall
        assert wall_clock.resolve(wall, zone, fold=0) == twice.first
        assert wall_clock.resolve(wall, zone, fold=1) == twice.second
        assert wall_clock.resolve(wall, zone, offset=twice.second.offset) == twice.second
    if found:
        assert found.at.astimezone(zone).replace(tzinfo=None) == wall
        assert wall_clock.resolve(wall, zone, fold=1) == found


shifts = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 22), st.integers(1, 8)).map(
        lambda s: Shift(s[0], f"{s[1]:02}:00", f"{min(s[1] + s[2], 24):02}:00")
    ),
    max_size=8,
).map(tuple)
blocks = st.lists(st.tuples(st.integers(0, 10_000), st.integers(5, 300)), max_size=25)


@settings(max_examples=150, deadline=None)
@given(
    shifts, zones, instants, blocks, st.sampled_from([15, 45, 60]), st.sampled_from([10, 15, 60])
)
def test_a_free_slot_is_worked_free_whole_and_as_long_as_asked(
    worked: tuple[Shift, ...], zone: ZoneInfo, from_at: datetime,
    taken: list[tuple[int, int]], minutes: int, step: int,
) -> None:  # fmt: skip
    week, to_at = Week(zone, worked), from_at + timedelta(days=7)
    busy = sorted(
        Stretch(from_at + timedelta(minutes=m), from_at + timedelta(minutes=m + length))
        for m, length in taken
    )
    length = timedelta(minutes=minutes)

    found = list(
        hours.free_slots(
            week, busy, from_at=from_at, to_at=to_at, duration=length, step=timedelta(minutes=step)
        )
    )

    assert found == sorted(set(found))
    working = hours.stretches(week, from_at=from_at, to_at=to_at)
    expected = [
        Stretch(at, at + length)
        for stretch in working
        for at in _grid(stretch, length, timedelta(minutes=step))
        if at >= from_at
        and at + length <= to_at
        and not any(b.start_at < at + length and at < b.end_at for b in busy)
    ]
    assert found == expected
    for free in found:
        assert free.end_at - free.start_at == length
        assert hours.within(week, start_at=free.start_at, end_at=free.end_at)


def _grid(stretch: Stretch, length: timedelta, step: timedelta) -> list[datetime]:
    found, at = [], stretch.start_at
    while at + length <= stretch.end_at:
        found.append(at)
        at += step
    return found


def test_a_night_shift_over_the_change_has_the_hours_that_really_pass() -> None:
    week = Week(NEW_YORK, (Shift(6, "00:00", "06:00"),))
    for day, real in (
        (datetime(2026, 3, 8, tzinfo=NEW_YORK), 5),
        (datetime(2026, 11, 1, tzinfo=NEW_YORK), 7),
    ):
        (stretch,) = hours.stretches(week, from_at=day, to_at=day + timedelta(hours=12))
        assert stretch.end_at - stretch.start_at == timedelta(hours=real)


def test_shifts_that_meet_hold_a_meeting_across_them() -> None:
    week = Week(
        NEW_YORK,
        (
            Shift(0, "12:00", "17:00"),
            Shift(0, "09:00", "12:00"),
            Shift(0, "17:00", "24:00"),
            Shift(1, "00:00", "01:00"),
        ),
    )
    start = datetime(2026, 3, 2, 11, 30, tzinfo=NEW_YORK)

    assert hours.within(week, start_at=start, end_at=start + timedelta(hours=13, minutes=30))
    assert not hours.within(week, start_at=start, end_at=start + timedelta(hours=13, minutes=31))


# Over HTTP


def ask(house: House, **when: Any) -> Any:
    stage = Stage(house)
    return stage.ask(**({"start_local": ..., "time_zone": ..., "duration_minutes": 50} | when))


def test_half_past_two_on_the_eighth_of_march_does_not_exist_in_new_york(willow: House) -> None:
    answer = ask(willow, start_local="2026-03-08T02:30:00", time_zone="America/New_York")

    assert (answer.status_code, answer.json()["code"]) == (422, "nonexistent-local-time")
    assert answer.json()["suggestions"] == [
        {"start_at": "2026-03-08T06:30:00.000Z", "start_local": "2026-03-08T01:30:00", "utc_offset": "-05:00"},
        {"start_at": "2026-03-08T07:30:00.000Z", "start_local": "2026-03-08T03:30:00", "utc_offset": "-04:00"},
    ]  # fmt: skip


@pytest.mark.parametrize("zone", ["America/Phoenix", "Pacific/Honolulu"])
def test_where_clocks_are_never_changed_it_does(willow: House, zone: str) -> None:
    assert ask(willow, start_local="2026-03-08T02:30:00", time_zone=zone).status_code == 201


def test_half_past_one_on_the_first_of_november_exists_twice_there(willow: House) -> None:
    stage = Stage(willow)
    when = {
        "start_local": "2026-11-01T01:30:00",
        "time_zone": "America/New_York",
        "duration_minutes": 50,
    }

    answer = stage.ask(**when)

    assert (answer.status_code, answer.json()["code"]) == (422, "ambiguous-local-time")
    first, second = answer.json()["suggestions"]
    assert (first["start_at"], second["start_at"]) == (
        "2026-11-01T05:30:00.000Z",
        "2026-11-01T06:30:00.000Z",
    )
    by_fold = stage.book(**when, fold=0)
    by_offset = stage.book(**when, utc_offset="-05:00")
    assert by_fold["start_at"] == first["start_at"]
    assert by_offset["start_at"] == second["start_at"]
    assert by_fold["start_local"] == by_offset["start_local"] == "2026-11-01T01:30:00"
    assert (by_fold["utc_offset"], by_offset["utc_offset"]) == ("-04:00", "-05:00")
    assert stage.ask(**when, utc_offset="-04:00").json()["code"] == "slot-taken"
    by_instant = stage.ask(**when, start_at=second["start_at"])
    assert by_instant.json()["code"] == "slot-taken"


def test_a_session_across_the_change_has_real_minutes(willow: House) -> None:
    made = ask(
        willow, start_local="2026-11-01T01:30:00", time_zone="America/New_York", fold=0,
        duration_minutes=90,
    ).json()  # fmt: skip

    assert made["end_at"] == "2026-11-01T07:00:00.000Z"
    assert made["duration_minutes"] == 90


def test_london_and_new_york_agree_on_the_instant(willow: House) -> None:
    # Between the two changes of March, London is four hours ahead of New York, not five.
    made = ask(
        willow, telehealth=True, start_at="2026-03-16T09:00:00-04:00",
        start_local="2026-03-16T13:00:00", time_zone="Europe/London",
    )  # fmt: skip

    assert made.status_code == 201, made.content
    assert (made.json()["start_at"], made.json()["utc_offset"]) == (
        "2026-03-16T13:00:00.000Z",
        "+00:00",
    )


def test_a_weekly_slot_at_nine_stays_at_nine_over_the_change(willow: House) -> None:
    stage = Stage(willow)
    starts = [
        stage.book(start_local=f"{day}T09:00:00", time_zone="America/New_York")["start_at"][11:16]
        for day in ("2026-03-02", "2026-03-09", "2026-10-26", "2026-11-02")
    ]

    assert starts == ["14:00", "13:00", "13:00", "14:00"]
