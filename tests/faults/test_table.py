"""The table of faults names tests that exist, and gives each a control."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.faults.table import FAULTS, Fault

ROOT = Path(__file__).resolve().parents[2]
ASKED = "R-01 R-11 R-12 R-14 R-15 R-16 R-18 R-19 R-21 R-24 R-26 R-27 R-28 R-29 R-30 R-31 R-33 R-40 R-47 R-49 R-50 R-52 R-60".split()


def test_each_fault_that_was_asked_for_is_there_once() -> None:
    assert [fault.number for fault in FAULTS] == ASKED


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.number)
def test_its_tests_and_its_control_exist(fault: Fault) -> None:
    assert fault.controls
    for node in (*fault.tests, *fault.controls):
        file, _, test = node.partition("::")
        assert re.search(rf"^def {test}\(", (ROOT / file).read_text(), re.MULTILINE), node
