"""Payers and policies in the API."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from msgspec import Meta, Raw, Struct
from pydantic import Field, field_validator

from rapport.kernel.ids import type_id
from rapport.platform.access.scope import Scope
from rapport.platform.api.shapes import (
    Day,
    ExternalId,
    ExternalIdIn,
    Input,
    Instant,
    MoneyIn,
    MoneyOut,
    Shape,
    Source,
    instant,
    refused,
    source_of,
)
from rapport.rooms.coverage.queries import in_short
from rapport.rooms.coverage.rules.members import trimmed
from rapport.rooms.coverage.states import FILING_INDICATORS
from rapport.rooms.roster.schemas import AddressIn, AddressOut, NameIn, NameOut, PayerRef
from rapport.rooms.scheduling.schemas import EligibilityRef

RankName = Literal["primary", "secondary", "tertiary", "quaternary"]
Kin = Literal["self", "spouse", "child", "other"]
Sender = Literal["rapport", "portal"]
Kind = Literal["insurance", "eap", "employer", "school", "court", "grant"]
InvoiceName = Literal["reference", "initials", "name"]
InvoiceDetail = Literal["sessions", "services", "diagnoses"]
Remainder = Literal["open", "patient", "write_off"]
AskedBy = Literal["at_once", "file"]
Reason = Literal[
    "working_aged", "renal_disease", "no_fault", "workers_compensation", "federal_agency", "black_lung", "veterans", "disabled",
    "other_liability",
]  # fmt: skip


class PayerOut(Shape):
    """A payer of the practice's directory."""

    object: Literal["payer"]
    id: str
    name: str
    kind: Annotated[Kind, Meta(description="An insurance is asked by claims, any other by invoices.")]
    invoice_name: Annotated[InvoiceName, Meta(description="What its invoices say of whom they are about.")]
    invoice_detail: Annotated[InvoiceDetail, Meta(description="What its invoices say of a session.")]
    remainder: Annotated[Remainder, Meta(description="What becomes of what it leaves unpaid of an invoice.")]
    payer_id_code: Annotated[
        str, Meta(description="By which the clearinghouse knows it; empty: its portal shows none.")
    ]
    claim_filing_indicator: Annotated[str, Meta(description="Claim filing indicator (837P SBR09).")]
    phone: str | None
    address: AddressOut | None
    active: bool
    submitter: Annotated[
        Sender, Meta(description="Who sends the practice's claims to it: this system, or its portal.")
    ]
    authorization_for: Annotated[
        list[str],
        Meta(description="Services that it pays only with an authorisation: codes, or `any` alone."),
    ]
    eligibility_by: Annotated[
        AskedBy | None,
        Meta(description="How it is asked about eligibility; null: at once where a channel can, else by file."),
    ]
    enrollments: Annotated[
        dict[str, str],
        Meta(description="Transaction -> none, requested, active or refused, where the payer needs enrolment."),
    ]
    external_ids: list[ExternalId]
    source: Source
    version: int
    created_at: Instant
    updated_at: Instant


class SubscriberOut(Struct):
    """The person whose insurance it is, when that is not the patient."""

    name: NameOut
    birth_on: Day
    sex: str
    address: AddressOut


class PolicyOut(Shape):
    """One insurance of one patient."""

    object: Literal["insurance_policy"]
    id: str
    patient_id: str
    payer_id: str
    payer: PayerRef
    rank: RankName
    member_id: str
    group_number: str | None
    plan_name: str | None
    relationship: Annotated[
        Kin | None, Meta(description="null: the portal that has the policy does not say.")
    ]
    subscriber: Annotated[
        SubscriberOut | None, Meta(description="null: the patient is the subscriber, or nobody says.")
    ]
    starts_on: Day
    ends_on: Day | None
    copay: MoneyOut | None
    medicare_reason: Annotated[
        Reason | None, Meta(description="Of Medicare where it is not the first payer: why. Its claims need it.")
    ]
    eligibility: Annotated[
        EligibilityRef | None, Meta(description="What the payer said last; null: it never did.")
    ]
    source: Source
    version: int
    created_at: Instant
    updated_at: Instant


def _filing(value: str | None) -> str | None:
    if value is not None and value not in FILING_INDICATORS:
        raise refused("not a claim filing indicator (SBR09): CI, MB, BL and so on")
    return value


