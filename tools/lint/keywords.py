"""The doors of a room are called by name of argument."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from .source import Source, Violation

RULE = "keywords"
DOORS = {"services", "queries"}


def check(source: Source) -> Iterator[Violation]:
    """Find public functions of services and queries that take more than one positional argument."""
    if not source.is_python or source.is_test or source.parts[0] != "rapport":
        return
    if not DOORS & {part.removesuffix(".py") for part in source.parts[3:]}:
        return
    for node in source.tree.body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        by_position = [*node.args.posonlyargs, *node.args.args]
        if not node.name.startswith("_") and (len(by_position) > 1 or node.args.vararg):
            yield source.found(
                RULE, node.lineno, f"{node.name}: arguments by keyword, save one that needs no name"
            )
