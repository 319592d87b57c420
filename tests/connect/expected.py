"""What the mirror ought to have of each kind, told from the portal's own tables and by nothing of the product's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

Row = Mapping[str, Any]


def _minute(text: str) -> str | None:
    return datetime.fromisoformat(text).isoformat() if text else None


def _patient(row: Row) -> dict[str, Any]:
    return {
        "external_id": str(row["id"]), "first_name": row["first"], "last_name": row["last"],
        "birth_on": row["birth_on"], "sex": {"F": "female", "M": "male"}[row["sex"]],
        "status": row["status"].lower(), "clinician": str(row["clinician_id"]), "email": row["email"],
        "phone": "+1" + row["phone"].replace("-", ""), "payer": row["payer"] or None, "member_id": row["member_id"] or None,
    }  # fmt: skip


def _clinician(row: Row) -> dict[str, Any]:
    return {
        "external_id": str(row["id"]), "first_name": row["first"], "last_name": row["last"],
        "credentials": row["credentials"], "npi": row["npi"], "status": row["status"].lower(),
    }  # fmt: skip


def _appointment(row: Row) -> dict[str, Any]:
    return {
        "external_id": str(row["id"]), "patient": str(row["patient_id"]), "clinician": str(row["clinician_id"]),
        "start_local": _minute(row["start_at"]), "duration_minutes": row["minutes"], "service_code": row["code"],
        "status": row["status"].lower().replace(" ", "_"), "location": row["place"],
        "telehealth": row["place"] == "Telehealth",
    }  # fmt: skip


def _note(row: Row) -> dict[str, Any]:
    return {
        "external_id": str(row["id"]), "patient": str(row["patient_id"]), "clinician": str(row["clinician_id"]),
        "service_on": row["service_on"], "type": {"Progress Note": "progress", "Intake": "intake"}[row["type"]],
        "status": row["status"].lower(), "signed_at": _minute(row["signed_at"]),
    }  # fmt: skip


def _policy(row: Row) -> dict[str, Any]:
    return {
        "external_id": str(row["id"]), "patient": str(row["patient_id"]), "rank": row["rank"], "payer": row["payer"],
        "payer_id": row["payer_id"], "member_id": row["member_id"], "group_number": row["group_number"] or None,
        "copay": row["copay_cents"], "starts_on": row["valid_from"], "ends_on": row["valid_to"] or None,
        "status": row["status"].lower(),
    }  # fmt: skip


def _claim(row: Row) -> dict[str, Any]:
    return {
        "external_id": str(row["id"]), "number": row["number"], "patient": str(row["patient_id"]),
        "payer": row["payer"], "service_on": row["service_on"], "charge": row["charge_cents"],
        "paid": row["paid_cents"], "status": row["status"].lower(),
    }  # fmt: skip


def _payment(row: Row) -> dict[str, Any]:
    return {
        "external_id": str(row["id"]), "patient": str(row["patient_id"]), "received_on": row["received_on"],
        "amount": row["amount_cents"], "source": row["source"].lower(), "method": row["method"].lower(),
        "status": row["status"].lower(),
    }  # fmt: skip


def _era(row: Row) -> dict[str, Any]:
    return {
        "external_id": str(row["id"]), "trace": row["trace"], "payer": row["payer"], "paid_on": row["paid_on"],
        "amount": row["amount_cents"], "claims": row["claims"], "status": row["status"].lower(),
    }  # fmt: skip


def _hours(row: Row) -> dict[str, Any]:
    return {
        "external_id": str(row["id"]), "clinician": str(row["clinician_id"]), "weekday": row["weekday"].lower(),
        "starts": row["starts"], "ends": row["ends"],
    }  # fmt: skip


def _batch(row: Row) -> dict[str, Any]:
    return {
        "external_id": str(row["id"]), "batch": row["batch"], "payer": row["payer"], "sent_at": _minute(row["sent_at"]),
        "claims": row["claims"], "amount": row["amount_cents"],
    }  # fmt: skip


KINDS: Mapping[str, tuple[str, Callable[[Row], dict[str, Any]]]] = {
    "patients": ("patient", _patient), "clinicians": ("clinician", _clinician),
    "appointments": ("appointment", _appointment), "notes": ("note", _note), "claims": ("claim", _claim),
    "policies": ("policy", _policy),
    "payments": ("payment", _payment), "eras": ("era", _era), "claim_files": ("batch", _batch),
    "working_hours": ("hours", _hours),
}  # fmt: skip
"""Kind -> the portal's table, and how a row of it reads in the names of the contract."""


def expected(rows: Callable[[str], list[dict[str, Any]]], kind: str) -> dict[str, dict[str, Any]]:
    """Return the records of a kind by id."""
    table, told = KINDS[kind]
    return {str(row["id"]): told(row) for row in rows(table)}
