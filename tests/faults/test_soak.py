"""A soak over the whole way to a portal (R-60, connect test 62): minutes of random trouble, and then nothing is wrong."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from rapport.connectors.portals.tests.live import needs_chromium
from tests.connect.stage import Stage
from tests.faults import SEED
from tests.faults.soak import reckoning
from tests.faults.soak.soak import Soak

SECONDS = float(os.environ.get("RAPPORT_SOAK_SECONDS", "120"))
pytestmark = [needs_chromium, pytest.mark.long, pytest.mark.timeout(SECONDS + 1800)]


@pytest.fixture
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    running = Stage(tmp_path_factory.mktemp("soak"))
    yield running
    running.stop()


def test_r60_minutes_of_random_trouble_leave_the_mirror_equal_nothing_twice_and_nothing_lost(stage: Stage) -> None:
    print(f"\nsoak of {SECONDS:.0f} s, seed {SEED}", flush=True)
    soak = Soak(stage, seed=SEED, seconds=SECONDS)
    soak.begin()
    soak.run()
    soak.calm()
    print(reckoning.table(soak), flush=True)

    wrong = reckoning.reckon(soak)
    print("\n".join(wrong) or "nothing is wrong", flush=True)
    assert wrong == []

    # The control: a record that a person changes now, and nobody has read yet, is found to differ.
    stage.portal.order("PATCH", "patient/3", {"phone": "503-555-0000"})
    assert reckoning.unlike_the_portal(soak) == ["mirror: patients 3 differs in phone; there True, here True"]
