"""What a lint reads and what it says."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

_ALLOWED = re.compile(r"lint: allow ([a-z-]+) - \S")


@dataclass(frozen=True, slots=True, order=True)
class Violation:
    """One place that breaks one rule."""

    path: str
    line: int
    rule: str
    message: str
    """What to do instead."""
    warning: bool = False
    """True: said, but the run stays green."""

    def __str__(self) -> str:
        mark = "warning: " if self.warning else ""
        return f"{self.path}:{self.line} {self.rule} {mark}{self.message}"


@dataclass(frozen=True)
class Source:
    """A file of the repository."""

    path: str
    """From the root of the repository, with slashes."""
    text: str

    @cached_property
    def parts(self) -> tuple[str, ...]:
        """The folders and the name."""
        return PurePosixPath(self.path).parts

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.parts[-1]

    @property
    def is_python(self) -> bool:
        """Whether `tree` can be asked for."""
        return self.name.endswith(".py")

    @property
    def is_test(self) -> bool:
        """Whether it is a test, or what only tests, measurements and attacks use."""
        return (
            "tests" in self.parts
            or self.parts[0] in ("tests", "bench", "faults")
            or self.name == "conftest.py"
        )

    @property
    def room(self) -> str | None:
        """The room that it belongs to."""
        return self.parts[2] if self.parts[:2] == ("rapport", "rooms") and self.parts[3:] else None

    @cached_property
    def lines(self) -> list[str]:
        """The text, line by line."""
        return self.text.splitlines()

    @cached_property
    def tree(self) -> ast.Module:
        """The parsed program. :raises SyntaxError: it is none"""
        return ast.parse(self.text, self.path)

    def below(self, *folders: str) -> bool:
        """Tell whether the file is one of these, or in one of these folders (with a slash)."""
        return any(
            self.path.startswith(folder) if folder.endswith("/") else self.path == folder
            for folder in folders
        )

    def found(self, rule: str, line: int, message: str, *, warning: bool = False) -> Violation:
        """Make a violation in this file."""
        return Violation(self.path, line, rule, message, warning)

    def allows(self, violation: Violation) -> bool:
        """Tell whether the line, or the one below it, carries `lint: allow RULE - reason`."""
        near = self.lines[violation.line - 1 : violation.line + 1]
        return any(violation.rule in _ALLOWED.findall(line) for line in near)


def dotted(node: ast.AST) -> str:
    """
    Return `a.b.c` for a chain of names, and the empty text for anything else.

    >>> dotted(ast.parse("timezone.now()").body[0].value.func)
    'timezone.now'
    """
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join([node.id, *reversed(names)])


def imports(tree: ast.AST) -> list[tuple[int, str]]:
    """Return each imported name in full, with its line: `from a import b` is `a.b`."""
    found: list[tuple[int, str]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found += [(node.lineno, f"{node.module}.{alias.name}") for alias in node.names]
    return found
