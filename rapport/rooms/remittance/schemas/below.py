"""The shapes of underpayments: what payers allowed beside their contracts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Literal

from msgspec import Meta, Struct
from pydantic import Field

from rapport.kernel.ids import type_id
from rapport.platform.api.shapes import Day, Input, Instant, MoneyIn, MoneyOut, Shape, instant
from rapport.rooms.remittance.models import Underpayment
from rapport.rooms.remittance.queries import Below
from rapport.rooms.remittance.rules.underpayments import LEFT_OUT, Compared


class ContractCheckOut(Struct, kw_only=True):
    """How a payer's decision stands beside its contract."""

    left_out: Annotated[str | None, Meta(description="Why it is not compared; null: it was.")]
    says: Annotated[str | None, Meta(description="The same, in words.")]
    expected: Annotated[MoneyOut | None, Meta(description="The contracted rate times the units, at most the charge.")]
    allowed: MoneyOut | None
    stated: Annotated[bool | None, Meta(description="The payer says what it allowed; false: charge less adjustments.")]
    difference: Annotated[MoneyOut | None, Meta(description="What is missing; negative: more than the contract says.")]
    rule: Annotated[str | None, Meta(description="Which contracted rate.")]


def contract_check_out(one: Compared) -> ContractCheckOut:
    """Return how a decision stands beside its contract."""
    if one.left_out:
        return ContractCheckOut(
            left_out=one.left_out, says=LEFT_OUT[one.left_out], expected=None, allowed=None, stated=None,
            difference=None, rule=None,
        )  # fmt: skip
    return ContractCheckOut(
        left_out=None, says=None, expected=MoneyOut(one.expected_cents), allowed=MoneyOut(one.allowed_cents),
        stated=one.stated, difference=MoneyOut(one.difference_cents), rule=one.rule,
    )  # fmt: skip


class UnderpaymentOut(Shape):
    """A service for which a payer allowed something else than its contract says."""

    object: Literal["underpayment"]
    id: str
    remittance_line_id: str
    remittance_id: str
    claim_id: str
    appointment_id: str | None
    patient_id: str
    payer_id: str
    payer_name: Annotated[str | None, Meta(description="As the check has it.")]
    payer_claim_number: str | None
    trace: str | None
    service_code: Annotated[str, Meta(description="As billed.")]
    modifiers: Annotated[list[str], Meta(description="As adjudicated.")]
    units: int
    service_on: Day | None
    decided_on: Day
    charge: MoneyOut
    paid: MoneyOut
    expected: Annotated[MoneyOut, Meta(description="The contracted rate times the units, at most the charge.")]
    allowed: MoneyOut
    stated: Annotated[bool, Meta(description="The payer says what it allowed; false: charge less adjustments.")]
    difference: Annotated[MoneyOut, Meta(description="What is missing; negative: more than the contract says.")]
    rule: Annotated[str, Meta(description="Which contracted rate.")]
    state: Annotated[
        str,
        Meta(description="open, disputed, accepted, recovered; noted (above the contract), withdrawn (the decision stands no more)"),
    ]
    recovered: MoneyOut | None
    note: str | None
    deadline_on: Annotated[Day, Meta(description="Last day to dispute it.")]
    letter_id: Annotated[str | None, Meta(description="The last letter: a document.")]
    version: int
    created_at: Instant
    updated_at: Instant


class SettleIn(Input):
    """What became of an underpayment."""

    state: Literal["open", "disputed", "accepted", "recovered"]
    note: str = Field(default="", max_length=500)
    recovered: MoneyIn | None = Field(default=None, description="What came in; needed for `recovered`, and only there.")


class DisputeIn(Input):
    """What the letter says beside the facts."""

    words: str = Field(default="", max_length=4000, description="Left out: that the contract says otherwise.")


