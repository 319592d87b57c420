"""What can go wrong with a note in a way that a caller can act on."""

from __future__ import annotations

from rapport.kernel.problems import Conflict, Forbidden, StateConflict

from .models import ClinicalNote
from .states import MOVES, Action, NoteStatus


class NoteLocked(Conflict):
    code, title = "note-locked", "The note is locked. Only an addendum can be made."


class CosignRequired(Conflict):
    code, title = "cosign-required", "A supervisor must co-sign the note."


class NoteIncomplete(Conflict):
    code, title = "note-incomplete", "The note lacks something that it needs before it is signed."


class AppointmentAhead(Conflict):
    code, title = "appointment-in-future", "The appointment has not begun yet."


class AppointmentNotHeld(Conflict):
    code = "appointment-not-held"
    title = "The appointment was cancelled or missed, so there is no session to note."


class NoteExists(Conflict):
    code, title = "note-exists", "The visit has a note of this type."


class NotAuthor(Forbidden):
    code, title = "not-author", "Only the author may do this."


class NotSupervisor(Forbidden):
    code, title = "not-supervisor", "Only a supervisor of the author's team may do this."


class PersonNeeded(Forbidden):
    code = "person-needed"
    title = "A signature is given by a person who is signed in, never by a program's key."


class WriterRole(Forbidden):
    code, title = "writer-role", "Your roles do not write notes of this type."


def check_move(note: ClinicalNote, action: Action) -> None:
    """
    Pass if the note's state allows the action.

    :raises NoteLocked: its text is signed, under review or void, and the action would touch it
    :raises CosignRequired: the author signs again what waits for a supervisor
    :raises StateConflict: it is in another state that does not allow it
    """
    status = NoteStatus(note.status)
    if status in MOVES[action]:
        return
    if action is Action.SIGN and status is NoteStatus.PENDING_REVIEW:
        raise CosignRequired(current_state=status.value, reason="cosign_required")
    if action in (Action.CHANGE, Action.SIGN, Action.DISCARD) and status in (
        NoteStatus.SIGNED, NoteStatus.PENDING_REVIEW, NoteStatus.VOID,
    ):  # fmt: skip
        raise NoteLocked(current_state=status.value, reason="locked")
    raise StateConflict(
        current_state=status.value,
        allowed_from=sorted(state.value for state in MOVES[action]),
        reason="state",
    )
