"""
Coordination of benefits: what the payers before and after this one have to do with a claim.

A claim to a second or third payer is about the very services that the first was asked for, with its
charges, and carries what each payer before decided about them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from rapport.platform.access.scope import Scope
from rapport.rooms.claims import payers
from rapport.rooms.claims.models import Claim, ClaimLine
from rapport.rooms.claims.rules.deciding import ServiceDecided, Told
from rapport.rooms.claims.rules.findings import OVERRIDABLE, Finding
from rapport.rooms.coverage import queries as coverage
from rapport.rooms.coverage.states import PayerKind, Rank

ORDER = [rank.value for rank in Rank]
_WORDS = {"primary": "first", "secondary": "second", "tertiary": "third", "quaternary": "fourth"}


@dataclass(frozen=True, slots=True)
class Other:
    """One other payer of a claim's services."""

    policy: Any
    """The patient's policy there, with its payer."""
    rank: str
    told: Told | None = None
    """What it decided; None: nothing that stands."""
    services: dict[int, tuple[ServiceDecided, Any]] = field(default_factory=dict)
    """Position of this claim's line -> its decision and day."""


def others_of(
    *, scope: Scope, claims: Sequence[Claim], lines: Mapping[UUID, Sequence[ClaimLine]]
) -> tuple[dict[UUID, list[Other]], dict[UUID, list[Finding]]]:
    """
    Return the other payers of each claim in the order of billing, and what keeps it from being sent for them.

    Payers after this one are named, so that this one knows of them; one whose policy does not say who
    holds it is left out. A finding that somebody answers for is a warning.
    """
    held = coverage.policies_of_patients(scope=scope, patient_ids={claim.patient_id for claim in claims})
    answered = payers.overridden_of(scope=scope, claim_ids=[claim.id for claim in claims])
    others, faults = {}, {}
    for claim in claims:
        found, against = _others(scope, claim, lines[claim.id], held.get(claim.patient_id, []))
        others[claim.id] = found
        faults[claim.id] = [
            replace(one, severity="warning")
            if one.code in OVERRIDABLE and (claim.id, one.code) in answered
            else one
            for one in against
        ]
    return others, faults


def _others(
    scope: Scope, claim: Claim, lines: Sequence[ClaimLine], policies: Sequence[Any]
) -> tuple[list[Other], list[Finding]]:
    found: list[Other] = []
    faults: list[Finding] = []
    place = ORDER.index(claim.rank)
    day = claim.service_from_on
    held = {
        policy.rank: policy
        for policy in policies
        if policy.id != claim.policy_id
        and policy.starts_on <= day
        and (policy.ends_on is None or policy.ends_on >= day)
    }
    for rank in ORDER[:place]:
        policy = held.get(rank)
        if policy is None:
            faults.append(_missing(f"The patient has no {_WORDS[rank]} payer on the day of service."))
            continue
        other, fault = _decided(scope, claim, lines, policy)
        found.append(other)
        faults += [fault] if fault else []
    if found and found[-1].told is not None and found[-1].told.passed_on:
        faults.append(
            Finding(
                "crossed-over", "error", "/policy", "2320 SBR",
                f"The {_WORDS[found[-1].rank]} payer has passed the claim on itself: billed again it comes twice.",
            )
        )  # fmt: skip
    for rank in ORDER[place + 1 :]:
        if rank in held and _names_holder(held[rank]):
            # Who has decided nothing is told apart by id alone: two plans of one payer are named once.
            if held[rank].payer.payer_id_code not in {one.policy.payer.payer_id_code for one in found}:
                found.append(Other(held[rank], rank))
    return found, faults


def _names_holder(policy: Any) -> bool:
    return bool(policy.relationship and policy.member_id and policy.payer.payer_id_code)


def _missing(message: str) -> Finding:
    return Finding("other-payer-missing", "error", "/policy", "2320 SBR", message)


