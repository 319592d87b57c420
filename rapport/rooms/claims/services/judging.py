"""A claim as the guide knows it, and what stands against sending it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime, timedelta
from uuid import UUID

from rapport.platform.access.scope import Scope
from rapport.platform.db import sql
from rapport.protocols.x12.claim837p import Claim as Record
from rapport.protocols.x12.scrub837p import scrub
from rapport.rooms.claims.mapping import is_medicare_later
from rapport.rooms.claims.models import Claim
from rapport.rooms.claims.rules.findings import Finding, from_x12, timely_filing
from rapport.rooms.claims.rules.profiles import findings_of, says_otherwise
from rapport.rooms.claims.states import DECIDED, Action, ClaimState
from rapport.rooms.coding.rules.time_rules import findings_of_day
from rapport.rooms.coverage.states import PayerKind

from .covering import ask_coverage
from .materials import Materials, gather
from .own_rules import apply_rules


def build_record(*, scope: Scope, claim: Claim) -> Record:
    """Return a claim that was made here as the guide knows it, from the rows as they are now."""
    return gather(scope=scope, claims=[claim]).record(claim)


def judge(*, scope: Scope, claim: Claim, now: datetime) -> list[Finding]:
    """Look for faults, keep them on the claim, and move it to where they allow it to be."""
    materials = gather(scope=scope, claims=[claim])
    said = ask_coverage(scope=scope, claims=[claim], materials=materials, now=now)
    ruled, held = apply_rules(scope=scope, claim=claim, materials=materials, today=scope.day_of(now))
    found = faults_of(
        claim=claim, materials=materials, record=materials.record(claim), today=scope.day_of(now)
    )
    found = [*ruled, *found, *said[claim.id]]
    claim.findings = [asdict(f) for f in found]
    profile = materials.profiles[claim.payer_id]
    by = materials.file_by(claim)
    if by != claim.file_by_on:
        claim.file_by_on, claim.warn_on = by, None if by is None else by - timedelta(days=profile.warn_days)
    Claim.objects.visible_to(scope).filter(id=claim.id).update(
        findings=claim.findings, file_by_on=claim.file_by_on, warn_on=claim.warn_on
    )
    if held:
        Claim.objects.visible_to(scope).filter(id=claim.id).update(hold_reason=held)
        claim.hold_reason = held
        claim.move(Action.HOLD, by=scope.actor_id, at=now, detail="own-rule")
        return found
    blocked = any(finding.blocks for finding in found)
    wanted = ClaimState.DRAFT if blocked else ClaimState.VALIDATED
    if claim.state != wanted:
        claim.move(Action.FAIL if blocked else Action.PASS, by=scope.actor_id, at=now)
    return found


def faults_of(*, claim: Claim, materials: Materials, record: Record, today: date) -> list[Finding]:
    """Return everything that stands against sending a claim. Changes nothing."""
    assert claim.policy_id is not None  # it is one that was made here
    payer = materials.payers[claim.payer_id]
    if payer.kind != PayerKind.INSURANCE:
        return [
            Finding("payer-takes-invoices", "error", "/payer/kind", "2010BB NM103",
                    f"This payer is billed by invoice ({payer.kind}), never by a claim: make an invoice with its `payer_id`.")
        ]  # fmt: skip
    profile = materials.profiles[claim.payer_id]
    found = [f for f in from_x12(scrub(record, today=today)) if not says_otherwise(code=f.code, profile=profile)]
    found += findings_of(
        record=record, profile=profile, days=(claim.service_to_on - claim.service_from_on).days + 1,
        grouped={number for number, line in enumerate(materials.lines[claim.id], 1) if materials.sees_several(line)},
    )  # fmt: skip
    found += timely_filing(file_by_on=materials.file_by(claim), warn_days=profile.warn_days, today=today)
    found += _beside_each_other(claim, materials)
    found += materials.other_faults[claim.id]
    found += _not_made_here(claim, materials)
    original = materials.originals.get(claim.original_id) if claim.original_id else None
    if original is not None and original.state not in DECIDED:
        found.append(
            Finding("original-in-flight", "error", "/original_claim_id", "2300 REF02",
                    "The claim to replace or void is not decided, or not any more.")
        )  # fmt: skip
    policy = materials.policies[claim.policy_id]
    if is_medicare_later(payer=materials.payers[claim.payer_id], rank=claim.rank) and not policy.medicare_reason:
        found.append(
            Finding("medicare-reason-missing", "error", "/policy/medicare_reason", "2000B SBR05",
                    "Medicare does not pay first here: say on the policy why.")
        )  # fmt: skip
    if not (policy.starts_on <= claim.service_from_on and (policy.ends_on is None or claim.service_to_on <= policy.ends_on)):
        found.append(
            Finding("policy-not-active", "error", "/policy", "2010BA NM109",
                    "The policy is not in force on the day of service.")
        )  # fmt: skip
    for fault in materials.diagnosis_faults(claim):
        found.append(
            Finding(fault.code, "error", f"/diagnosis_codes/{fault.position}", f"2300 HI{fault.position + 1:02}",
                    "Choose a diagnosis that is valid and billable on the day of service.")
        )  # fmt: skip
    return found


def _beside_each_other(claim: Claim, materials: Materials) -> list[Finding]:
    """Look at the codes of each day: an add-on needs its parent on this claim, for a payer looks at no other one."""
    if claim.frequency == "void":
        return []  # what it takes back is not judged anew
    lines = materials.lines[claim.id]
    found = []
    for day in sorted({line.service_on for line in lines}):
        places = {line.service_code: place for place, line in enumerate(lines) if line.service_on == day}
        for one in findings_of_day(list(places), parents=materials.parents):
            severity = "error" if one.rule == "add-on-without-parent" else "warning"
            found.append(Finding(one.rule, severity, f"/lines/{places[one.code]}/service_code", "2400 SV101", one.message))
    return found


def keep_findings(*, scope: Scope, found: Sequence[tuple[UUID, list[Finding]]]) -> None:
    """Keep the findings of many claims at once."""
    if found:
        sql.run(
            "UPDATE claims_claim c SET findings = f.findings::jsonb FROM unnest(%s::uuid[], %s::text[])"
            " AS f (id, findings) WHERE c.practice_id = %s AND c.id = f.id AND c.findings <> f.findings::jsonb",
            (
                [id for id, _ in found],
                [json.dumps([asdict(one) for one in mine]) for _, mine in found],
                scope.practice_id,
            ),
        )


def _not_made_here(claim: Claim, materials: Materials) -> list[Finding]:
    """Block what would leave here wrong: no claim is better than a false one."""
    found = []
    supervisors: set[UUID | str | None] = set()
    for line in materials.lines[claim.id]:
        note = materials.note_of(line)
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
