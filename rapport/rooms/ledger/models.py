"""Tables of the ledger. Rows are added to all of them, and never changed or removed."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from rapport.platform.tenancy.models import PracticeForeignKey, PracticeRecord
from rapport.platform.tenancy.source import HERE

from .states import Account, EntryKind, PaymentMethod


class Entry(PracticeRecord):
    """The head of a double entry. Its postings add up to zero, for each patient."""

    kind = models.CharField(max_length=24, choices=[(kind.value, kind.value) for kind in EntryKind])
    """What it is about."""
    patient = PracticeForeignKey("roster.Patient", null=True)
    """Whose money it is about; none where a payer's money belongs to no claim."""
    effective_on = models.DateField()
    """The day it counts from, in the practice."""
    recorded_at = models.DateTimeField()
    """When it was written."""
    source_kind = models.CharField(max_length=30)
    """What it comes from: `appointment`, `era_line`, `payment`, …"""
    source_id = models.UUIDField()
    """Which one."""
    source_line = models.CharField(max_length=80)
    """Which of the entries that the source gives rise to."""
    lines = models.SmallIntegerField()
    """How many postings it has, so that none can be added later."""
    reverses = PracticeForeignKey("self", null=True)
    """The entry that this one undoes."""
    reason = models.CharField(max_length=200, blank=True)
    """Why: an adjustment's group and code, or what a person said."""
    reason_code = models.CharField(max_length=40, blank=True, default="")
    """Of a write-off: why, as one of few words."""
    actor_type = models.CharField(max_length=10)
    """Who wrote it: `user`, `api_key` or `system`."""
    actor_id = models.UUIDField()
    """Their id."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["practice", "source_kind", "source_id", "source_line"],
                name="entry_source_once",
            ),
            models.UniqueConstraint(
                fields=["practice", "reverses"],
                condition=Q(reverses__isnull=False),
                name="entry_reversed_once",
            ),
        ]
        indexes = [
            models.Index(fields=["practice", "effective_on", "id"], name="entry_by_day"),
            models.Index(fields=["practice", "patient", "effective_on"], name="entry_by_patient"),
        ]


class Posting(PracticeRecord):
    """One line of an entry: so many cents, to one account."""

    entry = PracticeForeignKey(Entry)
    """The entry it belongs to. Triggers hold this and the patient, no foreign keys (migration 0009)."""
    line = models.SmallIntegerField()
    """Its place there: 1, 2, 3 …"""
    account = models.CharField(
        max_length=24, choices=[(account.value, account.value) for account in Account]
    )
    """The account."""
    cents = models.BigIntegerField()
    """Debits are positive, credits negative; never zero."""
    patient = PracticeForeignKey("roster.Patient", null=True)
    """As on the entry, so that sums read one table."""
    effective_on = models.DateField()
    """As on the entry."""
    service_on = models.DateField(null=True)
    """Day of the service it is about."""
    appointment_id = models.UUIDField(null=True)
    """The visit it is about."""
    claim_id = models.UUIDField(null=True)
    """The claim it is about."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "entry", "line"], name="posting_line_once"),
            models.CheckConstraint(name="posting_not_zero", condition=~Q(cents=0)),
            models.CheckConstraint(
                name="posting_account_known",
                condition=Q(account__in=[account.value for account in Account]),
            ),
        ]
        indexes = [
            models.Index(
                fields=["practice", "patient", "account", "effective_on"], name="posting_by_patient"
            ),
            models.Index(fields=["practice", "appointment_id"], name="posting_by_appointment"),
            models.Index(fields=["practice", "claim_id"], name="posting_by_claim"),
        ]


class BookClosing(PracticeRecord):
    """Up to which day the books are closed, from this row to the next. A trigger keeps entries out of those days."""

    number = models.IntegerField()
    """1, 2, 3 … in the practice; the last one holds."""
    through_on = models.DateField(null=True)
    """The last day that takes no entries; null: none is closed."""
    reopens = models.BooleanField()
    """Days were opened again."""
    reason = models.CharField(max_length=200, blank=True)
    """Why, in the words of who did it."""
    actor_type = models.CharField(max_length=10)
    """Who did it: `user` or `api_key`."""
    actor_id = models.UUIDField()
    """Their id."""
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "number"], name="book_closing_in_order"),
        ]


class Payment(PracticeRecord):
    """Money that a patient gave. What it paid for is in its entry."""

    patient = PracticeForeignKey("roster.Patient")
    """Who paid."""
    cents = models.BigIntegerField()
    """How much."""
    method = models.CharField(
        max_length=16, choices=[(method.value, method.value) for method in PaymentMethod]
    )
    """How."""
    reference = models.CharField(max_length=60, blank=True)
    """Check number, or the terminal's receipt number; never a card number."""
    received_on = models.DateField()
    """The day it was received, in the practice."""
    entry = PracticeForeignKey(Entry)
    """Its entry."""
    source_system = models.CharField(max_length=60, default=HERE)
    """Which system says so: this one, or the definition of a portal."""
    source_remote_id = models.CharField(max_length=200, null=True)
    """Its id there. What that system corrects is another row: the last one is how it stands."""
    source_as_of = models.DateTimeField(null=True)
    """When that system said so."""
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(name="payment_above_zero", condition=Q(cents__gt=0)),
        ]
        indexes = [
            models.Index(fields=["practice", "patient", "-received_on"], name="payment_by_patient"),
            models.Index(
                fields=["practice", "source_system", "source_remote_id"], name="payment_by_source",
                condition=Q(source_remote_id__isnull=False),
            ),
        ]
