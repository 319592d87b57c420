"""What is in the repository must not depend on the machine it was written on."""

from __future__ import annotations

from collections.abc import Iterator

from .source import Source, Violation

RULE = "machine"
MARKS = ("/" + "work/", "/" + "root/", "pypi" + ".org", "registry" + ".npmjs", "python" + "hosted")
"""In two halves, so that this file passes."""


def check(source: Source) -> Iterator[Violation]:
    """Find absolute paths of a machine and hosts of package registries."""
    for number, line in enumerate(source.lines, 1):
        for mark in MARKS:
            if mark in line:
                yield source.found(RULE, number, f"{mark} belongs to one machine or registry")
