"""Tables of charting."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Q

from rapport.kernel.problems import PreconditionFailed
from rapport.platform.access.scope import Scope
from rapport.platform.api import etags
from rapport.platform.tenancy.models import (
    PracticeForeignKey,
    PracticeRecord,
    SourcedRecord,
    once_per_source,
)

from .states import MOVES, Action, NoteStatus, NoteType, SignatureRole


class ClinicalNote(SourcedRecord):
    """
    A clinical note as it stands.

    Its content is frozen by a trigger while it is under review, signed or void. A psychotherapy
    note's content is sealed, and its row is visible to its author only (a policy sees to that).
    `missing` and `signatures` are kept here as the API shows them, so that a list reads one table.
    """

    patient = PracticeForeignKey("roster.Patient")
    """Whom it is about. Never changes."""
    clinician = PracticeForeignKey("roster.Clinician")
    """Who treated. Never changes."""
    appointment = PracticeForeignKey("scheduling.Appointment", null=True)
    """The visit it is about, if one. Never changes."""
    author_user_id = models.UUIDField()
    """Who writes it: the only one who may change or sign it. Never changes. Of a mirrored note
    nobody here (`HOUSE_ID`)."""
    type = models.CharField(max_length=24, choices=[(t.value, t.value) for t in NoteType])
    """What kind of note it is. Never changes."""
    status = models.CharField(max_length=16, choices=[(s.value, s.value) for s in NoteStatus])
    """Where it is on its way."""
    service_on = models.DateField()
    """Day of the service, in the zone of the place where it was given."""
    diagnoses = models.JSONField(default=list)
    """[{"code", "label"}], the main one first."""
    content = models.JSONField(default=dict)
    """Section -> text or fields. Empty for psychotherapy notes."""
    sealed_content = models.BinaryField(null=True)
    """The content of a psychotherapy note, sealed."""
    missing = models.JSONField(default=list)
    """JSON pointers to what it still lacks."""
    signatures = models.JSONField(default=list)
    """Signatures of the present revision, as the API shows them."""
    addenda_count = models.IntegerField(default=0)
    """How many addenda it has."""
    cosign_required = models.BooleanField(default=False)
    """Whether a supervisor must co-sign; decided when the author signs."""
    return_comment = models.TextField(blank=True)
    """What the supervisor wants changed."""
    revision = models.IntegerField(default=1)
    """Counts the texts that were, or will be, signed."""
    document = PracticeForeignKey("documents.Document", null=True)
    """The signed PDF of the latest revision that was signed."""
    signed_at = models.DateTimeField(null=True)
    """When the last signature of that revision was given."""

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="note_status_known",
                condition=Q(status__in=[status.value for status in NoteStatus]),
            ),
            models.CheckConstraint(
                name="note_type_known", condition=Q(type__in=[type.value for type in NoteType])
            ),
            # A note is signed exactly when its document exists; psychotherapy notes have none, and
            # of a mirrored one it may not have been fetched yet.
            models.CheckConstraint(
                name="note_signed_has_document",
                condition=~Q(status=NoteStatus.SIGNED.value)
                | Q(type=NoteType.PSYCHOTHERAPY.value)
                | Q(document__isnull=False)
                | Q(source_remote_id__isnull=False),
            ),
            once_per_source("note_source_once"),
            models.CheckConstraint(
                name="note_psychotherapy_is_sealed",
                condition=~Q(type=NoteType.PSYCHOTHERAPY.value)
                | (Q(content={}) & Q(diagnoses=[]) & Q(document__isnull=True)),
            ),
            models.UniqueConstraint(
                fields=["practice", "appointment", "patient", "type"],
                condition=Q(type__in=["intake", "progress", "psychiatric_progress", "evaluation"])
                & ~Q(status=NoteStatus.VOID.value)
                & Q(appointment__isnull=False)
                & Q(source_remote_id__isnull=True),
                name="note_once_per_visit",
            ),
        ]
        indexes = [
            models.Index(fields=["practice", "patient", "-service_on"], name="note_by_patient"),
            models.Index(fields=["practice", "clinician", "-service_on"], name="note_by_clinician"),
            models.Index(fields=["practice", "-service_on", "id"], name="note_by_service"),
            models.Index(fields=["practice", "updated_at", "id"], name="note_by_update"),
            models.Index(fields=["practice", "appointment"], name="note_by_appointment"),
        ]

    @property
    def is_psychotherapy(self) -> bool:
        """Whether nobody but the author may know of it."""
        return self.type == NoteType.PSYCHOTHERAPY.value

    def move(
        self,
        action: Action,
        to: NoteStatus,
        *,
        scope: Scope,
        now: datetime,
        reason: str = "",
        **columns: Any,
    ) -> None:
        """
        Do a move of the table: one conditional UPDATE and a row of history.

        :param columns: what else changes with it
        :raises PreconditionFailed: the row is not as it was read
        """
        came_from = NoteStatus(self.status)
        assert to in MOVES[action].get(came_from, ()), f"{action} does not lead from {came_from}"
        values = {"status": to.value, "version": self.version + 1, "updated_at": now, **columns}
        moved = (
            ClinicalNote.objects.visible_to(scope)
            .filter(id=self.id, status=came_from.value, version=self.version)
            .update(**values)
        )
        if not moved:
            raise PreconditionFailed(
                "It was changed at the same moment: read it again, and decide anew.",
                headers={"ETag": etags.of(self.id, self.version + 1)},
            )
        for name, value in values.items():
            setattr(self, name, value)
        NoteMove.objects.create(
            practice_id=self.practice_id,
            note_id=self.id,
            patient_id=self.patient_id,
            action=action.value,
            from_status=came_from.value,
            to_status=to.value,
            version=self.version,
            actor_type=scope.actor_type,
            actor_id=scope.actor_id,
            reason=reason,
            moved_at=now,
        )


class NoteMove(PracticeRecord):
    """One move of a note, kept for ever."""

    note = PracticeForeignKey(ClinicalNote)
    """The note."""
    patient = PracticeForeignKey("roster.Patient")
    """As on the note."""
    action = models.CharField(max_length=10)
    """What was done."""
    from_status = models.CharField(max_length=16)
    """Where it was."""
    to_status = models.CharField(max_length=16)
    """Where it went."""
    version = models.IntegerField()
    """The note's version after it."""
    actor_type = models.CharField(max_length=10)
    """Who did it: `user`, `api_key` or `system`."""
    actor_id = models.UUIDField()
    """Their id."""
    reason = models.TextField(blank=True)
    """Why, in their words, where a reason is asked for."""
    moved_at = models.DateTimeField()
    """When."""

    class Meta:
        indexes = [models.Index(fields=["practice", "note", "version"], name="note_move_by_note")]


