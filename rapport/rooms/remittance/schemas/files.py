"""The shapes of remittances in the API."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct
from pydantic import Field

from rapport.kernel.ids import type_id
from rapport.platform.api.shapes import (
    Day,
    Input,
    Instant,
    MoneyOut,
    Shape,
    Source,
    instant,
    source_of,
)
from rapport.rooms.remittance.models import EraFile, Remittance, RemittanceLine
from rapport.rooms.remittance.rules.matching import confidence_of


class AdjustmentOut(Struct, kw_only=True):
    """One reason of the payer, and what is done about it."""

    group: str
    reason: str
    amount: MoneyOut
    plan: Annotated[
        str,
        Meta(description="contractual (taken off), patient (moved to them), review (a person looks; nothing is booked), inform"),
    ]
    rule: Annotated[
        str, Meta(description="list, practice (its override), denied, as_decided, by_hand, next_payer or open")
    ]
    booked: Annotated[
        MoneyOut | None, Meta(description="What of it is booked, where less was open than the amount; null: as the plan says.")
    ]


class RemittanceLineOut(Struct, kw_only=True):
    """What the payer decided about one service."""

    id: str
    claim_id: str | None
    appointment_id: str | None
    patient_id: str | None
    control_number: str
    status_code: str
    payer_claim_number: str | None
    service_code: str | None
    modifiers: list[str]
    service_on: Day | None
    charge: MoneyOut
    paid: MoneyOut
    allowed: MoneyOut | None
    adjustments: list[AdjustmentOut]
    remarks: list[str]
    matched_by: str
    confidence: Annotated[str, Meta(description="exact, strong, weak or none")]
    ledger_entry_ids: list[str]


class RemittanceOut(Shape):
    """One check or EFT."""

    object: Literal["remittance"]
    id: str
    era_file_id: str
    payer_name: str | None
    payer_identifier: str | None
    trace: str | None
    method: str | None
    paid_on: Day | None
    total: MoneyOut
    provider_adjustments: list[dict[str, Any]]
    same_trace: Annotated[
        bool, Meta(description="Another remittance has this payer, number, day and amount.")
    ]
    posted_before: Annotated[
        bool, Meta(description="This very check stands posted already, and is not posted from this file.")
    ]
    lines: list[RemittanceLineOut]
    source: Annotated[Source, Meta(description="Where its file comes from.")]
    created_at: Instant


class EraFileOut(Shape):
    """A remittance file: what it says, and whether it was posted."""

    object: Literal["era_file"]
    id: str
    state: str
    received_via: str
    sha256: str
    duplicate_of: str | None
    findings: list[dict[str, Any]]
    remittances: list[RemittanceOut]
    source: Source
    version: int
    created_at: Instant
    updated_at: Instant


class UnpostIn(Input):
    """Why the postings are taken back."""

    reason: str = Field(min_length=3, max_length=200)


def line_out(line: RemittanceLine) -> RemittanceLineOut:
    """Return one service."""
    return RemittanceLineOut(
        id=type_id("remittance_line", line.id),
        claim_id=type_id("claim", line.claim_id) if line.claim_id else None,
        appointment_id=type_id("appointment", line.appointment_id) if line.appointment_id else None,
        patient_id=type_id("patient", line.patient_id) if line.patient_id else None,
        control_number=line.control_number,
        status_code=line.status_code,
        payer_claim_number=line.payer_claim_number or None,
        service_code=line.service_code or None,
        modifiers=list(line.modifiers),
        service_on=line.service_on,
        charge=MoneyOut(line.charge_cents),
        paid=MoneyOut(line.paid_cents),
        allowed=MoneyOut(line.allowed_cents) if line.allowed_cents is not None else None,
        adjustments=[
            AdjustmentOut(
                group=a["group"], reason=a["reason"], amount=MoneyOut(a["cents"]), plan=a["plan"],
                rule=a.get("rule", "list"), booked=MoneyOut(a["booked"]) if "booked" in a else None,
            )
            for a in line.adjustments
        ],
        remarks=list(line.remarks),
        matched_by=line.matched_by,
        confidence=confidence_of(line.matched_by),
        ledger_entry_ids=[type_id("ledger_entry", id) for id in line.ledger_entry_ids],
    )


def _source(file: EraFile) -> Source:
    return source_of(
        file.source_system, file.source_remote_id, file.source_as_of, instant(file.updated_at)
    )


def remittance_out(row: Remittance, lines: list[RemittanceLine]) -> RemittanceOut:
    """Return one check with its services."""
    return RemittanceOut(
        object="remittance",
        id=type_id("remittance", row.id),
        era_file_id=type_id("era_file", row.era_file_id),
        payer_name=row.payer_name or None,
        payer_identifier=row.payer_identifier or None,
        trace=row.trace or None,
        method=row.method or None,
        paid_on=row.paid_on,
        total=MoneyOut(row.total_cents),
        provider_adjustments=[
            {"reason": p["reason"], "reference": p["reference"], "amount": MoneyOut(p["cents"])}
            for p in row.provider_adjustments
        ],
        same_trace=row.same_trace,
        posted_before=row.posted_before,
        lines=[line_out(line) for line in lines],
        source=_source(row.era_file),
        created_at=instant(row.created_at),
    )


def era_file_out(file: EraFile, remittances: list[RemittanceOut], *, duplicate: bool = False) -> EraFileOut:
    """Return a file. :param duplicate: its content was received before; this is the first one"""
    return EraFileOut(
        object="era_file",
        id=type_id("era_file", file.id),
        state=file.state,
        received_via=file.received_via,
        sha256=file.sha256,
        duplicate_of=type_id("era_file", file.id) if duplicate else None,
        findings=list(file.findings),
        remittances=remittances,
        source=_source(file),
        version=file.version,
        created_at=instant(file.created_at),
        updated_at=instant(file.updated_at),
    )
