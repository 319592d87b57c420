"""Willow, linked to a portal by script, and the sandbox portal as the program it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cast import House
from tests.support.connected import Connected
from tests.support.portal import ScriptedPortal
from tests.support.sandbox_portal import Portal


@pytest.fixture
def portal(tmp_path: Path) -> ScriptedPortal:
    """A portal with two patients and one appointment."""
    made = ScriptedPortal(tmp_path)
    made.put("patients", "7", first_name="ZZPHI-Ana", last_name="Rivera", birth_on="1990-04-12")
    made.put("patients", "8", first_name="Ben", last_name="Okafor", birth_on="1985-01-30")
    return made


@pytest.fixture
def connected(willow: House, portal: ScriptedPortal) -> Connected:
    """Willow and its portal, not linked yet."""
    return Connected(willow, portal)


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Portal]:
    """The sandbox portal, with ten patients."""
    running = Portal(tmp_path / "portal", patients=10)
    yield running
    running.kill()
