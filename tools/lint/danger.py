"""Calls that open a door to injection."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from .source import Source, Violation, dotted

RULE = "danger"
NEVER = {
    "mark_safe": "templates escape; build HTML in a template or with format_html",
    "SafeString": "templates escape; build HTML in a template or with format_html",
    "csrf_exempt": "every cookie-carrying request is checked",
    "eval": "never on anything",
    "exec": "never on anything",
    "RawSQL": "pass parameters to `execute`",
    "os.system": "use subprocess with a list",
    "os.popen": "use subprocess with a list",
    "pickle.loads": "use JSON or msgspec",
    "pickle.load": "use JSON or msgspec",
    "yaml.load": "use yaml.safe_load",
}


def check(source: Source) -> Iterator[Violation]:
    """Find SQL made by formatting, shells, and what turns checks off."""
    if not source.is_python or source.is_test:
        return
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Call):
            if isinstance(node, ast.Name) and node.id == "csrf_exempt":
                yield source.found(RULE, node.lineno, f"csrf_exempt: {NEVER['csrf_exempt']}")
            continue
        name = dotted(node.func)
        if name in NEVER and name != "csrf_exempt":
            yield source.found(RULE, node.lineno, f"{name}: {NEVER[name]}")
        elif any(
            word.arg == "shell"
            and not (isinstance(word.value, ast.Constant) and word.value.value is False)
            for word in node.keywords
        ):
            yield source.found(RULE, node.lineno, "no shell: pass a list")
        elif (
            isinstance(node.func, ast.Attribute)
            and node.func.attr in ("execute", "executemany", "raw", "extra")
            and node.args
            and _is_formatted(node.args[0])
        ):
            yield source.found(
                RULE, node.lineno, "SQL made by formatting: pass parameters, or use psycopg.sql"
            )


def _is_formatted(node: ast.expr) -> bool:
    if isinstance(node, ast.JoinedStr):
        return any(isinstance(part, ast.FormattedValue) for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod):
        return not all(isinstance(side, ast.Constant) for side in (node.left, node.right))
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "format"
        and isinstance(node.func.value, ast.Constant)
    )
