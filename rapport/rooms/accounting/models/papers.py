"""
Papers, pay, and the books elsewhere. Papers and pay reports are frozen: rows are added, and never changed or removed.

What goes to the practice's books elsewhere are totals of closed days: no person, visit or claim.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from rapport.platform.tenancy.models import PracticeForeignKey, PracticeRecord
from rapport.rooms.accounting.states import (
    ENTRY_MOVES,
    LINK_MOVES,
    EntryState,
    LinkState,
    PaperKind,
    PayBasis,
    PayerMethod,
)


class Paper(PracticeRecord):
    """An invoice, a credit note, a statement or a superbill, as it was given to the patient."""

    kind = models.CharField(max_length=11, choices=[(kind.value, kind.value) for kind in PaperKind])
    """What it is."""
    number = models.BigIntegerField(null=True)
    """Of invoices and credit notes: 1, 2, 3 … in the practice, without a gap; a trigger sees to it."""
    patient = PracticeForeignKey("roster.Patient", null=True)
    """Whose it is; null: a payer's. Who sees some patients only sees none of those."""
    payer = PracticeForeignKey("coverage.Payer", null=True)
    """Of an invoice or credit note to an organisation: which; null: a patient's."""
    from_on = models.DateField()
    """First day of the period."""
    to_on = models.DateField()
    """Last day of the period."""
    issued_on = models.DateField()
    """Day it was made, in the practice."""
    due_on = models.DateField(null=True)
    """Of an invoice: day by which it is to be paid."""
    cents = models.BigIntegerField()
    """What it comes to: what is due, the balance at the end, or what was paid."""
    corrects = PracticeForeignKey("self", null=True)
    """Of a credit note: the invoice that it takes back."""
    appointment_ids = ArrayField(models.UUIDField(), default=list)
    """The visits it is about."""
    content = models.JSONField()
    """All that is printed on it, amounts in cents."""
    sha256 = models.BinaryField(max_length=32)
    """Digest of the content in canonical form."""
    reason = models.CharField(max_length=200, blank=True)
    """Of a credit note: why."""
    actor_type = models.CharField(max_length=10)
    """Who made it: `user`, `api_key` or `system`."""
    actor_id = models.UUIDField()
    """Their id."""
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["practice", "number"], condition=Q(number__isnull=False), name="paper_number_once"
            ),
            models.UniqueConstraint(
                fields=["practice", "corrects"], condition=Q(corrects__isnull=False), name="paper_corrected_once"
            ),
            models.CheckConstraint(
                name="paper_numbered_where_it_counts",
                condition=Q(kind__in=["invoice", "credit_note"], number__isnull=False)
                | Q(kind__in=["statement", "superbill"], number=None),
            ),
            models.CheckConstraint(
                name="paper_of_patient_or_payer",
                condition=Q(patient__isnull=False, payer=None)
                | Q(patient=None, payer__isnull=False, kind__in=["invoice", "credit_note"]),
            ),
        ]
        indexes = [models.Index(fields=["practice", "kind", "created_at", "id"], name="paper_by_kind")]


class PayerPayment(PracticeRecord):
    """
    What an organisation paid on one invoice; what it paid for is in the ledger. Rows are added, and never changed.

    A payment that was a mistake is taken back by a row of the opposite amount that names it.
    """

    payer = PracticeForeignKey("coverage.Payer")
    """Who paid."""
    invoice = PracticeForeignKey(Paper)
    """On which invoice."""
    cents = models.BigIntegerField()
    """How much; below zero: a payment was taken back."""
    method = models.CharField(max_length=5, choices=[(one.value, one.value) for one in PayerMethod])
    """How."""
    reference = models.CharField(max_length=60, blank=True)
    """Number of the cheque, or trace number of the transfer."""
    received_on = models.DateField()
    """When the money came, or was taken back."""
    final = models.BooleanField()
    """It pays no more on this invoice: what was left went by the payer's rule."""
    takes_back = PracticeForeignKey("self", null=True)
    """The payment that was a mistake."""
    reason = models.CharField(max_length=200, blank=True)
    """Why it was taken back."""
    actor_type = models.CharField(max_length=10)
    """Who recorded it: `user` or `api_key`."""
    actor_id = models.UUIDField()
    """Their id."""
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="payer_payment_sign",
                condition=Q(takes_back=None, cents__gt=0) | Q(takes_back__isnull=False, cents__lt=0),
            ),
            models.UniqueConstraint(
                fields=["practice", "takes_back"], condition=Q(takes_back__isnull=False),
                name="payer_payment_taken_back_once",
            ),
        ]  # fmt: skip
        indexes = [models.Index(fields=["practice", "invoice", "created_at"], name="payer_payment_by_invoice")]


