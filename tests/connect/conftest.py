"""One stage for the whole folder, and not beyond it: its worker would do the work of other tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.connect.stage import Linked, Stage


@pytest.fixture(scope="package")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    running = Stage(tmp_path_factory.mktemp("connect"))
    yield running
    running.stop()


@pytest.fixture(scope="package")
def robin(stage: Stage) -> Linked:
    """The connection with a TOTP seed, linked and read as a whole."""
    linked = stage.link("robin")
    linked.give()
    linked.wait_for("healthy", seconds=60)
    linked.read_everything()
    return linked


@pytest.fixture(autouse=True)
def _nothing_wrong(stage: Stage) -> Iterator[None]:
    yield
    stage.trouble()
    stage.portal.order("DELETE", "settings")
