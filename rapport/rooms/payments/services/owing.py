"""What a patient owes that AutoPay looks at, and what it may charge of it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from rapport.platform.access.scope import Scope
from rapport.platform.outbox.emit import emit
from rapport.rooms.accounting import queries as plans
from rapport.rooms.ledger import queries as books
from rapport.rooms.ledger import services as ledger
from rapport.rooms.ledger.states import Account
from rapport.rooms.payments import queries
from rapport.rooms.payments.models import AutopayRule, Enrolment, Planned
from rapport.rooms.payments.rules import autopay as rules


def hold_enrolment(*, scope: Scope, enrolment_id: UUID) -> Enrolment:
    """
    Hold a consent, after its patient's balance: whoever holds both does so in this order.

    :raises NotFound: there is none for this actor
    """
    before = queries.get_enrolment(scope=scope, enrolment_id=enrolment_id)
    ledger.hold_patient(scope=scope, patient_id=before.patient_id)
    return queries.get_enrolment(scope=scope, enrolment_id=enrolment_id, lock=True)


def owed_by(*, scope: Scope, patient_id: UUID) -> list[rules.Owed]:
    """Return what a patient owes, visit by visit, the oldest first."""
    payers = books.open_items(scope=scope, patient_id=patient_id, account=Account.INSURANCE_RECEIVABLE)
    undecided = {item.appointment_id for item in payers}
    return [
        rules.Owed(
            str(item.appointment_id), item.open_cents, item.appointment_id in undecided,
            is_fee(scope=scope, appointment_id=item.appointment_id),
        )
        for item in books.open_items(scope=scope, patient_id=patient_id)
    ]  # fmt: skip


def is_fee(*, scope: Scope, appointment_id: UUID | None) -> bool:
    """Tell whether what is owed for a visit is a fee for missing it."""
    if appointment_id is None:
        return False
    entries = books.entries_of(scope=scope, kind="appointment", id=appointment_id)
    return any(entry.source_line.startswith("fee:") for entry in entries)


def most_in_month(*, scope: Scope, rule: AutopayRule, enrolment: Enrolment, due_on: date) -> int:
    """Return what may still be charged in the month of a day."""
    most = min(rule.max_cents, enrolment.max_cents or rule.max_cents)
    return most - queries.planned_in_month(scope=scope, patient_id=enrolment.patient_id, day=due_on)


def still_owed(row: Planned, *, scope: Scope) -> list[list[Any]]:
    """Return what is still owed of a planned charge, and in no payment plan."""
    taken = {str(visit) for visit in plans.visits_left_to_plans(scope=scope, patient_id=row.patient_id)}
    still = {one.visit: one.cents for one in owed_by(scope=scope, patient_id=row.patient_id) if one.visit not in taken}
    return [[visit, min(cents, still[visit])] for visit, cents in row.visits if visit in still]


def tell(event: str, *, scope: Scope, kind: str, row: Enrolment | Planned, now: datetime) -> None:
    """Tell of a consent or a planned charge. The row is new, or held."""
    scope.trail.target(kind, row.id, row.version)
    scope.trail.patient_ids.add(row.patient_id)
    emit(event, scope=scope, object_type=kind, object_id=row.id, version=row.version, now=now)
