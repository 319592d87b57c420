"""AutoPay: the practice's rule, a patient's consent, and what is planned to be charged."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from rapport.kernel.problems import StateConflict
from rapport.platform.tenancy.models import PracticeForeignKey, VersionedRecord
from rapport.rooms.payments.states import PLAN_MOVES, PlanState

from .cards import Card


class AutopayRule(VersionedRecord):
    """When a practice charges those who are enrolled."""

    active = models.BooleanField(default=False)
    """False: nothing is planned and nothing planned leaves."""
    copays = models.BooleanField(default=False)
    """True: the patient's part of a visit before the payer has decided; False: after it only."""
    notice_days = models.SmallIntegerField(default=3)
    """Days between planning, which is told, and charging."""
    day_of_month = models.SmallIntegerField(null=True)
    """The day of the month on which charges leave, 1 to 28; null: any day."""
    max_cents = models.BigIntegerField()
    """The most that is charged to a patient in a calendar month, whatever they consented to."""
    retry_days = ArrayField(models.SmallIntegerField(), default=list)
    """Days to wait after the first decline, the second …; after the last one it is given up."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice"], name="autopay_rule_once"),
            models.CheckConstraint(name="autopay_max_above_zero", condition=Q(max_cents__gt=0)),
            models.CheckConstraint(
                name="autopay_day_in_every_month",
                condition=Q(day_of_month__isnull=True) | Q(day_of_month__range=(1, 28)),
            ),
        ]


class Enrolment(VersionedRecord):
    """A patient's consent that a card is charged for what they owe. It charges nothing by itself; frozen but for its end."""

    patient = PracticeForeignKey("roster.Patient")
    """Who consented, or for whom."""
    card = PracticeForeignKey(Card)
    """Which card."""
    max_cents = models.BigIntegerField(null=True)
    """The most in a calendar month that was consented to; null: the practice's own limit."""
    consent_words = models.TextField()
    """What was consented to, in the words that were shown."""
    consented_by = models.CharField(max_length=200)
    """Who gave it: the patient, or who may for them."""
    consented_at = models.DateTimeField()
    """When."""
    recorded_by_type = models.CharField(max_length=10)
    """Who wrote it down: `user` or `api_key`."""
    recorded_by_id = models.UUIDField()
    """Their id."""
    revoked_at = models.DateTimeField(null=True)
    """From then on nothing is charged."""
    revoked_by_id = models.UUIDField(null=True)
    """Who wrote that down."""
    revoke_reason = models.CharField(max_length=200, blank=True)
    """Why, in their words."""
    looked_at = models.DateTimeField(null=True)
    """When it was last looked at what is owed; null: something has changed since."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["practice", "patient"], name="autopay_enrolled_once", condition=Q(revoked_at=None)
            ),
        ]


class Planned(VersionedRecord):
    """A charge that leaves on a day, unless somebody cancels it. Of one patient one is open at a time, and one of each plan."""

    patient = PracticeForeignKey("roster.Patient")
    """Who is charged."""
    enrolment = PracticeForeignKey(Enrolment)
    """By which consent."""
    cents = models.BigIntegerField()
    """At most so much: what was told beforehand."""
    visits = models.JSONField()
    """What it is for: [[appointment id, cents]]."""
    plan = PracticeForeignKey("accounting.PaymentPlan", null=True)
    """The payment plan of which it is an instalment; null: AutoPay charges what is owed."""
    instalment = models.SmallIntegerField(null=True)
    """Which one: 1 for the first. Each is planned once, unless something overtook it."""
    due_on = models.DateField()
    """The day it leaves, in the practice."""
    state = models.CharField(max_length=9, default=PlanState.PLANNED.value)
    """See `states.PlanState`."""
    tries = models.SmallIntegerField(default=0)
    """How often its card was declined."""
    charge_id = models.UUIDField(null=True)
    """The last charge it made."""
    decline_code = models.CharField(max_length=60, blank=True)
    """Why the last charge failed."""
    decline_words = models.CharField(max_length=200, blank=True)
    """The same for people."""
    reason = models.CharField(max_length=200, blank=True)
    """Why it was cancelled, in a person's words."""

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="planned_state_known", condition=Q(state__in=[s.value for s in PlanState])
            ),
            models.CheckConstraint(name="planned_above_zero", condition=Q(cents__gt=0)),
            models.UniqueConstraint(
                fields=["practice", "patient"], name="planned_one_open",
                condition=Q(state__in=["planned", "charging"], plan__isnull=True),
            ),
            models.UniqueConstraint(
                fields=["practice", "plan"], name="planned_one_open_of_plan",
                condition=Q(state__in=["planned", "charging"], plan__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["practice", "plan", "instalment"], name="planned_instalment_once",
                condition=Q(plan__isnull=False) & ~Q(state="overtaken"),
            ),
            models.CheckConstraint(
                name="planned_instalment_of_plan",
                condition=Q(plan=None, instalment=None) | Q(plan__isnull=False, instalment__gt=0),
            ),
        ]
        indexes = [
            models.Index(fields=["practice", "state", "due_on"], name="planned_by_day"),
            models.Index(fields=["practice", "patient", "-created_at"], name="planned_by_patient"),
        ]

    def move(self, to: PlanState, *, at: datetime, **values: Any) -> None:
        """
        Go to another state by one conditional UPDATE.

        :raises StateConflict: the state in the database does not allow it
        """
        sources = [state.value for state, targets in PLAN_MOVES.items() if to in targets]
        rows = Planned.objects.filter(practice_id=self.practice_id, id=self.id, state__in=sources)
        moved = rows.update(state=to.value, updated_at=at, version=F("version") + 1, **values)
        self.refresh_from_db()
        if moved != 1:
            raise StateConflict(
                f"A planned charge that is {self.state} cannot become {to.value}.", current_state=self.state
            )
