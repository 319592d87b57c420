"""A room's tables are asked by the room itself, within what the actor may see."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from .source import Source, Violation, dotted, imports

RULE = "tables"
SCOPED = {"visible_to", "create", "bulk_create", "model"}
"""What may follow `.objects` in a room: the filter by practice, and the making of rows."""


def check(source: Source) -> Iterator[Violation]:
    """Find other rooms' tables in use, and a room's own without `visible_to`."""
    if not source.is_python or source.is_test or source.parts[0] != "rapport":
        return
    if "migrations" in source.parts or source.below("rapport/platform/", "rapport/sandbox/"):
        return
    foreign = {
        name.rsplit(".", 1)[1]
        for _, name in imports(source.tree)
        if name.startswith("rapport.rooms.")
        and ".models." in name
        and name.split(".")[2] != source.room
    }
    is_model = source.room is not None and source.parts[3] in ("models.py", "models")
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Attribute):
            continue
        chain = dotted(node).split(".")
        if chain[-1] == "objects" and chain[0] in foreign:
            yield source.found(
                RULE, node.lineno, f"{chain[0]} belongs to another room: ask its queries"
            )
        elif len(chain) > 2 and chain[-2] == "objects" and chain[-1] not in SCOPED and not is_model:
            yield source.found(
                RULE, node.lineno, f"{'.'.join(chain)}: begin with `.objects.visible_to(scope)`"
            )
