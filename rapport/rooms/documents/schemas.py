"""The shapes of documents in the API."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta
from pydantic import Field

from rapport.kernel.ids import type_id
from rapport.platform.access.scope import Scope
from rapport.platform.api.shapes import Input, Instant, Shape, instant

from . import services
from .services import MintedLink


class DocumentOut(Shape):
    """A file that is kept. It never changes."""

    object: Literal["document"]
    id: str
    patient_id: str | None
    kind: str
    file_name: str
    content_type: str
    size_bytes: int
    sha256: Annotated[str, Meta(description="Hex digest of the file.")]
    version: int
    created_at: Instant


class DocumentLinkOut(Shape):
    """A short-lived link to a document. The url is shown once."""

    object: Literal["document_link"]
    id: str
    document_id: str
    url: str
    single_use: bool
    expires_at: Instant
    sha256: str
    version: int


class LinkIn(Input):
    """How long the link opens, and whether once only."""

    expires_in_seconds: int = Field(default=300, ge=1, le=300, strict=True)
    single_use: bool = Field(default=False, strict=True)


DOCUMENT_COLUMNS = (
    "d.id, d.patient_id, d.kind, d.file_name, d.content_type, d.size, d.sha256, d.created_at"
)
"""What `document_out` reads, in its order."""


def document_out(row: tuple[Any, ...], scope: Scope) -> DocumentOut:
    """Return the shape of a document from a row of `DOCUMENT_COLUMNS`."""
    return DocumentOut(
        object="document",
        id=type_id("document", row[0]),
        patient_id=type_id("patient", row[1]) if row[1] else None,
        kind=row[2],
        file_name=row[3],
        content_type=row[4],
        size_bytes=row[5],
        sha256=row[6],
        version=1,
        created_at=instant(row[7]),
    )


def link_out(minted: MintedLink, *, base: str) -> DocumentLinkOut:
    """Return the shape of a fresh link."""
    row = minted.row
    return DocumentLinkOut(
        object="document_link",
        id=type_id("document_link", row.id),
        document_id=type_id("document", row.document_id),
        url=services.url_of(minted.token, base=base),
        single_use=row.single_use,
        expires_at=instant(row.expires_at),
        sha256=row.sha256,
        version=1,
    )