class PayRule(PracticeRecord):
    """How a clinician is paid from a day on, until the next rule. Rows are added, and never changed."""

    clinician = PracticeForeignKey("roster.Clinician")
    """Who."""
    from_on = models.DateField()
    """First day it holds."""
    basis = models.CharField(max_length=9, choices=[(basis.value, basis.value) for basis in PayBasis])
    """What the percentage is of."""
    basis_points = models.IntegerField()
    """The percentage, in hundredths of a percent."""
    per_code = models.JSONField(default=dict)
    """{service code: cents} for each visit charged, in place of the percentage."""
    actor_id = models.UUIDField()
    """Who made it."""
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="pay_rule_percentage", condition=Q(basis_points__gte=0, basis_points__lte=10_000)
            ),
        ]
        indexes = [models.Index(fields=["practice", "clinician", "-from_on"], name="pay_rule_by_clinician")]


class PayReport(PracticeRecord):
    """What clinicians earned in a period, as it was reckoned once."""

    from_on = models.DateField()
    """First day of the period."""
    to_on = models.DateField()
    """Last day of the period."""
    cents = models.BigIntegerField()
    """All of it together."""
    content = models.JSONField()
    """Clinician by clinician and code by code, amounts in cents; no patients."""
    sha256 = models.BinaryField(max_length=32)
    """Digest of the content in canonical form."""
    actor_type = models.CharField(max_length=10)
    """Who made it."""
    actor_id = models.UUIDField()
    """Their id."""
    created_at = models.DateTimeField()


class BookLink(PracticeRecord):
    """The books that a practice keeps at QuickBooks Online."""

    state = models.CharField(max_length=10, choices=[(state.value, state.value) for state in LinkState])
    """Where it stands; `move` is its only writer."""
    company = models.CharField(max_length=40, blank=True)
    """Its id of the company (realm id)."""
    asked_digest = models.BinaryField(max_length=32, null=True)
    """Digest of what a person must bring back from there, so that nobody else's answer is taken."""
    sealed = models.BinaryField(null=True)
    """Tokens, sealed: {"access", "renewal"}; or the code that they are still to be had for."""
    access_until = models.DateTimeField(null=True)
    """When the access token ends; null: there is none yet."""
    accounts = models.JSONField(default=list)
    """[{"id", "name", "kind"}] as they were read there."""
    mapping = models.JSONField(default=dict)
    """{our account: its id there}."""
    from_on = models.DateField(null=True)
    """First day that is sent."""
    leased_until = models.DateTimeField(null=True)
    """Until when one worker speaks to it alone."""
    last_code = models.CharField(max_length=60, blank=True)
    """What it said last, as a code."""
    version = models.IntegerField(default=1)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["practice"], name="book_link_once")]

    def move(self, to: LinkState, *, at: datetime, **fields: Any) -> None:
        """Change the state and what belongs to it, and save. :raises ValueError: there is no such move"""
        if to not in LINK_MOVES[LinkState(self.state)]:
            raise ValueError(f"no move from {self.state} to {to}")
        self.state, self.updated_at, self.version = to.value, at, self.version + 1
        for name, value in fields.items():
            setattr(self, name, value)
        self.save()


class BookEntry(PracticeRecord):
    """The totals of one closed day for the books elsewhere, or what was added to them since."""

    link = PracticeForeignKey(BookLink)
    """Whose books."""
    company = models.CharField(max_length=40)
    """Which company there."""
    on = models.DateField()
    """The day."""
    revision = models.IntegerField()
    """1; and one more each time that a reopened day got other totals."""
    lines = models.JSONField()
    """[[our account, cents]]; a debit is positive."""
    key = models.CharField(max_length=50)
    """Under which it is asked for, so that it is kept once."""
    number = models.CharField(max_length=21)
    """Its number there, by which it is looked for."""
    state = models.CharField(
        max_length=8, choices=[(state.value, state.value) for state in EntryState], default=EntryState.READY.value
    )
    """What became of it; `move` is its only writer."""
    remote_id = models.CharField(max_length=40, blank=True)
    """Its id there."""
    last_code = models.CharField(max_length=60, blank=True)
    """What was said last, as a code."""
    retry_at = models.DateTimeField(null=True)
    """Not before."""
    version = models.IntegerField(default=1)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "company", "on", "revision"], name="book_entry_once"),
        ]
        indexes = [models.Index(fields=["practice", "state", "on"], name="book_entry_by_state")]

    def move(self, to: EntryState, *, at: datetime, **fields: Any) -> None:
        """Change the state and what belongs to it, and save. :raises ValueError: there is no such move"""
        if to not in ENTRY_MOVES[EntryState(self.state)]:
            raise ValueError(f"no move from {self.state} to {to}")
        self.state, self.updated_at, self.version = to.value, at, self.version + 1
        for name, value in fields.items():
            setattr(self, name, value)
        self.save()
