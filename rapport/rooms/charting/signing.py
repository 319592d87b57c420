"""
Signing, and what can be done to a note after it.

A note is signed exactly when its document exists: text, signature, document and state are written
in one transaction. The PDF is made before the row is locked; if the note changed meanwhile the
call is refused, so what is signed is what the signer saw (its ETag).
"""

from __future__ import annotations

import logging
from datetime import datetime
from uuid import UUID

from rapport.kernel.ids import new_uuid, type_id
from rapport.kernel.problems import FieldError, StateConflict
from rapport.platform.access.permissions import Permission, Role
from rapport.platform.access.scope import Scope
from rapport.platform.api import etags
from rapport.platform.api.shapes import instant
from rapport.platform.crypto import aead
from rapport.platform.identity.models import User
from rapport.rooms.coding import queries as coding
from rapport.rooms.documents import services as documents
from rapport.rooms.roster import queries as roster

from . import events, paper, queries, visits
from .models import Addendum, ClinicalNote, Signature, SignedText
from .problems import (
    AppointmentAhead,
    CosignRequired,
    NotAuthor,
    NoteIncomplete,
    NotSupervisor,
    PersonNeeded,
    check_move,
)
from .rules.text import digest_of
from .services import tell
from .states import Action, NoteStatus, SignatureRole

logger = logging.getLogger(__name__)


def sign_note(*, scope: Scope, note_id: UUID, if_match: str, now: datetime) -> ClinicalNote:
    """
    Sign a note as its author.

    An intern's note then waits for a supervisor; any other is locked, and its PDF is made.

    :raises NotAuthor: somebody else wrote it
    :raises NoteLocked: it is signed already
    :raises CosignRequired: it is signed already, and waits for a supervisor
    :raises PreconditionFailed: it is not what the signer read
    :raises NoteIncomplete: sections or diagnoses are missing, or a code was not in use that day
    :raises Invalid: it names another member of the patient's group
    :raises AppointmentAhead: the visit has not begun
    """
    scope.require(Permission.NOTES_SIGN)
    check_person(scope)
    note = queries.get_note(scope=scope, note_id=note_id)
    if scope.user_id != note.author_user_id:
        raise NotAuthor(reason="not_author")
    check_move(note, Action.SIGN)
    etags.check(note, if_match)
    _check_complete(note)
    _check_held(scope, note, now)
    needs_cosign = _needs_cosign(scope, note)
    content = queries.content_of(note)
    if not note.is_psychotherapy:
        visits.refuse_names_of_others(scope, appointment_id=note.appointment_id, content=content)
    text = queries.words_of(note, content=content).canonical()
    mine = paper.Signed(SignatureRole.AUTHOR, _name(scope), now)
    document_id = None
    if not needs_cosign and not note.is_psychotherapy:
        document_id = _keep_pdf(scope, note, [mine], digest_of(text), now)
    note = _lock_unchanged(scope, note)
    row = _keep_text(scope, note, text, now)
    _keep_signature(scope, note, row, mine)
    if needs_cosign:
        note.move(
            Action.SIGN, NoteStatus.PENDING_REVIEW, scope=scope, now=now, cosign_required=True,
            signatures=_shown(scope, row),
        )  # fmt: skip
    else:
        note.move(
            Action.SIGN, NoteStatus.SIGNED, scope=scope, now=now, cosign_required=False,
            signatures=_shown(scope, row), signed_at=now, document_id=document_id,
            return_comment="",
        )  # fmt: skip
    scope.trail.target("clinical_note", note.id, note.version)
    tell(events.NOTE_SIGNED, note=note, scope=scope, now=now)
    if not needs_cosign:
        tell(events.NOTE_LOCKED, note=note, scope=scope, now=now)
    return note


def cosign_note(*, scope: Scope, note_id: UUID, if_match: str, now: datetime) -> ClinicalNote:
    """
    Approve and co-sign a note that waits for a supervisor; it is locked and its PDF is made.

    :raises NotSupervisor: the author is not of the actor's team, or is the actor
    :raises StateConflict: it does not wait for anybody
    """
    note = _reviewed(scope, note_id, Action.COSIGN, if_match)
    row = queries.latest_text(scope=scope, note=note)
    text = queries.words_of(note, content=queries.content_of(note)).canonical()
    if row is None or row.sha256 != digest_of(text):
        # Cannot be: the trigger freezes what waits for review. Never co-sign another text.
        logger.error("text under review differs from what its author signed")
        raise CosignRequired("The author must sign again.", reason="hash_mismatch")
    mine = paper.Signed(SignatureRole.COSIGNER, _name(scope), now)
    given = [
        paper.Signed(SignatureRole(signature.role), signature.name, signature.signed_at)
        for signature in queries.signatures_of(scope=scope, text_id=row.id)
    ]
    document_id = _keep_pdf(scope, note, [*given, mine], row.sha256, now)
    note = _lock_unchanged(scope, note)
    _keep_signature(scope, note, row, mine)
    note.move(
        Action.COSIGN, NoteStatus.SIGNED, scope=scope, now=now, signatures=_shown(scope, row),
        signed_at=now, document_id=document_id, return_comment="",
    )  # fmt: skip
    scope.trail.target("clinical_note", note.id, note.version)
    tell(events.NOTE_COSIGNED, note=note, scope=scope, now=now)
    tell(events.NOTE_LOCKED, note=note, scope=scope, now=now)
    return note


