"""The shapes of the work list in the API."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta
from pydantic import Field

from rapport.kernel.ids import type_id
from rapport.platform.api.shapes import Day, Input, Instant, Shape, instant, instant_or_none
from rapport.rooms.claims.models import InboundFile, WorkItem
from rapport.rooms.claims.rules.work import tell


class WorkItemOut(Shape):
    """Something about a claim that a person has to look at."""

    object: Literal["work_item"]
    id: str
    kind: Annotated[str, Meta(description="`rejected` by an acknowledgement, `refused` by the clearinghouse, `filing`: time runs out, `status`: the payer was asked, or `doubt`: did it arrive?")]
    claim_id: str
    patient_id: str
    code: Annotated[str, Meta(description="What said so: `277CA:A7:164`, `999:R`, `login-refused`, `near`, `passed` …")]
    reason: str
    todo: str
    times: int
    owner_id: str | None
    due_on: Day | None
    state: Annotated[str, Meta(description="`open` or `resolved`.")]
    resolution: str | None
    resolved_at: Instant | None
    version: int
    created_at: Instant
    updated_at: Instant


class InboundFileOut(Shape):
    """A file that a clearinghouse had for the practice. What it says of claims is with them."""

    object: Literal["inbound_file"]
    id: str
    channel_id: str
    name: Annotated[str, Meta(description="As the clearinghouse calls it.")]
    kind: Annotated[str, Meta(description="`TA1`, `999`, `277CA`, `277`, `271`, `835` or `unknown`.")]
    outcome: Annotated[str, Meta(description="`read`; `parked`: it is, or something in it is, about nothing that is here; or `unreadable`.")]
    detail: Annotated[str | None, Meta(description="Of an unreadable one: the rule it breaks, the segment and its position. `unknown-trace:2`: two answers to no question of ours.")]
    received_at: Instant


class WorkItemChange(Input):
    """Who takes care of it, and by when."""

    owner_id: str | None = None
    due_on: Day | None = None


class WorkItemResolveIn(Input):
    """How it was settled."""

    resolution: str = Field(min_length=1, max_length=200)


def inbound_file_out(file: InboundFile) -> InboundFileOut:
    """Return a file as the API shows it: what became of it, not what is in it."""
    return InboundFileOut(
        object="inbound_file",
        id=type_id("inbound_file", file.id),
        channel_id=type_id("channel", file.channel_id),
        name=file.name,
        kind=file.kind,
        outcome=file.outcome,
        detail=file.detail or None,
        received_at=instant(file.received_at),
    )


def work_item_out(item: WorkItem) -> WorkItemOut:
    """Return an item as the API shows it."""
    told = tell(kind=item.kind, code=item.code)
    return WorkItemOut(
        object="work_item",
        id=type_id("work_item", item.id),
        kind=item.kind,
        claim_id=type_id("claim", item.claim_id),
        patient_id=type_id("patient", item.patient_id),
        code=item.code,
        reason=told.reason,
        todo=told.todo,
        times=item.times,
        owner_id=type_id("user", item.owner) if item.owner else None,
        due_on=item.due_on,
        state="resolved" if item.resolved_at else "open",
        resolution=item.resolution or None,
        resolved_at=instant_or_none(item.resolved_at),
        version=item.version,
        created_at=instant(item.created_at),
        updated_at=instant(item.updated_at),
    )
