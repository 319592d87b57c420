"""Claims, what was sent for them, and what came back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from rapport.kernel.ids import new_uuids
from rapport.kernel.problems import StateConflict
from rapport.platform.db import sql
from rapport.platform.tenancy.models import (
    PracticeForeignKey,
    PracticeRecord,
    SourcedRecord,
    VersionedRecord,
    once_per_source,
)
from rapport.rooms.claims.rules.ways import KINDS
from rapport.rooms.claims.states import (
    MOVES,
    SAID,
    SUBMISSION_MOVES,
    Action,
    ClaimState,
    SubmissionState,
)

from .batches import BatchClaim, BatchSet, ClaimBatch, SubmittedClaim
from .inquiries import StatusInquiry, ToldStatus
from .payers import Decision, Override, Proposal
from .work import ClaimAttachment, ClaimRules, PayerProfile, PrintSetting, WorkItem

__all__ = [
    "Acknowledgement",
    "BatchClaim",
    "BatchSet",
    "Billed",
    "CarriedClaim",
    "Channel",
    "Claim",
    "ClaimAttachment",
    "ClaimBatch",
    "ClaimHistory",
    "ClaimLine",
    "ClaimRules",
    "Decision",
    "InboundFile",
    "Override",
    "PayerProfile",
    "PrintSetting",
    "Proposal",
    "StatusInquiry",
    "Submission",
    "SubmittedClaim",
    "ToldStatus",
    "WorkItem",
]


class Channel(VersionedRecord):
    """A way to the payers: a clearinghouse account, or hand-carried files."""

    name = models.CharField(max_length=100)
    """As staff call it."""
    kind = models.CharField(max_length=10)
    """
    `http`, `stedi` or `claim_md` (a clearinghouse's API, of that shape), `sftp`, `download` (files are fetched and
    uploaded by hand) or `portal` (typed into the payer's own).
    """
    settings = models.JSONField(default=dict)
    """Address, user, ids in the envelope: nothing secret."""
    secret_sealed = models.BinaryField(null=True)
    """Password or API key, sealed; never returned."""
    active = models.BooleanField(default=True)
    """False: nothing is sent or fetched."""
    inbound_cursor = models.CharField(max_length=2000, blank=True)
    """How far the answers were fetched: the driver's own, or a clearinghouse's token."""
    last_interchange = models.BigIntegerField(default=0)
    """ISA13 given last: counted up under this row's lock, never used again."""
    last_group = models.BigIntegerField(default=0)
    """GS06 given last."""
    last_fetched_at = models.DateTimeField(null=True)
    """When the clearinghouse was last asked for answers."""

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="channel_kind_known", condition=Q(kind__in=list(KINDS))
            ),
            models.UniqueConstraint(fields=["practice", "name"], name="channel_name_once"),
        ]


