"""How a write is found again in the portal: by its key, or by the record it changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from rapport.rooms.exchange.ports import Row

from .canonical import compared, plain, record


class Match(StrEnum):
    """What the portal has in the place of a write."""

    EQUAL = "equal"
    DIFFERENT = "different"
    NOTHING = "nothing"
    UNCHANGED = "unchanged"
    """Of a change to a record: it is as it was before."""
    NOT_SHOWN = "not_shown"
    """It is there, and nothing of what was wanted can be seen of it."""


@dataclass(frozen=True, slots=True)
class Found:
    """What was found, and in which fields it differs."""

    match: Match
    remote_id: str | None = None
    values: Mapping[str, Any] | None = None
    differs: tuple[str, ...] = ()


def kind_of(ability: str) -> str:
    """
    Return the kind of record of an ability.

    >>> kind_of("appointments.create")
    'appointments'
    """
    return ability.partition(".")[0]


def given_for(
    values: Mapping[str, Any], *, found: Mapping[str, Any] | None = None, remote_id: str | None = None
) -> dict[str, str]:
    """
    Return what narrows the list in which a write is looked for: its days, its patient, its record.

    >>> given_for({"patient": "7", "start_local": "2026-03-02T09:00:00"})
    {'from_on': '2026-03-02', 'to_on': '2026-03-03', 'patient_id': '7'}
    """
    days = {
        str(plain(source[name]))[:10]
        for source in (values, found or {})
        for name in ("start_local", "service_on")
        if source.get(name)
    }
    narrow: dict[str, str] = {}
    if days:
        end = date.fromisoformat(max(days)) + timedelta(days=1)
        narrow = {"from_on": min(days), "to_on": end.isoformat()}
    patient = values.get("patient") or (found or {}).get("patient")
    narrow |= {"patient_id": str(patient)} if patient else {}
    return narrow | ({"remote_id": remote_id} if remote_id is not None else {})


def look(
    rows: Sequence[Row], *, values: Mapping[str, Any], key: Sequence[str], remote_id: str | None,
    seen: Mapping[str, Any] | None,
) -> Found:
    """
    Say what a complete list has in the place of a write.

    A field that the list does not show cannot speak against a record: it is left out. A record of which
    it shows no field that was wanted proves nothing. Two records where one was
    meant are a difference, whatever is in them.

    :param remote_id: the record that is changed; None: one is made, and is found by its key
    :param seen: of a change, the values that the caller saw before
    """
    wanted = record(values)
    if remote_id is not None:
        mine = [row for row in rows if row.remote_id == remote_id]
    else:
        mine = _with_key(rows, values=values, key=key)
    if not mine:
        return Found(Match.NOTHING)
    shown = record(mine[0].values)
    differs = _differing(wanted, shown, absent=mine[0].absent)
    if len(mine) > 1:
        return Found(Match.DIFFERENT, mine[0].remote_id, shown, (*differs, "more_than_one"))
    if not any(name in shown and name not in mine[0].absent for name in wanted):
        return Found(Match.NOT_SHOWN, mine[0].remote_id, shown)
    if not differs:
        return Found(Match.EQUAL, mine[0].remote_id, shown)
    if remote_id is not None and seen is not None:
        before = {name: value for name, value in record(seen).items() if name in wanted}
        if not _differing(before, shown, absent=mine[0].absent):
            return Found(Match.UNCHANGED, mine[0].remote_id, shown, differs)
    return Found(Match.DIFFERENT, mine[0].remote_id, shown, differs)


def alike(rows: Sequence[Row], *, values: Mapping[str, Any], key: Sequence[str]) -> list[str]:
    """Return the ids of the records that have a write's key."""
    return [row.remote_id for row in _with_key(rows, values=values, key=key)]


def _with_key(rows: Sequence[Row], *, values: Mapping[str, Any], key: Sequence[str]) -> list[Row]:
    wanted = {name: compared(values.get(name)) for name in key}
    return [row for row in rows if all(compared(row.values.get(name)) == wanted[name] for name in key)]


def _differing(
    wanted: Mapping[str, Any], shown: Mapping[str, Any], *, absent: Mapping[str, str]
) -> tuple[str, ...]:
    return tuple(
        sorted(
            name for name, value in wanted.items()
            if name in shown and name not in absent and compared(shown[name]) != compared(value)
        )
    )  # fmt: skip
