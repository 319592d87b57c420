"""Remittance files, the checks in them, and what was posted for each service."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import models

from rapport.platform.tenancy.models import (
    PracticeForeignKey,
    PracticeRecord,
    SourcedRecord,
    VersionedRecord,
)


class EraFile(SourcedRecord):
    """One file of remittances, kept as it came."""

    content_sha256 = models.CharField(max_length=64)
    """Of its transaction sets without envelope and line breaks: the same remittance in another
    envelope has the same digest."""
    blob_key = models.CharField(max_length=64)
    """Where the bytes are."""
    sha256 = models.CharField(max_length=64)
    """Of the bytes, hex."""
    received_via = models.CharField(max_length=10)
    """`upload`, `channel`, `portal` or `paper` (typed by a person)."""
    state = models.CharField(max_length=10)
    """`received` (waits for a person), `held` (does not balance, or is not ours), `posted` or
    `unposted` (taken back; it can be posted again)."""
    postings = models.IntegerField(default=0)
    """How often it was posted: each posting has ledger entries of its own."""
    findings = models.JSONField(default=list)
    """[{rule, severity, segment, position, element, message}] of the reader."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "content_sha256"], name="era_content_once")
        ]
        indexes = [models.Index(fields=["practice", "-created_at", "id"], name="era_by_time")]


class Remittance(PracticeRecord):
    """One check or EFT (one 835 transaction set)."""

    era_file = PracticeForeignKey(EraFile)
    """The file it came in."""
    position = models.IntegerField()
    """1, 2, … in the file."""
    payer_name = models.CharField(max_length=80, blank=True)
    """N1*PR."""
    payer_identifier = models.CharField(max_length=80, blank=True)
    """TRN03."""
    payee_npi = models.CharField(max_length=10, blank=True)
    """N1*PE."""
    trace = models.CharField(max_length=60, blank=True)
    """TRN02: check or EFT number."""
    method = models.CharField(max_length=3, blank=True)
    """BPR04."""
    paid_on = models.DateField(null=True)
    """BPR16."""
    total_cents = models.BigIntegerField()
    """BPR02."""
    provider_adjustments = models.JSONField(default=list)
    """[{reason, reference, cents}] of PLB; positive takes money away."""
    same_trace = models.BooleanField(default=False)
    """Another, different remittance has the same payer and trace: look at both."""
    posted_before = models.BooleanField(default=False)
    """This very check stands posted from another file, or from earlier in this one: not posted here."""
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["practice", "era_file", "position"], name="remittance_position"
            )
        ]
        indexes = [
            models.Index(fields=["practice", "-created_at", "id"], name="remittance_by_time"),
            models.Index(
                fields=["practice", "payer_identifier", "trace"], name="remittance_by_trace"
            ),
        ]


