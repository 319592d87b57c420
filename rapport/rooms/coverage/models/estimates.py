"""Good-faith estimates, and what they are made of."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from rapport.platform.tenancy.models import PracticeForeignKey, PracticeRecord, VersionedRecord
from rapport.rooms.coverage.states import EstimateState


class Estimate(VersionedRecord):
    """
    What care is expected to cost a patient who pays for it.

    Once given it is numbered and frozen by a trigger: only that it was replaced, and that somebody was told that
    charges leave it, is written later.
    """

    patient = PracticeForeignKey("roster.Patient")
    """For whom."""
    number = models.IntegerField(null=True)
    """1, 2, … within the practice, when given."""
    state = models.CharField(
        max_length=8, choices=[(one.value, one.value) for one in EstimateState], default=EstimateState.DRAFT.value
    )
    """See `states.EstimateState`."""
    starts_on = models.DateField()
    """First day of service."""
    ends_on = models.DateField()
    """Last day of service, twelve months later at most."""
    asked_on = models.DateField()
    """When the first visit was booked, or the estimate asked for."""
    first_service_on = models.DateField(null=True)
    """The first visit that is booked; null: none is."""
    due_on = models.DateField(null=True)
    """By when the patient must have it; null: it is not due by law."""
    diagnosis_codes = ArrayField(models.CharField(max_length=8), default=list)
    """ICD-10-CM, where they are known yet."""
    total_cents = models.BigIntegerField()
    """US cents: the sum of its lines."""
    given_at = models.DateTimeField(null=True)
    """When the patient got it."""
    given_by = models.CharField(max_length=10, blank=True)
    """How: `paper`, `electronic`."""
    document_id = models.UUIDField(null=True)
    """The PDF."""
    replaced_at = models.DateTimeField(null=True)
    """When a later one took its place."""
    near_at = models.DateTimeField(null=True)
    """When the practice was told that charges come near to what may be disputed."""
    exceeded_at = models.DateTimeField(null=True)
    """When it was told that they are there."""

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="estimate_state_known",
                condition=Q(state__in=[one.value for one in EstimateState]),
            ),
            models.CheckConstraint(
                name="estimate_given_is_whole",
                condition=Q(state="draft")
                | Q(number__isnull=False, given_at__isnull=False, document_id__isnull=False),
            ),
            models.CheckConstraint(
                name="estimate_span_in_order", condition=Q(ends_on__gte=F("starts_on"))
            ),
            models.UniqueConstraint(fields=["practice", "number"], name="estimate_number_once"),
        ]
        indexes = [
            models.Index(fields=["practice", "patient", "starts_on"], name="estimate_by_patient"),
            models.Index(fields=["practice", "-created_at", "id"], name="estimate_by_creation"),
        ]


    def move(self, state: EstimateState, *, now: datetime, **columns: Any) -> None:
        """Bring an estimate that is held to a state, with what changes beside it; a trigger keeps the rest."""
        self.state = state.value
        for name, value in columns.items():
            setattr(self, name, value)
        self.version += 1
        self.updated_at = now
        self.save()


class EstimateLine(PracticeRecord):
    """One service of an estimate."""

    estimate = PracticeForeignKey(Estimate)
    """Of which."""
    position = models.IntegerField()
    """1, 2, …"""
    service_code_id = models.UUIDField()
    """The practice's service code."""
    code = models.CharField(max_length=5)
    """CPT or HCPCS, as it was then."""
    label = models.CharField(max_length=200)
    """The practice's own words for it, as they were then."""
    clinician_id = models.UUIDField()
    """Who is to give it."""
    quantity = models.IntegerField()
    """How often."""
    rate_cents = models.BigIntegerField()
    """US cents each, as a patient who pays is charged."""
    rate_rule = models.CharField(max_length=80)
    """Which step of the cascade gave the rate."""
    amount_cents = models.BigIntegerField()
    """Both multiplied."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "estimate", "position"], name="estimate_line_once"),
            models.CheckConstraint(
                name="estimate_line_adds_up",
                condition=Q(quantity__gt=0, rate_cents__gte=0, amount_cents=F("quantity") * F("rate_cents")),
            ),
        ]
