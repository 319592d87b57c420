"""
Questions about notes. They take the scope first and change nothing.

Psychotherapy notes are shown by the database to their author only, and only in a transaction in
which `open_drawer` was called for that author. Whoever reads the tables without it (a job, an
export, another room) cannot even count them.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db.models import F

from rapport.kernel.problems import NotFound
from rapport.platform.access.permissions import Permission, Role
from rapport.platform.access.scope import Scope
from rapport.platform.crypto import aead
from rapport.platform.db import sql
from rapport.platform.db.rows import by_id
from rapport.platform.identity.members import clinician_of

from .models import Addendum, ClinicalNote, Signature, SignedText
from .rules.text import Words
from .rules.types import RULES
from .states import NoteStatus, SignatureRole


def open_drawer(scope: Scope) -> None:
    """Show this transaction the actor's own psychotherapy notes, if the actor is a person signed in
    who may have any. A program's key never sees them."""
    if (
        scope.actor_type == "user"
        and scope.user_id is not None
        and scope.allows(Permission.PSYCHOTHERAPY_NOTES_READ)
    ):
        sql.one("SELECT set_config('rapport.note_author', %s, true)", (str(scope.user_id),))


def get_note(*, scope: Scope, note_id: UUID, lock: bool = False) -> ClinicalNote:
    """
    Return a note the actor may know of.

    :param lock: hold the row until the transaction ends
    :raises NotFound: no such note for this actor
    """
    open_drawer(scope)
    note = by_id(ClinicalNote, scope=scope, id=note_id, lock=lock)
    if note is None:
        private = sql.one("SELECT rapport_note_is_private(%s)", (note_id,))
        if private and private[0]:
            raise NotFound(reason="author_only")
        raise NotFound(_sought=[("clinical_note", note_id)])
    scope.trail.patient_ids.add(note.patient_id)
    scope.trail.target("clinical_note", note.id, note.version)
    return note


def note_of_type(*, scope: Scope, appointment_id: UUID, type: str) -> ClinicalNote | None:
    """Return the note of one type that a visit has, in whatever state but void; never a psychotherapy note."""
    rows = ClinicalNote.objects.visible_to(scope).filter(appointment_id=appointment_id, type=type)
    return rows.exclude(status=NoteStatus.VOID).order_by("created_at").first()


def may_read_text(scope: Scope, *, status: str, author_user_id: UUID, clinician_id: UUID) -> bool:
    """
    Tell whether the actor may read what a note says, beyond that it exists.

    What is not signed is not yet part of the record: its author reads it, and who approves it.
    """
    if not scope.allows(Permission.NOTES_READ):
        return False
    if status in (NoteStatus.SIGNED, NoteStatus.VOID) or scope.user_id == author_user_id:
        return True
    return clinician_id in scope.supervisee_ids or Role.CLINICAL_ADMINISTRATOR in scope.roles


def seal_of(note_id: UUID, *, part: str) -> bytes:
    """Return what a sealed text is bound to: it opens nowhere else."""
    return b"psychotherapy|" + note_id.bytes + part.encode()


def content_of(note: ClinicalNote) -> dict[str, Any]:
    """Return what a note says, section by section."""
    if note.sealed_content is not None:
        plain = aead.open_(
            bytes(note.sealed_content), aad=seal_of(note.id, part="content"), purpose="field"
        )
        opened: dict[str, Any] = json.loads(plain)
        return opened
    content: dict[str, Any] = note.content
    return content


def words_of(note: ClinicalNote, *, content: Mapping[str, Any]) -> Words:
    """Return everything of a note that a signature covers."""
    return Words(
        note_id=note.id,
        patient_id=note.patient_id,
        clinician_id=note.clinician_id,
        appointment_id=note.appointment_id,
        type=note.type,
        service_on=note.service_on,
        revision=note.revision,
        diagnoses=note.diagnoses,
        content=content,
    )


def addendum_text(row: Addendum) -> str:
    """Return what an addendum says."""
    if row.sealed_text is None:
        return row.text
    return aead.open_(
        bytes(row.sealed_text), aad=seal_of(row.note_id, part=f"addendum|{row.id}"), purpose="field"
    ).decode()


def signed_text(row: SignedText) -> str:
    """Return a text as it was signed."""
    if row.sealed_text is None:
        return row.text
    return aead.open_(
        bytes(row.sealed_text), aad=seal_of(row.note_id, part=f"signed|{row.id}"), purpose="field"
    ).decode()


def addenda_of(*, scope: Scope, note_id: UUID) -> Sequence[Addendum]:
    """Return a note's addenda, the first one first."""
    return list(
        Addendum.objects.visible_to(scope).filter(note_id=note_id).order_by("signed_at", "id")
    )


