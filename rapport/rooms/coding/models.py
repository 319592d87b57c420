"""Tables of coding."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from rapport.kernel.ids import new_uuid
from rapport.platform.tenancy.models import PracticeForeignKey, PracticeRecord, VersionedRecord


class DiagnosisList(models.Model):
    """A published ICD-10-CM list that was loaded. The same for every practice."""

    released_on = models.DateField(primary_key=True)
    """First day on which the list is in force."""
    codes = models.IntegerField()
    """How many codes it holds."""
    loaded_at = models.DateTimeField()
    """When this installation loaded it."""

    def __str__(self) -> str:
        return f"ICD-10-CM of {self.released_on}"


class DiagnosisCode(models.Model):
    """
    A code of ICD-10-CM during a span of days. Published by CDC and CMS, in the public domain.

    The same for every practice, and read-only for the application: only the owner's role, which
    migrates, writes it. A code that changed has one row per span.
    """

    id = models.UUIDField(primary_key=True, default=new_uuid, editable=False)
    code = models.CharField(max_length=8)
    """With its dot: `F41.1`."""
    title = models.CharField(max_length=400)
    """As published."""
    billable = models.BooleanField()
    """False: a heading with finer codes below it; a claim must carry one of those."""
    parent_code = models.CharField(max_length=8, blank=True)
    """The next coarser code; empty: a category of three characters."""
    valid_from = models.DateField(null=True)
    """First day it could be used; null: before anything this table knows of."""
    valid_to = models.DateField(null=True)
    """Last day it could be used; null: still in use."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["code", "valid_from"], name="diagnosis_code_once", nulls_distinct=False
            ),
            models.CheckConstraint(
                name="diagnosis_span_in_order",
                condition=Q(valid_from=None)
                | Q(valid_to=None)
                | Q(valid_to__gte=models.F("valid_from")),
            ),
        ]
        indexes = [models.Index(fields=["code", "id"], name="diagnosis_by_code")]

    def __str__(self) -> str:
        return self.code


class ServiceCode(VersionedRecord):
    """
    A service the practice offers and bills: a CPT or HCPCS code with the practice's own terms.

    CPT descriptors belong to the AMA; the label is whatever the practice may lawfully write.
    """

    code = models.CharField(max_length=20)
    """CPT or HCPCS code, or the practice's own word for what is never billed to a payer."""
    label = models.CharField(max_length=120)
    """As staff read it; the practice's own words."""
    duration_minutes = models.IntegerField()
    """How long an appointment is when nothing else is said."""
    least_minutes = models.IntegerField(null=True)
    """A shorter session is not billable under this code; null: no such rule."""
    most_minutes = models.IntegerField(null=True)
    """A longer session belongs to another code; null: no such rule."""
    unit_minutes = models.IntegerField(null=True)
    """Length of one billed unit; null: one unit per session."""
    add_on = models.BooleanField(default=False)
    """Only beside one of its parents."""
    parent_codes = ArrayField(models.CharField(max_length=20), default=list)
    """Codes it may be added to, for an add-on."""
    rate_cents = models.BigIntegerField()
    """Charge per unit, US cents, when no special rate applies."""
    telehealth_allowed = models.BooleanField(default=True)
    """Whether it may be booked as telehealth."""
    active = models.BooleanField(default=True)
    """False: not offered for new appointments."""
    external_ids = models.JSONField(default=list)
    """[{"system", "value"}], as the API shows it."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "code"], name="service_code_once"),
            models.CheckConstraint(
                name="service_code_duration_positive",
                condition=Q(duration_minutes__gte=1, duration_minutes__lte=1440),
            ),
            models.CheckConstraint(
                name="service_code_rate_not_negative", condition=Q(rate_cents__gte=0)
            ),
        ]


class ServiceCodeExternalId(PracticeRecord):
    """An id that another system gave a service code; one service code per id and system."""

    service_code = PracticeForeignKey(ServiceCode)
    """The service code."""
    system = models.CharField(max_length=200)
    """The other system, as a URN or URL."""
    value = models.CharField(max_length=200)
    """Its id for the service code."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["practice", "system", "value"], name="service_code_external_once"
            )
        ]
        indexes = [
            models.Index(fields=["practice", "service_code"], name="service_code_external_by_code")
        ]


class Rate(PracticeRecord):
    """
    A charge that differs from the service code's own, from a day on.

    The most special one wins: payer and clinician, then payer, then clinician.
    """

    service_code = PracticeForeignKey(ServiceCode)
    """What is charged for."""
    payer_id = models.UUIDField(null=True)
    """Only for this payer; null: for all. Its constraint is made by coverage, which owns payers."""
    clinician = PracticeForeignKey("roster.Clinician", null=True)
    """Only for this clinician; null: for all."""
    rate_cents = models.BigIntegerField()
    """Charge per unit, US cents."""
    starts_on = models.DateField()
    """First day of service it is for."""
    ends_on = models.DateField(null=True)
    """Last day of service it is for; null: until further notice."""
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(name="rate_not_negative", condition=Q(rate_cents__gte=0)),
            models.CheckConstraint(
                name="rate_span_in_order",
                condition=Q(ends_on=None) | Q(ends_on__gte=models.F("starts_on")),
            ),
            models.CheckConstraint(
                name="rate_is_special",
                condition=Q(payer_id__isnull=False) | Q(clinician__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["practice", "service_code", "starts_on"], name="rate_by_code")
        ]
