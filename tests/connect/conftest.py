"""One stage for the whole folder: what takes long is to start and to sign in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.connect.stage import Linked, Stage


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    running = Stage(tmp_path_factory.mktemp("connect"))
    yield running
    running.stop()


@pytest.fixture(scope="session")
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
