"""A file is read in one sitting."""

from __future__ import annotations

from collections.abc import Iterator

from .source import Source, Violation

RULE = "length"
WARN, STOP = 400, 600
KINDS = (".py", ".html", ".css", ".js", ".sql")


def check(source: Source) -> Iterator[Violation]:
    """Warn at 400 lines and stop at 600; what others wrote (`vendor/`) does not count."""
    lines = len(source.lines)
    if not source.name.endswith(KINDS) or "vendor" in source.parts or lines <= WARN:
        return
    if lines > STOP:
        yield source.found(RULE, STOP + 1, f"{lines} lines, more than {STOP}: split it by verb")
    else:
        yield source.found(
            RULE, WARN + 1, f"{lines} lines: more than {WARN} is much for one sitting", warning=True
        )
