"""Examples shown in the docs. A test checks that each fits its schema."""

from __future__ import annotations

from typing import Any

SESSION: dict[str, Any] = {
    "object": "telehealth_session",
    "id": "tel_01h455vb4pex5vsknk084sn02q",
    "appointment_id": "appt_01h455vb4pex5vsknk084sn02q",
    "state": "scheduled",
    "host": {"id": "clin_01h455vb4pex5vsknk084sn02r", "display_name": "Maya Chen, PhD"},
    "opens_at": "2026-11-02T16:45:00.000Z",
    "closes_at": "2026-11-02T19:00:00.000Z",
    "started_at": None,
    "ended_at": None,
    "join_urls": [
        {
            "person": "host",
            "url": "https://rapport.example/telehealth/join#k3mJ…",
            "expires_at": "2026-11-02T19:00:00.000Z",
        },
        {
            "person": "patient",
            "url": "https://rapport.example/telehealth/join#Zw81…",
            "expires_at": "2026-11-02T19:00:00.000Z",
        },
    ],
    "version": 1,
    "created_at": "2026-10-26T15:00:00.000Z",
    "updated_at": "2026-10-26T15:00:00.000Z",
}

JOIN: dict[str, Any] = {
    "object": "telehealth_join",
    "id": "tel_01h455vb4pex5vsknk084sn02q",
    "person": "patient",
    "state": "open",
    "may_enter": True,
    "host_display_name": "Maya Chen, PhD",
    "opens_at": "2026-11-02T16:45:00.000Z",
    "closes_at": "2026-11-02T19:00:00.000Z",
    "version": 2,
}
