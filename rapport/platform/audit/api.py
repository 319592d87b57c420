"""The trail over HTTP. It can be read and verified; no call changes it."""

from __future__ import annotations

import dataclasses
from typing import Any

from rapport.kernel.problems import UnknownParameter
from rapport.platform.access.permissions import Permission
from rapport.platform.api.lists import Filter, ListSpec, Sort
from rapport.platform.api.router import RoomRouter, ScopedRequest
from rapport.platform.api.shapes import Answer, Page

from . import chain, checkpoints, examples
from . import schemas as s

router = RoomRouter(tag="Audit")

EVENTS = ListSpec(
    route="audit-events",
    columns=s.EVENT_COLUMNS,
    source="audit_auditlink l JOIN audit_auditevent e"
    " ON e.practice_id = l.practice_id AND e.id = l.event_id",
    id_column="e.id",
    practice_column="l.practice_id",
    sorts={"seq": Sort("l.seq", "bigint")},
    default_sort="seq",
    filters={
        "actor_id": Filter("e.actor_id", "id:user|api_key|practice"),
        "patient_id": Filter(
            "", "id:patient",
            condition="e.id IN (SELECT rapport_events_about({value}))",
        ),
        "action": Filter("e.action", "text", ("eq", "in")),
        "outcome": Filter("e.outcome", "enum:allow|deny|error", ("eq", "in")),
        "request_id": Filter("e.request_id", "id:request"),
        "target_type": Filter("e.target_type", "text"),
        "occurred_at": Filter("e.occurred_at", "instant", ("gte", "gt", "lt", "lte")),
    },
    build=s.event_out,
)  # fmt: skip


@router.get(
    "/audit-events",
    summary="Read the audit trail",
    needs=Permission.AUDIT_READ,
    action="audit.read",
    returns=(200, s.AuditEventOut),
    list_spec=EVENTS,
    example={
        "object": "list",
        "data": [examples.EVENT],
        "has_more": False,
        "next_cursor": None,
        "prev_cursor": None,
    },
)
def list_audit_events(request: ScopedRequest) -> Answer:
    """
    Who saw or changed what, in the order of the chain; `sort=-seq` gives the latest first.

    Holds ids, codes and names of fields; never a value of a record. Reading the trail is itself
    a row of it. There is no way to change or remove a row, for anybody.
    """
    scope = request.auth
    chain.chain_practice(scope)
    return EVENTS.run(request, scope=scope)


@router.get(
    "/audit/verify",
    summary="Verify the chain",
    needs=Permission.AUDIT_READ,
    action="audit.verify",
    kind="export",
    returns=(200, s.VerificationOut),
    parameters={
        "from": "First place to look at; 1 when left out.",
        "to": "Last place to look at; the end when left out.",
    },
    example=examples.VERIFICATION,
)
def verify_chain(request: ScopedRequest) -> s.VerificationOut:
    """
    Recompute the chain and compare it with the signed checkpoints outside the database.

    `first_bad_seq` names the first place that is not what it was. At most 250 000 links are
    looked at in one call; `to_seq` says how far it went.
    """
    scope = request.auth
    first = _place(request, "from") or 1
    chain.chain_practice(scope)
    found = chain.verify(scope, first, _place(request, "to"))
    scope.trail.count = found.checked
    if not found.valid:
        scope.trail.extra.append(
            {"action": "audit.verify", "outcome": "error", "reason": "chain_broken"}
        )
    return s.verification_out(found)


def _place(request: ScopedRequest, name: str) -> int | None:
    text = request.GET.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text[:19]) < 2**53:
        raise UnknownParameter("from and to are numbers from 1.")
    return int(text[:19])


@router.get(
    "/audit/checkpoints",
    summary="List the checkpoints",
    needs=Permission.AUDIT_READ,
    action="audit.checkpoints",
    kind="list",
    returns=(200, s.CheckpointOut),
    parameters={},
    example={
        "object": "list",
        "data": [examples.CHECKPOINT],
        "has_more": False,
        "next_cursor": None,
        "prev_cursor": None,
    },
)
def list_checkpoints(request: ScopedRequest) -> Page:
    """
    The latest thousand checkpoints, oldest first: where the chain stood, signed.

    Keep copies elsewhere. The signature is over the JSON array `[practice, seq, hash, at,
    previous]`, where `previous` is the SHA-256 of the line before in the file.
    """
    scope = request.auth
    known = checkpoints.read(scope.practice_id)[-1000:]
    scope.trail.count = len(known)
    data: list[Any] = []
    for point in known:
        members = dataclasses.asdict(point)
        members.pop("genuine")
        data.append(
            s.CheckpointOut(
                object="audit_checkpoint", practice_id=str(scope.practice_id), **members
            )
        )
    return Page(data=data, has_more=False, next_cursor=None)
