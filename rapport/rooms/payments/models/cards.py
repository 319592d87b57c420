"""Cards on file, what is asked of the processor for them, and what it tells. No card number anywhere."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db import models
from django.db.models import F, Q

from rapport.kernel.problems import StateConflict
from rapport.platform.access.scope import Scope
from rapport.platform.tenancy.models import PracticeForeignKey, PracticeRecord, VersionedRecord
from rapport.rooms.payments.states import (
    CARD_MOVES,
    CHARGE_MOVES,
    REFUND_MOVES,
    CardState,
    ChargeState,
    RefundState,
)


def _move(row: Any, moves: Any, to: StrEnum, *, at: datetime, fence: int | None, values: dict[str, Any]) -> bool:
    """One conditional UPDATE: of two callers at the same instant exactly one succeeds."""
    sources = [state.value for state, targets in moves.items() if to in targets]
    rows = type(row).objects.filter(practice_id=row.practice_id, id=row.id, state__in=sources)
    if fence is not None:
        rows = rows.filter(fence=fence)
    moved: bool = rows.update(state=to.value, updated_at=at, version=F("version") + 1, **values) == 1
    row.refresh_from_db()
    return moved


class Processor(VersionedRecord):
    """The practice's account at a card processor."""

    kind = models.CharField(max_length=10)
    """`stripe`."""
    settings = models.JSONField(default=dict)
    """Address (of a double), connected account, publishable key: nothing secret."""
    secret_sealed = models.BinaryField(null=True)
    """The account's secret key, sealed; never returned."""
    notice_secret_sealed = models.BinaryField(null=True)
    """What the processor signs its notices with, sealed; never returned."""
    active = models.BooleanField(default=True)
    """False: no card is kept and none is charged. What is under way is still looked up."""

    class Meta:
        constraints = [
            models.CheckConstraint(name="processor_kind_known", condition=Q(kind__in=["stripe"])),
            models.UniqueConstraint(
                fields=["practice"], name="processor_one_active", condition=Q(active=True)
            ),
        ]


class Card(VersionedRecord):
    """
    A card on file: what the processor calls it, and enough for people to know it again.

    The number was never here: the processor's own page took it.
    """

    patient = PracticeForeignKey("roster.Patient")
    """Whose account it pays."""
    processor = PracticeForeignKey(Processor)
    """Where it is kept."""
    state = models.CharField(max_length=8, default=CardState.ASKED.value)
    """See `states.CardState`."""
    payer_ref = models.CharField(max_length=100, blank=True)
    """What the processor calls the patient; it was given no name."""
    setup_ref = models.CharField(max_length=100, blank=True)
    """What it calls the asking for the card."""
    page_secret_sealed = models.BinaryField(null=True)
    """Lets the processor's page finish the asking, sealed; gone once it is finished."""
    method_ref = models.CharField(max_length=100, blank=True)
    """What it calls the card."""
    brand = models.CharField(max_length=20, blank=True)
    """`visa`, `mastercard` …"""
    last4 = models.CharField(max_length=4, blank=True)
    """The last four digits: what PCI DSS allows to be shown."""
    exp_month = models.SmallIntegerField(null=True)
    """Last month it is good for, 1 to 12."""
    exp_year = models.SmallIntegerField(null=True)
    """Year of that month."""
    funding = models.CharField(max_length=10, blank=True)
    """`credit`, `debit`, `prepaid` or `unknown`."""
    health_account = models.BooleanField(default=False)
    """An HSA or FSA card: it pays care, and no fees for missed visits."""
    decline_code = models.CharField(max_length=60, blank=True)
    """Why it could not be kept."""
    asked_again_at = models.DateTimeField(null=True)
    """When the processor is asked next what became of the page."""

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="card_state_known", condition=Q(state__in=[s.value for s in CardState])
            ),
            models.CheckConstraint(
                name="card_active_is_whole",
                condition=~Q(state="active") | (~Q(method_ref="") & ~Q(payer_ref="")),
            ),
            models.CheckConstraint(name="card_last4_only", condition=Q(last4__regex=r"^([0-9]{4})?$")),
        ]
        indexes = [
            models.Index(fields=["practice", "patient", "-created_at"], name="card_by_patient"),
            models.Index(fields=["practice", "setup_ref"], name="card_by_setup"),
        ]

    def move(self, to: CardState, *, at: datetime, **values: Any) -> None:
        """Go to another state. :raises StateConflict: the state in the database does not allow it"""
        if not _move(self, CARD_MOVES, to, at=at, fence=None, values=values):
            raise StateConflict(f"A card that is {self.state} cannot become {to.value}.", current_state=self.state)


