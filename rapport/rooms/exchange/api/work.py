"""What a connection does and asks: challenges, attention, readings, changed pages, writes, files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from rapport.kernel.problems import StateConflict
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.api.lists import Filter, ListSpec, Sort
from rapport.platform.api.router import ScopedRequest
from rapport.platform.api.shapes import Answer, path_id
from rapport.rooms.claims import queries as claims
from rapport.rooms.documents import examples as d_examples
from rapport.rooms.documents import schemas as d
from rapport.rooms.exchange import examples, queries, services
from rapport.rooms.exchange import problems as p
from rapport.rooms.exchange import schemas as s
from rapport.rooms.exchange.models import (
    Artefact,
    AttentionItem,
    Challenge,
    DriftReport,
    SyncRun,
    Write,
    WriteHistory,
)
from rapport.rooms.exchange.rules.finding import kind_of

from .base import MANAGE, READ, router


def _listed(
    name: str, table: str, at: str, model: Any, build: Callable[[Any], Any], filters: dict[str, Filter]
) -> ListSpec:
    """Return the list of something that belongs to one connection, newest first."""
    return ListSpec(
        route=f"connections.{name}", columns="r.id", source=f"{table} r", id_column="r.id",
        practice_column="r.practice_id", sorts={at: Sort(f"r.{at}", "timestamptz")},
        default_sort=f"-{at}", filters=filters,
        build_page=lambda ids, scope: [
            build(row) for row in queries.rows_of(model, scope=scope, ids=ids)
        ],
    )  # fmt: skip


def _run(spec: ListSpec, request: ScopedRequest, connection_id: str) -> Answer:
    id = path_id("connection", connection_id)
    queries.get_connection(scope=request.auth, connection_id=id)
    return spec.run(
        request, scope=request.auth, extra={"connection": id}, extra_where="r.connection_id = %(connection)s"
    )


CHALLENGES = _listed(
    "challenges", "exchange_challenge", "issued_at", Challenge, s.challenge_out,
    {"state": Filter("r.state", "text", ("eq", "in"))},
)  # fmt: skip


@router.get(
    "/connections/{connection_id}/challenges",
    summary="List second factors asked for",
    needs=MANAGE,
    action="challenge.list",
    returns=(200, s.ChallengeOut),
    list_spec=CHALLENGES,
    example=examples.page(examples.CHALLENGE),
)
def list_challenges(request: ScopedRequest, connection_id: str) -> Answer:
    """What the portal asked for, newest first. Those that are `open` wait for a person."""
    return _run(CHALLENGES, request, connection_id)


@router.post(
    "/connections/{connection_id}/challenges/{challenge_id}/answer",
    summary="Answer a second factor",
    needs=MANAGE,
    action="challenge.answer",
    returns=(202, s.ChallengeOut),
    problems=(StateConflict,),
    key="none",
    example=examples.CHALLENGE | {"state": "answered"},
    request_example={"code": "123456"},
)
def answer_challenge(
    request: ScopedRequest, connection_id: str, challenge_id: str, body: s.AnswerIn
) -> Answer:
    """
    Give the code that came, or nothing where a push was approved elsewhere. A worker types it, in
    whichever process; the code is forgotten then. A wrong code opens the challenge again.
    """
    row = services.answer_challenge(
        scope=request.auth, connection_id=path_id("connection", connection_id),
        challenge_id=path_id("challenge", challenge_id), code=body.code, now=timezone.now(),
    )  # fmt: skip
    return Answer(s.challenge_out(row))


ATTENTION = _listed(
    "attention", "exchange_attentionitem", "opened_at", AttentionItem, s.attention_out,
    {
        "matter": Filter("r.matter", "text", ("eq", "in")),
        "resolved_at": Filter("r.resolved_at", "instant", ("exists",)),
    },
)  # fmt: skip


@router.get(
    "/connections/{connection_id}/attention",
    summary="List what somebody has to do",
    needs=READ,
    action="attention_item.list",
    returns=(200, s.AttentionOut),
    list_spec=ATTENTION,
    example=examples.page(examples.ATTENTION),
)
def list_attention(request: ScopedRequest, connection_id: str) -> Answer:
    """
    What needs somebody, newest first: one sentence, one owner, one thing to do.
    `resolved_at[exists]=false` gives what is open.
    """
    return _run(ATTENTION, request, connection_id)


@router.post(
    "/connections/{connection_id}/attention/{attention_item_id}/resolve",
    summary="Say that it is done",
    needs=MANAGE,
    action="attention_item.resolve",
    returns=(200, s.AttentionOut),
    problems=(StateConflict, p.SecretMissing),
    example=examples.ATTENTION | {"resolved_at": "2026-11-02T16:00:00.000Z", "resolution": "accepted"},
    request_example={"outcome": "accepted"},
)
def resolve_item(
    request: ScopedRequest, connection_id: str, attention_item_id: str, body: s.AttentionResolveIn
) -> Answer:
    """
    Say that an item is done with. What stopped the connection is tried again with one sign-in;
    drift that is `accepted` makes the page as it is now the one to compare with.
    """
    row = services.resolve(
        scope=request.auth, connection_id=path_id("connection", connection_id),
        item_id=path_id("attention_item", attention_item_id), outcome=body.outcome,
        now=timezone.now(),
    )  # fmt: skip
    return Answer(s.attention_out(row))


@router.post(
    "/connections/{connection_id}/refresh",
    summary="Read the portal now",
    needs=READ,
    action="connection.refresh",
    returns=(202, s.RefreshOut),
    problems=(p.ConnectionStands, p.PortalPace),
    example=examples.REFRESH,
    request_example={"what": ["appointments"]},
)
def refresh(request: ScopedRequest, connection_id: str, body: s.ConnectionRefreshIn) -> Answer:
    """
    Ask for a reading ahead of schedule, of some kinds or of all. What waits already is not asked for
    twice. When the portal is asked as fast as it allows, 429 says when to come back.
    """
    id = path_id("connection", connection_id)
    wanted = services.ask_refresh(
        scope=request.auth, connection_id=id, kinds=body.what, now=timezone.now()
    )
    return Answer(s.RefreshOut(object="refresh", connection_id=connection_id, what=wanted))


RUNS = _listed(
    "runs", "exchange_syncrun", "began_at", SyncRun, s.run_out,
    {
        "kind": Filter("r.kind", "text", ("eq", "in")),
        "state": Filter("r.state", "text", ("eq", "in")),
    },
)  # fmt: skip


@router.get(
    "/connections/{connection_id}/runs",
    summary="List readings",
    needs=READ,
    action="connector_run.list",
    returns=(200, s.RunOut),
    list_spec=RUNS,
    example=examples.page(examples.RUN),
)
def list_runs(request: ScopedRequest, connection_id: str) -> Answer:
    """
    Readings of the portal, newest first: what proved that a list was whole, the verdict on its page,
    and how much was news. `quarantined` and `refused` left the mirror as it was.
    """
    return _run(RUNS, request, connection_id)


DRIFTS = _listed(
    "drift-reports", "exchange_driftreport", "at", DriftReport, s.drift_out,
    {
        "capability": Filter("r.capability", "text"),
        "verdict": Filter("r.verdict", "text", ("eq", "in")),
    },
)  # fmt: skip


@router.get(
    "/connections/{connection_id}/drift-reports",
    summary="List changes of the portal's pages",
    needs=READ,
    action="drift_report.list",
    returns=(200, s.DriftOut),
    list_spec=DRIFTS,
    example=examples.page(examples.DRIFT),
)
def list_drift(request: ScopedRequest, connection_id: str) -> Answer:
    """What pages looked like before and after, and which field it concerns. Shapes and names, no values."""
    return _run(DRIFTS, request, connection_id)


WRITES = _listed(
    "writes", "exchange_write", "created_at", Write, s.write_summary,
    {
        "state": Filter("r.state", "text", ("eq", "in")),
        "ability": Filter("r.ability", "text"),
        "patient_id": Filter("r.patient_id", "id:patient"),
    },
)  # fmt: skip


@router.get(
    "/connections/{connection_id}/writes",
    summary="List writes into the portal",
    needs=READ,
    action="connector_write.list",
    returns=(200, s.WriteSummary),
    list_spec=WRITES,
    example=examples.page(examples.WRITE_SUMMARY),
)
def list_writes(request: ScopedRequest, connection_id: str) -> Answer:
    """The journal, newest first, without what the writes say. `state=in_doubt` is what nobody knows yet."""
    return _run(WRITES, request, connection_id)


def _write(request: ScopedRequest, row: Write) -> Answer:
    history = list(
        WriteHistory.objects.visible_to(request.auth).filter(write_id=row.id).order_by("at", "id")
    )
    return Answer(s.write_out(request.auth, row, history=history))


@router.get(
    "/connections/{connection_id}/writes/{connector_write_id}",
    summary="Read a write",
    needs=READ,
    action="connector_write.read",
    returns=(200, s.WriteOut),
    example=examples.WRITE,
)
def get_write(request: ScopedRequest, connection_id: str, connector_write_id: str) -> Answer:
    """
    One write with its history; with what was to be written and what the portal has in its place, for
    those who may see records of that kind.
    """
    row = queries.get_write(
        scope=request.auth, connection_id=path_id("connection", connection_id),
        write_id=path_id("connector_write", connector_write_id),
    )  # fmt: skip
    return _write(request, row)


@router.post(
    "/connections/{connection_id}/writes/{connector_write_id}/approve",
    summary="Approve a write that cannot be undone",
    needs=READ,
    action="connector_write.approve",
    returns=(202, s.WriteOut),
    problems=(StateConflict,),
    example=examples.WRITE | {"state": "intended", "attended": True},
)
def approve_write(request: ScopedRequest, connection_id: str, connector_write_id: str) -> Answer:
    """
    Let a worker send what cannot be undone: a claim, a signature. It takes the permission that doing
    it here would take. Until then nothing leaves.
    """
    row = services.approve(
        scope=request.auth, connection_id=path_id("connection", connection_id),
        write_id=path_id("connector_write", connector_write_id), now=timezone.now(),
    )  # fmt: skip
    return _write(request, row)


@router.post(
    "/connections/{connection_id}/writes/{connector_write_id}/settle",
    summary="Say what became of a write",
    needs=READ,
    action="connector_write.settle",
    returns=(200, s.WriteOut),
    problems=(StateConflict,),
    example=examples.WRITE,
    request_example={"outcome": "happened", "remote_id": "8731"},
)
def settle_write(
    request: ScopedRequest, connection_id: str, connector_write_id: str, body: s.WriteSettleIn
) -> Answer:
    """
    Say what you have seen at the portal of a write that is in doubt or absent (`happened`,
    `did_not_happen`), or drop one that was not sent (`dropped`). It is never sent again for that.
    """
    row = services.settle(
        scope=request.auth, connection_id=path_id("connection", connection_id),
        write_id=path_id("connector_write", connector_write_id), outcome=body.outcome,
        remote_id=body.remote_id, now=timezone.now(),
    )  # fmt: skip
    return _write(request, row)


def _artefacts(ids: Sequence[UUID], scope: Scope) -> list[s.ConnectionArtefactOut]:
    rows = queries.rows_of(Artefact, scope=scope, ids=ids)
    carried: dict[UUID, list[tuple[str, UUID | None]]] = {}
    if scope.allows(Permission.CLAIMS_READ):
        files = [row.document_id for row in rows if row.document_id and kind_of(row.ability) == "claim_files"]
        carried = claims.carried_in(scope=scope, document_ids=files) if files else {}
    return [s.artefact_out(row, carried=carried.get(row.document_id) if row.document_id else None) for row in rows]


ARTEFACTS = replace(
    _listed(
        "artefacts", "exchange_artefact", "asked_at", Artefact, s.artefact_out,
        {"ability": Filter("r.ability", "text"), "remote_id": Filter("r.remote_id", "text")},
    ), build_page=_artefacts,
)  # fmt: skip


@router.get(
    "/connections/{connection_id}/artefacts",
    summary="List files of the portal",
    needs=READ,
    action="artefact.list",
    returns=(200, s.ConnectionArtefactOut),
    list_spec=ARTEFACTS,
    example=examples.page(examples.CLAIM_FILE),
)
def list_artefacts(request: ScopedRequest, connection_id: str) -> Answer:
    """
    Files that were asked for or came by themselves, newest first. Make a link to have one. A claim file says which
    claims it carries (`ability=claim_files.file`).
    """
    return _run(ARTEFACTS, request, connection_id)


@router.post(
    "/connections/{connection_id}/artefacts",
    summary="Fetch a file of the portal",
    needs=READ,
    action="artefact.fetch",
    returns=(202, s.ConnectionArtefactOut),
    problems=(p.ConnectionStands, p.NotPermittedThere, p.PortalPace),
    example=examples.ARTEFACT | {"document_id": None, "sha256": None, "fetched_at": None},
    request_example={"ability": "notes.pdf", "remote_id": "5512"},
)
def fetch_artefact(request: ScopedRequest, connection_id: str, body: s.FileIn) -> Answer:
    """
    Ask for a file: a signed note, an export, an ERA. It takes the permission to see what is in it. It
    is kept as a document, known by its digest: the same bytes are kept once.
    """
    row = services.ask_for_file(
        scope=request.auth, connection_id=path_id("connection", connection_id), ability=body.ability,
        remote_id=body.remote_id, now=timezone.now(),
    )  # fmt: skip
    return Answer(s.artefact_out(row))


@router.post(
    "/connections/{connection_id}/artefacts/{artefact_id}/links",
    summary="Make a link to a file of the portal",
    needs=READ,
    action="document_link.create",
    returns=(201, d.DocumentLinkOut),
    example=d_examples.DOCUMENT_LINK,
    request_example={"expires_in_seconds": 60, "single_use": True},
)
def link_artefact(
    request: ScopedRequest, connection_id: str, artefact_id: str, body: d.LinkIn | None = None
) -> d.DocumentLinkOut:
    """
    Make an address that gives out the file for five minutes at most, without signing in. It takes the permission to see
    what is in it: `remittances:read` for an ERA. Revoke it at its document.
    """
    body = body or d.LinkIn()
    minted = services.link_to_file(
        scope=request.auth, connection_id=path_id("connection", connection_id),
        artefact_id=path_id("artefact", artefact_id), seconds=body.expires_in_seconds,
        single_use=body.single_use, now=timezone.now(),
    )  # fmt: skip
    return d.link_out(minted, base=settings.RAPPORT.link_base)
