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


def _posting(line: int, account: str, cents: int) -> dict[str, Any]:
    return {
        "line": line, "account": account, "amount": _dollars(cents),
        "appointment_id": "appt_01h455vb4pex5vsknk084sn02w", "claim_id": None,
        "service_on": "2026-11-02",
    }  # fmt: skip


LEDGER_ENTRY = {
    "object": "ledger_entry",
    "id": "led_01h455vb4pex5vsknk084sn02x",
    "kind": "charge",
    "patient_id": "pat_01h455vb4pex5vsknk084sn02q",
    "effective_on": "2026-11-02",
    "recorded_at": "2026-11-02T16:00:00.000Z",
    "source": {
        "kind": "appointment", "id": "appt_01h455vb4pex5vsknk084sn02w", "line": "charge",
    },
    "reason": None,
    "reason_code": None,
    "reverses_id": None,
    "reversed_by_id": None,
    "postings": [
        _posting(1, "patient_receivable", 2500), _posting(2, "insurance_receivable", 12500),
        _posting(3, "revenue", -15000),
    ],
    "version": 1,
}  # fmt: skip

BALANCE = {
    "object": "balance",
    "id": "pat_01h455vb4pex5vsknk084sn02q",
    "patient_id": "pat_01h455vb4pex5vsknk084sn02q",
    "as_of": "2026-11-02",
    "patient_responsibility": _dollars(2500),
    "insurance_outstanding": _dollars(12500),
    "credit": _dollars(0),
    "version": 1,
}

NEW_PAYMENT = {
    "patient_id": "pat_01h455vb4pex5vsknk084sn02q",
    "amount": _dollars(4000),
    "method": "check",
    "reference": "1042",
}

PAYMENT = {
    "object": "payment",
    "id": "pay_01h455vb4pex5vsknk084sn02y",
    "patient_id": "pat_01h455vb4pex5vsknk084sn02q",
    "amount": _dollars(4000),
    "method": "check",
    "reference": "1042",
    "received_on": "2026-11-02",
    "allocations": [
        {"appointment_id": "appt_01h455vb4pex5vsknk084sn02w", "amount": _dollars(2500)}
    ],
    "unapplied": _dollars(1500),
    "refunded": _dollars(0),
    "reversed": False,
    "ledger_entry_ids": ["led_01h455vb4pex5vsknk084sn02z"],
    "source": {"system": "rapport", "remote_id": None, "as_of": "2026-11-02T16:30:00.000Z"},
    "version": 1,
    "created_at": "2026-11-02T16:30:00.000Z",
}

REFUND = {"amount": _dollars(1500), "reason": "Patient moved away"}

ALLOCATE = {
    "allocations": [
        {"appointment_id": "appt_01h455vb4pex5vsknk084sn02w", "amount": _dollars(4000)}
    ],
}

CLOSE = {"closed_through": "2026-10-31", "reason": "October is with the accountant"}

REOPEN = {"closed_through": "2026-09-30", "reason": "A deposit of October was booked twice"}

BOOK_CLOSING = {
    "object": "book_closing",
    "id": "bkc_01h455vb4pex5vsknk084sn02z",
    "closed_through": "2026-10-31",
    "reopens": False,
    "reason": "October is with the accountant",
    "actor_type": "user",
    "created_at": "2026-11-06T09:00:00.000Z",
    "version": 1,
}

WRITE_OFF = {
    "patient_id": "pat_01h455vb4pex5vsknk084sn02q",
    "amount": _dollars(2500),
    "reason": "Approved by the director",
    "reason_code": "hardship",
}
