"""Questions about documents. They take the scope first and change nothing."""

from __future__ import annotations

from uuid import UUID

from rapport.kernel.problems import NotFound
from rapport.platform.access.scope import Scope
from rapport.platform.db.rows import by_id

from .models import Document, DocumentLink


def get_document(*, scope: Scope, document_id: UUID) -> Document:
    """Return a document that the actor may see. :raises NotFound: there is none"""
    document = by_id(Document, scope=scope, id=document_id)
    if document is None:
        raise NotFound(_sought=[("document", document_id)])
    if document.patient_id is not None:
        scope.trail.patient_ids.add(document.patient_id)
    return document


def find_document(*, scope: Scope, document_id: UUID) -> Document | None:
    """Return a document that the actor may see, if there is one."""
    return by_id(Document, scope=scope, id=document_id)


def get_link(*, scope: Scope, link_id: UUID) -> DocumentLink:
    """Return a link. :raises NotFound: there is none"""
    link = by_id(DocumentLink, scope=scope, id=link_id)
    if link is None:
        raise NotFound(_sought=[("document_link", link_id)])
    return link
