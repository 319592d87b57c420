"""The table of faults names tests that exist, and gives each a control."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path
from typing import Any

import pytest

from tests.faults.table import FAULTS, Fault

ROOT = Path(__file__).resolve().parents[2]
ASKED = (
    "R-01 R-11 R-12 R-13 R-14 R-15 R-16 R-17 R-18 R-19 R-20 R-21 R-22 R-23 R-24 R-25 R-26 R-27 R-28 R-29 R-30 R-31"
    " R-33 R-40 R-47 R-49 R-50 R-52 R-60"
).split()


def test_each_fault_that_was_asked_for_is_there_once() -> None:
    assert [fault.number for fault in FAULTS] == ASKED


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.number)
def test_its_tests_and_its_control_exist(fault: Fault) -> None:
    assert fault.controls
    assert not {*fault.tests} & {*fault.controls}
    for node in (*fault.tests, *fault.controls):
        assert is_a_test(node), node


def is_a_test(node: str) -> bool:
    """Whether there is a test of that name: a function, or a method that a class of the file has or inherits."""
    file, *names = node.split("::")
    if not (ROOT / file).is_file():
        return False
    found: Any = importlib.import_module(file.removesuffix(".py").replace("/", "."))
    for name in names:
        found = getattr(found, name, None)
    return inspect.isfunction(found) and names[-1].startswith("test_")


@pytest.mark.parametrize(
    "node",
    [
        "tests/faults/test_gone.py::test_it", "tests/faults/test_table.py::test_gone", "tests/faults/test_table.py::is_a_test",
        "rapport/connectors/clearinghouse_http/tests/test_driver.py::TestHttpClearinghouse::test_gone",
    ],
)  # fmt: skip
def test_the_control_what_is_no_test_is_noticed(node: str) -> None:
    assert not is_a_test(node)
