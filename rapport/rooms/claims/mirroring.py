"""
Claims that another system has, kept here as it has them: nothing of them is sent or changed from here.

A list of claims says little: which visit it asks for is taken from the calendar where the patient had
one visit on that day, and is left open where there was none, or more than one.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.audit import write as audit
from rapport.platform.db import errors
from rapport.platform.outbox.emit import emit
from rapport.platform.tenancy.source import (
    GONE,
    NotTakenOver,
    SourceRef,
    one_of,
    required,
    text_of,
)
from rapport.protocols.x12 import read837p
from rapport.protocols.x12.syntax import NotX12, read
from rapport.rooms.coverage import mirroring as coverage
from rapport.rooms.coverage import queries as policies
from rapport.rooms.ledger import queries as entries
from rapport.rooms.ledger import services as ledger
from rapport.rooms.ledger.rules import entries as book
from rapport.rooms.roster import mirroring as roster
from rapport.rooms.scheduling import queries as scheduling

from . import events, queries
from .models import Billed, CarriedClaim, Claim, ClaimHistory, ClaimLine
from .services import control_number_of
from .states import Action, ClaimState

RULE = "portal"
"""What a line says of its rate: the portal's charge."""
_STATES = {
    "ready": "validated", "submitted": "submitted", "accepted": "accepted", "rejected": "rejected",
    "paid": "paid", "denied": "denied", "voided": "voided",
}  # fmt: skip
"""A portal's word -> ours."""
_TOLD: Mapping[ClaimState, tuple[Action, str]] = {
    ClaimState.VALIDATED: (Action.PASS, ""),
    ClaimState.SUBMITTED: (Action.RECORD_SENT, events.CLAIM_SUBMITTED),
    ClaimState.ACCEPTED: (Action.ACCEPT, events.CLAIM_ACCEPTED),
    ClaimState.REJECTED: (Action.REJECT, events.CLAIM_REJECTED),
    ClaimState.PAID: (Action.PAY, events.CLAIM_PAID),
    ClaimState.DENIED: (Action.DENY, events.CLAIM_DENIED),
    ClaimState.VOIDED: (Action.VOID, events.CLAIM_VOIDED),
}
"""What a claim came to -> what its history calls that, and what is told of it."""
_SAID = {"charge_cents": "charge", "paid_cents": "paid"}
"""Column -> the field of the contract that an event names."""


def mirror_claim(
    *, scope: Scope, source: SourceRef, values: Mapping[str, Any], now: datetime
) -> tuple[Claim, list[str]]:
    """
    Bring a claim up to what its system has of it; make it when it is new.

    :param values: `number, patient, payer, service_on, charge, paid, status`; patient is that system's id,
        payer its id or its name for it, amounts are in cents
    :return: the claim, and the columns that changed; none: nothing was told
    :raises NotTakenOver: something is missing or unknown here
    """
    scope.require(Permission.CLAIMS_WRITE)
    patient = roster.find_patient(scope=scope, system=source.system, id=required(values, "patient"))
    payer = coverage.find_payer(scope=scope, system=source.system, id=required(values, "payer"))
    required(values, "number")
    on, state = _day(values), ClaimState(one_of(values, "status", _STATES))
    row = Claim.of_source(source, scope=scope)
    if row is not None and row.patient_id != patient.id:
        raise NotTakenOver("patient-changed", field="patient")
    columns: dict[str, Any] = {
        "control_number": text_of(values, "number", most=38), "payer_id": payer.id,
        "service_from_on": on, "service_to_on": on, "charge_cents": _cents(values, "charge"),
        "paid_cents": _cents(values, "paid"),
    }  # fmt: skip
    if columns["charge_cents"] <= 0:
        raise NotTakenOver("missing-charge", field="charge")
    columns |= _policy(scope, patient.id, payer.id, on, row)
    visits = scheduling.visits_on(scope=scope, patient_id=patient.id, on=on)
    visit = visits[0] if len(visits) == 1 else None
    if visit is not None:
        columns |= {
            "clinician_id": visit.clinician_id, "place_of_service_code": visit.place.place_of_service_code,
        }  # fmt: skip
    made = row is None
    try:
        with transaction.atomic():
            row, changed = _keep(scope, source, row, patient.id, columns, now)
    except IntegrityError as error:
        if errors.constraint_name(error) != "claim_control_once":
            raise
        raise NotTakenOver("number-taken", field="number") from error
    if _bring_line_up(scope, row, visit):
        changed.append("lines")
    if made:
        _note(row, "create", scope=scope, changed=())
        _emit(events.CLAIM_CREATED, row, scope=scope, now=now)
    elif changed:
        _note(row, "update", scope=scope, changed=sorted({_SAID.get(name, name) for name in changed}))
    if _reach(row, state, scope=scope, source=source, now=now):
        changed.append("state")
    if visit is not None or not visits:
        _charge(scope, row, visit.appointment_id if visit else None, now)
    return row, changed


