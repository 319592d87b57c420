"""The work list of claims over HTTP."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from rapport.kernel.problems import ReferenceNotFound, StateConflict
from rapport.platform.access.permissions import Permission
from rapport.platform.api import etags
from rapport.platform.api.lists import Filter, ListSpec, Sort
from rapport.platform.api.router import ScopedRequest
from rapport.platform.api.shapes import Answer, path_id
from rapport.rooms.claims import examples, services
from rapport.rooms.claims.models import WorkItem
from rapport.rooms.claims.queries import desk
from rapport.rooms.claims.schemas import work as s

from .base import router

WORK = ListSpec(
    route="claim-work-items",
    columns="w.id",
    source="claims_workitem w",
    id_column="w.id",
    practice_column="w.practice_id",
    sorts={"created_at": Sort("w.created_at", "timestamptz")},
    default_sort="created_at",
    filters={
        "state": Filter(
            "", "text", condition="CASE WHEN w.resolved_at IS NULL THEN 'open' ELSE 'resolved' END = {value}"
        ),
        "kind": Filter("w.kind", "text", ("eq", "in")),
        "claim_id": Filter("w.claim_id", "id:claim"),
        "patient_id": Filter("w.patient_id", "id:patient"),
        "owner_id": Filter("w.owner", "id:user"),
        "due_on": Filter("w.due_on", "date", ("gte", "lt")),
    },
    build_page=lambda ids, scope: [
        s.work_item_out(item) for item in desk.work_items_of(scope=scope, work_item_ids=ids)
    ],
)  # fmt: skip


INBOUND = ListSpec(
    route="inbound-files",
    columns="f.id",
    source="claims_inboundfile f",
    id_column="f.id",
    practice_column="f.practice_id",
    sorts={"received_at": Sort("f.received_at", "timestamptz")},
    default_sort="-received_at",
    filters={
        "outcome": Filter("f.outcome", "text", ("eq", "in")),
        "kind": Filter("f.kind", "text", ("eq", "in")),
        "channel_id": Filter("f.channel_id", "id:channel"),
        "received_at": Filter("f.received_at", "timestamptz", ("gte", "lt")),
    },
    build_page=lambda ids, scope: [
        s.inbound_file_out(file) for file in desk.inbound_files_of(scope=scope, inbound_file_ids=ids)
    ],
)  # fmt: skip


def _one(item: WorkItem) -> Answer:
    return Answer(s.work_item_out(item), etag=etags.of(item.id, item.version))


@router.get(
    "/claim-work-items",
    summary="List what waits for a person",
    needs=Permission.CLAIMS_READ,
    action="work_item.list",
    returns=(200, s.WorkItemOut),
    list_spec=WORK,
    example=examples.page(examples.WORK_ITEM),
)
def list_work_items(request: ScopedRequest) -> Answer:
    """
    Claims that were turned away (TA1, 999, 277CA), files that the clearinghouse refused, and claims whose time limit
    is near or past: why, what to do, who takes care of it and by when. `state=open&due_on[lt]=…` is what presses.
    """
    return WORK.run(request, scope=request.auth)


@router.get(
    "/claim-work-items/{work_item_id}",
    summary="Read a work item",
    needs=Permission.CLAIMS_READ,
    action="work_item.read",
    returns=(200, s.WorkItemOut),
    example=examples.WORK_ITEM,
)
def get_work_item(request: ScopedRequest, work_item_id: str) -> Answer:
    """One item: why it is there, what to do, who takes care of it, and how it was settled."""
    id = path_id("work_item", work_item_id)
    return _one(desk.get_work_item(scope=request.auth, work_item_id=id))


@router.patch(
    "/claim-work-items/{work_item_id}",
    summary="Give a work item an owner or a day",
    needs=Permission.CLAIMS_WRITE,
    action="work_item.update",
    returns=(200, s.WorkItemOut),
    match=True,
    problems=(ReferenceNotFound, StateConflict),
    example=examples.WORK_ITEM,
    request_example={"owner_id": "usr_01h455vb4pex5vsknk084sn02q", "due_on": "2026-12-01"},
)
def change_work_item(request: ScopedRequest, work_item_id: str, body: s.WorkItemChange) -> Answer:
    """Say who takes care of an open item, and by when; `null` takes it back."""
    given: dict[str, Any] = {name: getattr(body, name) for name in body.model_fields_set}
    return _one(
        services.change_work(
            scope=request.auth, work_item_id=path_id("work_item", work_item_id),
            if_match=request.edge.if_match, given=given, now=timezone.now(),
        )
    )  # fmt: skip


@router.post(
    "/claim-work-items/{work_item_id}/resolve",
    summary="Settle a work item",
    needs=Permission.CLAIMS_WRITE,
    action="work_item.resolve",
    returns=(200, s.WorkItemOut),
    match=True,
    problems=(StateConflict,),
    example=examples.WORK_ITEM | {"state": "resolved", "resolution": "written off"},
    request_example={"resolution": "written off"},
)
def resolve_work_item(request: ScopedRequest, work_item_id: str, body: s.WorkItemResolveIn) -> Answer:
    """Settle an item by hand, with a word on how. Sending the claim again, or withdrawing it, settles it by itself."""
    return _one(
        services.resolve_work(
            scope=request.auth, work_item_id=path_id("work_item", work_item_id),
            if_match=request.edge.if_match, resolution=body.resolution, now=timezone.now(),
        )
    )  # fmt: skip


@router.get(
    "/inbound-files",
    summary="List what clearinghouses had for the practice",
    needs=Permission.CLAIMS_READ,
    action="inbound_file.list",
    returns=(200, s.InboundFileOut),
    list_spec=INBOUND,
    example=examples.page(examples.INBOUND_FILE),
)
def list_inbound_files(request: ScopedRequest) -> Answer:
    """
    Every acknowledgement, answer and remittance file that came through a channel, newest first, and what became of it.
    `outcome[in]=parked,unreadable` is what somebody may want to look at: it is about nothing that is here, or no X12.
    """
    return INBOUND.run(request, scope=request.auth)
