"""Examples shown in the docs. A test checks that each fits its schema."""

from __future__ import annotations

from typing import Any

NEW_PAYER = {
    "name": "Example Health Plan",
    "payer_id_code": "60054",
    "claim_filing_indicator": "CI",
    "address": {
        "line1": "1 Plan Square", "city": "Hartford", "state": "CT", "postal_code": "06101",
    },
}  # fmt: skip

PAYER: dict[str, Any] = {
    "object": "payer",
    "id": "payer_01h455vb4pex5vsknk084sn02t",
    "name": "Example Health Plan",
    "payer_id_code": "60054",
    "claim_filing_indicator": "CI",
    "phone": None,
    "address": {
        "line1": "1 Plan Square", "line2": None, "city": "Hartford", "state": "CT",
        "postal_code": "06101",
    },
    "active": True,
    "submitter": "rapport",
    "external_ids": [],
    "source": {"system": "rapport", "remote_id": None, "as_of": "2026-10-01T15:00:00.000Z"},
    "version": 1,
    "created_at": "2026-10-01T15:00:00.000Z",
    "updated_at": "2026-10-01T15:00:00.000Z",
}  # fmt: skip

NEW_POLICY = {
    "patient_id": "pat_01h455vb4pex5vsknk084sn02q",
    "payer_id": "payer_01h455vb4pex5vsknk084sn02t",
    "rank": "primary",
    "member_id": "W123456789",
    "group_number": "G-100",
    "relationship": "self",
    "starts_on": "2026-01-01",
    "copay": {"amount": 2500, "currency": "USD"},
}

POLICY = {
    "object": "insurance_policy",
    "id": "pol_01h455vb4pex5vsknk084sn02s",
    "patient_id": "pat_01h455vb4pex5vsknk084sn02q",
    "payer_id": "payer_01h455vb4pex5vsknk084sn02t",
    "payer": {"id": "payer_01h455vb4pex5vsknk084sn02t", "name": "Example Health Plan"},
    "rank": "primary",
    "member_id": "W123456789",
    "group_number": "G-100",
    "plan_name": None,
    "relationship": "self",
    "subscriber": None,
    "starts_on": "2026-01-01",
    "ends_on": None,
    "copay": {"amount": 2500, "currency": "USD"},
    "source": {"system": "rapport", "remote_id": None, "as_of": "2026-10-01T15:00:00.000Z"},
    "version": 1,
    "created_at": "2026-10-01T15:00:00.000Z",
    "updated_at": "2026-10-01T15:00:00.000Z",
}
