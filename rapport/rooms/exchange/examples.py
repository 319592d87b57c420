"""Examples shown in the docs. A test checks that each fits its schema."""

from __future__ import annotations

from typing import Any

_AT = "2026-11-02T15:20:00.000Z"

NEW_CONNECTION: dict[str, Any] = {
    "definition": "sandbox-portal",
    "base_url": "https://portal.example.org",
    "identity": {"practice_code": "WILLOW", "username": "rapport"},
    "consent": {
        "contract_permits_automation": True,
        "statement": "Our agreement of May 2025 lets us use a program with a user of its own (section 4.2).",
    },
    "quiet_hours": {"from_time": "01:00", "to_time": "04:00"},
}

CONNECTION: dict[str, Any] = {
    "object": "connection",
    "id": "conn_01h455vb4pex5vsknk084sn02q",
    "definition": "sandbox-portal",
    "revision": 7,
    "level": "gold",
    "base_url": "https://portal.example.org",
    "identity": {"practice_code": "WILLOW", "username": "rapport"},
    "state": "attention",
    "state_changed_at": _AT,
    "reason": "credentials_rejected",
    "owner": "practice",
    "sentence": "The portal does not take this user name and password.",
    "to_do": "Give the new password; the old one is never sent again.",
    "secrets": ["password", "totp_seed"],
    "mailbox": None,
    "consent": {
        "by_id": "usr_01h455vb4pex5vsknk084sn02q",
        "at": _AT,
        "statement": NEW_CONNECTION["consent"]["statement"],
    },
    "quiet_hours": {"from_time": "01:00", "to_time": "04:00"},
    "exports_every_hours": 24,
    "exports": [
        {
            "kind": "patients", "state": "agrees", "state_changed_at": _AT, "reason": None, "asked_at": _AT,
            "fetched_at": _AT, "artefact_id": "art_01h455vb4pex5vsknk084sn02q", "rows": 412, "unsettled": 1,
            "differing": 0,
        },
    ],
    "fresh_as_of": _AT,
    "version": 3,
    "created_at": _AT,
    "updated_at": _AT,
}

NEW_MAILBOX: dict[str, Any] = {
    "host": "imap.example.org",
    "port": 993,
    "username": "portal-codes@willow.example.org",
    "password": "what the mailbox takes",
    "texts": {"sender": "@texts.example.net", "telephone_ends": "0142"},
    "consent": {
        "may_be_read": True,
        "statement": "A mailbox of our own that gets the portal's codes and nothing else.",
    },
}

WITH_MAILBOX: dict[str, Any] = CONNECTION | {
    "secrets": ["mailbox", "password"],
    "mailbox": {
        "host": "imap.example.org",
        "port": 993,
        "username": "portal-codes@willow.example.org",
        "works": True,
        "texts": {"sender": "@texts.example.net", "telephone_ends": "0142"},
        "consent": {
            "by_id": "usr_01h455vb4pex5vsknk084sn02q",
            "at": _AT,
            "statement": "A mailbox of our own that gets the portal's codes and nothing else.",
        },
    },
}

CAPABILITIES: dict[str, Any] = {
    "object": "capabilities",
    "connection_id": "conn_01h455vb4pex5vsknk084sn02q",
    "connector": "sandbox-portal/7 (gold)",
    "data": [
        {
            "name": "appointments.read",
            "kind": "read",
            "level": "calibrated",
            "permitted": True,
            "works": True,
            "breaker": None,
            "reason": None,
            "attended": False,
            "fresh_as_of": _AT,
            "target_seconds": 60,
            "late_since": None,
        }
    ],
}

CHALLENGE: dict[str, Any] = {
    "object": "challenge",
    "id": "chal_01h455vb4pex5vsknk084sn02q",
    "factor": "sms",
    "masked_destination": "•••-•••-0142",
    "state": "open",
    "tries": 0,
    "issued_at": _AT,
    "expires_at": "2026-11-02T15:30:00.000Z",
    "state_changed_at": _AT,
}

