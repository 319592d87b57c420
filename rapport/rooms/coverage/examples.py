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
    "kind": "insurance", "invoice_name": "reference", "invoice_detail": "sessions", "remainder": "open",
    "payer_id_code": "60054",
    "claim_filing_indicator": "CI",
    "phone": None,
    "address": {
        "line1": "1 Plan Square", "line2": None, "city": "Hartford", "state": "CT",
        "postal_code": "06101",
    },
    "active": True,
    "submitter": "rapport",
    "authorization_for": ["90837"],
    "eligibility_by": None,
    "enrollments": {"837P": "active", "835": "requested"},
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
    "medicare_reason": None,
    "eligibility": {
        "check_id": "elig_01h455vb4pex5vsknk084sn02r", "as_of": "2026-11-01T15:00:02.000Z", "coverage": "active",
        "copay": {"amount": 2500, "currency": "USD"}, "coinsurance_basis_points": 2000,
        "deductible_remaining": {"amount": 12000, "currency": "USD"}, "authorization": "required",
    },
    "source": {"system": "rapport", "remote_id": None, "as_of": "2026-10-01T15:00:00.000Z"},
    "version": 1,
    "created_at": "2026-10-01T15:00:00.000Z",
    "updated_at": "2026-10-01T15:00:00.000Z",
}

NEW_AUTHORIZATION = {
    "policy_id": "pol_01h455vb4pex5vsknk084sn02s",
    "number": "A-20443",
    "service_codes": ["90834", "90837"],
    "counted_by": "visit",
    "allowed": 12,
    "starts_on": "2026-10-01",
    "ends_on": "2027-03-31",
}

AUTHORIZATION = {
    "object": "authorization",
    "id": "auth_01h455vb4pex5vsknk084sn02s",
    "patient_id": "pat_01h455vb4pex5vsknk084sn02q",
    "policy_id": "pol_01h455vb4pex5vsknk084sn02s",
    "payer": {"id": "payer_01h455vb4pex5vsknk084sn02t", "name": "Example Health Plan"},
    "number": "A-20443",
    "service_codes": ["90834", "90837"],
    "counted_by": "visit",
    "allowed": 12,
    "used_before": 0,
    "starts_on": "2026-10-01",
    "ends_on": "2027-03-31",
    "active": True,
    "used": 3,
    "in_flight": 1,
    "booked": 2,
    "left": 6,
    "short": 0,
    "version": 1,
    "created_at": "2026-10-01T15:00:00.000Z",
    "updated_at": "2026-10-01T15:00:00.000Z",
}


NEW_ENROLLMENT = {
    "transaction": "835",
    "state": "requested",
    "effective_on": None,
    "note": "Form sent to the clearinghouse.",
}

ENROLLMENTS: dict[str, Any] = {
    "object": "enrollments",
    "payer_id": "payer_01h455vb4pex5vsknk084sn02t",
    "transactions": [
        {"transaction": "837P", "needed": True, "state": "active", "effective_on": "2026-09-01"},
        {"transaction": "835", "needed": True, "state": "requested", "effective_on": None},
        {"transaction": "270", "needed": False, "state": "none", "effective_on": None},
        {"transaction": "276", "needed": False, "state": "none", "effective_on": None},
        {"transaction": "275", "needed": False, "state": "none", "effective_on": None},
    ],
    "history": [
        {
            "transaction": "835", "needed": True, "state": "requested", "effective_on": None,
            "note": "Form sent to the clearinghouse.", "by_type": "user", "at": "2026-10-02T15:00:00.000Z",
        },
        {
            "transaction": "837P", "needed": True, "state": "active", "effective_on": "2026-09-01",
            "note": None, "by_type": "user", "at": "2026-10-01T15:00:00.000Z",
        },
    ],
}  # fmt: skip

NEW_CREDENTIAL_SPAN = {
    "clinician_id": "clin_01h455vb4pex5vsknk084sn02r",
    "payer_id": "payer_01h455vb4pex5vsknk084sn02t",
    "starts_on": "2026-10-01",
}

