"""Tables of scheduling."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import F, Q

from rapport.kernel.ids import type_id
from rapport.kernel.problems import StateConflict
from rapport.platform.access.scope import Scope
from rapport.platform.db.rows import add
from rapport.platform.tenancy.models import (
    PracticeForeignKey,
    PracticeRecord,
    SourcedRecord,
    VersionedRecord,
    once_per_source,
)
from rapport.platform.tenancy.source import HERE
from rapport.rooms.coding.rules import time_rules
from rapport.rooms.coding.rules.telehealth import Means, Place, Setting, place_of
from rapport.rooms.scheduling.states import MOVES, Action, AppointmentStatus

from .groups import Group, GroupMember, GroupSession

__all__ = [
    "Appointment",
    "AppointmentExternalId",
    "AppointmentHistory",
    "Group",
    "GroupMember",
    "GroupSession",
    "MirroredShift",
    "WorkSchedule",
]


class Appointment(SourcedRecord):
    """
    A patient meets a clinician.

    That no clinician is booked twice is an exclusion constraint, made by the wall's migration;
    rows that somebody overbooked with a reason stand outside it. Once completed its facts are
    frozen by a trigger; `move` is the only writer of its status.
    """

    patient = PracticeForeignKey("roster.Patient")
    """Who comes. Never changes."""
    clinician = PracticeForeignKey("roster.Clinician")
    """Whose time it takes."""
    service_code = PracticeForeignKey("coding.ServiceCode")
    """What for."""
    start_at = models.DateTimeField()
    """The instant it begins."""
    end_at = models.DateTimeField()
    """The instant it ends; between the two lie real minutes, whatever the clocks do."""
    time_zone = models.CharField(max_length=64)
    """IANA zone in which the time was agreed."""
    start_local = models.CharField(max_length=23)
    """The wall time that was agreed, ISO 8601; kept, so that a change of the zone's own rules
    can be noticed."""
    location = PracticeForeignKey("roster.Location", null=True)
    """Where; null: telehealth."""
    means = models.CharField(max_length=9, choices=[(means.value, means.value) for means in Means])
    """In person, by video, or by voice alone."""
    patient_setting = models.CharField(
        max_length=9, blank=True, choices=[(place.value, place.value) for place in Setting]
    )
    """Where the patient is during telehealth: `home` or `elsewhere`; empty: in person."""
    status = models.CharField(
        max_length=14,
        choices=[(status.value, status.value) for status in AppointmentStatus],
        default=AppointmentStatus.BOOKED.value,
    )
    """Where it stands; see `states`."""
    status_changed_at = models.DateTimeField()
    """When it came to that."""
    ended_reason = models.CharField(max_length=30, blank=True)
    """Why it was cancelled or missed: one of few words, never free text."""
    ended_by = models.CharField(max_length=10, blank=True)
    """Who called it off: `patient`, `clinician` or `practice`."""
    overbooked = models.BooleanField(default=False)
    """Somebody with the right booked it over another one, with a reason in the audit trail."""
    external_ids = models.JSONField(default=list)
    """[{"system", "value"}], as the API shows it."""
    telehealth_session = models.JSONField(null=True)
    """{"id", "state", "host", "opens_at", "closes_at", "join_urls": []}; written by telehealth."""

    group_session = PracticeForeignKey(GroupSession, null=True)
    """The meeting of a group that it is one member's part of; null: the patient comes alone. Never changes."""

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="appointment_status_known",
                condition=Q(status__in=[status.value for status in AppointmentStatus]),
            ),
            models.CheckConstraint(
                name="appointment_has_a_length", condition=Q(end_at__gt=F("start_at"))
            ),
            models.CheckConstraint(
                name="appointment_place_or_telehealth",
                condition=Q(location__isnull=False, means="in_person", patient_setting="")
                | (Q(location=None, means__in=["video", "audio"]) & ~Q(patient_setting="")),
            ),
            once_per_source("appointment_source_once"),
            models.UniqueConstraint(
                fields=["practice", "group_session", "patient"],
                condition=Q(group_session__isnull=False)
                & ~Q(status__in=[AppointmentStatus.CANCELLED.value, AppointmentStatus.LATE_CANCELLED.value]),
                name="appointment_one_seat_each",
            ),
        ]
        indexes = [
            models.Index(
                fields=["practice", "group_session"], name="appointment_by_group_session",
                condition=Q(group_session__isnull=False),
            ),
            models.Index(
                fields=["practice", "clinician", "start_at", "id"], name="appointment_by_clinician"
            ),
            models.Index(
                fields=["practice", "patient", "start_at", "id"], name="appointment_by_patient"
            ),
            models.Index(fields=["practice", "start_at", "id"], name="appointment_by_start"),
            models.Index(fields=["practice", "updated_at", "id"], name="appointment_by_update"),
        ]

    @property
    def telehealth(self) -> bool:
        """Whether patient and clinician are in different places."""
        return self.means != Means.IN_PERSON

    @property
    def duration_minutes(self) -> int:
        """Real minutes between the two instants."""
        return round((self.end_at - self.start_at).total_seconds() / 60)

    @property
    def place(self) -> Place:
        """Place of service and modifiers as a claim says them, with the rule that chose them."""
        return place_of(
            means=Means(self.means),
            setting=Setting(self.patient_setting) if self.patient_setting else None,
            location_code=self.location.place_of_service_code if self.location else None,
        )

    @property
    def place_of_service_code(self) -> str:
        """Two digits (837P SV105)."""
        return self.place.place_of_service_code

    @property
    def modifiers(self) -> tuple[str, ...]:
        """In claim order (837P SV101-3…)."""
        return self.place.modifiers

    @property
    def units(self) -> int:
        """Units by the service code's time rule; 0: too short to bill under this code."""
        code = self.service_code
        known = time_rules.rule_of(code.code)
        rule = replace(
            known,
            least_minutes=code.least_minutes,
            most_minutes=code.most_minutes,
            unit_minutes=code.unit_minutes,
        )
        return time_rules.units(rule, self.duration_minutes)

    def require(self, action: Action) -> None:
        """
        Pass if the present status allows the action.

        :raises StateConflict: it does not; the answer names the state and what it allows
        """
        if self.status not in MOVES[action].sources:
            raise StateConflict(
                f"An appointment that is {self.status} does not allow this.",
                current_state=self.status,
                action=action.value,
                allowed_from=sorted(MOVES[action].sources),
            )

    def move(self, action: Action, *, scope: Scope, at: datetime, **columns: Any) -> None:
        """
        Carry out an action, and write down who did it and when.

        One conditional UPDATE: of two callers at the same instant exactly one succeeds.

        :param columns: further columns that change with it
        :raises StateConflict: the status *in the database* does not allow it
        """
        self.require(action)
        target = MOVES[action].target
        before = self.status
        values: dict[str, Any] = {
            **columns,
            "version": self.version + 1,
            "updated_at": at,
            **({"status": target.value, "status_changed_at": at} if target else {}),
        }
        moved = (
            Appointment.objects.visible_to(scope)
            .filter(id=self.id, version=self.version, status__in=MOVES[action].sources)
            .update(**values)
        )
        if moved != 1:
            raise StateConflict("It was changed at the same moment: read it again.")
        for name, value in values.items():
            setattr(self, name, value)
        self.note(action.value, scope=scope, at=at, before=before)

    def note(self, action: str, *, scope: Scope, at: datetime, before: str) -> None:
        """Add a row to the appointment's history."""
        add(
            AppointmentHistory(
                practice_id=scope.practice_id,
                appointment_id=self.id,
                patient_id=self.patient_id,
                clinician_id=self.clinician_id,
                action=action,
                status_before=before,
                status=self.status,
                start_at=self.start_at,
                end_at=self.end_at,
                version=self.version,
                by_type=scope.actor_type,
                by_id=scope.actor_id,
                at=at,
            )
        )

    @property
    def public_id(self) -> str:
        """The id outside."""
        return type_id("appointment", self.id)


