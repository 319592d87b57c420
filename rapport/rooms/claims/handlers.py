"""What claims does when something happens below it."""

from __future__ import annotations

from datetime import datetime

from rapport.platform.access.scope import Scope
from rapport.platform.outbox.emit import Event, on
from rapport.rooms.coding import queries as coding
from rapport.rooms.coverage import queries as coverage
from rapport.rooms.ledger import services as ledger
from rapport.rooms.scheduling import queries as scheduling


@on("appointment.completed")
def charge_the_visit(scope: Scope, event: Event, now: datetime) -> None:
    """
    Put a completed visit's charge on the ledger, in the same transaction.

    All of it is asked of the primary policy where there is one, else of the patient; what becomes
    of the patient's share is decided when the payer has answered. Once per visit, whatever
    happens to its status afterwards.
    """
    visit = scheduling.get_appointment(scope=scope, appointment_id=event.object_id)
    day = visit.start_at.astimezone(scope.time_zone).date()
    policy = coverage.policy_for(scope=scope, patient_id=visit.patient_id, on=day, rank="primary")
    rate = coding.rate_for(
        scope=scope, service_code_id=visit.service_code_id, clinician_id=visit.clinician_id,
        payer_id=policy.payer_id if policy else None, on=day,
    )  # fmt: skip
    cents = rate.rate_cents * visit.units
    if cents <= 0:
        return
    ledger.post_charge(
        scope=scope, appointment_id=visit.id, patient_id=visit.patient_id, service_on=day,
        patient_cents=0 if policy else cents, insurance_cents=cents if policy else 0, now=now,
    )  # fmt: skip
