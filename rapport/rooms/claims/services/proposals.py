"""
What should be asked of a further payer once one has decided: proposed, and sent after a person's word.

What a payer leaves to the patient waits while a further one may pay it. A proposal that is accepted
becomes a claim; one that is dismissed moves what waits to the patient; one whose decision is taken back
is withdrawn, with all that its dismissal moved.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from rapport.kernel.ids import type_id
from rapport.kernel.problems import Problem, StateConflict
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.api import etags
from rapport.platform.tenancy import queries as tenancy
from rapport.protocols.x12.claim837p import Claim as Record
from rapport.rooms.claims import events, payers, queries
from rapport.rooms.claims.models import Claim, Proposal
from rapport.rooms.claims.rules.deciding import owed
from rapport.rooms.claims.states import MAY_HOLD
from rapport.rooms.coverage import queries as coverage
from rapport.rooms.ledger import services as ledger
from rapport.rooms.ledger.rules import entries as book

from .assembly import create_claim, submit_claim
from .freezing import record_of
from .judging import build_record
from .settling import settle, tell


@dataclass(frozen=True, slots=True)
class Wanted:
    """What `create_claim` is asked for, as a request would ask."""

    appointment_ids: list[str]
    policy_id: str
    frequency: str
    original_claim_id: str | None
    channel_id: str | None
    format: str = "837p"


def propose(*, scope: Scope, claim: Claim, denied: bool, now: datetime) -> Proposal | None:
    """
    Propose what follows from a decision about a claim, and do it where the practice wants it so.

    :param denied: nothing was paid, and nothing left to the patient
    :return: None when nothing follows: no further payer, nothing left to ask it for, or the payer has
        passed the claim on itself
    """
    policy_id = coverage.next_policy_id(
        scope=scope, patient_id=claim.patient_id, rank=claim.rank, on=claim.service_from_on
    )
    if policy_id is None or claim.frequency == "void":
        return None
    told = payers.told_of(scope=scope, claim_id=claim.id)
    if told is None or told.passed_on:
        return None
    known: Proposal | None = (
        Proposal.objects.visible_to(scope)
        .filter(claim_id=claim.id, policy_id=policy_id, state="open")
        .first()
    )
    if known is not None:  # of another part of a divided decision
        known.left_cents, known.denied = max(0, told.left_to_patient_cents), denied and known.denied
        known.save(update_fields=["left_cents", "denied"])
        return known
    further = _asked(scope, claim, policy_id)
    if further is not None:
        if further.state not in MAY_HOLD or not _stale(scope, further):
            return None
    elif told.left_to_patient_cents <= 0 and not denied:
        return None
    row = Proposal.objects.create(
        practice_id=scope.practice_id, patient_id=claim.patient_id, claim=claim, policy_id=policy_id,
        kind="replace" if further else "next_payer", left_cents=max(0, told.left_to_patient_cents),
        denied=denied, created_at=now, updated_at=now,
    )  # fmt: skip
    tell(scope=scope, row=row, event=events.PROPOSAL_MADE, now=now)
    if row.kind == "next_payer" and tenancy.get_practice(scope=scope).sends_to_next_payer:
        _send(scope, row, now=now)
    return row


def _asked(scope: Scope, claim: Claim, policy_id: UUID) -> Claim | None:
    """Return the claim that asks the payer of a policy for a claim's services, if there is one."""
    visits = [line.appointment_id for line in queries.lines_of(scope=scope, claim_id=claim.id)]
    lines = payers.asked_before(scope=scope, policy_id=policy_id, appointment_ids=visits)
    return lines[-1].claim if lines else None


def _stale(scope: Scope, further: Claim) -> bool:
    """Tell whether a claim told its payer something of payers before it that no longer stands."""
    files = queries.submissions_of(scope=scope, claim_id=further.id)
    if not files:
        return False
    return _said(record_of(files[-1].row)) != _said(build_record(scope=scope, claim=further))


def _said(record: Record) -> tuple[object, ...]:
    decided = tuple(other for other in record.others if other.paid is not None)
    return decided, tuple(line.adjudications for line in record.lines)