class AppointmentHistory(PracticeRecord):
    """One thing that happened to one appointment. Rows are added, and never changed or removed."""

    appointment = PracticeForeignKey(Appointment)
    """To which."""
    patient = PracticeForeignKey("roster.Patient")
    """Whose; for who may see the row."""
    clinician_id = models.UUIDField()
    """The clinician from then on."""
    action = models.CharField(max_length=20)
    """`book`, or a word of `states.Action`."""
    status_before = models.CharField(max_length=14, blank=True)
    """Status before; empty: it was made."""
    status = models.CharField(max_length=14)
    """Status from then on."""
    start_at = models.DateTimeField()
    """Time from then on."""
    end_at = models.DateTimeField()
    """Time from then on."""
    version = models.IntegerField()
    """Version from then on."""
    by_type = models.CharField(max_length=10)
    """Kind of actor."""
    by_id = models.UUIDField()
    """Actor."""
    at = models.DateTimeField()
    """When."""

    class Meta:
        indexes = [
            models.Index(
                fields=["practice", "appointment", "version"], name="appointment_history_order"
            )
        ]


class AppointmentExternalId(PracticeRecord):
    """An id that another system gave an appointment; one appointment per id and system."""

    appointment = PracticeForeignKey(Appointment)
    """The appointment."""
    system = models.CharField(max_length=200)
    """The other system, as a URN or URL."""
    value = models.CharField(max_length=200)
    """Its id for the appointment."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["practice", "system", "value"], name="appointment_external_once"
            )
        ]
        indexes = [
            models.Index(fields=["practice", "appointment"], name="appointment_external_by_appt")
        ]


class WorkSchedule(VersionedRecord):
    """A clinician's working week. Without one any time may be booked."""

    clinician = PracticeForeignKey("roster.Clinician")
    """Whose."""
    time_zone = models.CharField(max_length=64)
    """IANA zone of the wall times."""
    shifts = models.JSONField(default=list)
    """[{"weekday", "starts", "ends"}]: weekday by its English name, wall times `HH:MM`."""
    source_system = models.CharField(max_length=60, default=HERE)
    """Whose hours they are: set here, or put together from what another system has of them."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "clinician"], name="work_schedule_once")
        ]


class MirroredShift(SourcedRecord):
    """A stretch of a clinician's working week, as another system has it."""

    clinician = PracticeForeignKey("roster.Clinician")
    """Whose."""
    weekday = models.CharField(max_length=9)
    """By its English name."""
    starts = models.CharField(max_length=5)
    """Wall time `HH:MM`."""
    ends = models.CharField(max_length=5)
    """Wall time, later than `starts`; `24:00` is midnight."""

    class Meta:
        constraints = [once_per_source("mirrored_shift_source_once")]
