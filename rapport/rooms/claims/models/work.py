"""What a payer wants, and what a person has to do about claims."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import models
from django.db.models import F, Q

from rapport.kernel.problems import StateConflict
from rapport.platform.tenancy.models import PracticeForeignKey, PracticeRecord, VersionedRecord
from rapport.rooms.claims.states import AttachmentState, WorkKind


class PayerProfile(VersionedRecord):
    """How a payer wants its claims, as far as the practice has said so. Its id is the payer's."""

    payer = PracticeForeignKey("coverage.Payer")
    """The payer."""
    own = models.JSONField(default=dict)
    """Name of a value -> what the practice says; the rest is the default of the payer's kind."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["practice", "payer"], name="payer_profile_once")]


class WorkItem(VersionedRecord):
    """
    Something about a claim that a person has to look at: it was turned away, or its time runs out.

    A claim has one open item of a kind; what happens again is counted on it.
    """

    claim = PracticeForeignKey("claims.Claim")
    """The claim."""
    patient_id = models.UUIDField()
    """The claim's patient: who may not see them does not see the item."""
    kind = models.CharField(max_length=10)
    """See `states.WorkKind`."""
    code = models.CharField(max_length=80)
    """What said so: `277CA:A7:164`, `999:R`, `login-refused` …"""
    times = models.IntegerField(default=1)
    """How often it came while the item was open."""
    owner = models.UUIDField(null=True)
    """The user who takes care of it; null: nobody yet."""
    due_on = models.DateField(null=True)
    """By when, in the practice's zone."""
    resolved_at = models.DateTimeField(null=True)
    """When it was settled; null: open."""
    resolved_by = models.UUIDField(null=True)
    """Who settled it: a user, or the practice itself when the claim went on."""
    resolution = models.CharField(max_length=200, blank=True)
    """How, in a person's words, or the code of what happened."""

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="work_item_kind_known", condition=Q(kind__in=[kind.value for kind in WorkKind])
            ),
            models.UniqueConstraint(
                fields=["practice", "claim", "kind"], name="work_item_open_once",
                condition=Q(resolved_at__isnull=True),
            ),
        ]
        indexes = [
            models.Index(
                fields=["practice", "due_on", "created_at"], name="work_item_open",
                condition=Q(resolved_at__isnull=True),
            ),
            models.Index(fields=["practice", "-created_at", "id"], name="work_item_by_creation"),
        ]


class ClaimRules(PracticeRecord):
    """The practice's own claim rules, in one version of them. A change is a further row."""

    number = models.IntegerField()
    """1, 2, 3 …; the highest holds."""
    rules = models.JSONField(default=list)
    """In order: [{id, when: [{field, op, value}], then: {do, …}, stop}]."""
    note = models.CharField(max_length=200, blank=True)
    """Why they were changed."""
    by = models.UUIDField()
    """Who changed them."""
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["practice", "number"], name="claim_rules_number")]


class ClaimAttachment(VersionedRecord):
    """A paper that belongs to a claim (275, 006020X314): told in the claim by its number (PWK), sent beside it."""

    claim = PracticeForeignKey("claims.Claim")
    """The claim."""
    patient_id = models.UUIDField()
    """The claim's patient: who may not see them does not see the attachment."""
    document = PracticeForeignKey("documents.Document")
    """The paper, sealed in the store."""
    report_type = models.CharField(max_length=2)
    """PWK01: `OZ` support data, `08` plan of treatment, `09` progress report …"""
    way = models.CharField(max_length=2)
    """PWK02: `EL` electronic, `FX` fax, `BM` by mail, `AA` at the provider's, on request."""
    control_number = models.CharField(max_length=50)
    """PWK06: by which the payer puts paper and claim together."""
    state = models.CharField(max_length=8, default=AttachmentState.TO_SEND.value)
    """See `states.AttachmentState`."""
    sent_at = models.DateTimeField(null=True)
    """When a person says it was sent."""
    sent_by = models.UUIDField(null=True)
    """Who says so."""
    sent_how = models.CharField(max_length=6, blank=True)
    """`portal`, `fax`, `mail` or `hand`."""

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="claim_attachment_state_known", condition=Q(state__in=[s.value for s in AttachmentState])
            ),
            models.UniqueConstraint(fields=["practice", "control_number"], name="claim_attachment_number"),
        ]
        indexes = [models.Index(fields=["practice", "claim", "created_at"], name="claim_attachment_by_claim")]


    def move(self, *, how: str, by: UUID, at: datetime) -> None:
        """Write down that it was sent. The caller holds its row. :raises StateConflict: it was sent already"""
        moved = ClaimAttachment.objects.filter(
            practice_id=self.practice_id, id=self.id, state=AttachmentState.TO_SEND.value
        ).update(
            state=AttachmentState.SENT.value, sent_how=how, sent_by=by, sent_at=at, updated_at=at,
            version=F("version") + 1,
        )  # fmt: skip
        self.refresh_from_db()
        if moved != 1:
            raise StateConflict("It was sent already.", current_state=self.state)


class PrintSetting(VersionedRecord):
    """How far the practice's printer is off, for CMS-1500 forms. Its id is the practice's."""

    dx = models.IntegerField(default=0)
    """To the right, in hundredths of an inch."""
    dy = models.IntegerField(default=0)
    """Down, in hundredths of an inch."""
