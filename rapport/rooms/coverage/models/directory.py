"""How the practice and its clinicians stand with payers."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from rapport.platform.tenancy.models import PracticeForeignKey, PracticeRecord, VersionedRecord
from rapport.rooms.coverage.states import EnrollmentState, Transaction

from .policies import Payer


class EnrollmentChange(PracticeRecord):
    """
    One step of an enrolment with a payer. Rows are added, and never changed or removed.

    How an enrolment stands is its newest row.
    """

    payer = PracticeForeignKey(Payer)
    """With whom."""
    transaction = models.CharField(max_length=4, choices=[(one.value, one.value) for one in Transaction])
    """For which kind of transaction."""
    needed = models.BooleanField(default=True)
    """Whether the payer takes it from enrolled practices only."""
    state = models.CharField(max_length=9, choices=[(one.value, one.value) for one in EnrollmentState])
    """How far it is from then on."""
    effective_on = models.DateField(null=True)
    """From which day, as the payer says; null: it does not say."""
    note = models.CharField(max_length=200, blank=True)
    """What staff write about it: no patient's data."""
    by_type = models.CharField(max_length=10)
    """Kind of actor."""
    by_id = models.UUIDField()
    """Actor."""
    at = models.DateTimeField()
    """When it was written down."""

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="enrollment_words_known",
                condition=Q(
                    transaction__in=[one.value for one in Transaction],
                    state__in=[one.value for one in EnrollmentState],
                ),
            ),
        ]
        indexes = [
            models.Index(fields=["practice", "payer", "transaction", "-at"], name="enrollment_newest")
        ]


class CredentialSpan(VersionedRecord):
    """
    From when until when a payer takes claims for one clinician's services.

    Two spans of a clinician and payer never share a day: an exclusion constraint sees to it.
    """

    clinician = PracticeForeignKey("roster.Clinician")
    """Who."""
    payer = PracticeForeignKey(Payer)
    """With whom."""
    starts_on = models.DateField()
    """First day of service."""
    ends_on = models.DateField(null=True)
    """Last day of service; null: until further notice."""
    payer_number = models.CharField(max_length=50, blank=True)
    """What the payer calls the clinician, where it has a number of its own."""

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="credential_span_in_order",
                condition=Q(ends_on=None) | Q(ends_on__gte=F("starts_on")),
            ),
        ]
        indexes = [
            models.Index(fields=["practice", "payer", "clinician"], name="credential_by_payer"),
            models.Index(fields=["practice", "updated_at", "id"], name="credential_by_update"),
        ]
