"""The shapes of notes in the API."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import Meta, Raw, Struct, json
from pydantic import Field

from rapport.kernel.ids import type_id
from rapport.platform.access.scope import Scope
from rapport.platform.api.handed_on import WriteRef
from rapport.platform.api.shapes import (
    Day,
    Input,
    Instant,
    Shape,
    Source,
    instant,
    instant_or_none,
    source_of,
)
from rapport.platform.tenancy.source import as_of_sql

from . import queries
from .models import Addendum, ClinicalNote
from .rules.text import ordered
from .states import NoteStatus
from .verifying import Verdict


class DiagnosisOut(Struct):
    """A diagnosis, as its code was called on the day of the service."""

    code: str
    label: str


class SignatureOut(Struct):
    """A signature under the note's present text."""

    role: Literal["author", "cosigner"]
    user_id: str
    name: str
    signed_at: Instant
    sha256: Annotated[str, Meta(description="Digest of the text that was signed.")]


class Completeness(Struct):
    """Whether the note may be signed, and what it lacks."""

    complete: bool
    missing: Annotated[
        list[str],
        Meta(description="JSON pointers into the note. `/content` of a mirrored one: its text is at its source only."),
    ]


class DocumentRef(Struct):
    """The signed PDF."""

    id: str
    link: Annotated[str, Meta(description="POST here for a short-lived link.")]


class ClinicalNoteOut(Shape):
    """A note's facts: what it is about and how far it has come; never what it says."""

    object: Literal["clinical_note"]
    id: str
    patient_id: str
    clinician_id: str
    appointment_id: str | None
    author_user_id: Annotated[
        str | None, Meta(description="Null: a user of the system that it is mirrored from.")
    ]
    type: str
    status: Annotated[
        str, Meta(description="draft, pending_review, needs_revision, signed, unlocked or void.")
    ]
    locked: bool
    service_on: Day
    diagnoses: list[DiagnosisOut]
    completeness: Completeness
    signatures: list[SignatureOut]
    cosign_required: bool
    revision: int
    document: DocumentRef | None
    addenda_count: int
    signed_at: Instant | None
    source: Source
    version: int
    created_at: Instant
    updated_at: Instant


class AddendumOut(Struct):
    """Something added to a signed note."""

    id: str
    author_user_id: str
    author_name: str
    signed_at: Instant
    sha256: str
    document_id: str | None
    text: Annotated[str | None, Meta(description="Null for who may not read the note's text.")]


class ClinicalNoteDetailOut(ClinicalNoteOut):
    """A note with what it says, for who may read that."""

    content: Annotated[
        dict[str, Any] | None,
        Meta(description="Null for who may not read the note's text, and of a mirrored note."),
    ]
    return_comment: str | None
    addenda: list[AddendumOut]


class NoteAskedOut(ClinicalNoteDetailOut):
    """A note to which something is being added where it is kept (202); it is as it was."""

    write: WriteRef


class GroupNotesOut(Shape):
    """The notes of a group's session that were written to."""

    object: Literal["group_notes"]
    notes: list[ClinicalNoteDetailOut]


class NoteVerificationOut(Shape):
    """What became of a signed note."""

    object: Literal["note_verification"]
    id: Annotated[str, Meta(description="The note's id.")]
    valid: bool
    sha256: Annotated[str, Meta(description="Digest of the text that was signed.")]
    text: bool
    record: bool
    document: bool | None
    pdf_signature: bool | None
    addenda: bool
    version: int


class DiagnosisIn(Input):
    """A diagnosis by its ICD-10-CM code, with or without the dot."""

    code: str = Field(min_length=3, max_length=8, pattern=r"^[A-Za-z][0-9][0-9A-Za-z.]*$")


