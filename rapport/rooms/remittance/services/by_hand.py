"""What people do with services that no rule could place: match them, set them aside, say what becomes of a reason."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from rapport.kernel.problems import Conflict, FieldError, Invalid, StateConflict
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.api.shapes import instant
from rapport.platform.outbox.emit import emit
from rapport.rooms.claims import queries as claims
from rapport.rooms.claims import services as claim_services
from rapport.rooms.ledger import services as ledger
from rapport.rooms.ledger.rules import entries as book
from rapport.rooms.remittance import events, queries
from rapport.rooms.remittance.models import EraFile, RemittanceLine
from rapport.rooms.remittance.rules.planning import ALLOWED

from . import booking
from .judging import judge, policy_of
from .keeping import Loaded
from .posting import decision, one_at_a_time, save_lines
from .receiving import judge_again
from .work_lists import note_posted


class AlreadyDecided(Conflict):
    code = "already-decided"
    title = "A payer has decided this service, and that was posted."


def assign(
    *, scope: Scope, line_id: UUID, claim_id: UUID, claim_line: int | None, reason: str, now: datetime
) -> RemittanceLine:
    """
    Say which service of ours a payer's decision is about.

    Of a posted file its money leaves the payer's clearing account by entries of its own, and is booked with the
    service; of a file that waits, it may now post itself.

    :param claim_line: position of the claim's service; None: the only one, or the only one with that code and charge
    :raises StateConflict: it is matched already, or its file is held
    :raises AlreadyDecided: a decision about that service stands
    """
    file, line = _held(scope, line_id)
    if line.claim_id is not None and line.appointment_id is not None:
        raise StateConflict("It is matched. Take its file back to match it anew.", current_state="matched")
    claim = claims.refer_to_claim(scope=scope, claim_id=claim_id, pointer="/claim_id")
    facts = claims.facts_of(scope=scope, claims=[claim])[claim.id]
    ours = _service(facts, line, claim_line)
    line.claim_id = facts.meant(reversal=line.status_code == "22")
    line.patient_id, line.appointment_id = claim.patient_id, ours.appointment_id
    line.claim_line = ours.position if line.position else 0
    line.matched_by, line.set_aside = "by_hand", False
    _note(scope, line, "assigned", reason, now=now)
    if file.state == "posted":
        _book(scope, file, line, now=now)
    else:
        judge_again(scope=scope, file=file, now=now)
    return _told(scope, file, line, now=now)


def _service(facts: claims.ClaimFacts, line: RemittanceLine, wanted: int | None) -> claims.LineFacts:
    """Return the claim's service that is meant. :raises Invalid: none, or it is not clear which"""
    found = [one for one in facts.lines if wanted in (None, one.position)]
    if len(found) > 1:
        found = [
            one for one in found
            if one.service_code == line.service_code and one.charge_cents == abs(line.charge_cents)
        ]  # fmt: skip
    if len(found) != 1:
        raise Invalid("1 field is not valid.", errors=(FieldError("/claim_line", "required" if wanted is None else "unknown"),))
    return found[0]


def _book(scope: Scope, file: EraFile, line: RemittanceLine, *, now: datetime) -> None:
    """Book a service of a posted file that was matched since: out of clearing, and as every other."""
    one = Loaded(line.remittance, [line])
    policy = policy_of(scope=scope)
    stops = {stop.rule for stop in judge(scope=scope, loaded=[one], policy=policy, today=scope.day_of(now), posted=True).stops}
    if "paid-before" in stops:
        raise AlreadyDecided("Look at its claim, and set this one aside or ask the payer.")
    day, turn = scope.day_of(now), f"{file.postings}.{len(line.by_hand)}"
    entries = list(booking.of_line(line, day=day, turn=turn))
    if line.paid_cents:
        source = book.Source("remittance_line", line.id, booking.named("cleared", turn=turn))
        entries.insert(0, book.payer_level(source, day, cents=-line.paid_cents, reason=booking.UNMATCHED))
    line.ledger_entry_ids = [*line.ledger_entry_ids, *ledger.post_many(scope=scope, entries=entries, now=now)]
    save_lines(scope=scope, lines=[line])
    said = decision(check=line.remittance, lines=[line], day=day)
    claim_services.record_decisions(scope=scope, decisions=list(said), now=now)
    note_posted(scope=scope, loaded=[one], policy=policy, now=now)


