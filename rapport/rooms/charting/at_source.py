"""
Notes of a connected practice: what is signed there gets addenda, by the system that keeps the notes.

Its text is there and not here; of an addendum, too, only that it is there is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

from rapport.kernel.outcomes import Asked, Done, Outcome
from rapport.kernel.problems import NotAtSource
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.api.handed_on import Supplied
from rapport.platform.tenancy.source import SourceRef

from . import mirroring, queries
from .models import ClinicalNote
from .ports import SystemOfRecord
from .problems import check_move
from .signing import check_person
from .states import Action

POINTERS: Mapping[str, str] = MappingProxyType({"body": "/text"})
"""Value that another system is given -> where a caller gave it."""

keeper: Supplied[SystemOfRecord] = Supplied()
"""What keeps the notes of connected practices."""


def addend(
    *, scope: Scope, note_id: UUID, text: str, now: datetime, key: str
) -> tuple[ClinicalNote, Outcome]:
    """
    Have an addendum made where this practice's notes are kept. Checks as `signing.add_addendum`.

    :raises ConnectorNotReady: nothing can write there
    :raises StateConflict: the note is not signed
    """
    scope.require(Permission.NOTES_WRITE)
    scope.require(Permission.NOTES_SIGN)
    check_person(scope)
    record = keeper.get()
    note = queries.get_note(scope=scope, note_id=note_id)
    check_move(note, Action.ADDEND)
    if note.source_remote_id is None:
        raise NotAtSource("The note is not in that system.")
    asked = Asked(
        key, note.patient_id, {"body": text}, note.source_system, note.source_remote_id, pointers=POINTERS
    )
    return note, record.addend(scope=scope, asked=asked, now=now)


def wait(*, scope: Scope, write_id: str, seconds: float) -> Outcome:
    """See for so long at most what becomes of a write. Called outside of any transaction."""
    return keeper.get().wait(scope=scope, write_id=write_id, seconds=seconds)


def mirror_done(*, scope: Scope, outcome: Done, now: datetime) -> UUID:
    """Note what the other system was seen to have. :return: the note"""
    source = SourceRef(outcome.system, outcome.remote_id, now)
    row, _ = mirroring.mirror_addendum(scope=scope, source=source, values=outcome.values, now=now)
    return row.id


__all__ = ["POINTERS", "addend", "keeper", "mirror_done", "wait"]
