"""Examples shown in the docs. A test checks that each fits its schema."""

from __future__ import annotations

from typing import Any

from rapport.rooms.ledger import examples as ledger
from rapport.rooms.ledger.examples import page as page

_PAT = "pat_01h455vb4pex5vsknk084sn02q"
_CARD = "card_01h455vb4pex5vsknk084sn02q"
_AT = {"version": 1, "created_at": "2026-11-02T16:30:00.000Z", "updated_at": "2026-11-02T16:30:00.000Z"}

PAYMENT: dict[str, Any] = ledger.PAYMENT | {
    "state": "succeeded", "card_id": None, "decline": None, "fee": None, "card_refunds": [],
    "planned_charge_id": None,
}  # fmt: skip

PENDING: dict[str, Any] = PAYMENT | {
    "method": "card", "state": "pending", "card_id": _CARD, "reference": None, "allocations": [],
    "unapplied": {"amount": 0, "currency": "USD"}, "ledger_entry_ids": [],
}  # fmt: skip

NEW_PAYMENT: dict[str, Any] = {
    "patient_id": _PAT,
    "amount": {"amount": 4000, "currency": "USD"},
    "method": "card",
    "card_id": _CARD,
    "quoted_balance": {"amount": 4000, "currency": "USD"},
}

CARD: dict[str, Any] = {
    "object": "card", "id": _CARD, "patient_id": _PAT, "state": "active", "brand": "visa", "last4": "4242",
    "exp_month": 8, "exp_year": 2030, "funding": "credit", "health_account": False, "page": None, "decline": None,
} | _AT  # fmt: skip

READY: dict[str, Any] = CARD | {
    "state": "ready", "brand": None, "last4": None, "exp_month": None, "exp_year": None, "funding": None,
    "page": {"processor": "stripe", "publishable_key": "pk_test_k3mJ", "secret": "seti_1_secret_Zw81"},
}  # fmt: skip

PROCESSOR: dict[str, Any] = {
    "object": "card_processor", "id": "cpr_01h455vb4pex5vsknk084sn02q", "kind": "stripe",
    "settings": {"publishable_key": "pk_test_k3mJ"}, "has_notice_secret": True,
    "notice_path": "/v1/card-processors/cpr_01h455vb4pex5vsknk084sn02q/notices", "active": True,
} | _AT  # fmt: skip

NEW_PROCESSOR: dict[str, Any] = {
    "kind": "stripe", "settings": {"publishable_key": "pk_test_k3mJ"}, "secret_key": "sk_test_k3mJ9aZ",
    "notice_secret": "whsec_k3mJ9aZ",
}  # fmt: skip

NOTICE = {"object": "processor_notice", "new": True}
NOTICE_BODY = {"id": "evt_1", "type": "payment_intent.succeeded", "created": 1772470800, "data": {"object": {"id": "pi_1"}}}

PAYOUT: dict[str, Any] = {
    "object": "payout", "id": "pout_01h455vb4pex5vsknk084sn02q", "reference": "po_1", "amount": 3854,
    "currency": "USD", "arrives_on": "2026-11-04", "state": "paid",
    "lines": [
        {"kind": "charge", "payment_id": "pay_01h455vb4pex5vsknk084sn02y", "amount": 4000, "fee": 146, "net": 3854}
    ],
    "difference": 0, "unknown": 0,
} | _AT  # fmt: skip

RULE: dict[str, Any] = {
    "object": "autopay_rule", "active": True, "copays": False, "notice_days": 3, "day_of_month": None,
    "max_per_month": {"amount": 20000, "currency": "USD"}, "retry_days": [3, 7], "version": 1,
}  # fmt: skip

NEW_RULE: dict[str, Any] = {"active": True, "max_per_month": {"amount": 20000, "currency": "USD"}}

_CONSENT = {
    "words": "I agree that what I owe after my insurance has paid is charged to this card.",
    "given_by": "Ana Rivera", "given_at": "2026-11-02T16:30:00.000Z",
}  # fmt: skip

NEW_ENROLMENT: dict[str, Any] = {"patient_id": _PAT, "card_id": _CARD, "consent": _CONSENT}

ENROLMENT: dict[str, Any] = {
    "object": "autopay_enrolment", "id": "apy_01h455vb4pex5vsknk084sn02q", "patient_id": _PAT, "card_id": _CARD,
    "state": "active", "consent": _CONSENT, "recorded_by_type": "user", "max_per_month": None, "revoked_at": None,
    "revoke_reason": None,
} | _AT  # fmt: skip

PLANNED: dict[str, Any] = {
    "object": "planned_charge", "id": "plc_01h455vb4pex5vsknk084sn02q", "patient_id": _PAT,
    "enrolment_id": "apy_01h455vb4pex5vsknk084sn02q", "amount": {"amount": 2500, "currency": "USD"},
    "allocations": [
        {"appointment_id": "appt_01h455vb4pex5vsknk084sn02w", "amount": {"amount": 2500, "currency": "USD"}}
    ],
    "due_on": "2026-11-05", "payment_plan_id": None, "instalment": None, "state": "planned", "tries": 0, "payment_id": None, "decline": None, "reason": None,
} | _AT  # fmt: skip
