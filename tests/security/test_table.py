"""The table of attacks names tests that exist, and gives each a control."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.security.table import ATTACKS, NOT_YET, Attack

ROOT = Path(__file__).resolve().parents[2]
_RANGES = ((1, 12), (18, 18), (20, 20), (22, 28), (30, 30), (35, 35), (38, 38), (43, 43), (48, 49), (53, 56), (66, 66), (68, 73), (77, 80), (107, 107), (111, 111))  # fmt: skip
GATE = [f"S-{number:03d}" for low, high in _RANGES for number in range(low, high + 1)]


def test_each_attack_of_the_gate_is_tested_or_has_nobody_who_could_try_it() -> None:
    assert sorted([attack.number for attack in ATTACKS] + list(NOT_YET)) == GATE


def test_nobody_has_a_role_or_a_route_of_a_portal() -> None:
    from rapport.interfaces.rest.v1 import api
    from rapport.platform.access.permissions import Role

    assert not [role for role in Role if "patient" in role.value or "portal" in role.value]
    assert not [path for path in api.get_openapi_schema()["paths"] if "portal" in path]


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.number)
def test_its_tests_and_its_control_exist(attack: Attack) -> None:
    assert not {*attack.tests} & {*attack.controls}
    for node in (*attack.tests, *attack.controls):
        file, _, test = node.partition("::")
        assert re.search(rf"^def {test}\(", (ROOT / file).read_text(), re.MULTILINE), node
