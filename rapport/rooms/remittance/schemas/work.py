"""The shapes of the work lists: what nobody knows, and what payers denied."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from msgspec import Meta, Struct
from pydantic import Field

from rapport.kernel.ids import type_id
from rapport.platform.api.shapes import Day, Input, Instant, MoneyOut, Shape, instant
from rapport.rooms.remittance.models import Denial, RemittanceLine
from rapport.rooms.remittance.rules import carc
from rapport.rooms.remittance.rules.matching import HOW
from rapport.rooms.remittance.rules.underpayments import Compared

from .below import ContractCheckOut, contract_check_out
from .files import RemittanceLineOut, line_out

if TYPE_CHECKING:
    from rapport.rooms.claims.models import Claim, ClaimLine


class Candidate(Struct, kw_only=True):
    """A service of ours that it may be about."""

    claim_id: str
    claim_line: int
    patient_id: str
    service_on: Day
    service_code: str
    charge: MoneyOut
    claim_state: str
    why: Annotated[list[str], Meta(description="same-day, same-code, same-charge")]


class Deed(Struct, kw_only=True):
    """What a person did with it."""

    act: str
    by: str
    at: str
    reason: str


class DecisionOut(Shape):
    """A payer's decision about one service, and what people did with it."""

    object: Literal["remittance_line"]
    id: str
    remittance_id: str
    era_file_id: str
    era_state: str
    state: Annotated[str, Meta(description="matched, unmatched or set_aside")]
    payer_name: str | None
    trace: str | None
    paid_on: Day | None
    line: RemittanceLineOut
    reason: Annotated[str, Meta(description="How it was matched, or that it was not.")]
    by_hand: list[Deed]


class DecisionWithCandidates(Shape):
    """A payer's decision about one service, with the services of ours that it may be about."""

    object: Literal["remittance_line"]
    id: str
    remittance_id: str
    era_file_id: str
    era_state: str
    state: str
    payer_name: str | None
    trace: str | None
    paid_on: Day | None
    line: RemittanceLineOut
    reason: str
    by_hand: list[Deed]
    candidates: Annotated[list[Candidate], Meta(description="The likest first; none where it is matched.")]
    contract: ContractCheckOut


class AssignIn(Input):
    """Which service of ours it is about, and how one knows."""

    claim_id: str = Field(max_length=40)
    claim_line: int | None = Field(default=None, ge=1, le=50, description="Needed where the claim has several.")
    reason: str = Field(min_length=3, max_length=200)


class ReasonIn(Input):
    """Why."""

    reason: str = Field(min_length=3, max_length=200)


class PlanIn(Input):
    """What becomes of one adjustment."""

    adjustment: int = Field(ge=0, le=99, description="Its place in the line's list, from 0.")
    plan: Literal["contractual", "patient", "review", "inform"]


class CorrectIn(Input):
    """What becomes of adjustments, and why."""

    adjustments: list[PlanIn] = Field(min_length=1, max_length=50)
    reason: str = Field(min_length=3, max_length=200)


def _facts(row: RemittanceLine) -> dict[str, Any]:
    check = row.remittance
    unmatched = row.claim_id is None or row.appointment_id is None
    return {
        "object": "remittance_line",
        "id": type_id("remittance_line", row.id),
        "remittance_id": type_id("remittance", check.id),
        "era_file_id": type_id("era_file", check.era_file_id),
        "era_state": check.era_file.state,
        "state": "set_aside" if row.set_aside else "unmatched" if unmatched else "matched",
        "payer_name": check.payer_name or None,
        "trace": check.trace or None,
        "paid_on": check.paid_on,
        "line": line_out(row),
        "reason": HOW[row.matched_by].reason,
        "by_hand": [Deed(**one) for one in row.by_hand],
    }


def decision_out(row: RemittanceLine) -> DecisionOut:
    """Return a payer's decision about a service."""
    return DecisionOut(**_facts(row))


def with_candidates(
    row: RemittanceLine, candidates: Sequence[tuple[Claim, ClaimLine]], compared: Compared
) -> DecisionWithCandidates:
    """Return a payer's decision with what it may be about, and how it stands beside the contract."""
    return DecisionWithCandidates(
        **_facts(row),
        candidates=[
            Candidate(
                claim_id=type_id("claim", claim.id), claim_line=line.position,
                patient_id=type_id("patient", claim.patient_id), service_on=line.service_on,
                service_code=line.service_code, charge=MoneyOut(line.charge_cents), claim_state=claim.state,
                why=[
                    word
                    for word, same in (
                        ("same-day", line.service_on == row.service_on),
                        ("same-code", line.service_code == row.service_code),
                        ("same-charge", line.charge_cents == row.charge_cents),
                    )
                    if same
                ],
            )
            for claim, line in candidates
        ],
        contract=contract_check_out(compared),
    )  # fmt: skip


class DenialOut(Shape):
    """What a payer denied or reduced."""

    object: Literal["denial"]
    id: str
    remittance_line_id: str
    claim_id: str
    appointment_id: str | None
    patient_id: str
    kind: Annotated[str, Meta(description="Class of its gravest reason; see /v1/adjustment-reasons")]
    says: str
    to_do: str | None
    reasons: list[str]
    remarks: list[str]
    amount: Annotated[MoneyOut, Meta(description="What nobody paid, owes or gave up.")]
    service_code: str | None
    service_on: Day | None
    payer_name: str | None
    deadline_on: Annotated[Day, Meta(description="Last day to appeal.")]
    state: Annotated[str, Meta(description="open, resolved, or withdrawn (the decision stands no more)")]
    resolution: str | None
    note: str | None
    letter_id: Annotated[str | None, Meta(description="The last appeal letter: a document.")]
    version: int
    created_at: Instant
    updated_at: Instant


class ResolveIn(Input):
    """How the work on a denial ended."""

    resolution: Literal["appealed", "corrected", "billed_elsewhere", "written_off", "accepted"]
    note: str = Field(default="", max_length=500)


class AppealIn(Input):
    """What the letter says beside the facts."""

    words: str = Field(default="", max_length=4000, description="Left out: words that fit the class of the denial.")


def denial_out(row: Denial) -> DenialOut:
    """Return a denial."""
    kind = next((one for one in carc.KINDS if one.name == row.kind), carc.OTHER)
    return DenialOut(
        object="denial",
        id=type_id("denial", row.id),
        remittance_line_id=type_id("remittance_line", row.line_id),
        claim_id=type_id("claim", row.claim_id),
        appointment_id=type_id("appointment", row.appointment_id) if row.appointment_id else None,
        patient_id=type_id("patient", row.patient_id),
        kind=row.kind,
        says=kind.says,
        to_do=kind.to_do or None,
        reasons=list(row.reasons),
        remarks=list(row.line.remarks),
        amount=MoneyOut(row.cents),
        service_code=row.line.service_code or None,
        service_on=row.line.service_on,
        payer_name=row.line.remittance.payer_name or None,
        deadline_on=row.deadline_on,
        state=row.state,
        resolution=row.resolution or None,
        note=row.note or None,
        letter_id=type_id("document", row.letter_id) if row.letter_id else None,
        version=row.version,
        created_at=instant(row.created_at),
        updated_at=instant(row.updated_at),
    )