def _decided(
    scope: Scope, claim: Claim, lines: Sequence[ClaimLine], policy: Any
) -> tuple[Other, Finding | None]:
    """Return what the payer of a policy decided about a claim's services, or why that cannot be told."""
    word = _WORDS[policy.rank]
    before = payers.asked_before(
        scope=scope, policy_id=policy.id, appointment_ids=[line.appointment_id for line in lines]
    )
    pairs = _pair(lines, before)
    claim_ids = list(dict.fromkeys(line.claim_id for line in before))
    decisions = {id: payers.told_of(scope=scope, claim_id=id) for id in claim_ids}
    if len(pairs) < len(lines) or any(decisions[pairs[line.position].claim_id] is None for line in lines):
        return Other(policy, policy.rank), _missing(
            f"The {word} payer has not decided about every service of this claim."
        )
    told = [one for id in claim_ids if (one := decisions[id]) is not None]
    same = len(claim_ids) == 1 and len(before) == len(lines)
    whole = len(told) == 1 and not told[0].services
    if not same and (whole or any(one.adjustments for one in told)):
        return Other(policy, policy.rank), Finding(
            "other-payer-whole", "error", "/lines", "2320 CAS",
            f"The {word} payer decided about its claim as a whole: make this one of the same services.",
        )  # fmt: skip
    if whole:
        return Other(policy, policy.rank, told[0]), None
    services = {}
    for line in lines:
        theirs = pairs[line.position]
        decided = decisions[theirs.claim_id]
        if decided is None or theirs.position not in decided.services:
            return Other(policy, policy.rank), _missing(
                f"The {word} payer has not decided about every service of this claim."
            )
        services[line.position] = decided.services[theirs.position]
    return Other(policy, policy.rank, _together(told, services), services), None


def _together(told: Sequence[Told], services: dict[int, tuple[ServiceDecided, Any]]) -> Told:
    """Return what counts for these services, where they may be some of one claim, or of several."""
    whole = tuple(one for each in told for one in each.adjustments)
    return Told(
        charge_cents=sum(service.charge_cents for service, _ in services.values()),
        paid_cents=sum(service.paid_cents for service, _ in services.values()) - sum(one.cents for one in whole),
        adjustments=whole,
        services=services,
        decided_on=max(one.decided_on for one in told),
        payer_claim_number=told[0].payer_claim_number if len(told) == 1 else "",
        remarks=tuple(dict.fromkeys(remark for one in told for remark in one.remarks))[:5],
        passed_on=any(one.passed_on for one in told),
    )


def _pair(lines: Sequence[ClaimLine], before: Sequence[ClaimLine]) -> dict[int, ClaimLine]:
    """Return position of a line -> the earlier payer's line for the same service of the same visit."""
    free = list(before)
    pairs = {}
    for line in lines:
        key = (line.appointment_id, line.service_code)
        same = next((one for one in free if (one.appointment_id, one.service_code) == key), None)
        if same is not None:
            pairs[line.position] = same
            free.remove(same)
    return pairs


def as_asked_before(
    *, scope: Scope, claim: Claim, appointment_ids: Sequence[UUID]
) -> list[ClaimLine] | None:
    """
    Return the services as the payer before was asked for them: codes, modifiers, units and charges.

    What two payers are told of one service must be the same, or the second cannot balance what the first
    decided. Diagnoses and place of the claim are made those of the earlier one.

    :return: the earlier payer's lines, in order; None: it was not asked for each of these visits
    """
    policies = [
        policy
        for policy in coverage.policies_on(scope=scope, patient_id=claim.patient_id, on=claim.service_from_on)
        if policy.payer.kind == PayerKind.INSURANCE
    ]
    earlier = [policy for policy in policies if ORDER.index(policy.rank) < ORDER.index(claim.rank)]
    if not earlier:
        return None
    before = payers.asked_before(
        scope=scope, policy_id=earlier[-1].id, appointment_ids=appointment_ids
    )
    if {line.appointment_id for line in before} != set(appointment_ids):
        return None
    return before