def _send(scope: Scope, row: Proposal, *, now: datetime) -> None:
    """Make and send the claim; where anything stands against it, the proposal waits for a person."""
    try:
        with transaction.atomic():
            claim = _accept(scope, row, channel_id=None, now=now)
            submit_claim(scope=scope, claim_id=claim.id, if_match=etags.of(claim.id, claim.version), now=now)
    except Problem:
        row.refresh_from_db()


def accept_proposal(
    *, scope: Scope, proposal_id: UUID, channel_id: str | None, if_match: str, now: datetime
) -> Proposal:
    """
    Make the claim that is proposed. It is sent when it is submitted, as every claim.

    :raises StateConflict: the proposal is settled, or the claim to replace is not decided
    :raises DuplicateClaim: a claim to that payer was made by hand
    """
    scope.require(Permission.CLAIMS_WRITE)
    row = _open(scope, proposal_id, if_match)
    _accept(scope, row, channel_id=channel_id, now=now)
    return row


def _accept(scope: Scope, row: Proposal, *, channel_id: str | None, now: datetime) -> Claim:
    claim = queries.get_claim(scope=scope, claim_id=row.claim_id)
    original = _asked(scope, claim, row.policy_id) if row.kind == "replace" else None
    lines = queries.lines_of(scope=scope, claim_id=claim.id)
    made = create_claim(
        scope=scope, now=now,
        body=Wanted(
            appointment_ids=[type_id("appointment", line.appointment_id) for line in lines],
            policy_id=type_id("insurance_policy", row.policy_id),
            frequency="replacement" if original else "original",
            original_claim_id=type_id("claim", original.id) if original else None,
            channel_id=channel_id,
        ),
    )  # fmt: skip
    row.made = made
    settle(scope=scope, row=row, state="accepted", now=now)
    return made


def dismiss_proposal(
    *, scope: Scope, proposal_id: UUID, reason: str, if_match: str, now: datetime
) -> Proposal:
    """
    Leave the further payer unasked: what waited for it is the patient's to pay.

    :raises StateConflict: the proposal is settled
    """
    scope.require(Permission.CLAIMS_WRITE)
    row = _open(scope, proposal_id, if_match)
    row.reason = reason
    if row.kind == "next_payer":
        row.moved_entry_ids = _move_to_patient(scope, row, now=now)
    settle(scope=scope, row=row, state="dismissed", now=now)
    scope.trail.reason = reason
    return row


def _move_to_patient(scope: Scope, row: Proposal, *, now: datetime) -> list[UUID]:
    """Move what a payer left, and what waited for the further one, to the patient; return the entries."""
    lines = queries.lines_of(scope=scope, claim_id=row.claim_id)
    by_position = {line.position: line for line in lines}
    waiting: dict[UUID, int] = {}
    for decision in payers.standing_of(scope=scope, claim_id=row.claim_id):
        if not decision.awaits_next:
            continue
        parts = [(by_position.get(one.line, lines[0]), owed(one.adjustments)) for one in decision.services]
        for line, cents in [*parts, (lines[0], owed(decision.adjustments))]:
            waiting[line.id] = waiting.get(line.id, 0) + cents
    entries = []
    for line in lines:
        if cents := waiting.get(line.id, 0):
            about = book.About(
                row.patient_id, line.appointment_id, claim_id=row.claim_id, service_on=line.service_on
            )
            source = book.Source("claim_proposal", row.id, f"line-{line.position}")
            entry = book.transfer_to_patient(
                source, scope.day_of(now), about, cents=cents, reason="no-further-payer"
            )
            entries.append(ledger.post(scope=scope, entry=entry, now=now).entry_id)
    return entries


def _open(scope: Scope, proposal_id: UUID, if_match: str) -> Proposal:
    row = payers.get_proposal(scope=scope, proposal_id=proposal_id, lock=True)
    etags.check(row, if_match)
    if row.state != "open":
        raise StateConflict(f"The proposal is {row.state} already.", current_state=row.state)
    return row
