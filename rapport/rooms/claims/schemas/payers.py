"""The shapes of proposals and of a claim's history in the API."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct
from pydantic import Field

from rapport.kernel.ids import type_id
from rapport.platform.api.shapes import Input, Instant, MoneyOut, Shape, instant
from rapport.rooms.claims.models import Proposal
from rapport.rooms.claims.rules.story import Happening


class ProposalOut(Shape):
    """What should be asked of a further payer."""

    object: Literal["claim_proposal"]
    id: str
    state: str
    kind: Annotated[
        str, Meta(description="next_payer: it was not asked yet. replace: it was told what no longer stands.")
    ]
    claim_id: Annotated[str, Meta(description="The claim that its payer decided.")]
    policy_id: Annotated[str, Meta(description="The policy of the further payer.")]
    payer_id: str
    patient_id: str
    left_to_patient: MoneyOut
    denied: bool
    reason: Annotated[str | None, Meta(description="Why it was dismissed.")]
    made_claim_id: Annotated[str | None, Meta(description="The claim that was made of it.")]
    version: int
    created_at: Instant
    updated_at: Instant


def proposal_out(row: Proposal) -> ProposalOut:
    """Return a proposal, whose policy was read with it."""
    return ProposalOut(
        object="claim_proposal",
        id=type_id("claim_proposal", row.id),
        state=row.state,
        kind=row.kind,
        claim_id=type_id("claim", row.claim_id),
        policy_id=type_id("insurance_policy", row.policy_id),
        payer_id=type_id("payer", row.policy.payer_id),
        patient_id=type_id("patient", row.patient_id),
        left_to_patient=MoneyOut(row.left_cents),
        denied=row.denied,
        reason=row.reason or None,
        made_claim_id=type_id("claim", row.made_id) if row.made_id else None,
        version=row.version,
        created_at=instant(row.created_at),
        updated_at=instant(row.updated_at),
    )


class StoryFile(Struct, kw_only=True):
    """Where something was read."""

    kind: Annotated[str, Meta(description="answers: what a clearinghouse sent back. remittance: an 835.")]
    id: str
    segment: Annotated[
        int | None, Meta(description="Position in the file of the segment that says so; the first ISA is 1.")
    ]


class StoryOut(Shape):
    """One thing that happened to a claim."""

    object: Literal["claim_event"]
    at: Instant
    kind: str
    text: Annotated[str, Meta(description="One sentence, without a person's data.")]
    by: Annotated[
        Literal["person", "practice", "payer"],
        Meta(description="practice: by itself. payer: the payer or the clearinghouse said so."),
    ]
    state: Annotated[str | None, Meta(description="Where the claim was then; null: it did not move.")]
    code: str | None
    file: StoryFile | None
    submission_id: str | None
    other_claim_id: Annotated[str | None, Meta(description="A claim that came of it.")]


def story_out(one: Happening, *, practice_id: UUID) -> StoryOut:
    """Return one thing that happened."""
    file = None
    if one.era_file_id is not None:
        file = StoryFile(
            kind="remittance", id=type_id("era_file", one.era_file_id), segment=one.segment or None
        )
    elif one.inbound_file_id is not None:
        file = StoryFile(
            kind="answers", id=type_id("inbound_file", one.inbound_file_id), segment=one.segment or None
        )
    by: Literal["person", "practice", "payer"] = "person"
    if one.by is None:
        by = "payer" if file is not None and one.kind != "withdrawal" else "practice"
    elif one.by == practice_id:
        by = "practice"
    return StoryOut(
        object="claim_event", at=instant(one.at), kind=one.kind, text=one.text, by=by,
        state=one.state or None, code=one.code or None, file=file,
        submission_id=type_id("submission", one.submission_id) if one.submission_id else None,
        other_claim_id=type_id("claim", one.other_claim_id) if one.other_claim_id else None,
    )  # fmt: skip


class ProposalAcceptIn(Input):
    """How the claim is to be sent."""

    channel_id: str | None = Field(default=None, description="The practice's only channel when left out.")


class ProposalDismissIn(Input):
    """Why the further payer is not asked."""

    reason: str = Field(min_length=3, max_length=200, description="No patient's data, please.")
