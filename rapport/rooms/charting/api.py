"""Notes over HTTP. A view turns a request into one service call, and does nothing else."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.utils import timezone

from rapport.kernel.problems import ImmutableField, ReadOnlyField, StateConflict
from rapport.platform.access.permissions import Permission
from rapport.platform.api import etags, handed_on, lanes
from rapport.platform.api.lists import Filter, ListSpec, Sort
from rapport.platform.api.router import RoomRouter, ScopedRequest
from rapport.platform.api.shapes import Answer, path_id
from rapport.rooms.documents import examples as document_examples
from rapport.rooms.documents import schemas as document_shapes

from . import at_source, examples, problems, queries, services, signing, verifying
from . import schemas as s
from .models import ClinicalNote
from .states import NoteStatus, NoteType

router = RoomRouter(connected="refused", tag="Clinical notes")


def _answer(request: ScopedRequest, note: ClinicalNote) -> Answer:
    """Answer a note as the actor may see it, with its ETag."""
    scope = request.auth
    readable = queries.may_read_text(
        scope, status=note.status, author_user_id=note.author_user_id,
        clinician_id=note.clinician_id,
    )  # fmt: skip
    addenda = queries.addenda_of(scope=scope, note_id=note.id) if note.addenda_count else ()
    shape = s.detail_out(note, addenda=addenda, readable=readable)
    return Answer(shape, etag=etags.of(note.id, note.version))


def _addended_at_source(request: ScopedRequest, note_id: UUID, text: str) -> Answer:
    scope = request.auth
    note, outcome = at_source.addend(
        scope=scope, note_id=note_id, text=text, now=timezone.now(), key=handed_on.key_of(request)
    )
    how = handed_on.HandedOn(
        status=201, show=lambda id: _answer(request, queries.get_note(scope=scope, note_id=id)),
        asked=lambda write: s.asked_out(_answer(request, note).body, write=write), wait=at_source.wait,
        take_over=lambda house, done: at_source.mirror_done(scope=house, outcome=done, now=timezone.now()),
        pointers=at_source.POINTERS,
    )  # fmt: skip
    return handed_on.answer(request, outcome, how=how)


NOTES = ListSpec(
    route="clinical-notes",
    columns=s.NOTE_COLUMNS,
    source="charting_clinicalnote n",
    id_column="n.id",
    practice_column="n.practice_id",
    sorts={
        "service_on": Sort("n.service_on", "date"),
        "updated_at": Sort("n.updated_at", "timestamptz"),
        "created_at": Sort("n.created_at", "timestamptz"),
    },
    default_sort="-service_on",
    filters={
        "patient_id": Filter("n.patient_id", "id:patient"),
        "clinician_id": Filter("n.clinician_id", "id:clinician"),
        "appointment_id": Filter("n.appointment_id", "id:appointment"),
        "status": Filter("n.status", f"enum:{'|'.join(NoteStatus)}", ("eq", "in", "ne")),
        "type": Filter("n.type", f"enum:{'|'.join(NoteType)}", ("eq", "in")),
        "unsigned": Filter(
            "",
            "bool",
            condition="(n.status IN ('draft', 'pending_review', 'needs_revision', 'unlocked'))"
            " = {value}",
        ),
        "service_on": Filter("n.service_on", "date", ("eq", "gte", "gt", "lt", "lte")),
        "updated_at": Filter("n.updated_at", "instant", ("gte", "gt", "lt", "lte")),
        "updated_since": Filter("n.updated_at", "instant", condition="n.updated_at >= {value}"),
    },
    build=s.note_out,
    patient_index=1,
)


lanes.read(
    "note", path="/clinical-notes/{clinical_note_id}", action="note.read",
    needs=(Permission.NOTES_READ_METADATA, Permission.NOTES_READ),
    statement=f"SELECT {s.PLAIN_DETAIL_COLUMNS} FROM charting_clinicalnote n"  # noqa: S608 - constants
    f" WHERE n.practice_id = %(practice)s AND n.id = %(id)s AND {s.PLAIN}",
    id_kind="clinical_note", patient_index=1, version_index=16,
    build=lambda row, scope: Answer(s.plain_detail_out(row), etag=etags.of(row[0], row[16])),
)  # fmt: skip


@router.get(
    "/clinical-notes",
    summary="List clinical notes",
    needs=Permission.NOTES_READ_METADATA,
    action="note.list",
    returns=(200, s.ClinicalNoteOut),
    list_spec=NOTES,
    example=examples.PAGE,
)
def list_notes(request: ScopedRequest) -> Answer:
    """
    Facts of notes, the latest service first: type, status, signatures, what is missing, document.

    Never what a note says. `unsigned=true` is the list of what is still to be done. Psychotherapy
    notes are listed for their author only, and for nobody else exist.
    """
    queries.open_drawer(request.auth)
    return NOTES.run(request, scope=request.auth)


@router.get(
    "/clinical-notes/{clinical_note_id}",
    summary="Read a clinical note",
    needs=Permission.NOTES_READ_METADATA,
    action="note.read",
    returns=(200, s.ClinicalNoteDetailOut),
    example=examples.NOTE_DETAIL,
)
def get_note(request: ScopedRequest, clinical_note_id: str) -> Answer:
    """
    One note. What it says is in `content` for who may read notes, and null for who may not.

    A note that is not signed is not part of the record yet: its text is for its author and for
    who approves it. The trail tells `note.read` from `note.read_metadata`.
    """
    note = queries.get_note(scope=request.auth, note_id=path_id("clinical_note", clinical_note_id))
    answer = _answer(request, note)
    if answer.body.content is None:
        request.edge.action = "note.read_metadata"
    return answer


@router.post(
    "/clinical-notes",
    summary="Begin a clinical note",
    needs=Permission.NOTES_WRITE,
    action="note.create",
    returns=(201, s.ClinicalNoteDetailOut),
    problems=(
        problems.NoteExists, problems.AppointmentNotHeld, problems.WriterRole,
        problems.PersonNeeded,
    ),
    example=examples.DRAFT_DETAIL,
    request_example=examples.NEW_NOTE,
)  # fmt: skip
def create_note(request: ScopedRequest, body: s.NoteIn) -> Answer:
    """
    Begin a note about a visit, or about a patient; whoever begins it is its author.

    Without `diagnoses` those of the patient's latest plan or signed note are taken over. Codes
    must be in use on the day of the service. `completeness` says what is missing before it can
    be signed. Emits `note.created`; psychotherapy notes emit nothing, ever.
    """
    note = services.create_note(scope=request.auth, body=body, now=timezone.now())
    return _answer(request, note)


@router.post(
    "/group-sessions/{group_session_id}/notes",
    summary="Write what a group did into each member's note",
    needs=Permission.NOTES_WRITE,
    action="note.write_group",
    returns=(200, s.GroupNotesOut),
    problems=(
        problems.AppointmentNotHeld, problems.WriterRole, problems.PersonNeeded, problems.NoteExists,
        problems.NoteLocked, problems.NotAuthor, ImmutableField, ReadOnlyField,
    ),
    example={"object": "group_notes", "notes": [examples.DRAFT_DETAIL]},
    request_example={"shared": "Breathing exercise; talk about sleep."},
)  # fmt: skip
def write_group_notes(request: ScopedRequest, group_session_id: str, body: s.GroupNotesIn) -> Answer:
    """
    For each member who was there: section `group_session` of a note of their own, begun where there is none.

    What is said there names nobody of the group (`names-a-member`), nor does the rest of a member's note name
    another one (`names-another-member`). Signed notes stay as they are. Sent again it replaces the section.
    """
    notes = services.write_group_notes(
        scope=request.auth, group_session_id=path_id("group_session", group_session_id), body=body,
        now=timezone.now(),
    )  # fmt: skip
    return Answer(s.GroupNotesOut("group_notes", [_answer(request, note).body for note in notes]))


@router.patch(
    "/clinical-notes/{clinical_note_id}",
    summary="Change a draft",
    needs=Permission.NOTES_WRITE,
    action="note.update",
    returns=(200, s.ClinicalNoteDetailOut),
    match=True,
    problems=(problems.NoteLocked, problems.NotAuthor, ImmutableField, ReadOnlyField),
    example=examples.DRAFT_DETAIL | {"version": 2},
    request_example={"content": {"plan": "Worry time at six."}},
)
def change_note(request: ScopedRequest, clinical_note_id: str, body: s.NoteChange) -> Answer:
    """
    Save a draft, by its author. Sections that are sent replace theirs; null removes one.

    Needs `If-Match`: when the note was saved elsewhere since, nothing is overwritten, and the
    answer (412) carries the present ETag. Whom a note is about never changes.
    """
    note = services.change_note(
        scope=request.auth, note_id=path_id("clinical_note", clinical_note_id),
        if_match=request.edge.if_match, given=body.given(), now=timezone.now(),
    )  # fmt: skip
    return _answer(request, note)


@router.delete(
    "/clinical-notes/{clinical_note_id}",
    summary="Discard a draft",
    needs=Permission.NOTES_WRITE,
    action="note.discard",
    returns=(200, s.ClinicalNoteDetailOut),
    match=True,
    problems=(problems.NoteLocked, problems.NotAuthor, StateConflict),
    example=examples.DRAFT_DETAIL | {"status": "void"},
)
def discard_note(request: ScopedRequest, clinical_note_id: str) -> Answer:
    """Throw away a draft, by its author. Its row stays, void; a signed note is never thrown away."""
    note = services.discard_note(
        scope=request.auth, note_id=path_id("clinical_note", clinical_note_id),
        if_match=request.edge.if_match, now=timezone.now(),
    )  # fmt: skip
    return _answer(request, note)


@router.post(
    "/clinical-notes/{clinical_note_id}/sign",
    summary="Sign a note",
    needs=Permission.NOTES_SIGN,
    action="note.sign",
    returns=(200, s.ClinicalNoteDetailOut),
    kind="render",
    match=True,
    key="required",
    problems=(
        problems.NoteLocked, problems.CosignRequired, problems.NoteIncomplete,
        problems.AppointmentAhead, problems.NotAuthor, problems.PersonNeeded,
    ),
    example=examples.NOTE_DETAIL,
)  # fmt: skip
def sign_note(request: ScopedRequest, clinical_note_id: str) -> Answer:
    """
    Sign a note as its author: what is signed is the version that `If-Match` names.

    The note is locked and its PDF is made, once and for ever; only addenda can follow. An
    intern's note becomes `pending_review` until a supervisor co-signs. Emits `note.signed`, and
    `note.locked` when no co-signature is needed.
    """
    note = signing.sign_note(
        scope=request.auth, note_id=path_id("clinical_note", clinical_note_id),
        if_match=request.edge.if_match, now=timezone.now(),
    )  # fmt: skip
    return _answer(request, note)


@router.post(
    "/clinical-notes/{clinical_note_id}/cosign",
    summary="Co-sign a note",
    needs=Permission.NOTES_COSIGN,
    action="note.cosign",
    returns=(200, s.ClinicalNoteDetailOut),
    kind="render",
    match=True,
    problems=(problems.NotSupervisor, problems.PersonNeeded, StateConflict),
    example=examples.NOTE_DETAIL | {"cosign_required": True},
)
def cosign_note(request: ScopedRequest, clinical_note_id: str) -> Answer:
    """
    Approve and co-sign a note that waits for a supervisor of its author's team.

    The note is locked and its PDF is made with both signatures. Emits `note.cosigned` and
    `note.locked`.
    """
    note = signing.cosign_note(
        scope=request.auth, note_id=path_id("clinical_note", clinical_note_id),
        if_match=request.edge.if_match, now=timezone.now(),
    )  # fmt: skip
    return _answer(request, note)


@router.post(
    "/clinical-notes/{clinical_note_id}/return",
    summary="Send a note back",
    needs=Permission.NOTES_COSIGN,
    action="note.return",
    returns=(200, s.ClinicalNoteDetailOut),
    match=True,
    problems=(problems.NotSupervisor, problems.PersonNeeded, StateConflict),
    example=examples.DRAFT_DETAIL | {"status": "needs_revision", "return_comment": "Add the risk."},
    request_example={"comment": "Add the risk."},
)
def return_note(request: ScopedRequest, clinical_note_id: str, body: s.CommentIn) -> Answer:
    """Send a note that waits for a supervisor back to its author, with a comment."""
    note = signing.return_note(
        scope=request.auth, note_id=path_id("clinical_note", clinical_note_id),
        if_match=request.edge.if_match, comment=body.comment, now=timezone.now(),
    )  # fmt: skip
    return _answer(request, note)


@router.post(
    "/clinical-notes/{clinical_note_id}/unlock",
    summary="Unlock a note",
    needs=Permission.NOTES_UNLOCK,
    action="note.unlock",
    returns=(200, s.ClinicalNoteDetailOut),
    match=True,
    problems=(StateConflict,),
    example=examples.NOTE_DETAIL | {"status": "unlocked", "locked": False, "revision": 2},
    request_example={"reason": "Wrong diagnosis code"},
)
def unlock_note(request: ScopedRequest, clinical_note_id: str, body: s.NoteReasonIn) -> Answer:
    """
    Open a signed note for its author to correct and sign anew, as another revision.

    What was signed (text, signatures, PDF) stays as it was. Emits `note.unlocked`.
    """
    note = signing.unlock_note(
        scope=request.auth, note_id=path_id("clinical_note", clinical_note_id),
        if_match=request.edge.if_match, reason=body.reason, now=timezone.now(),
    )  # fmt: skip
    return _answer(request, note)


@router.post(
    "/clinical-notes/{clinical_note_id}/void",
    summary="Void a note",
    needs=Permission.NOTES_UNLOCK,
    action="note.void",
    returns=(200, s.ClinicalNoteDetailOut),
    match=True,
    problems=(StateConflict,),
    example=examples.NOTE_DETAIL | {"status": "void"},
    request_example={"reason": "Written into the wrong chart"},
)
def void_note(request: ScopedRequest, clinical_note_id: str, body: s.NoteReasonIn) -> Answer:
    """Mark a signed note as entered in error. It stays readable with all its signatures."""
    note = signing.void_note(
        scope=request.auth, note_id=path_id("clinical_note", clinical_note_id),
        if_match=request.edge.if_match, reason=body.reason, now=timezone.now(),
    )  # fmt: skip
    return _answer(request, note)


@router.post(
    "/clinical-notes/{clinical_note_id}/addenda",
    summary="Add an addendum",
    needs=Permission.NOTES_WRITE,
    action="note.addend",
    returns=(201, s.ClinicalNoteDetailOut),
    kind="render",
    problems=(problems.PersonNeeded, StateConflict, *handed_on.PROBLEMS),
    connected="port",
    accepted=(s.NoteAskedOut, examples.ASKED),
    example=examples.NOTE_DETAIL,
    request_example={"text": "The patient called: the new dose is well tolerated."},
)
def add_addendum(request: ScopedRequest, clinical_note_id: str, body: s.AddendumIn) -> Answer:
    """
    Add to a signed note, with your own name, time, signature and PDF; its text stays as it is.

    Also needs `notes:sign`. Emits `note.addended`. In a connected practice it is made at the portal, under the
    name of the portal's user there.
    """
    if request.auth.connected:
        return _addended_at_source(request, path_id("clinical_note", clinical_note_id), body.text)
    note = signing.add_addendum(
        scope=request.auth, note_id=path_id("clinical_note", clinical_note_id), text=body.text,
        now=timezone.now(),
    )  # fmt: skip
    return _answer(request, note)


@router.post(
    "/clinical-notes/{clinical_note_id}/document-link",
    summary="Link to a note's PDF",
    needs=Permission.NOTES_READ,
    action="document_link.create",
    connected="kept",
    returns=(201, document_shapes.DocumentLinkOut),
    problems=(StateConflict,),
    example=document_examples.DOCUMENT_LINK,
    request_example={"expires_in_seconds": 60, "single_use": True},
)
def make_document_link(
    request: ScopedRequest, clinical_note_id: str, body: document_shapes.LinkIn | None = None
) -> document_shapes.DocumentLinkOut:
    """An address that gives out the signed PDF for five minutes at most, without signing in."""
    body = body or document_shapes.LinkIn()
    minted = signing.mint_document_link(
        scope=request.auth, note_id=path_id("clinical_note", clinical_note_id),
        seconds=body.expires_in_seconds, single_use=body.single_use, now=timezone.now(),
    )  # fmt: skip
    return document_shapes.link_out(minted, base=settings.RAPPORT.link_base)


@router.get(
    "/clinical-notes/{clinical_note_id}/verify",
    summary="Verify a signed note",
    needs=Permission.NOTES_READ_METADATA,
    action="note.verify",
    returns=(200, s.NoteVerificationOut),
    problems=(StateConflict,),
    example=examples.VERIFICATION,
)
def verify_note(request: ScopedRequest, clinical_note_id: str) -> s.NoteVerificationOut:
    """
    Compare a signed note, its PDF and its addenda with the signatures, byte by byte.

    Anything that differs gives `valid: false`, an error in the audit trail and an alarm in the log.
    """
    verdict = verifying.verify_note(
        scope=request.auth, note_id=path_id("clinical_note", clinical_note_id)
    )
    return s.verification_out(verdict)
