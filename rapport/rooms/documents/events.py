"""What documents tell."""

from __future__ import annotations

DOCUMENT_CREATED = "document.created"
