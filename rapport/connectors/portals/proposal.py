"""What a calibration proposes: lines of an overlay with their evidence, and what a person has to say."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Evidence:
    """One line of an overlay, and why. No value of a record in it."""

    place: str
    value: Any
    because: str


@dataclass(slots=True)
class Proposal:
    """What calibrating came to."""

    overlay: dict[str, Any] = field(default_factory=lambda: {"set": {}, "calibrated": []})
    evidence: list[Evidence] = field(default_factory=list)
    questions: dict[str, str] = field(default_factory=dict)
    """Place -> what a person has to say: the header, or nothing where the portal has no such column."""
    unbound: dict[str, str] = field(default_factory=dict)
    """Fields that may be missing, and were not found: questions that stop nothing."""
    checked: dict[str, str] = field(default_factory=dict)
    """Call -> what reading the given pages with the overlay came to."""

    def say(self, place: str, value: Any, because: str) -> None:
        """Propose one line."""
        self.overlay["set"][place] = value
        self.evidence.append(Evidence(place, value, because))
