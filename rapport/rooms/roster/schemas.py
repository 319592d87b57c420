"""The roster's shapes in the API."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Raw, Struct, convert, json, to_builtins
from pydantic import Field, field_validator

from rapport.kernel.codes import US_STATES, digits, npi_is_valid, zip_is_valid
from rapport.kernel.ids import type_id
from rapport.platform.access.scope import Scope
from rapport.platform.api.handed_on import WriteRef
from rapport.platform.api.shapes import (
    Day,
    ExternalId,
    ExternalIdIn,
    Input,
    Instant,
    Shape,
    Source,
    instant,
    refused,
    source_of,
)
from rapport.platform.tenancy.source import as_of_sql

from .at_source import Wanted
from .rules.phones import e164


class NameOut(Struct):
    """A person's name."""

    first: str
    middle: str | None
    last: str
    suffix: str | None
    preferred: str | None


class AddressOut(Struct):
    """A postal address in the United States."""

    line1: str | None
    line2: str | None
    city: str | None
    state: str | None
    postal_code: str | None


class PhoneOut(Struct):
    """A telephone number in E.164."""

    use: str
    number: str


class ClinicianRef(Struct):
    """A clinician of the care team."""

    id: str
    display_name: str


class PayerRef(Struct):
    """A payer, by name."""

    id: str
    name: str


class PrimaryInsurance(Struct):
    """The policy that is billed first today."""

    policy_id: str
    payer: PayerRef
    member_id: str
    relationship: Annotated[str | None, Meta(description="null: the portal that has the policy does not say.")]


class PatientOut(Shape):
    """A patient."""

    object: Literal["patient"]
    id: str
    status: Annotated[str, Meta(description="inquiry, active, inactive or deceased.")]
    name: NameOut
    pronouns: str | None
    birth_on: Day
    sex: Literal["female", "male", "unknown"]
    address: AddressOut
    phones: list[PhoneOut]
    email: str | None
    clinicians: list[ClinicianRef]
    primary_insurance: PrimaryInsurance | None
    external_ids: list[ExternalId]
    source: Source
    version: int
    created_at: Instant
    updated_at: Instant


class PatientAskedOut(PatientOut):
    """A patient as they were asked for; not yet as they are (202)."""

    id: Annotated[str | None, Meta(description="Null: they are being added.")]  # type: ignore[assignment]  # null here alone
    write: WriteRef


class ClinicianOut(Shape):
    """A clinician."""

    object: Literal["clinician"]
    id: str
    first_name: str
    last_name: str
    credentials: str | None
    display_name: str
    npi: str | None
    taxonomy_code: str | None
    email: str | None
    active: bool
    external_ids: list[ExternalId]
    source: Source
    version: int
    created_at: Instant
    updated_at: Instant


class LocationOut(Shape):
    """A place where patients are seen."""

    object: Literal["location"]
    id: str
    name: str
    place_of_service_code: str
    npi: str | None
    address: AddressOut
    time_zone: str
    active: bool
    external_ids: list[ExternalId]
    source: Source
    version: int
    created_at: Instant
    updated_at: Instant


class NameIn(Input):
    """A person's legal name, and what to call them."""

    first: str = Field(min_length=1, max_length=35)
    middle: str | None = Field(default=None, max_length=25)
    last: str = Field(min_length=1, max_length=60)
    suffix: str | None = Field(default=None, max_length=10)
    preferred: str | None = Field(default=None, max_length=60)


class AddressIn(Input):
    """A postal address in the United States."""

    line1: str = Field(min_length=1, max_length=55)
    line2: str | None = Field(default=None, max_length=55)
    city: str = Field(min_length=1, max_length=30)
    state: str
    postal_code: str

    @field_validator("state")
    @classmethod
    def _state(cls, value: str) -> str:
        if value.upper() not in US_STATES:
            raise refused("not a two-letter state code")
        return value.upper()

    @field_validator("postal_code")
    @classmethod
    def _zip(cls, value: str) -> str:
        if not zip_is_valid(value):
            raise refused("not a ZIP or ZIP+4 code")
        return digits(value)