class Claim(SourcedRecord):
    """
    One request for payment, to one payer, for services to one patient.

    The state changes through `move` and nowhere else; that of a claim which another system has
    follows it there, by `mirroring`. What was sent is frozen on the submission,
    so a later change of address cannot alter a claim that a payer already holds. What was paid
    is in the ledger.
    """

    patient = PracticeForeignKey("roster.Patient")
    """The patient."""
    clinician = PracticeForeignKey("roster.Clinician", null=True)
    """Who rendered the services (2310B); null: another system's claim, and nobody says."""
    policy = PracticeForeignKey("coverage.Policy", null=True)
    """The policy it is billed to; null: another system's claim, and nobody says."""
    payer = PracticeForeignKey("coverage.Payer")
    """The policy's payer, when the claim was made."""
    channel = PracticeForeignKey(Channel, null=True)
    """The way it is sent; null until one is chosen."""
    original = PracticeForeignKey("self", null=True)
    """The claim that a replacement or void is about."""
    control_number = models.CharField(max_length=38)
    """CLM01: opaque, comes back as CLP01."""
    format = models.CharField(max_length=7)
    """`837p` or `cms1500`."""
    frequency = models.CharField(max_length=11)
    """`original`, `replacement` or `void` (CLM05-3: 1, 7, 8)."""
    rank = models.CharField(max_length=10)
    """Rank of the policy: `primary` …"""
    place_of_service_code = models.CharField(max_length=2)
    """CLM05-1."""
    diagnosis_codes = ArrayField(models.CharField(max_length=8), default=list)
    """ICD-10-CM with the dot, principal first, at most twelve."""
    service_from_on = models.DateField()
    """Day of the earliest service, in the practice's zone."""
    service_to_on = models.DateField()
    """Day of the latest service."""
    charge_cents = models.BigIntegerField()
    """Total billed."""
    paid_cents = models.BigIntegerField(null=True)
    """What the payer paid, as the system says that has the claim; null: the ledger knows."""
    payer_claim_number = models.CharField(max_length=50, blank=True)
    """The payer's own number of this claim (277CA REF*1K, 835 CLP07): needed to replace or void it."""
    findings = models.JSONField(default=list)
    """What the last validation found: [{code, severity, pointer, position, message}]."""
    file_by_on = models.DateField(null=True)
    """Last day on which the payer takes it, by the payer's profile; null: no limit is known."""
    warn_on = models.DateField(null=True)
    """Day from which somebody is told that the limit is near; null with `file_by_on`, and once it was told."""
    told_by_rules = models.JSONField(default=list)
    """What the practice's own rules and the payer's profile did when it was last looked through: [{rule_id, version, do, text, modifier, lines}]."""
    waived_rules = ArrayField(models.CharField(max_length=40), default=list)
    """Rules that held it and that a person has let it pass."""
    hold_reason = models.CharField(max_length=200, blank=True)
    """Why it is held."""
    state = models.CharField(max_length=12, default=ClaimState.DRAFT.value)
    """See `states.ClaimState`."""
    state_changed_at = models.DateTimeField()
    """When it got there."""

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="claim_state_known", condition=Q(state__in=[s.value for s in ClaimState])
            ),
            models.CheckConstraint(name="claim_charge_positive", condition=Q(charge_cents__gt=0)),
            models.UniqueConstraint(fields=["practice", "control_number"], name="claim_control_once"),
            models.CheckConstraint(
                name="claim_here_is_whole",
                condition=Q(source_remote_id__isnull=False)
                | Q(clinician__isnull=False, policy__isnull=False),
            ),
            once_per_source("claim_source_once"),
        ]
        indexes = [
            models.Index(fields=["practice", "-created_at", "id"], name="claim_by_creation"),
            models.Index(fields=["practice", "state", "state_changed_at"], name="claim_by_state"),
            models.Index(fields=["practice", "patient", "-created_at"], name="claim_by_patient"),
            models.Index(fields=["practice", "payer_claim_number"], name="claim_by_payer_number"),
            models.Index(
                fields=["practice", "warn_on"], name="claim_to_warn_of", condition=Q(warn_on__isnull=False)
            ),
        ]

    def move(
        self, action: Action, *, by: UUID, at: datetime, detail: str = "", submission_id: UUID | None = None,
        back_to: str = "",
    ) -> None:  # fmt: skip
        """
        Carry out an action, and write down who did it and when.

        One conditional UPDATE: of two callers at the same instant exactly one succeeds.

        :param detail: a code, for the history; no free text of the other side
        :param back_to: of `reinstate` alone: where the claim was before it ended
        :raises StateConflict: the claim's state in the database does not allow it
        """
        move = MOVES[action]
        moved = Claim.objects.filter(
            practice_id=self.practice_id, id=self.id, state__in=move.sources
        ).update(state=back_to or move.target.value, state_changed_at=at, updated_at=at, version=F("version") + 1)
        self.refresh_from_db(fields=["state", "state_changed_at", "version", "updated_at"])
        if moved != 1:
            raise StateConflict(
                f"A claim that is {self.state} cannot {SAID.get(action, action.value.replace('_', ' '))}.",
                current_state=self.state,
                allowed_from=sorted(move.sources),
            )
        ClaimHistory.objects.create(
            practice_id=self.practice_id, claim=self, action=action.value, state=self.state, by=by,
            at=at, detail=detail[:80], submission_id=submission_id,
        )  # fmt: skip

    @classmethod
    def move_all(
        cls, action: Action, *, practice_id: UUID, claim_ids: Sequence[UUID], by: UUID, at: datetime,
        detail: str = "", submission_id: UUID | None = None,
    ) -> list[tuple[UUID, int]]:  # fmt: skip
        """
        Carry out an action on every one of these claims whose state allows it, and write that down.

        :return: (claim, its version now) of each that was moved; the others stay as they are
        """
        move = MOVES[action]
        moved = sql.rows(
            # Held in one order first: two that move the same claims do not wait for each other in a circle.
            "WITH held AS (SELECT id FROM claims_claim WHERE practice_id = %s AND id = ANY(%s)"
            " AND state = ANY(%s) ORDER BY id FOR UPDATE)"
            " UPDATE claims_claim c SET state = %s, state_changed_at = %s, updated_at = %s,"
            " version = c.version + 1 FROM held WHERE c.practice_id = %s AND c.id = held.id"
            " RETURNING c.id, c.version",
            (
                practice_id, list(claim_ids), [s.value for s in move.sources], move.target.value, at, at,
                practice_id,
            ),
        )
        sql.run(
            "INSERT INTO claims_claimhistory (id, practice_id, claim_id, action, state, by, at, detail, submission_id)"
            " SELECT h.id, %s, h.claim_id, %s, %s, %s, %s, %s, %s FROM unnest(%s::uuid[], %s::uuid[])"
            " AS h (id, claim_id)",
            (
                practice_id, action.value, move.target.value, by, at, detail[:80], submission_id,
                new_uuids(len(moved)), [id for id, _ in moved],
            ),
        )  # fmt: skip
        return [(id, version) for id, version in moved]

    def note(self, action: str, *, by: UUID, at: datetime) -> None:
        """Write down what happened without a move: that it was made."""
        ClaimHistory.objects.create(
            practice_id=self.practice_id, claim=self, action=action, state=self.state, by=by, at=at
        )

    def allows(self, action: Action) -> bool:
        """Tell whether the state as it was read allows an action."""
        return self.state in MOVES[action].sources