def return_note(
    *, scope: Scope, note_id: UUID, if_match: str, comment: str, now: datetime
) -> ClinicalNote:
    """Send a note back to its author with a comment. Raises as `cosign_note`."""
    note = _lock_unchanged(scope, _reviewed(scope, note_id, Action.RETURN, if_match))
    note.move(
        Action.RETURN, NoteStatus.NEEDS_REVISION, scope=scope, now=now, reason=comment,
        return_comment=comment, signatures=[],
    )  # fmt: skip
    scope.trail.target("clinical_note", note.id, note.version)
    tell(events.NOTE_RETURNED, note=note, scope=scope, now=now)
    return note


def unlock_note(
    *, scope: Scope, note_id: UUID, if_match: str, reason: str, now: datetime
) -> ClinicalNote:
    """
    Open a signed note again, for its author to correct and sign anew.

    The text, signatures and document that were signed stay as they are.

    :raises StateConflict: it is not signed
    """
    scope.require(Permission.NOTES_UNLOCK)
    note = queries.get_note(scope=scope, note_id=note_id, lock=True)
    check_move(note, Action.UNLOCK)
    etags.check(note, if_match)
    note.move(
        Action.UNLOCK, NoteStatus.UNLOCKED, scope=scope, now=now, reason=reason,
        revision=note.revision + 1, signatures=[],
    )  # fmt: skip
    scope.trail.target("clinical_note", note.id, note.version)
    scope.trail.reason = reason
    tell(events.NOTE_UNLOCKED, note=note, scope=scope, now=now)
    return note


def void_note(
    *, scope: Scope, note_id: UUID, if_match: str, reason: str, now: datetime
) -> ClinicalNote:
    """Mark a signed note as entered in error; it stays readable. :raises StateConflict: not signed"""
    scope.require(Permission.NOTES_UNLOCK)
    note = queries.get_note(scope=scope, note_id=note_id, lock=True)
    check_move(note, Action.VOID)
    etags.check(note, if_match)
    note.move(Action.VOID, NoteStatus.VOID, scope=scope, now=now, reason=reason)
    scope.trail.target("clinical_note", note.id, note.version)
    scope.trail.reason = reason
    tell(events.NOTE_VOIDED, note=note, scope=scope, now=now)
    return note


def add_addendum(*, scope: Scope, note_id: UUID, text: str, now: datetime) -> ClinicalNote:
    """
    Add to a signed note: own author, time, signature and document; the note's text stays.

    :raises StateConflict: the note is not signed
    """
    scope.require(Permission.NOTES_WRITE)
    scope.require(Permission.NOTES_SIGN)
    user_id = check_person(scope)
    note = queries.get_note(scope=scope, note_id=note_id)
    check_move(note, Action.ADDEND)
    sha256 = digest_of(text)
    mine = paper.Signed(SignatureRole.AUTHOR, _name(scope), now)
    row = Addendum(
        id=new_uuid(),
        practice_id=scope.practice_id,
        note_id=note.id,
        patient_id=note.patient_id,
        author_user_id=user_id,
        author_name=mine.name,
        statement=paper.STATEMENTS[mine.role],
        sha256=sha256,
        signed_at=now,
    )
    if note.is_psychotherapy:
        row.sealed_text = aead.seal(
            text.encode(), aad=queries.seal_of(note.id, part=f"addendum|{row.id}"), purpose="field"
        )
    else:
        visits.refuse_names_of_others(
            scope, appointment_id=note.appointment_id, content={"text": text}, at="/"
        )
        row.text = text
        pdf = paper.addendum_pdf(scope=scope, note=note, text=text, sha256=sha256, signature=mine)
        row.document_id = documents.store(
            scope=scope, patient_id=note.patient_id, kind="addendum", data=pdf,
            content_type="application/pdf", now=now,
        ).id  # fmt: skip
    # Another addendum at the same moment does not matter; a note that was unlocked does.
    note = queries.get_note(scope=scope, note_id=note.id, lock=True)
    check_move(note, Action.ADDEND)
    row.save(force_insert=True)
    note.move(
        Action.ADDEND, NoteStatus.SIGNED, scope=scope, now=now,
        addenda_count=note.addenda_count + 1,
    )  # fmt: skip
    scope.trail.target("clinical_note", note.id, note.version)
    tell(events.NOTE_ADDENDED, note=note, scope=scope, now=now)
    return note


def mint_document_link(
    *, scope: Scope, note_id: UUID, seconds: int, single_use: bool, now: datetime
) -> documents.MintedLink:
    """Make a short-lived link to a note's signed PDF. :raises StateConflict: it has none"""
    note = queries.get_note(scope=scope, note_id=note_id)
    if note.document_id is None:
        raise StateConflict("The note has no signed document.", current_state=note.status)
    return documents.mint_link(
        scope=scope, document_id=note.document_id, seconds=seconds, single_use=single_use, now=now
    )