def signatures_of(*, scope: Scope, text_id: UUID) -> Sequence[Signature]:
    """Return the signatures under one text, the author's first."""
    return list(
        Signature.objects.visible_to(scope)
        .filter(signed_text_id=text_id)
        .order_by("signed_at", "id")
    )


def latest_text(*, scope: Scope, note: ClinicalNote) -> SignedText | None:
    """Return the text of the note's present revision that was signed last."""
    found: SignedText | None = (
        SignedText.objects.visible_to(scope)
        .filter(note_id=note.id, revision=note.revision)
        .order_by("-attempt")
        .first()
    )
    return found


def diagnoses_to_carry(*, scope: Scope, patient_id: UUID) -> list[dict[str, Any]]:
    """Return the diagnoses of the patient's latest treatment plan or note that is signed."""
    row = sql.one(
        "SELECT diagnoses::text FROM charting_clinicalnote WHERE practice_id = %s AND patient_id = %s"
        " AND status = 'signed' AND diagnoses <> '[]'::jsonb"
        " ORDER BY (type = 'treatment_plan') DESC, service_on DESC, id DESC LIMIT 1",
        (scope.practice_id, patient_id),
    )
    return list(json.loads(row[0])) if row else []


@dataclass(frozen=True, slots=True)
class BillingNote:
    """What a claim needs to know of a visit's note: never what it says."""

    id: UUID
    type: str
    status: NoteStatus
    cosign_required: bool
    service_on: date
    diagnosis_codes: tuple[str, ...]
    clinician_id: UUID
    signed_at: datetime | None
    supervisor_id: UUID | None
    """The clinician who co-signed as supervisor; None: nobody had to, or they are no clinician."""

    @property
    def is_signed(self) -> bool:
        """Whether every signature is there: a claim may rest on it."""
        return self.status is NoteStatus.SIGNED


def note_of_visit(*, scope: Scope, appointment_id: UUID) -> BillingNote | None:
    """Return the note that a claim for this visit would rest on, signed or not; None: no such note."""
    return notes_of_visits(scope=scope, appointment_ids=[appointment_id]).get(appointment_id)


def notes_of_visits(*, scope: Scope, appointment_ids: Collection[UUID]) -> dict[UUID, BillingNote]:
    """Return appointment -> the note that a claim for it would rest on, as `note_of_visit` does for one."""
    billable = [type.value for type, rule in RULES.items() if rule.billable]
    rows = (
        ClinicalNote.objects.visible_to(scope)
        .filter(appointment_id__any_of=appointment_ids, type__in=billable)
        .exclude(status=NoteStatus.VOID.value)
        .order_by(F("signed_at").desc(nulls_last=True), "-id")
        .defer("content", "sealed_content")
    )
    found: dict[UUID, BillingNote] = {}
    for note in rows:
        if note.appointment_id is not None and note.appointment_id not in found:
            found[note.appointment_id] = _for_billing(scope, note)
    return found


def _for_billing(scope: Scope, note: ClinicalNote) -> BillingNote:
    return BillingNote(
        id=note.id,
        type=note.type,
        status=NoteStatus(note.status),
        cosign_required=note.cosign_required,
        service_on=note.service_on,
        diagnosis_codes=tuple(diagnosis["code"] for diagnosis in note.diagnoses),
        clinician_id=note.clinician_id,
        signed_at=note.signed_at,
        supervisor_id=_supervisor(scope, note) if note.cosign_required else None,
    )


def _supervisor(scope: Scope, note: ClinicalNote) -> UUID | None:
    text = latest_text(scope=scope, note=note)
    if text is None:
        return None
    for signature in signatures_of(scope=scope, text_id=text.id):
        if signature.role == SignatureRole.COSIGNER.value:
            return clinician_of(scope=scope, user_id=signature.user_id)
    return None


def signed_on(*, scope: Scope, patient_id: UUID, clinician_id: UUID, on: date) -> bool:
    """Tell whether a clinician has signed a note about a patient's day. Of mirrored notes, which name no visit."""
    rows = ClinicalNote.objects.visible_to(scope).filter(
        patient_id=patient_id, clinician_id=clinician_id, service_on=on, status=NoteStatus.SIGNED
    )
    return bool(rows.exists())


def billable_note(*, scope: Scope, appointment_id: UUID) -> BillingNote | None:
    """Return the visit's note when every signature is there, so that a claim may rest on it."""
    note = note_of_visit(scope=scope, appointment_id=appointment_id)
    return note if note is not None and note.is_signed else None
