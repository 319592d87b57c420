"""The shapes of batches in the API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct
from pydantic import Field

from rapport.kernel.ids import type_id
from rapport.platform.api.shapes import Input, Instant, MoneyOut, Shape, instant
from rapport.rooms.claims.models import BatchClaim, ClaimBatch, Submission


class ClaimBatchIn(Input):
    """Which claims leave together."""

    payer_id: str | None = None
    channel_id: str | None = None
    claim_ids: list[str] | None = Field(
        default=None, min_length=1, max_length=1000, description="The very claims; left out: all that are ready."
    )


class Progress(Struct):
    """How far a batch is."""

    done: int
    total: int


class LeftOutOut(Struct):
    """A claim that is not in the file, and why."""

    claim_id: str
    codes: Annotated[
        list[str], Meta(description="Codes of the findings that block it; `state:…` when it was no longer ready.")
    ]


class BatchFileOut(Struct, kw_only=True):
    """The file of a batch: frozen, with what became of it."""

    id: str
    state: str
    interchange_number: str
    group_number: int
    size: int
    sha256: str
    syntax_code: Annotated[str | None, Meta(description="The worst IK501 of the 999s that answered it.")]
    last_code: str | None
    receipt: Annotated[str | None, Meta(description="What the other side calls it.")]
    state_changed_at: Instant


class ClaimBatchSummary(Shape):
    """A batch in a list."""

    object: Literal["claim_batch"]
    id: str
    state: Annotated[str, Meta(description="`making`, `made`, `empty` or `failed`.")]
    channel_id: str
    payer_id: str | None
    follows_batch_id: Annotated[
        str | None,
        Meta(description="The batch whose file was turned away for another claim's fault: these are its other claims."),
    ]
    progress: Progress
    included: int
    charge: MoneyOut
    version: int
    created_at: Instant
    updated_at: Instant


class ClaimBatchOut(ClaimBatchSummary):
    """A batch, what it left out and why, and its file."""

    findings: Annotated[list[dict[str, Any]], Meta(description="Why it failed: no claim's fault, but the setup's.")]
    left_out: Annotated[list[LeftOutOut], Meta(description="The first thousand.")]
    submission: BatchFileOut | None


def _common(batch: ClaimBatch) -> dict[str, Any]:
    return {
        "object": "claim_batch",
        "id": type_id("claim_batch", batch.id),
        "state": batch.state,
        "channel_id": type_id("channel", batch.channel_id),
        "payer_id": type_id("payer", batch.payer_id) if batch.payer_id else None,
        "follows_batch_id": type_id("claim_batch", batch.follows_id) if batch.follows_id else None,
        "progress": Progress(batch.done, batch.total),
        "included": batch.included,
        "charge": MoneyOut(batch.charge_cents),
        "version": batch.version,
        "created_at": instant(batch.created_at),
        "updated_at": instant(batch.updated_at),
    }


def batch_summary(batch: ClaimBatch) -> ClaimBatchSummary:
    """Return a batch as lists show it."""
    return ClaimBatchSummary(**_common(batch))


def batch_out(batch: ClaimBatch, *, left_out: Sequence[BatchClaim], submission: Submission | None) -> ClaimBatchOut:
    """Return a batch whole."""
    return ClaimBatchOut(
        **_common(batch),
        findings=list(batch.findings),
        left_out=[LeftOutOut(type_id("claim", row.claim_id), list(row.codes)) for row in left_out],
        submission=None if submission is None else _file(submission),
    )


def _file(row: Submission) -> BatchFileOut:
    return BatchFileOut(
        id=type_id("submission", row.id),
        state=row.state,
        interchange_number=f"{row.interchange_number:09}",
        group_number=row.group_number,
        size=row.size,
        sha256=row.sha256,
        syntax_code=row.syntax_code or None,
        last_code=row.last_code or None,
        receipt=row.receipt or None,
        state_changed_at=instant(row.state_changed_at),
    )
