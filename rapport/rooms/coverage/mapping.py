"""Rows -> the typed 270 record, and the text of an estimate. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from rapport.protocols.x12.elig270 import Inquiry, Insured, Question, Receiver
from rapport.protocols.x12.entities import Party, Period, Trace

SEXES = {"female": "F", "male": "M"}
KIN = {"spouse": "01", "child": "19", "other": "34"}
"""Relationship -> INS02."""


def inquiry(
    *, policy: Any, patient: Any, payer: Any, practice: Any, on: date, trace: str,
    service_types: Sequence[str],
) -> Inquiry:
    """
    Return the question to a policy's payer about a day.

    The trace stands with whoever is asked about: the patient, who is a dependant of another subscriber.

    :param trace: ours, opaque
    """
    traces = (Trace("1", trace, f"9{practice.tax_id}"[:10]),)
    periods = (Period.on("291", on),)
    own = policy.relationship in ("self", "")
    if own:
        subscriber = Insured(
            Party("IL", "1", patient.last_name, patient.first_name, patient.middle_name, id_kind="MI", id=policy.member_id),
            birth_on=patient.birth_on, sex=SEXES.get(patient.sex, ""), traces=traces, periods=periods,
        )  # fmt: skip
        dependant = None
    else:
        held = policy.subscriber or {}
        name, birth = held.get("name") or {}, held.get("birth_on")
        subscriber = Insured(
            Party(
                "IL", "1", name.get("last", ""), name.get("first", ""), name.get("middle") or "",
                id_kind="MI", id=policy.member_id,
            ),
            birth_on=date.fromisoformat(birth) if birth else None, sex=SEXES.get(held.get("sex", ""), ""),
        )  # fmt: skip
        dependant = Insured(
            Party("03", "1", patient.last_name, patient.first_name, patient.middle_name),
            birth_on=patient.birth_on, sex=SEXES.get(patient.sex, ""), insured="N",
            relation=KIN.get(policy.relationship, "34"), traces=traces, periods=periods,
        )  # fmt: skip
    return Inquiry(
        payer=Party("PR", "2", payer.name, id_kind="PI", id=payer.payer_id_code),
        provider=Receiver(Party("1P", "2", practice.name, id_kind="XX", id=practice.npi)),
        subscriber=subscriber,
        dependant=dependant,
        questions=(Question(tuple(service_types)),),
    )


def _dollars(cents: int) -> str:
    return f"${cents // 100:,}.{cents % 100:02}"


def number_text(number: int | None) -> str | None:
    """
    Return an estimate's number as it is printed.

    >>> number_text(7)
    'GFE-000007'
    """
    return None if number is None else f"GFE-{number:06}"


def estimate_paper(
    *, estimate: Any, lines: Sequence[Any], clinicians: Mapping[UUID, Any], practice: Any, patient: Any, on: date,
) -> dict[str, Any]:
    """
    Return what the template `estimate` prints.

    :param on: the day it is given, in the practice
    """
    place = ", ".join(part for part in (practice.address_line1, practice.city, practice.state_code) if part)
    providers = [
        [one.display_name, one.npi or "", place] for one in sorted(clinicians.values(), key=lambda one: one.display_name)
    ]
    return {
        "title": "Good faith estimate of expected charges",
        "date": [on.year, on.month, on.day],
        "practice": {"name": practice.name, "address": place, "npi": practice.npi, "tax_id": practice.tax_id, "phone": practice.phone},
        "facts": [
            ["Number", number_text(estimate.number) or ""],
            ["Given on", on.isoformat()],
            ["Patient", f"{patient.first_name} {patient.last_name}"],
            ["Born", patient.birth_on.isoformat()],
            ["From", estimate.starts_on.isoformat()],
            ["To", estimate.ends_on.isoformat()],
            ["Diagnoses", ", ".join(estimate.diagnosis_codes) or "not known yet"],
            ["First visit", estimate.first_service_on.isoformat() if estimate.first_service_on else "not booked yet"],
        ],
        "lines": [
            [line.code, line.label, clinicians[line.clinician_id].display_name, str(line.quantity),
             _dollars(line.rate_cents), _dollars(line.amount_cents)]
            for line in lines
        ],
        "total": _dollars(estimate.total_cents),
        "providers": providers,
    }  # fmt: skip