class Charge(VersionedRecord):
    """
    One taking of money from one card. Its id is the payment's: the ledger books it under the same.

    What was asked is frozen (a trigger): amount, card and our mark at the processor never change.
    """

    patient = PracticeForeignKey("roster.Patient")
    """Whose account it pays."""
    card = PracticeForeignKey(Card)
    """The card."""
    processor = PracticeForeignKey(Processor)
    """Who takes the money."""
    cents = models.BigIntegerField()
    """How much."""
    asked_on = models.DateField()
    """The day it was asked for, in the practice."""
    wanted = models.JSONField(null=True)
    """What it is to pay: [[appointment id, cents]]; null: what is open, the oldest first."""
    planned_id = models.UUIDField(null=True)
    """AutoPay's planned charge that it carries out; null: a person asked for it."""
    state = models.CharField(max_length=12, default=ChargeState.QUEUED.value)
    """See `states.ChargeState`."""
    key_number = models.SmallIntegerField(default=1)
    """Counts keys: a new one only where the processor ended a call and a look-up found nothing."""
    over = models.BooleanField(default=False)
    """The processor ended the last call: what a look-up does not find cannot come any more."""
    fence = models.IntegerField(default=0)
    """Counts tries: a worker that slept cannot write down an answer over another's."""
    leased_until = models.DateTimeField(null=True)
    """A worker is at it until then."""
    retry_at = models.DateTimeField(null=True)
    """Not before this."""
    first_sent_at = models.DateTimeField(null=True)
    """When it first left."""
    receipt = models.CharField(max_length=100, blank=True)
    """What the processor calls it."""
    decline_code = models.CharField(max_length=60, blank=True)
    """Why it failed."""
    decline_words = models.CharField(max_length=200, blank=True)
    """The same for people."""
    decline_again = models.BooleanField(default=False)
    """The same card may pass on another day."""
    fee_cents = models.BigIntegerField(null=True)
    """What the processor keeps of it; null: not known yet."""
    entry_id = models.UUIDField(null=True)
    """The ledger's entry, once it succeeded."""
    settled_at = models.DateTimeField(null=True)
    """When it was known what became of it."""

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="charge_state_known", condition=Q(state__in=[s.value for s in ChargeState])
            ),
            models.CheckConstraint(name="charge_above_zero", condition=Q(cents__gt=0)),
            models.UniqueConstraint(
                fields=["practice", "processor", "receipt"], name="charge_receipt_once",
                condition=~Q(receipt=""),
            ),
            models.UniqueConstraint(
                fields=["practice", "planned_id"], name="charge_once_per_plan_try",
                condition=Q(planned_id__isnull=False) & Q(state__in=["queued", "sending", "in_doubt"]),
            ),
            models.CheckConstraint(
                name="charge_taken_is_booked",
                condition=~Q(state__in=["succeeded", "disputed", "charged_back"]) | Q(entry_id__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["practice", "patient", "-created_at"], name="charge_by_patient"),
            models.Index(
                fields=["practice", "state", "retry_at"], name="charge_open",
                condition=Q(state__in=["queued", "sending", "in_doubt"]),
            ),
        ]

    def move(self, to: ChargeState, *, at: datetime, fence: int | None = None, **values: Any) -> bool:
        """
        Go to another state, if the state in the database allows it, and write it down.

        :param fence: only if this is still the number of the latest try
        :return: False when it was too late
        """
        moved = _move(self, CHARGE_MOVES, to, at=at, fence=fence, values=values)
        if moved:
            ChargeHistory.objects.create(
                practice_id=self.practice_id, charge_id=self.id, patient_id=self.patient_id,
                state=to.value, detail=self.decline_code, at=at,
            )  # fmt: skip
        return moved


class ChargeHistory(PracticeRecord):
    """One move of one charge. Rows are added, and never changed or removed."""

    charge = PracticeForeignKey(Charge)
    """The charge."""
    patient = PracticeForeignKey("roster.Patient")
    """Whose; for who may see the row."""
    state = models.CharField(max_length=12)
    """Where it went."""
    detail = models.CharField(max_length=60, blank=True)
    """A code."""
    at = models.DateTimeField()
    """When."""

    class Meta:
        indexes = [models.Index(fields=["practice", "charge", "at"], name="charge_history_order")]


