"""Payers and policies."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from rapport.platform.tenancy.models import (
    PracticeForeignKey,
    PracticeRecord,
    SourcedRecord,
    once_per_source,
)
from rapport.rooms.coverage.states import (
    AskedBy,
    InvoiceDetail,
    InvoiceName,
    MedicareReason,
    PayerKind,
    Rank,
    Relationship,
    Remainder,
    Submitter,
)


class Payer(SourcedRecord):
    """Who pays for care, as the practice bills it: an entry of the practice's own directory."""

    kind = models.CharField(
        max_length=9, default=PayerKind.INSURANCE.value, choices=[(one.value, one.value) for one in PayerKind]
    )
    """Whether it is asked by claims, or as an organisation by invoices."""
    invoice_name = models.CharField(
        max_length=9, default=InvoiceName.REFERENCE.value, choices=[(one.value, one.value) for one in InvoiceName]
    )
    """What its invoices say of whom they are about."""
    invoice_detail = models.CharField(
        max_length=9, default=InvoiceDetail.SESSIONS.value, choices=[(one.value, one.value) for one in InvoiceDetail]
    )
    """What its invoices say of a session."""
    remainder = models.CharField(
        max_length=9, default=Remainder.OPEN.value, choices=[(one.value, one.value) for one in Remainder]
    )
    """What becomes of what it leaves unpaid of an invoice."""

    name = models.CharField(max_length=100)
    """As claims carry it (837P 2010BB NM103, at most 60 of it) and staff read it."""
    payer_id_code = models.CharField(max_length=80)
    """The id by which the clearinghouse knows the payer (837P 2010BB NM109); empty: its portal shows none."""
    claim_filing_indicator = models.CharField(max_length=2, default="CI")
    """Claim filing indicator (837P SBR09)."""
    phone = models.CharField(max_length=20, blank=True)
    """Provider services; E.164."""
    address_line1 = models.CharField(max_length=55, blank=True)
    """Street or box for paper claims."""
    address_line2 = models.CharField(max_length=55, blank=True)
    """Second line."""
    city = models.CharField(max_length=30, blank=True)
    """City."""
    state_code = models.CharField(max_length=2, blank=True)
    """Two-letter USPS state code."""
    postal_code = models.CharField(max_length=10, blank=True)
    """ZIP or ZIP+4, digits only."""
    active = models.BooleanField(default=True)
    """False: not offered for new policies."""
    submitter = models.CharField(
        max_length=7, blank=True, choices=[(one.value, one.value) for one in Submitter]
    )
    """Who sends the practice's claims to this payer; empty: the practice's system of record."""
    external_ids = models.JSONField(default=list)
    """[{"system", "value"}], as the API shows it."""
    authorization_for = ArrayField(models.CharField(max_length=5), default=list)
    """Services that it pays only with an authorisation: codes, or `any` alone; empty: none is known."""
    eligibility_by = models.CharField(
        max_length=7, blank=True, choices=[(one.value, one.value) for one in AskedBy]
    )
    """How it is asked about eligibility; empty: at once where a channel can, else by file."""

    class Meta:
        constraints = [
            once_per_source("payer_source_once"),
            models.CheckConstraint(
                name="payer_kind_known", condition=Q(kind__in=[one.value for one in PayerKind])
            ),
            models.CheckConstraint(
                name="payer_submitter_known",
                condition=Q(submitter__in=["", *(one.value for one in Submitter)]),
            ),
        ]
        indexes = [
            models.Index(fields=["practice", "name", "id"], name="payer_by_name"),
            models.Index(fields=["practice", "payer_id_code"], name="payer_by_code"),
        ]


class PayerExternalId(PracticeRecord):
    """An id that another system gave a payer; one payer per id and system."""

    payer = PracticeForeignKey(Payer)
    """The payer."""
    system = models.CharField(max_length=200)
    """The other system, as a URN or URL."""
    value = models.CharField(max_length=200)
    """Its id for the payer."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["practice", "system", "value"], name="payer_external_once"
            )
        ]
        indexes = [models.Index(fields=["practice", "payer"], name="payer_external_by_payer")]


class Policy(SourcedRecord):
    """
    One insurance of one patient, with its place in the order of billing and its days.

    Two policies of a patient may not hold the same rank on the same day: an exclusion
    constraint, made by the wall's migration, sees to it.
    """

    patient = PracticeForeignKey("roster.Patient")
    """Whose care it pays for."""
    payer = PracticeForeignKey(Payer)
    """Who pays."""
    rank = models.CharField(max_length=10, choices=[(rank.value, rank.value) for rank in Rank])
    """Place in the order of billing (837P SBR01)."""
    member_id = models.CharField(max_length=80)
    """As on the card, without blanks (837P 2010BA NM109)."""
    group_number = models.CharField(max_length=50, blank=True)
    """Group or policy number (837P SBR03)."""
    plan_name = models.CharField(max_length=60, blank=True)
    """Name of the plan (837P SBR04)."""
    relationship = models.CharField(
        max_length=6, blank=True, choices=[(kin.value, kin.value) for kin in Relationship]
    )
    """What the patient is to the subscriber; empty: the portal that has the policy does not say."""
    subscriber = models.JSONField(null=True)
    """{"name", "birth_on", "sex", "address"} of the subscriber; null: the patient is the subscriber, or nobody says."""
    starts_on = models.DateField()
    """First day of service it covers."""
    ends_on = models.DateField(null=True)
    """Last day of service it covers; null: until further notice."""
    copay_cents = models.BigIntegerField(null=True)
    """What the patient pays per visit, US cents; null: not known."""
    medicare_reason = models.CharField(
        max_length=20, blank=True, choices=[(one.value, one.value) for one in MedicareReason]
    )
    """Of Medicare where it is not the first payer: why (837P SBR05); empty: it is first, or nobody says."""

    class Meta:
        constraints = [
            once_per_source("policy_source_once"),
            models.CheckConstraint(
                name="policy_rank_known", condition=Q(rank__in=[rank.value for rank in Rank])
            ),
            models.CheckConstraint(
                name="policy_subscriber_unless_self",
                condition=Q(relationship="self", subscriber__isnull=True)
                | Q(relationship="", source_remote_id__isnull=False)
                | (~Q(relationship__in=["self", ""]) & Q(subscriber__isnull=False)),
            ),
            models.CheckConstraint(
                name="policy_span_in_order",
                condition=Q(ends_on=None) | Q(ends_on__gte=F("starts_on")),
            ),
            models.CheckConstraint(
                name="policy_copay_not_negative",
                condition=Q(copay_cents=None) | Q(copay_cents__gte=0),
            ),
            models.CheckConstraint(
                name="policy_medicare_reason_known",
                condition=Q(medicare_reason__in=["", *(one.value for one in MedicareReason)]),
            ),
        ]
        indexes = [
            models.Index(
                fields=["practice", "patient", "rank", "starts_on"], name="policy_by_patient"
            ),
            models.Index(fields=["practice", "payer"], name="policy_by_payer"),
            models.Index(fields=["practice", "updated_at", "id"], name="policy_by_update"),
        ]
