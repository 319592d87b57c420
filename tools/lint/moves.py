"""A state changes by `move`, and by nothing else."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from .source import Source, Violation

RULE = "moves"


def check(source: Source) -> Iterator[Violation]:
    """Find `.update(state=…)` and `x.state = …` outside a method `move` of a model."""
    if (
        not source.is_python
        or source.is_test
        or source.room is None
        or "migrations" in source.parts
    ):
        return
    is_model = source.parts[3] in ("models.py", "models")
    yield from _look(source, source.tree, inside=False, is_model=is_model)


def _look(source: Source, node: ast.AST, *, inside: bool, is_model: bool) -> Iterator[Violation]:
    for child in ast.iter_child_nodes(node):
        within = inside or (
            is_model and isinstance(child, ast.FunctionDef) and child.name in ("move", "_move")
        )
        if not within and _sets_state(child):
            yield source.found(RULE, child.lineno, "a state changes only in the model's `move`")  # type: ignore[attr-defined]
        yield from _look(source, child, inside=within, is_model=is_model)


def _sets_state(node: ast.AST) -> bool:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return node.func.attr == "update" and any(word.arg == "state" for word in node.keywords)
    targets: list[ast.expr] = []
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, ast.AnnAssign | ast.AugAssign):
        targets = [node.target]
    return any(isinstance(target, ast.Attribute) and target.attr == "state" for target in targets)