Wanted = Annotated[str, Field(pattern=r"^(any|[A-Z0-9]{4,5})$")]


def _authorized(value: list[str] | None) -> list[str] | None:
    if value and "any" in value and len(value) > 1:
        raise refused("`any` stands alone")
    return value if value is None else sorted(set(value))


class PayerIn(Input):
    """A new payer."""

    name: str = Field(min_length=1, max_length=100)
    kind: Kind = "insurance"
    invoice_name: InvoiceName = "reference"
    invoice_detail: InvoiceDetail = "sessions"
    remainder: Remainder = "open"
    payer_id_code: str | None = Field(
        default=None, pattern=r"^[A-Za-z0-9_-]{2,80}$", examples=["60054"], description="An insurance has one."
    )
    claim_filing_indicator: str = "CI"
    phone: str | None = Field(default=None, pattern=r"^\+?[0-9 ().-]{7,20}$")
    address: AddressIn | None = None
    submitter: Sender | None = Field(
        default=None, description="null: this system; of a connected practice, its portal."
    )
    authorization_for: list[Wanted] = Field(default_factory=list, max_length=100)
    eligibility_by: AskedBy | None = Field(
        default=None, description="null: at once where a channel can, else by file."
    )
    external_ids: list[ExternalIdIn] = Field(default_factory=list, max_length=20)

    _authorized = field_validator("authorization_for")(_authorized)
    _filing = field_validator("claim_filing_indicator")(_filing)


