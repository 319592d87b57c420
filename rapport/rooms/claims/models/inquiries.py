"""What a payer was asked of a claim (276), and what it said (277)."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from rapport.platform.tenancy.models import PracticeForeignKey, PracticeRecord


class StatusInquiry(PracticeRecord):
    """One question to a payer about one claim. Rows are added, and never changed or removed."""

    claim = PracticeForeignKey("claims.Claim")
    """The claim."""
    submission = PracticeForeignKey("claims.Submission")
    """The file that asks; with a schedule it asks about others as well."""
    trace = models.CharField(max_length=30)
    """TRN02: opaque, comes back with the answer."""
    reason = models.CharField(max_length=8)
    """`person` or `schedule`."""
    by = models.UUIDField()
    """Who asked: a user, a key, or the practice itself."""
    asked_at = models.DateTimeField()
    """When the file was made."""

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="status_inquiry_reason_known", condition=Q(reason__in=["person", "schedule"])
            ),
            models.UniqueConstraint(fields=["practice", "trace"], name="status_inquiry_trace"),
        ]
        indexes = [
            models.Index(fields=["practice", "claim", "-asked_at"], name="status_inquiry_by_claim"),
            models.Index(fields=["practice", "submission"], name="status_inquiry_by_file"),
        ]


class ToldStatus(PracticeRecord):
    """What one file said of one inquiry. All are kept; rows are added, and never changed or removed."""

    inquiry = PracticeForeignKey(StatusInquiry)
    """The question."""
    claim = PracticeForeignKey("claims.Claim")
    """The claim."""
    inbound_file = PracticeForeignKey("claims.InboundFile")
    """The file it came in."""
    standing = models.CharField(max_length=24)
    """Where the claim stands at the payer, as `protocols.x12.status277.standing` says it."""
    codes = models.JSONField(default=list)
    """What was said, as codes: [{category, code, entity}]."""
    effective_on = models.DateField(null=True)
    """Since when, as the payer says (STC02)."""
    charge_cents = models.BigIntegerField(null=True)
    """What the payer holds as billed."""
    paid_cents = models.BigIntegerField(null=True)
    """What it says it paid. Money is posted by remittances alone."""
    paid_on = models.DateField(null=True)
    """Day of the payment."""
    payment_number = models.CharField(max_length=50, blank=True)
    """Check or EFT number."""
    payer_claim_number = models.CharField(max_length=50, blank=True)
    """REF*1K."""
    source = models.CharField(max_length=60, blank=True)
    """Who said it."""
    received_at = models.DateTimeField()
    """When we read it."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["practice", "inbound_file", "inquiry"], name="told_status_once"
            )
        ]
        indexes = [
            models.Index(fields=["practice", "claim", "-received_at"], name="told_status_by_claim"),
            models.Index(fields=["practice", "inquiry"], name="told_status_by_inquiry"),
        ]
