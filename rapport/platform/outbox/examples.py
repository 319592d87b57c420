"""Examples shown in the docs."""

from __future__ import annotations

EVENT = {
    "id": "evt_01h455vb4pex5vsknk084sn02q",
    "type": "appointment.rescheduled",
    "created_at": "2026-11-02T15:00:00.000Z",
    "api_version": "2026-12-01",
    "practice_id": "prac_01h455vb4pex5vsknk084sn02r",
    "livemode": True,
    "object": {
        "type": "appointment", "id": "appt_01h455vb4pex5vsknk084sn02s", "version": 8, "sequence": 8,
    },
    "changed": ["start_at", "end_at"],
    "request_id": "req_01h455vb4pex5vsknk084sn02t",
}  # fmt: skip

NEW_ENDPOINT = {
    "url": "https://hooks.example.org/rapport",
    "event_types": ["appointment.rescheduled", "claim.paid"],
    "description": "Our reminders",
    "signature": "v1",
}

ENDPOINT = {
    "object": "webhook_endpoint",
    "id": "whe_01h455vb4pex5vsknk084sn02q",
    "url": "https://hooks.example.org/rapport",
    "event_types": ["appointment.rescheduled", "claim.paid"],
    "description": "Our reminders",
    "signature": "v1",
    "public_key": None,
    "state": "enabled",
    "disabled_reason": None,
    "previous_secret_until": None,
    "version": 1,
    "created_at": "2026-11-02T15:00:00.000Z",
    "updated_at": "2026-11-02T15:00:00.000Z",
}

ENDPOINT_WITH_SECRET = ENDPOINT | {"secret": "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"}

DELIVERY = {
    "object": "webhook_delivery",
    "id": "dlv_01h455vb4pex5vsknk084sn02q",
    "endpoint_id": "whe_01h455vb4pex5vsknk084sn02r",
    "event_id": "evt_01h455vb4pex5vsknk084sn02s",
    "event_type": "appointment.rescheduled",
    "sequence": 8,
    "state": "pending",
    "attempts": 2,
    "next_attempt_at": "2026-11-02T15:05:00.000Z",
    "last_attempt_at": "2026-11-02T15:00:05.000Z",
    "last_status": 500,
    "last_error": "status",
    "created_at": "2026-11-02T15:00:00.000Z",
}

REPLAY = {"object": "replay", "endpoint_id": "whe_01h455vb4pex5vsknk084sn02r", "queued": 214}
