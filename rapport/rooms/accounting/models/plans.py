"""Payment plans: agreements, and no money. What is paid of one is in the ledger."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from rapport.kernel.problems import StateConflict
from rapport.platform.tenancy.models import PracticeForeignKey, PracticeRecord, VersionedRecord
from rapport.rooms.accounting.states import PLAN_MOVES, PlanInterval, PlanStatus


class PaymentPlan(VersionedRecord):
    """
    What a patient and the practice agreed on paying by instalments. It books nothing: what is owed stays owed.

    What was agreed is frozen (a trigger). How much is paid is in the ledger, and never here while the plan runs.
    """

    patient = PracticeForeignKey("roster.Patient")
    """Who owes."""
    cents = models.BigIntegerField()
    """What was agreed in all."""
    amounts = ArrayField(models.BigIntegerField())
    """The instalments, in order; they add up to it (a trigger)."""
    first_due_on = models.DateField()
    """Day of the first one."""
    interval = models.CharField(max_length=9, choices=[(one.value, one.value) for one in PlanInterval])
    """How far they lie apart."""
    day_of_month = models.SmallIntegerField(null=True)
    """Monthly: the day of those after the first; null: the first one's. A shorter month has it on its last day."""
    skips = models.JSONField(default=list)
    """[[number, intervals]]: from that instalment on all lie so many intervals later, since the plan was paused."""
    charge_card = models.BooleanField(default=False)
    """Instalments may be charged to the card that the patient enrolled in AutoPay."""
    note = models.CharField(max_length=500, blank=True)
    """For the practice alone; not on the agreement."""
    agreed_by = models.CharField(max_length=200)
    """Who agreed: the patient, or who may for them."""
    agreed_at = models.DateTimeField()
    """When."""
    agreed_how = models.CharField(max_length=10)
    """`in_person`, `phone`, `video` or `in_writing`."""
    recorded_by_type = models.CharField(max_length=10)
    """Who wrote it down: `user` or `api_key`."""
    recorded_by_id = models.UUIDField()
    """Their id."""
    replaces = PracticeForeignKey("self", null=True)
    """The plan whose place this one took."""
    status = models.CharField(max_length=9, default=PlanStatus.ACTIVE.value)
    """See `states.PlanStatus`; `move` is its only writer."""
    ended_at = models.DateTimeField(null=True)
    """When it ended."""
    end_reason = models.CharField(max_length=200, blank=True)
    """Why, in a person's words."""
    left = models.JSONField(null=True)
    """Once it has ended: {appointment id: [cents paid by then, cents open then]}."""
    overdue_since = models.DateField(null=True)
    """Since when an instalment was overdue when it was last looked at: for the work list."""
    overdue_told = models.SmallIntegerField(default=0)
    """The last instalment that was told to be overdue, and still is; 0: none."""
    looked_at = models.DateTimeField(null=True)
    """When it was last looked at what is paid; null: something has changed since."""
    content = models.JSONField()
    """All that is printed on the agreement, amounts in cents."""
    sha256 = models.BinaryField(max_length=32)
    """Digest of the content in canonical form."""

    class Meta:
        constraints = [
            models.CheckConstraint(name="plan_status_known", condition=Q(status__in=[one.value for one in PlanStatus])),
            models.CheckConstraint(name="plan_above_zero", condition=Q(cents__gt=0)),
            models.CheckConstraint(
                name="plan_ended_is_whole",
                condition=Q(status="active", ended_at=None, left__isnull=True)
                | (~Q(status="active") & Q(ended_at__isnull=False, left__isnull=False, overdue_since=None)),
            ),
            models.UniqueConstraint(
                fields=["practice", "replaces"], condition=Q(replaces__isnull=False), name="plan_replaced_once"
            ),
        ]
        indexes = [
            models.Index(fields=["practice", "patient", "-created_at"], name="plan_by_patient"),
            models.Index(fields=["practice", "looked_at"], name="plan_to_look_at", condition=Q(status="active")),
            models.Index(
                fields=["practice", "overdue_since"], name="plan_overdue", condition=Q(overdue_since__isnull=False)
            ),
        ]

    def move(self, to: PlanStatus, *, at: datetime, **fields: Any) -> None:
        """Change the status and what belongs to it, and save. :raises StateConflict: there is no such move"""
        if to not in PLAN_MOVES[PlanStatus(self.status)]:
            raise StateConflict(f"A plan that is {self.status} cannot become {to.value}.", current_state=self.status)
        self.change(at=at, status=to.value, **fields)

    def change(self, *, at: datetime, **fields: Any) -> None:
        """Change what may change, and save as another version. The caller holds the row."""
        self.updated_at, self.version = at, self.version + 1
        for name, value in fields.items():
            setattr(self, name, value)
        self.save(update_fields=["updated_at", "version", *fields])


class PlanVisit(PracticeRecord):
    """What a plan holds of one visit. A visit is in one active plan at most."""

    plan = PracticeForeignKey(PaymentPlan)
    """Of which."""
    patient = PracticeForeignKey("roster.Patient")
    """As on the plan."""
    appointment_id = models.UUIDField()
    """The visit."""
    service_on = models.DateField()
    """Its day."""
    cents = models.BigIntegerField()
    """How much of what it owed is in the plan."""
    paid_before = models.JSONField(default=dict)
    """{payment: cents} that paid of the visit when the plan was made, and count for nothing in it."""
    active = models.BooleanField(default=True)
    """The plan is."""

    class Meta:
        constraints = [
            models.CheckConstraint(name="plan_visit_above_zero", condition=Q(cents__gt=0)),
            models.UniqueConstraint(fields=["practice", "plan", "appointment_id"], name="plan_visit_once"),
            models.UniqueConstraint(
                fields=["practice", "appointment_id"], condition=Q(active=True), name="plan_visit_one_active"
            ),
        ]
        indexes = [models.Index(fields=["practice", "patient"], name="plan_visit_by_patient")]


class PlanDeed(PracticeRecord):
    """What somebody did to a plan, or what became of it. Rows are added, and never changed or removed."""

    plan = PracticeForeignKey(PaymentPlan)
    """Which."""
    patient = PracticeForeignKey("roster.Patient")
    """As on the plan."""
    what = models.CharField(max_length=10)
    """The last word of its event: `created`, `paused`, `overdue` …"""
    detail = models.CharField(max_length=200, blank=True)
    """Which instalment, or until when: no words of people."""
    reason = models.CharField(max_length=200, blank=True)
    """Why, in a person's words."""
    actor_type = models.CharField(max_length=10)
    """Who did it: `user`, `api_key` or `system`."""
    actor_id = models.UUIDField()
    """Their id."""
    created_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["practice", "plan", "created_at"], name="plan_deed_by_plan")]