class PayerChange(Input):
    """What to change."""

    name: str | None = Field(default=None, min_length=1, max_length=100)
    kind: Kind | None = None
    invoice_name: InvoiceName | None = None
    invoice_detail: InvoiceDetail | None = None
    remainder: Remainder | None = None
    payer_id_code: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_-]{2,80}$")
    claim_filing_indicator: str | None = None
    phone: str | None = Field(default=None, pattern=r"^\+?[0-9 ().-]{7,20}$")
    address: AddressIn | None = None
    active: bool | None = None
    submitter: Sender | None = None
    authorization_for: list[Wanted] | None = Field(default=None, max_length=100)
    eligibility_by: AskedBy | None = None
    external_ids: list[ExternalIdIn] | None = Field(default=None, max_length=20)

    _authorized = field_validator("authorization_for")(_authorized)
    _filing = field_validator("claim_filing_indicator")(_filing)

    def given(self) -> dict[str, Any]:
        """Return the fields that were sent."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class SubscriberIn(Input):
    """The person whose insurance it is. A claim needs every part."""

    name: NameIn
    birth_on: date
    sex: Literal["female", "male", "unknown"]
    address: AddressIn


def _member(value: str | None) -> str | None:
    if value is None:
        return None
    kept = trimmed(value)
    if len(kept) < 2:
        raise refused("shorter than two characters")
    return kept


class PolicyIn(Input):
    """A new policy."""

    patient_id: str = Field(max_length=40)
    payer_id: str = Field(max_length=40)
    rank: RankName = "primary"
    member_id: str = Field(min_length=2, max_length=80, pattern=r"^[\x20-\x7e]+$")
    group_number: str | None = Field(default=None, max_length=50)
    plan_name: str | None = Field(default=None, max_length=60)
    relationship: Kin = "self"
    subscriber: SubscriberIn | None = None
    starts_on: date | None = Field(default=None, description="Today when left out.")
    ends_on: date | None = None
    copay: MoneyIn | None = None
    medicare_reason: Reason | None = Field(
        default=None, description="Of Medicare where it is not the first payer: why."
    )

    _member = field_validator("member_id")(_member)


class PolicyChange(Input):
    """What to change; the patient stays."""

    payer_id: str | None = Field(default=None, max_length=40)
    rank: RankName | None = None
    member_id: str | None = Field(
        default=None, min_length=2, max_length=80, pattern=r"^[\x20-\x7e]+$"
    )
    group_number: str | None = Field(default=None, max_length=50)
    plan_name: str | None = Field(default=None, max_length=60)
    relationship: Kin | None = None
    subscriber: SubscriberIn | None = None
    starts_on: date | None = None
    ends_on: date | None = None
    copay: MoneyIn | None = None
    medicare_reason: Reason | None = None

    _member = field_validator("member_id")(_member)

    def given(self) -> dict[str, Any]:
        """Return the fields that were sent."""
        return {name: getattr(self, name) for name in self.model_fields_set}


PAYER_COLUMNS = (
    "y.id, y.name, y.payer_id_code, y.claim_filing_indicator, y.phone, y.address_line1,"
    " y.address_line2, y.city, y.state_code, y.postal_code, y.active, y.external_ids::text,"
    " y.version, y.created_at, y.updated_at, y.submitter, y.source_system, y.source_remote_id,"
    " y.source_as_of, y.authorization_for, (SELECT coalesce(json_object_agg(e.transaction, e.state), '{}')"
    " FROM (SELECT DISTINCT ON (e.transaction) e.transaction, e.state, e.needed FROM coverage_enrollmentchange e"
    " WHERE e.practice_id = y.practice_id AND e.payer_id = y.id ORDER BY e.transaction, e.at DESC, e.id DESC) e"
    " WHERE e.needed)::text, y.kind, y.invoice_name, y.invoice_detail, y.remainder,"
    " y.eligibility_by"
)
"""What `payer_out` reads, in its order."""


def payer_out(row: tuple[Any, ...], scope: Scope) -> PayerOut:
    """Return the shape of a payer from a row of `PAYER_COLUMNS`."""
    raw: Any = Raw
    address = AddressOut(row[5], row[6] or None, row[7], row[8], row[9]) if row[5] else None
    updated = instant(row[14])
    return PayerOut(
        object="payer",
        id=type_id("payer", row[0]),
        name=row[1],
        kind=row[21],
        invoice_name=row[22],
        invoice_detail=row[23],
        remainder=row[24],
        payer_id_code=row[2],
        claim_filing_indicator=row[3],
        phone=row[4] or None,
        address=address,
        active=row[10],
        authorization_for=row[19],
        eligibility_by=row[25] or None,
        enrollments=raw(row[20]),
        submitter=row[15] or ("portal" if scope.connected else "rapport"),
        external_ids=raw(row[11]),
        source=source_of(row[16], row[17], row[18], updated),
        version=row[12],
        created_at=instant(row[13]),
        updated_at=updated,
    )


POLICY_COLUMNS = (
    "i.id, i.patient_id, i.payer_id, y.name, i.rank, i.member_id, i.group_number, i.plan_name,"
    " i.relationship, i.subscriber::text, i.starts_on, i.ends_on, i.copay_cents, i.version,"
    " i.created_at, i.updated_at, i.source_system, i.source_remote_id, i.source_as_of,"
    " k.id, k.answered_at, k.snapshot::text, i.medicare_reason"
)
"""What `policy_out` reads, in its order."""

POLICY_SOURCE = (
    "coverage_policy i JOIN coverage_payer y ON y.practice_id = i.practice_id AND y.id = i.payer_id"
    " LEFT JOIN LATERAL (SELECT k.id, k.answered_at, k.snapshot FROM coverage_eligibilitycheck k"
    " WHERE k.practice_id = i.practice_id AND k.policy_id = i.id AND k.state = 'answered'"
    " ORDER BY k.created_at DESC LIMIT 1) k ON true"
)


def policy_out(row: tuple[Any, ...], scope: Scope) -> PolicyOut:
    """Return the shape of a policy from a row of `POLICY_COLUMNS`."""
    raw: Any = Raw
    payer_id = type_id("payer", row[2])
    updated = instant(row[15])
    return PolicyOut(
        object="insurance_policy",
        id=type_id("insurance_policy", row[0]),
        patient_id=type_id("patient", row[1]),
        payer_id=payer_id,
        payer=PayerRef(payer_id, row[3]),
        rank=row[4],
        member_id=row[5],
        group_number=row[6] or None,
        plan_name=row[7] or None,
        relationship=row[8] or None,
        subscriber=raw(row[9]) if row[9] else None,
        starts_on=row[10],
        ends_on=row[11],
        copay=MoneyOut(row[12]) if row[12] is not None else None,
        medicare_reason=row[22] or None,
        eligibility=raw(in_short(check_id=row[19], answered_at=row[20], told=row[21])) if row[21] else None,
        source=source_of(row[16], row[17], row[18], updated),
        version=row[13],
        created_at=instant(row[14]),
        updated_at=updated,
    )
