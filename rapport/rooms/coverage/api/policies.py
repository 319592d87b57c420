"""Payers and policies over HTTP."""

from __future__ import annotations

from uuid import UUID

from django.utils import timezone

from rapport.kernel.problems import NotFound
from rapport.platform.access.permissions import Permission
from rapport.platform.api import etags
from rapport.platform.api.lists import Filter, ListSpec, Sort
from rapport.platform.api.router import ScopedRequest
from rapport.platform.api.shapes import Answer, path_id
from rapport.platform.db import sql
from rapport.rooms.coverage import examples, services
from rapport.rooms.coverage import schemas as s

from .base import router

PAYERS = ListSpec(
    route="payers",
    columns=s.PAYER_COLUMNS,
    source="coverage_payer y",
    id_column="y.id",
    practice_column="y.practice_id",
    sorts={"name": Sort("y.name", "text"), "updated_at": Sort("y.updated_at", "timestamptz")},
    default_sort="name",
    filters={
        "active": Filter("y.active", "bool"),
        "payer_id_code": Filter("y.payer_id_code", "text", ("eq", "in")),
    },
    build=s.payer_out,
)

POLICIES = ListSpec(
    route="insurance-policies",
    columns=s.POLICY_COLUMNS,
    source=s.POLICY_SOURCE,
    id_column="i.id",
    practice_column="i.practice_id",
    sorts={
        "updated_at": Sort("i.updated_at", "timestamptz"),
        "starts_on": Sort("i.starts_on", "date"),
    },
    default_sort="starts_on",
    filters={
        "patient_id": Filter("i.patient_id", "id:patient"),
        "payer_id": Filter("i.payer_id", "id:payer"),
        "rank": Filter("i.rank", "enum:primary|secondary|tertiary|quaternary", ("eq", "in")),
        "active_on": Filter(
            "", "date",
            condition="i.starts_on <= {value} AND (i.ends_on IS NULL OR i.ends_on >= {value})",
        ),
        "updated_at": Filter("i.updated_at", "instant", ("gte", "gt", "lt", "lte")),
    },
    build=s.policy_out,
    patient_index=1,
)  # fmt: skip


def _payer(request: ScopedRequest, id: UUID, *, status: int | None = None) -> Answer:
    scope = request.auth
    row = sql.one(
        f"SELECT {s.PAYER_COLUMNS} FROM coverage_payer y"  # noqa: S608 - constants
        " WHERE y.practice_id = %s AND y.id = %s",
        (scope.practice_id, id),
    )
    if row is None:
        raise NotFound()
    shape = s.payer_out(row, scope)
    scope.trail.target("payer", id, shape.version)
    return Answer(shape, etag=etags.of(id, shape.version), status=status)


def _policy(request: ScopedRequest, id: UUID) -> Answer:
    scope = request.auth
    row = sql.one(
        f"SELECT {s.POLICY_COLUMNS} FROM {s.POLICY_SOURCE}"  # noqa: S608 - constants
        " WHERE i.practice_id = %s AND i.id = %s",
        (scope.practice_id, id),
    )
    if row is None:
        raise NotFound()
    shape = s.policy_out(row, scope)
    scope.trail.patient_ids.add(row[1])
    scope.trail.target("insurance_policy", id, shape.version)
    return Answer(shape, etag=etags.of(id, shape.version))


@router.get(
    "/payers",
    summary="List payers",
    needs=Permission.PAYERS_READ,
    action="payer.list",
    returns=(200, s.PayerOut),
    list_spec=PAYERS,
    example={
        "object": "list",
        "data": [examples.PAYER],
        "has_more": False,
        "next_cursor": None,
        "prev_cursor": None,
    },
)
def list_payers(request: ScopedRequest) -> Answer:
    """The practice's directory of payers, by name. `active=true` keeps those for new policies."""
    return PAYERS.run(request, scope=request.auth)


@router.get(
    "/payers/{payer_id}",
    summary="Read a payer",
    needs=Permission.PAYERS_READ,
    action="payer.read",
    returns=(200, s.PayerOut),
    example=examples.PAYER,
)
def get_payer(request: ScopedRequest, payer_id: str) -> Answer:
    """One payer, with the id by which the clearinghouse knows it and its address for paper."""
    return _payer(request, path_id("payer", payer_id))


@router.post(
    "/payers",
    summary="Add a payer",
    needs=Permission.PAYERS_WRITE,
    action="payer.create",
    returns=(201, s.PayerOut),
    problems=(services.ExternalIdTaken,),
    example=examples.PAYER,
    request_example=examples.NEW_PAYER,
)
def create_payer(request: ScopedRequest, body: s.PayerIn) -> Answer:
    """Add a payer to the practice's directory. Its code is the one your clearinghouse uses."""
    payer = services.create_payer(scope=request.auth, now=timezone.now(), body=body)
    return _payer(request, payer.id)