def set_aside(*, scope: Scope, line_id: UUID, reason: str, now: datetime) -> RemittanceLine:
    """
    Take a service that nobody knows off the work list. Its money stays in the payer's clearing account.

    :raises StateConflict: it is matched, or set aside already
    """
    file, line = _held(scope, line_id)
    if line.set_aside or (line.claim_id is not None and line.appointment_id is not None):
        raise StateConflict("Only what nobody knows is set aside.", current_state="set_aside" if line.set_aside else "matched")
    line.set_aside = True
    _note(scope, line, "set_aside", reason, now=now)
    if file.state != "posted":
        judge_again(scope=scope, file=file, now=now)
    return _told(scope, file, line, now=now)


def take_up(*, scope: Scope, line_id: UUID, reason: str, now: datetime) -> RemittanceLine:
    """Put what was set aside on the work list again. :raises StateConflict: it is not set aside"""
    file, line = _held(scope, line_id)
    if not line.set_aside:
        raise StateConflict("It is not set aside.", current_state="open")
    line.set_aside = False
    _note(scope, line, "taken_up", reason, now=now)
    return _told(scope, file, line, now=now)


def correct(
    *, scope: Scope, line_id: UUID, plans: Sequence[Any], reason: str, now: datetime
) -> RemittanceLine:
    """
    Say what becomes of single adjustments of a service, before it is posted. The payer's amounts stay as they are.

    :param plans: [(adjustment: its place from 0, plan)]
    :raises StateConflict: its file is posted: take that back first
    :raises Invalid: no such adjustment, or a plan that its group may not have
    """
    file, line = _held(scope, line_id)
    if file.state == "posted":
        raise StateConflict("Take its file back first.", current_state=file.state)
    for place, one in enumerate(plans):
        if one.adjustment >= len(line.adjustments):
            raise Invalid("1 field is not valid.", errors=(FieldError(f"/adjustments/{place}/adjustment", "unknown"),))
        adjustment = line.adjustments[one.adjustment]
        if one.plan not in ALLOWED.get(adjustment["group"], frozenset()):
            raise Invalid("1 field is not valid.", errors=(FieldError(f"/adjustments/{place}/plan", "not-allowed-for-group"),))
        line.adjustments[one.adjustment] = {**adjustment, "plan": one.plan, "rule": "by_hand"}
    _note(scope, line, "corrected", reason, now=now)
    save_lines(scope=scope, lines=[line])
    judge_again(scope=scope, file=file, now=now)
    return _told(scope, file, line, now=now)


def _held(scope: Scope, line_id: UUID) -> tuple[EraFile, RemittanceLine]:
    """Return a service and its file, held; nobody posts meanwhile."""
    scope.require(Permission.REMITTANCES_POST)
    line = queries.get_line(scope=scope, line_id=line_id)
    file = queries.get_era_file(scope=scope, era_file_id=line.remittance.era_file_id, lock=True)
    one_at_a_time(scope=scope)
    line = queries.get_line(scope=scope, line_id=line_id)
    if file.state == "held":
        raise StateConflict("Its file is held: see its findings.", current_state="held")
    if line.remittance.posted_before:
        raise StateConflict("It stands posted from another file: work on it there.", current_state="posted_before")
    return file, line


def _note(scope: Scope, line: RemittanceLine, act: str, reason: str, *, now: datetime) -> None:
    """Write down who did what to a service and why."""
    line.by_hand = [*line.by_hand, {"act": act, "by": str(scope.actor_id), "at": instant(now), "reason": reason}]
    line.save(
        update_fields=[
            "claim_id", "claim_line", "patient_id", "appointment_id", "matched_by", "set_aside", "by_hand",
        ]
    )  # fmt: skip
    scope.trail.reason = reason


def _told(scope: Scope, file: EraFile, line: RemittanceLine, *, now: datetime) -> RemittanceLine:
    scope.trail.target("remittance_line", line.id)
    if line.patient_id:
        scope.trail.patient_ids.add(line.patient_id)
    file.version += 1
    file.updated_at = now
    file.save(update_fields=["version", "updated_at"])
    emit(
        events.LINE_WORKED_ON, scope=scope, object_type="era_file", object_id=file.id, version=file.version, now=now,
        changed=["remittances"],
    )  # fmt: skip
    return queries.get_line(scope=scope, line_id=line.id)
