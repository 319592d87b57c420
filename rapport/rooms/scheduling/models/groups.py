"""Groups that meet, who belongs to them, and each of their meetings."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from rapport.platform.tenancy.models import PracticeForeignKey, PracticeRecord, VersionedRecord
from rapport.rooms.coding.rules.telehealth import Means, Setting
from rapport.rooms.scheduling.states import GroupSessionStatus


class Group(VersionedRecord):
    """Patients whom one clinician sees together, again and again."""

    label = models.CharField(max_length=100)
    """As the practice calls it. Names no patient, and stands in no note, claim or paper."""
    clinician = PracticeForeignKey("roster.Clinician")
    """Who leads it."""
    service_code = PracticeForeignKey("coding.ServiceCode")
    """What each member is seen for, and charged."""
    capacity = models.IntegerField()
    """How many members a session has room for."""
    active = models.BooleanField(default=True)
    """False: meets no more."""

    class Meta:
        constraints = [
            models.CheckConstraint(name="group_has_room", condition=Q(capacity__range=(2, 50)))
        ]


class GroupMember(PracticeRecord):
    """A patient of a group: has a place in the sessions that are booked from then on."""

    group = PracticeForeignKey(Group)
    """Which."""
    patient = PracticeForeignKey("roster.Patient")
    """Who; for who may see the row."""
    joined_at = models.DateTimeField()
    """Since when."""
    left_at = models.DateTimeField(null=True)
    """Until when; null: still there."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["practice", "group", "patient"], condition=Q(left_at=None), name="group_member_once"
            )
        ]
        indexes = [models.Index(fields=["practice", "patient"], name="group_member_by_patient")]


class GroupSession(VersionedRecord):
    """
    One meeting of a group: it takes the clinician's time once, and each member has an appointment of it.

    Time and place are also on those appointments, written with it. That it is not overfull is a trigger
    on them; that its clinician is not booked twice is an exclusion constraint here and there.
    """

    group = PracticeForeignKey(Group)
    """Whose meeting."""
    clinician = PracticeForeignKey("roster.Clinician")
    """Who leads it; may stand in for the group's own."""
    service_code = PracticeForeignKey("coding.ServiceCode")
    """What its members are seen for."""
    capacity = models.IntegerField()
    """How many members it has room for."""
    start_at = models.DateTimeField()
    """The instant it begins."""
    end_at = models.DateTimeField()
    """The instant it ends."""
    time_zone = models.CharField(max_length=64)
    """IANA zone in which the time was agreed."""
    start_local = models.CharField(max_length=23)
    """The wall time that was agreed, ISO 8601."""
    location = PracticeForeignKey("roster.Location", null=True)
    """Where; null: telehealth."""
    means = models.CharField(max_length=9, choices=[(means.value, means.value) for means in Means])
    """In person, by video, or by voice alone."""
    patient_setting = models.CharField(
        max_length=9, blank=True, choices=[(place.value, place.value) for place in Setting]
    )
    """Where members are during telehealth; empty: in person."""
    status = models.CharField(
        max_length=9,
        choices=[(status.value, status.value) for status in GroupSessionStatus],
        default=GroupSessionStatus.BOOKED.value,
    )
    """Booked or cancelled. What became of each member says that member's appointment."""
    overbooked = models.BooleanField(default=False)
    """Somebody with the right booked it over something else, with a reason in the audit trail."""

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="group_session_has_a_length", condition=Q(end_at__gt=F("start_at"))
            ),
            models.CheckConstraint(
                name="group_session_has_room", condition=Q(capacity__range=(2, 50))
            ),
        ]
        indexes = [
            models.Index(
                fields=["practice", "clinician", "start_at", "id"], name="group_session_by_clinician"
            ),
            models.Index(fields=["practice", "group", "start_at"], name="group_session_by_group"),
            models.Index(fields=["practice", "start_at", "id"], name="group_session_by_start"),
        ]

    @property
    def telehealth(self) -> bool:
        """Whether members and clinician are in different places."""
        return self.means != Means.IN_PERSON