class NoteIn(Input):
    """A new note, about a visit or about a patient."""

    type: Literal[
        "intake", "progress", "treatment_plan", "psychotherapy", "psychiatric_progress",
        "evaluation", "discharge", "contact", "missed_appointment", "miscellaneous",
    ]  # fmt: skip
    appointment_id: str | None = Field(default=None, max_length=40)
    patient_id: str | None = Field(default=None, max_length=40)
    clinician_id: str | None = Field(default=None, max_length=40)
    service_on: date | None = Field(
        default=None, description="Of notes without a visit; default: today in the practice."
    )
    diagnoses: list[DiagnosisIn] | None = Field(
        default=None, max_length=12, description="The main one first. Default: the latest signed."
    )
    content: dict[str, Any] | None = Field(
        default=None, description="Section -> text, or fields. Names in snake_case."
    )


class GroupNotesIn(Input):
    """What a group did, for the note of each member who was there."""

    type: Literal["progress", "psychiatric_progress"] = "progress"
    shared: str = Field(
        min_length=1, max_length=50_000, description="Stands in every member's note, so it names nobody of the group."
    )

    def of(self, appointment_id: UUID, content: dict[str, Any]) -> NoteIn:
        """Return one member's new note."""
        return NoteIn(type=self.type, appointment_id=type_id("appointment", appointment_id), content=content)


class NoteChange(Input):
    """What to change; sections that are sent replace theirs, null removes one."""

    content: dict[str, Any] | None = None
    diagnoses: list[DiagnosisIn] | None = Field(default=None, max_length=12)
    service_on: date | None = None
    patient_id: Any = Field(default=None, description="Cannot be changed; named to say so.")
    appointment_id: Any = Field(default=None, description="Cannot be changed; named to say so.")
    clinician_id: Any = Field(default=None, description="Cannot be changed; named to say so.")
    type: Any = Field(default=None, description="Cannot be changed; named to say so.")
    status: Any = Field(default=None, description="Changes by actions only.")
    locked: Any = Field(default=None, description="Changes by actions only.")
    signed_at: Any = Field(default=None, description="Changes by actions only.")
    signatures: Any = Field(default=None, description="Changes by actions only.")

    def given(self) -> dict[str, Any]:
        """Return the fields that were sent."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class CommentIn(Input):
    """What the author should change."""

    comment: str = Field(min_length=3, max_length=4000)


class NoteReasonIn(Input):
    """Why."""

    reason: str = Field(min_length=3, max_length=200)


class AddendumIn(Input):
    """What to add to a signed note."""

    text: str = Field(min_length=1, max_length=50_000)


NOTE_COLUMNS = (
    "n.id, n.patient_id, n.clinician_id, n.appointment_id, n.author_user_id, n.type, n.status,"
    " n.service_on, n.diagnoses::text, n.missing::text, n.signatures::text, n.cosign_required,"
    " n.revision, n.document_id, n.addenda_count, n.signed_at, n.version, n.created_at, n.updated_at,"
    f" n.source_system, n.source_remote_id, {as_of_sql('n', 'notes')}"
)
"""What `note_out` reads, in its order. JSON columns come as text and go out as they are."""

_LOCKED = (NoteStatus.SIGNED.value, NoteStatus.PENDING_REVIEW.value, NoteStatus.VOID.value)


def _facts(row: tuple[Any, ...]) -> dict[str, Any]:
    raw: Any = Raw
    id = type_id("clinical_note", row[0])
    updated = instant(row[18])
    return {
        "object": "clinical_note",
        "id": id,
        "patient_id": type_id("patient", row[1]),
        "clinician_id": type_id("clinician", row[2]),
        "appointment_id": type_id("appointment", row[3]) if row[3] else None,
        "author_user_id": None if row[20] else type_id("user", row[4]),
        "type": row[5],
        "status": row[6],
        "locked": row[6] in _LOCKED,
        "service_on": row[7],
        "diagnoses": raw(row[8]),
        "completeness": Completeness(row[9] == "[]", raw(row[9])),
        "signatures": raw(row[10]),
        "cosign_required": row[11],
        "revision": row[12],
        "document": DocumentRef(
            type_id("document", row[13]), f"/v1/clinical-notes/{id}/document-link"
        )
        if row[13]
        else None,
        "addenda_count": row[14],
        "signed_at": instant_or_none(row[15]),
        "source": source_of(row[19], row[20], row[21], updated),
        "version": row[16],
        "created_at": instant(row[17]),
        "updated_at": updated,
    }


def note_out(row: tuple[Any, ...], scope: Scope) -> ClinicalNoteOut:
    """Return a note's facts from a row of `NOTE_COLUMNS`."""
    return ClinicalNoteOut(**_facts(row))


