"""The lists of the contract as a draft begins with them: which fields each has, and what kind of value each is."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from rapport.connectors.portals.columnfit import MOMENTS, Column, reads
from rapport.connectors.portals.decode.values import EMPTY
from rapport.connectors.portals.definition import Field
from rapport.connectors.portals.lexicon import DAYS, VALUES
from rapport.connectors.portals.words import folded

_CENTS = re.compile(r"^\W*\d[\d.,' ]*[.,]\d\d(?!\d)")
"""An amount with its cents, at the beginning: a number alone may be anything."""

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


def of_its_own(columns: Sequence[Column], linked: tuple[str, int] | None, languages: Sequence[str]) -> dict[str, dict[str, Any]]:
    """
    Return the fields of a list that is none of the contract's: one for each column, called and typed by what is in it.

    :param linked: header of the column whose links tell the rows apart, and which part of their path does it; it becomes `id`
    """
    made: dict[str, dict[str, Any]] = {}
    head, part = linked or ("", -1)
    if head:
        # Of a link that goes on behind the id the whole address is taken, and cut.
        cuts = [{"at": "?", "take": 0}, {"at": "/", "take": part}]
        made["id"] = {"labels": {languages[0]: [head]}, "type": "text", "unique": True, "required": True}
        made["id"] |= {"from": "attribute", "attribute": "href", "cuts": cuts} if part != -1 else {"from": "link"}
    for column in columns:
        name, texts = _named(column.label), [text for text in column.texts if folded(text) not in EMPTY]
        if not name or name in made or (column.label == head and len(set(column.texts)) == 1):
            continue  # one word in all rows, such as "edit", is the link and nothing else
        made[name] = {"labels": {languages[0]: [column.label]}, "required": len(texts) == len(column.texts) > 0} | _typed(texts, languages)
    return made


def _named(label: str) -> str:
    """
    Return a member's name for the words of a header.

    >>> _named("Who paid?"), _named("№")
    ('who_paid', '')
    """
    return re.sub(r"[^a-z0-9]+", "_", label.casefold()).strip("_0123456789")


def _typed(texts: Sequence[str], languages: Sequence[str]) -> dict[str, Any]:
    """The narrowest type as which every text reads."""
    tries: list[dict[str, Any]] = [
        *({"type": kind, "formats": {one: [pattern] for one in languages}} for kind, patterns in (("day", DAYS), ("local_time", MOMENTS)) for pattern in patterns),
        {"type": "integer"}, {"type": "email"},
    ]  # fmt: skip
    if texts and all(_CENTS.search(text) for text in texts):
        tries += [{"type": "money"}, {"type": "money", "amount": "first"}]
    fit = [one for one in tries if texts and all(reads(msgspec.convert(one, type=Field), text, languages[0]) for text in texts)]
    days = [one for one in fit if one["type"] == "day"]
    return {"type": "text"} if not fit or len(days) > 1 else fit[0]


def fields(name: str, languages: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return the fields of a list of the contract, each bound to words that a draft puts its own in place of."""
    made: dict[str, dict[str, Any]] = {}
    for field, rule in _FIELDS.get(name, {}).items():
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
