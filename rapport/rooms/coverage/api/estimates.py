"""Good-faith estimates over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.utils import timezone

from rapport.kernel.problems import NotFound, StateConflict
from rapport.platform.access.scope import Scope
from rapport.platform.api import etags
from rapport.platform.api.lists import Filter, ListSpec, Sort
from rapport.platform.api.router import ScopedRequest
from rapport.platform.api.shapes import Answer, path_id
from rapport.rooms.coverage import examples, queries, services
from rapport.rooms.coverage import schemas as s
from rapport.rooms.documents.services import DocumentCorrupted

from .base import READ, WRITE, router

PDF = "application/pdf"


def _shapes(ids: Sequence[UUID], scope: Scope) -> list[Any]:
    rows = queries.estimates_of(scope=scope, estimate_ids=ids)
    lines = queries.estimate_lines(scope=scope, estimate_ids=[row.id for row in rows])
    now = timezone.now()
    return [
        s.estimate_out(row, lines[row.id], queries.drift_of(scope=scope, estimate=row, now=now)) for row in rows
    ]


ESTIMATES = ListSpec(
    route="good-faith-estimates",
    columns="g.id",
    source="coverage_estimate g",
    id_column="g.id",
    practice_column="g.practice_id",
    sorts={
        "created_at": Sort("g.created_at", "timestamptz"),
        "updated_at": Sort("g.updated_at", "timestamptz"),
    },
    default_sort="-created_at",
    filters={
        "patient_id": Filter("g.patient_id", "id:patient"),
        "state": Filter("g.state", "enum:draft|given|replaced", ("eq", "in")),
        "due_on": Filter("g.due_on", "date", ("gte", "gt", "lt", "lte")),
        "ends_on": Filter("g.ends_on", "date", ("gte", "gt", "lt", "lte")),
        "exceeded": Filter("(g.exceeded_at IS NOT NULL)", "bool"),
    },
    build_page=_shapes,
)


def _estimate(request: ScopedRequest, id: UUID) -> Answer:
    scope = request.auth
    found = _shapes([id], scope)
    if not found:
        raise NotFound()
    [shape] = found
    scope.trail.target("estimate", id, shape.version)
    return Answer(shape, etag=etags.of(id, shape.version))


@router.get(
    "/good-faith-estimates",
    summary="List good-faith estimates",
    needs=READ,
    action="estimate.list",
    returns=(200, s.EstimateOut),
    list_spec=ESTIMATES,
    example=examples.page(examples.ESTIMATE),
)
def list_estimates(request: ScopedRequest) -> Answer:
    """Estimates, newest first. `state=draft` with `due_on[lte]` finds what has to be given; `ends_on[lt]` what is to be renewed."""
    return ESTIMATES.run(request, scope=request.auth)


@router.get(
    "/good-faith-estimates/{estimate_id}",
    summary="Read a good-faith estimate",
    needs=READ,
    action="estimate.read",
    returns=(200, s.EstimateOut),
    problems=(StateConflict, DocumentCorrupted),
    example=examples.ESTIMATE,
    other_types={PDF: "What the patient was given, byte for byte."},
)
def get_estimate(request: ScopedRequest, estimate_id: str) -> Answer:
    """One estimate, with what was charged since. `Accept: application/pdf` gives the paper that the patient has."""
    id = path_id("estimate", estimate_id)
    if PDF in request.headers.get("Accept", ""):
        estimate = queries.get_estimate(scope=request.auth, estimate_id=id)
        return Answer(
            services.paper_of(scope=request.auth, estimate=estimate), content_type=PDF,
            headers={"Content-Disposition": f'attachment; filename="{estimate_id}.pdf"'},
        )  # fmt: skip
    return _estimate(request, id)


@router.post(
    "/good-faith-estimates",
    summary="Make a good-faith estimate",
    needs=WRITE,
    action="estimate.create",
    returns=(201, s.EstimateOut),
    example=examples.ESTIMATE | examples.DRAFT,
    request_example=examples.NEW_ESTIMATE,
)
def create_estimate(request: ScopedRequest, body: s.EstimateIn) -> Answer:
    """
    Estimate planned services for a patient who pays for them (No Surprises Act), at the rates of the practice.

    It is a draft until it is given. `due_on` is by when the law wants the patient to have it.
    """
    row = services.create_estimate(scope=request.auth, now=timezone.now(), body=body)
    return _estimate(request, row.id)


@router.post(
    "/good-faith-estimates/{estimate_id}/give",
    summary="Give a good-faith estimate",
    needs=WRITE,
    action="estimate.give",
    returns=(200, s.EstimateOut),
    match=True,
    problems=(StateConflict,),
    example=examples.ESTIMATE,
    request_example={"method": "paper"},
)
def give_estimate(request: ScopedRequest, estimate_id: str, body: s.GiveIn | None = None) -> Answer:
    """
    Number it, print it, and write down that the patient has it. It does not change any more; another one of those days is replaced.

    When charges come above it, events tell so once each: `estimate.near` from what the practice set on
    (`estimate_warning` of `/coverage-settings`), `estimate.exceeded` from 400 USD on.
    """
    row = services.give_estimate(
        scope=request.auth, estimate_id=path_id("estimate", estimate_id), now=timezone.now(),
        if_match=request.edge.if_match, given_by=(body or s.GiveIn()).method,
    )  # fmt: skip
    return _estimate(request, row.id)
