"""
Facts of notes that another system has, kept here as it has them: never what a note says.

Text and signatures are there and not here: a mirrored note has no content, a draft lacks `/content`, and what is
signed has the PDF that was signed there once that is fetched. Psychotherapy notes are their author's own and are not mirrored.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from rapport.kernel.ids import new_uuid
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.audit import write as audit
from rapport.platform.tenancy.models import HOUSE_ID
from rapport.platform.tenancy.source import (
    GONE,
    NotTakenOver,
    SourceRef,
    one_of,
    required,
)
from rapport.rooms.roster import mirroring as roster

from . import events
from .models import ClinicalNote, NoteMove
from .rules.types import RULES
from .services import tell
from .states import NoteStatus, NoteType
from .visits import only_visit

_TYPES = {type.value: type.value for type in NoteType if type is not NoteType.PSYCHOTHERAPY}
_STATUS = {
    "draft": "draft", "signed": "signed", "locked": "signed", "pending_review": "pending_review",
}  # fmt: skip
_TOLD = {
    NoteStatus.SIGNED: ("sign", (events.NOTE_SIGNED, events.NOTE_LOCKED)),
    NoteStatus.PENDING_REVIEW: ("sign", (events.NOTE_SIGNED,)),
    NoteStatus.UNLOCKED: ("unlock", (events.NOTE_UNLOCKED,)),
    NoteStatus.DRAFT: ("return", (events.NOTE_RETURNED,)),
    NoteStatus.VOID: ("void", (events.NOTE_VOIDED,)),
}
"""What a note came to -> the move that leads there, and what is told of it."""


def mirror_note(
    *, scope: Scope, source: SourceRef, values: Mapping[str, Any], now: datetime,
    document_id: UUID | None = None,
) -> tuple[ClinicalNote, list[str]]:
    """
    Bring a note's facts up to what its system has of them; make it when it is new.

    :param values: `patient, clinician, service_on, type, status, signed_at`; patient and clinician
        are that system's ids for them, `signed_at` is a wall time of the practice
    :param document_id: the PDF that was signed there, once it is fetched; None: as it is
    :return: the note, and the columns that changed; none: nothing was told
    :raises NotTakenOver: something is missing or unknown here, or it is a psychotherapy note
    """
    scope.require(Permission.NOTES_WRITE)
    if values.get("type") == NoteType.PSYCHOTHERAPY.value:
        raise NotTakenOver("psychotherapy-note", field="type")
    patient = roster.find_patient(scope=scope, system=source.system, id=required(values, "patient"))
    clinician = roster.find_clinician(
        scope=scope, system=source.system, id=required(values, "clinician")
    )
    type = one_of(values, "type", _TYPES)
    said = NoteStatus(one_of(values, "status", _STATUS))
    row = ClinicalNote.of_source(source, scope=scope)
    columns: dict[str, Any] = {
        "service_on": _day(values), "signed_at": _signed_at(scope, values, said),
        # What a draft still lacks, nobody says; what was signed lacks nothing.
        "missing": [] if said is NoteStatus.SIGNED else ["/content"],
    }  # fmt: skip
    if document_id is not None:
        columns["document_id"] = document_id
    if row is None:
        row = ClinicalNote(
            id=new_uuid(), practice_id=scope.practice_id, patient=patient, clinician=clinician,
            author_user_id=HOUSE_ID, type=type, status=NoteStatus.DRAFT.value,
            appointment_id=_visit(scope, patient.id, clinician.id, type, columns["service_on"]),
            created_at=now, updated_at=now, **columns,
        ).sourced(source)  # fmt: skip
        row.save(force_insert=True)
        _note(row, "create", scope=scope, changed=())
        tell(events.NOTE_CREATED, note=row, scope=scope, now=now)
        _reach(row, said, scope=scope, source=source, now=now)
        return row, sorted([*columns, "status"])
    for name, now_is in (("patient", patient.id), ("clinician", clinician.id), ("type", type)):
        if getattr(row, name if name == "type" else f"{name}_id") != now_is:
            raise NotTakenOver(f"{name}-changed", field=name)
    changed = row.bring_up(columns, source=source, scope=scope, now=now)
    if changed:
        _note(row, "update", scope=scope, changed=changed)
    if _reach(row, _target(row, said), scope=scope, source=source, now=now):
        changed.append("status")
    return row, changed


def note_gone(*, scope: Scope, source: SourceRef, now: datetime) -> ClinicalNote | None:
    """Void a note that its system has no more; its row stays. :return: None: never mirrored"""
    scope.require(Permission.NOTES_WRITE)
    row = ClinicalNote.of_source(source, scope=scope)
    if row is not None:
        _reach(row, NoteStatus.VOID, scope=scope, source=source, now=now, reason=GONE)
    return row


def mirror_addendum(
    *, scope: Scope, source: SourceRef, values: Mapping[str, Any], now: datetime
) -> tuple[ClinicalNote, list[str]]:
    """
    Note that a signed note has an addendum there: how many it has, and never what they say.

    :param source: the addendum
    :param values: `under`, that system's id of the note, and `count`, how many addenda it has now
    :return: the note, and the columns that changed; none: it was known
    :raises NotTakenOver: the note is not here
    """
    scope.require(Permission.NOTES_WRITE)
    note = SourceRef(source.system, required(values, "under"), source.as_of)
    row = ClinicalNote.of_source(note, scope=scope)
    if row is None:
        raise NotTakenOver("unknown-note", field="under")
    count = max(row.addenda_count, int(required(values, "count")))
    changed = row.bring_up({"addenda_count": count}, source=note, scope=scope, now=now)
    if changed:
        NoteMove.objects.create(
            practice_id=row.practice_id, note_id=row.id, patient_id=row.patient_id, action="addend",
            from_status=row.status, to_status=row.status, version=row.version, actor_type=scope.actor_type,
            actor_id=scope.actor_id, reason=roster.MIRRORED, moved_at=now,
        )  # fmt: skip
        _note(row, "addend", scope=scope, changed=changed)
        tell(events.NOTE_ADDENDED, note=row, scope=scope, now=now)
    return row, changed


def addendum_gone(*, scope: Scope, source: SourceRef, now: datetime) -> None:
    """Nothing: addenda are for ever, and are not read as a list."""


def note_document(
    *, scope: Scope, source: SourceRef, document_id: UUID, now: datetime
) -> ClinicalNote | None:
    """Keep the PDF that was signed there with its note. :return: None: the note was never mirrored"""
    scope.require(Permission.NOTES_WRITE)
    row = ClinicalNote.of_source(source, scope=scope)
    if row is not None:
        changed = row.bring_up({"document_id": document_id}, source=source, scope=scope, now=now)
        if changed:
            _note(row, "update", scope=scope, changed=["document"])
    return row


def lacks_paper(note: ClinicalNote) -> bool:
    """Tell whether a note is signed there and its PDF is not here yet."""
    return note.status == NoteStatus.SIGNED and note.document_id is None


def _visit(scope: Scope, patient_id: UUID, clinician_id: UUID, type: str, on: date) -> UUID | None:
    """Return the visit that a note of a day is about; a list of notes names none. Set once: what a note is about stays."""
    if not RULES[NoteType(type)].once_per_visit:
        return None
    return only_visit(scope=scope, patient_id=patient_id, clinician_id=clinician_id, on=on)


def _day(values: Mapping[str, Any]) -> date:
    try:
        return date.fromisoformat(required(values, "service_on"))
    except ValueError as error:
        raise NotTakenOver("unreadable-service-on", field="service_on") from error


def _signed_at(scope: Scope, values: Mapping[str, Any], said: NoteStatus) -> datetime | None:
    text = values.get("signed_at")
    if not text or said is NoteStatus.DRAFT:
        return None
    try:
        wall = datetime.fromisoformat(str(text))
    except ValueError as error:
        raise NotTakenOver("unreadable-signed-at", field="signed_at") from error
    return wall if wall.tzinfo is not None else wall.replace(tzinfo=scope.time_zone)


def _target(row: ClinicalNote, said: NoteStatus) -> NoteStatus:
    """Return where a known note stands: a draft that was signed before has been unlocked there."""
    if said is NoteStatus.DRAFT and row.status in (NoteStatus.SIGNED, NoteStatus.UNLOCKED):
        return NoteStatus.UNLOCKED
    return said


def _reach(
    row: ClinicalNote, to: NoteStatus, *, scope: Scope, source: SourceRef, now: datetime,
    reason: str = roster.MIRRORED,
) -> bool:
    before = row.status
    if before == to.value:
        return False
    columns: dict[str, Any] = {"status": to.value}
    if to is NoteStatus.UNLOCKED:
        columns["revision"] = row.revision + 1
    row.bring_up(columns, source=source, scope=scope, now=now)
    action, told = _TOLD[to]
    NoteMove.objects.create(
        practice_id=row.practice_id, note_id=row.id, patient_id=row.patient_id, action=action,
        from_status=before, to_status=to.value, version=row.version, actor_type=scope.actor_type,
        actor_id=scope.actor_id, reason=reason, moved_at=now,
    )  # fmt: skip
    _note(row, action, scope=scope, changed=["status"], reason=reason)
    for event in told:
        tell(event, note=row, scope=scope, now=now)
    return True


def _note(
    row: ClinicalNote, verb: str, *, scope: Scope, changed: Any, reason: str = roster.MIRRORED
) -> None:
    audit.append(
        scope=scope, action=f"note.{verb}", reason=reason, patient_ids=[row.patient_id],
        target_type="clinical_note", target_id=row.id, target_version=row.version, changed=changed,
    )  # fmt: skip