class Refund(VersionedRecord):
    """Money of one charge on its way back to its card. The credit it is from is set aside."""

    charge = PracticeForeignKey(Charge)
    """What is given back."""
    patient = PracticeForeignKey("roster.Patient")
    """Whose; for who may see the row."""
    cents = models.BigIntegerField()
    """How much."""
    reason = models.CharField(max_length=200)
    """Why, as a person said."""
    state = models.CharField(max_length=9, default=RefundState.QUEUED.value)
    """See `states.RefundState`."""
    key_number = models.SmallIntegerField(default=1)
    """As of a charge."""
    over = models.BooleanField(default=False)
    """As of a charge."""
    fence = models.IntegerField(default=0)
    """As of a charge."""
    leased_until = models.DateTimeField(null=True)
    """As of a charge."""
    retry_at = models.DateTimeField(null=True)
    """As of a charge."""
    first_sent_at = models.DateTimeField(null=True)
    """When it first left."""
    receipt = models.CharField(max_length=100, blank=True)
    """What the processor calls it."""
    decline_code = models.CharField(max_length=60, blank=True)
    """Why it failed."""
    decline_words = models.CharField(max_length=200, blank=True)
    """The same for people."""

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="card_refund_state_known", condition=Q(state__in=[s.value for s in RefundState])
            ),
            models.CheckConstraint(name="card_refund_above_zero", condition=Q(cents__gt=0)),
        ]
        indexes = [
            models.Index(fields=["practice", "charge"], name="card_refund_by_charge"),
            models.Index(
                fields=["practice", "state", "retry_at"], name="card_refund_open",
                condition=Q(state__in=["queued", "sending", "in_doubt"]),
            ),
        ]

    def move(self, to: RefundState, *, at: datetime, fence: int | None = None, **values: Any) -> bool:
        """As `Charge.move`."""
        return _move(self, REFUND_MOVES, to, at=at, fence=fence, values=values)


class Told(PracticeRecord):
    """A notice of the processor, taken in once. It says what to look at; the look-up says what is so."""

    processor = PracticeForeignKey(Processor)
    """Who told it."""
    ref = models.CharField(max_length=100)
    """Its number there: the same notice twice carries the same."""
    kind = models.CharField(max_length=10)
    """`charge`, `refund`, `dispute`, `setup`, `payout` or `other`."""
    about = models.CharField(max_length=100, blank=True)
    """What it is about, by the processor's name."""
    mark = models.CharField(max_length=60, blank=True)
    """Our id, where the thing carries it."""
    state = models.CharField(max_length=8, blank=True)
    """Of a dispute: `open`, `won` or `lost`."""
    told_at = models.DateTimeField()
    """When it happened, by the processor's clock: orders what arrives out of order."""
    received_at = models.DateTimeField()
    """When it came here."""
    outcome = models.CharField(max_length=8, default="parked")
    """`parked` (what it is about is not settled here yet), `applied`, `ignored`."""
    tries = models.SmallIntegerField(default=0)
    """How often it was looked at."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "processor", "ref"], name="told_once"),
            models.CheckConstraint(
                name="told_outcome_known", condition=Q(outcome__in=["parked", "applied", "ignored"])
            ),
        ]
        indexes = [
            models.Index(fields=["practice", "received_at"], name="told_parked", condition=Q(outcome="parked")),
        ]

    def note(self, scope: Scope, outcome: str) -> None:
        """Write down what became of it."""
        Told.objects.visible_to(scope).filter(id=self.id).update(outcome=outcome, tries=F("tries") + 1)


class Payout(VersionedRecord):
    """Money that the processor sent to the practice's bank, as it says."""

    processor = PracticeForeignKey(Processor)
    """Who sent it."""
    ref = models.CharField(max_length=100)
    """Its number there; the bank's statement carries it."""
    cents = models.BigIntegerField()
    """What the bank is to show; negative when the processor takes money from the bank."""
    arrives_on = models.DateField()
    """The day the bank is to show it."""
    state = models.CharField(max_length=8)
    """`pending`, `paid` or `failed`."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "processor", "ref"], name="payout_once"),
        ]
        indexes = [models.Index(fields=["practice", "-arrives_on", "id"], name="payout_by_day")]

    def move(self, state: str, *, at: datetime) -> None:
        """Note how it stands now."""
        Payout.objects.filter(practice_id=self.practice_id, id=self.id).exclude(state=state).update(
            state=state, updated_at=at, version=F("version") + 1
        )
        self.refresh_from_db()


class PayoutLine(PracticeRecord):
    """One part of a payout. Rows are added, and never changed or removed."""

    payout = PracticeForeignKey(Payout)
    """Of which."""
    ref = models.CharField(max_length=100)
    """Its number at the processor."""
    kind = models.CharField(max_length=8)
    """`charge`, `refund`, `dispute`, `fee` or `other`."""
    charge = PracticeForeignKey(Charge, null=True)
    """The charge it is about, if it is one of ours."""
    gross_cents = models.BigIntegerField()
    """Before the fee; negative when it goes back."""
    fee_cents = models.BigIntegerField()
    """The processor's fee."""
    net_cents = models.BigIntegerField()
    """What it adds to the payout."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "payout", "ref"], name="payout_line_once"),
            models.CheckConstraint(
                name="payout_line_adds_up", condition=Q(net_cents=F("gross_cents") - F("fee_cents"))
            ),
        ]