ATTENTION: dict[str, Any] = {
    "object": "attention_item",
    "id": "attn_01h455vb4pex5vsknk084sn02q",
    "matter": "drift_breaking",
    "owner": "us",
    "sentence": "A page has lost something that is needed.",
    "to_do": "Look at the drift report; this part waits for a new definition.",
    "capability": "appointments.read",
    "subject_id": None,
    "detail": None,
    "picture_document_id": None,
    "times": 1,
    "opened_at": _AT,
    "seen_at": _AT,
    "resolved_at": None,
    "resolution": None,
}

RUN: dict[str, Any] = {
    "object": "connector_run",
    "id": "run_01h455vb4pex5vsknk084sn02q",
    "kind": "appointments",
    "near": True,
    "state": "published",
    "verdict": "same",
    "proof": "count",
    "reason": None,
    "tier": "http",
    "epoch": 4,
    "connector_revision": 7,
    "pieces": 1,
    "checkpoint": 1,
    "pages": 3,
    "rows": 61,
    "created": 1,
    "changed": 2,
    "gone": 0,
    "held": 0,
    "began_at": _AT,
    "ended_at": _AT,
}

DRIFT: dict[str, Any] = {
    "object": "drift_report",
    "id": "drift_01h455vb4pex5vsknk084sn02q",
    "capability": "appointments.read",
    "verdict": "breaking",
    "reason": "drift_breaking",
    "findings": [
        {"place": "appointments.status", "seen": "no such column", "expected": "Status", "note": ""}
    ],
    "shape_before": {"columns": ["Date", "Patient", "Status"]},
    "shape_after": {"columns": ["Date", "Patient"]},
    "picture_document_id": None,
    "connector_revision": 7,
    "at": _AT,
}

WRITE_SUMMARY: dict[str, Any] = {
    "object": "connector_write",
    "id": "wrt_01h455vb4pex5vsknk084sn02q",
    "ability": "appointments.create",
    "patient_id": "pat_01h455vb4pex5vsknk084sn02q",
    "state": "confirmed",
    "state_changed_at": _AT,
    "reason": None,
    "attended": False,
    "approved_at": None,
    "remote_id": "8731",
    "sends": 1,
    "differs": [],
    "retry_at": None,
    "created_at": _AT,
}

WRITE: dict[str, Any] = WRITE_SUMMARY | {
    "values": {"patient": "204", "start_local": "2026-11-09T09:00:00", "duration_minutes": 60},
    "found": {"patient": "204", "start_local": "2026-11-09T09:00:00", "duration_minutes": 60},
    "message": None,
    "history": [
        {"state": "armed", "reason": None, "at": _AT},
        {"state": "submitted", "reason": None, "at": _AT},
        {"state": "confirmed", "reason": None, "at": _AT},
    ],
}

ARTEFACT: dict[str, Any] = {
    "object": "artefact",
    "id": "art_01h455vb4pex5vsknk084sn02q",
    "ability": "notes.pdf",
    "remote_id": "5512",
    "document_id": "doc_01h455vb4pex5vsknk084sn02q",
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "reason": None,
    "asked_at": _AT,
    "fetched_at": _AT,
    "claims": None,
}

CLAIM_FILE: dict[str, Any] = ARTEFACT | {
    "ability": "claim_files.file",
    "remote_id": "31",
    "claims": [
        {"control_number": "FB000104", "claim_id": "clm_01h455vb4pex5vsknk084sn02q"},
        {"control_number": "FB000109", "claim_id": None},
    ],
}

REFRESH: dict[str, Any] = {
    "object": "refresh",
    "connection_id": "conn_01h455vb4pex5vsknk084sn02q",
    "what": ["appointments", "patients"],
}


def page(member: dict[str, Any]) -> dict[str, Any]:
    """Return a list of one."""
    return {"object": "list", "data": [member], "has_more": False, "next_cursor": None, "prev_cursor": None}
