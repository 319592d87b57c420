"""Authorisations over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.utils import timezone

from rapport.kernel.problems import NotFound
from rapport.platform.access.scope import Scope
from rapport.platform.api import etags
from rapport.platform.api.lists import Filter, ListSpec, Sort
from rapport.platform.api.router import ScopedRequest
from rapport.platform.api.shapes import Answer, path_id
from rapport.rooms.coverage import examples, queries, services
from rapport.rooms.coverage import schemas as s

from .base import READ, WRITE, router


def _shapes(ids: Sequence[UUID], scope: Scope) -> list[Any]:
    found = queries.authorizations_of(scope=scope, authorization_ids=ids)
    standings = queries.standings_of(scope=scope, authorizations=found)
    scope.trail.patient_ids.update(row.patient_id for row in found)
    return [s.authorization_out(row, standings[row.id]) for row in found]


AUTHORIZATIONS = ListSpec(
    route="authorizations",
    columns="g.id",
    source="coverage_authorization g",
    id_column="g.id",
    practice_column="g.practice_id",
    sorts={
        "starts_on": Sort("g.starts_on", "date"),
        "updated_at": Sort("g.updated_at", "timestamptz"),
    },
    default_sort="starts_on",
    filters={
        "patient_id": Filter("g.patient_id", "id:patient"),
        "policy_id": Filter("g.policy_id", "id:insurance_policy"),
        "active": Filter("g.active", "bool"),
        "ends_on": Filter("g.ends_on", "date", ("gte", "gt", "lt", "lte")),
        "active_on": Filter(
            "", "date",
            condition="g.starts_on <= {value} AND (g.ends_on IS NULL OR g.ends_on >= {value})",
        ),
        "updated_at": Filter("g.updated_at", "instant", ("gte", "gt", "lt", "lte")),
    },
    build_page=_shapes,
)  # fmt: skip


def _authorization(request: ScopedRequest, id: UUID) -> Answer:
    scope = request.auth
    found = _shapes([id], scope)
    if not found:
        raise NotFound()
    [shape] = found
    scope.trail.target("authorization", id, shape.version)
    return Answer(shape, etag=etags.of(id, shape.version))


@router.get(
    "/authorizations",
    summary="List authorisations",
    needs=READ,
    action="authorization.list",
    returns=(200, s.AuthorizationOut),
    list_spec=AUTHORIZATIONS,
    example=examples.page(examples.AUTHORIZATION),
)
def list_authorizations(request: ScopedRequest) -> Answer:
    """What payers authorised, oldest first, each with what is left of it now."""
    return AUTHORIZATIONS.run(request, scope=request.auth)


@router.get(
    "/authorizations/{authorization_id}",
    summary="Read an authorisation",
    needs=READ,
    action="authorization.read",
    returns=(200, s.AuthorizationOut),
    example=examples.AUTHORIZATION,
)
def get_authorization(request: ScopedRequest, authorization_id: str) -> Answer:
    """
    One authorisation, and what is left of it.

    `used`, `in_flight`, `booked` and `left` are counted from appointments and claims as they are now: a visit that is called off, or
    a claim that is voided or denied, gives back what it took. Of several authorisations a visit uses the one that ends first.
    """
    return _authorization(request, path_id("authorization", authorization_id))


@router.post(
    "/authorizations",
    summary="Add an authorisation",
    needs=WRITE,
    action="authorization.create",
    returns=(201, s.AuthorizationOut),
    problems=(services.AuthorizationKnown,),
    example=examples.AUTHORIZATION,
    request_example=examples.NEW_AUTHORIZATION,
)
def create_authorization(request: ScopedRequest, body: s.AuthorizationIn) -> Answer:
    """
    Note what a payer authorised: for these services or any, so many visits or units, and the days.

    Its number goes into claims for the visits that use it (837P REF*G1, box 23 on paper). Booking answers with `warnings`
    when nothing is left, when little is, and when it ends soon; a claim has the same as findings.
    """
    row = services.create_authorization(scope=request.auth, now=timezone.now(), body=body)
    return _authorization(request, row.id)


@router.patch(
    "/authorizations/{authorization_id}",
    summary="Change an authorisation",
    needs=WRITE,
    action="authorization.update",
    returns=(200, s.AuthorizationOut),
    match=True,
    problems=(services.AuthorizationKnown,),
    example=examples.AUTHORIZATION,
    request_example={"allowed": 20, "ends_on": "2027-06-30"},
)
def change_authorization(
    request: ScopedRequest, authorization_id: str, body: s.AuthorizationChange
) -> Answer:
    """Change the fields that are sent. One that is not `active` is used by no further claim."""
    row = services.change_authorization(
        scope=request.auth, authorization_id=path_id("authorization", authorization_id),
        if_match=request.edge.if_match, now=timezone.now(), given=body.given(),
    )  # fmt: skip
    return _authorization(request, row.id)