CREDENTIAL_SPAN = {
    "object": "credential_span",
    "id": "cred_01h455vb4pex5vsknk084sn02r",
    "clinician_id": "clin_01h455vb4pex5vsknk084sn02r",
    "clinician": {"id": "clin_01h455vb4pex5vsknk084sn02r", "display_name": "Maya Chen, PhD"},
    "payer_id": "payer_01h455vb4pex5vsknk084sn02t",
    "payer": {"id": "payer_01h455vb4pex5vsknk084sn02t", "name": "Example Health Plan"},
    "starts_on": "2026-10-01",
    "ends_on": None,
    "payer_number": None,
    "version": 1,
    "created_at": "2026-10-01T15:00:00.000Z",
    "updated_at": "2026-10-01T15:00:00.000Z",
}

_MONEY = {"amount": 2500, "currency": "USD"}

ELIGIBILITY_CHECK: dict[str, Any] = {
    "object": "eligibility_check",
    "id": "elig_01h455vb4pex5vsknk084sn02r",
    "patient_id": "pat_01h455vb4pex5vsknk084sn02q",
    "policy_id": "pol_01h455vb4pex5vsknk084sn02s",
    "payer": {"id": "payer_01h455vb4pex5vsknk084sn02t", "name": "Example Health Plan"},
    "reason": "asked",
    "service_on": "2026-11-02",
    "service_types": ["30", "MH"],
    "state": "answered",
    "by_file": False,
    "answer_by": None,
    "late": False,
    "retry_at": None,
    "last_code": None,
    "as_of": "2026-11-01T15:00:02.000Z",
    "benefits": {
        "coverage": "active", "plan": "GOLD 500", "plan_begins_on": "2026-01-01", "plan_ends_on": None,
        "covered": True, "carved_out": False, "copay": _MONEY, "coinsurance_basis_points": 2000,
        "deductible": {"amount": 50000, "currency": "USD"},
        "deductible_remaining": {"amount": 12000, "currency": "USD"},
        "family_deductible": None, "family_deductible_remaining": None, "out_of_pocket": None,
        "out_of_pocket_remaining": None, "visits": 30, "visits_remaining": 22, "authorization": "required",
        "other_payers": [],
        "contacts": [{"name": "EXAMPLE BEHAVIORAL", "id": None, "phones": ["8005550100"], "other": []}],
        "messages": ["TELEHEALTH AS IN PERSON"],
    },
    "refusals": [],
    "warnings": [],
    "exchanges": [
        {
            "number": 1, "created_at": "2026-11-01T15:00:00.000Z", "answered_at": "2026-11-01T15:00:02.000Z",
            "tries": 1, "outcome": "answered", "file_id": None,
        }
    ],
    "version": 3,
    "created_at": "2026-11-01T15:00:00.000Z",
    "updated_at": "2026-11-01T15:00:02.000Z",
}  # fmt: skip

QUEUED: dict[str, Any] = {
    "state": "queued", "as_of": None, "benefits": None, "version": 1,
    "exchanges": [
        {"number": 1, "created_at": "2026-11-01T15:00:00.000Z", "answered_at": None, "tries": 0, "outcome": None, "file_id": None}
    ],
}  # fmt: skip
"""What of a check is other before the payer was asked."""

GIVEN_UP: dict[str, Any] = {
    "state": "unanswered", "last_code": "given-up", "as_of": None, "benefits": None, "by_file": True,
    "answer_by": "2026-11-02T15:00:00.000Z",
    "exchanges": [
        {
            "number": 1, "created_at": "2026-11-01T15:00:00.000Z", "answered_at": None, "tries": 1, "outcome": None,
            "file_id": "eligf_01h455vb4pex5vsknk084sn02r",
        }
    ],
}  # fmt: skip
"""What is other of a check whose file was not answered."""

ELIGIBILITY_FILE: dict[str, Any] = {
    "object": "eligibility_file",
    "id": "eligf_01h455vb4pex5vsknk084sn02r",
    "payer": {"id": "payer_01h455vb4pex5vsknk084sn02t", "name": "Example Health Plan"},
    "state": "sent",
    "retry_at": None,
    "last_code": None,
    "progress": {"asked": 3, "answered": 40, "refused": 2, "unanswered": 0, "again": 1},
    "answer_by": "2026-11-02T15:00:00.000Z",
    "late": False,
    "created_at": "2026-11-01T15:00:00.000Z",
}

