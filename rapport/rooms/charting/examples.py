"""Examples shown in the docs. A test checks that each fits its schema."""

from __future__ import annotations

from typing import Any

_DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

NEW_NOTE = {
    "appointment_id": "appt_01h455vb4pex5vsknk084sn02w",
    "type": "progress",
    "diagnoses": [{"code": "F41.1"}],
    "content": {
        "subjective": "Slept better this week; worries about work in the evenings.",
        "assessment": {"mood": "anxious", "risk": ["none voiced"]},
        "plan": "Worry time at six. Next session in a week.",
    },
}

NOTE: dict[str, Any] = {
    "object": "clinical_note",
    "id": "note_01h455vb4pex5vsknk084sn030",
    "patient_id": "pat_01h455vb4pex5vsknk084sn02q",
    "clinician_id": "clin_01h455vb4pex5vsknk084sn02r",
    "appointment_id": "appt_01h455vb4pex5vsknk084sn02w",
    "author_user_id": "usr_01h455vb4pex5vsknk084sn02p",
    "type": "progress",
    "status": "signed",
    "locked": True,
    "service_on": "2026-11-02",
    "diagnoses": [{"code": "F41.1", "label": "Generalized anxiety disorder"}],
    "completeness": {"complete": True, "missing": []},
    "signatures": [
        {
            "role": "author",
            "user_id": "usr_01h455vb4pex5vsknk084sn02p",
            "name": "Maya Chen, PhD",
            "signed_at": "2026-11-02T17:02:11.000Z",
            "sha256": _DIGEST,
        }
    ],
    "cosign_required": False,
    "revision": 1,
    "document": {
        "id": "doc_01h455vb4pex5vsknk084sn02m",
        "link": "/v1/clinical-notes/note_01h455vb4pex5vsknk084sn030/document-link",
    },
    "addenda_count": 0,
    "signed_at": "2026-11-02T17:02:11.000Z",
    "source": {"system": "rapport", "remote_id": None, "as_of": "2026-11-02T17:02:11.000Z"},
    "version": 3,
    "created_at": "2026-11-02T16:55:00.000Z",
    "updated_at": "2026-11-02T17:02:11.000Z",
}

NOTE_DETAIL: dict[str, Any] = NOTE | {
    "content": NEW_NOTE["content"], "return_comment": None, "addenda": [],
}  # fmt: skip

ASKED: dict[str, Any] = NOTE_DETAIL | {
    "content": None, "source": {"system": "sandbox-portal", "remote_id": "4711", "as_of": "2026-11-02T17:02:11.000Z"},
    "write": {"id": "cwr_01h455vb4pex5vsknk084sn02q", "state": "intended"},
}  # fmt: skip

DRAFT_DETAIL: dict[str, Any] = NOTE_DETAIL | {
    "status": "draft", "locked": False, "signatures": [], "document": None, "signed_at": None,
    "version": 1,
}  # fmt: skip

PAGE = {
    "object": "list", "data": [NOTE], "has_more": False, "next_cursor": None, "prev_cursor": None,
}  # fmt: skip

VERIFICATION = {
    "object": "note_verification",
    "id": "note_01h455vb4pex5vsknk084sn030",
    "valid": True,
    "sha256": _DIGEST,
    "text": True,
    "record": True,
    "document": True,
    "pdf_signature": True,
    "addenda": True,
    "version": 3,
}
