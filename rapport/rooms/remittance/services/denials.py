"""What payers denied, as work: opened when it is posted, ended by a person or by the payer's next word."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from rapport.kernel.ids import new_uuid
from rapport.kernel.problems import StateConflict
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.db import rows
from rapport.platform.outbox.emit import emit, emit_all
from rapport.rooms.claims.queries.billed import appeal_days_of
from rapport.rooms.documents import services as documents
from rapport.rooms.remittance import events, queries
from rapport.rooms.remittance.models import Denial, RemittanceLine
from rapport.rooms.remittance.paper import appeal_pdf
from rapport.rooms.remittance.rules import carc
from rapport.rooms.remittance.rules.planning import NO_DECISION, REVIEW, denied_cents
from rapport.rooms.remittance.rules.policy import Policy

from .keeping import Loaded


def open_denials(*, scope: Scope, loaded: Iterable[Loaded], policy: Policy, now: datetime) -> None:
    """
    Put what was posted as denied or reduced on the work list.

    A service that was on it before its file was taken back is on it again, unless a person had ended it.
    """
    today = scope.day_of(now)
    denied = [
        (line, min(one.check.paid_on or today, today))
        for one in loaded
        if not one.check.posted_before
        for line in one.lines
        if is_denial(line)
    ]
    patience = appeal_days_of(scope=scope, claim_ids={line.claim_id for line, _ in denied if line.claim_id})
    made = []
    for line, decided_on in denied:
        assert line.claim_id is not None
        days = patience.get(line.claim_id, policy.appeal_days)
        made.append(_denial(scope, line, deadline_on=decided_on + timedelta(days=days), now=now))
    added = rows.add_new(made)
    again = [row.line_id for row in made if row.id not in added]
    if again:
        Denial.move(again, practice_id=scope.practice_id, source="withdrawn", to="open", at=now)
    emit_all(
        events.DENIAL_OPENED, scope=scope, object_type="denial", objects=[(id, 1) for id in sorted(added)], now=now
    )


def is_denial(line: RemittanceLine) -> bool:
    """Tell whether a person has to do something about a payer's decision on a service of ours."""
    return (
        line.claim_id is not None and line.patient_id is not None
        and line.status_code != "22" and line.status_code not in NO_DECISION
        and denied_cents(line.adjustments) > 0
    )  # fmt: skip


def _denial(scope: Scope, line: RemittanceLine, *, deadline_on: date, now: datetime) -> Denial:
    assert line.claim_id is not None
    assert line.patient_id is not None
    reasons = [one for one in line.adjustments if one["plan"] == REVIEW]
    return Denial(
        id=new_uuid(), practice_id=scope.practice_id, line_id=line.id, claim_id=line.claim_id,
        appointment_id=line.appointment_id, patient_id=line.patient_id,
        kind=carc.gravest([one["reason"] for one in reasons]).name,
        reasons=[f"{one['group']}-{one['reason']}"[:10] for one in reasons],
        cents=denied_cents(line.adjustments), deadline_on=deadline_on, state="open", resolution="", note="",
        letter_id=None, version=1, created_at=now, updated_at=now,
    )  # fmt: skip


def keep_standing(*, scope: Scope, denials: Sequence[Denial], stands: set[UUID], now: datetime) -> None:
    """
    Take denials off the list whose decision does not stand any more, and put back those whose decision does again.

    :param stands: the lines of decisions that stand, of the claims of these
    """
    fallen = [row.line_id for row in denials if row.state == "open" and row.line_id not in stands]
    Denial.move(fallen, practice_id=scope.practice_id, source="open", to="withdrawn", at=now)
    again = [row.line_id for row in denials if row.state == "withdrawn" and row.line_id in stands]
    Denial.move(again, practice_id=scope.practice_id, source="withdrawn", to="open", at=now)


def resolve(*, scope: Scope, denial_id: UUID, resolution: str, note: str, now: datetime) -> Denial:
    """
    End the work on a denial. Nothing is booked by it.

    :param resolution: one of `rules.denials.RESOLUTIONS`
    :raises StateConflict: it is not open
    """
    row = _held(scope, denial_id, "open")
    row.state, row.resolution, row.note = "resolved", resolution, note
    return _changed(scope, row, ["state", "resolution", "note"], events.DENIAL_RESOLVED, now=now)


def reopen(*, scope: Scope, denial_id: UUID, reason: str, now: datetime) -> Denial:
    """Take up the work on a denial again. :raises StateConflict: it is not resolved"""
    row = _held(scope, denial_id, "resolved")
    row.state, row.resolution, row.note = "open", "", reason
    scope.trail.reason = reason
    return _changed(scope, row, ["state", "resolution", "note"], events.DENIAL_OPENED, now=now)


def write_appeal(*, scope: Scope, denial_id: UUID, words: str, now: datetime) -> Denial:
    """
    Make the appeal letter of a denial and keep it with the patient's documents. Sending it is a person's.

    :param words: the practice's own reasons; empty: those that fit the class of the denial
    :raises StateConflict: it is not open
    """
    row = _held(scope, denial_id, "open")
    data = appeal_pdf(scope=scope, denial=row, words=words, today=scope.day_of(now))
    document = documents.store(
        scope=scope, patient_id=row.patient_id, kind="appeal_letter", data=data,
        content_type="application/pdf", now=now,
    )  # fmt: skip
    row.letter_id = document.id
    return _changed(scope, row, ["letter_id"], "", now=now)


def _held(scope: Scope, denial_id: UUID, state: str) -> Denial:
    scope.require(Permission.REMITTANCES_POST)
    row = queries.get_denial(scope=scope, denial_id=denial_id, lock=True)
    if row.state != state:
        raise StateConflict(f"A denial that is {row.state} cannot be changed so.", current_state=row.state)
    return row


def _changed(scope: Scope, row: Denial, fields: Sequence[str], event: str, *, now: datetime) -> Denial:
    row.version += 1
    row.updated_at = now
    row.save(update_fields=[*fields, "version", "updated_at"])
    scope.trail.changed = list(fields)
    scope.trail.target("denial", row.id, row.version)
    if event:
        emit(
            event, scope=scope, object_type="denial", object_id=row.id, version=row.version, now=now,
            changed=list(fields),
        )  # fmt: skip
    return row
