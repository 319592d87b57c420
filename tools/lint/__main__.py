"""
Run every house lint: `python -m tools.lint [PATH …]`.

Prints `file:line rule message` for each place and ends with 1 when there is one. A line that must
break a rule says so: `# lint: allow RULE - reason`.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from . import (
    cents,
    clock,
    danger,
    decisions,
    echoes,
    fields,
    keywords,
    length,
    machine,
    moves,
    network,
    tables,
    words,
)  # fmt: skip
from .source import Source, Violation

LINTS: tuple[Callable[[Source], Iterator[Violation]], ...] = (
    cents.check, clock.check, danger.check, decisions.check, echoes.check, fields.check,
    keywords.check, length.check, machine.check, moves.check, network.check, tables.check,
    words.check,
)  # fmt: skip
ROOT = Path(__file__).resolve().parents[2]


def tracked(root: Path) -> list[str]:
    """Return the files that belong to the repository; in an unpacked archive, those that are there."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode == 0:
        return [name for name in listed.stdout.split("\0") if name and (root / name).is_file()]
    return [
        path.relative_to(root).as_posix()
        for path in root.rglob("*")
        if path.is_file()
        and not any(
            part.startswith(".") or part == "__pycache__" for part in path.relative_to(root).parts
        )
    ]


def sources(root: Path, names: Iterable[str]) -> Iterator[Source]:
    """Read the files that are text."""
    for name in names:
        try:
            yield Source(name, (root / name).read_text(encoding="utf-8"))
        except UnicodeDecodeError:
            continue  # a picture or a font: nothing to read in it


def violations(found: Iterable[Source]) -> list[Violation]:
    """Run every lint over every file and leave out what a line allows with a reason."""
    return sorted(
        violation
        for source in found
        for lint in LINTS
        for violation in lint(source)
        if not source.allows(violation)
    )


def main(arguments: Sequence[str]) -> int:
    """Lint the named files, or all. Return the exit status."""
    found = violations(sources(ROOT, arguments or tracked(ROOT)))
    errors = [violation for violation in found if not violation.warning]
    for violation in found:
        print(violation)
    print(f"House lints: {len(errors)} to mend, {len(found) - len(errors)} warnings.")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
