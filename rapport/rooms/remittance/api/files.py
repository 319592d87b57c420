"""Remittance files and the checks in them."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from uuid import UUID

from django.utils import timezone

from rapport.kernel.problems import StateConflict, TooLarge
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.api import etags, uploads
from rapport.platform.api.lists import Filter, ListSpec, Sort
from rapport.platform.api.router import ScopedRequest
from rapport.platform.api.shapes import Answer, Nothing, path_id
from rapport.rooms.remittance import examples, queries, services
from rapport.rooms.remittance.models import EraFile, Remittance
from rapport.rooms.remittance.schemas import files as s
from rapport.rooms.remittance.schemas import paper as t
from rapport.rooms.remittance.schemas import plan as p

from .base import router

X12 = "application/edi-x12"
MAX_BYTES = 32 * 1024 * 1024


def _file(scope: Scope, file: EraFile, *, status: int | None = None, duplicate: bool = False) -> Answer:
    checks = [
        s.remittance_out(row, queries.lines_of(scope=scope, remittance_id=row.id))
        for row in queries.remittances_of(scope=scope, era_file_id=file.id)
    ]
    return Answer(
        s.era_file_out(file, checks, duplicate=duplicate),
        etag=etags.of(file.id, file.version),
        status=status,
    )


def _checks(checks: Sequence[Remittance], scope: Scope) -> list[s.RemittanceOut]:
    lines = queries.lines_by_check(scope=scope, remittance_ids=[row.id for row in checks])
    return [s.remittance_out(row, lines[row.id]) for row in checks]


def _files(ids: Sequence[UUID], scope: Scope) -> list[s.EraFileOut]:
    checks = queries.checks_of(scope=scope, era_file_ids=ids)
    shown: dict[UUID, list[s.RemittanceOut]] = {id: [] for id in ids}
    for row, out in zip(checks, _checks(checks, scope), strict=True):
        shown[row.era_file_id].append(out)
    files = queries.files_of(scope=scope, era_file_ids=ids)
    return [s.era_file_out(file, shown[file.id]) for file in files]


ERA_FILES = ListSpec(
    route="era-files",
    columns="f.id",
    source="remittance_erafile f",
    id_column="f.id",
    practice_column="f.practice_id",
    sorts={"created_at": Sort("f.created_at", "timestamptz")},
    default_sort="-created_at",
    filters={"state": Filter("f.state", "enum:received|held|posted|unposted", ("eq", "in"))},
    build_page=_files,
)

REMITTANCES = ListSpec(
    route="remittances",
    columns="r.id",
    source="remittance_remittance r",
    id_column="r.id",
    practice_column="r.practice_id",
    sorts={"created_at": Sort("r.created_at", "timestamptz")},
    default_sort="-created_at",
    filters={
        "era_file_id": Filter("r.era_file_id", "id:era_file"),
        "paid_on": Filter("r.paid_on", "date", ("gte", "lt")),
        "claim_id": Filter(
            "", "id:claim",
            condition="EXISTS (SELECT 1 FROM remittance_remittanceline l WHERE l.practice_id = r.practice_id"
            " AND l.remittance_id = r.id AND l.claim_id = {value})",
        ),
    },
    build_page=lambda ids, scope: _checks(
        queries.checks_by_id(scope=scope, remittance_ids=ids), scope
    ),
)  # fmt: skip


@router.post(
    "/era-files",
    summary="Hand in a remittance file",
    needs=Permission.REMITTANCES_POST,
    action="era_file.create",
    returns=(201, s.EraFileOut),
    content_types=(X12, "text/plain", uploads.FORM),
    example=examples.ERA_FILE,
    problems=(TooLarge,),
)
def create_era_file(request: ScopedRequest) -> Answer:
    """
    Hand in an 835 as `application/edi-x12`, or as the one file of a form. It is kept, matched, and posted when everything is
    known and balances; else it waits (`received`) or is held (`held`) with its findings. A check that is dated more than 31
    days ahead waits.

    The same content again, renamed or in another envelope, answers 200 with `duplicate_of`, and
    posts nothing.
    """
    data = uploads.file_in(request)
    if len(data) > MAX_BYTES:
        raise TooLarge(f"A file may have {MAX_BYTES} bytes at most.")
    file, created = services.receive(scope=request.auth, data=data, via="upload", now=timezone.now())
    return _file(request.auth, file, status=201 if created else 200, duplicate=not created)


@router.get(
    "/era-files",
    summary="List remittance files",
    needs=Permission.REMITTANCES_READ,
    action="era_file.list",
    returns=(200, s.EraFileOut),
    list_spec=ERA_FILES,
    example=examples.page(examples.ERA_FILE),
)
def list_era_files(request: ScopedRequest) -> Answer:
    """Remittance files, newest first. `state=received` and `state=held` are the work list."""
    return ERA_FILES.run(request, scope=request.auth)


@router.get(
    "/era-files/{era_file_id}",
    summary="Read a remittance file",
    needs=Permission.REMITTANCES_READ,
    action="era_file.read",
    returns=(200, s.EraFileOut),
    example=examples.ERA_FILE,
    other_types={X12: "The 835, byte for byte as it came."},
)
def get_era_file(request: ScopedRequest, era_file_id: str) -> Answer:
    """
    A file with its checks, its services, and what was posted for each.

    `Accept: application/edi-x12` gives the bytes as they came (of a paper remittance: the file that was made of it), checked
    against their digest before the first one leaves; `Repr-Digest` has it.
    """
    file = queries.get_era_file(scope=request.auth, era_file_id=path_id("era_file", era_file_id))
    if X12 not in request.headers.get("Accept", ""):
        return _file(request.auth, file)
    request.auth.trail.patient_ids.update(queries.patients_in(scope=request.auth, era_file_id=file.id))
    digest = b64encode(bytes.fromhex(file.sha256)).decode()
    return Answer(
        queries.bytes_of(file=file),
        content_type=X12,
        headers={
            "Content-Disposition": f'attachment; filename="{era_file_id}.835"',
            "Repr-Digest": f"sha-256=:{digest}:",
        },
    )


@router.post(
    "/era-files/{era_file_id}/plan",
    summary="Show what would be posted",
    needs=Permission.REMITTANCES_READ,
    action="era_file.plan",
    returns=(200, p.EraPlanOut),
    key="none",
    example=examples.ERA_PLAN,
    request_example={},
)
def plan_era_file(request: ScopedRequest, era_file_id: str, body: Nothing | None = None) -> Answer:
    """
    What posting does, service by service: how each was matched and how sure that is, what becomes of
    each adjustment and by which rule, the entries, and why the file waits for a person if it does. Of a file
    that is posted: what was done. Changes nothing.
    """
    id = path_id("era_file", era_file_id)
    plan = services.plan_file(scope=request.auth, era_file_id=id, now=timezone.now())
    return Answer(p.era_plan_out(plan), etag=etags.of(plan.file.id, plan.file.version))


@router.post(
    "/era-files/{era_file_id}/post",
    summary="Post a remittance file",
    needs=Permission.REMITTANCES_POST,
    action="era_file.post",
    returns=(200, s.EraFileOut),
    key="required",
    key_days=30,
    problems=(services.RemittanceHeld, StateConflict),
    example=examples.ERA_FILE,
    request_example={},
)
def post_era_file(request: ScopedRequest, era_file_id: str, body: Nothing | None = None) -> Answer:
    """Post what the plan shows. A file that was posted already is answered as it is, not again."""
    id, now = path_id("era_file", era_file_id), timezone.now()
    file = services.post_file(scope=request.auth, era_file_id=id, now=now)
    services.look_again(scope=request.auth, now=now)
    request.auth.trail.target("era_file", file.id, file.version)
    return _file(request.auth, file)


@router.post(
    "/era-files/{era_file_id}/unpost",
    summary="Take a posted remittance file back",
    needs=Permission.REMITTANCES_POST,
    action="era_file.unpost",
    returns=(200, s.EraFileOut),
    key="required",
    key_days=30,
    problems=(StateConflict,),
    example=examples.ERA_FILE,
    request_example={"reason": "posted to the wrong bank account"},
)
def unpost_era_file(request: ScopedRequest, era_file_id: str, body: s.UnpostIn) -> Answer:
    """Reverse exactly what was posted, by new entries; the ledger's history stays."""
    id = path_id("era_file", era_file_id)
    file = services.unpost_file(scope=request.auth, era_file_id=id, reason=body.reason, now=timezone.now())
    return _file(request.auth, file)


