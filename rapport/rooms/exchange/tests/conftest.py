"""Willow, linked to a portal by script."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cast import House
from tests.support.connected import Connected
from tests.support.portal import ScriptedPortal


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
