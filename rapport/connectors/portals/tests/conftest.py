"""A portal for each test that goes to one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rapport.connectors.portals.driver import PortalDriver
from rapport.connectors.portals.tests.live import Stage
from tests.support.sandbox_portal import Portal


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    running = Portal(tmp_path / "portal")
    yield Stage(running, PortalDriver(local=True))
    running.kill()
