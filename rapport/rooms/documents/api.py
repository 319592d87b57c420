"""Documents over HTTP. A view turns a request into one service call, and does nothing else."""

from __future__ import annotations

import base64

from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone

from rapport.kernel.problems import LinkExpired, LinkInvalid, NotFound, Unauthenticated
from rapport.platform.access.permissions import Permission
from rapport.platform.api import etags
from rapport.platform.api.gate import enter
from rapport.platform.api.lists import Filter, ListSpec, Sort
from rapport.platform.api.router import RoomRouter, ScopedRequest
from rapport.platform.api.shapes import Answer, path_id
from rapport.platform.db import sql

from . import examples, services
from . import schemas as s

router = RoomRouter(tag="Documents")

_ONE = f"SELECT {s.DOCUMENT_COLUMNS} FROM documents_document d WHERE practice_id = %s AND id = %s"  # noqa: S608 - constants

DOCUMENTS = ListSpec(
    route="documents",
    columns=s.DOCUMENT_COLUMNS,
    source="documents_document d",
    id_column="d.id",
    practice_column="d.practice_id",
    sorts={"created_at": Sort("d.created_at", "timestamptz")},
    default_sort="-created_at",
    filters={
        "patient_id": Filter("d.patient_id", "id:patient"),
        "kind": Filter("d.kind", "text"),
        "created_at": Filter("d.created_at", "instant", ("gte", "gt", "lt", "lte")),
    },
    build=s.document_out,
    patient_index=1,
)


@router.get(
    "/documents",
    summary="List documents",
    needs=Permission.DOCUMENTS_READ,
    action="document.list",
    returns=(200, s.DocumentOut),
    list_spec=DOCUMENTS,
    example=examples.PAGE,
)
def list_documents(request: ScopedRequest) -> Answer:
    """What is kept about patients, the newest first: kind, size and digest, never the content."""
    return DOCUMENTS.run(request, scope=request.auth)


@router.get(
    "/documents/{document_id}",
    summary="Read a document's facts",
    needs=Permission.DOCUMENTS_READ,
    action="document.read",
    returns=(200, s.DocumentOut),
    example=examples.DOCUMENT,
)
def get_document(request: ScopedRequest, document_id: str) -> Answer:
    """Kind, size and digest of one document. Its content is given out by a short-lived link."""
    id = path_id("document", document_id)
    row = sql.one(_ONE, (request.auth.practice_id, id))
    if row is None:
        raise NotFound()
    if row[1] is not None:
        request.auth.trail.patient_ids.add(row[1])
    request.auth.trail.target("document", id, 1)
    return Answer(s.document_out(row, request.auth), etag=etags.of(id, 1))


@router.post(
    "/documents/{document_id}/links",
    summary="Make a link to a document",
    needs=Permission.DOCUMENTS_READ,
    action="document_link.create",
    returns=(201, s.DocumentLinkOut),
    example=examples.DOCUMENT_LINK,
    request_example={"expires_in_seconds": 60, "single_use": True},
)
def make_link(
    request: ScopedRequest, document_id: str, body: s.LinkIn | None = None
) -> s.DocumentLinkOut:
    """
    Make an address that gives out the document for five minutes at most, without signing in.

    It dies early when it is revoked, and when whoever made it loses their membership. Links to
    notes also need `notes:read`. Making and using a link are both in the audit trail.
    """
    body = body or s.LinkIn()
    minted = services.mint_link(
        scope=request.auth, document_id=path_id("document", document_id),
        seconds=body.expires_in_seconds, single_use=body.single_use, now=timezone.now(),
    )  # fmt: skip
    return s.link_out(minted, base=settings.RAPPORT.link_base)


@router.delete(
    "/documents/{document_id}/links/{document_link_id}",
    summary="Revoke a link",
    needs=Permission.DOCUMENTS_READ,
    action="document_link.revoke",
    returns=(204, None),
    example=None,
)
def revoke_link(request: ScopedRequest, document_id: str, document_link_id: str) -> None:
    """Withdraw a link before its time. Revoking it again changes nothing."""
    services.revoke_link(
        scope=request.auth, document_id=path_id("document", document_id),
        link_id=path_id("document_link", document_link_id), now=timezone.now(),
    )  # fmt: skip


@router.get(
    "/document-links/{token}",
    summary="Open a link",
    needs=None,
    action="document_link.use",
    returns=(200, None),
    problems=(LinkInvalid, LinkExpired, services.DocumentCorrupted),
    other_types={media: "The file itself." for media in services.ENDINGS},
    example=None,
)
def open_link(request: ScopedRequest, token: str) -> HttpResponse:
    """
    Give out the document that a link stands for; nobody needs to sign in.

    `link-expired` says that the time is over; `link-invalid` is the same answer for every other
    reason: changed, revoked, used, or somebody else's. The file is checked against its digest
    before the first byte leaves, and the digest goes along in `Repr-Digest` (RFC 9530).
    """
    edge = request.edge
    asker_id = None
    header = request.headers.get("Authorization", "")
    if header:
        try:
            asker_id = enter(header.removeprefix("Bearer ").strip()[:500], edge).actor_id
        except Unauthenticated as error:
            raise LinkInvalid(reason="other_actor") from error
    found = services.find_link(token=token, source=edge.source, asker_id=asker_id)
    edge.scope = found.scope
    if request.META.get("QUERY_STRING"):
        raise LinkInvalid(reason="tampered")
    document, data = services.read_link(found)
    response = HttpResponse(data, content_type=document.content_type)
    response["Content-Disposition"] = f'attachment; filename="{document.file_name}"'
    digest = base64.b64encode(bytes.fromhex(document.sha256)).decode()
    response["Repr-Digest"] = f"sha-256=:{digest}:"
    response["Cache-Control"] = "private, no-store"
    return response
