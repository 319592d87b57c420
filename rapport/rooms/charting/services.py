"""What can be done to notes that are not signed. Signing and what follows is in `signing`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from rapport.kernel.ids import new_uuid, parse_type_id
from rapport.kernel.problems import (
    FieldError,
    Forbidden,
    ImmutableField,
    Invalid,
    ReadOnlyField,
    ReferenceNotFound,
)
from rapport.platform.access.permissions import Permission, Role
from rapport.platform.access.scope import Scope
from rapport.platform.api import etags
from rapport.platform.crypto import aead
from rapport.platform.db.errors import constraint_name
from rapport.platform.outbox.emit import emit
from rapport.rooms.coding import queries as coding
from rapport.rooms.roster import queries as roster
from rapport.rooms.scheduling.queries import groups

from . import events, queries, visits
from .models import ClinicalNote
from .problems import (
    AppointmentNotHeld,
    NotAuthor,
    NoteExists,
    NoteLocked,
    PersonNeeded,
    WriterRole,
    check_move,
)
from .rules.completeness import missing
from .rules.types import RULES
from .states import MOVES, Action, NoteStatus, NoteType

MAX_CONTENT_BYTES = 200_000


def create_note(*, scope: Scope, body: Any, now: datetime) -> ClinicalNote:
    """
    Begin a note. Whoever begins it is its author.

    Without diagnoses it takes over those of the patient's latest plan or signed note.

    :param body: `schemas.NoteIn`
    :raises ReferenceNotFound: no such appointment, patient or clinician for this actor
    :raises WriterRole: the actor's roles do not write notes of this type
    :raises NoteExists: the visit has a note of this type
    """
    scope.require(Permission.NOTES_WRITE)
    if scope.user_id is None:
        raise PersonNeeded("A note has an author.", reason="no_author")
    type = NoteType(body.type)
    _check_writer(scope, type)
    queries.open_drawer(scope)
    appointment_id, patient_id, clinician_id, service_on = _whom_and_when(scope, body, type, now)
    note = ClinicalNote(
        id=new_uuid(),
        practice_id=scope.practice_id,
        patient_id=patient_id,
        clinician_id=clinician_id,
        appointment_id=appointment_id,
        author_user_id=scope.user_id,
        type=type.value,
        status=NoteStatus.DRAFT.value,
        service_on=service_on,
        created_at=now,
        updated_at=now,
    )
    diagnoses: list[dict[str, Any]] = []
    if body.diagnoses is not None:
        diagnoses = _checked_diagnoses(type, body.diagnoses, on=service_on)
    elif RULES[type].needs_diagnosis:
        diagnoses = queries.diagnoses_to_carry(scope=scope, patient_id=patient_id)
    content = _checked_content(body.content or {})
    if type is not NoteType.PSYCHOTHERAPY:
        visits.refuse_names_of_others(scope, appointment_id=appointment_id, content=content)
    _fill(note, content=content, diagnoses=diagnoses)
    try:
        with transaction.atomic():
            note.save(force_insert=True)
    except IntegrityError as error:
        if constraint_name(error) != "note_once_per_visit":
            raise
        raise NoteExists("Continue the note that is there.") from error
    scope.trail.patient_ids.add(note.patient_id)
    scope.trail.target("clinical_note", note.id, note.version)
    tell(events.NOTE_CREATED, note=note, scope=scope, now=now)
    return note


def change_note(
    *, scope: Scope, note_id: UUID, if_match: str, given: Mapping[str, Any], now: datetime
) -> ClinicalNote:
    """
    Change a draft, by its author. Sections that are sent replace theirs; null removes one.

    :param given: the fields that were sent, of `schemas.NoteChange`
    :raises NotFound: no such note for this actor
    :raises NoteLocked: it is signed, under review or void
    :raises PreconditionFailed: it was changed since it was read: the answer has its present ETag
    :raises ImmutableField: a field cannot be changed after creation
    """
    scope.require(Permission.NOTES_WRITE)
    note = queries.get_note(scope=scope, note_id=note_id, lock=True)
    check_move(note, Action.CHANGE)
    _check_author(scope, note)
    etags.check(note, if_match)
    _refuse_fixed(given, note)
    type = NoteType(note.type)
    content = queries.content_of(note)
    diagnoses = note.diagnoses
    if given.get("service_on") is not None:
        note.service_on = _past(given["service_on"], scope, now)
    if "content" in given:
        merged = content | (given["content"] or {})
        content = _checked_content(
            {name: value for name, value in merged.items() if value is not None}
        )
        if not note.is_psychotherapy:
            visits.refuse_names_of_others(scope, appointment_id=note.appointment_id, content=content)
    if "diagnoses" in given:
        diagnoses = _checked_diagnoses(type, given["diagnoses"] or (), on=note.service_on)
    elif "service_on" in given and diagnoses:
        _check_codes([diagnosis["code"] for diagnosis in diagnoses], on=note.service_on)
    _fill(note, content=content, diagnoses=diagnoses)
    note.version += 1
    note.updated_at = now
    note.save(
        update_fields=[
            "service_on", "content", "sealed_content", "diagnoses", "missing", "version",
            "updated_at",
        ]
    )  # fmt: skip
    scope.trail.target("clinical_note", note.id, note.version)
    scope.trail.changed = sorted(given)
    return note


SHARED = "group_session"
"""The section that says what the group did, the same in each member's note."""