class ClaimLine(PracticeRecord):
    """One service of a claim (2400)."""

    claim = PracticeForeignKey(Claim)
    """The claim."""
    position = models.IntegerField()
    """LX01."""
    appointment_id = models.UUIDField()
    """The appointment it comes from."""
    note_id = models.UUIDField(null=True)
    """The signed note that documents it; null: another system's claim, and nobody says."""
    service_on = models.DateField()
    """Day of service in the practice's zone."""
    service_code = models.CharField(max_length=5)
    """CPT or HCPCS."""
    modifiers = ArrayField(models.CharField(max_length=2), default=list)
    """In order, at most four."""
    place_of_service_code = models.CharField(max_length=2)
    """SV105."""
    units = models.IntegerField(default=1)
    """SV104."""
    charge_cents = models.BigIntegerField()
    """SV102."""
    diagnosis_pointers = ArrayField(models.IntegerField(), default=list)
    """1-based, at most four."""
    control_number = models.CharField(max_length=30)
    """REF*6R: comes back on the remittance's line."""
    rate_rule = models.CharField(max_length=80, blank=True)
    """Which rule gave the rate."""
    authorization_id = models.UUIDField(null=True)
    """The authorisation that it uses, as the last validation found; its number is told to the payer (REF*G1)."""
    live = models.BooleanField(default=True)
    """False once the claim is voided or replaced: the service may then be billed again."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "claim", "position"], name="claim_line_position"),
            models.UniqueConstraint(fields=["practice", "control_number"], name="claim_line_control"),
        ]
        indexes = [models.Index(fields=["practice", "appointment_id"], name="claim_line_by_appointment")]


class Billed(PracticeRecord):
    """That a service is being asked of a payer: what makes a second claim for it impossible."""

    claim = PracticeForeignKey(Claim)
    """The claim that asks."""
    appointment_id = models.UUIDField()
    """The service's appointment."""
    service_code = models.CharField(max_length=5)
    """The service."""
    payer_id = models.UUIDField()
    """The payer that is asked."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["practice", "appointment_id", "service_code", "payer_id"], name="billed_once"
            )
        ]


class ClaimHistory(PracticeRecord):
    """One move of one claim. Rows are added, and never changed or removed."""

    claim = PracticeForeignKey(Claim)
    """The claim."""
    action = models.CharField(max_length=20)
    """What happened."""
    state = models.CharField(max_length=12)
    """Where it led."""
    by = models.UUIDField()
    """Who: a user, a key, or the practice itself for what came from outside."""
    at = models.DateTimeField()
    """When it happened here."""
    detail = models.CharField(max_length=80, blank=True)
    """A code: `999:A`, `277CA:A2`, …"""
    submission_id = models.UUIDField(null=True)
    """The submission it is about."""

    class Meta:
        indexes = [models.Index(fields=["practice", "claim", "at"], name="claim_history_by_claim")]


class Submission(PracticeRecord):
    """
    One file of one claim or of many: frozen when it is made. Its bytes never change, nor its numbers.

    Which claims are in it, and where, says `SubmittedClaim`. A repeat of the same file carries the
    same name and key; a mended claim goes in a new submission.
    """

    claim = PracticeForeignKey(Claim, null=True)
    """The claim, of a file that was made for one; null: a batch's file."""
    channel = PracticeForeignKey(Channel)
    """The way it goes."""
    attempt = models.IntegerField()
    """1, 2, 3 … per claim; 1 for a batch's file."""
    key = models.CharField(max_length=64)
    """Idempotency key towards the other side: the same for every repeat of this file."""
    file_name = models.CharField(max_length=60)
    """Name on the other side; says nothing of a patient."""
    interchange_number = models.BigIntegerField()
    """ISA13."""
    group_number = models.BigIntegerField()
    """GS06."""
    batch_id = models.CharField(max_length=30)
    """BHT03, or of a batch what those of its sets begin with: what a 277CA refers to."""
    blob_key = models.CharField(max_length=64)
    """Where the bytes are."""
    sha256 = models.CharField(max_length=64)
    """Of the bytes, hex."""
    size = models.IntegerField()
    """Bytes."""
    positions = models.JSONField(default=dict)
    """Of files made before there were batches: what `SubmittedClaim.lines` says now."""
    substitutions = models.IntegerField(default=0)
    """Characters replaced because X12 cannot carry them."""
    snapshot_sealed = models.BinaryField(null=True)
    """Of files made before there were batches: what `SubmittedClaim.snapshot_sealed` is now."""
    state = models.CharField(max_length=8, default=SubmissionState.READY.value)
    """See `states.SubmissionState`."""
    state_changed_at = models.DateTimeField()
    """When it got there."""
    fence = models.IntegerField(default=0)
    """Counts sends: a worker that slept cannot write down an answer over another's."""
    leased_until = models.DateTimeField(null=True)
    """A worker is sending until then."""
    retry_at = models.DateTimeField(null=True)
    """Not before this."""
    receipt = models.CharField(max_length=200, blank=True)
    """What the clearinghouse calls it."""
    last_code = models.CharField(max_length=60, blank=True)
    """Why the last try did not succeed."""
    syntax_code = models.CharField(max_length=1, blank=True)
    """IK501 of the 999 that answered it."""
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="submission_state_known",
                condition=Q(state__in=[s.value for s in SubmissionState]),
            ),
            models.UniqueConstraint(fields=["practice", "claim", "attempt"], name="submission_attempt"),
            models.UniqueConstraint(
                fields=["practice", "channel", "interchange_number"], name="submission_interchange"
            ),
            models.UniqueConstraint(fields=["practice", "batch_id"], name="submission_batch"),
        ]
        indexes = [
            models.Index(fields=["practice", "claim", "-attempt"], name="submission_by_claim"),
            models.Index(
                fields=["practice", "state", "retry_at"],
                name="submission_open",
                condition=Q(state__in=["ready", "sending", "in_doubt"]),
            ),
        ]

    def move(self, to: SubmissionState, *, at: datetime, fence: int | None = None, **values: object) -> bool:
        """
        Go to another state, if the state in the database allows it.

        :param fence: only if this is still the number of the latest send
        :return: False when it was too late
        """
        sources = [state for state, targets in SUBMISSION_MOVES.items() if to in targets]
        rows = Submission.objects.filter(
            practice_id=self.practice_id, id=self.id, state__in=sources
        )
        if fence is not None:
            rows = rows.filter(fence=fence)
        moved = rows.update(state=to.value, state_changed_at=at, **values) == 1
        self.refresh_from_db()
        return moved


