"""The work lists: what nobody knows, and what payers denied."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.utils import timezone

from rapport.kernel.ids import parse_type_id
from rapport.kernel.problems import ReferenceNotFound, StateConflict
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.api import etags
from rapport.platform.api.lists import Filter, ListSpec, Sort
from rapport.platform.api.router import ScopedRequest
from rapport.platform.api.shapes import Answer, path_id
from rapport.rooms.claims import queries as claims
from rapport.rooms.remittance import examples, queries, services
from rapport.rooms.remittance.models import RemittanceLine
from rapport.rooms.remittance.schemas import work as s

from .base import router


def _decisions(ids: Sequence[UUID], scope: Scope) -> list[s.DecisionOut]:
    return [s.decision_out(row) for row in queries.lines_by_id(scope=scope, line_ids=ids)]


UNMATCHED = ListSpec(
    route="unmatched-lines",
    columns="l.id",
    source="remittance_remittanceline l"
    " JOIN remittance_remittance r ON r.practice_id = l.practice_id AND r.id = l.remittance_id"
    " JOIN remittance_erafile f ON f.practice_id = r.practice_id AND f.id = r.era_file_id",
    id_column="l.id",
    practice_column="l.practice_id",
    sorts={"created_at": Sort("r.created_at", "timestamptz")},
    default_sort="-created_at",
    filters={
        "set_aside": Filter("l.set_aside", "bool"),
        "era_file_id": Filter("r.era_file_id", "id:era_file"),
    },
    where="(l.claim_id IS NULL OR l.appointment_id IS NULL) AND NOT r.posted_before AND f.state <> 'held'",
    build_page=_decisions,
)

DENIALS = ListSpec(
    route="denials",
    columns="d.id",
    source="remittance_denial d",
    id_column="d.id",
    practice_column="d.practice_id",
    sorts={
        "deadline_on": Sort("d.deadline_on", "date"), "created_at": Sort("d.created_at", "timestamptz"),
    },
    default_sort="deadline_on",
    filters={
        "state": Filter("d.state", "enum:open|resolved|withdrawn", ("eq", "in")),
        "kind": Filter("d.kind", "text", ("eq", "in")),
        "claim_id": Filter("d.claim_id", "id:claim"),
        "deadline_on": Filter("d.deadline_on", "date", ("gte", "lt", "lte")),
    },
    build_page=lambda ids, scope: [
        s.denial_out(row) for row in queries.denials_by_id(scope=scope, denial_ids=ids)
    ],
)  # fmt: skip


@router.get(
    "/unmatched-lines",
    summary="List what nobody knows",
    needs=Permission.REMITTANCES_READ,
    action="remittance_line.list",
    returns=(200, s.DecisionOut),
    list_spec=UNMATCHED,
    example=examples.page(examples.DECISION),
)
def list_unmatched_lines(request: ScopedRequest) -> Answer:
    """
    Services that payers decided and that were matched to none of ours. `set_aside=false` is the work list.

    Of a posted file their money waits in the payer's clearing account.
    """
    return UNMATCHED.run(request, scope=request.auth)


@router.get(
    "/remittance-lines/{remittance_line_id}",
    summary="Read a payer's decision about a service",
    needs=Permission.REMITTANCES_READ,
    action="remittance_line.read",
    returns=(200, s.DecisionWithCandidates),
    example=examples.DECISION | {"candidates": examples.CANDIDATES, "contract": examples.CONTRACT_CHECK},
)
def get_remittance_line(request: ScopedRequest, remittance_line_id: str) -> Answer:
    """
    One decision, beside the payer's contract; where it was matched to none of ours, with the services that it may be about
    and why.
    """
    scope = request.auth
    row = queries.get_line(scope=scope, line_id=path_id("remittance_line", remittance_line_id))
    found = []
    if row.claim_id is None or row.appointment_id is None:
        found = claims.candidates(
            scope=scope, on=row.service_on, charge_cents=row.charge_cents, service_code=row.service_code
        )
    return Answer(s.with_candidates(row, found, services.compare(scope=scope, lines=[row])[row.id][0]))


def _worked_on(row: RemittanceLine) -> Answer:
    return Answer(s.decision_out(row))


@router.post(
    "/remittance-lines/{remittance_line_id}/assign",
    summary="Say which service it is about",
    needs=Permission.REMITTANCES_POST,
    action="remittance_line.assign",
    returns=(200, s.DecisionOut),
    problems=(StateConflict, services.AlreadyDecided),
    example=examples.DECISION,
    request_example={"claim_id": "clm_01h455vb4pex5vsknk084sn02q", "reason": "The payer cut our number off."},
)
def assign_remittance_line(request: ScopedRequest, remittance_line_id: str, body: s.AssignIn) -> Answer:
    """
    Match it by hand. Of a posted file the money leaves the payer's clearing account and is booked with the
    service, by entries of its own, which taking the file back reverses too. A file that waited may post itself.
    """
    claim_id = parse_type_id("claim", body.claim_id)
    if claim_id is None:
        raise ReferenceNotFound("A field refers to something that is not here.")
    return _worked_on(
        services.assign(
            scope=request.auth, line_id=path_id("remittance_line", remittance_line_id), claim_id=claim_id,
            claim_line=body.claim_line, reason=body.reason, now=timezone.now(),
        )
    )  # fmt: skip


@router.post(
    "/remittance-lines/{remittance_line_id}/set-aside",
    summary="Take it off the work list",
    needs=Permission.REMITTANCES_POST,
    action="remittance_line.set_aside",
    returns=(200, s.DecisionOut),
    problems=(StateConflict,),
    example=examples.DECISION,
    request_example={"reason": "Of the practice that was here before us."},
)
def set_aside_remittance_line(request: ScopedRequest, remittance_line_id: str, body: s.ReasonIn) -> Answer:
    """Nobody knows it, and so it stays. Its money stays in the payer's clearing account; its file may post."""
    id = path_id("remittance_line", remittance_line_id)
    return _worked_on(
        services.set_aside(scope=request.auth, line_id=id, reason=body.reason, now=timezone.now())
    )


