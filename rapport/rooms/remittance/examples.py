"""Examples shown in the docs. A test checks that each fits its schema."""

from __future__ import annotations

from typing import Any

REMITTANCE: dict[str, Any] = {
    "object": "remittance",
    "id": "rem_01h455vb4pex5vsknk084sn02q",
    "era_file_id": "era_01h455vb4pex5vsknk084sn02r",
    "payer_name": "EXAMPLE HEALTH PLAN",
    "payer_identifier": "1512345678",
    "trace": "EFT202611050001",
    "method": "ACH",
    "paid_on": "2026-11-05",
    "total": {"amount": 11900, "currency": "USD"},
    "provider_adjustments": [],
    "same_trace": False,
    "posted_before": False,
    "lines": [
        {
            "id": "rln_01h455vb4pex5vsknk084sn02s",
            "claim_id": "clm_01h455vb4pex5vsknk084sn02q",
            "appointment_id": "appt_01h455vb4pex5vsknk084sn031",
            "patient_id": "pat_01h455vb4pex5vsknk084sn02q",
            "control_number": "RA7K2M9QX4T1B8ZW3C",
            "status_code": "1",
            "payer_claim_number": "2026110200017",
            "service_code": "90837",
            "modifiers": [],
            "service_on": "2026-11-02",
            "charge": {"amount": 18000, "currency": "USD"},
            "paid": {"amount": 11900, "currency": "USD"},
            "allowed": {"amount": 14400, "currency": "USD"},
            "adjustments": [
                {"group": "CO", "reason": "45", "amount": {"amount": 3600, "currency": "USD"}, "plan": "contractual", "rule": "list", "booked": None},
                {"group": "PR", "reason": "3", "amount": {"amount": 2500, "currency": "USD"}, "plan": "patient", "rule": "list", "booked": None},
            ],
            "remarks": [],
            "matched_by": "line_control",
            "confidence": "exact",
            "ledger_entry_ids": ["led_01h455vb4pex5vsknk084sn033"],
        }
    ],
    "source": {"system": "rapport", "remote_id": None, "as_of": "2026-11-05T15:00:00.000Z"},
    "created_at": "2026-11-05T15:00:00.000Z",
}

ERA_FILE: dict[str, Any] = {
    "object": "era_file",
    "id": "era_01h455vb4pex5vsknk084sn02r",
    "state": "posted",
    "received_via": "channel",
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "duplicate_of": None,
    "findings": [],
    "remittances": [REMITTANCE],
    "source": {"system": "rapport", "remote_id": None, "as_of": "2026-11-05T15:00:00.000Z"},
    "version": 2,
    "created_at": "2026-11-05T15:00:00.000Z",
    "updated_at": "2026-11-05T15:00:00.000Z",
}

_CASH = {"amount": 11900, "currency": "USD"}
_NOTHING = {"amount": 0, "currency": "USD"}

ERA_PLAN: dict[str, Any] = {
    "object": "era_plan",
    "era_file_id": "era_01h455vb4pex5vsknk084sn02r",
    "state": "received",
    "posts_itself": False,
    "stops": [{"rule": "policy-by-hand", "message": "The practice posts every file by hand."}],
    "totals": {
        "cash": _CASH,
        "contractual": {"amount": 3600, "currency": "USD"},
        "patient": {"amount": 2500, "currency": "USD"},
        "next_payer": _NOTHING,
        "denied": _NOTHING,
        "by_confidence": {"exact": 1, "strong": 0, "weak": 0, "none": 0},
    },
    "remittances": [
        {
            "remittance_id": "rem_01h455vb4pex5vsknk084sn02q",
            "trace": "EFT202611050001",
            "total": _CASH,
            "posted_before": False,
            "lines": [
                {
                    "line": REMITTANCE["lines"][0] | {"ledger_entry_ids": []},
                    "reason": "The payer returned our number of the line.",
                    "denied": _NOTHING,
                    "entries": [
                        {
                            "kind": "insurance_payment", "debit": "cash", "credit": "insurance_receivable",
                            "amount": _CASH, "reason": None,
                        },
                    ],
                }
            ],
            "provider_adjustments": [],
            "entries": [],
        }
    ],
}  # fmt: skip

