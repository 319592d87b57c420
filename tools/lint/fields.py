"""Each column says its unit and its point of view, right below it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from .source import Source, Violation

RULE = "fields"
PLAIN = {"id", "practice", "created_at", "updated_at", "version"}
"""Columns that mean the same in every table; the base classes say what."""


def check(source: Source) -> Iterator[Violation]:
    """Find model fields without a docstring in the next line."""
    if not source.is_python or source.is_test or source.parts[0] != "rapport":
        return
    if source.name != "models.py" and "models" not in source.parts:
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ClassDef):
            yield from _undescribed(source, node)


def _undescribed(source: Source, table: ast.ClassDef) -> Iterator[Violation]:
    for statement, following in zip(table.body, [*table.body[1:], None], strict=True):
        if not isinstance(statement, ast.Assign) or not isinstance(statement.value, ast.Call):
            continue
        target, func = statement.targets[0], statement.value.func
        kind = func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")
        if not isinstance(target, ast.Name) or not kind.endswith(("Field", "ForeignKey")):
            continue
        described = (
            isinstance(following, ast.Expr)
            and isinstance(following.value, ast.Constant)
            and isinstance(following.value.value, str)
        )
        if target.id not in PLAIN and not described:
            yield source.found(
                RULE, statement.lineno, f"{table.name}.{target.id} has no docstring below it"
            )
