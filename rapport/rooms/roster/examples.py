"""Examples shown in the docs. A test checks that each fits its schema."""

from __future__ import annotations

NEW_PATIENT = {
    "name": {"first": "Ana", "last": "Rivera", "preferred": "Annie"},
    "birth_on": "1990-04-12",
    "sex": "female",
    "address": {
        "line1": "12 Alder Court", "city": "Portland", "state": "OR", "postal_code": "97205",
    },
    "phones": [{"use": "mobile", "number": "(503) 555-0123"}],
    "email": "ana@example.org",
    "external_ids": [{"system": "urn:example:crm", "value": "4711"}],
}  # fmt: skip

PATIENT = {
    "object": "patient",
    "id": "pat_01h455vb4pex5vsknk084sn02q",
    "status": "active",
    "name": {"first": "Ana", "middle": None, "last": "Rivera", "suffix": None, "preferred": "Annie"},
    "pronouns": None,
    "birth_on": "1990-04-12",
    "sex": "female",
    "address": {
        "line1": "12 Alder Court", "line2": None, "city": "Portland", "state": "OR",
        "postal_code": "97205",
    },
    "phones": [{"use": "mobile", "number": "+15035550123"}],
    "email": "ana@example.org",
    "clinicians": [
        {"id": "clin_01h455vb4pex5vsknk084sn02r", "display_name": "Maya Chen, PhD"}
    ],
    "primary_insurance": {
        "policy_id": "pol_01h455vb4pex5vsknk084sn02s",
        "payer": {"id": "payer_01h455vb4pex5vsknk084sn02t", "name": "Example Health Plan"},
        "member_id": "W123456789",
        "relationship": "self",
    },
    "external_ids": [{"system": "urn:example:crm", "value": "4711"}],
    "source": {"system": "rapport", "remote_id": None, "as_of": "2026-11-02T15:00:00.000Z"},
    "version": 3,
    "created_at": "2026-10-01T15:00:00.000Z",
    "updated_at": "2026-11-02T15:00:00.000Z",
}  # fmt: skip

ASKED: dict[str, object] = PATIENT | {
    "id": None, "primary_insurance": None, "version": 1, "clinicians": [],
    "source": {"system": "sandbox-portal", "remote_id": None, "as_of": "2026-11-02T15:00:00.000Z"},
    "write": {"id": "cwr_01h455vb4pex5vsknk084sn02q", "state": "intended"},
}  # fmt: skip

NEW_CLINICIAN = {
    "first_name": "Maya", "last_name": "Chen", "credentials": "PhD", "npi": "1234567893",
    "taxonomy_code": "103TC0700X",
}  # fmt: skip

CLINICIAN: dict[str, object] = {
    "object": "clinician",
    "id": "clin_01h455vb4pex5vsknk084sn02r",
    "first_name": "Maya",
    "last_name": "Chen",
    "credentials": "PhD",
    "display_name": "Maya Chen, PhD",
    "npi": "1234567893",
    "taxonomy_code": "103TC0700X",
    "email": None,
    "active": True,
    "external_ids": [],
    "source": {"system": "rapport", "remote_id": None, "as_of": "2026-10-01T15:00:00.000Z"},
    "version": 1,
    "created_at": "2026-10-01T15:00:00.000Z",
    "updated_at": "2026-10-01T15:00:00.000Z",
}

NEW_LOCATION = {
    "name": "Main office",
    "place_of_service_code": "11",
    "address": {
        "line1": "100 Willow Street", "city": "Portland", "state": "OR",
        "postal_code": "97205-0001",
    },
    "time_zone": "America/Los_Angeles",
}  # fmt: skip

LOCATION: dict[str, object] = {
    "object": "location",
    "id": "loc_01h455vb4pex5vsknk084sn02v",
    "name": "Main office",
    "place_of_service_code": "11",
    "npi": None,
    "address": {
        "line1": "100 Willow Street", "line2": None, "city": "Portland", "state": "OR",
        "postal_code": "972050001",
    },
    "time_zone": "America/Los_Angeles",
    "active": True,
    "external_ids": [],
    "source": {"system": "rapport", "remote_id": None, "as_of": "2026-10-01T15:00:00.000Z"},
    "version": 1,
    "created_at": "2026-10-01T15:00:00.000Z",
    "updated_at": "2026-10-01T15:00:00.000Z",
}  # fmt: skip