POSTING_POLICY: dict[str, Any] = {
    "object": "posting_policy",
    "automatic": True,
    "least_confidence": "strong",
    "denials": True,
    "takebacks": True,
    "provider_adjustments": True,
    "unmatched_to_clearing": False,
    "most": {"amount": 500000, "currency": "USD"},
    "appeal_days": 90,
    "tolerance": {"amount": 100, "currency": "USD"},
    "tolerance_percent": 0,
    "overrides": [{"group": "CO", "reason": "97", "plan": "contractual"}],
    "version": 1,
}

ADJUSTMENT_REASONS: dict[str, Any] = {
    "object": "adjustment_reasons",
    "kinds": [
        {
            "kind": "contract",
            "says": "Taken off by contract or law.",
            "to_do": None,
            "reasons": ["45", "253"],
            "plans": {"CO": "contractual", "PR": "patient", "OA": "inform", "PI": "review"},
        }
    ],
    "provider_codes": [{"code": "L6", "says": "Interest", "plan": "interest"}],
}

DECISION: dict[str, Any] = {
    "object": "remittance_line",
    "id": "rln_01h455vb4pex5vsknk084sn02s",
    "remittance_id": "rem_01h455vb4pex5vsknk084sn02q",
    "era_file_id": "era_01h455vb4pex5vsknk084sn02r",
    "era_state": "posted",
    "state": "matched",
    "payer_name": "EXAMPLE HEALTH PLAN",
    "trace": "EFT202611050001",
    "paid_on": "2026-11-05",
    "line": REMITTANCE["lines"][0] | {"matched_by": "by_hand"},
    "reason": "A person matched it.",
    "by_hand": [
        {
            "act": "assigned",
            "by": "0192f1c6-5b7a-7c5e-9a35-3f4a5b6c7d8e",
            "at": "2026-11-06T15:00:00.000Z",
            "reason": "The payer cut our number off.",
        }
    ],
}

CANDIDATES: list[dict[str, Any]] = [
    {
        "claim_id": "clm_01h455vb4pex5vsknk084sn02q",
        "claim_line": 1,
        "patient_id": "pat_01h455vb4pex5vsknk084sn02q",
        "service_on": "2026-11-02",
        "service_code": "90837",
        "charge": {"amount": 18000, "currency": "USD"},
        "claim_state": "accepted",
        "why": ["same-day", "same-code", "same-charge"],
    }
]

DENIAL: dict[str, Any] = {
    "object": "denial",
    "id": "den_01h455vb4pex5vsknk084sn02s",
    "remittance_line_id": "rln_01h455vb4pex5vsknk084sn02s",
    "claim_id": "clm_01h455vb4pex5vsknk084sn02q",
    "appointment_id": "appt_01h455vb4pex5vsknk084sn031",
    "patient_id": "pat_01h455vb4pex5vsknk084sn02q",
    "kind": "authorization",
    "says": "There was no authorization or referral, or it is used up.",
    "to_do": "Ask for one that reaches back, or appeal.",
    "reasons": ["CO-197"],
    "remarks": ["N130"],
    "amount": {"amount": 18000, "currency": "USD"},
    "service_code": "90837",
    "service_on": "2026-11-02",
    "payer_name": "EXAMPLE HEALTH PLAN",
    "deadline_on": "2027-02-03",
    "state": "open",
    "resolution": None,
    "note": None,
    "letter_id": None,
    "version": 1,
    "created_at": "2026-11-05T15:00:00.000Z",
    "updated_at": "2026-11-05T15:00:00.000Z",
}

CONTRACT_CHECK: dict[str, Any] = {
    "left_out": None,
    "says": None,
    "expected": {"amount": 15000, "currency": "USD"},
    "allowed": {"amount": 14400, "currency": "USD"},
    "stated": True,
    "difference": {"amount": 600, "currency": "USD"},
    "rule": "90837, from 2026-01-01",
}

UNDERPAYMENT: dict[str, Any] = {
    "object": "underpayment",
    "id": "upay_01h455vb4pex5vsknk084sn02s",
    "remittance_line_id": "rln_01h455vb4pex5vsknk084sn02s",
    "remittance_id": "rem_01h455vb4pex5vsknk084sn02q",
    "claim_id": "clm_01h455vb4pex5vsknk084sn02q",
    "appointment_id": "appt_01h455vb4pex5vsknk084sn031",
    "patient_id": "pat_01h455vb4pex5vsknk084sn02q",
    "payer_id": "payer_01h455vb4pex5vsknk084sn02t",
    "payer_name": "EXAMPLE HEALTH PLAN",
    "payer_claim_number": "2026110200017",
    "trace": "EFT202611050001",
    "service_code": "90837",
    "modifiers": [],
    "units": 1,
    "service_on": "2026-11-02",
    "decided_on": "2026-11-05",
    "charge": {"amount": 18000, "currency": "USD"},
    "paid": {"amount": 11900, "currency": "USD"},
    "expected": {"amount": 15000, "currency": "USD"},
    "allowed": {"amount": 14400, "currency": "USD"},
    "stated": True,
    "difference": {"amount": 600, "currency": "USD"},
    "rule": "90837, from 2026-01-01",
    "state": "open",
    "recovered": None,
    "note": None,
    "deadline_on": "2027-02-03",
    "letter_id": None,
    "version": 1,
    "created_at": "2026-11-05T15:00:00.000Z",
    "updated_at": "2026-11-05T15:00:00.000Z",
}

