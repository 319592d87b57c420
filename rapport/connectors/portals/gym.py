"""
The gym: a reader is shown what happens to portals, and must never give wrong data as if nothing was wrong.

A definition that is certified passes with no such case. The same gym shown to a naive reader counts many,
which is how the gym itself is tested.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rapport.connectors.portals.cassette import Exchange, NotRecorded, Replayer
from rapport.connectors.portals.definition import Definition
from rapport.connectors.portals.mutations import MUTATIONS, Mutation
from rapport.connectors.portals.outgoing import Outgoing
from rapport.connectors.portals.reading import Reading, Whole
from rapport.rooms.exchange.ports import Trouble, Verdict

Truth = Mapping[str, Mapping[str, Any]]
"""Remote id -> values."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a reader made of a list."""

    rows: Truth | None
    """None: it refused."""
    verdict: str
    absent: Mapping[str, Mapping[str, str]]
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Bout:
    """One mutation, and how a reader took it."""

    mutation: str
    outcome: str
    """`right`, `refused`, `partly` (a value said to be unreadable), or `wrong`."""
    verdict: str


Reader = Callable[[Sequence[Exchange]], Seen]


def compare(seen: Seen, truth: Truth) -> str:
    """Tell whether what was read is right. A value that is said to be missing, with why, is not wrong."""
    if seen.rows is None:
        return "refused"
    if seen.rows.keys() != truth.keys():
        return "wrong"
    partly = False
    for id, values in truth.items():
        for name, value in values.items():
            if name in seen.absent.get(id, {}):
                partly = True
            elif name not in seen.rows[id] or seen.rows[id][name] != value:
                return "wrong"
    return "partly" if partly else "right"


def run(exchanges: Sequence[Exchange], reader: Reader, *, truth: Truth, mutations: Sequence[Mutation] = MUTATIONS) -> list[Bout]:
    """Show a reader every mutation of a recording that changes it at all."""
    bouts = []
    for mutation in mutations:
        changed = mutation.apply(list(exchanges))
        if [one.body for one in changed] == [one.body for one in exchanges] and changed == list(exchanges):
            continue
        seen = reader(changed)
        bouts.append(Bout(mutation.name, compare(seen, truth), seen.verdict))
    return bouts


def silent(bouts: Sequence[Bout]) -> list[Bout]:
    """Return the cases of wrong data that would have been published."""
    held = (Verdict.SUSPECT.value, Verdict.BREAKING.value)
    return [one for one in bouts if one.outcome == "wrong" and one.verdict not in held]


def reader_of(
    definition: Definition, call: str, *, given: Mapping[str, str], baseline: Mapping[str, Any] | None,
    calibration: Mapping[str, Any] | None, at: datetime,
) -> Reader:  # fmt: skip
    """Return the reader that a definition makes."""

    def read(exchanges: Sequence[Exchange]) -> Seen:
        result = replay(definition, call, exchanges, given=given, baseline=baseline, calibration=calibration, at=at)
        if isinstance(result, Trouble):
            return Seen(None, result.reason.value, {})
        return Seen(
            {row.remote_id: dict(row.values) for row in result.rows}, result.verdict.value,
            {row.remote_id: row.absent for row in result.rows},
        )  # fmt: skip

    return read


def replay(
    definition: Definition, call: str, exchanges: Sequence[Exchange], *, given: Mapping[str, str],
    baseline: Mapping[str, Any] | None = None, calibration: Mapping[str, Any] | None = None, at: datetime,
    asked: list[str] | None = None, reading: Reading | None = None,
) -> Whole | Trouble:  # fmt: skip
    """
    Read a list from a recording.

    :param asked: takes the signatures of what was asked for, in order
    :param reading: of this list, for whoever looks at it afterwards; None: one of its own
    """
    replayer = Replayer(exchanges, volatile=definition.calls[call].volatile)
    reading = reading or Reading(definition, call, given=given, baseline=baseline, calibration=calibration)
    outgoing: Outgoing | None = reading.start()
    while outgoing is not None:
        try:
            outgoing = reading.take(replayer(outgoing), at=at)
        except NotRecorded:
            break
    if asked is not None:
        asked += replayer.asked
    return reading.finish()