def detail_out(
    note: ClinicalNote, *, addenda: Sequence[Addendum], readable: bool
) -> ClinicalNoteDetailOut:
    """Return a note with its text, when the actor may read that."""
    encode = json.encode
    facts = _facts(
        (
            note.id, note.patient_id, note.clinician_id, note.appointment_id, note.author_user_id,
            note.type, note.status, note.service_on, encode(note.diagnoses).decode(),
            encode(note.missing).decode(), encode(note.signatures).decode(), note.cosign_required,
            note.revision, note.document_id, note.addenda_count, note.signed_at, note.version,
            note.created_at, note.updated_at, note.source_system, note.source_remote_id,
            note.seen_as_of("notes"),
        )
    )  # fmt: skip
    return _detail(
        facts, content=queries.content_of(note) if readable and not note.mirrored else None,
        comment=note.return_comment, addenda=addenda,
    )  # fmt: skip


PLAIN_DETAIL_COLUMNS = f"{NOTE_COLUMNS}, n.content::text, n.return_comment"
PLAIN = (
    "n.sealed_content IS NULL AND n.addenda_count = 0 AND n.source_remote_id IS NULL"
    " AND (n.status IN ('signed', 'void') OR n.author_user_id = %(user)s)"
)
"""Holds for a note that is one row, which whoever may read notes may read (see `may_read_text`)."""


def plain_detail_out(row: tuple[Any, ...]) -> ClinicalNoteDetailOut:
    """Return a `PLAIN` note with its text, from a row of `PLAIN_DETAIL_COLUMNS`."""
    return _detail(_facts(row), content=json.decode(row[22]), comment=row[23], addenda=())


def _detail(
    facts: dict[str, Any], *, content: dict[str, Any] | None, comment: str, addenda: Sequence[Addendum]
) -> ClinicalNoteDetailOut:
    readable = content is not None
    return ClinicalNoteDetailOut(
        **facts,
        content=None if content is None else ordered(content),
        return_comment=(comment or None) if readable else None,
        addenda=[
            AddendumOut(
                id=type_id("addendum", row.id),
                author_user_id=type_id("user", row.author_user_id),
                author_name=row.author_name,
                signed_at=instant(row.signed_at),
                sha256=row.sha256,
                document_id=type_id("document", row.document_id) if row.document_id else None,
                text=queries.addendum_text(row) if readable else None,
            )
            for row in addenda
        ],
    )


def asked_out(shape: ClinicalNoteDetailOut, *, write: WriteRef) -> NoteAskedOut:
    """Return a note with the write that is on its way."""
    return NoteAskedOut(**{name: getattr(shape, name) for name in shape.__struct_fields__}, write=write)


def verification_out(verdict: Verdict) -> NoteVerificationOut:
    """Return the shape of a verdict."""
    note = verdict.note
    return NoteVerificationOut(
        object="note_verification",
        id=type_id("clinical_note", note.id),
        valid=verdict.valid,
        sha256=verdict.sha256,
        text=verdict.text,
        record=verdict.record,
        document=verdict.document,
        pdf_signature=verdict.pdf_signature,
        addenda=verdict.addenda,
        version=note.version,
    )