def claim_gone(*, scope: Scope, source: SourceRef, now: datetime) -> Claim | None:
    """Void a claim that its system has no more, and take its charge back. :return: None: never mirrored"""
    scope.require(Permission.CLAIMS_WRITE)
    row = Claim.of_source(source, scope=scope)
    if row is not None and _reach(row, ClaimState.VOIDED, scope=scope, source=source, now=now, reason=GONE):
        _uncharge(scope, row, now)
    return row


def note_file(*, scope: Scope, system: str, document_id: UUID, data: bytes, now: datetime) -> int:
    """
    Note which claims a file carries that another system sent to a payer.

    :param data: an 837P; of others no number is read
    :return: how many claims it has
    :raises NotTakenOver: it is no such file, or has no claim
    """
    scope.require(Permission.CLAIMS_WRITE)
    try:
        numbers = {claim.control[:38] for claim in read837p.claims(read(data))}
    except NotX12 as error:
        raise NotTakenOver("unreadable") from error
    if not numbers:
        raise NotTakenOver("no-claims")
    CarriedClaim.objects.bulk_create(
        [
            CarriedClaim(
                practice_id=scope.practice_id, system=system, document_id=document_id, control_number=number, at=now
            )
            for number in sorted(numbers)
        ],
        ignore_conflicts=True,
    )  # fmt: skip
    return len(numbers)


def is_open_question(*, scope: Scope, claim: Claim) -> bool:
    """Tell whether it is not known which visit a claim asks for: it is worth looking again."""
    return not queries.lines_of(scope=scope, claim_id=claim.id)


def _day(values: Mapping[str, Any]) -> date:
    try:
        return date.fromisoformat(required(values, "service_on"))
    except ValueError as error:
        raise NotTakenOver("unreadable-service-on", field="service_on") from error


def _cents(values: Mapping[str, Any], name: str) -> int:
    value = values.get(name)
    if value is None or value == "":
        return 0
    if not isinstance(value, int):
        raise NotTakenOver(f"unreadable-{name}", field=name)
    return value


def _policy(scope: Scope, patient_id: UUID, payer_id: UUID, on: date, row: Claim | None) -> dict[str, Any]:
    """Return the one policy with that payer on that day, and its rank; a known claim keeps what it has."""
    held = [
        policy for policy in policies.policies_on(scope=scope, patient_id=patient_id, on=on)
        if policy.payer_id == payer_id
    ]  # fmt: skip
    if len(held) == 1 and (row is None or row.policy_id is None):
        return {"policy_id": held[0].id, "rank": held[0].rank}
    return {}


def _keep(
    scope: Scope, source: SourceRef, row: Claim | None, patient_id: UUID, columns: dict[str, Any], now: datetime
) -> tuple[Claim, list[str]]:
    if row is not None:
        return row, row.bring_up(columns, source=source, scope=scope, now=now)
    defaults = {"rank": "primary", "place_of_service_code": ""}
    row = Claim(
        practice_id=scope.practice_id, patient_id=patient_id, format="837p", frequency="original",
        state=ClaimState.DRAFT.value, state_changed_at=now, created_at=now, updated_at=now,
        **defaults | columns,
    ).sourced(source)  # fmt: skip
    row.save(force_insert=True)
    return row, sorted(columns)


