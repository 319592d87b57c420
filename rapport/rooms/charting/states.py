"""The words of charting that are one of a few, and the table of moves. No database here."""

from __future__ import annotations

from enum import StrEnum


class NoteType(StrEnum):
    """What kind of note it is."""

    INTAKE = "intake"
    PROGRESS = "progress"
    TREATMENT_PLAN = "treatment_plan"
    PSYCHOTHERAPY = "psychotherapy"
    """The author's own, apart from the record (45 CFR 164.501): nobody else ever sees it."""
    PSYCHIATRIC_PROGRESS = "psychiatric_progress"
    EVALUATION = "evaluation"
    DISCHARGE = "discharge"
    CONTACT = "contact"
    MISSED_APPOINTMENT = "missed_appointment"
    MISCELLANEOUS = "miscellaneous"


class NoteStatus(StrEnum):
    """Where a note is on its way."""

    DRAFT = "draft"
    PENDING_REVIEW = "pending_review"
    """The author signed; a supervisor must co-sign before it is part of the record."""
    NEEDS_REVISION = "needs_revision"
    """The supervisor sent it back."""
    SIGNED = "signed"
    """Every signature is there. It is locked; only addenda are possible."""
    UNLOCKED = "unlocked"
    """Opened again for a reason; the version that was signed stays as it was."""
    VOID = "void"
    """Entered in error, or a draft that was discarded."""


class Action(StrEnum):
    """What can be done to a note that exists."""

    CHANGE = "change"
    SIGN = "sign"
    RETURN = "return"
    COSIGN = "cosign"
    UNLOCK = "unlock"
    ADDEND = "addend"
    DISCARD = "discard"
    VOID = "void"


class SignatureRole(StrEnum):
    """As what somebody signed."""

    AUTHOR = "author"
    COSIGNER = "cosigner"


S, A = NoteStatus, Action

MOVES: dict[Action, dict[NoteStatus, tuple[NoteStatus, ...]]] = {
    A.CHANGE: {state: (state,) for state in (S.DRAFT, S.NEEDS_REVISION, S.UNLOCKED)},
    A.SIGN: {
        state: (S.SIGNED, S.PENDING_REVIEW) for state in (S.DRAFT, S.NEEDS_REVISION, S.UNLOCKED)
    },
    A.RETURN: {S.PENDING_REVIEW: (S.NEEDS_REVISION,)},
    A.COSIGN: {S.PENDING_REVIEW: (S.SIGNED,)},
    A.UNLOCK: {S.SIGNED: (S.UNLOCKED,)},
    A.ADDEND: {S.SIGNED: (S.SIGNED,)},
    A.DISCARD: {S.DRAFT: (S.VOID,), S.NEEDS_REVISION: (S.VOID,)},
    A.VOID: {S.SIGNED: (S.VOID,), S.UNLOCKED: (S.VOID,)},
}
"""What may be done in which state, and where it can lead. Whatever is not here is refused."""
