"""What can be done with documents: keep one, read it, give it out, withdraw that again."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q

from rapport.kernel.ids import new_uuid
from rapport.kernel.problems import (
    Gone,
    Invalid,
    LinkExpired,
    LinkInvalid,
    NotFound,
    TooLarge,
)
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope, Source
from rapport.platform.audit.write import nobody
from rapport.platform.blobs.store import (
    BlobCorrupted,
    BlobMissing,
    BlobStore,
    default_store,
)
from rapport.platform.crypto import aead
from rapport.platform.db import sql
from rapport.platform.outbox.emit import emit
from rapport.platform.tenancy.models import HOUSE_ID

from . import events, queries
from .models import Document, DocumentLink, OrphanBlob

MAX_BYTES = 25 * 1024 * 1024
LONGEST_LINK = timedelta(seconds=300)

ENDINGS = {
    "application/pdf": "pdf",
    "application/edi-x12": "x12",
    "application/json": "json",
    "application/zip": "zip",
    "image/jpeg": "jpg",
    "image/png": "png",
    "text/csv": "csv",
    "text/plain": "txt",
}
"""Media types that are kept -> ending of the file's name. None of them runs in a browser."""

_NEEDS = {
    "clinical_note": Permission.NOTES_READ, "addendum": Permission.NOTES_READ,
    # Remittances and exports of a portal tell of every patient: who may see one, its own room knows.
    "portal_file": Permission.CONNECTIONS_MANAGE,
}  # fmt: skip
"""Kinds whose content takes another permission than `documents:read`."""


class DocumentCorrupted(Gone):
    code = "document-corrupted"
    title = "The file is not what was stored, so it is not given out."


def store(
    *,
    scope: Scope,
    patient_id: UUID | None,
    kind: str,
    data: bytes,
    content_type: str,
    now: datetime,
    announce: bool = True,
) -> Document:
    """
    Keep a file. The caller has checked the permission that its deed needs.

    The file is durable before its row is written, so there is never a row without its file. When
    the transaction is rolled back the file stays behind, sealed and nameless, and is swept.

    :param kind: what it is, a word of the caller's: `clinical_note`, `cms1500`, …
    :param announce: emit `document.created`
    :raises TooLarge: more than `MAX_BYTES`
    :raises Invalid: a media type that is not kept
    """
    if len(data) > MAX_BYTES:
        raise TooLarge(f"A document may have {MAX_BYTES} bytes at most.")
    if content_type not in ENDINGS:
        raise Invalid("That kind of file is not kept.", allowed=sorted(ENDINGS))
    id = new_uuid()
    blob = default_store().put(data=data, aad=_place(scope.practice_id, id))
    document = Document(
        id=id,
        practice_id=scope.practice_id,
        patient_id=patient_id,
        kind=kind,
        file_name=f"{kind.replace('_', '-')}-{id.hex[-8:]}.{ENDINGS[content_type]}",
        blob_key=blob.key,
        sha256=blob.sha256,
        size=blob.size,
        content_type=content_type,
        created_at=now,
    )
    document.save(force_insert=True)
    if patient_id is not None:
        scope.trail.patient_ids.add(patient_id)
    if announce:
        emit(
            events.DOCUMENT_CREATED, scope=scope, object_type="document", object_id=id, version=1,
            now=now,
        )  # fmt: skip
    return document


def open_(*, scope: Scope, document_id: UUID) -> bytes:
    """
    Return a document's bytes, after checking them against its digest.

    :raises NotFound: no such document for this actor
    :raises DocumentCorrupted: the file is gone, or is not what was stored
    """
    return read(document=queries.get_document(scope=scope, document_id=document_id))


def read(*, document: Document) -> bytes:
    """Return the bytes of a row at hand. :raises DocumentCorrupted: they are not what was stored"""
    try:
        return default_store().get(
            key=document.blob_key,
            aad=_place(document.practice_id, document.id),
            digest=document.sha256,
        )
    except (BlobMissing, BlobCorrupted) as error:
        raise DocumentCorrupted(reason="hash_mismatch") from error


def _place(practice_id: UUID, document_id: UUID) -> str:
    return f"{practice_id}|{document_id}"


@dataclass(frozen=True, slots=True)
class MintedLink:
    """A fresh link, and the token that is shown once and not kept."""

    row: DocumentLink
    token: str