def underpayment_out(row: Underpayment) -> UnderpaymentOut:
    """Return an underpayment."""
    line, check = row.line, row.line.remittance
    return UnderpaymentOut(
        object="underpayment",
        id=type_id("underpayment", row.id),
        remittance_line_id=type_id("remittance_line", row.line_id),
        remittance_id=type_id("remittance", check.id),
        claim_id=type_id("claim", row.claim_id),
        appointment_id=type_id("appointment", row.appointment_id) if row.appointment_id else None,
        patient_id=type_id("patient", row.patient_id),
        payer_id=type_id("payer", row.payer_id),
        payer_name=check.payer_name or None,
        payer_claim_number=line.payer_claim_number or None,
        trace=check.trace or None,
        service_code=row.service_code,
        modifiers=list(line.modifiers),
        units=row.units,
        service_on=line.service_on,
        decided_on=row.decided_on,
        charge=MoneyOut(line.charge_cents),
        paid=MoneyOut(line.paid_cents),
        expected=MoneyOut(row.expected_cents),
        allowed=MoneyOut(row.allowed_cents),
        stated=row.stated,
        difference=MoneyOut(row.expected_cents - row.allowed_cents),
        rule=row.rule,
        state=row.state,
        recovered=MoneyOut(row.recovered_cents) if row.recovered_cents is not None else None,
        note=row.note or None,
        deadline_on=row.deadline_on,
        letter_id=type_id("document", row.letter_id) if row.letter_id else None,
        version=row.version,
        created_at=instant(row.created_at),
        updated_at=instant(row.updated_at),
    )


class LookBackIn(Input):
    """Whose decisions are compared: of checks of these days, both included."""

    starts_on: date
    ends_on: date


class LookBackOut(Shape):
    """What came of comparing decisions that were posted before."""

    object: Literal["underpayment_look_back"]
    compared: int
    added: Annotated[int, Meta(description="New on the list, noted ones among them.")]
    left_out: Annotated[dict[str, int], Meta(description="Why others were not compared, and how many.")]


class BelowOut(Struct, kw_only=True):
    """What one payer allowed for one service beside its contract."""

    payer_id: str
    payer_name: str
    service_code: str
    count: Annotated[int, Meta(description="Decisions below the contract.")]
    open: int
    disputed: int
    expected: Annotated[MoneyOut, Meta(description="Of those below.")]
    allowed: Annotated[MoneyOut, Meta(description="Of those below.")]
    missing: MoneyOut
    recovered: MoneyOut
    above_count: Annotated[int, Meta(description="Decisions above it, which are noted.")]
    above: Annotated[MoneyOut, Meta(description="By how much.")]


class UnderpaymentSummaryOut(Shape):
    """What payers allowed beside their contracts in some days."""

    object: Literal["underpayment_summary"]
    starts_on: Day
    ends_on: Day
    missing: MoneyOut
    recovered: MoneyOut
    rows: list[BelowOut]


def summary_out(
    found: Sequence[Below], *, names: Mapping[str, str], starts_on: date, ends_on: date
) -> UnderpaymentSummaryOut:
    """Return a summary. :param names: public id of a payer -> its name"""
    rows = [(type_id("payer", one.payer_id), one) for one in found]
    return UnderpaymentSummaryOut(
        object="underpayment_summary",
        starts_on=starts_on,
        ends_on=ends_on,
        missing=MoneyOut(sum(one.expected_cents - one.allowed_cents for one in found)),
        recovered=MoneyOut(sum(one.recovered_cents for one in found)),
        rows=[
            BelowOut(
                payer_id=id, payer_name=names.get(id, ""), service_code=one.service_code, count=one.count,
                open=one.open, disputed=one.disputed, expected=MoneyOut(one.expected_cents),
                allowed=MoneyOut(one.allowed_cents), missing=MoneyOut(one.expected_cents - one.allowed_cents),
                recovered=MoneyOut(one.recovered_cents), above_count=one.above, above=MoneyOut(one.above_cents),
            )
            for id, one in rows
        ],
    )  # fmt: skip