NEW_ELIGIBILITY_BATCH = {"policy_ids": ["pol_01h455vb4pex5vsknk084sn02s", "pol_01h455vb4pex5vsknk084sn02t"]}

ELIGIBILITY_BATCH = {
    "object": "eligibility_batch",
    "data": [
        {"policy_id": "pol_01h455vb4pex5vsknk084sn02s", "check": ELIGIBILITY_CHECK | QUEUED, "problem": None},
        {"policy_id": "pol_01h455vb4pex5vsknk084sn02t", "check": None, "problem": "validation"},
    ],
}

COVERAGE_SETTINGS = {
    "object": "coverage_settings",
    "check_days_before": 2,
    "check_again_days": 7,
    "estimate_warning": {"amount": 30000, "currency": "USD"},
    "version": 2,
}


NEW_ESTIMATE = {
    "patient_id": "pat_01h455vb4pex5vsknk084sn02q",
    "services": [
        {"service_code": "90837", "clinician_id": "clin_01h455vb4pex5vsknk084sn02r", "quantity": 24}
    ],
    "starts_on": "2026-11-09",
    "first_service_on": "2026-11-09",
    "asked_on": "2026-11-02",
}

ESTIMATE: dict[str, Any] = {
    "object": "estimate",
    "id": "gfe_01h455vb4pex5vsknk084sn02r",
    "patient_id": "pat_01h455vb4pex5vsknk084sn02q",
    "number": "GFE-000007",
    "state": "given",
    "starts_on": "2026-11-09",
    "ends_on": "2027-11-08",
    "asked_on": "2026-11-02",
    "first_service_on": "2026-11-09",
    "due_on": "2026-11-03",
    "diagnosis_codes": [],
    "services": [
        {
            "service_code": "90837", "label": "Session", "clinician_id": "clin_01h455vb4pex5vsknk084sn02r",
            "quantity": 24, "rate": {"amount": 18000, "currency": "USD"}, "rate_rule": "code_default",
            "amount": {"amount": 432000, "currency": "USD"},
        }
    ],
    "total": {"amount": 432000, "currency": "USD"},
    "charged": {"amount": 36000, "currency": "USD"},
    "standing": "within",
    "given_at": "2026-11-03T15:00:00.000Z",
    "given_by": "paper",
    "document_id": "doc_01h455vb4pex5vsknk084sn02r",
    "near_at": None,
    "exceeded_at": None,
    "version": 2,
    "created_at": "2026-11-02T15:00:00.000Z",
    "updated_at": "2026-11-03T15:00:00.000Z",
}  # fmt: skip

DRAFT: dict[str, Any] = {
    "number": None, "state": "draft", "given_at": None, "given_by": None, "document_id": None, "version": 1,
    "charged": {"amount": 0, "currency": "USD"},
}  # fmt: skip
"""What of an estimate is other before it is given."""


NEW_CONTRACT_RATES: dict[str, Any] = {
    "rates": [
        {"service_code": "90837", "rate": {"amount": 14400}, "starts_on": "2026-01-01"},
        {"service_code": "90837", "credential": "LPC", "rate": {"amount": 12200}, "starts_on": "2026-01-01"},
    ]
}

CONTRACT_RATES: dict[str, Any] = {
    "object": "contract_rates",
    "payer_id": "payer_01h455vb4pex5vsknk084sn02t",
    "rates": [
        {
            "service_code": "90837",
            "modifier": None,
            "credential": None,
            "telehealth": None,
            "place_of_service_code": None,
            "rate": {"amount": 14400, "currency": "USD"},
            "starts_on": "2026-01-01",
            "ends_on": None,
            "rule": "90837, from 2026-01-01",
        }
    ],
    "version": 2,
}


def page(member: dict[str, Any]) -> dict[str, Any]:
    """Return a list of one."""
    return {"object": "list", "data": [member], "has_more": False, "next_cursor": None, "prev_cursor": None}
