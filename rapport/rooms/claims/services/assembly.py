"""What can be done to a claim before it is sent. One function per verb."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from rapport.kernel.ids import type_id
from rapport.kernel.problems import (
    Conflict,
    FieldError,
    Invalid,
    ReferenceNotFound,
    StateConflict,
)
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.api import etags
from rapport.platform.db import errors
from rapport.platform.jobs import registry as jobs
from rapport.platform.outbox.emit import emit
from rapport.rooms.charting import queries as charting
from rapport.rooms.claims import events, payers, queries
from rapport.rooms.claims.models import Billed, Channel, Claim, ClaimLine, Override
from rapport.rooms.claims.queries import desk
from rapport.rooms.claims.rules.findings import OVERRIDABLE, Finding, from_x12
from rapport.rooms.claims.rules.modifiers import put
from rapport.rooms.claims.rules.profiles import place_and_modifiers
from rapport.rooms.claims.states import Action, ClaimState, WorkKind
from rapport.rooms.coding import queries as coding
from rapport.rooms.coding.rules.groups import always_several
from rapport.rooms.coverage import queries as coverage
from rapport.rooms.coverage.states import Rank
from rapport.rooms.scheduling import queries as scheduling

from .copying import copied
from .correcting import original_of, same_request
from .elsewhere import DuplicateClaim, require_here
from .freezing import freeze_one
from .judging import judge
from .numbers import control_number_of
from .other_payers import as_asked_before
from .own import own, parse_reference
from .work import settle_work


class ClaimNotClean(Conflict):
    code = "claim-not-clean"
    title = "The claim has faults that a payer would turn it away for."


class NoChannel(Conflict):
    code = "no-channel"
    title = "The practice has no channel to send claims through."


def visits_of(*, scope: Scope, body: Any) -> list[Any]:
    """Return the visits that a claim is to be made of. :raises ReferenceNotFound: one is not there"""
    return [
        scheduling.refer_to_appointment(
            scope=scope,
            appointment_id=parse_reference("appointment", text=text, pointer=f"/appointment_ids/{position}"),
            pointer=f"/appointment_ids/{position}",
        )
        for position, text in enumerate(dict.fromkeys(body.appointment_ids))
    ]


def create_claim(*, scope: Scope, now: datetime, body: Any) -> Claim:
    """
    Assemble a claim from completed appointments with signed notes.

    All services are of one patient, one rendering clinician and one policy. Every missing piece
    is named, not only the first.

    :param body: `schemas.ClaimIn`
    :raises ReferenceNotFound: an appointment, policy or channel is not there for this actor
    :raises Invalid: an appointment is not completed, or has no signed billable note, …
    :raises DuplicateClaim: a service is already on a claim to this payer, here or at the portal
    :raises OtherSubmitter: the portal sends the practice's claims to this payer
    """
    scope.require(Permission.CLAIMS_WRITE)
    appointments = visits_of(scope=scope, body=body)
    notes = _check_services(scope, appointments)
    first = appointments[0]
    days = [a.start_at.astimezone(scope.time_zone).date() for a in appointments]
    policy = policy_of(scope=scope, body=body, patient_id=first.patient_id, on=min(days))
    payer = coverage.get_payer(scope=scope, payer_id=policy.payer_id)
    profile = desk.profiles_of(scope=scope, payers=[payer])[payer.id]
    original = original_of(scope=scope, body=body)
    if original is None:
        require_here(scope=scope, patient_id=first.patient_id, payer_id=payer.id, days=days)
    else:
        same_request(
            original=original, patient_id=first.patient_id, payer_id=payer.id, frequency=body.frequency,
            visits={appointment.id for appointment in appointments},
            asked={line.appointment_id for line in queries.lines_of(scope=scope, claim_id=original.id)},
        )  # fmt: skip
    channel = _channel(scope, body)
    diagnoses = list(dict.fromkeys(code for note in notes for code in note.diagnosis_codes))[:12]
    claim = Claim(
        practice_id=scope.practice_id,
        patient_id=first.patient_id,
        clinician_id=first.clinician_id,
        policy_id=policy.id,
        payer_id=payer.id,
        channel=channel,
        original=original,
        control_number=control_number_of("RA"),
        format=body.format,
        frequency=body.frequency,
        rank=policy.rank,
        place_of_service_code=first.place_of_service_code,
        diagnosis_codes=diagnoses,
        service_from_on=min(days),
        service_to_on=max(days),
        charge_cents=0,
        state_changed_at=now,
        created_at=now,
        updated_at=now,
    )
    lines, grouped = [], []
    for position, (appointment, note, day) in enumerate(
        sorted(zip(appointments, notes, days, strict=True), key=lambda entry: entry[0].start_at), 1
    ):
        service = coding.get_service_code(scope=scope, service_code_id=appointment.service_code_id)
        rate = coding.rate_for(
            scope=scope, service_code_id=service.id, clinician_id=appointment.clinician_id,
            payer_id=payer.id, on=day,
        )  # fmt: skip
        place, modifiers = place_and_modifiers(
            profile=profile, place=appointment.place_of_service_code, modifiers=tuple(appointment.modifiers)
        )
        if profile.group_modifier and (appointment.group_session_id or always_several(service.code)):
            modifiers = put(modifiers, profile.group_modifier)
            grouped.append(position - 1)
        lines.append(
            ClaimLine(
                practice_id=scope.practice_id, claim=claim, position=position,
                appointment_id=appointment.id, note_id=note.id, service_on=day,
                service_code=service.code, modifiers=list(modifiers),
                place_of_service_code=place, units=appointment.units,
                charge_cents=rate.rate_cents * appointment.units,
                diagnosis_pointers=[diagnoses.index(c) + 1 for c in note.diagnosis_codes if c in diagnoses][:4],
                control_number=control_number_of("L"), rate_rule=rate.step,
            )
        )  # fmt: skip
    if original is not None and body.frequency == "void":
        lines = copied(claim=claim, before=payers.asked_lines(scope=scope, claim_id=original.id))
        grouped = []
    elif policy.rank != Rank.PRIMARY:
        before = as_asked_before(
            scope=scope, claim=claim, appointment_ids=[a.id for a in appointments]
        )
        lines, grouped = (copied(claim=claim, before=before), []) if before else (lines, grouped)
    if grouped:
        claim.told_by_rules = [
            {
                "rule_id": "claim-profile/group_modifier", "do": "set_modifier", "modifier": profile.group_modifier,
                "text": "Several were seen together: the payer's profile asks for it.", "lines": grouped,
                "version": desk.profile_row(scope=scope, payer_id=payer.id).version,
            }
        ]  # fmt: skip
    claim.place_of_service_code = lines[0].place_of_service_code
    claim.charge_cents = sum(line.charge_cents for line in lines)
    if claim.charge_cents <= 0:
        raise Invalid(
            "The services have no rate.",
            errors=(FieldError("/appointment_ids", "no-rate", "Set a rate on the service code."),),
        )
    claim.save(force_insert=True)
    claim.note("create", by=scope.actor_id, at=now)
    ClaimLine.objects.bulk_create(lines)
    _bill(scope, claim, lines, original)
    emit(
        events.CLAIM_CREATED, scope=scope, object_type="claim", object_id=claim.id,
        version=claim.version, now=now,
    )  # fmt: skip
    scope.trail.patient_ids.add(claim.patient_id)
    judge(scope=scope, claim=claim, now=now)
    return claim


NOT_COMPLETED = ("not-completed", "Complete the appointment first.")
NOT_SIGNED = ("note-not-signed", "Its note must be signed first.")
"""What a visit lacks before it can be billed, whoever bills it."""


def _check_services(scope: Scope, appointments: Sequence[Any]) -> list[Any]:
    """Return the billable note of each appointment, or name everything that is missing."""
    faults = []
    notes = []
    for position, appointment in enumerate(appointments):
        pointer = f"/appointment_ids/{position}"
        if appointment.status != "completed":
            faults.append(FieldError(pointer, *NOT_COMPLETED))
        note = charting.billable_note(scope=scope, appointment_id=appointment.id)
        if note is None:
            faults.append(FieldError(pointer, *NOT_SIGNED))
        notes.append(note)
    for pointer_name, attribute in (("one-patient", "patient_id"), ("one-clinician", "clinician_id")):
        if len({getattr(a, attribute) for a in appointments}) > 1:
            faults.append(
                FieldError("/appointment_ids", pointer_name, "Make one claim for each of them.")
            )
    refuse_faults(faults)
    return notes


def refuse_faults(faults: Sequence[FieldError]) -> None:
    """Pass if a visit lacks nothing before it can be billed. :raises Invalid: it does"""
    if faults:
        raise Invalid(
            f"{len(faults)} thing(s) are missing before this can be billed.",
            errors=tuple(faults),
            reason="unsigned_note" if any(f.code == NOT_SIGNED[0] for f in faults) else "",
        )


def policy_of(*, scope: Scope, body: Any, patient_id: UUID, on: date) -> Any:
    if body.policy_id:
        id = parse_reference("insurance_policy", text=body.policy_id, pointer="/policy_id")
        policy = coverage.refer_to_policy(scope=scope, policy_id=id, pointer="/policy_id")
        if policy.patient_id != patient_id:
            raise ReferenceNotFound(
                "A field refers to something that is not here.",
                errors=(FieldError("/policy_id", "reference-not-found"),),
            )
        return policy
    active = coverage.policy_for(scope=scope, patient_id=patient_id, on=on, rank="primary")
    if active is None:
        raise Invalid(
            "The patient has no primary policy on that day.",
            errors=(FieldError("/policy_id", "no-policy", "Add the policy, or name one."),),
        )
    return active


def _channel(scope: Scope, body: Any) -> Channel | None:
    if body.channel_id:
        id = parse_reference("channel", text=body.channel_id, pointer="/channel_id")
        return queries.refer_to_channel(scope=scope, channel_id=id, pointer="/channel_id")
    return queries.default_channel(scope=scope)


def _bill(scope: Scope, claim: Claim, lines: Sequence[ClaimLine], original: Claim | None) -> None:
    """Take the right to ask this payer for these services; a replacement takes its original's."""
    if original is not None:
        Billed.objects.visible_to(scope).filter(claim_id=original.id).delete()
        ClaimLine.objects.visible_to(scope).filter(claim_id=original.id).update(live=False)
    try:
        with transaction.atomic():
            Billed.objects.bulk_create(
                Billed(
                    practice_id=scope.practice_id, claim=claim, appointment_id=line.appointment_id,
                    service_code=line.service_code, payer_id=claim.payer_id,
                )
                for line in lines
            )  # fmt: skip
    except IntegrityError as error:
        if errors.constraint_name(error) != "billed_once":
            raise
        other = Billed.objects.visible_to(scope).filter(
            appointment_id__in=[line.appointment_id for line in lines], payer_id=claim.payer_id
        ).exclude(claim_id=claim.id).values_list("claim_id", flat=True).first()  # fmt: skip
        raise DuplicateClaim(
            "Read the claim that exists, or make a replacement of it.",
            claim_id=type_id("claim", other) if other else None,
        ) from error


