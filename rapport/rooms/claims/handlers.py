"""What claims does when something happens below it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from rapport.kernel.ids import type_id
from rapport.kernel.problems import Conflict
from rapport.platform.access.scope import Scope
from rapport.platform.outbox.emit import Event, on
from rapport.rooms.coding import queries as coding
from rapport.rooms.coverage import queries as coverage
from rapport.rooms.ledger import services as ledger
from rapport.rooms.scheduling import queries as scheduling
from rapport.rooms.scheduling import services as calendar
from rapport.rooms.scheduling.states import Action

from . import queries
from .models import Billed


class ClaimRestsOnIt(Conflict):
    code = "claim-exists"
    title = "A claim asks a payer for this visit."


coverage.supply_claims(queries)


@calendar.register_guard
def keep_what_was_billed(scope: Scope, appointment: Any, action: Action) -> None:
    """A visit that a payer was asked for stays as it was told to the payer."""
    if action is not Action.REOPEN:
        return
    billed = Billed.objects.visible_to(scope).filter(appointment_id=appointment.id).first()
    if billed is not None:
        raise ClaimRestsOnIt(
            "Void the claim first; then the visit can be reopened.",
            claim_id=type_id("claim", billed.claim_id),
        )


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
