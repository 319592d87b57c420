"""
Types of notes: what each must say before it can be signed, and who writes it.

Practices write in many styles (SOAP, DAP, BIRP, narrative). So a requirement is a group of
sections of which one must have text; further sections are free.
"""

from __future__ import annotations

from dataclasses import dataclass

from rapport.platform.access.permissions import Role
from rapport.rooms.charting.states import NoteType

_CLINICAL = frozenset({Role.CLINICIAN, Role.INTERN, Role.CLINICAL_ADMINISTRATOR, Role.PRESCRIBER})
_CLOSING = _CLINICAL | {Role.SUPERVISOR}
_ANYBODY = _CLOSING | {Role.SCHEDULER}

_ACCOUNT = (
    "subjective", "data", "behavior", "narrative", "summary", "session_summary", "objective",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class TypeRule:
    """What holds for one type of note."""

    title: str
    """As printed."""
    requires: tuple[tuple[str, ...], ...]
    """Of each group one section must have text; the first names the group where it is missing."""
    writers: frozenset[Role]
    """Who may write it; one role is enough."""
    needs_diagnosis: bool = False
    billable: bool = False
    """Whether a claim may rest on it."""
    once_per_visit: bool = False
    """Whether a visit has one of them per patient at most."""


RULES: dict[NoteType, TypeRule] = {
    NoteType.INTAKE: TypeRule(
        "Intake note",
        (("presenting_problem", "chief_complaint", *_ACCOUNT), ("plan", "assessment")),
        _CLINICAL, needs_diagnosis=True, billable=True, once_per_visit=True,
    ),
    NoteType.PROGRESS: TypeRule(
        "Progress note", (_ACCOUNT, ("plan",)),
        _CLINICAL, needs_diagnosis=True, billable=True, once_per_visit=True,
    ),
    NoteType.TREATMENT_PLAN: TypeRule(
        "Treatment plan", (("goals", "problems"), ("interventions", "objectives", "plan")),
        _CLINICAL, needs_diagnosis=True,
    ),
    NoteType.PSYCHOTHERAPY: TypeRule(
        "Psychotherapy note", (), frozenset({Role.CLINICIAN, Role.CLINICAL_ADMINISTRATOR})
    ),
    NoteType.PSYCHIATRIC_PROGRESS: TypeRule(
        "Psychiatric progress note", (("interval_history", *_ACCOUNT), ("plan",)),
        _CLINICAL, needs_diagnosis=True, billable=True, once_per_visit=True,
    ),
    NoteType.EVALUATION: TypeRule(
        "Evaluation", (("findings", "results", *_ACCOUNT), ("impressions", "assessment", "recommendations", "plan")),
        _CLINICAL, needs_diagnosis=True, billable=True, once_per_visit=True,
    ),
    NoteType.DISCHARGE: TypeRule(
        "Discharge note", (("reason", "summary", "narrative"),), _CLOSING
    ),
    NoteType.CONTACT: TypeRule("Contact note", (("summary", "narrative", "text"),), _ANYBODY),
    NoteType.MISSED_APPOINTMENT: TypeRule("Missed appointment note", (), _ANYBODY),
    NoteType.MISCELLANEOUS: TypeRule(
        "Miscellaneous note", (("text", "summary", "narrative"),), _ANYBODY
    ),
}  # fmt: skip
