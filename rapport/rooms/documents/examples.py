"""Examples shown in the docs. A test checks that each fits its schema."""

from __future__ import annotations

_DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

DOCUMENT = {
    "object": "document",
    "id": "doc_01h455vb4pex5vsknk084sn02m",
    "patient_id": "pat_01h455vb4pex5vsknk084sn02q",
    "kind": "clinical_note",
    "file_name": "clinical-note-084a502m.pdf",
    "content_type": "application/pdf",
    "size_bytes": 48211,
    "sha256": _DIGEST,
    "version": 1,
    "created_at": "2026-11-02T16:00:00.000Z",
}

DOCUMENT_LINK = {
    "object": "document_link",
    "id": "dlk_01h455vb4pex5vsknk084sn02n",
    "document_id": "doc_01h455vb4pex5vsknk084sn02m",
    "url": "https://rapport.example.org/v1/document-links/x0yJ3…",
    "single_use": True,
    "expires_at": "2026-11-02T16:05:00.000Z",
    "sha256": _DIGEST,
    "version": 1,
}

PAGE = {
    "object": "list", "data": [DOCUMENT], "has_more": False, "next_cursor": None,
    "prev_cursor": None,
}  # fmt: skip