@router.put(
    "/payers/by-external-id",
    summary="Create or change a payer by external id",
    needs=Permission.PAYERS_WRITE,
    action="payer.put",
    returns=(200, s.PayerOut),
    problems=(services.ExternalIdTaken,),
    example=examples.PAYER,
    request_example=examples.NEW_PAYER
    | {"external_ids": [{"system": "urn:example:crm", "value": "7"}]},
)
def put_payer(request: ScopedRequest, body: s.PayerIn) -> Answer:
    """The payer with the first of `external_ids` gets these fields; made when there is none: 201."""
    payer, created = services.put_payer(scope=request.auth, now=timezone.now(), body=body)
    return _payer(request, payer.id, status=201 if created else 200)


@router.patch(
    "/payers/{payer_id}",
    summary="Change a payer",
    needs=Permission.PAYERS_WRITE,
    action="payer.update",
    returns=(200, s.PayerOut),
    match=True,
    problems=(services.ExternalIdTaken,),
    example=examples.PAYER,
    request_example={"active": False},
)
def change_payer(request: ScopedRequest, payer_id: str, body: s.PayerChange) -> Answer:
    """
    Change the fields that are sent. A new name shows on the payer's patients at once.

    `submitter` says who sends the practice's claims to this payer: a claim to a payer whose claims
    the portal sends is refused here (409 `other-submitter`), and the other way round.
    """
    payer = services.change_payer(
        scope=request.auth, payer_id=path_id("payer", payer_id),
        if_match=request.edge.if_match, now=timezone.now(), given=body.given(),
    )  # fmt: skip
    return _payer(request, payer.id)


@router.get(
    "/insurance-policies",
    summary="List insurance policies",
    needs=Permission.POLICIES_READ,
    action="insurance_policy.list",
    returns=(200, s.PolicyOut),
    list_spec=POLICIES,
    example={
        "object": "list",
        "data": [examples.POLICY],
        "has_more": False,
        "next_cursor": None,
        "prev_cursor": None,
    },
)
def list_policies(request: ScopedRequest) -> Answer:
    """Policies, oldest first. With `patient_id` and `active_on`: what pays for a day of service."""
    return POLICIES.run(request, scope=request.auth)


@router.get(
    "/insurance-policies/{insurance_policy_id}",
    summary="Read an insurance policy",
    needs=Permission.POLICIES_READ,
    action="insurance_policy.read",
    returns=(200, s.PolicyOut),
    example=examples.POLICY,
)
def get_policy(request: ScopedRequest, insurance_policy_id: str) -> Answer:
    """One policy, with its payer, its days, and the subscriber when that is not the patient."""
    return _policy(request, path_id("insurance_policy", insurance_policy_id))


@router.post(
    "/insurance-policies",
    summary="Add an insurance policy",
    needs=Permission.POLICIES_WRITE,
    action="insurance_policy.create",
    connected="refused",
    returns=(201, s.PolicyOut),
    problems=(services.PolicyOverlap,),
    example=examples.POLICY,
    request_example=examples.NEW_POLICY,
)
def create_policy(request: ScopedRequest, body: s.PolicyIn) -> Answer:
    """
    Give a patient a policy. Up to four ranks, and one policy per rank on any day.

    A second policy of the same rank on some of the same days is refused with `policy-overlap`.
    Emits `insurance_policy.created`, and `patient.updated` when it is the one billed first today.
    """
    policy = services.create_policy(scope=request.auth, now=timezone.now(), body=body)
    return _policy(request, policy.id)


@router.patch(
    "/insurance-policies/{insurance_policy_id}",
    summary="Change an insurance policy",
    needs=Permission.POLICIES_WRITE,
    action="insurance_policy.update",
    connected="refused",
    returns=(200, s.PolicyOut),
    match=True,
    problems=(services.PolicyOverlap,),
    example=examples.POLICY,
    request_example={"ends_on": "2026-12-31"},
)
def change_policy(request: ScopedRequest, insurance_policy_id: str, body: s.PolicyChange) -> Answer:
    """Change the fields that are sent. Claims that were already made keep what they carried."""
    policy = services.change_policy(
        scope=request.auth, policy_id=path_id("insurance_policy", insurance_policy_id),
        if_match=request.edge.if_match, now=timezone.now(), given=body.given(),
    )  # fmt: skip
    return _policy(request, policy.id)
