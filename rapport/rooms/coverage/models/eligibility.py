"""What payers were asked of a policy, and what they answered."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from rapport.kernel.problems import StateConflict
from rapport.platform.tenancy.models import PracticeForeignKey, PracticeRecord, VersionedRecord
from rapport.rooms.coverage.states import CheckReason, CheckState

from .policies import Payer, Policy

UNDER_WAY = [CheckState.QUEUED.value, CheckState.ASKING.value, CheckState.ASKED.value]


class EligibilityCheck(VersionedRecord):
    """
    One question to a payer about one policy, until it is answered or given up.

    What was sent and what came back is kept byte for byte by its exchanges; the snapshot is what we made of
    the last one. A policy has one check under way at most.
    """

    patient = PracticeForeignKey("roster.Patient")
    """Whose cover."""
    policy = PracticeForeignKey(Policy)
    """Which policy."""
    payer = PracticeForeignKey(Payer)
    """Who was asked: the policy's payer then."""
    channel_id = models.UUIDField()
    """The way it goes."""
    by_file = models.BooleanField(default=False)
    """Whether it goes into a file of questions, or by itself and is answered at once."""
    answer_by = models.DateTimeField(null=True)
    """Of one in a file: when the answer should be here; after that it is late."""
    reason = models.CharField(max_length=12, choices=[(one.value, one.value) for one in CheckReason])
    """Why it was made."""
    service_on = models.DateField()
    """The day that was asked for."""
    service_types = ArrayField(models.CharField(max_length=2))
    """EQ01."""
    trace = models.CharField(max_length=30)
    """TRN02: opaque, comes back with the answer. Of a later question in a file, what it begins with."""
    state = models.CharField(max_length=10, choices=[(one.value, one.value) for one in CheckState])
    """See `states.CheckState`."""
    fence = models.IntegerField(default=0)
    """Counts the workers that took it: an answer of an older one is not written."""
    leased_until = models.DateTimeField(null=True)
    """While a worker has it."""
    retry_at = models.DateTimeField(null=True)
    """Not before that."""
    last_code = models.CharField(max_length=60, blank=True)
    """Why it is not answered: a code of the driver or of the payer."""
    refusals = models.JSONField(default=list)
    """[{"code", "follow_up", "what_to_do", "pointer"}] of the payer's last answer."""
    snapshot = models.JSONField(null=True)
    """The benefits, see `rules.eligibility.snapshot`; null: none were told."""
    answered_at = models.DateTimeField(null=True)
    """When the payer said so: the snapshot's `as_of`."""

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="eligibility_words_known",
                condition=Q(
                    state__in=[one.value for one in CheckState],
                    reason__in=[one.value for one in CheckReason],
                ),
            ),
            models.UniqueConstraint(
                fields=["practice", "policy"], condition=Q(state__in=UNDER_WAY),
                name="eligibility_one_under_way",
            ),
            models.UniqueConstraint(fields=["practice", "trace"], name="eligibility_trace_once"),
        ]  # fmt: skip
        indexes = [
            models.Index(fields=["practice", "policy", "-created_at"], name="eligibility_by_policy"),
            models.Index(fields=["practice", "patient", "-created_at"], name="eligibility_by_patient"),
            models.Index(fields=["practice", "-created_at", "id"], name="eligibility_by_creation"),
        ]

    def move(self, state: CheckState, *, now: datetime, **columns: Any) -> None:
        """
        Bring a check that is held to another state, with what changes beside it.

        What was given up or refused may still be answered: by a file that comes late.

        :raises StateConflict: it has ended
        """
        late = state is CheckState.ANSWERED and self.state != CheckState.ANSWERED
        if self.state not in UNDER_WAY and not late:
            raise StateConflict("The check has ended.", current_state=self.state)
        self.state = state.value
        for name, value in columns.items():
            setattr(self, name, value)
        self.version += 1
        self.updated_at = now
        self.save()


class EligibilityFile(PracticeRecord):
    """
    A file of questions (270) to one payer about many patients. Rows are added, and never changed or removed.

    Its id is that of the submission by which claims hands it over; where it is, claims knows.
    """

    channel_id = models.UUIDField()
    """The way it goes."""
    payer = PracticeForeignKey(Payer)
    """Who is asked."""
    reference = models.CharField(max_length=30)
    """BHT03: opaque; an answer that refuses the whole file gives it back."""
    created_at = models.DateTimeField()
    """When it was made."""
    answer_by = models.DateTimeField()
    """When its answers should be here."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "reference"], name="eligibility_file_reference")
        ]
        indexes = [
            models.Index(fields=["practice", "-created_at", "id"], name="eligibility_file_by_time")
        ]


class EligibilityExchange(PracticeRecord):
    """One 270 that was made for a check, frozen, and the 271 that came back."""

    check_of = PracticeForeignKey(EligibilityCheck)
    """For which check."""
    number = models.IntegerField()
    """1, 2, …: another one is made when the payer answered that it cannot answer now."""
    file = PracticeForeignKey(EligibilityFile, null=True)
    """The file that asks, among others; null: it was asked by itself."""
    key = models.CharField(max_length=60)
    """By which the other side knows the question again: of the whole 270; in a file, its TRN02."""
    request_blob_key = models.CharField(max_length=64, blank=True)
    """The 270, sealed; empty in a file, which has it."""
    request_sha256 = models.CharField(max_length=64)
    """Its digest."""
    tries = models.IntegerField(default=0)
    """How often it was handed over."""
    response_blob_key = models.CharField(max_length=64, blank=True)
    """What came back, sealed, whether or not it can be read."""
    response_sha256 = models.CharField(max_length=64, blank=True)
    """Its digest."""
    outcome = models.CharField(max_length=60, blank=True)
    """`answered`, or why there is no answer."""
    created_at = models.DateTimeField()
    """When it was made."""
    answered_at = models.DateTimeField(null=True)
    """When something came back."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["practice", "check_of", "number"], name="eligibility_exchange_once"
            ),
            models.UniqueConstraint(fields=["practice", "key"], name="eligibility_exchange_key_once"),
        ]
        indexes = [models.Index(fields=["practice", "file"], name="eligibility_exchange_by_file")]
