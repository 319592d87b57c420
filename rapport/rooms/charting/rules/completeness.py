"""What a note still lacks before it can be signed: pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rapport.rooms.charting.states import NoteType

from .types import RULES


def has_text(value: Any) -> bool:
    """Tell whether a section says anything.

    >>> has_text({"mood": " ", "affect": ["flat"]})
    True
    """
    if isinstance(value, str):
        return bool(value.strip())
    if isinstance(value, Mapping):
        return any(has_text(member) for member in value.values())
    if isinstance(value, list):
        return any(has_text(member) for member in value)
    return value is not None


def missing(type: NoteType, *, content: Mapping[str, Any], diagnoses: Sequence[Any]) -> list[str]:
    """
    Return JSON pointers to what must be filled in; empty when the note is complete.

    >>> missing(NoteType.PROGRESS, content={"data": "Slept badly."}, diagnoses=[])
    ['/content/plan', '/diagnoses']
    """
    rule = RULES[type]
    lacks = [
        f"/content/{group[0]}"
        for group in rule.requires
        if not any(has_text(content.get(section)) for section in group)
    ]
    if not rule.requires and type is NoteType.PSYCHOTHERAPY and not has_text(content):
        lacks.append("/content")
    if rule.needs_diagnosis and not diagnoses:
        lacks.append("/diagnoses")
    return lacks
