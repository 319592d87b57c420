"""Everything that claims are made from, read for many of them at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

import msgspec

from rapport.kernel.ids import type_id
from rapport.platform.access.scope import Scope
from rapport.platform.tenancy import queries as tenancy
from rapport.protocols.x12.claim837p import Claim as Record
from rapport.rooms.charting import queries as charting
from rapport.rooms.claims import mapping
from rapport.rooms.claims.models import Claim, ClaimLine
from rapport.rooms.claims.queries.desk import attachments_of, profiles_of, rules_now
from rapport.rooms.claims.rules import own
from rapport.rooms.claims.rules.findings import Finding
from rapport.rooms.claims.rules.profiles import Profile, file_by
from rapport.rooms.coding import queries as coding
from rapport.rooms.coding.rules.groups import always_several
from rapport.rooms.coverage import queries as coverage
from rapport.rooms.ledger import queries as ledger
from rapport.rooms.roster import queries as roster
from rapport.rooms.scheduling import queries as scheduling

from .other_payers import Other, others_of


@dataclass(slots=True)
class Materials:
    """The rows behind some claims of a practice, as they are now."""

    practice: Any
    lines: dict[UUID, list[ClaimLine]]
    """Claim -> its lines in order."""
    patients: dict[UUID, Any]
    policies: dict[UUID, Any]
    payers: dict[UUID, Any]
    clinicians: dict[UUID, Any]
    """Those who rendered, and those who supervised."""
    places: dict[UUID, Any]
    """Appointment -> its location, of those that have one."""
    notes: dict[UUID, Any]
    """Appointment -> the note its claim rests on."""
    authorizations: dict[UUID, str]
    """Authorisation that a line uses -> its number."""
    originals: dict[UUID, Claim]
    """The claims that some of them replace or void."""
    others: dict[UUID, list[Other]]
    """Claim -> the other payers of its services, in the order of billing."""
    other_faults: dict[UUID, list[Finding]]
    """Claim -> what keeps it from being sent for them."""
    profiles: dict[UUID, Profile]
    """Payer -> how it wants its claims."""
    rules: Sequence[own.Rule]
    """The practice's own, in order."""
    rules_version: int
    attachments: dict[UUID, list[Any]]
    """Claim -> papers that are told of in it."""
    decided: dict[UUID, date]
    """Original claim -> day on which the payer decided it, of those that claims here replace or void."""
    grouped: set[UUID]
    """Visits that are a member's part of a group session."""
    parents: dict[str, list[str]]
    """Service code -> codes that the practice adds it to; empty: it is no add-on."""
    patient_paid: dict[UUID, int]
    """Visit -> what its patient has paid for it, in cents, of claims to payers that want to know."""
    _diagnosis_faults: dict[tuple[tuple[str, ...], date], list[Any]] = field(default_factory=dict)

    def note_of(self, line: ClaimLine) -> Any | None:
        """Return the line's note when every signature is there."""
        note = self.notes.get(line.appointment_id)
        return note if note is not None and note.is_signed else None

    def supervisor_of(self, claim: Claim) -> Any | None:
        """Return the clinician under whom the services were given: who co-signed their notes."""
        notes = (self.note_of(line) for line in self.lines[claim.id])
        id = next((note.supervisor_id for note in notes if note and note.supervisor_id), None)
        return self.clinicians[id] if id else None

    def billed_clinician_id(self, claim: Claim) -> UUID | None:
        """Return in whose name the services are billed: the supervisor's where the payer wants supervised work so."""
        supervisor = self.supervisor_of(claim)
        if supervisor is not None and self.profiles[claim.payer_id].supervision == "bill_under_supervisor":
            billed: UUID = supervisor.id
            return billed
        return claim.clinician_id

    def diagnosis_faults(self, claim: Claim) -> list[Any]:
        """Return what is wrong with the claim's diagnoses on its first day."""
        key = (tuple(claim.diagnosis_codes), claim.service_from_on)
        if key not in self._diagnosis_faults:
            self._diagnosis_faults[key] = coding.diagnosis_faults(codes=key[0], on=key[1])
        return self._diagnosis_faults[key]

    def sees_several(self, line: ClaimLine) -> bool:
        """Tell whether several patients were seen together: in a group session of the calendar, or by the code."""
        return line.appointment_id in self.grouped or always_several(line.service_code)

    def file_by(self, claim: Claim) -> date | None:
        """Return the last day on which the payer takes the claim."""
        decided_on = None if claim.original_id is None else self.decided.get(claim.original_id)
        return file_by(
            profile=self.profiles[claim.payer_id], first_service_on=claim.service_from_on, decided_on=decided_on
        )

    def facts_of(self, claim: Claim, *, today: date) -> own.Facts:
        """Return what the practice's rules know of a claim."""
        lines = self.lines[claim.id]
        born = self.patients[claim.patient_id].birth_on
        clinician = self.clinicians[claim.clinician_id] if claim.clinician_id else None
        policy = self.policies[claim.policy_id] if claim.policy_id else None
        on = claim.service_from_on
        return own.Facts(
            values={
                "payer_id": type_id("payer", claim.payer_id),
                "clinician_id": type_id("clinician", claim.clinician_id) if claim.clinician_id else "",
                "clinician_taxonomy": clinician.taxonomy_code if clinician else "",
                "rank": claim.rank, "frequency": claim.frequency, "format": claim.format,
                "place_of_service": claim.place_of_service_code,
                "service_codes": [line.service_code for line in lines],
                "modifiers": [modifier for line in lines for modifier in line.modifiers],
                "diagnoses": list(claim.diagnosis_codes),
                "charge_cents": claim.charge_cents, "units": sum(line.units for line in lines), "lines": len(lines),
                "patient_age": on.year - born.year - ((on.month, on.day) < (born.month, born.day)) if born else None,
                "days_since_service": (today - on).days,
                "supervised": self.supervisor_of(claim) is not None,
                "group_number": (policy.group_number or "") if policy else "",
                "group_session": any(self.sees_several(line) for line in lines),
            },
            lines=[(line.service_code, tuple(line.modifiers)) for line in lines],
        )  # fmt: skip

    def record(self, claim: Claim) -> Record:
        """Return a claim that was made here as the guide knows it."""
        assert claim.clinician_id is not None
        assert claim.policy_id is not None
        lines = self.lines[claim.id]
        return mapping.record(
            claim=claim,
            lines=lines,
            practice=self.practice,
            patient=self.patients[claim.patient_id],
            policy=self.policies[claim.policy_id],
            payer=self.payers[claim.payer_id],
            clinician=self.clinicians[claim.clinician_id],
            supervisor=self.supervisor_of(claim),
            location=self.places.get(lines[0].appointment_id),
            authorizations=self.authorizations,
            others=self.others[claim.id],
            original_number=self.originals[claim.original_id].payer_claim_number if claim.original_id else "",
            attachments=self.attachments.get(claim.id, ()),
            patient_paid_cents=sum(self.patient_paid.get(visit, 0) for visit in {line.appointment_id for line in lines}),
            under_supervisor=self.profiles[claim.payer_id].supervision == "bill_under_supervisor",
        )


