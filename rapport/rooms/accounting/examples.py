"""Examples shown in the docs. A test checks that each fits its schema."""

from __future__ import annotations

from typing import Any


def _dollars(cents: int) -> dict[str, Any]:
    return {"amount": cents, "currency": "USD"}


def page(member: dict[str, Any]) -> dict[str, Any]:
    """Return a page with one member."""
    return {
        "object": "list", "data": [member], "has_more": False, "next_cursor": None,
        "prev_cursor": None,
    }  # fmt: skip


_PATIENT = "pat_01h455vb4pex5vsknk084sn02q"
_VISIT = "appt_01h455vb4pex5vsknk084sn02w"
_PERIOD = {"from_on": "2026-10-01", "to_on": "2026-10-31"}
_FROZEN = {
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "version": 1,
    "created_at": "2026-11-02T16:00:00.000Z",
}  # fmt: skip

NEW_INVOICE = {"patient_id": _PATIENT, **_PERIOD, "due_on": "2026-11-30"}
NEW_PAPER = {"patient_id": _PATIENT, **_PERIOD}
CREDIT = {"reason": "The payer paid after all"}

INVOICE = {
    "object": "invoice", "id": "inv_01h455vb4pex5vsknk084sn02x", "kind": "invoice", "number": 17,
    "patient_id": _PATIENT, "payer_id": None, **_PERIOD, "issued_on": "2026-11-02", "due_on": "2026-11-30",
    "lines": [
        {
            "appointment_id": _VISIT, "service_on": "2026-10-05", "code": "90837", "label": "Session",
            "charged": _dollars(15000), "paid_by_payers": _dollars(9500), "adjusted": _dollars(3000),
            "payers_owe": _dollars(0), "paid": _dollars(500), "due": _dollars(2000),
            "about": None, "diagnoses": [], "authorization": None, "warnings": [],
        },
    ],
    "total": _dollars(2000), "corrects_id": None, "corrected_by_id": None, "reason": None, **_FROZEN,
}  # fmt: skip

CREDIT_NOTE = INVOICE | {
    "id": "inv_01h455vb4pex5vsknk084sn02y", "kind": "credit_note", "number": 18, "due_on": None,
    "total": _dollars(-2000), "corrects_id": "inv_01h455vb4pex5vsknk084sn02x", "reason": CREDIT["reason"],
}  # fmt: skip

NEW_PAYER_PAYMENT = {
    "invoice_id": "inv_01h455vb4pex5vsknk084sn02x", "amount": _dollars(24000), "method": "check",
    "reference": "10442", "received_on": "2026-11-20", "final": True,
}  # fmt: skip
PAYER_PAYMENT = {
    "object": "payer_payment", "id": "ppay_01h455vb4pex5vsknk084sn02x", "payer_id": "payer_01h455vb4pex5vsknk084sn02x",
    "invoice_id": "inv_01h455vb4pex5vsknk084sn02x", "amount": _dollars(24000), "method": "check", "reference": "10442",
    "received_on": "2026-11-20", "final": True, "takes_back_id": None, "taken_back_by_id": None, "reason": None,
    "version": 1, "created_at": "2026-11-20T17:00:00.000Z",
}  # fmt: skip
TAKEN_BACK = PAYER_PAYMENT | {
    "id": "ppay_01h455vb4pex5vsknk084sn02y", "amount": _dollars(-24000), "final": False,
    "takes_back_id": "ppay_01h455vb4pex5vsknk084sn02x", "reason": "Of another practice",
}  # fmt: skip

