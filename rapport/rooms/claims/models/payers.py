"""What payers decided about claims, what should be asked of the next one, and who answers for a finding."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from rapport.platform.tenancy.models import PracticeForeignKey, PracticeRecord, VersionedRecord


class Decision(PracticeRecord):
    """
    What the payer said of one claim with one check: the word of an 835's CLP, kept for payers after it.

    Rows are added; that a file was taken back again is noted on its rows (`withdrawn_at`). Which of them
    count is for `rules.deciding` to say.
    """

    claim = PracticeForeignKey("claims.Claim")
    """The claim."""
    number = models.IntegerField()
    """1, 2, … of the claim, in the order they were posted."""
    status_code = models.CharField(max_length=2)
    """CLP02; `22` takes an earlier decision back."""
    decided_on = models.DateField()
    """Day of the check."""
    charge_cents = models.BigIntegerField()
    """CLP03."""
    paid_cents = models.BigIntegerField()
    """CLP04."""
    payer_claim_number = models.CharField(max_length=50, blank=True)
    """CLP07."""
    adjustments = models.JSONField(default=list)
    """Of the claim as a whole: [{group, reason, cents, quantity}], unchanged."""
    services = models.JSONField(default=list)
    """[{line, code, modifiers, charge_cents, paid_cents, units, adjustments}]."""
    remarks = ArrayField(models.CharField(max_length=10), default=list)
    """Remark codes about the claim."""
    crossover = models.BooleanField(default=False)
    """It names who it passed the claim on to."""
    awaits_next = models.BooleanField(default=False)
    """What it left to the patient waits for a further payer, and is not in the patient's balance."""
    remittance_id = models.UUIDField()
    """The check."""
    era_file_id = models.UUIDField()
    """Its file."""
    segment = models.IntegerField(default=0)
    """Position of the CLP segment in the file; 0: entered by hand."""
    at = models.DateTimeField()
    """When it was posted."""
    withdrawn_at = models.DateTimeField(null=True)
    """When its file was taken back."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "claim", "number"], name="decision_number_once")
        ]
        indexes = [models.Index(fields=["practice", "remittance_id"], name="decision_by_remittance")]


class Proposal(VersionedRecord):
    """
    That a further payer should be asked, or asked anew, for what one has decided.

    Made when a decision is posted, settled by a person; withdrawn when the decision is taken back.
    """

    patient = PracticeForeignKey("roster.Patient")
    """Whose claim it is."""
    claim = PracticeForeignKey("claims.Claim")
    """The claim that was decided."""
    policy = PracticeForeignKey("coverage.Policy")
    """The policy of the further payer."""
    kind = models.CharField(max_length=10)
    """`next_payer`: it was not asked yet. `replace`: it was told something that no longer stands."""
    state = models.CharField(max_length=10, default="open")
    """`open`, `accepted` (a claim was made), `dismissed`, or `withdrawn` (its decision was)."""
    left_cents = models.BigIntegerField()
    """What the payer left to the patient."""
    denied = models.BooleanField()
    """The payer paid nothing and left nothing to the patient."""
    reason = models.CharField(max_length=200, blank=True)
    """Why it was dismissed."""
    made = PracticeForeignKey("claims.Claim", null=True)
    """The claim that was made of it."""
    moved_entry_ids = ArrayField(models.UUIDField(), default=list)
    """Ledger entries that moved what waited for the further payer to the patient, on dismissal."""

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="proposal_state_known",
                condition=Q(state__in=["open", "accepted", "dismissed", "withdrawn"]),
            ),
            models.CheckConstraint(
                name="proposal_kind_known", condition=Q(kind__in=["next_payer", "replace"])
            ),
            models.UniqueConstraint(
                fields=["practice", "claim", "policy"], condition=Q(state="open"), name="proposal_open_once"
            ),
        ]
        indexes = [
            models.Index(fields=["practice", "state", "-created_at", "id"], name="proposal_by_state"),
            models.Index(fields=["practice", "claim"], name="proposal_by_claim"),
        ]


class Override(PracticeRecord):
    """That somebody answers for a finding: the claim is sent in spite of it. Rows are only added."""

    claim = PracticeForeignKey("claims.Claim")
    """The claim."""
    code = models.CharField(max_length=40)
    """The finding."""
    reason = models.CharField(max_length=200)
    """Why, in that person's words."""
    by = models.UUIDField()
    """Who."""
    at = models.DateTimeField()
    """When."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "claim", "code"], name="override_once")
        ]