def _bring_line_up(scope: Scope, claim: Claim, visit: scheduling.BillingFacts | None) -> bool:
    """Keep the one line of a claim whose visit is known, and that this payer is asked for it."""
    if visit is None:
        return False
    mine = ClaimLine.objects.visible_to(scope).filter(claim_id=claim.id)
    columns = {
        "appointment_id": visit.appointment_id, "service_on": visit.service_on, "service_code": visit.code,
        "place_of_service_code": visit.place.place_of_service_code, "modifiers": list(visit.place.modifiers),
        "units": max(visit.units, 1), "charge_cents": claim.charge_cents, "live": claim.state != ClaimState.VOIDED,
    }  # fmt: skip
    line = mine.first()
    if line is not None and all(getattr(line, name) == value for name, value in columns.items()):
        return False
    if line is None:
        ClaimLine.objects.create(
            practice_id=scope.practice_id, claim=claim, position=1, control_number=control_number_of("L"),
            rate_rule=RULE, **columns,
        )  # fmt: skip
    else:
        mine.update(**columns)
    Billed.objects.visible_to(scope).filter(claim_id=claim.id).delete()
    if claim.state == ClaimState.VOIDED:
        return True
    # Where a claim made here asks for it too, both do: that one keeps the right, and this is what is there.
    Billed.objects.bulk_create(
        [
            Billed(
                practice_id=scope.practice_id, claim=claim, appointment_id=visit.appointment_id,
                service_code=visit.code, payer_id=claim.payer_id,
            )
        ],
        ignore_conflicts=True,
    )  # fmt: skip
    return True


def _reach(
    row: Claim, to: ClaimState, *, scope: Scope, source: SourceRef, now: datetime,
    reason: str = roster.MIRRORED,
) -> bool:
    if row.state == to:
        return False
    row.bring_up({"state": to.value, "state_changed_at": now}, source=source, scope=scope, now=now)
    action, event = _TOLD[to]
    ClaimHistory.objects.create(
        practice_id=row.practice_id, claim=row, action=action.value, state=to.value, by=scope.actor_id,
        at=now, detail=reason,
    )  # fmt: skip
    if to is ClaimState.VOIDED:
        Billed.objects.visible_to(scope).filter(claim_id=row.id).delete()
        ClaimLine.objects.visible_to(scope).filter(claim_id=row.id).update(live=False)
    _note(row, action.value, scope=scope, changed=["state"], reason=reason)
    if event:
        _emit(event, row, scope=scope, now=now, changed=["state"])
    return True


def _charge(scope: Scope, claim: Claim, appointment_id: UUID | None, now: datetime) -> None:
    """
    See to it that what the portal claims is charged, once, to the payer.

    A visit is charged when it is completed, by the rates that are known here; the portal's charge, once
    it is known, takes the place of that.
    """
    if claim.state == ClaimState.VOIDED:
        return
    before = entries.entries_of(scope=scope, kind="claim", id=claim.id)
    wanted = book.charge(
        book.Source("claim", claim.id, f"charge@{len(before) + 1}" if before else "charge"),
        claim.service_from_on,
        book.About(claim.patient_id, appointment_id, service_on=claim.service_from_on),
        patient_cents=0, insurance_cents=claim.charge_cents,
    )  # fmt: skip
    standing = _standing(scope, "claim", claim.id)
    if appointment_id is not None:
        standing = [*_standing(scope, "appointment", appointment_id, line="charge"), *standing]
    right = [one for one in standing if entries.lines_of(scope=scope, entry_id=one.id) == wanted.lines][:1]
    for one in standing:
        if one not in right:
            ledger.reverse(scope=scope, entry_id=one.id, reason="claimed_otherwise", now=now)
    if not right:
        ledger.post(scope=scope, entry=wanted, now=now)


def _uncharge(scope: Scope, claim: Claim, now: datetime) -> None:
    for one in _standing(scope, "claim", claim.id):
        ledger.reverse(scope=scope, entry_id=one.id, reason=GONE, now=now)


def _standing(scope: Scope, kind: str, id: UUID, *, line: str = "") -> list[Any]:
    """Return the entries of a source that were not undone. :param line: only those of this line"""
    return [
        one for one in entries.entries_of(scope=scope, kind=kind, id=id)
        if (not line or one.source_line == line) and not entries.is_reversed(scope=scope, entry_id=one.id)
    ]  # fmt: skip


def _note(
    row: Claim, verb: str, *, scope: Scope, changed: Any, reason: str = roster.MIRRORED
) -> None:
    audit.append(
        scope=scope, action=f"claim.{verb}", reason=reason, patient_ids=[row.patient_id],
        target_type="claim", target_id=row.id, target_version=row.version, changed=changed,
    )  # fmt: skip


def _emit(event: str, row: Claim, *, scope: Scope, now: datetime, changed: Any = ()) -> None:
    emit(
        event, scope=scope, object_type="claim", object_id=row.id, version=row.version, now=now,
        changed=changed,
    )  # fmt: skip