STATEMENT = {
    "object": "statement", "id": "stm_01h455vb4pex5vsknk084sn02x", "patient_id": _PATIENT, **_PERIOD,
    "issued_on": "2026-11-02", "opening": _dollars(0),
    "lines": [
        {
            "on": "2026-10-05", "kind": "charge", "undoes": False, "service_on": "2026-10-05",
            "amount": _dollars(2500), "balance": _dollars(2500),
        },
        {
            "on": "2026-10-12", "kind": "patient_payment", "undoes": False, "service_on": None,
            "amount": _dollars(-500), "balance": _dollars(2000),
        },
    ],
    "closing": _dollars(2000),
    "plans": [
        {
            "payment_plan_id": "pplan_01h455vb4pex5vsknk084sn02x", "open": _dollars(1500), "overdue": _dollars(0),
            "next_due_on": "2026-11-15", "next_amount": _dollars(500),
        }
    ],
    "due_now": _dollars(500), **_FROZEN,
}  # fmt: skip

_UNTIL = {"first_due_on": "2026-12-31", "interval": "monthly"}
NEW_TERMS = {"patient_id": _PATIENT, **_UNTIL, "instalments": 3}
_AGREED = {"by": "Ana Rivera", "at": "2026-11-02T16:00:00.000Z", "how": "in_person"}
NEW_PLAN = NEW_TERMS | {"agreed": _AGREED}
PAUSE = {"until": "2027-03-01", "reason": "Between two jobs"}
END = {"outcome": "broken", "reason": "Did not answer three letters"}

PREVIEW = {
    "object": "payment_plan_preview", "patient_id": _PATIENT, "total": _dollars(10000),
    "visits": [{"appointment_id": _VISIT, "service_on": "2026-10-05", "amount": _dollars(10000)}],
    "instalments": [
        {"number": 1, "due_on": "2026-12-31", "amount": _dollars(3334)},
        {"number": 2, "due_on": "2027-01-31", "amount": _dollars(3333)},
        {"number": 3, "due_on": "2027-02-28", "amount": _dollars(3333)},
    ],
    "interest": _dollars(0), "warnings": [],
}  # fmt: skip

PLAN: dict[str, Any] = {
    "object": "payment_plan", "id": "pplan_01h455vb4pex5vsknk084sn02x", "patient_id": _PATIENT, "status": "active",
    "total": _dollars(10000), "paid": _dollars(3334), "open": _dollars(6666), "fallen_away": _dollars(0),
    "overdue": _dollars(0), "next_due_on": "2027-01-31", "next_amount": _dollars(3333), "interval": "monthly",
    "instalments": [
        {
            "number": number, "due_on": due_on, "agreed": _dollars(cents), "amount": _dollars(cents),
            "paid": _dollars(cents if number == 1 else 0), "state": "paid" if number == 1 else "upcoming",
        }
        for number, due_on, cents in ((1, "2026-12-31", 3334), (2, "2027-01-31", 3333), (3, "2027-02-28", 3333))
    ],
    "visits": [
        {"appointment_id": _VISIT, "agreed": _dollars(10000), "paid": _dollars(3334), "open": _dollars(6666)}
    ],
    "charge_card": False, "note": None, "agreed": _AGREED, "recorded_by_type": "user", "replaces_id": None,
    "replaced_by_id": None, "ended_at": None, "end_reason": None, **_FROZEN, "updated_at": "2026-11-02T16:00:00.000Z",
}  # fmt: skip

HISTORY = {
    "object": "payment_plan_history", "payment_plan_id": PLAN["id"],
    "deeds": [
        {
            "what": "created", "at": "2026-11-02T16:00:00.000Z", "actor_type": "user",
            "actor_id": "user_01h455vb4pex5vsknk084sn02z", "detail": None, "reason": None,
        }
    ],
}  # fmt: skip

SUPERBILL = {
    "object": "superbill", "id": "sbl_01h455vb4pex5vsknk084sn02x", "patient_id": _PATIENT, **_PERIOD,
    "issued_on": "2026-11-02",
    "lines": [
        {
            "appointment_id": _VISIT, "service_on": "2026-10-05", "code": "90837", "modifiers": ["95"], "units": 1,
            "place_of_service_code": "10", "diagnoses": ["F41.1"], "clinician": "Maya Chen, PhD",
            "clinician_npi": "1234567893", "charged": _dollars(15000), "paid": _dollars(15000),
        },
    ],
    "charged": _dollars(15000), "paid": _dollars(15000), **_FROZEN,
}  # fmt: skip

