"""Money is whole cents: never a float, nor anything that makes one."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from .source import Source, Violation

RULE = "cents"


def _named(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _is_money(node: ast.AST) -> bool:
    return _named(node) == "cents" or _named(node).endswith("_cents")


def _mentions_money(node: ast.AST) -> bool:
    return any(_is_money(part) for part in ast.walk(node))


def check(source: Source) -> Iterator[Violation]:
    """Find `float(…)`, `/` and float types or columns at amounts in cents."""
    if not source.is_python or source.is_test:
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and _named(node.func) == "float":
            if any(_mentions_money(argument) for argument in node.args):
                yield source.found(RULE, node.lineno, "float() of cents: keep whole cents")
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            if _is_money(node.left) or _is_money(node.right):
                yield source.found(
                    RULE, node.lineno, "`/` of cents makes a float: use Money's named roundings"
                )
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if not any(_is_money(target) for target in targets):
                continue
            kind = _named(node.annotation) if isinstance(node, ast.AnnAssign) else ""
            made = _named(node.value.func) if isinstance(node.value, ast.Call) else ""
            if kind == "float" or made in ("float", "FloatField"):
                yield source.found(RULE, node.lineno, "an amount in cents is an int")