@router.get(
    "/remittances",
    summary="List remittances",
    needs=Permission.REMITTANCES_READ,
    action="remittance.list",
    returns=(200, s.RemittanceOut),
    list_spec=REMITTANCES,
    example=examples.page(examples.REMITTANCE),
)
def list_remittances(request: ScopedRequest) -> Answer:
    """Checks and EFTs, newest first; each service with its visit, claim and ledger entries."""
    return REMITTANCES.run(request, scope=request.auth)


@router.post(
    "/remittances",
    summary="Type in a paper remittance",
    needs=Permission.REMITTANCES_POST,
    action="era_file.type_in",
    returns=(201, s.EraFileOut),
    key="required",
    key_days=30,
    example=examples.ERA_FILE | {"received_via": "paper"},
    request_example=examples.PAPER,
)
def type_in_remittance(request: ScopedRequest, body: t.PaperIn) -> Answer:
    """
    A paper explanation of benefits becomes the file that the payer would have sent, and is matched, planned and posted
    as every other; what does not balance to the cent is refused (422) with the claim or service whose sum is wrong, and
    nothing is kept. It may be dated 31 days ahead at most: payers name the day on which their money arrives.
    The same typed again answers 200 with `duplicate_of`. Money that a patient gave is a payment, and not this.
    """
    file, created = services.receive_typed(scope=request.auth, body=body, now=timezone.now())
    return _file(request.auth, file, status=201 if created else 200, duplicate=not created)


@router.get(
    "/remittances/{remittance_id}",
    summary="Read a remittance",
    needs=Permission.REMITTANCES_READ,
    action="remittance.read",
    returns=(200, s.RemittanceOut),
    example=examples.REMITTANCE,
)
def get_remittance(request: ScopedRequest, remittance_id: str) -> Answer:
    """One check, with every service that it pays for."""
    row = queries.get_remittance(scope=request.auth, remittance_id=path_id("remittance", remittance_id))
    lines = queries.lines_of(scope=request.auth, remittance_id=row.id)
    request.auth.trail.target("remittance", row.id)
    return Answer(s.remittance_out(row, lines))
