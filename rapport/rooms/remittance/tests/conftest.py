"""A practice whose claims a payer holds."""

from __future__ import annotations

import pytest

from tests.support.cast import House
from tests.support.remitting import Remitting


@pytest.fixture
def remitting(willow: House) -> Remitting:
    return Remitting(willow)