LOOK_BACK: dict[str, Any] = {
    "object": "underpayment_look_back",
    "compared": 412,
    "added": 9,
    "left_out": {"denied": 14, "no-contract": 61},
}

UNDERPAYMENT_SUMMARY: dict[str, Any] = {
    "object": "underpayment_summary",
    "starts_on": "2026-11-01",
    "ends_on": "2026-11-30",
    "missing": {"amount": 600, "currency": "USD"},
    "recovered": _NOTHING,
    "rows": [
        {
            "payer_id": "payer_01h455vb4pex5vsknk084sn02t",
            "payer_name": "Example Health Plan",
            "service_code": "90837",
            "count": 1,
            "open": 1,
            "disputed": 0,
            "expected": {"amount": 15000, "currency": "USD"},
            "allowed": {"amount": 14400, "currency": "USD"},
            "missing": {"amount": 600, "currency": "USD"},
            "recovered": _NOTHING,
            "above_count": 0,
            "above": _NOTHING,
        }
    ],
}

PAYER_BALANCES: dict[str, Any] = {
    "object": "payer_balances",
    "payers": [
        {
            "payer_identifier": "1512345678",
            "payer_name": "EXAMPLE HEALTH PLAN",
            "clearing": {"amount": -11900, "currency": "USD"},
            "carried": {"amount": -11900, "currency": "USD"},
            "codes": [
                {
                    "code": "FB",
                    "says": "Balance carried forward",
                    "plan": "carried",
                    "count": 1,
                    "open": {"amount": 11900, "currency": "USD"},
                    "last_on": "2026-11-05",
                }
            ],
        }
    ],
}

PAPER: dict[str, Any] = {
    "payer_name": "EXAMPLE HEALTH PLAN",
    "trace": "10023",
    "paid_on": "2026-11-05",
    "total": {"amount": 11900},
    "claims": [
        {
            "claim_id": "clm_01h455vb4pex5vsknk084sn02q",
            "payer_claim_number": "2026110200017",
            "lines": [
                {
                    "claim_line": 1,
                    "charge": {"amount": 18000},
                    "paid": {"amount": 11900},
                    "allowed": {"amount": 14400},
                    "adjustments": [
                        {"group": "CO", "reason": "45", "amount": {"amount": 3600}},
                        {"group": "PR", "reason": "3", "amount": {"amount": 2500}},
                    ],
                }
            ],
        }
    ],
}

DEPOSIT: dict[str, Any] = {
    "object": "deposit",
    "id": "dep_01h455vb4pex5vsknk084sn02t",
    "received_on": "2026-11-06",
    "amount": {"amount": 11900, "currency": "USD"},
    "trace": "EFT202611050001",
    "description": "EXAMPLE HEALTH PLAN HCCLAIMPMT",
    "remittance_id": None,
    "version": 1,
    "created_at": "2026-11-06T15:00:00.000Z",
}

RECONCILIATION: dict[str, Any] = {
    "object": "reconciliation",
    "starts_on": "2026-11-01",
    "ends_on": "2026-11-30",
    "matched": [
        {
            "remittance_id": "rem_01h455vb4pex5vsknk084sn02q",
            "deposit_id": "dep_01h455vb4pex5vsknk084sn02t",
            "how": "trace",
        }
    ],
    "differing": [],
    "without_deposit": [],
    "without_remittance": [],
    "not_posted": [],
    "received": {"amount": 11900, "currency": "USD"},
    "remitted": {"amount": 11900, "currency": "USD"},
}


def page(member: dict[str, Any]) -> dict[str, Any]:
    """Return a list of one."""
    return {"object": "list", "data": [member], "has_more": False, "next_cursor": None, "prev_cursor": None}