class SignedText(PracticeRecord):
    """The text of one revision at the moment of its first signature. It never changes."""

    note = PracticeForeignKey(ClinicalNote)
    """The note."""
    patient = PracticeForeignKey("roster.Patient")
    """As on the note."""
    revision = models.IntegerField()
    """Which of the note's texts."""
    attempt = models.IntegerField()
    """1, 2, 3 …: a text that was returned and signed again is another attempt."""
    text = models.TextField(blank=True)
    """Canonical form; empty where it is sealed."""
    sealed_text = models.BinaryField(null=True)
    """The same of a psychotherapy note, sealed."""
    sha256 = models.CharField(max_length=64)
    """Hex digest of the canonical form."""
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["practice", "note", "revision", "attempt"], name="signed_text_once"
            )
        ]


class Signature(PracticeRecord):
    """Somebody's signature under one text. It never changes."""

    note = PracticeForeignKey(ClinicalNote)
    """The note."""
    patient = PracticeForeignKey("roster.Patient")
    """As on the note."""
    signed_text = PracticeForeignKey(SignedText)
    """What was signed."""
    role = models.CharField(max_length=8, choices=[(r.value, r.value) for r in SignatureRole])
    """As what."""
    user_id = models.UUIDField()
    """Who."""
    session_id = models.UUIDField(null=True)
    """In which session they had proved who they are."""
    name = models.CharField(max_length=200)
    """Name and credentials, as printed."""
    statement = models.CharField(max_length=300)
    """What the signature says."""
    sha256 = models.CharField(max_length=64)
    """Hex digest of the text that was signed."""
    signed_at = models.DateTimeField()
    """The moment that the signed text names."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["practice", "signed_text", "role"], name="signature_once_per_role"
            )
        ]
        indexes = [models.Index(fields=["practice", "note"], name="signature_by_note")]


class Addendum(PracticeRecord):
    """Something added to a signed note: own author, time and signature. It never changes."""

    note = PracticeForeignKey(ClinicalNote)
    """The note; its own text stays as it is."""
    patient = PracticeForeignKey("roster.Patient")
    """As on the note."""
    author_user_id = models.UUIDField()
    """Who wrote and signed it."""
    author_name = models.CharField(max_length=200)
    """Name and credentials, as printed."""
    text = models.TextField(blank=True)
    """What is added; empty where it is sealed."""
    sealed_text = models.BinaryField(null=True)
    """The same of a psychotherapy note, sealed."""
    statement = models.CharField(max_length=300)
    """What the signature says."""
    sha256 = models.CharField(max_length=64)
    """Hex digest of the text."""
    document = PracticeForeignKey("documents.Document", null=True)
    """Its own signed PDF; none for psychotherapy notes."""
    signed_at = models.DateTimeField()
    """The moment that the signed text names."""

    class Meta:
        indexes = [models.Index(fields=["practice", "note", "signed_at"], name="addendum_by_note")]
