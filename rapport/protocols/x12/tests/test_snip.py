"""Every rule of this package has its SNIP type."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from rapport.protocols.x12 import snip
from rapport.protocols.x12.syntax import Finding

PACKAGE = Path(snip.__file__).parent
RULE = re.compile(r"[a-z]+[a-z0-9]*(-[a-z0-9]+)+\Z")
NO_RULES = {"latin-1"}
ONLY_PARTNERS_KNOW = {"claim-unknown", "group-unknown"}


def test_no_rule_of_the_package_is_without_its_type() -> None:
    named = {
        node.value
        for path in [*PACKAGE.glob("*.py"), *PACKAGE.glob("guides/*.py")]
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and RULE.match(node.value)
    }
    assert "balance-line" in named
    assert named - NO_RULES - ONLY_PARTNERS_KNOW - snip.LEVELS.keys() == set()
    assert set(snip.LEVELS.values()) == {1, 2, 3, 4, 5}


def test_a_rule_of_somebody_else_is_between_partners() -> None:
    assert Finding("CLP", 1, "01", "claim-unknown", "error", "").snip == 7
    assert Finding("SVC", 1, "03", "balance-line", "error", "").snip == 3