def write_group_notes(*, scope: Scope, group_session_id: UUID, body: Any, now: datetime) -> list[ClinicalNote]:
    """
    Put what a group did into the note of each member who was there; a note that is not there is begun.

    Each is an ordinary note of one patient, which says further what was that patient's own. What is signed stays.

    :param body: `schemas.GroupNotesIn`
    :return: the author's drafts, one for each member whom the author may see and who came
    :raises NotFound: no such session here
    :raises Invalid: a member is named in it
    :raises AppointmentNotHeld: nobody came, as far as the author may see
    """
    scope.require(Permission.NOTES_WRITE)
    parts = [
        part for part in groups.parts_of(scope=scope, group_session_id=group_session_id) if part.attended
    ]
    if not parts:
        raise AppointmentNotHeld("Check members in first, or complete their appointments.")
    shared = {SHARED: body.shared}
    visits.refuse_any_member(scope, group_session_id=group_session_id, text=body.shared, at="/shared")
    written = []
    for part in parts:
        there = queries.note_of_type(scope=scope, appointment_id=part.appointment_id, type=body.type)
        if there is None:
            written.append(create_note(scope=scope, body=body.of(part.appointment_id, shared), now=now))
        elif there.author_user_id == scope.user_id and NoteStatus(there.status) in MOVES[Action.CHANGE]:
            written.append(
                change_note(
                    scope=scope, note_id=there.id, if_match=etags.of(there.id, there.version),
                    given={"content": shared}, now=now,
                )
            )  # fmt: skip
    return written


def discard_note(*, scope: Scope, note_id: UUID, if_match: str, now: datetime) -> ClinicalNote:
    """Throw a draft away, by its author. :raises NoteLocked: it is signed, or was"""
    scope.require(Permission.NOTES_WRITE)
    note = queries.get_note(scope=scope, note_id=note_id, lock=True)
    check_move(note, Action.DISCARD)
    _check_author(scope, note)
    etags.check(note, if_match)
    note.move(Action.DISCARD, NoteStatus.VOID, scope=scope, now=now)
    scope.trail.target("clinical_note", note.id, note.version)
    tell(events.NOTE_VOIDED, note=note, scope=scope, now=now)
    return note


def tell(event: str, *, note: ClinicalNote, scope: Scope, now: datetime) -> None:
    """Emit an event of a note; a psychotherapy note tells nothing to anybody."""
    if not note.is_psychotherapy:
        emit(
            event, scope=scope, object_type="clinical_note", object_id=note.id,
            version=note.version, now=now,
        )  # fmt: skip


def _check_writer(scope: Scope, type: NoteType) -> None:
    if not scope.roles & RULES[type].writers:
        raise WriterRole(reason="writer_role")
    if type is NoteType.PSYCHOTHERAPY:
        scope.require(Permission.PSYCHOTHERAPY_NOTES_WRITE)
        scope.require(Permission.PSYCHOTHERAPY_NOTES_READ)
        if scope.actor_type != "user":
            raise PersonNeeded(reason="person_needed")


def _check_author(scope: Scope, note: ClinicalNote) -> None:
    if scope.user_id != note.author_user_id:
        raise NotAuthor(reason="not_author")


def _whom_and_when(
    scope: Scope, body: Any, type: NoteType, now: datetime
) -> tuple[UUID | None, UUID, UUID, date]:
    """Return appointment, patient, clinician and day of a new note."""
    if body.appointment_id is None:
        if body.patient_id is None:
            raise Invalid(
                "1 field is not valid.",
                errors=(FieldError("/appointment_id", "required", "Or send patient_id."),),
            )
        patient = roster.refer_to_patient(
            scope=scope, patient_id=_id("patient", body.patient_id, "/patient_id"),
            pointer="/patient_id",
        )  # fmt: skip
        day = _past(body.service_on or scope.day_of(now), scope, now)
        return None, patient.id, _clinician(scope, body, None), day
    visit = visits.refer_to_visit(
        scope=scope, appointment_id=parse_type_id("appointment", body.appointment_id),
        pointer="/appointment_id",
    )  # fmt: skip
    if body.patient_id is not None:
        same = _id("patient", body.patient_id, "/patient_id")
        if same != visit.patient_id:
            raise _fault("/patient_id", "not-of-appointment")
    if body.service_on not in (None, visit.service_on):
        raise _fault("/service_on", "not-of-appointment")
    if not visit.held and RULES[type].once_per_visit:
        raise AppointmentNotHeld("Write a missed appointment note instead.")
    return visit.id, visit.patient_id, _clinician(scope, body, visit.clinician_id), visit.service_on


