"""Examples shown in the docs. A test checks that each fits its schema."""

from __future__ import annotations

from typing import Any

SUMMARY: dict[str, Any] = {
    "object": "claim",
    "id": "clm_01h455vb4pex5vsknk084sn02q",
    "state": "accepted",
    "state_changed_at": "2026-11-02T15:20:00.000Z",
    "patient_id": "pat_01h455vb4pex5vsknk084sn02q",
    "clinician_id": "clin_01h455vb4pex5vsknk084sn02r",
    "policy_id": "pol_01h455vb4pex5vsknk084sn02s",
    "payer_id": "payer_01h455vb4pex5vsknk084sn02t",
    "channel_id": "chan_01h455vb4pex5vsknk084sn02v",
    "original_claim_id": None,
    "format": "837p",
    "frequency": "original",
    "rank": "primary",
    "control_number": "RA7K2M9QX4T1B8ZW3C",
    "payer_claim_number": "2026110200017",
    "service_from_on": "2026-11-02",
    "service_to_on": "2026-11-02",
    "charge": {"amount": 15000, "currency": "USD"},
    "paid": {"amount": 0, "currency": "USD"},
    "file_by_on": "2027-01-31",
    "findings": [],
    "source": {"system": "rapport", "remote_id": None, "as_of": "2026-11-02T15:20:00.000Z"},
    "version": 6,
    "created_at": "2026-11-02T15:00:00.000Z",
    "updated_at": "2026-11-02T15:20:00.000Z",
}

CLAIM: dict[str, Any] = SUMMARY | {
    "place_of_service_code": "10",
    "diagnosis_codes": ["F41.1"],
    "hold_reason": None,
    "rules": [],
    "attachments": [],
    "lines": [
        {
            "id": "clv_01h455vb4pex5vsknk084sn030",
            "position": 1,
            "appointment_id": "appt_01h455vb4pex5vsknk084sn031",
            "note_id": "note_01h455vb4pex5vsknk084sn032",
            "service_on": "2026-11-02",
            "service_code": "90837",
            "modifiers": ["95"],
            "place_of_service_code": "10",
            "units": 1,
            "charge": {"amount": 15000, "currency": "USD"},
            "diagnosis_pointers": [1],
            "control_number": "LQ4T1B8ZW3C7K2M9X",
            "rate_rule": "code_default",
            "authorization_id": None,
        }
    ],
    "submissions": [],
    "acknowledgements": [],
    "status_inquiries": [],
    "history": [
        {"action": "pass", "state": "validated", "at": "2026-11-02T15:00:00.000Z", "detail": None}
    ],
    "artefacts": [
        {
            "kind": "837p",
            "media_type": "application/edi-x12",
            "url": "/v1/claims/clm_01h455vb4pex5vsknk084sn02q",
        }
    ],
}

ASKED: dict[str, Any] = {
    "object": "claim",
    "id": None,
    "patient_id": "pat_01h455vb4pex5vsknk084sn02q",
    "clinician_id": "clin_01h455vb4pex5vsknk084sn02r",
    "policy_id": "pol_01h455vb4pex5vsknk084sn02s",
    "payer_id": "payer_01h455vb4pex5vsknk084sn02t",
    "service_from_on": "2026-11-02",
    "service_to_on": "2026-11-02",
    "write": {"id": "wrt_01h455vb4pex5vsknk084sn02q", "state": "intended"},
}

HISTORY: dict[str, Any] = {
    "object": "claim_event",
    "at": "2026-11-09T15:00:00.000Z",
    "kind": "decision",
    "text": "The payer decided: $119.00 of $180.00 paid, $36.00 taken off, $25.00 left to the patient.",
    "by": "payer",
    "state": "paid",
    "code": "835:1",
    "file": {"kind": "remittance", "id": "era_01h455vb4pex5vsknk084sn030", "segment": 17},
    "submission_id": None,
    "other_claim_id": None,
}

PROPOSAL: dict[str, Any] = {
    "object": "claim_proposal",
    "id": "cprp_01h455vb4pex5vsknk084sn02w",
    "state": "open",
    "kind": "next_payer",
    "claim_id": "clm_01h455vb4pex5vsknk084sn02q",
    "policy_id": "pol_01h455vb4pex5vsknk084sn02y",
    "payer_id": "payer_01h455vb4pex5vsknk084sn02z",
    "patient_id": "pat_01h455vb4pex5vsknk084sn02q",
    "left_to_patient": {"amount": 2500, "currency": "USD"},
    "denied": False,
    "reason": None,
    "made_claim_id": None,
    "version": 1,
    "created_at": "2026-11-09T15:00:00.000Z",
    "updated_at": "2026-11-09T15:00:00.000Z",
}

NEW_CHANNEL: dict[str, Any] = {
    "name": "Clearinghouse",
    "kind": "http",
    "settings": {
        "base_url": "https://clearinghouse.example.org",
        "sender_id": "WILLOWBH",
        "receiver_id": "CLEARING01",
        "receiver_name": "EXAMPLE CLEARINGHOUSE",
    },
    "secret": "the key they gave you",
}

CHANNEL: dict[str, Any] = {
    "object": "channel",
    "id": "chan_01h455vb4pex5vsknk084sn02v",
    "name": "Clearinghouse",
    "kind": "http",
    "settings": NEW_CHANNEL["settings"],
    "has_secret": True,
    "active": True,
    "last_fetched_at": None,
    "last_control_number": 17,
    "version": 1,
    "created_at": "2026-10-01T15:00:00.000Z",
    "updated_at": "2026-10-01T15:00:00.000Z",
}


