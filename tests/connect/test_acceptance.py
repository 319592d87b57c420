"""The table of the acceptance tests names tests that exist, leaves no number out, and hides nothing that is not shown."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tests.connect.table import Row, acceptance, table

ROOT = Path(__file__).resolve().parents[2]
ROWS = acceptance()
_LISTED = re.compile(r"^\| (\d+) \| (.+) \|$", re.MULTILINE)


@cache
def collected_from(file: str) -> frozenset[str]:
    """Return the names under which pytest collects what a file has."""
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"))


def missing(row: Row) -> list[str]:
    named = (node.partition("::") for node in (*row.tests, *row.controls))
    return [f"{file}::{test}" for file, _, test in named if not (ROOT / file).exists() or test not in collected_from(file)]


def test_no_number_is_left_out_and_none_is_there_twice() -> None:
    assert [row.number for row in ROWS] == list(range(1, 63))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row.number))
def test_its_tests_exist_or_it_says_what_is_lacking(row: Row) -> None:
    assert missing(row) == []
    assert row.tests or row.lacks
    assert not {*row.tests} & {*row.controls}


def test_the_control_a_test_that_does_not_exist_is_noticed() -> None:
    [row] = table("@here tests/connect/test_acceptance.py\n1 | a | here::test_nowhere here::missing | - | -")
    assert len(missing(row)) == 2


def test_what_is_not_shown_is_told_to_practices_in_the_same_words() -> None:
    text = (ROOT / "docs" / "connect.md").read_text("utf-8").partition("\n## What is not shown yet")[2].partition("\n## ")[0]
    assert {int(number): why for number, why in _LISTED.findall(text)} == {row.number: row.lacks for row in ROWS if row.lacks}