_GROUP = {
    "days_0_30": _dollars(12500), "days_31_60": _dollars(0), "days_61_90": _dollars(15000),
    "days_91_120": _dollars(0), "over_120": _dollars(0), "total": _dollars(27500), "overpaid": _dollars(0),
}  # fmt: skip

AGING = {
    "object": "aging", "as_of": "2026-10-31", "owed_by": "insurance", "group_by": "payer",
    "groups": [{"id": "payer_01h455vb4pex5vsknk084sn02r", **_GROUP}], "all": {"id": None, **_GROUP},
}  # fmt: skip

JOURNAL = {
    "object": "journal", **_PERIOD,
    "lines": [
        {"on": "2026-10-05", "account": "insurance_receivable", "name": "Assets:Receivable:Insurance", "amount": _dollars(15000)},
        {"on": "2026-10-05", "account": "revenue", "name": "Income:Services", "amount": _dollars(-15000)},
    ],
}  # fmt: skip

NEW_PAY_RULE = {
    "clinician_id": "clin_01h455vb4pex5vsknk084sn02s", "from_on": "2026-10-01", "basis": "collected",
    "basis_points": 6000, "per_code": [{"code": "90853", "amount": _dollars(4000)}],
}  # fmt: skip

PAY_RULE = {
    "object": "pay_rule", "id": "prule_01h455vb4pex5vsknk084sn02x", **NEW_PAY_RULE, "version": 1,
    "created_at": "2026-11-02T16:00:00.000Z",
}  # fmt: skip

PERIOD = dict(_PERIOD)

PAY_REPORT = {
    "object": "pay_report", "id": "prep_01h455vb4pex5vsknk084sn02x", **_PERIOD,
    "clinicians": [
        {
            "clinician_id": "clin_01h455vb4pex5vsknk084sn02s", "name": "Maya Chen, PhD", "basis": "collected",
            "basis_points": 6000, "pay": _dollars(12000),
            "lines": [
                {
                    "code": "90837", "visits": 2, "charged": _dollars(30000), "collected": _dollars(20000),
                    "pay": _dollars(12000),
                },
            ],
        },
    ],
    "total": _dollars(12000), **_FROZEN,
}  # fmt: skip

NEW_LINK = {"from_on": "2026-10-01"}
CALLBACK = {"state": "mK8vT0cJq3uWb1xYz7RfLnP5sHdGaE2i", "code": "AB11730000000abcdef", "company": "9130350000000000"}
MAPPING = {"mapping": {"cash": "35", "revenue": "1"}}

BOOK_LINK = {
    "object": "book_link", "id": "bkl_01h455vb4pex5vsknk084sn02x", "state": "linked", "company": "9130350000000000",
    "from_on": "2026-10-01",
    "accounts": [
        {"id": "35", "name": "Checking", "kind": "Bank"}, {"id": "1", "name": "Services", "kind": "Income"},
    ],
    "mapping": {"cash": "35", "revenue": "1"},
    "unmapped": [
        "patient_receivable", "insurance_receivable", "contractual_adjustments", "write_offs", "unapplied",
        "payer_clearing", "interest", "processor_fees", "refunds_due",
    ],
    "last_code": None, "authorize_url": None, "version": 4, "updated_at": "2026-11-02T16:00:00.000Z",
}  # fmt: skip

BOOK_ENTRY = {
    "object": "book_entry", "id": "bke_01h455vb4pex5vsknk084sn02x", "on": "2026-10-05", "revision": 1,
    "number": "RP-2026-10-05-1",
    "lines": [{"account": "cash", "amount": _dollars(2500)}, {"account": "revenue", "amount": _dollars(-2500)}],
    "state": "kept", "remote_id": "227", "last_code": None, "version": 3,
    "updated_at": "2026-11-02T16:00:00.000Z",
}  # fmt: skip