class InboundFile(PracticeRecord):
    """One file that came through a channel: kept as it came, read once."""

    channel = PracticeForeignKey(Channel)
    """Where it came from."""
    name = models.CharField(max_length=200)
    """Its name there."""
    kind = models.CharField(max_length=10)
    """`TA1`, `999`, `277CA`, `277`, `271`, `835` or `unknown`."""
    blob_key = models.CharField(max_length=64)
    """Where the bytes are."""
    sha256 = models.CharField(max_length=64)
    """Of the bytes, hex."""
    received_at = models.DateTimeField()
    """When we fetched it."""
    outcome = models.CharField(max_length=12)
    """`read`, `parked` (it, or something in it, is about nothing we know) or `unreadable`."""
    detail = models.CharField(max_length=80, blank=True)
    """A code: the rule that it breaks, and the segment."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "channel", "name"], name="inbound_name_once")
        ]
        indexes = [models.Index(fields=["practice", "-received_at"], name="inbound_by_time")]


class Acknowledgement(PracticeRecord):
    """What one answer said of one claim. Several come; all are kept."""

    claim = PracticeForeignKey(Claim)
    """The claim."""
    submission = PracticeForeignKey(Submission)
    """The file it answers."""
    inbound_file = PracticeForeignKey(InboundFile)
    """The file it came in."""
    kind = models.CharField(max_length=5)
    """`TA1`, `999` or `277CA`."""
    verdict = models.CharField(max_length=10)
    """`accepted`, `received` or `rejected`."""
    codes = models.JSONField(default=list)
    """What was said, as codes: [{code, segment, position, element}]."""
    source = models.CharField(max_length=60, blank=True)
    """Who said it: the name of a clearinghouse or payer."""
    segment = models.IntegerField(default=0)
    """Position in the file of the segment that names the claim or file; 0: not known."""
    received_at = models.DateTimeField()
    """When we read it."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["practice", "inbound_file", "claim", "kind"], name="acknowledgement_once"
            )
        ]
        indexes = [models.Index(fields=["practice", "claim", "received_at"], name="ack_by_claim")]


class CarriedClaim(PracticeRecord):
    """A claim in a file that another system sent to a payer, by its number. Rows are added, and never changed or removed."""

    system = models.CharField(max_length=60)
    """Whose file it is."""
    document_id = models.UUIDField()
    """The file."""
    control_number = models.CharField(max_length=38)
    """CLM01. The claim may be here already, come later, or never."""
    at = models.DateTimeField()
    """When the file was read."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["practice", "document_id", "control_number"], name="carried_claim_once"
            )
        ]
