"""Eligibility over HTTP: asking is noted at once, and answered when the payer has answered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.utils import timezone

from rapport.kernel.ids import parse_type_id
from rapport.kernel.problems import Gone, NotFound, Problem, StateConflict
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.api import etags
from rapport.platform.api.lists import Filter, ListSpec, Sort
from rapport.platform.api.router import ScopedRequest
from rapport.platform.api.shapes import Answer, path_id
from rapport.rooms.coverage import examples, queries, services
from rapport.rooms.coverage import schemas as s
from rapport.rooms.coverage.ports import NumbersUsedUp

from .base import READ, WRITE, router

X12 = "application/edi-x12"


def _shapes(ids: Sequence[UUID], scope: Scope) -> list[Any]:
    rows = queries.checks_of(scope=scope, check_ids=ids)
    exchanges = queries.exchanges_of(scope=scope, check_ids=[row.id for row in rows])
    now = timezone.now()
    today = scope.day_of(now)
    said = {
        payer_id: queries.enrollment_notices(scope=scope, payer_id=payer_id, transactions=("270",), on=today)
        for payer_id in {row.payer_id for row in rows}
    }
    return [s.check_out(row, exchanges[row.id], said[row.payer_id], now=now) for row in rows]


CHECKS = ListSpec(
    route="eligibility-checks",
    columns="k.id",
    source="coverage_eligibilitycheck k",
    id_column="k.id",
    practice_column="k.practice_id",
    sorts={
        "created_at": Sort("k.created_at", "timestamptz"),
        "updated_at": Sort("k.updated_at", "timestamptz"),
    },
    default_sort="-created_at",
    filters={
        "policy_id": Filter("k.policy_id", "id:insurance_policy"),
        "patient_id": Filter("k.patient_id", "id:patient"),
        "payer_id": Filter("k.payer_id", "id:payer"),
        "state": Filter("k.state", "enum:queued|asking|asked|answered|refused|unanswered", ("eq", "in")),
        "answer_by": Filter("k.answer_by", "instant", ("gte", "gt", "lt", "lte")),
        "file_id": Filter(
            "(SELECT max(x.file_id::text)::uuid FROM coverage_eligibilityexchange x WHERE x.practice_id = k.practice_id"
            " AND x.check_of_id = k.id)", "id:eligibility_file",
        ),
        "coverage": Filter("(k.snapshot ->> 'coverage')", "enum:active|inactive|unknown"),
        "updated_at": Filter("k.updated_at", "instant", ("gte", "gt", "lt", "lte")),
    },
    build_page=_shapes,
)


def _files(ids: Sequence[UUID], scope: Scope) -> list[Any]:
    rows = queries.files_of(scope=scope, file_ids=ids)
    counts = queries.progress_of(scope=scope, file_ids=ids)
    where = services.whereabouts(scope=scope, file_ids=ids)
    now = timezone.now()
    return [s.file_out(row, counts[row.id], where.get(row.id), now=now) for row in rows]


FILES = ListSpec(
    route="eligibility-files",
    columns="f.id",
    source="coverage_eligibilityfile f",
    id_column="f.id",
    practice_column="f.practice_id",
    sorts={"created_at": Sort("f.created_at", "timestamptz")},
    default_sort="-created_at",
    filters={
        "payer_id": Filter("f.payer_id", "id:payer"),
        "answer_by": Filter("f.answer_by", "instant", ("gte", "gt", "lt", "lte")),
    },
    build_page=_files,
)


def _check(request: ScopedRequest, id: UUID) -> Answer:
    scope = request.auth
    found = _shapes([id], scope)
    if not found:
        raise NotFound()
    [shape] = found
    scope.trail.target("eligibility_check", id, shape.version)
    return Answer(shape, etag=etags.of(id, shape.version))


@router.get(
    "/eligibility-checks",
    summary="List eligibility checks",
    needs=READ,
    action="eligibility_check.list",
    returns=(200, s.EligibilityCheckOut),
    list_spec=CHECKS,
    example=examples.page(examples.ELIGIBILITY_CHECK),
)
def list_checks(request: ScopedRequest) -> Answer:
    """What payers were asked, newest first. `coverage=inactive` finds whose cover has ended, by the payer's word."""
    return CHECKS.run(request, scope=request.auth)


@router.get(
    "/eligibility-checks/{eligibility_check_id}",
    summary="Read an eligibility check",
    needs=READ,
    action="eligibility_check.read",
    returns=(200, s.EligibilityCheckOut),
    problems=(StateConflict, Gone),
    example=examples.ELIGIBILITY_CHECK,
    other_types={X12: "The payer's 271, byte for byte as it came."},
)
def get_check(request: ScopedRequest, eligibility_check_id: str) -> Answer:
    """
    One check: the benefits as we read them, why there are none, and every question that was sent.

    `Accept: application/edi-x12` gives the payer's answer as it came.
    """
    id = path_id("eligibility_check", eligibility_check_id)
    if X12 in request.headers.get("Accept", ""):
        check = queries.get_check(scope=request.auth, check_id=id)
        data = queries.response_bytes(scope=request.auth, check_id=id)
        if data is None:
            raise StateConflict("Nothing came back yet.", current_state=check.state)
        request.auth.trail.target("eligibility_check", id, check.version)
        return Answer(data, content_type=X12)
    return _check(request, id)