def check_person(scope: Scope) -> UUID:
    """Return who signs. :raises PersonNeeded: it is no person who is signed in"""
    if scope.actor_type != "user" or scope.user_id is None:
        raise PersonNeeded(reason="person_needed")
    return scope.user_id


def _name(scope: Scope) -> str:
    """Return who signs, as printed: the clinician's name and credentials, else the person's."""
    if scope.clinician_id is not None:
        return roster.get_clinician(scope=scope, clinician_id=scope.clinician_id).display_name
    person = User.objects.get(id=check_person(scope))  # lint: allow tables - people are no practice's
    return person.display_name


def _needs_cosign(scope: Scope, note: ClinicalNote) -> bool:
    return (
        Role.INTERN in scope.roles and Role.CLINICIAN not in scope.roles
    ) and not note.is_psychotherapy


def _check_complete(note: ClinicalNote) -> None:
    errors = [FieldError(pointer, "required") for pointer in note.missing]
    codes = [diagnosis["code"] for diagnosis in note.diagnoses]
    errors += [
        FieldError(f"/diagnoses/{fault.position}/code", fault.code)
        for fault in coding.diagnosis_faults(codes=codes, on=note.service_on)
    ]
    if errors:
        raise NoteIncomplete("Fill in what is missing, then sign.", errors=tuple(errors))


def _check_held(scope: Scope, note: ClinicalNote, now: datetime) -> None:
    if note.appointment_id is not None:
        visit = visits.get_visit(scope=scope, appointment_id=note.appointment_id)
        if visit.start_at > now:
            raise AppointmentAhead("Sign after it has begun.")
    elif note.service_on > scope.day_of(now):
        raise AppointmentAhead("Sign on the day of the service, or later.")


def _reviewed(scope: Scope, note_id: UUID, action: Action, if_match: str) -> ClinicalNote:
    """Return a note that the actor may approve or send back."""
    scope.require(Permission.NOTES_COSIGN)
    check_person(scope)
    note = queries.get_note(scope=scope, note_id=note_id)
    if scope.user_id == note.author_user_id:
        raise NotSupervisor("Nobody approves their own note.", reason="own_note")
    if note.clinician_id not in scope.supervisee_ids and (
        Role.CLINICAL_ADMINISTRATOR not in scope.roles
    ):
        raise NotSupervisor(reason="other_team")
    check_move(note, action)
    etags.check(note, if_match)
    return note


def _lock_unchanged(scope: Scope, seen: ClinicalNote) -> ClinicalNote:
    """Lock the row. :raises PreconditionFailed: it is not what was read and put on paper"""
    note = queries.get_note(scope=scope, note_id=seen.id, lock=True)
    etags.check(note, etags.of(seen.id, seen.version))
    return note


def _keep_pdf(
    scope: Scope, note: ClinicalNote, signatures: list[paper.Signed], sha256: str, now: datetime
) -> UUID:
    pdf = paper.note_pdf(
        scope=scope, note=note, content=queries.content_of(note), sha256=sha256,
        signatures=signatures,
    )  # fmt: skip
    return documents.store(
        scope=scope, patient_id=note.patient_id, kind="clinical_note", data=pdf,
        content_type="application/pdf", now=now,
    ).id  # fmt: skip


def _keep_text(scope: Scope, note: ClinicalNote, text: str, now: datetime) -> SignedText:
    before = queries.latest_text(scope=scope, note=note)
    row = SignedText(
        id=new_uuid(),
        practice_id=scope.practice_id,
        note_id=note.id,
        patient_id=note.patient_id,
        revision=note.revision,
        attempt=before.attempt + 1 if before else 1,
        sha256=digest_of(text),
        created_at=now,
    )
    if note.is_psychotherapy:
        row.sealed_text = aead.seal(
            text.encode(), aad=queries.seal_of(note.id, part=f"signed|{row.id}"), purpose="field"
        )
    else:
        row.text = text
    row.save(force_insert=True)
    return row


def _keep_signature(
    scope: Scope, note: ClinicalNote, row: SignedText, signed: paper.Signed
) -> None:
    Signature.objects.create(
        practice_id=scope.practice_id,
        note_id=note.id,
        patient_id=note.patient_id,
        signed_text_id=row.id,
        role=signed.role.value,
        user_id=check_person(scope),
        session_id=scope.session_id,
        name=signed.name,
        statement=paper.STATEMENTS[signed.role],
        sha256=row.sha256,
        signed_at=signed.at,
    )


def _shown(scope: Scope, row: SignedText) -> list[dict[str, str]]:
    """Return the signatures under a text as the API shows them."""
    return [
        {
            "role": one.role,
            "user_id": type_id("user", one.user_id),
            "name": one.name,
            "signed_at": instant(one.signed_at),
            "sha256": one.sha256,
        }
        for one in queries.signatures_of(scope=scope, text_id=row.id)
    ]