def override_finding(
    *, scope: Scope, claim_id: UUID, code: str, reason: str, now: datetime
) -> Claim:
    """
    Answer for a finding that blocks a claim: it becomes a warning, and stays one.

    :raises Invalid: it is none of those that a person may answer for
    :raises StateConflict: the claim is on its way or decided
    """
    scope.require(Permission.CLAIMS_SUBMIT)
    claim = own(scope=scope, claim_id=claim_id)
    if code not in OVERRIDABLE:
        raise Invalid("1 field is not valid.", errors=(FieldError("/code", "not-overridable"),))
    if claim.state not in (ClaimState.DRAFT, ClaimState.VALIDATED):
        raise StateConflict(_cannot(claim, "judged"), current_state=claim.state)
    if code not in payers.overridden(scope=scope, claim_id=claim.id):
        Override.objects.create(
            practice_id=scope.practice_id, claim=claim, code=code, reason=reason, by=scope.actor_id, at=now
        )
    judge(scope=scope, claim=claim, now=now)
    scope.trail.reason = reason
    scope.trail.target("claim", claim.id, claim.version)
    return claim


def validate_claim(*, scope: Scope, claim_id: UUID, now: datetime) -> Claim:
    """
    Look for faults again, after something was mended. A rejected claim becomes a draft first.

    :raises StateConflict: the claim is on its way or decided
    """
    scope.require(Permission.CLAIMS_WRITE)
    claim = own(scope=scope, claim_id=claim_id)
    if claim.state == ClaimState.REJECTED:
        claim.move(Action.REOPEN, by=scope.actor_id, at=now)
    if claim.state not in (ClaimState.DRAFT, ClaimState.VALIDATED):
        raise StateConflict(_cannot(claim, "validated"), current_state=claim.state)
    judge(scope=scope, claim=claim, now=now)
    scope.trail.target("claim", claim.id, claim.version)
    return claim