def _clinician(scope: Scope, body: Any, of_visit: UUID | None) -> UUID:
    """Return who treated: the visit's clinician, else the one named, else the author."""
    named = None
    if body.clinician_id is not None:
        named = roster.refer_to_clinician(
            scope=scope, clinician_id=_id("clinician", body.clinician_id, "/clinician_id"),
            pointer="/clinician_id",
        ).id  # fmt: skip
    if of_visit is not None and named not in (None, of_visit):
        raise _fault("/clinician_id", "not-of-appointment")
    clinician_id = of_visit or named or scope.clinician_id
    if clinician_id is None:
        raise _fault("/clinician_id", "required")
    if scope.clinician_id not in (None, clinician_id) and (
        Role.CLINICAL_ADMINISTRATOR not in scope.roles
    ):
        raise Forbidden("Write notes of your own sessions.", reason="other_clinician")
    return clinician_id


def _past(day: date, scope: Scope, now: datetime) -> date:
    if day > scope.day_of(now):
        raise _fault("/service_on", "in-the-future")
    return day


_FIXED = ("patient_id", "appointment_id", "clinician_id", "type", "author_user_id")
_OURS = (
    "id", "object", "status", "signatures", "signed_at", "locked", "document", "completeness",
    "addenda", "version", "created_at", "updated_at", "practice_id", "revision", "cosign_required",
)  # fmt: skip


def _refuse_fixed(given: Mapping[str, Any], note: ClinicalNote) -> None:
    fixed = [name for name in _FIXED if name in given]
    if "service_on" in given and note.appointment_id is not None:
        fixed.append("service_on")
    if fixed:
        raise ImmutableField(
            "Discard this draft and write another note instead.",
            errors=tuple(FieldError(f"/{name}", "immutable-field") for name in fixed),
            reason="immutable_field",
        )
    ours = [name for name in _OURS if name in given]
    if ours:
        raise ReadOnlyField(
            "Leave these fields out.",
            errors=tuple(FieldError(f"/{name}", "read-only-field") for name in ours),
            reason="read_only_field",
        )


def _fill(
    note: ClinicalNote, *, content: Mapping[str, Any], diagnoses: Sequence[Mapping[str, Any]]
) -> None:
    """Set what a note says, sealed where it is a psychotherapy note, and what it still lacks."""
    note.missing = missing(NoteType(note.type), content=content, diagnoses=diagnoses)
    if note.is_psychotherapy:
        note.sealed_content = aead.seal(
            json.dumps(content).encode(),
            aad=queries.seal_of(note.id, part="content"),
            purpose="field",
        )
        return
    note.content = dict(content)
    note.diagnoses = [dict(diagnosis) for diagnosis in diagnoses]


def _checked_content(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the sections. :raises Invalid: too much text, or a section's name is no name"""
    faults = [
        FieldError(f"/content/{name}"[:200].replace("~", "~0"), "malformed")
        for name in content
        if not (name.isascii() and name.replace("_", "a").isalnum() and name.islower())
        or len(name) > 40
    ]
    if not faults and len(content) > 40:
        faults = [FieldError("/content", "too-many")]
    if not faults and len(json.dumps(content, ensure_ascii=False).encode()) > MAX_CONTENT_BYTES:
        faults = [FieldError("/content", "too-long")]
    if faults:
        raise Invalid(f"{len(faults)} field(s) are not valid.", errors=tuple(faults))
    return dict(content)


def _checked_diagnoses(
    type: NoteType, diagnoses: Sequence[Any], *, on: date
) -> list[dict[str, Any]]:
    if diagnoses and type is NoteType.PSYCHOTHERAPY:
        # 45 CFR 164.501: a diagnosis belongs into the record, not into these notes.
        raise _fault("/diagnoses", "not-in-psychotherapy-notes")
    codes = [diagnosis.code for diagnosis in diagnoses]
    _check_codes(codes, on=on)
    found = [one for code in codes if (one := coding.diagnosis_on(code=code, on=on))]
    if len({one.code for one in found}) != len(codes):
        raise _fault("/diagnoses", "repeated")
    return [{"code": one.code, "label": one.title} for one in found]


def _check_codes(codes: Sequence[str], *, on: date) -> None:
    faults = coding.diagnosis_faults(codes=codes, on=on)
    if faults:
        raise Invalid(
            f"{len(faults)} field(s) are not valid.",
            errors=tuple(FieldError(f"/diagnoses/{f.position}/code", f.code) for f in faults),
        )


def _id(kind: str, text: str, pointer: str) -> UUID:
    value = parse_type_id(kind, text)
    if value is None:
        raise ReferenceNotFound(
            "A field refers to something that is not here.",
            errors=(FieldError(pointer, "reference-not-found"),),
        )
    return value


def _fault(pointer: str, code: str) -> Invalid:
    return Invalid("1 field is not valid.", errors=(FieldError(pointer, code),))


__all__ = ["NoteLocked", "change_note", "create_note", "discard_note", "tell", "write_group_notes"]
