"""A docstring that repeats the name says nothing."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from .source import Source, Violation

RULE = "echoes"


def _bare(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


def check(source: Source) -> Iterator[Violation]:
    """Find docstrings equal to the name of what they stand in."""
    if not source.is_python:
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Module):
            name = source.parts[-2] if source.name == "__init__.py" else source.name[:-3]
        elif isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            name = node.name
        else:
            continue
        docstring = ast.get_docstring(node)
        if docstring is not None and _bare(docstring) in ("", _bare(name)):
            line = getattr(node, "lineno", 1)
            yield source.found(RULE, line, f"the docstring of {name} repeats its name")
