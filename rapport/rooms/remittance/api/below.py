"""What payers allowed below their contracts, over HTTP."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

from django.utils import timezone

from rapport.kernel.ids import type_id
from rapport.kernel.problems import FieldError, Invalid, StateConflict, UnknownParameter
from rapport.platform.access.permissions import Permission
from rapport.platform.api import etags
from rapport.platform.api.lists import Filter, ListSpec, Sort
from rapport.platform.api.router import ScopedRequest
from rapport.platform.api.shapes import Answer, path_id
from rapport.rooms.coverage import queries as coverage
from rapport.rooms.remittance import examples, queries, services
from rapport.rooms.remittance.schemas import below as s

from .base import router

LONGEST = timedelta(days=400)

UNDERPAYMENTS = ListSpec(
    route="underpayments",
    columns="u.id",
    source="remittance_underpayment u",
    id_column="u.id",
    practice_column="u.practice_id",
    sorts={
        "deadline_on": Sort("u.deadline_on", "date"), "created_at": Sort("u.created_at", "timestamptz"),
        "decided_on": Sort("u.decided_on", "date"),
    },
    default_sort="deadline_on",
    filters={
        "state": Filter("u.state", "enum:open|disputed|accepted|recovered|noted|withdrawn", ("eq", "in")),
        "payer_id": Filter("u.payer_id", "id:payer"),
        "service_code": Filter("u.service_code", "text", ("eq", "in")),
        "claim_id": Filter("u.claim_id", "id:claim"),
        "decided_on": Filter("u.decided_on", "date", ("gte", "lt", "lte")),
        "deadline_on": Filter("u.deadline_on", "date", ("gte", "lt", "lte")),
    },
    build_page=lambda ids, scope: [
        s.underpayment_out(row) for row in queries.underpayments_by_id(scope=scope, underpayment_ids=ids)
    ],
)  # fmt: skip


def _underpayment(request: ScopedRequest, id: UUID, *, status: int | None = None) -> Answer:
    scope = request.auth
    row = queries.get_underpayment(scope=scope, underpayment_id=id)
    [shown] = queries.underpayments_by_id(scope=scope, underpayment_ids=[id])
    return Answer(s.underpayment_out(shown), etag=etags.of(row.id, row.version), status=status)


@router.get(
    "/underpayments",
    summary="List underpayments",
    needs=Permission.REMITTANCES_READ,
    action="underpayment.list",
    returns=(200, s.UnderpaymentOut),
    list_spec=UNDERPAYMENTS,
    example=examples.page(examples.UNDERPAYMENT),
)
def list_underpayments(request: ScopedRequest) -> Answer:
    """
    Posted decisions that are further from the payer's contract than the posting policy lets pass, by the last day to
    dispute them. `state=open` is the work list; `state=noted` are those above the contract.
    """
    return UNDERPAYMENTS.run(request, scope=request.auth)


@router.get(
    "/underpayments/{underpayment_id}",
    summary="Read an underpayment",
    needs=Permission.REMITTANCES_READ,
    action="underpayment.read",
    returns=(200, s.UnderpaymentOut),
    example=examples.UNDERPAYMENT,
)
def get_underpayment(request: ScopedRequest, underpayment_id: str) -> Answer:
    """One of them: what the contract says and by which rate, what the payer allowed, and what became of it."""
    return _underpayment(request, path_id("underpayment", underpayment_id))


@router.post(
    "/underpayments/{underpayment_id}/settle",
    summary="Say what became of an underpayment",
    needs=Permission.REMITTANCES_POST,
    action="underpayment.settle",
    returns=(200, s.UnderpaymentOut),
    problems=(StateConflict,),
    example=examples.UNDERPAYMENT,
    request_example={"state": "disputed", "note": "Letter sent by fax."},
)
def settle_underpayment(request: ScopedRequest, underpayment_id: str, body: s.SettleIn) -> Answer:
    """
    `disputed` (the payer was asked), `accepted` (the payer is right, or nothing is done), `recovered` (with the amount that
    came in, at most what is missing), or `open` again. Books nothing: the money comes with a remittance.
    """
    id = path_id("underpayment", underpayment_id)
    services.settle_underpayment(
        scope=request.auth, underpayment_id=id, to=body.state, note=body.note,
        recovered_cents=body.recovered.amount if body.recovered else None, now=timezone.now(),
    )  # fmt: skip
    return _underpayment(request, id)


@router.post(
    "/underpayments/{underpayment_id}/letter",
    summary="Write the letter that disputes it",
    needs=Permission.REMITTANCES_POST,
    action="underpayment.write_letter",
    returns=(201, s.UnderpaymentOut),
    problems=(StateConflict,),
    example=examples.UNDERPAYMENT,
    request_example={"words": "Schedule A of our contract, page 3, is enclosed."},
)
def write_underpayment_letter(request: ScopedRequest, underpayment_id: str, body: s.DisputeIn) -> Answer:
    """
    A PDF with the facts of claim and decision, the contracted rate and your words, kept with the patient's documents
    (`letter_id`). Sending it is up to you; say so with `settle`.
    """
    id = path_id("underpayment", underpayment_id)
    services.write_dispute(scope=request.auth, underpayment_id=id, words=body.words, now=timezone.now())
    return _underpayment(request, id, status=201)


@router.post(
    "/underpayments/look-back",
    summary="Compare what was posted before",
    needs=Permission.REMITTANCES_POST,
    action="underpayment.look_back",
    returns=(200, s.LookBackOut),
    example=examples.LOOK_BACK,
    request_example={"starts_on": "2026-09-01", "ends_on": "2026-11-30"},
)
def look_back(request: ScopedRequest, body: s.LookBackIn) -> Answer:
    """
    After a contract was put in: posted decisions of these days (`decided_on`; 400 days at most) are compared with it as if they were
    posted now. What is on the list stays as it was found; asked again it adds nothing.
    """
    if body.ends_on < body.starts_on:
        raise Invalid("1 field is not valid.", errors=(FieldError("/ends_on", "before-start"),))
    if body.ends_on - body.starts_on > LONGEST:
        raise Invalid("1 field is not valid.", errors=(FieldError("/ends_on", "out-of-range", "400 days at most."),))
    found = services.look_back(
        scope=request.auth, starts_on=body.starts_on, ends_on=body.ends_on, now=timezone.now()
    )
    return Answer(
        s.LookBackOut(
            object="underpayment_look_back", compared=found.compared, added=found.added, left_out=dict(found.left_out)
        )
    )


@router.get(
    "/underpayment-summary",
    summary="Sum up underpayments by payer and service",
    needs=Permission.REMITTANCES_READ,
    action="underpayment.summary",
    returns=(200, s.UnderpaymentSummaryOut),
    parameters={
        "from": "First day of checks, `YYYY-MM-DD`; 90 days ago when left out.", "to": "Last day; today when left out.",
    },
    example=examples.UNDERPAYMENT_SUMMARY,
)  # fmt: skip
def get_underpayment_summary(request: ScopedRequest) -> Answer:
    """What payers allowed below and above their contracts by checks of some days, and what was recovered. 400 days at most."""
    scope = request.auth
    today = scope.day_of(timezone.now())
    try:
        ends_on = date.fromisoformat(request.GET.get("to", "") or today.isoformat())
        starts_on = date.fromisoformat(request.GET.get("from", "") or (ends_on - timedelta(days=90)).isoformat())
    except ValueError as error:
        raise UnknownParameter("`from` and `to` are days, YYYY-MM-DD.") from error
    if not timedelta(0) <= ends_on - starts_on <= LONGEST:
        raise UnknownParameter("`from` comes before `to`, by 400 days at most.")
    found = queries.below_contract(scope=scope, starts_on=starts_on, ends_on=ends_on)
    payers = coverage.payers_of(scope=scope, ids={one.payer_id for one in found})
    names = {type_id("payer", id): payer.name for id, payer in payers.items()}
    return Answer(s.summary_out(found, names=names, starts_on=starts_on, ends_on=ends_on))
