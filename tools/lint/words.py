"""One word per thing: the glossary's `never` column."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from .source import Source, Violation

RULE = "words"
GLOSSARY = Path(__file__).resolve().parents[2] / "docs" / "words.md"


@dataclass(frozen=True, slots=True)
class Banned:
    """A word that is not used here for what has another name."""

    word: str
    instead: str
    places: tuple[str, ...]
    """Folders and files where it has its other, right meaning."""
    phrases: tuple[str, ...]
    """Phrases in which it is right anywhere."""

    def matches(self, text: str) -> bool:
        """
        Tell whether a text has the word, alone or in the plural, outside the phrases.

        >>> Banned("client", "patient", (), ("HTTP client",)).matches("An HTTP client.")
        False
        """
        for phrase in self.phrases:
            text = re.sub(re.escape(phrase), " ", text, flags=re.IGNORECASE)
        return re.search(rf"\b{self.word}s?\b", text, re.IGNORECASE) is not None


def read_glossary(text: str) -> list[Banned]:
    """
    Read the table of words.md: word, meaning, never, fine in.

    In `never` stand words, in `fine in` phrases and, in backticks, paths; both with commas.
    """
    banned = []
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.startswith("|") or len(cells) != 4 or cells[2].lower() in ("", "never", "---"):
            continue
        fine = [item.strip() for item in cells[3].split(",") if item.strip()]
        places = tuple(item.strip("`") for item in fine if item.startswith("`"))
        phrases = tuple(item for item in fine if not item.startswith("`"))
        for word in cells[2].split(","):
            banned.append(Banned(word.strip(), cells[0].strip("*"), places, phrases))
    return banned


@lru_cache
def _glossary() -> list[Banned]:
    return read_glossary(GLOSSARY.read_text(encoding="utf-8")) if GLOSSARY.exists() else []


def check(source: Source, glossary: list[Banned] | None = None) -> Iterator[Violation]:
    """Find banned words in names that we give, in docstrings, comments and pages."""
    if source.path == "docs/words.md" or "vendor" in source.parts:
        return
    if source.is_python:
        places = _of_python(source)
    elif source.name.endswith(".md"):
        places = list(enumerate(source.lines, 1))
    else:
        return
    for banned in _glossary() if glossary is None else glossary:
        if source.below(*banned.places):
            continue
        for line, text in places:
            if banned.matches(text):
                yield source.found(RULE, line, f"{banned.word}: the word is {banned.instead}")


def _split(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).replace("_", " ")


def _of_python(source: Source) -> list[tuple[int, str]]:
    found = []
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.append((node.lineno, _split(node.name)))
        elif isinstance(node, ast.arg):
            found.append((node.lineno, _split(node.arg)))
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.append((node.lineno, _split(node.id)))
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            found.append((node.lineno, _split(node.attr)))
        elif (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        ):
            found += list(enumerate(node.value.value.splitlines(), node.lineno))
    for token in tokenize.generate_tokens(io.StringIO(source.text).readline):
        if token.type == tokenize.COMMENT:
            found.append((token.start[0], token.string))
    return found