def mint_link(
    *, scope: Scope, document_id: UUID, seconds: int, single_use: bool, now: datetime,
    needs: Permission | None = None,
) -> MintedLink:
    """
    Make a link to a document.

    :param seconds: how long it opens; 300 at most
    :param needs: what takes the place of the kind's own permission, of a room that knows what is in it
    :raises NotFound: no such document for this actor
    :raises Forbidden: the actor may not read what is in it
    """
    document = queries.get_document(scope=scope, document_id=document_id)
    scope.require(needs or _NEEDS.get(document.kind, Permission.DOCUMENTS_READ))
    token = secrets.token_urlsafe(32)
    row = DocumentLink(
        practice_id=scope.practice_id,
        document_id=document.id,
        digest=aead.token_digest(token),
        sha256=document.sha256,
        actor_type=scope.actor_type,
        actor_id=scope.actor_id,
        user_id=scope.user_id,
        single_use=single_use,
        created_at=now,
        expires_at=now + min(timedelta(seconds=seconds), LONGEST_LINK),
    )
    row.save(force_insert=True)
    scope.trail.target("document_link", row.id, 1)
    return MintedLink(row, token)


def revoke_link(*, scope: Scope, document_id: UUID, link_id: UUID, now: datetime) -> None:
    """Withdraw a link; again changes nothing. :raises NotFound: the document has no such link"""
    document = queries.get_document(scope=scope, document_id=document_id)
    link = queries.get_link(scope=scope, link_id=link_id)
    if link.document_id != document.id:
        raise NotFound(reason="parent_mismatch")
    DocumentLink.objects.visible_to(scope).filter(id=link.id, revoked_at=None).update(
        revoked_at=now
    )
    scope.trail.target("document_link", link.id, 2)


@dataclass(frozen=True, slots=True)
class FoundLink:
    """What a token leads to. The transaction is in the link's practice from here on."""

    trouble: str
    """Empty, or why it opens nothing: `tampered`, `revoked`, `used`, `expired`, `other_actor`."""
    scope: Scope
    document_id: UUID | None


def find_link(*, token: str, source: Source, asker_id: UUID | None) -> FoundLink:
    """
    Find what a token opens, and note its use. Two users of a single-use link cannot both pass.

    :param asker_id: the actor who signed the request, if one did; another's link opens nothing
    """
    row = sql.one(
        "SELECT trouble, practice_id, link_id, document_id, actor_id"
        " FROM rapport_open_document_link(%s)",
        (aead.token_digest(token),),
    )
    assert row is not None
    trouble, practice_id, link_id, document_id, actor_id = row
    scope = nobody(practice_id=practice_id or HOUSE_ID, source=source)
    if link_id is not None:
        scope.trail.target("document_link", link_id)
    if not trouble and asker_id is not None and asker_id != actor_id:
        trouble = "other_actor"
    return FoundLink(trouble or "", scope, document_id)


def read_link(found: FoundLink) -> tuple[Document, bytes]:
    """
    Return the document of a link, and its bytes.

    :raises LinkExpired: its time is over
    :raises LinkInvalid: it opens nothing, for whatever other reason: the answers are the same
    """
    if found.trouble == "expired":
        raise LinkExpired(reason="expired")
    if found.trouble or found.document_id is None:
        raise LinkInvalid(reason=found.trouble)
    document = queries.get_document(scope=found.scope, document_id=found.document_id)
    return document, read(document=document)


def url_of(token: str, *, base: str) -> str:
    """Return the address of a link. The access log writes its route only, never the token."""
    return f"{base}/v1/document-links/{token}"


GRACE = timedelta(hours=24)


def sweep_orphans(
    *, now: datetime, store: BlobStore | None = None, grace: timedelta = GRACE
) -> int:
    """
    Delete files that no row refers to, once they have been seen so for `grace`. Run by a job.

    A file is written before its row, so a young orphan may belong to a transaction that is still
    running: only what was an orphan at an earlier sweep, and still is, goes.

    :return: how many files were deleted
    """
    files = store or default_store()
    unowned = {
        str(row[0]) for row in sql.rows("SELECT rapport_unowned_blobs(%s)", (files.raw.keys(),))
    }
    OrphanBlob.objects.exclude(key__in=unowned).delete()  # lint: allow tables - the installation's, not a practice's
    OrphanBlob.objects.bulk_create(
        (OrphanBlob(key=key, seen_at=now) for key in sorted(unowned)), ignore_conflicts=True
    )
    old = OrphanBlob.objects.filter(Q(seen_at__lte=now - grace) & Q(key__in=unowned))  # lint: allow tables - the installation's, not a practice's
    doomed = list(old.values_list("key", flat=True))
    for key in doomed:
        files.delete(key=key)
    OrphanBlob.objects.filter(key__in=doomed).delete()  # lint: allow tables - the installation's, not a practice's
    return len(doomed)