def _cannot(claim: Claim, what: str) -> str:
    hint = " Let it go first: `hold` without a reason." if claim.state == ClaimState.HELD else ""
    return f"A claim that is {claim.state} cannot be {what}.{hint}"


def submit_claim(*, scope: Scope, claim_id: UUID, if_match: str, now: datetime) -> Claim:
    """
    Freeze the claim into a submission and queue it. The file is made here; a job sends it.

    :raises ClaimNotClean: something blocks it; all of it is in `findings`
    :raises NoChannel: there is no way to send it
    :raises DuplicateClaim: or OtherSubmitter: the portal asks for it, or is to ask
    :raises StateConflict: it is on its way already, or decided
    """
    scope.require(Permission.CLAIMS_SUBMIT)
    claim = own(scope=scope, claim_id=claim_id)
    etags.check(claim, if_match)
    if claim.state not in (ClaimState.DRAFT, ClaimState.VALIDATED):
        raise StateConflict(_cannot(claim, "submitted"), current_state=claim.state)
    if claim.frequency == "original":
        days = [line.service_on for line in queries.lines_of(scope=scope, claim_id=claim.id)]
        require_here(scope=scope, patient_id=claim.patient_id, payer_id=claim.payer_id, days=days)
    _refuse_unclean(judge(scope=scope, claim=claim, now=now))
    if claim.state == ClaimState.HELD:
        raise StateConflict("A rule of the practice holds it; let it go first: `hold` without a reason.", current_state=claim.state)
    if claim.channel_id is None:
        raise NoChannel("Add a channel, and name it on the claim.")
    submission, faults = freeze_one(scope=scope, claim=claim, channel_id=claim.channel_id, now=now)
    if submission is None:
        _refuse_unclean(from_x12(faults))
        raise AssertionError("a file without faults is kept")
    claim.move(Action.QUEUE, by=scope.actor_id, at=now, submission_id=submission.id)
    settle_work(scope=scope, kinds=list(WorkKind), claim_ids=[claim.id], how="sent-again", now=now)
    scope.trail.target("claim", claim.id, claim.version)
    jobs.defer(
        "claims.send_submission", scope, queueing_lock=f"send:{submission.id}",
        submission_id=submission.id,
    )  # fmt: skip
    return claim


