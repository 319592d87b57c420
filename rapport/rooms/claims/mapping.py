"""A claim's rows -> the typed 837P record, and that record -> file and paper. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

from rapport.kernel.money import Money
from rapport.protocols.x12 import claim837p as p
from rapport.protocols.x12.entities import Party, Period, Reference
from rapport.protocols.x12.envelope import Address, Numbers, interchange
from rapport.protocols.x12.status276 import ClaimAsked, Person, StatusInquiry

from .rules.deciding import owed

FREQUENCIES = {"original": "1", "replacement": "7", "void": "8"}
RANKS = {"primary": "P", "secondary": "S", "tertiary": "T", "quaternary": "A"}
SEXES = {"female": "F", "male": "M", "unknown": "U"}
MEDICARE_REASONS = {
    "working_aged": "12", "renal_disease": "13", "no_fault": "14", "workers_compensation": "15", "federal_agency": "16",
    "black_lung": "41", "veterans": "42", "disabled": "43", "other_liability": "47",
}  # fmt: skip
RELATIONSHIPS = {"self": "18", "spouse": "01", "child": "19", "other": "G8"}


def _place(row: Any) -> p.Place:
    return p.Place(
        line1=row.address_line1, line2=row.address_line2, city=row.city, state=row.state_code,
        postal_code=row.postal_code,
    )  # fmt: skip


def _patient(row: Any) -> p.Person:
    return p.Person(
        name=p.Name(row.last_name, row.first_name, row.middle_name, row.suffix),
        birth_on=row.birth_on,
        sex=SEXES[row.sex],
        place=_place(row),
    )


def _clinician(row: Any) -> p.Provider:
    return p.Provider(
        name=p.Name(row.last_name, row.first_name), npi=row.npi, taxonomy=row.taxonomy_code
    )


def _subscriber(policy: Any) -> p.Person:
    """Return who holds the policy, when it is not the patient."""
    held: dict[str, Any] = policy.subscriber or {}
    name = held.get("name") or {}
    address = held.get("address") or {}
    birth = held.get("birth_on")
    return p.Person(
        name=p.Name(
            name.get("last", ""), name.get("first", ""), name.get("middle") or "", name.get("suffix") or ""
        ),
        birth_on=date.fromisoformat(birth) if birth else None,
        sex=SEXES.get(held.get("sex", "unknown"), "U"),
        place=p.Place(
            line1=address.get("line1", ""), line2=address.get("line2") or "",
            city=address.get("city", ""), state=address.get("state", ""),
            postal_code=address.get("postal_code", ""),
        ),
    )  # fmt: skip


def record(
    *,
    claim: Any,
    lines: Sequence[Any],
    practice: Any,
    patient: Any,
    policy: Any,
    payer: Any,
    clinician: Any,
    supervisor: Any | None,
    location: Any | None,
    authorizations: Mapping[UUID, str],
    others: Sequence[Any] = (),
    original_number: str = "",
    under_supervisor: bool = False,
    attachments: Sequence[Any] = (),
    patient_paid_cents: int = 0,
) -> p.Claim:
    """
    Return the claim as the guide knows it.

    :param others: `services.other_payers.Other`, in the order of billing
    :param original_number: the payer's number of the claim to replace or void
    :param patient_paid_cents: what the patient has paid for its services, where the payer wants to know; 0: it does not, or nothing

    The rendering provider is left out when the clinician bills under the same NPI, and is the supervisor
    where the payer wants supervised work so (`under_supervisor`); the facility is left out when the place is
    the practice's own address or the service was telehealth. An authorisation of all lines is the claim's;
    where they differ each line names its own.

    :param authorizations: authorisation -> its number, for those that lines use
    """
    numbers = [authorizations.get(line.authorization_id, "") for line in lines]
    of_all = numbers[0] if len(set(numbers)) == 1 else ""
    if supervisor is not None and under_supervisor:
        clinician, supervisor = supervisor, None
    own = policy.relationship == "self"
    billing = p.Provider(
        name=p.Name(practice.name), npi=practice.npi, taxonomy=practice.taxonomy_code,
        tax_id=practice.tax_id, place=_place(practice), phone=practice.phone,
    )  # fmt: skip
    facility = None
    if location is not None and (location.address_line1, location.postal_code[:5]) != (
        practice.address_line1, practice.postal_code[:5],
    ):  # fmt: skip
        facility = p.Facility(name=location.name, place=_place(location), npi=location.npi)
    return p.Claim(
        control=claim.control_number,
        billing=billing,
        subscriber=_patient(patient) if own else _subscriber(policy),
        patient=None if own else _patient(patient),
        relationship=RELATIONSHIPS[policy.relationship],
        member_id=policy.member_id,
        payer=p.Payer(name=payer.name, id=payer.payer_id_code),
        group_number=policy.group_number or "",
        filing_indicator=payer.claim_filing_indicator,
        rank=RANKS[claim.rank],
        insurance_type=_insurance_type(policy, payer, claim.rank),
        patient_paid=_dollars(min(patient_paid_cents, claim.charge_cents)) if patient_paid_cents > 0 else None,
        place_of_service=claim.place_of_service_code,
        diagnoses=tuple(code.replace(".", "") for code in claim.diagnosis_codes),
        frequency=FREQUENCIES[claim.frequency],
        payer_claim_number=original_number,
        rendering=_clinician(clinician) if clinician.npi != practice.npi else None,
        supervising=_clinician(supervisor) if supervisor is not None else None,
        facility=facility,
        authorisation=of_all,
        attachments=tuple(p.Attachment(one.report_type, one.way, one.control_number) for one in attachments),
        lines=tuple(
            p.Line(
                procedure=line.service_code,
                modifiers=tuple(line.modifiers),
                charge=Money(line.charge_cents).to_decimal(),
                units=Decimal(line.units),
                service_on=line.service_on,
                pointers=tuple(line.diagnosis_pointers),
                control=line.control_number,
                place_of_service=line.place_of_service_code
                if line.place_of_service_code != claim.place_of_service_code
                else "",
                authorisation="" if of_all else number,
                adjudications=tuple(
                    _decision(other, line)
                    for other in others
                    if line.position in other.services
                ),
            )
            for line, number in zip(lines, numbers, strict=True)
        ),
        others=tuple(_other(other, patient) for other in others),
    )


def is_medicare_later(*, payer: Any, rank: str) -> bool:
    """Tell whether a payer is Medicare and does not pay first: then it wants to know why."""
    return payer.claim_filing_indicator in ("MA", "MB") and rank != "primary"


def _insurance_type(policy: Any, payer: Any, rank: str) -> str:
    return MEDICARE_REASONS.get(policy.medicare_reason, "") if is_medicare_later(payer=payer, rank=rank) else ""


def _other(other: Any, patient: Any) -> p.OtherPayer:
    """Return another payer: what it decided stands here only where it decided about no line."""
    policy, told = other.policy, other.told
    payer = policy.payer
    holder = _patient(patient) if policy.relationship == "self" else _subscriber(policy)
    whole = told is not None and not told.services
    return p.OtherPayer(
        rank=RANKS[other.rank],
        relationship=RELATIONSHIPS.get(policy.relationship, "G8"),
        group_number=policy.group_number or "",
        filing_indicator=payer.claim_filing_indicator,
        paid=_dollars(told.paid_cents) if told else None,
        subscriber=p.Person(holder.name, place=holder.place if holder.place and holder.place.line1 else None),
        member_id=policy.member_id,
        payer=p.Payer(name=payer.name, id=payer.payer_id_code),
        claim_number=told.payer_claim_number if told else "",
        adjustments=_adjustments(told.adjustments) if told else (),
        adjudicated_on=told.decided_on if whole else None,
        patient_owes=_dollars(max(0, told.left_to_patient_cents)) if whole else None,
        remarks=tuple(told.remarks) if told else (),
        insurance_type=_insurance_type(policy, payer, other.rank),
    )


def _decision(other: Any, line: Any) -> p.LineAdjudication:
    """Return what another payer decided about a line, with its code only where that is another one."""
    service, on = other.services[line.position]
    same = (service.code, tuple(service.modifiers)) == (line.service_code, tuple(line.modifiers))
    return p.LineAdjudication(
        payer_id=other.policy.payer.payer_id_code,
        paid=_dollars(service.paid_cents),
        paid_units=Decimal(service.units or "1"),
        adjudicated_on=on,
        adjustments=_adjustments(service.adjustments),
        procedure="" if same else service.code,
        modifiers=() if same else tuple(service.modifiers),
        patient_owes=_dollars(max(0, owed(service.adjustments))),
    )


def _adjustments(adjusted: Sequence[Any]) -> tuple[p.Adjustment, ...]:
    return tuple(
        p.Adjustment(
            one.group, one.reason, _dollars(one.cents), Decimal(one.quantity) if one.quantity else None
        )
        for one in adjusted
    )


def _dollars(cents: int) -> Decimal:
    return Money(cents).to_decimal()


def to_set(
    records: Iterable[p.Claim], *, settings: Mapping[str, Any], practice_name: str, contact_phone: str,
    batch_id: str, at: datetime,
) -> p.Body:  # fmt: skip
    """
    Return claims as one transaction set, and where each stands in it.

    :param settings: the channel's `sender_id`, `receiver_id` and `receiver_name`
    :param at: local time of the practice
    """
    submitter = p.Submitter(
        name=practice_name, id=settings["sender_id"], contact="BILLING", phone=contact_phone,
        receiver_name=settings["receiver_name"], receiver_id=settings["receiver_id"],
    )  # fmt: skip
    return p.write(records, submitter=submitter, batch_id=batch_id, at=at)


def to_file(
    bodies: Iterable[list[str]], *, settings: Mapping[str, Any], numbers: Numbers, at: datetime, test: bool,
    kind: str = "837",
) -> Iterator[bytes]:  # fmt: skip
    """
    Return the file of these transaction sets, piece by piece.

    :param bodies: the segments of each, between ST and SE
    :param settings: the channel's `sender_id`, `receiver_id` and qualifiers
    :param kind: ST01: `837` claims, `276` questions about claims
    """
    return interchange(
        ((kind, body) for body in bodies),
        sender=Address(settings.get("sender_qualifier", "ZZ"), settings["sender_id"]),
        receiver=Address(settings.get("receiver_qualifier", "ZZ"), settings["receiver_id"]),
        numbers=numbers,
        at=at,
        usage="T" if test else "P",
    )


def status_inquiry(
    record: p.Claim, *, payer_claim_number: str, trace: str, sender_id: str, practice_name: str
) -> StatusInquiry:
    """
    Return the question what became of a claim, as it was sent.

    :param record: the claim as it stands in the file that a payer may have
    :param trace: TRN02, opaque
    """
    billing, days = record.billing, [line.service_on for line in record.lines]
    patient = record.patient
    references = [Reference("1K", payer_claim_number)] if payer_claim_number else []
    return StatusInquiry(
        payer=Party("PR", "2", record.payer.name, id_kind="PI", id=record.payer.id),
        receiver=Party("41", "2", practice_name, id_kind="46", id=sender_id),
        provider=_party("1P", billing.name, "XX", billing.npi),
        subscriber=Person(
            _party("IL", record.subscriber.name, "MI", record.member_id),
            None if patient else record.subscriber.birth_on,
            "" if patient or record.subscriber.sex == "U" else record.subscriber.sex,
        ),
        dependant=Person(
            _party("QC", patient.name, "", ""), patient.birth_on, "" if patient.sex == "U" else patient.sex
        ) if patient else None,
        claims=(
            ClaimAsked(
                trace, (*references, Reference("EJ", record.control)), record.total,
                Period.on("472", min(days), max(days)),
            ),
        ),
    )  # fmt: skip


def _party(role: str, name: p.Name, id_kind: str, id: str) -> Party:
    return Party(
        role, "1" if name.is_person else "2", name.last, name.first, name.middle, name.suffix, id_kind, id
    )


def pack(record: p.Claim) -> bytes:
    """Return the record as bytes, for the sealed snapshot."""
    return msgspec.json.encode(record)


_CLAIM = msgspec.json.Decoder(p.Claim)
"""Made here, by one thread: two that first meet a type at once end the process (msgspec 0.22)."""


def unpack(data: bytes) -> p.Claim:
    """Return the record from a snapshot."""
    return _CLAIM.decode(data)