PROFILE: dict[str, Any] = {
    "object": "claim_profile",
    "payer_id": "payer_01h455vb4pex5vsknk084sn02t",
    "claim_filing_indicator": "CI",
    "values": {
        "supervision": {"value": "bill_under_supervisor", "source": "practice", "note": None},
        "filing_limit_days": {"value": 90, "source": "default", "note": "default, verify"},
    },
    "version": 1,
}

WORK_ITEM: dict[str, Any] = {
    "object": "work_item",
    "id": "work_01h455vb4pex5vsknk084sn02q",
    "kind": "rejected",
    "claim_id": "clm_01h455vb4pex5vsknk084sn02q",
    "patient_id": "pat_01h455vb4pex5vsknk084sn02q",
    "code": "277CA:A7:164",
    "reason": "The payer takes something in it for wrong.",
    "todo": "The member id is not the payer's: compare it with the card. Then validate the claim and send it again.",
    "times": 1,
    "owner_id": None,
    "due_on": "2027-01-31",
    "state": "open",
    "resolution": None,
    "resolved_at": None,
    "version": 1,
    "created_at": "2026-11-02T15:20:00.000Z",
    "updated_at": "2026-11-02T15:20:00.000Z",
}

INBOUND_FILE: dict[str, Any] = {
    "object": "inbound_file",
    "id": "inb_01h455vb4pex5vsknk084sn02q",
    "channel_id": "chan_01h455vb4pex5vsknk084sn02v",
    "name": "20261102-000017.277ca",
    "kind": "277CA",
    "outcome": "parked",
    "detail": None,
    "received_at": "2026-11-02T15:20:00.000Z",
}

NEW_RULES: dict[str, Any] = {
    "rules": [
        {
            "id": "interns-say-ho",
            "when": [{"field": "supervised", "op": "is", "value": True}],
            "then": {"do": "set_modifier", "modifier": "HO"},
        }
    ],
    "based_on": 3,
    "note": "asked for by the state plan",
}

RULES: dict[str, Any] = {
    "object": "claim_rules",
    "id": "crul_01h455vb4pex5vsknk084sn02q",
    "version": 4,
    "rules": [
        {
            "id": "interns-say-ho",
            "when": [{"field": "supervised", "op": "is", "value": True}],
            "then": {"do": "set_modifier", "text": "", "modifier": "HO", "service_codes": []},
            "stop": False,
        }
    ],
    "note": "asked for by the state plan",
    "changed_by": "usr_01h455vb4pex5vsknk084sn02q",
    "created_at": "2026-11-02T15:00:00.000Z",
}

TRIAL: dict[str, Any] = {
    "object": "claim_rules_trial",
    "claims": 212,
    "by_rule": {"interns-say-ho": 31},
    "examples": [
        {
            "claim_id": "clm_01h455vb4pex5vsknk084sn02q",
            "did": [{"rule_id": "interns-say-ho", "do": "set_modifier", "text": "", "modifier": "HO", "lines": [1]}],
        }
    ],
}

ATTACHMENT: dict[str, Any] = {
    "object": "claim_attachment",
    "id": "catt_01h455vb4pex5vsknk084sn02q",
    "claim_id": "clm_01h455vb4pex5vsknk084sn02q",
    "document_id": "doc_01h455vb4pex5vsknk084sn02q",
    "report_type": "OZ",
    "way": "FX",
    "control_number": "A7K2M9QX4T1B8ZW3C",
    "state": "to_send",
    "sent_how": None,
    "sent_at": None,
    "version": 1,
    "created_at": "2026-11-02T15:00:00.000Z",
}

PRINT_SETTING: dict[str, Any] = {"object": "print_setting", "dx": 4, "dy": -2, "version": 1}

NEW_BATCH: dict[str, Any] = {"payer_id": "payer_01h455vb4pex5vsknk084sn02t"}

BATCH: dict[str, Any] = {
    "object": "claim_batch",
    "id": "cbat_01h455vb4pex5vsknk084sn02q",
    "state": "made",
    "channel_id": "chan_01h455vb4pex5vsknk084sn02v",
    "payer_id": "payer_01h455vb4pex5vsknk084sn02t",
    "follows_batch_id": None,
    "progress": {"done": 42, "total": 42},
    "included": 41,
    "charge": {"amount": 738000, "currency": "USD"},
    "findings": [],
    "left_out": [{"claim_id": "clm_01h455vb4pex5vsknk084sn02q", "codes": ["member-id-missing"]}],
    "submission": {
        "id": "sbm_01h455vb4pex5vsknk084sn02q",
        "state": "sent",
        "interchange_number": "000000017",
        "group_number": 17,
        "size": 20480,
        "sha256": "9f2c4d1b7a3e5f60819a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f70",
        "syntax_code": "A",
        "last_code": None,
        "receipt": "4711",
        "state_changed_at": "2026-11-02T15:20:00.000Z",
    },
    "version": 3,
    "created_at": "2026-11-02T15:00:00.000Z",
    "updated_at": "2026-11-02T15:01:00.000Z",
}


def page(member: dict[str, Any]) -> dict[str, Any]:
    """Return a list of one."""
    return {"object": "list", "data": [member], "has_more": False, "next_cursor": None, "prev_cursor": None}
