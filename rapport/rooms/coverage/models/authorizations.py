"""What payers authorised ahead of a service."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from rapport.platform.tenancy.models import PracticeForeignKey, VersionedRecord
from rapport.rooms.coverage.states import CountedBy

from .policies import Policy


class Authorization(VersionedRecord):
    """
    A payer's promise to pay for services of one patient, under a number.

    How much of it is gone is no column: it is counted from appointments and claims whenever it is asked.
    """

    patient = PracticeForeignKey("roster.Patient")
    """Whose care; the policy's patient."""
    policy = PracticeForeignKey(Policy)
    """Under which policy."""
    number = models.CharField(max_length=50)
    """As the payer gave it (837P REF*G1, CMS-1500 box 23)."""
    service_codes = ArrayField(models.CharField(max_length=5), default=list)
    """For which services; empty: any."""
    counted_by = models.CharField(max_length=5, choices=[(one.value, one.value) for one in CountedBy])
    """Whether a visit uses one, or as many as it has units."""
    allowed = models.IntegerField(null=True)
    """How many visits or units; null: as many as fit into its days."""
    used_before = models.IntegerField(default=0)
    """How many were used where this system cannot see them, as the practice says."""
    starts_on = models.DateField()
    """First day of service."""
    ends_on = models.DateField(null=True)
    """Last day of service; null: until further notice."""
    active = models.BooleanField(default=True)
    """False: set aside, and counted for nothing."""

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="authorization_counted_known",
                condition=Q(counted_by__in=[one.value for one in CountedBy]),
            ),
            models.CheckConstraint(
                name="authorization_span_in_order",
                condition=Q(ends_on=None) | Q(ends_on__gte=F("starts_on")),
            ),
            models.CheckConstraint(
                name="authorization_not_negative",
                condition=(Q(allowed=None) | Q(allowed__gt=0)) & Q(used_before__gte=0),
            ),
            models.UniqueConstraint(
                fields=["practice", "policy", "number"], name="authorization_number_once"
            ),
        ]
        indexes = [
            models.Index(fields=["practice", "patient", "starts_on"], name="authorization_by_patient"),
            models.Index(fields=["practice", "policy"], name="authorization_by_policy"),
            models.Index(fields=["practice", "updated_at", "id"], name="authorization_by_update"),
        ]
