"""The lists of the contract as a draft begins with them: which fields each has, and what kind of value each is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rapport.connectors.portals.lexicon import VALUES

LISTS: Mapping[str, tuple[str, ...]] = {
    "patients": ("patients", "patient", "clients", "client", "roster"),
    "clinicians": ("clinicians", "staff", "providers", "therapists"),
    "appointments": ("appointments", "calendar", "schedule", "visits"),
    "notes": ("notes", "documents", "charts"),
    "claims": ("claims", "claim", "invoices"),
    "eras": ("eras", "remittances", "remittance"),
    "payments": ("payments", "payment", "receipts"),
}
"""Call -> words by which portals call it, in an address or a heading."""

_DAY, _TIME, _MONEY = {"type": "day"}, {"type": "local_time"}, {"type": "money"}
_TEXT: dict[str, Any] = {"type": "text"}
_NAMED = {"type": "text", "required": True}
_FIELDS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "patients": {
        "external_id": _TEXT, "last_name": _NAMED, "first_name": _NAMED, "birth_on": _DAY, "sex": {"values": ("female", "male")},
        "email": {"type": "email"}, "phone": {"type": "phone"}, "status": {"values": ("active", "inactive")}, "clinician": _TEXT,
    },
    "clinicians": {"external_id": _TEXT, "last_name": _NAMED, "first_name": _NAMED, "npi": _TEXT, "credentials": _TEXT},
    "appointments": {
        "external_id": _TEXT, "patient": _NAMED, "clinician": _TEXT, "start_local": {"type": "local_time", "required": True}, "duration_minutes": {"type": "integer"},
        "service_code": _TEXT, "status": {"values": ("scheduled", "checked_in", "completed", "cancelled", "no_show")}, "location": _TEXT,
    },
    "notes": {
        "external_id": _TEXT, "patient": _NAMED, "clinician": _TEXT, "service_on": {"type": "day", "required": True},
        "type": {"values": ("progress", "intake", "treatment_plan")}, "status": {"values": ("draft", "signed")}, "signed_at": _TIME,
    },
    "claims": {
        "number": _NAMED, "patient": _TEXT, "service_on": _DAY, "charge": {"type": "money", "required": True}, "paid": _MONEY,
        "status": {"values": ("ready", "submitted", "paid", "denied")},
    },
    "eras": {"trace": _NAMED, "payer": _TEXT, "paid_on": _DAY, "amount": {"type": "money", "required": True}, "status": {"values": ("new", "posted")}},
    "payments": {
        "external_id": _TEXT, "patient": _TEXT, "received_on": _DAY, "amount": {"type": "money", "required": True}, "source": {"values": ("insurance", "patient")},
        "method": {"values": ("card", "eft", "check")},
    },
}  # fmt: skip


def fields(name: str, languages: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return the fields of a list, each bound to words that a draft puts its own in place of."""
    made: dict[str, dict[str, Any]] = {}
    for field, rule in _FIELDS[name].items():
        one = dict(rule)
        values = one.pop("values", None)
        if values is not None:
            texts = {VALUES[value][0]: value for value in values}
            one |= {"type": "code", "texts": dict.fromkeys(languages, texts)}
        if one["type"] in ("day", "local_time"):
            pattern = "%Y-%m-%d" if one["type"] == "day" else "%Y-%m-%dT%H:%M"
            one["formats"] = {language: [pattern] for language in languages}
        made[field] = one | {"labels": {languages[0]: [field.replace("_", " ")]}}
    return made