@router.post(
    "/remittance-lines/{remittance_line_id}/take-up",
    summary="Put it on the work list again",
    needs=Permission.REMITTANCES_POST,
    action="remittance_line.take_up",
    returns=(200, s.DecisionOut),
    problems=(StateConflict,),
    example=examples.DECISION,
    request_example={"reason": "The payer names the patient now."},
)
def take_up_remittance_line(request: ScopedRequest, remittance_line_id: str, body: s.ReasonIn) -> Answer:
    """Put what was set aside onto the work list again."""
    id = path_id("remittance_line", remittance_line_id)
    return _worked_on(services.take_up(scope=request.auth, line_id=id, reason=body.reason, now=timezone.now()))


@router.post(
    "/remittance-lines/{remittance_line_id}/correct",
    summary="Say what becomes of its adjustments",
    needs=Permission.REMITTANCES_POST,
    action="remittance_line.correct",
    returns=(200, s.DecisionOut),
    problems=(StateConflict,),
    example=examples.DECISION,
    request_example={"adjustments": [{"adjustment": 0, "plan": "review"}], "reason": "Not in our contract."},
)
def correct_remittance_line(request: ScopedRequest, remittance_line_id: str, body: s.CorrectIn) -> Answer:
    """
    Before it is posted. The payer's amounts stay; CO and PI are never the patient's. Who did it and why is kept with
    the line, and in the trail.
    """
    return _worked_on(
        services.correct(
            scope=request.auth, line_id=path_id("remittance_line", remittance_line_id), plans=body.adjustments,
            reason=body.reason, now=timezone.now(),
        )
    )  # fmt: skip


def _denial(request: ScopedRequest, id: UUID, *, status: int | None = None) -> Answer:
    scope = request.auth
    row = queries.get_denial(scope=scope, denial_id=id)
    [shown] = queries.denials_by_id(scope=scope, denial_ids=[id])
    return Answer(s.denial_out(shown), etag=etags.of(row.id, row.version), status=status)


@router.get(
    "/denials",
    summary="List denials",
    needs=Permission.REMITTANCES_READ,
    action="denial.list",
    returns=(200, s.DenialOut),
    list_spec=DENIALS,
    example=examples.page(examples.DENIAL),
)
def list_denials(request: ScopedRequest) -> Answer:
    """What payers denied or reduced, by the last day to appeal. `state=open` is the work list."""
    return DENIALS.run(request, scope=request.auth)


@router.get(
    "/denials/{denial_id}",
    summary="Read a denial",
    needs=Permission.REMITTANCES_READ,
    action="denial.read",
    returns=(200, s.DenialOut),
    example=examples.DENIAL,
)
def get_denial(request: ScopedRequest, denial_id: str) -> Answer:
    """One denial, with what the payer says and what to do about it."""
    return _denial(request, path_id("denial", denial_id))


@router.post(
    "/denials/{denial_id}/resolve",
    summary="End the work on a denial",
    needs=Permission.REMITTANCES_POST,
    action="denial.resolve",
    returns=(200, s.DenialOut),
    problems=(StateConflict,),
    example=examples.DENIAL,
    request_example={"resolution": "appealed", "note": "Sent by fax."},
)
def resolve_denial(request: ScopedRequest, denial_id: str, body: s.ResolveIn) -> Answer:
    """Books nothing: who gives it up writes it off, which is a deed of its own."""
    id = path_id("denial", denial_id)
    services.resolve(
        scope=request.auth, denial_id=id, resolution=body.resolution, note=body.note, now=timezone.now()
    )
    return _denial(request, id)


@router.post(
    "/denials/{denial_id}/reopen",
    summary="Take up the work on a denial again",
    needs=Permission.REMITTANCES_POST,
    action="denial.reopen",
    returns=(200, s.DenialOut),
    problems=(StateConflict,),
    example=examples.DENIAL,
    request_example={"reason": "The appeal was refused for a missing form."},
)
def reopen_denial(request: ScopedRequest, denial_id: str, body: s.ReasonIn) -> Answer:
    """Put a denial that was resolved onto the work list again."""
    id = path_id("denial", denial_id)
    services.reopen(scope=request.auth, denial_id=id, reason=body.reason, now=timezone.now())
    return _denial(request, id)


@router.post(
    "/denials/{denial_id}/appeal-letter",
    summary="Write the appeal letter",
    needs=Permission.REMITTANCES_POST,
    action="denial.write_appeal",
    returns=(201, s.DenialOut),
    problems=(StateConflict,),
    example=examples.DENIAL,
    request_example={"words": "The authorization was granted on the day of service; its number is on the claim."},
)
def write_appeal_letter(request: ScopedRequest, denial_id: str, body: s.AppealIn) -> Answer:
    """
    A PDF with the facts of claim and decision and your words, kept with the patient's documents (`letter_id`).
    Sending it is up to you; say so with `resolve`.
    """
    id = path_id("denial", denial_id)
    services.write_appeal(scope=request.auth, denial_id=id, words=body.words, now=timezone.now())
    return _denial(request, id, status=201)