def _refuse_unclean(found: Sequence[Finding]) -> None:
    blocking = [asdict(finding) for finding in found if finding.blocks]
    if blocking:
        raise ClaimNotClean("Mend every finding, then submit again.", findings=blocking)


def hold_claim(*, scope: Scope, claim_id: UUID, if_match: str, reason: str | None, now: datetime) -> Claim:
    """Hold a claim back, with a reason; or, without one, let a held claim go on as a draft."""
    scope.require(Permission.CLAIMS_WRITE)
    claim = own(scope=scope, claim_id=claim_id)
    etags.check(claim, if_match)
    if not reason and claim.state == ClaimState.HELD:
        # A rule that held it has been heard: this claim may pass it from now on.
        waived = {one["rule_id"] for one in claim.told_by_rules if one["do"] == "hold"}
        claim.waived_rules = sorted({*claim.waived_rules, *waived})
        Claim.objects.visible_to(scope).filter(id=claim.id).update(waived_rules=claim.waived_rules)
    Claim.objects.visible_to(scope).filter(id=claim.id).update(hold_reason=reason or "")
    claim.move(Action.HOLD if reason else Action.RELEASE, by=scope.actor_id, at=now)
    if not reason:
        judge(scope=scope, claim=claim, now=now)
    scope.trail.reason = reason
    scope.trail.target("claim", claim.id, claim.version)
    return claim
