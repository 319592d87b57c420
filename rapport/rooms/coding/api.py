"""Coding over HTTP. A view turns a request into one service call, and does nothing else."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from django.utils import timezone

from rapport.kernel.ids import type_id
from rapport.kernel.problems import ImmutableField, NotFound, UnknownParameter
from rapport.platform.access.permissions import Permission
from rapport.platform.api import etags
from rapport.platform.api.lists import Filter, ListSpec, Sort
from rapport.platform.api.router import RoomRouter, ScopedRequest
from rapport.platform.api.shapes import Answer, MoneyOut, Page, path_id
from rapport.platform.db import sql
from rapport.platform.tenancy.external import ExternalIdTaken

from . import examples, queries, services
from . import schemas as s
from .rules import icd10

router = RoomRouter(tag="Codes")

DIAGNOSES = ListSpec(
    route="diagnosis-codes",
    columns=s.DIAGNOSIS_COLUMNS,
    source="coding_diagnosiscode d",
    id_column="d.id",
    # The same list for every practice: the condition on the practice is always met.
    practice_column="%(practice)s::uuid",
    sorts={"code": Sort("d.code", "text")},
    default_sort="code",
    filters={
        "code": Filter("d.code", "text", ("eq", "in", "gte", "lt")),
        "parent_code": Filter("d.parent_code", "text"),
        "billable": Filter("d.billable", "bool"),
        "valid_on": Filter(
            "", "date",
            condition="(d.valid_from IS NULL OR d.valid_from <= {value})"
            " AND (d.valid_to IS NULL OR d.valid_to >= {value})",
        ),
    },
    build=s.diagnosis_out,
)  # fmt: skip


@router.get(
    "/diagnosis-codes",
    summary="List diagnosis codes",
    needs=Permission.CODES_READ,
    action="diagnosis_code.list",
    returns=(200, s.DiagnosisCodeOut),
    list_spec=DIAGNOSES,
    example={
        "object": "list",
        "data": [examples.DIAGNOSIS],
        "has_more": False,
        "next_cursor": None,
        "prev_cursor": None,
    },
)
def list_diagnosis_codes(request: ScopedRequest) -> Answer:
    """
    ICD-10-CM, a page at a time, by code. `valid_on` keeps the codes in use on a day of service.

    A code that changed has one entry per span of days. To look for words of a title use
    `POST /v1/diagnosis-codes/search`.
    """
    return DIAGNOSES.run(request, scope=request.auth)


@router.get(
    "/diagnosis-codes/{code}",
    summary="Read a diagnosis code",
    needs=Permission.CODES_READ,
    action="diagnosis_code.read",
    returns=(200, s.DiagnosisCodeOut),
    parameters={"on": "Day of service, `YYYY-MM-DD`; today when left out."},
    example=examples.DIAGNOSIS,
)
def get_diagnosis_code(request: ScopedRequest, code: str) -> Answer:
    """One code as it stood on a day, with or without its dot. Not in use that day: not found."""
    scope = request.auth
    try:
        given = request.GET.get("on")
        on = date.fromisoformat(given) if given else scope.day_of(timezone.now())
    except ValueError as error:
        raise UnknownParameter("`on` is a day, YYYY-MM-DD.") from error
    row = sql.one(
        f"SELECT {s.DIAGNOSIS_COLUMNS} FROM coding_diagnosiscode d WHERE d.code = %s"  # noqa: S608 - constants
        " AND (d.valid_from IS NULL OR d.valid_from <= %s)"
        " AND (d.valid_to IS NULL OR d.valid_to >= %s)",
        (icd10.written(code), on, on),
    )
    if row is None:
        raise NotFound(reason="missing")
    return Answer(s.diagnosis_out(row, scope), etag=etags.of(row[0], 1))


@router.post(
    "/diagnosis-codes/search",
    summary="Search diagnosis codes",
    needs=Permission.CODES_READ,
    action="diagnosis_code.search",
    kind="search",
    key="none",
    returns=(200, s.DiagnosisCodeOut),
    example={
        "object": "list",
        "data": [examples.DIAGNOSIS],
        "has_more": False,
        "next_cursor": None,
        "prev_cursor": None,
    },
    request_example={"text": "generalized anx", "on": "2026-03-02"},
)
def search_diagnosis_codes(request: ScopedRequest, body: s.DiagnosisSearch) -> Page:
    """
    Find codes by the beginning of the code, or of each word of the title, as of a day of service.

    An exact code comes first, then codes that begin so, then the behavioural chapter.
    """
    scope = request.auth
    rows = queries.search_diagnoses(
        columns=s.DIAGNOSIS_COLUMNS, text=body.text, billable=body.billable, limit=body.limit,
        on=body.on or scope.day_of(timezone.now()),
    )  # fmt: skip
    scope.trail.count = len(rows)
    return Page(
        data=[s.diagnosis_out(row, scope) for row in rows], has_more=False, next_cursor=None
    )


SERVICE_CODES = ListSpec(
    route="service-codes",
    columns=s.SERVICE_CODE_COLUMNS,
    source="coding_servicecode s",
    id_column="s.id",
    practice_column="s.practice_id",
    sorts={"code": Sort("s.code", "text"), "updated_at": Sort("s.updated_at", "timestamptz")},
    default_sort="code",
    filters={
        "active": Filter("s.active", "bool"),
        "code": Filter("s.code", "text", ("eq", "in")),
        "telehealth_allowed": Filter("s.telehealth_allowed", "bool"),
    },
    build=s.service_code_out,
)


def _service_code(request: ScopedRequest, id: UUID, *, status: int | None = None) -> Answer:
    scope = request.auth
    row = sql.one(
        f"SELECT {s.SERVICE_CODE_COLUMNS} FROM coding_servicecode s"  # noqa: S608 - constants
        " WHERE s.practice_id = %s AND s.id = %s",
        (scope.practice_id, id),
    )
    if row is None:
        raise NotFound()
    shape = s.service_code_out(row, scope)
    scope.trail.target("service_code", id, shape.version)
    return Answer(shape, etag=etags.of(id, shape.version), status=status)


@router.get(
    "/service-codes",
    summary="List service codes",
    needs=Permission.CODES_READ,
    action="service_code.list",
    returns=(200, s.ServiceCodeOut),
    list_spec=SERVICE_CODES,
    example={
        "object": "list",
        "data": [examples.SERVICE_CODE],
        "has_more": False,
        "next_cursor": None,
        "prev_cursor": None,
    },
)
def list_service_codes(request: ScopedRequest) -> Answer:
    """The services the practice offers, by code. `active=true` keeps those that can be booked."""
    return SERVICE_CODES.run(request, scope=request.auth)


@router.get(
    "/service-codes/{service_code_id}",
    summary="Read a service code",
    needs=Permission.CODES_READ,
    action="service_code.read",
    returns=(200, s.ServiceCodeOut),
    example=examples.SERVICE_CODE,
)
def get_service_code(request: ScopedRequest, service_code_id: str) -> Answer:
    """One service, with its length, time rules and charge per unit."""
    return _service_code(request, path_id("service_code", service_code_id))


@router.post(
    "/service-codes",
    summary="Add a service code",
    needs=Permission.CODES_WRITE,
    action="service_code.create",
    returns=(201, s.ServiceCodeOut),
    problems=(services.ServiceCodeTaken, ExternalIdTaken),
    example=examples.SERVICE_CODE,
    request_example=examples.NEW_SERVICE_CODE,
)
def create_service_code(request: ScopedRequest, body: s.ServiceCodeIn) -> Answer:
    """
    Add a service the practice offers.

    Time rules that are left out are filled in from the code set, where we know them; check them
    against your payers. The label is your own: descriptors of CPT codes are the AMA's.
    """
    row = services.create_service_code(scope=request.auth, now=timezone.now(), body=body)
    return _service_code(request, row.id)


@router.put(
    "/service-codes/by-external-id",
    summary="Create or change a service code by external id",
    needs=Permission.CODES_WRITE,
    action="service_code.put",
    returns=(200, s.ServiceCodeOut),
    problems=(services.ServiceCodeTaken, ExternalIdTaken, ImmutableField),
    example=examples.SERVICE_CODE,
    request_example=examples.NEW_SERVICE_CODE
    | {"external_ids": [{"system": "urn:example:crm", "value": "7"}]},
)
def put_service_code(request: ScopedRequest, body: s.ServiceCodeIn) -> Answer:
    """The service with the first of `external_ids` gets these fields; made when there is none: 201."""
    row, created = services.put_service_code(scope=request.auth, now=timezone.now(), body=body)
    return _service_code(request, row.id, status=201 if created else 200)


@router.patch(
    "/service-codes/{service_code_id}",
    summary="Change a service code",
    needs=Permission.CODES_WRITE,
    action="service_code.update",
    returns=(200, s.ServiceCodeOut),
    match=True,
    problems=(ExternalIdTaken,),
    example=examples.SERVICE_CODE,
    request_example={"rate": {"amount": 19000, "currency": "USD"}},
)
def change_service_code(
    request: ScopedRequest, service_code_id: str, body: s.ServiceCodeChange
) -> Answer:
    """Change the fields that are sent; `active: false` takes it out of booking."""
    row = services.change_service_code(
        scope=request.auth, service_code_id=path_id("service_code", service_code_id),
        if_match=request.edge.if_match, now=timezone.now(), given=body.given(),
    )  # fmt: skip
    return _service_code(request, row.id)


def _rates(request: ScopedRequest, id: UUID) -> Answer:
    scope = request.auth
    code = queries.get_service_code(scope=scope, service_code_id=id)
    rows: list[tuple[Any, ...]] = sql.rows(s.RATES, (scope.practice_id, id))
    scope.trail.target("service_code", id, code.version)
    shape = s.RatesOut(
        object="service_code_rates", id=type_id("service_code", id),
        default_rate=MoneyOut(code.rate_cents), rates=[s.rate_out(row) for row in rows],
        version=code.version,
    )  # fmt: skip
    return Answer(shape, etag=etags.of(id, code.version))


@router.get(
    "/service-codes/{service_code_id}/rates",
    summary="Read the rates of a service code",
    needs=Permission.CODES_READ,
    action="service_code.read_rates",
    returns=(200, s.RatesOut),
    example=examples.RATES,
)
def get_rates(request: ScopedRequest, service_code_id: str) -> Answer:
    """
    The special rates of one service. The first that fits is charged.

    The order: payer and clinician, then payer, then clinician, then the default rate.
    """
    return _rates(request, path_id("service_code", service_code_id))


@router.put(
    "/service-codes/{service_code_id}/rates",
    summary="Set the rates of a service code",
    needs=Permission.CODES_WRITE,
    action="service_code.set_rates",
    returns=(200, s.RatesOut),
    match=True,
    example=examples.RATES,
    request_example=examples.NEW_RATES,
)
def set_rates(request: ScopedRequest, service_code_id: str, body: s.RatesIn) -> Answer:
    """
    Replace all special rates of one service. Charges that were already made stay as they are. Of rates for the same payer
    and clinician the one that started later is charged, so two of them cannot start on one day.
    """
    row = services.set_rates(
        scope=request.auth, service_code_id=path_id("service_code", service_code_id),
        if_match=request.edge.if_match, now=timezone.now(), rates=body.rates,
    )  # fmt: skip
    return _rates(request, row.id)
