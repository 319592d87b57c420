"""The practice's own claim rules: kept in versions, applied to claims, and tried on those of the past."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from rapport.kernel.problems import FieldError, Invalid
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.rooms.claims.models import Claim, ClaimLine, ClaimRules
from rapport.rooms.claims.queries import desk
from rapport.rooms.claims.rules import own, own_checks
from rapport.rooms.claims.rules.findings import Finding
from rapport.rooms.claims.rules.modifiers import put
from rapport.rooms.coverage import queries as coverage
from rapport.rooms.roster import queries as roster

from .materials import Materials, gather
from .own import parse_reference

TRIED_AT_ONCE = 500


def change_rules(*, scope: Scope, body: Any, now: datetime) -> ClaimRules:
    """
    Keep a new version of the rules; it holds from the next validation on.

    :param body: `schemas.ClaimRulesIn`: all of them, in order, and the version they were made from
    :raises Invalid: they were changed by somebody else meanwhile, two have one id, or a condition can hold of no claim
    :raises ReferenceNotFound: a payer or clinician that a condition names is not there
    """
    scope.require(Permission.PAYERS_WRITE)
    present = desk.rules_now(scope=scope)
    number = present.number if present else 0
    if body.based_on != number:
        raise Invalid(
            "1 field is not valid.",
            errors=(FieldError("/based_on", "outdated", f"Version {number} holds now: read it, and decide anew."),),
        )
    _check(scope, body.rules)
    row = ClaimRules.objects.create(
        practice_id=scope.practice_id, number=number + 1, rules=[rule.model_dump() for rule in body.rules],
        note=body.note or "", by=scope.actor_id, created_at=now,
    )  # fmt: skip
    scope.trail.target("claim_rules", row.id, row.number)
    scope.trail.reason = body.note
    return row


def _check(scope: Scope, rules: Sequence[Any]) -> None:
    found = list(own_checks.faults(rules))
    if found:
        raise Invalid(f"{len(found)} field(s) are not valid.", errors=tuple(found))
    for pointer, text in own_checks.named(rules, "payer_id"):
        coverage.refer_to_payer(scope=scope, payer_id=parse_reference("payer", text=text, pointer=pointer), pointer=pointer)
    for pointer, text in own_checks.named(rules, "clinician_id"):
        roster.refer_to_clinician(
            scope=scope, clinician_id=parse_reference("clinician", text=text, pointer=pointer), pointer=pointer
        )


def apply_rules(*, scope: Scope, claim: Claim, materials: Materials, today: date) -> tuple[list[Finding], str]:
    """
    Let the rules do to a claim what they do, and keep on it which did what. Modifiers are set on its lines.

    :return: findings, and why the claim is to be held; empty where no rule holds it
    """
    facts = materials.facts_of(claim, today=today)
    done = own.run(rules=materials.rules, facts=facts, waived=frozenset(claim.waived_rules))
    lines = materials.lines[claim.id]
    found, held = [], ""
    for one in done:
        if one.do == "set_modifier":
            for place in one.lines:
                lines[place].modifiers = list(put(lines[place].modifiers, one.modifier))
                ClaimLine.objects.visible_to(scope).filter(id=lines[place].id).update(
                    modifiers=lines[place].modifiers
                )
        elif one.do == "hold":
            held = held or f"rule {one.rule_id}: {one.text}"[:200]
        else:
            found.append(Finding("own-rule", one.do, f"/rules/{one.rule_id}", "", one.text))
    told = [asdict(one) | {"version": materials.rules_version} for one in done]
    # What a rule set stays set, and stays explained: the next look finds the modifier there.
    before = [one for one in claim.told_by_rules if one["do"] == "set_modifier"]
    claim.told_by_rules = [*before, *told]
    Claim.objects.visible_to(scope).filter(id=claim.id).update(told_by_rules=claim.told_by_rules)
    return found, held


@dataclass
class Trial:
    """What rules would have done to the claims of some days."""

    claims: int = 0
    by_rule: dict[str, int] = field(default_factory=dict)
    """Rule -> claims it would have done something to."""
    examples: list[tuple[UUID, list[own.Did]]] = field(default_factory=list)
    """The first hundred such claims."""


def try_rules(*, scope: Scope, body: Any, now: datetime) -> Trial:
    """
    Try rules on the claims of a span of days that were made here. Nothing is changed.

    :param body: `schemas.TrialIn`; without rules those that hold are tried
    :raises Invalid: the days end before they begin, or as for `change_rules`
    """
    scope.require(Permission.CLAIMS_READ)
    if body.to_on < body.from_on:
        raise Invalid("1 field is not valid.", errors=(FieldError("/to_on", "before-start", "At or after `from_on`."),))
    _check(scope, body.rules or [])
    present = desk.rules_now(scope=scope)
    rules: Sequence[own.Rule] = msgspec.convert(
        [rule.model_dump() for rule in body.rules] if body.rules is not None else present.rules if present else [],
        list[own.Rule],
    )
    rows = Claim.objects.visible_to(scope).filter(
        service_from_on__gte=body.from_on, service_from_on__lte=body.to_on, source_remote_id__isnull=True
    )
    claims = list(rows.order_by("service_from_on", "id")[:TRIED_AT_ONCE])
    materials = gather(scope=scope, claims=claims)
    trial = Trial(claims=len(claims))
    for claim in claims:
        done = own.run(rules=rules, facts=materials.facts_of(claim, today=scope.day_of(now)))
        for rule_id in {one.rule_id for one in done}:
            trial.by_rule[rule_id] = trial.by_rule.get(rule_id, 0) + 1
        if done and len(trial.examples) < 100:
            trial.examples.append((claim.id, done))
    return trial