def gather(*, scope: Scope, claims: Sequence[Claim]) -> Materials:
    """Read what these claims are made from, in a dozen questions however many they are."""
    lines: dict[UUID, list[ClaimLine]] = {claim.id: [] for claim in claims}
    rows = ClaimLine.objects.visible_to(scope).filter(claim_id__any_of=lines).order_by("position")
    for line in rows:
        lines[line.claim_id].append(line)
    visits = {line.appointment_id for mine in lines.values() for line in mine}
    notes = charting.notes_of_visits(scope=scope, appointment_ids=visits)
    at = scheduling.locations_of(scope=scope, appointment_ids=visits)
    locations = roster.locations_of(scope=scope, ids=set(at.values()))
    clinicians = {claim.clinician_id for claim in claims if claim.clinician_id}
    clinicians |= {note.supervisor_id for note in notes.values() if note.supervisor_id}
    others, other_faults = others_of(scope=scope, claims=claims, lines=lines)
    payers = coverage.payers_of(scope=scope, ids={claim.payer_id for claim in claims})
    profiles = profiles_of(scope=scope, payers=payers.values())
    rules = rules_now(scope=scope)
    originals = {claim.original_id for claim in claims if claim.original_id}
    decided = Claim.objects.visible_to(scope).filter(id__in=originals, state__in=["paid", "denied"])
    return Materials(
        practice=tenancy.get_practice(scope=scope),
        lines=lines,
        patients=roster.patients_of(scope=scope, ids={claim.patient_id for claim in claims}),
        policies=coverage.policies_of(scope=scope, ids={c.policy_id for c in claims if c.policy_id}),
        payers=payers,
        profiles=profiles,
        grouped=scheduling.in_groups(scope=scope, appointment_ids=visits),
        parents=coding.parents_of(
            scope=scope, codes={line.service_code for mine in lines.values() for line in mine}
        ),
        patient_paid=_patient_paid(scope, claims, lines, profiles),
        rules=msgspec.convert(rules.rules, list[own.Rule]) if rules else [],
        rules_version=rules.number if rules else 0,
        attachments=attachments_of(scope=scope, claim_ids=list(lines)),
        decided={
            id: scope.day_of(at) for id, at in decided.values_list("id", "state_changed_at")
        },
        clinicians=roster.clinicians_of(scope=scope, ids=clinicians),
        places={visit: locations[location] for visit, location in at.items()},
        notes=notes,
        authorizations=coverage.numbers_of(
            scope=scope,
            authorization_ids={
                line.authorization_id for mine in lines.values() for line in mine if line.authorization_id
            },
        ),
        originals={row.id: row for row in Claim.objects.visible_to(scope).filter(id__in=originals)}
        if originals
        else {},
        others=others,
        other_faults=other_faults,
    )


def _patient_paid(
    scope: Scope, claims: Sequence[Claim], lines: dict[UUID, list[ClaimLine]], profiles: dict[UUID, Profile]
) -> dict[UUID, int]:
    visits = {
        line.appointment_id for claim in claims if profiles[claim.payer_id].patient_paid for line in lines[claim.id]
    }
    return ledger.paid_by_patients(scope=scope, appointment_ids=visits) if visits else {}
