"""A policy's rows -> the typed 270 record. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

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
