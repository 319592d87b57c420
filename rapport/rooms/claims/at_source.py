"""
Claims of a connected practice are made in the system that keeps them, and leave from there: one submitter for each
practice, and a person approves what is sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from rapport.kernel.ids import type_id
from rapport.kernel.outcomes import Asked, Done, Outcome
from rapport.kernel.problems import FieldError, FieldNotAtSource, NotAtSource, StateConflict
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.api import etags
from rapport.platform.api.handed_on import Supplied
from rapport.platform.tenancy.source import SourceRef
from rapport.rooms.charting import queries as charting
from rapport.rooms.coverage.states import Rank
from rapport.rooms.roster import queries as roster

from . import mirroring, queries, services
from .ports import SystemOfRecord
from .states import ClaimState

POINTERS = {"appointment": "/appointment_ids/0", "patient": "/appointment_ids/0", "service_on": "/appointment_ids/0"}
"""Value -> where a caller gave it."""

keeper: Supplied[SystemOfRecord] = Supplied()
"""What keeps the claims of connected practices."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A claim that was asked for, and what came of it so far."""

    outcome: Outcome
    patient_id: UUID
    clinician_id: UUID
    policy_id: UUID
    payer_id: UUID
    on: date


def create(*, scope: Scope, body: Any, now: datetime, key: str) -> Wanted:
    """
    Have a claim made of a visit where this practice's claims are kept. Checks as `services.create_claim`.

    :param body: `schemas.ClaimIn`
    :raises ConnectorNotReady: nothing can write there
    :raises OtherSubmitter: the practice's claims to this payer are sent from here
    :raises FieldNotAtSource: a portal makes a claim of one visit, to whom the patient is insured with first
    """
    scope.require(Permission.CLAIMS_WRITE)
    record = keeper.get()
    visits = services.visits_of(scope=scope, body=body)
    _check_plain(body, visits)
    [visit] = visits
    on = visit.start_at.astimezone(scope.time_zone).date()
    _check_visit(scope, visit, on)
    policy = services.policy_of(scope=scope, body=body, patient_id=visit.patient_id, on=on)
    if policy.rank != Rank.PRIMARY:
        raise _no_place("/policy_id")
    known = queries.mirrored_claim(scope=scope, patient_id=visit.patient_id, payer_id=policy.payer_id, on=on)
    if known is not None:
        raise services.DuplicateClaim("Read the claim that exists.", claim_id=type_id("claim", known))
    services.require_there(scope=scope, patient_id=visit.patient_id, payer_ids=[policy.payer_id], on=on)
    patient = roster.get_patient(scope=scope, patient_id=visit.patient_id)
    if visit.source_remote_id is None or patient.source_remote_id is None:
        raise NotAtSource("The visit is not in that system.")
    values = {
        "appointment": visit.source_remote_id, "patient": patient.source_remote_id, "service_on": on.isoformat(),
    }  # fmt: skip
    outcome = record.create(scope=scope, asked=Asked(key, patient.id, values, pointers=POINTERS), now=now)
    scope.trail.patient_ids.add(patient.id)
    return Wanted(outcome, patient.id, visit.clinician_id, policy.id, policy.payer_id, on)


def _check_plain(body: Any, visits: Sequence[Any]) -> None:
    further = [f"/appointment_ids/{place}" for place in range(1, len(visits))]
    plain = {"format": "837p", "frequency": "original", "original_claim_id": None, "channel_id": None}
    further += [f"/{name}" for name, usual in plain.items() if getattr(body, name) != usual]
    if further:
        raise _no_place(*further)


def _check_visit(scope: Scope, visit: Any, on: date) -> None:
    faults = []
    if visit.status != "completed":
        faults.append(FieldError("/appointment_ids/0", *services.NOT_COMPLETED))
    if not charting.signed_on(scope=scope, patient_id=visit.patient_id, clinician_id=visit.clinician_id, on=on):
        faults.append(FieldError("/appointment_ids/0", *services.NOT_SIGNED))
    services.refuse_faults(faults)


def _no_place(*pointers: str) -> FieldNotAtSource:
    return FieldNotAtSource(
        "Leave these out: a portal makes a claim of one visit, to the patient's primary payer.",
        errors=tuple(FieldError(pointer, "field-not-at-source") for pointer in pointers),
    )


def wait(*, scope: Scope, write_id: str, seconds: float) -> Outcome:
    """See for so long at most what becomes of a write. Called outside of any transaction."""
    return keeper.get().wait(scope=scope, write_id=write_id, seconds=seconds)


def submit(*, scope: Scope, claim_id: UUID, if_match: str, now: datetime, key: str) -> Outcome:
    """
    Have a claim submitted where it is kept.

    :raises ConnectorNotReady: nothing can write there
    :raises StateConflict: it is not ready there, or on its way already
    """
    scope.require(Permission.CLAIMS_SUBMIT)
    record = keeper.get()
    claim = queries.get_claim(scope=scope, claim_id=claim_id, lock=True)
    etags.check(claim, if_match)
    if claim.state != ClaimState.VALIDATED:
        raise StateConflict(f"A claim that is {claim.state} cannot be submitted.", current_state=claim.state)
    if claim.source_remote_id is None:
        raise NotAtSource("The claim is not in that system.")
    asked = Asked(
        key, claim.patient_id, {"status": "submitted"}, claim.source_system, claim.source_remote_id, ("status",)
    )
    return record.submit(scope=scope, asked=asked, now=now)


def mirror_done(*, scope: Scope, outcome: Done, now: datetime) -> UUID:
    """Mirror what the other system was seen to have. :return: the claim"""
    source = SourceRef(outcome.system, outcome.remote_id, now)
    row, _ = mirroring.mirror_claim(scope=scope, source=source, values=outcome.values, now=now)
    return row.id


__all__ = ["POINTERS", "Wanted", "create", "keeper", "mirror_done", "submit", "wait"]
