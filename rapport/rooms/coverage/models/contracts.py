"""What contracts with payers say that a service is worth."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from rapport.platform.tenancy.models import PracticeForeignKey, PracticeRecord

from .policies import Payer


class ContractRate(PracticeRecord):
    """
    What a payer allows for one unit of a service, by the practice's contract, from a day on.

    It is no charge: that is `coding.Rate`. Of several that fit, `rules.contracts` says which one holds; two
    with the same conditions never share a day: an exclusion constraint sees to it.
    """

    payer = PracticeForeignKey(Payer)
    """Whose contract."""
    service_code = models.CharField(max_length=5)
    """CPT or HCPCS."""
    modifier = models.CharField(max_length=2, blank=True)
    """Only for services with this modifier; empty: with any and with none."""
    credential = models.CharField(max_length=12, blank=True)
    """Only for clinicians with this credential (`LCSW`); empty: whoever it is."""
    telehealth = models.BooleanField(null=True)
    """Only for telehealth, or only for what is none; null: both."""
    place_of_service_code = models.CharField(max_length=2, blank=True)
    """Only at this place of service; empty: at any."""
    allowed_cents = models.BigIntegerField()
    """What is allowed per unit, US cents: the payer's part and the patient's together."""
    starts_on = models.DateField()
    """First day of service."""
    ends_on = models.DateField(null=True)
    """Last day of service; null: until further notice."""
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(name="contract_rate_not_negative", condition=Q(allowed_cents__gte=0)),
            models.CheckConstraint(
                name="contract_rate_in_order",
                condition=Q(ends_on=None) | Q(ends_on__gte=F("starts_on")),
            ),
        ]
        indexes = [
            models.Index(fields=["practice", "payer", "service_code"], name="contract_rate_by_code")
        ]
