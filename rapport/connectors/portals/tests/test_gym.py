"""No change of a portal's pages makes a definition publish wrong data; a naive reader, shown the same, does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from rapport.connectors.portals import canary, gym
from rapport.connectors.portals.cassette import Exchange
from rapport.connectors.portals.decode.columns import Decoded
from rapport.connectors.portals.mutations import MUTATIONS, table_of
from rapport.connectors.portals.tests.recorded import (
    AT,
    LISTS,
    definition,
    recording,
    replayed,
    whole,
)

CALLS = LISTS


def known(call: str) -> tuple[gym.Truth, dict[str, Any], dict[str, Any]]:
    got = whole(replayed(call))
    third = got.rows[2]
    remembered = canary.remember(Decoded(third.remote_id, dict(third.values), {}, 0), fields=list(third.values), salt="s")
    truth = {row.remote_id: dict(row.values) for row in got.rows}
    return truth, {"shape": got.shape, "coverage": got.coverage}, {"canary": {call: remembered}}


@pytest.mark.parametrize("call", CALLS)
def test_nothing_wrong_is_ever_published(call: str) -> None:
    truth, baseline, calibration = known(call)
    reader = gym.reader_of(definition(), call, given={}, baseline=baseline, calibration=calibration, at=AT)
    bouts = gym.run(recording(call), reader, truth=truth)
    assert len(bouts) >= 25
    assert gym.silent(bouts) == []
    assert sum(one.outcome == "right" for one in bouts) >= 8, "it does not refuse what is harmless"


def naive(exchanges: Sequence[Exchange]) -> gym.Seen:
    """A reader as one writes it first: the first page tells which column is where, and what is there is taken."""
    rows: dict[str, dict[str, Any]] = {}
    for one in exchanges:
        table = table_of(one.body)
        for line in table[1:]:
            cells = line + [""] * 13
            rows[cells[0]] = {"last_name": cells[1].partition(", ")[0], "birth_on": cells[2], "email": cells[7]}
    return gym.Seen(rows, "same", {})


def test_the_gym_sees_what_a_naive_reader_does() -> None:
    """The control: the gym itself would notice."""
    truth = naive(recording("patients")).rows
    assert truth is not None
    bouts = gym.run(recording("patients"), naive, truth=truth)
    assert len(gym.silent(bouts)) >= 10


def test_there_are_enough_mutations_and_each_has_its_name() -> None:
    assert len({one.name for one in MUTATIONS}) == len(MUTATIONS) >= 25
