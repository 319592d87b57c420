"""Enrolments and credential spans in the API."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct
from pydantic import Field

from rapport.kernel.ids import type_id
from rapport.platform.api.shapes import Day, Input, Instant, Shape, instant
from rapport.rooms.coverage.models import EnrollmentChange
from rapport.rooms.coverage.rules.directory import Enrollment
from rapport.rooms.roster.schemas import ClinicianRef, PayerRef

TransactionName = Literal["837P", "835", "270", "276", "275"]
StateName = Literal["none", "requested", "active", "refused"]


class EnrollmentOut(Struct):
    """How the practice stands with a payer for one kind of transaction."""

    transaction: TransactionName
    needed: Annotated[
        bool, Meta(description="Whether the payer takes it from enrolled practices only. false: nobody said so.")
    ]
    state: StateName
    effective_on: Annotated[Day | None, Meta(description="From which day the state holds.")]


class EnrollmentChangeOut(Struct):
    """One step of an enrolment."""

    transaction: TransactionName
    needed: bool
    state: StateName
    effective_on: Day | None
    note: str | None
    by_type: str
    at: Instant


class EnrollmentsOut(Shape):
    """How the practice stands with a payer, and how it came to that."""

    object: Literal["enrollments"]
    payer_id: str
    transactions: list[EnrollmentOut]
    history: Annotated[list[EnrollmentChangeOut], Meta(description="Newest first.")]


class EnrollmentIn(Input):
    """How an enrolment stands from now on."""

    transaction: TransactionName
    state: StateName
    needed: bool = Field(
        default=True, description="false: the payer takes it from anybody, and nothing is to be said."
    )
    effective_on: date | None = None
    note: str | None = Field(default=None, max_length=200, description="No patient's data, please.")


class CredentialSpanOut(Shape):
    """From when until when a payer takes claims for a clinician's services."""

    object: Literal["credential_span"]
    id: str
    clinician_id: str
    clinician: ClinicianRef
    payer_id: str
    payer: PayerRef
    starts_on: Day
    ends_on: Day | None
    payer_number: Annotated[str | None, Meta(description="What the payer calls the clinician.")]
    version: int
    created_at: Instant
    updated_at: Instant


class CredentialSpanIn(Input):
    """A new span."""

    clinician_id: str = Field(max_length=40)
    payer_id: str = Field(max_length=40)
    starts_on: date
    ends_on: date | None = None
    payer_number: str | None = Field(default=None, max_length=50)


class CredentialSpanChange(Input):
    """What to change."""

    clinician_id: str | None = Field(default=None, max_length=40)
    payer_id: str | None = Field(default=None, max_length=40)
    starts_on: date | None = None
    ends_on: date | None = None
    payer_number: str | None = Field(default=None, max_length=50)

    def given(self) -> dict[str, Any]:
        """Return the fields that were sent."""
        return {name: getattr(self, name) for name in self.model_fields_set}


def enrollments_out(
    payer_id: str, now: Sequence[Enrollment], history: Sequence[EnrollmentChange]
) -> EnrollmentsOut:
    """Return the shape of a payer's enrolments."""
    return EnrollmentsOut(
        object="enrollments",
        payer_id=payer_id,
        transactions=[
            EnrollmentOut(one.transaction.value, one.needed, one.state.value, one.effective_on)
            for one in now
        ],
        history=[
            EnrollmentChangeOut(
                row.transaction, row.needed, row.state, row.effective_on, row.note or None,  # type: ignore[arg-type]  # checked by the database
                row.by_type, instant(row.at),
            )
            for row in history
        ],
    )  # fmt: skip


CREDENTIAL_COLUMNS = (
    "s.id, s.clinician_id, c.first_name, c.last_name, c.credentials, s.payer_id, y.name, s.starts_on,"
    " s.ends_on, s.payer_number, s.version, s.created_at, s.updated_at"
)
"""What `credential_span_out` reads, in its order."""

CREDENTIAL_SOURCE = (
    "coverage_credentialspan s"
    " JOIN roster_clinician c ON c.practice_id = s.practice_id AND c.id = s.clinician_id"
    " JOIN coverage_payer y ON y.practice_id = s.practice_id AND y.id = s.payer_id"
)


def credential_span_out(row: tuple[Any, ...], _scope: Any) -> CredentialSpanOut:
    """Return the shape of a span from a row of `CREDENTIAL_COLUMNS`."""
    name = f"{row[2]} {row[3]}"
    clinician_id, payer_id = type_id("clinician", row[1]), type_id("payer", row[5])
    return CredentialSpanOut(
        object="credential_span",
        id=type_id("credential_span", row[0]),
        clinician_id=clinician_id,
        clinician=ClinicianRef(clinician_id, f"{name}, {row[4]}" if row[4] else name),
        payer_id=payer_id,
        payer=PayerRef(payer_id, row[6]),
        starts_on=row[7],
        ends_on=row[8],
        payer_number=row[9] or None,
        version=row[10],
        created_at=instant(row[11]),
        updated_at=instant(row[12]),
    )
