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

UNDER_WAY = [CheckState.QUEUED.value, CheckState.ASKING.value]


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
    reason = models.CharField(max_length=12, choices=[(one.value, one.value) for one in CheckReason])
    """Why it was made."""
    service_on = models.DateField()
    """The day that was asked for."""
    service_types = ArrayField(models.CharField(max_length=2))
    """EQ01."""
    trace = models.CharField(max_length=30)
    """TRN02: opaque, comes back with the answer."""
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

        :raises StateConflict: it has ended
        """
        if self.state not in UNDER_WAY:
            raise StateConflict("The check has ended.", current_state=self.state)
        self.state = state.value
        for name, value in columns.items():
            setattr(self, name, value)
        self.version += 1
        self.updated_at = now
        self.save()


class EligibilityExchange(PracticeRecord):
    """One 270 that was made for a check, frozen, and the 271 that came back."""

    check_of = PracticeForeignKey(EligibilityCheck)
    """For which check."""
    number = models.IntegerField()
    """1, 2, …: another one is made when the payer answered that it cannot answer now."""
    key = models.CharField(max_length=60)
    """By which the other side knows the file again when it is handed over twice."""
    request_blob_key = models.CharField(max_length=64)
    """The 270, sealed."""
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
            )
        ]
