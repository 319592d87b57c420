"""Examples shown in the docs. A test checks that each fits its schema."""

from __future__ import annotations

from typing import Any

DIAGNOSIS = {
    "object": "diagnosis_code",
    "id": "dx_01h455vb4pex5vsknk084sn02q",
    "code": "F41.1",
    "title": "Generalized anxiety disorder",
    "billable": True,
    "parent_code": "F41",
    "valid_from": None,
    "valid_to": None,
    "version": 1,
}

NEW_SERVICE_CODE: dict[str, Any] = {
    "code": "90837",
    "label": "Session, 60 minutes",
    "duration_minutes": 60,
    "rate": {"amount": 18000, "currency": "USD"},
}

SERVICE_CODE = {
    "object": "service_code",
    "id": "svc_01h455vb4pex5vsknk084sn02q",
    "code": "90837",
    "label": "Session, 60 minutes",
    "duration_minutes": 60,
    "least_minutes": 53,
    "most_minutes": None,
    "unit_minutes": None,
    "add_on": False,
    "parent_codes": [],
    "rate": {"amount": 18000, "currency": "USD"},
    "telehealth_allowed": True,
    "active": True,
    "external_ids": [],
    "version": 1,
    "created_at": "2026-10-01T15:00:00.000Z",
    "updated_at": "2026-10-01T15:00:00.000Z",
}

NEW_RATES = {
    "rates": [
        {
            "payer_id": "payer_01h455vb4pex5vsknk084sn02t",
            "rate": {"amount": 15500, "currency": "USD"},
            "starts_on": "2026-01-01",
        }
    ]
}

RATES = {
    "object": "service_code_rates",
    "id": "svc_01h455vb4pex5vsknk084sn02q",
    "default_rate": {"amount": 18000, "currency": "USD"},
    "rates": [
        {
            "id": "rate_01h455vb4pex5vsknk084sn02q",
            "payer_id": "payer_01h455vb4pex5vsknk084sn02t",
            "clinician_id": None,
            "rate": {"amount": 15500, "currency": "USD"},
            "starts_on": "2026-01-01",
            "ends_on": None,
        }
    ],
    "version": 2,
}
