"""
Questions about the payers of a claim: what each decided, what should be asked of the next, and the story of it.

They take the scope first and change nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from rapport.kernel.problems import NotFound
from rapport.platform.access.scope import Scope
from rapport.platform.db.rows import by_id

from .models import (
    Acknowledgement,
    Claim,
    ClaimHistory,
    ClaimLine,
    Decision,
    Override,
    Proposal,
)
from .rules import story
from .rules.deciding import Decided, ServiceDecided, Source, Told, adjusted_of, standing, told
from .states import ClaimState


def asked_before(
    *, scope: Scope, policy_id: UUID, appointment_ids: Sequence[UUID]
) -> list[ClaimLine]:
    """
    Return the services of these visits that the payer of a policy is asked for now, by claim and position.

    What was withdrawn or replaced is left out, and so are claims that only ask for a withdrawal.
    """
    rows = ClaimLine.objects.visible_to(scope).filter(
        live=True, appointment_id__in=list(appointment_ids), claim__policy_id=policy_id
    )
    rows = rows.exclude(claim__frequency="void").select_related("claim")
    return list(rows.order_by("claim__created_at", "claim_id", "position"))


def asked_lines(*, scope: Scope, claim_id: UUID) -> list[ClaimLine]:
    """Return a claim's lines in order, each with its claim."""
    rows = ClaimLine.objects.visible_to(scope).filter(claim_id=claim_id).select_related("claim")
    return list(rows.order_by("position"))


def decisions_of(*, scope: Scope, claim_id: UUID) -> list[Decision]:
    """Return every decision about a claim in the order they were posted, taken back or not."""
    return list(Decision.objects.visible_to(scope).filter(claim_id=claim_id).order_by("number"))


def told_of(*, scope: Scope, claim_id: UUID) -> Told | None:
    """Return what counts of a claim's decisions; None: none stands."""
    rows = decisions_of(scope=scope, claim_id=claim_id)
    return told([decided(row) for row in rows if row.withdrawn_at is None])


def decided(row: Decision) -> Decided:
    """Return a decision as the rules know it."""
    return Decided(
        status_code=row.status_code, decided_on=row.decided_on, charge_cents=row.charge_cents,
        paid_cents=row.paid_cents, payer_claim_number=row.payer_claim_number,
        adjustments=adjusted_of(row.adjustments),
        services=tuple(
            ServiceDecided(
                line=one["line"], code=one["code"], modifiers=tuple(one["modifiers"]),
                charge_cents=one["charge_cents"], paid_cents=one["paid_cents"], units=one["units"],
                adjustments=adjusted_of(one["adjustments"]),
            )
            for one in row.services
        ),
        source=Source(row.remittance_id, row.era_file_id, row.segment),
        remarks=tuple(row.remarks), crossover=row.crossover, awaits_next=row.awaits_next,
    )  # fmt: skip


def standing_of(*, scope: Scope, claim_id: UUID) -> list[Decided]:
    """Return the decisions about a claim that count, in their order."""
    rows = decisions_of(scope=scope, claim_id=claim_id)
    return standing([decided(row) for row in rows if row.withdrawn_at is None])


def standing_words(*, scope: Scope, claim_id: UUID) -> list[Decision]:
    """Return the decisions and reversals about a claim whose file was not taken back, in their order."""
    return [row for row in decisions_of(scope=scope, claim_id=claim_id) if row.withdrawn_at is None]


def get_proposal(*, scope: Scope, proposal_id: UUID, lock: bool = False) -> Proposal:
    """Return a proposal of a patient the actor may see. :raises NotFound: there is none"""
    row = by_id(Proposal, scope=scope, id=proposal_id, lock=lock)
    if row is None:
        raise NotFound(_sought=[("claim_proposal", proposal_id)])
    scope.trail.patient_ids.add(row.patient_id)
    scope.trail.target("claim_proposal", row.id, row.version)
    return row


def proposals_of(*, scope: Scope, proposal_ids: Sequence[UUID]) -> list[Proposal]:
    """Return proposals in the order of their ids, with claim and policy; those not the actor's to see are left out."""
    rows = Proposal.objects.visible_to(scope).filter(id__in=list(proposal_ids))
    found = {row.id: row for row in rows.select_related("claim", "policy")}
    scope.trail.patient_ids.update(row.patient_id for row in found.values())
    return [found[id] for id in proposal_ids if id in found]


def successor_of(*, scope: Scope, claim_id: UUID) -> Claim | None:
    """Return the claim that replaces or voids another one and was not withdrawn, if there is one."""
    row: Claim | None = (
        Claim.objects.visible_to(scope)
        .filter(original_id=claim_id)
        .exclude(state=ClaimState.VOIDED)
        .order_by("-created_at")
        .first()
    )
    return row


def story_of(*, scope: Scope, claim: Claim) -> list[story.Happening]:
    """Return what happened to a claim, in order, as sentences."""
    mine = {"claim_id": claim.id}
    return story.tell(
        claim=claim,
        moves=ClaimHistory.objects.visible_to(scope).filter(**mine).order_by("at", "id"),
        answers=Acknowledgement.objects.visible_to(scope).filter(**mine).order_by("received_at", "id"),
        decisions=[(row, decided(row)) for row in decisions_of(scope=scope, claim_id=claim.id)],
        proposals=Proposal.objects.visible_to(scope).filter(**mine).order_by("created_at", "id"),
        overrides=Override.objects.visible_to(scope).filter(**mine).order_by("at"),
    )


def overridden_of(*, scope: Scope, claim_ids: Sequence[UUID]) -> set[tuple[UUID, str]]:
    """Return (claim, finding) of each finding that somebody answers for."""
    rows = Override.objects.visible_to(scope).filter(claim_id__any_of=claim_ids)
    return set(rows.values_list("claim_id", "code"))


def overridden(*, scope: Scope, claim_id: UUID) -> dict[str, Override]:
    """Return finding -> who answers for it, of a claim."""
    rows = Override.objects.visible_to(scope).filter(claim_id=claim_id)
    return {row.code: row for row in rows}
