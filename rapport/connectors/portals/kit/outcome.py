"""What a step of the kit came to, in words for a person and as data for a program."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


class Unusable(Exception):
    """What was given cannot be worked with; says why, and quotes nothing of it."""


@dataclass(slots=True)
class Outcome:
    """The end of a step. No value of a record and no secret is in it."""

    lines: list[str] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)
    failed: bool = False

    def say(self, line: str) -> None:
        """Add a line for a person."""
        self.lines.append(line)
