"""A decision names the check that keeps it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .source import Source, Violation

RULE = "decisions"
HEADS = ("Decision", "Enforced by")


def check(source: Source) -> Iterator[Violation]:
    """Find decision records that lack a part, first of all the one that says what enforces them."""
    if source.parts[:2] != ("docs", "adr") or not re.match(r"\d{4}-.*\.md$", source.name):
        return
    for head in HEADS:
        if not re.search(rf"^## {head}\n+\S", source.text, re.MULTILINE):
            yield source.found(RULE, 1, f"no part `## {head}`, or nothing below it")
