"""Enrolments with payers and credential spans over HTTP."""

from __future__ import annotations

from uuid import UUID

from django.utils import timezone

from rapport.kernel.ids import type_id
from rapport.kernel.problems import NotFound
from rapport.platform.access.permissions import Permission
from rapport.platform.api import etags
from rapport.platform.api.lists import Filter, ListSpec, Sort
from rapport.platform.api.router import ScopedRequest
from rapport.platform.api.shapes import Answer, path_id
from rapport.platform.db import sql
from rapport.rooms.coverage import examples, queries, services
from rapport.rooms.coverage import schemas as s

from .base import router

SPANS = ListSpec(
    route="credential-spans",
    columns=s.CREDENTIAL_COLUMNS,
    source=s.CREDENTIAL_SOURCE,
    id_column="s.id",
    practice_column="s.practice_id",
    sorts={
        "starts_on": Sort("s.starts_on", "date"),
        "updated_at": Sort("s.updated_at", "timestamptz"),
    },
    default_sort="starts_on",
    filters={
        "clinician_id": Filter("s.clinician_id", "id:clinician"),
        "payer_id": Filter("s.payer_id", "id:payer"),
        "ends_on": Filter("s.ends_on", "date", ("gte", "gt", "lt", "lte")),
        "active_on": Filter(
            "", "date",
            condition="s.starts_on <= {value} AND (s.ends_on IS NULL OR s.ends_on >= {value})",
        ),
        "updated_at": Filter("s.updated_at", "instant", ("gte", "gt", "lt", "lte")),
    },
    build=s.credential_span_out,
)  # fmt: skip


def _enrollments(request: ScopedRequest, id: UUID) -> Answer:
    scope = request.auth
    payer = queries.get_payer(scope=scope, payer_id=id)
    scope.trail.target("payer", id, payer.version)
    return Answer(
        s.enrollments_out(
            type_id("payer", id), queries.enrollments_of(scope=scope, payer_id=id),
            queries.enrollment_history(scope=scope, payer_id=id),
        )
    )  # fmt: skip


def _span(request: ScopedRequest, id: UUID) -> Answer:
    scope = request.auth
    row = sql.one(
        f"SELECT {s.CREDENTIAL_COLUMNS} FROM {s.CREDENTIAL_SOURCE}"  # noqa: S608 - constants
        " WHERE s.practice_id = %s AND s.id = %s",
        (scope.practice_id, id),
    )
    if row is None:
        raise NotFound()
    shape = s.credential_span_out(row, scope)
    scope.trail.target("credential_span", id, shape.version)
    return Answer(shape, etag=etags.of(id, shape.version))


@router.get(
    "/payers/{payer_id}/enrollments",
    summary="Read the enrolments with a payer",
    needs=Permission.PAYERS_READ,
    action="payer.enrollments",
    returns=(200, s.EnrollmentsOut),
    example=examples.ENROLLMENTS,
)
def get_enrollments(request: ScopedRequest, payer_id: str) -> Answer:
    """How the practice stands with a payer for claims, remittances and inquiries, and how it came to that."""
    return _enrollments(request, path_id("payer", payer_id))


@router.post(
    "/payers/{payer_id}/enrollments",
    summary="Note how an enrolment stands",
    needs=Permission.PAYERS_WRITE,
    action="payer.enroll",
    returns=(201, s.EnrollmentsOut),
    example=examples.ENROLLMENTS,
    request_example=examples.NEW_ENROLLMENT,
)
def note_enrollment(request: ScopedRequest, payer_id: str, body: s.EnrollmentIn) -> Answer:
    """
    Write down how the enrolment for one kind of transaction stands from now on; what it was stays in `history`.

    Where a payer needs one and it is not active, claims have a finding (`not-enrolled-837p`, `not-enrolled-835`) and
    inquiries a warning. Many payers need none: say nothing, or `needed: false`.
    """
    id = path_id("payer", payer_id)
    services.note_enrollment(scope=request.auth, payer_id=id, now=timezone.now(), body=body)
    return _enrollments(request, id)


@router.get(
    "/credential-spans",
    summary="List credential spans",
    needs=Permission.PAYERS_READ,
    action="credential_span.list",
    returns=(200, s.CredentialSpanOut),
    list_spec=SPANS,
    example=examples.page(examples.CREDENTIAL_SPAN),
)
def list_credential_spans(request: ScopedRequest) -> Answer:
    """Which clinician is credentialed with which payer from when until when. `ends_on[lt]` finds what ends soon."""
    return SPANS.run(request, scope=request.auth)


@router.get(
    "/credential-spans/{credential_span_id}",
    summary="Read a credential span",
    needs=Permission.PAYERS_READ,
    action="credential_span.read",
    returns=(200, s.CredentialSpanOut),
    example=examples.CREDENTIAL_SPAN,
)
def get_credential_span(request: ScopedRequest, credential_span_id: str) -> Answer:
    """One span in which a clinician is credentialed with a payer."""
    return _span(request, path_id("credential_span", credential_span_id))


@router.post(
    "/credential-spans",
    summary="Add a credential span",
    needs=Permission.PAYERS_WRITE,
    action="credential_span.create",
    returns=(201, s.CredentialSpanOut),
    problems=(services.CredentialOverlap,),
    example=examples.CREDENTIAL_SPAN,
    request_example=examples.NEW_CREDENTIAL_SPAN,
)
def create_credential_span(request: ScopedRequest, body: s.CredentialSpanIn) -> Answer:
    """
    Note from when until when a payer takes claims for a clinician's services.

    A payer with one span or more is checked: a claim for a day on which the rendering clinician has none gets the finding
    `clinician-not-credentialed`, which blocks where the clinician has spans on other days. Booking warns of the same.
    """
    row = services.create_credential_span(scope=request.auth, now=timezone.now(), body=body)
    return _span(request, row.id)


@router.patch(
    "/credential-spans/{credential_span_id}",
    summary="Change a credential span",
    needs=Permission.PAYERS_WRITE,
    action="credential_span.update",
    returns=(200, s.CredentialSpanOut),
    match=True,
    problems=(services.CredentialOverlap,),
    example=examples.CREDENTIAL_SPAN,
    request_example={"ends_on": "2027-12-31"},
)
def change_credential_span(
    request: ScopedRequest, credential_span_id: str, body: s.CredentialSpanChange
) -> Answer:
    """Change the fields that are sent. Claims already sent keep what they say."""
    row = services.change_credential_span(
        scope=request.auth, credential_span_id=path_id("credential_span", credential_span_id),
        if_match=request.edge.if_match, now=timezone.now(), given=body.given(),
    )  # fmt: skip
    return _span(request, row.id)
