"""The text that is signed: one canonical form, and its digest. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any
from uuid import UUID

FORM = "rapport-note-1"
"""Version of the canonical form; part of the text, so that a later form cannot be mistaken."""


@dataclass(frozen=True, slots=True)
class Words:
    """Everything of a note that a signature covers."""

    note_id: UUID
    patient_id: UUID
    clinician_id: UUID
    appointment_id: UUID | None
    type: str
    service_on: date
    revision: int
    diagnoses: Sequence[Mapping[str, Any]]
    content: Mapping[str, Any]

    def canonical(self) -> str:
        """Return the text as JSON with sorted names and nothing that could vary."""
        return json.dumps(
            {
                "form": FORM,
                "note_id": str(self.note_id),
                "patient_id": str(self.patient_id),
                "clinician_id": str(self.clinician_id),
                "appointment_id": self.appointment_id and str(self.appointment_id),
                "type": self.type,
                "service_on": self.service_on.isoformat(),
                "revision": self.revision,
                "diagnoses": [dict(diagnosis) for diagnosis in self.diagnoses],
                "content": dict(self.content),
            },
            sort_keys=True,
            ensure_ascii=False,
            separators=(",", ":"),
        )


def digest_of(text: str) -> str:
    """Return the hex SHA-256 of a text in UTF-8."""
    return sha256(text.encode()).hexdigest()


_ORDER = (
    "chief_complaint presenting_problem reason history interval_history group_session subjective data behavior "
    "narrative summary session_summary text problems objective mental_status findings results "
    "interventions intervention response risk impressions assessment goals objectives "
    "recommendations plan"
).split()


def ordered(content: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return sections in the order in which notes are read: what was heard first, the plan last.

    >>> list(ordered({"plan": "", "mood": "", "subjective": ""}))
    ['subjective', 'mood', 'plan']
    """
    place = {name: number for number, name in enumerate(_ORDER)}
    middle = place["interventions"] - 0.5
    names = sorted(content, key=lambda name: (place.get(name, middle), name))
    return {name: content[name] for name in names}


def heading_of(section: str) -> str:
    """Return a section's name as printed.

    >>> heading_of("presenting_problem")
    'Presenting problem'
    """
    return section.replace("_", " ").capitalize()


def printed(value: Any, *, depth: int = 0) -> str:
    """Return a section as lines of text: every name and value of its fields is there.

    >>> printed({"mood": "low", "risks": ["none"]})
    'Mood: low\\nRisks:\\n  - none'
    """
    indent = "  " * depth
    if isinstance(value, Mapping):
        lines = []
        for name, member in value.items():
            if isinstance(member, Mapping | list):
                lines.append(
                    f"{indent}{heading_of(str(name))}:\n{printed(member, depth=depth + 1)}"
                )
            else:
                lines.append(f"{indent}{heading_of(str(name))}: {printed(member)}")
        return "\n".join(lines)
    if isinstance(value, list):
        return "\n".join(f"{indent}- {printed(member).strip()}" for member in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)
