"""Tables of the roster."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from rapport.platform.tenancy.models import (
    PracticeForeignKey,
    PracticeRecord,
    SourcedRecord,
    once_per_source,
)

from .states import PatientStatus, Sex


class Clinician(SourcedRecord):
    """A person who treats patients here, as payers and patients know them."""

    first_name = models.CharField(max_length=35)
    """Legal first name, as enrolled with payers."""
    last_name = models.CharField(max_length=60)
    """Legal last name, as enrolled with payers."""
    credentials = models.CharField(max_length=40, blank=True)
    """As printed behind the name: `PhD`, `LCSW` …"""
    npi = models.CharField(max_length=10, blank=True)
    """Individual (type 1) National Provider Identifier; empty for an intern who has none."""
    taxonomy_code = models.CharField(max_length=10, blank=True)
    """NUCC provider taxonomy: 837P 2310B PRV."""
    email = models.CharField(max_length=254, blank=True)
    """For the practice's own mail."""
    active = models.BooleanField(default=True)
    """False: not offered for new appointments."""
    external_ids = models.JSONField(default=list)
    """[{"system", "value"}], as the API shows it."""

    class Meta:
        constraints = [once_per_source("clinician_source_once")]
        indexes = [models.Index(fields=["practice", "last_name", "id"], name="clinician_by_name")]

    @property
    def display_name(self) -> str:
        """First and last name, and credentials."""
        name = f"{self.first_name} {self.last_name}"
        return f"{name}, {self.credentials}" if self.credentials else name


class Location(SourcedRecord):
    """A place where patients are seen."""

    name = models.CharField(max_length=100)
    """As staff call it."""
    place_of_service_code = models.CharField(max_length=2, default="11")
    """CMS place of service of visits here: 11 is an office."""
    npi = models.CharField(max_length=10, blank=True)
    """Its own NPI, when it has one: 837P 2310C."""
    address_line1 = models.CharField(max_length=55)
    """Street."""
    address_line2 = models.CharField(max_length=55, blank=True)
    """Suite, floor."""
    city = models.CharField(max_length=30)
    """City."""
    state_code = models.CharField(max_length=2)
    """Two-letter USPS state code."""
    postal_code = models.CharField(max_length=10)
    """ZIP or ZIP+4, digits only."""
    time_zone = models.CharField(max_length=64)
    """IANA name: what a wall clock here shows."""
    active = models.BooleanField(default=True)
    """False: not offered for new appointments."""
    external_ids = models.JSONField(default=list)
    """[{"system", "value"}], as the API shows it."""

    class Meta:
        constraints = [once_per_source("location_source_once")]
        indexes = [models.Index(fields=["practice", "name", "id"], name="location_by_name")]


class Patient(SourcedRecord):
    """
    A person in care.

    `clinicians`, `primary_insurance` and `external_ids` are kept here as the API shows them,
    written by the services that own them, so that a list reads one table.
    """

    first_name = models.CharField(max_length=35)
    """Legal first name, as the payer has it (837P NM104)."""
    middle_name = models.CharField(max_length=25, blank=True)
    """Legal middle name (837P NM105)."""
    last_name = models.CharField(max_length=60)
    """Legal last name, as the payer has it (837P NM103)."""
    suffix = models.CharField(max_length=10, blank=True)
    """Jr, III … (837P NM107)."""
    preferred_name = models.CharField(max_length=60, blank=True)
    """What to call them."""
    pronouns = models.CharField(max_length=40, blank=True)
    """As they gave them."""
    birth_on = models.DateField()
    """Date of birth."""
    sex = models.CharField(max_length=7, choices=[(sex.value, sex.value) for sex in Sex])
    """As the payer has it."""
    address_line1 = models.CharField(max_length=55, blank=True)
    """Street."""
    address_line2 = models.CharField(max_length=55, blank=True)
    """Apartment."""
    city = models.CharField(max_length=30, blank=True)
    """City."""
    state_code = models.CharField(max_length=2, blank=True)
    """Two-letter USPS state code."""
    postal_code = models.CharField(max_length=10, blank=True)
    """ZIP or ZIP+4, digits only."""
    phones = models.JSONField(default=list)
    """[{"use", "number"}]: number in E.164."""
    email = models.CharField(max_length=254, blank=True)
    """For messages the patient has agreed to."""
    status = models.CharField(
        max_length=8,
        choices=[(status.value, status.value) for status in PatientStatus],
        default=PatientStatus.ACTIVE.value,
    )
    """Where they are in their time with the practice."""
    clinicians = models.JSONField(default=list)
    """[{"id", "display_name"}] of the care team, as the API shows it."""
    primary_insurance = models.JSONField(null=True)
    """{"policy_id", "payer": {…}, "member_id", "relationship"}; written by coverage."""
    external_ids = models.JSONField(default=list)
    """[{"system", "value"}], as the API shows it."""
    face = models.TextField(default="", editable=False)
    """The row as the API shows it, in JSON; written by the database at each change, and by it alone."""

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="patient_status_known",
                condition=Q(status__in=[status.value for status in PatientStatus]),
            ),
            models.CheckConstraint(
                name="patient_sex_known", condition=Q(sex__in=[sex.value for sex in Sex])
            ),
            once_per_source("patient_source_once"),
        ]
        indexes = [
            models.Index(fields=["practice", "last_name", "first_name", "id"], name="patient_by_name"),
            models.Index(fields=["practice", "updated_at", "id"], name="patient_by_update"),
        ]


class CareTeam(PracticeRecord):
    """A clinician who is assigned to a patient. Who sees whom rests on this."""

    patient = PracticeForeignKey(Patient)
    """The patient."""
    clinician = PracticeForeignKey(Clinician)
    """The clinician."""
    since_on = models.DateField()
    """First day of the assignment."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "patient", "clinician"], name="care_team_once")
        ]
        indexes = [models.Index(fields=["practice", "clinician", "patient"], name="care_team_by_clinician")]


class ExternalIdRecord(PracticeRecord):
    """An id that another system gave something; one object of a kind per system and id."""

    system = models.CharField(max_length=200)
    """The other system, as a URN or URL."""
    value = models.CharField(max_length=200)
    """Its id for the object."""

    class Meta:
        abstract = True


class PatientExternalId(ExternalIdRecord):
    """Another system's id of a patient."""

    patient = PracticeForeignKey(Patient)
    """The patient."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "system", "value"], name="patient_external_once")
        ]
        indexes = [models.Index(fields=["practice", "patient"], name="patient_external_by_patient")]


class ClinicianExternalId(ExternalIdRecord):
    """Another system's id of a clinician."""

    clinician = PracticeForeignKey(Clinician)
    """The clinician."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "system", "value"], name="clinician_external_once")
        ]
        indexes = [models.Index(fields=["practice", "clinician"], name="clinician_external_by_owner")]


class LocationExternalId(ExternalIdRecord):
    """Another system's id of a place."""

    location = PracticeForeignKey(Location)
    """The place."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "system", "value"], name="location_external_once")
        ]
        indexes = [models.Index(fields=["practice", "location"], name="location_external_by_owner")]