class RemittanceLine(PracticeRecord):
    """What the payer decided about one service; or about a whole claim, when it named no service."""

    remittance = PracticeForeignKey(Remittance)
    """The check."""
    claim_position = models.IntegerField()
    """Which CLP of the check."""
    position = models.IntegerField()
    """Which SVC of the claim; 0 for the claim itself."""
    control_number = models.CharField(max_length=38)
    """CLP01."""
    status_code = models.CharField(max_length=2)
    """CLP02."""
    payer_claim_number = models.CharField(max_length=50, blank=True)
    """CLP07."""
    claim_id = models.UUIDField(null=True)
    """Ours; null: nobody knows it."""
    appointment_id = models.UUIDField(null=True)
    """The visit of the service."""
    patient_id = models.UUIDField(null=True)
    """Whose."""
    service_code = models.CharField(max_length=48, blank=True)
    """As adjudicated."""
    modifiers = ArrayField(models.CharField(max_length=2), default=list)
    """As adjudicated, in order."""
    units = models.DecimalField(max_digits=12, decimal_places=3, default=1)
    """SVC05: units paid for."""
    claim_line = models.IntegerField(default=0)
    """Which line of our claim it is; 0: the claim as a whole, or none was found."""
    service_on = models.DateField(null=True)
    """Day of service as the payer has it."""
    charge_cents = models.BigIntegerField()
    """SVC02."""
    paid_cents = models.BigIntegerField()
    """SVC03."""
    allowed_cents = models.BigIntegerField(null=True)
    """AMT*B6."""
    adjustments = models.JSONField(default=list)
    """[{group, reason, cents, quantity, plan, rule}]: each with what is done about it, and why."""
    said = models.JSONField(default=dict)
    """What payers after this one are told beside, of the claim: {segment (of the CLP), crossover, remarks}."""
    remarks = ArrayField(models.CharField(max_length=10), default=list)
    """LQ*HE."""
    matched_by = models.CharField(max_length=20)
    """See `rules.matching.HOW`."""
    ledger_entry_ids = ArrayField(models.UUIDField(), default=list)
    """What was posted for it."""
    set_aside = models.BooleanField(default=False)
    """Nobody knows it, and a person has decided that it stays so: it is off the work list."""
    by_hand = models.JSONField(default=list)
    """[{act, by, at, reason}]: what people did with it, the first first."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["practice", "remittance", "claim_position", "position"],
                name="remittance_line_once",
            )
        ]
        indexes = [
            models.Index(fields=["practice", "claim_id"], name="remittance_line_by_claim"),
            models.Index(
                fields=["practice", "payer_claim_number"], name="remittance_line_by_number"
            ),
            models.Index(
                fields=["practice", "id"], name="remittance_line_unmatched",
                condition=models.Q(claim_id=None) | models.Q(appointment_id=None),
            ),
        ]


class PostingPolicy(VersionedRecord):
    """What a practice lets post itself. There is one, or none: then the defaults hold."""

    automatic = models.BooleanField(default=True)
    """False: a person posts every file."""
    least_confidence = models.CharField(max_length=6, default="strong")
    """A file with a match below this waits: `exact`, `strong` or `weak`."""
    denials = models.BooleanField(default=True)
    """False: a file with a denied or reduced service waits. Written off is none either way."""
    takebacks = models.BooleanField(default=True)
    """False: a file with a reversal (22) waits, even of what was posted here."""
    provider_adjustments = models.BooleanField(default=True)
    """False: a file with money of no claim (PLB) waits."""
    unmatched_to_clearing = models.BooleanField(default=False)
    """True: what nobody knows does not stop a file; its money goes to the payer's clearing account and to the work list."""
    most_cents = models.BigIntegerField(null=True)
    """A file with a check above this waits; null: no limit."""
    appeal_days = models.IntegerField(default=90)
    """Days from the payer's decision to appeal, where the payer's profile does not say."""
    tolerance_cents = models.BigIntegerField(default=100)
    """How far a payer may be from its contract for a service before somebody looks."""
    tolerance_percent = models.IntegerField(default=0)
    """The same, of what the contract says; the larger of both counts."""
    overrides = models.JSONField(default=dict)
    """`CO-97` -> what becomes of it, in place of the list's."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice"], name="posting_policy_once"),
            models.CheckConstraint(
                name="posting_policy_confidence_known",
                condition=models.Q(least_confidence__in=["weak", "strong", "exact"]),
            ),
        ]


class Denial(VersionedRecord):
    """What a payer denied or reduced, for a person to do something about. One for each service at most."""

    line = PracticeForeignKey(RemittanceLine)
    """The payer's decision."""
    claim_id = models.UUIDField()
    """The claim."""
    appointment_id = models.UUIDField(null=True)
    """The visit."""
    patient = PracticeForeignKey("roster.Patient")
    """Whose."""
    kind = models.CharField(max_length=16)
    """Class of its gravest reason: see `rules.carc.KINDS`."""
    reasons = ArrayField(models.CharField(max_length=10), default=list)
    """`CO-197`, …"""
    cents = models.BigIntegerField()
    """What nobody paid, owes or gave up."""
    deadline_on = models.DateField()
    """Last day to appeal."""
    state = models.CharField(max_length=9, default="open")
    """`open`, `resolved`, or `withdrawn`: the decision does not stand any more."""
    resolution = models.CharField(max_length=20, blank=True)
    """How it ended: see `rules.denials.RESOLUTIONS`."""
    note = models.CharField(max_length=500, blank=True)
    """What a person said about it."""
    letter_id = models.UUIDField(null=True)
    """The last appeal letter that was made for it: a document."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "line"], name="denial_once"),
            models.CheckConstraint(
                name="denial_state_known",
                condition=models.Q(state__in=["open", "resolved", "withdrawn"]),
            ),
        ]
        indexes = [
            models.Index(fields=["practice", "state", "deadline_on", "id"], name="denial_by_deadline"),
            models.Index(fields=["practice", "claim_id"], name="denial_by_claim"),
        ]

    @classmethod
    def move(
        cls, line_ids: Sequence[UUID], *, practice_id: UUID, source: str, to: str, at: datetime
    ) -> None:
        """Bring the denials of services from one state to another, as the decisions about those stand or fall."""
        cls.objects.filter(practice_id=practice_id, line_id__in=line_ids, state=source).update(
            state=to, updated_at=at, version=models.F("version") + 1
        )


class Underpayment(VersionedRecord):
    """
    A service for which a payer allowed something else than its contract says. One for each decision at most.

    Too little is work for a person; too much is noted.
    """

    line = PracticeForeignKey(RemittanceLine)
    """The payer's decision."""
    claim_id = models.UUIDField()
    """The claim."""
    appointment_id = models.UUIDField(null=True)
    """The visit."""
    patient = PracticeForeignKey("roster.Patient")
    """Whose."""
    payer_id = models.UUIDField()
    """Whose contract it is."""
    service_code = models.CharField(max_length=5)
    """As billed."""
    units = models.IntegerField()
    """As billed."""
    expected_cents = models.BigIntegerField()
    """What the contract says, for all units."""
    allowed_cents = models.BigIntegerField()
    """What the payer allowed."""
    stated = models.BooleanField()
    """The payer says what it allowed; false: it was worked out of charge and adjustments."""
    rule = models.CharField(max_length=120)
    """Which contracted rate, in words."""
    decided_on = models.DateField()
    """Day of the check, at the latest the day on which it came here."""
    deadline_on = models.DateField()
    """Last day to dispute it."""
    state = models.CharField(max_length=9, default="open")
    """`open`, `disputed`, `accepted` or `recovered`; `noted`: too much was allowed; `withdrawn`: the decision stands no more."""
    state_before = models.CharField(max_length=9, blank=True)
    """Where it was when it was withdrawn: it is there again when its decision stands again."""
    recovered_cents = models.BigIntegerField(null=True)
    """What came in after all; null: it was not recovered."""
    note = models.CharField(max_length=500, blank=True)
    """What a person said about it."""
    letter_id = models.UUIDField(null=True)
    """The last letter that was made for it: a document."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "line"], name="underpayment_once"),
            models.CheckConstraint(
                name="underpayment_state_known",
                condition=models.Q(
                    state__in=["open", "disputed", "accepted", "recovered", "noted", "withdrawn"]
                ),
            ),
        ]
        indexes = [
            models.Index(
                fields=["practice", "state", "deadline_on", "id"], name="underpayment_by_deadline"
            ),
            models.Index(fields=["practice", "decided_on"], name="underpayment_by_day"),
            models.Index(fields=["practice", "claim_id"], name="underpayment_by_claim"),
        ]

    @classmethod
    def move(
        cls, underpayment_ids: Sequence[UUID], *, practice_id: UUID, source: str, to: str, at: datetime
    ) -> None:
        """Bring underpayments from one state to another, as the decisions about those stand or fall."""
        if underpayment_ids:
            cls.objects.filter(practice_id=practice_id, id__in=underpayment_ids, state=source).update(
                state=to, state_before=source if to == "withdrawn" else "", updated_at=at,
                version=models.F("version") + 1,
            )  # fmt: skip


class Deposit(VersionedRecord):
    """Money that the bank says it received."""

    received_on = models.DateField()
    """The bank's day."""
    cents = models.BigIntegerField()
    """How much."""
    trace = models.CharField(max_length=60, blank=True)
    """Check or EFT number, as the bank has it; empty: it shows none."""
    description = models.CharField(max_length=140, blank=True)
    """The bank's words: who paid. Names no patient."""
    remittance_id = models.UUIDField(null=True)
    """The check that a person said it is."""
    digest = models.CharField(max_length=64)
    """Of what the bank says: the same line of a file is one deposit."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["practice", "digest"], name="deposit_once")]
        indexes = [models.Index(fields=["practice", "received_on", "id"], name="deposit_by_day")]