@router.post(
    "/insurance-policies/{insurance_policy_id}/eligibility-checks",
    summary="Check a policy's eligibility",
    needs=WRITE,
    action="eligibility_check.create",
    returns=(202, s.EligibilityCheckOut),
    problems=(services.NoWayToAsk, NumbersUsedUp),
    example=examples.ELIGIBILITY_CHECK | examples.QUEUED,
    request_example={"service_types": ["30", "MH"]},
)
def create_check(
    request: ScopedRequest, insurance_policy_id: str, body: s.EligibilityCheckIn | None = None
) -> Answer:
    """
    Ask the policy's payer what it covers (270), and keep what it answers (271).

    Answers 202: the question is made and kept, and not yet asked. A check that is under way is returned and not made
    again. Listen for `eligibility_check.answered`, `.refused` and `.unanswered`. An answer is what the payer said at
    `as_of`, no promise to pay: nothing here turns a patient away.
    """
    said = body or s.EligibilityCheckIn()
    check = services.request_check(
        scope=request.auth, policy_id=path_id("insurance_policy", insurance_policy_id),
        service_on=said.service_on, service_types=said.service_types, now=timezone.now(),
    )  # fmt: skip
    return _check(request, check.id)


@router.post(
    "/eligibility-checks",
    summary="Check several policies",
    needs=WRITE,
    action="eligibility_check.batch",
    returns=(202, s.EligibilityBatchOut),
    problems=(services.NoWayToAsk,),
    example=examples.ELIGIBILITY_BATCH,
    request_example=examples.NEW_ELIGIBILITY_BATCH,
)
def create_checks(request: ScopedRequest, body: s.EligibilityBatchIn) -> Answer:
    """
    Ask about up to a hundred policies.

    Nobody is asked where one of them is not here. Of the others each stands for itself: one that cannot be asked
    about says why.
    """
    scope, now = request.auth, timezone.now()
    policies = {
        text: queries.refer_to_policy(
            scope=scope, policy_id=parse_type_id("insurance_policy", text), pointer=f"/policy_ids/{at}"
        )
        for at, text in enumerate(body.policy_ids)
    }  # fmt: skip
    made: dict[str, UUID | str] = {}
    for text, policy in policies.items():
        try:
            made[text] = services.request_check(
                scope=scope, policy_id=policy.id, service_on=body.service_on, service_types=body.service_types, now=now
            ).id
        except services.NoWayToAsk:
            raise
        except Problem as problem:
            made[text] = problem.code
    shapes = {shape.id: shape for shape in _shapes([id for id in made.values() if isinstance(id, UUID)], scope)}
    return Answer(s.batch_out(made, shapes))


@router.post(
    "/eligibility-checks/{eligibility_check_id}/give-up",
    summary="Await a late answer no longer",
    needs=WRITE,
    action="eligibility_check.give_up",
    returns=(200, s.EligibilityCheckOut),
    problems=(StateConflict,),
    example=examples.ELIGIBILITY_CHECK | examples.GIVEN_UP,
)
def give_up(request: ScopedRequest, eligibility_check_id: str) -> Answer:
    """
    End a check whose file was not answered in time, so that its policy can be asked about again.

    Asking again may cost again: that is why somebody says so. After five days it ends by itself. An answer that
    comes all the same is taken.
    """
    id = path_id("eligibility_check", eligibility_check_id)
    services.give_up(scope=request.auth, check_id=id, now=timezone.now())
    return _check(request, id)


@router.get(
    "/eligibility-files",
    summary="List files of questions",
    needs=READ,
    action="eligibility_file.list",
    returns=(200, s.EligibilityFileOut),
    list_spec=FILES,
    example=examples.page(examples.ELIGIBILITY_FILE),
)
def list_files(request: ScopedRequest) -> Answer:
    """
    The files in which payers were asked about eligibility, newest first, and how far each is.

    Its checks are `/v1/eligibility-checks?file_id=`.
    """
    return FILES.run(request, scope=request.auth)


@router.get(
    "/coverage-settings",
    summary="Read what the practice wants of coverage",
    needs=Permission.PAYERS_READ,
    action="coverage_settings.read",
    returns=(200, s.CoverageSettingsOut),
    example=examples.COVERAGE_SETTINGS,
)
def get_settings(request: ScopedRequest) -> Answer:
    """Whether payers are asked before visits, how often, and when an estimate is warned of."""
    row = queries.settings_of(scope=request.auth, now=timezone.now())
    return Answer(s.settings_out(row), etag=etags.of(row.id, row.version))


@router.patch(
    "/coverage-settings",
    summary="Change what the practice wants of coverage",
    needs=Permission.PAYERS_WRITE,
    action="coverage_settings.update",
    returns=(200, s.CoverageSettingsOut),
    match=True,
    example=examples.COVERAGE_SETTINGS,
    request_example={"check_days_before": 2},
)
def change_settings(request: ScopedRequest, body: s.CoverageSettingsChange) -> Answer:
    """Change the fields that are sent. Each question may cost money at the clearinghouse: none is asked by itself at first."""
    row = services.change_settings(
        scope=request.auth, if_match=request.edge.if_match, now=timezone.now(), given=body.given()
    )
    return Answer(s.settings_out(row), etag=etags.of(row.id, row.version))
