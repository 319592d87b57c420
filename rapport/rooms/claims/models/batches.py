"""Claims that leave together, and what of each stands where in which file."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import F, Q

from rapport.kernel.problems import StateConflict
from rapport.platform.tenancy.models import PracticeForeignKey, PracticeRecord, VersionedRecord
from rapport.rooms.claims.states import BatchState, Outcome


class ClaimBatch(VersionedRecord):
    """Many claims of a practice that leave through one channel in one file."""

    channel = PracticeForeignKey("claims.Channel")
    """The way it goes."""
    payer = PracticeForeignKey("coverage.Payer", null=True)
    """Only claims to this payer; null: of every payer behind the channel."""
    follows = PracticeForeignKey("self", null=True)
    """The batch whose file was turned away for another claim's fault, and whose other claims these are."""
    by = models.UUIDField()
    """Who asked for it."""
    state = models.CharField(max_length=8, default=BatchState.MAKING.value)
    """See `states.BatchState`."""
    total = models.IntegerField()
    """Claims that were picked."""
    done = models.IntegerField(default=0)
    """Claims of them that were looked through."""
    included = models.IntegerField(default=0)
    """Claims that are in the file."""
    charge_cents = models.BigIntegerField(default=0)
    """What they ask for together."""
    batch_id = models.CharField(max_length=30)
    """What the BHT03 of each set begins with."""
    submission_id = models.UUIDField()
    """Its submission, which is there once the file is whole."""
    findings = models.JSONField(default=list)
    """Why it failed: [{code, segment, element, message}]."""

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="claim_batch_state_known", condition=Q(state__in=[s.value for s in BatchState])
            ),
            models.UniqueConstraint(fields=["practice", "submission_id"], name="claim_batch_submission"),
        ]
        indexes = [models.Index(fields=["practice", "-created_at", "id"], name="claim_batch_by_creation")]

    def move(self, to: BatchState, *, at: datetime, **values: object) -> None:
        """
        End the making of a batch. The caller holds its row.

        :raises StateConflict: it has ended already
        """
        moved = ClaimBatch.objects.filter(
            practice_id=self.practice_id, id=self.id, state=BatchState.MAKING.value
        ).update(state=to.value, updated_at=at, version=F("version") + 1, **values)
        self.refresh_from_db()
        if moved != 1:
            raise StateConflict(f"A batch that is {self.state} has ended.", current_state=self.state)


class BatchClaim(PracticeRecord):
    """One claim that was picked for a batch."""

    batch = PracticeForeignKey(ClaimBatch)
    """The batch."""
    claim = PracticeForeignKey("claims.Claim")
    """The claim."""
    position = models.IntegerField()
    """In which order they are looked through."""
    outcome = models.CharField(max_length=8, default=Outcome.WAITING.value)
    """See `states.Outcome`."""
    codes = models.JSONField(default=list)
    """Why it was left out: codes of findings, or `state:…` where it was no longer ready."""

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="batch_claim_outcome_known", condition=Q(outcome__in=[o.value for o in Outcome])
            ),
            models.UniqueConstraint(fields=["practice", "batch", "claim"], name="batch_claim_once"),
        ]
        indexes = [
            models.Index(fields=["practice", "batch", "outcome", "position"], name="batch_claim_by_outcome")
        ]


class BatchSet(PracticeRecord):
    """One transaction set of a batch whose file is not whole yet; removed when it is."""

    batch = PracticeForeignKey(ClaimBatch)
    """The batch."""
    number = models.IntegerField()
    """ST02 in the group, from 1."""
    blob_key = models.CharField(max_length=64)
    """Where its segments between ST and SE are."""
    sha256 = models.CharField(max_length=64)
    """Of them, hex."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "batch", "number"], name="batch_set_number")
        ]


class SubmittedClaim(PracticeRecord):
    """
    One claim as it stands in one file. Rows are added, and never changed or removed.

    Those of a batch are there set by set, before their submission is.
    """

    claim = PracticeForeignKey("claims.Claim")
    """The claim."""
    submission_id = models.UUIDField()
    """The file."""
    attempt = models.IntegerField()
    """1, 2, 3 … per claim."""
    set_number = models.IntegerField(default=1)
    """ST02 of its transaction set."""
    batch_id = models.CharField(max_length=30)
    """BHT03 of that set."""
    first_position = models.IntegerField()
    """Position of its first segment in the set, as a 999 counts (IK302: ST is 1)."""
    last_position = models.IntegerField()
    """Position of its last segment."""
    lines = models.JSONField(default=dict)
    """Line control number -> position of its LX."""
    snapshot_sealed = models.BinaryField()
    """The claim as it was put into the file, sealed: patient, policy, providers, lines."""
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "claim", "attempt"], name="submitted_claim_attempt"),
            models.UniqueConstraint(fields=["practice", "submission_id", "claim"], name="submitted_claim_once"),
        ]
        indexes = [models.Index(fields=["practice", "batch_id"], name="submitted_claim_by_batch")]
