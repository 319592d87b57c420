"""A claim as the guide knows it, and what stands against sending it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from rapport.platform.access.scope import Scope
from rapport.platform.tenancy import queries as tenancy
from rapport.protocols.x12.claim837p import Claim as Record
from rapport.protocols.x12.scrub837p import scrub
from rapport.rooms.charting import queries as charting
from rapport.rooms.claims import mapping, queries
from rapport.rooms.claims.models import Claim, ClaimLine
from rapport.rooms.claims.rules.findings import Finding, from_x12
from rapport.rooms.claims.states import Action, ClaimState
from rapport.rooms.coding import queries as coding
from rapport.rooms.coverage import queries as coverage
from rapport.rooms.roster import queries as roster
from rapport.rooms.scheduling import queries as scheduling


def build_record(*, scope: Scope, claim: Claim) -> Record:
    """Return a claim that was made here as the guide knows it, from the rows as they are now."""
    assert claim.clinician_id is not None
    assert claim.policy_id is not None
    clinician = roster.get_clinician(scope=scope, clinician_id=claim.clinician_id)
    lines = queries.lines_of(scope=scope, claim_id=claim.id)
    supervisor = _supervisor(scope, lines)
    location_id = scheduling.location_of(scope=scope, appointment_id=lines[0].appointment_id)
    return mapping.record(
        claim=claim,
        lines=lines,
        practice=tenancy.get_practice(scope=scope),
        patient=roster.get_patient(scope=scope, patient_id=claim.patient_id),
        policy=coverage.get_policy(scope=scope, policy_id=claim.policy_id),
        payer=coverage.get_payer(scope=scope, payer_id=claim.payer_id),
        clinician=clinician,
        supervisor=roster.get_clinician(scope=scope, clinician_id=supervisor) if supervisor else None,
        location=roster.get_location(scope=scope, location_id=location_id) if location_id else None,
    )


def judge(*, scope: Scope, claim: Claim, now: datetime) -> list[Finding]:
    """Look for faults, keep them on the claim, and move it to where they allow it to be."""
    assert claim.policy_id is not None  # it is one that was made here
    record = build_record(scope=scope, claim=claim)
    found = from_x12(scrub(record, today=scope.day_of(now)))
    found += _not_made_here(scope, claim)
    policy = coverage.get_policy(scope=scope, policy_id=claim.policy_id)
    if not (policy.starts_on <= claim.service_from_on and (policy.ends_on is None or claim.service_to_on <= policy.ends_on)):
        found.append(
            Finding("policy-not-active", "error", "/policy", "2010BA NM109",
                    "The policy is not in force on the day of service.")
        )  # fmt: skip
    for fault in coding.diagnosis_faults(codes=claim.diagnosis_codes, on=claim.service_from_on):
        found.append(
            Finding(fault.code, "error", f"/diagnosis_codes/{fault.position}", f"2300 HI{fault.position + 1:02}",
                    "Choose a diagnosis that is valid and billable on the day of service.")
        )  # fmt: skip
    Claim.objects.visible_to(scope).filter(id=claim.id).update(findings=[asdict(f) for f in found])
    claim.findings = [asdict(f) for f in found]
    blocked = any(finding.blocks for finding in found)
    wanted = ClaimState.DRAFT if blocked else ClaimState.VALIDATED
    if claim.state != wanted:
        claim.move(Action.FAIL if blocked else Action.PASS, by=scope.actor_id, at=now)
    return found


def _supervisor(scope: Scope, lines: Sequence[ClaimLine]) -> UUID | None:
    """Return the clinician under whom the services were given: who co-signed their notes."""
    notes = (charting.billable_note(scope=scope, appointment_id=line.appointment_id) for line in lines)
    return next((note.supervisor_id for note in notes if note and note.supervisor_id), None)


def _not_made_here(scope: Scope, claim: Claim) -> list[Finding]:
    """Block what would leave here wrong: no claim is better than a false one."""
    found = []
    if claim.rank != "primary":
        found.append(
            Finding("other-payer-missing", "error", "/policy", "2320 SBR",
                    "A claim to a second payer must carry what the first one decided; it is not made here yet.")
        )  # fmt: skip
    supervisors: set[UUID | str | None] = set()
    for line in queries.lines_of(scope=scope, claim_id=claim.id):
        note = charting.billable_note(scope=scope, appointment_id=line.appointment_id)
        if note is not None:
            supervisors.add(note.supervisor_id if note.cosign_required else "nobody")
    if None in supervisors:
        found.append(
            Finding("supervisor-unknown", "error", "/lines", "2310D NM1",
                    "Who co-signed the note is no clinician of the roster: give their membership its clinician.")
        )  # fmt: skip
    if len(supervisors) > 1:
        found.append(
            Finding("supervisors-differ", "error", "/lines", "2310D NM1",
                    "The services were supervised by different people: make a claim for each.")
        )  # fmt: skip
    return found
