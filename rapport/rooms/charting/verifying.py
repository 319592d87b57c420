"""Whether a signed note is still what was signed."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from uuid import UUID

from rapport.kernel.problems import StateConflict
from rapport.platform.access.scope import Scope
from rapport.platform.crypto import aead
from rapport.platform.paper.sign import default_signer, verify_pdf
from rapport.rooms.documents import services as documents

from . import queries
from .models import Addendum, ClinicalNote
from .rules.text import digest_of
from .states import NoteStatus

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a signed note. None: there is no such part."""

    note: ClinicalNote
    sha256: str
    text: bool
    """The note as it stands is the text that was signed."""
    record: bool
    """The kept text has the digest in every signature."""
    document: bool | None
    """The PDF is the file that was stored."""
    pdf_signature: bool | None
    """The PDF's own signatures hold."""
    addenda: bool
    """Every addendum has the digest that was signed, and its PDF holds."""

    @property
    def valid(self) -> bool:
        """Whether nothing was altered."""
        return False not in (
            self.text,
            self.record,
            self.document,
            self.pdf_signature,
            self.addenda,
        )


def verify_note(*, scope: Scope, note_id: UUID) -> Verdict:
    """
    Compare a signed note with its signatures. A difference is an alarm, in trail and log.

    :raises StateConflict: the note is not signed
    """
    note = queries.get_note(scope=scope, note_id=note_id)
    row = queries.latest_text(scope=scope, note=note)
    if row is None or note.status not in (NoteStatus.SIGNED, NoteStatus.PENDING_REVIEW):
        raise StateConflict("Only what is signed can be verified.", current_state=note.status)
    signatures = queries.signatures_of(scope=scope, text_id=row.id)
    try:
        kept = digest_of(queries.signed_text(row))
        now_text = digest_of(queries.words_of(note, content=queries.content_of(note)).canonical())
    except aead.SealBroken:
        kept = now_text = ""
    document, pdf_signature = _file_holds(scope, note.document_id)
    verdict = Verdict(
        note=note,
        sha256=row.sha256,
        text=now_text == row.sha256,
        record=kept == row.sha256
        and bool(signatures)
        and all(signature.sha256 == kept for signature in signatures),
        document=document,
        pdf_signature=pdf_signature,
        addenda=all(
            _addendum_holds(scope, one) for one in queries.addenda_of(scope=scope, note_id=note.id)
        ),
    )
    if not verdict.valid:
        logger.error("a signed note differs from its signature")
        scope.trail.extra.append(
            {
                "action": "note.verify", "outcome": "error", "reason": "hash_mismatch",
                "patient_ids": [note.patient_id], "target_type": "clinical_note",
                "target_id": note.id, "target_version": note.version,
            }
        )  # fmt: skip
    return verdict


def _file_holds(scope: Scope, document_id: UUID | None) -> tuple[bool | None, bool | None]:
    if document_id is None:
        return None, None
    try:
        pdf = documents.open_(scope=scope, document_id=document_id)
    except documents.DocumentCorrupted:
        return False, False
    return True, verify_pdf(pdf, signer=default_signer()).valid


def _addendum_holds(scope: Scope, row: Addendum) -> bool:
    try:
        same = digest_of(queries.addendum_text(row)) == row.sha256
    except aead.SealBroken:
        return False
    return same and False not in _file_holds(scope, row.document_id)