class PhoneIn(Input):
    """A telephone number; one without a country is taken as one of the United States."""

    use: Literal["mobile", "home", "work", "other"] = "mobile"
    number: str = Field(max_length=30)

    @field_validator("number")
    @classmethod
    def _number(cls, value: str) -> str:
        return e164(value)


class PatientIn(Input):
    """A new patient."""

    name: NameIn
    birth_on: date
    sex: Literal["female", "male", "unknown"]
    pronouns: str | None = Field(default=None, max_length=40)
    address: AddressIn | None = None
    phones: list[PhoneIn] = Field(default_factory=list, max_length=5)
    email: str | None = Field(default=None, max_length=254, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
    status: Literal["inquiry", "active"] = "active"
    clinician_ids: list[str] = Field(default_factory=list, max_length=20)
    external_ids: list[ExternalIdIn] = Field(default_factory=list, max_length=20)


class PatientChange(Input):
    """What to change; a field left out stays as it is, null empties it, a list replaces whole."""

    name: NameIn | None = None
    birth_on: date | None = None
    sex: Literal["female", "male", "unknown"] | None = None
    pronouns: str | None = Field(default=None, max_length=40)
    address: AddressIn | None = None
    phones: list[PhoneIn] | None = Field(default=None, max_length=5)
    email: str | None = Field(default=None, max_length=254, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
    status: Literal["inquiry", "active", "inactive", "deceased"] | None = None
    clinician_ids: list[str] | None = Field(default=None, max_length=20)
    external_ids: list[ExternalIdIn] | None = Field(default=None, max_length=20)

    def given(self) -> dict[str, Any]:
        """Return the fields that were sent."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class PatientSearch(Input):
    """What is known of the patient. All given parts must match; at least one is needed."""

    name: str | None = Field(default=None, min_length=2, max_length=100)
    birth_on: date | None = None
    external_id: ExternalIdIn | None = None
    email: str | None = Field(default=None, max_length=254)
    limit: int = Field(default=25, ge=1, le=100, strict=True)


def _npi(value: str | None) -> str | None:
    if value and not npi_is_valid(value):
        raise refused("the check digit is wrong")
    return value


class ClinicianIn(Input):
    """A new clinician."""

    first_name: str = Field(min_length=1, max_length=35)
    last_name: str = Field(min_length=1, max_length=60)
    credentials: str | None = Field(default=None, max_length=40)
    npi: str | None = None
    taxonomy_code: str | None = Field(default=None, pattern=r"^[0-9A-Z]{9}X$")
    email: str | None = Field(default=None, max_length=254, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
    external_ids: list[ExternalIdIn] = Field(default_factory=list, max_length=20)

    _npi = field_validator("npi")(_npi)


class ClinicianChange(ClinicianIn):
    """What to change."""

    first_name: str | None = Field(default=None, min_length=1, max_length=35)  # type: ignore[assignment]
    last_name: str | None = Field(default=None, min_length=1, max_length=60)  # type: ignore[assignment]
    active: bool | None = None
    external_ids: list[ExternalIdIn] | None = Field(default=None, max_length=20)  # type: ignore[assignment]


class LocationIn(Input):
    """A new place."""

    name: str = Field(min_length=1, max_length=100)
    place_of_service_code: str = Field(default="11", pattern=r"^\d\d$")
    npi: str | None = None
    address: AddressIn
    time_zone: str | None = Field(default=None, max_length=64)
    external_ids: list[ExternalIdIn] = Field(default_factory=list, max_length=20)

    _npi = field_validator("npi")(_npi)


class LocationChange(LocationIn):
    """What to change."""

    name: str | None = Field(default=None, min_length=1, max_length=100)  # type: ignore[assignment]
    place_of_service_code: str | None = Field(default=None, pattern=r"^\d\d$")  # type: ignore[assignment]
    address: AddressIn | None = None  # type: ignore[assignment]
    active: bool | None = None
    external_ids: list[ExternalIdIn] | None = Field(default=None, max_length=20)  # type: ignore[assignment]


PATIENT_COLUMNS = (
    "p.id, CASE WHEN p.source_remote_id IS NULL THEN p.face ELSE regexp_replace(p.face, '\"as_of\":\"[^\"]*\"',"
    f" '\"as_of\":\"' || rapport_instant({as_of_sql('p', 'patients')}) || '\"') END, p.version"
)
"""What `patient_out` reads, in its order. A mirrored patient's face has the instant of its last change."""


def patient_out(row: tuple[Any, ...], scope: Scope) -> Raw:
    """Return a `PatientOut` from a row of `PATIENT_COLUMNS`: the row carries its own face."""
    return Raw(row[1])


def patient_asked_out(
    face: str | None, *, wanted: Wanted, write: WriteRef, now: datetime, system: str
) -> PatientAskedOut:
    """
    Return a patient as they were asked for.

    :param face: as they are now; None: somebody new
    :param system: name of the system that is to have them
    """
    at = instant(now)
    shown: dict[str, Any] = _NOBODY | {"created_at": at, "updated_at": at}
    shown["source"] = {"system": system, "remote_id": None, "as_of": at}
    shown = json.decode(face) if face else shown
    for name, value in wanted.given.items():
        if name == "clinician_ids":
            shown["clinicians"] = [{"id": type_id("clinician", one.id), "display_name": one.display_name} for one in wanted.team]
        elif name in ("name", "address"):
            parts = _PARTS[name]
            told = value.model_dump() if value is not None else {}
            shown[name] = {part: told.get(part) or None for part in parts}
        elif name in ("phones", "external_ids"):
            shown[name] = [one.model_dump() for one in value or ()]
        else:
            shown[name] = value
    return convert(to_builtins(shown | {"write": write}), PatientAskedOut)


_PARTS = {
    "name": ("first", "middle", "last", "suffix", "preferred"),
    "address": ("line1", "line2", "city", "state", "postal_code"),
}  # fmt: skip
_NOBODY: dict[str, Any] = {
    "object": "patient", "id": None, "status": "active", "pronouns": None, "email": None, "clinicians": [], "phones": [],
    "address": dict.fromkeys(_PARTS["address"]), "primary_insurance": None, "external_ids": [], "version": 1,
}  # fmt: skip


CLINICIAN_COLUMNS = (
    "c.id, c.first_name, c.last_name, c.credentials, c.npi, c.taxonomy_code, c.email, c.active,"
    " c.external_ids::text, c.version, c.created_at, c.updated_at, c.source_system, c.source_remote_id,"
    f" {as_of_sql('c', 'clinicians')}"
)
"""What `clinician_out` reads, in its order."""


def clinician_out(row: tuple[Any, ...], scope: Scope) -> ClinicianOut:
    """Return the shape of a clinician from a row of `CLINICIAN_COLUMNS`."""
    name = f"{row[1]} {row[2]}"
    raw: Any = Raw
    updated = instant(row[11])
    return ClinicianOut(
        object="clinician",
        id=type_id("clinician", row[0]),
        first_name=row[1],
        last_name=row[2],
        credentials=row[3] or None,
        display_name=f"{name}, {row[3]}" if row[3] else name,
        npi=row[4] or None,
        taxonomy_code=row[5] or None,
        email=row[6] or None,
        active=row[7],
        external_ids=raw(row[8]),
        source=source_of(row[12], row[13], row[14], updated),
        version=row[9],
        created_at=instant(row[10]),
        updated_at=updated,
    )


LOCATION_COLUMNS = (
    "l.id, l.name, l.place_of_service_code, l.npi, l.address_line1, l.address_line2, l.city,"
    " l.state_code, l.postal_code, l.time_zone, l.active, l.external_ids::text, l.version, l.created_at,"
    " l.updated_at, l.source_system, l.source_remote_id, l.source_as_of"
)
"""What `location_out` reads, in its order."""


def location_out(row: tuple[Any, ...], scope: Scope) -> LocationOut:
    """Return the shape of a place from a row of `LOCATION_COLUMNS`."""
    raw: Any = Raw
    updated = instant(row[14])
    return LocationOut(
        object="location",
        id=type_id("location", row[0]),
        name=row[1],
        place_of_service_code=row[2],
        npi=row[3] or None,
        address=AddressOut(row[4] or None, row[5] or None, row[6], row[7], row[8]),
        time_zone=row[9],
        active=row[10],
        external_ids=raw(row[11]),
        source=source_of(row[15], row[16], row[17], updated),
        version=row[12],
        created_at=instant(row[13]),
        updated_at=updated,
    )
