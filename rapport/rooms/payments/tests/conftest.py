"""One double of the card processor for the room's tests; each test founds its own practice."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.cards import CardsProcess
from tests.support.cast import House
from tests.support.payments import Till


@pytest.fixture(scope="session")
def double(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CardsProcess]:
    running = CardsProcess(tmp_path_factory.mktemp("cards"))
    yield running
    running.stop()


@pytest.fixture
def till(willow: House, double: CardsProcess) -> Till:
    double.forget_notices()
    return Till(willow, double)
