"""What payers allowed below their contracts, as work: opened when it is posted, ended by a person or by the payer's next word."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from rapport.kernel.ids import new_uuid
from rapport.kernel.problems import FieldError, Invalid, StateConflict
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.db import rows, sql
from rapport.platform.outbox.emit import emit, emit_all
from rapport.rooms.claims.queries.billed import BilledService, appeal_days_of
from rapport.rooms.coverage import queries as coverage
from rapport.rooms.documents import services as documents
from rapport.rooms.remittance import events, queries
from rapport.rooms.remittance.models import RemittanceLine, Underpayment
from rapport.rooms.remittance.paper import underpayment_pdf
from rapport.rooms.remittance.rules.policy import Policy
from rapport.rooms.remittance.rules.underpayments import LIVE, MOVES, Compared, Tolerance, beyond

from .comparing import compare
from .keeping import Loaded


def open_underpayments(*, scope: Scope, loaded: Iterable[Loaded], policy: Policy, now: datetime) -> int:
    """
    Put on the work list what was posted below its payer's contract, and note what was posted above.

    What was on it before its file was taken back is where it was, unless the contract says otherwise by now.

    :return: how many are new
    """
    if not coverage.payers_with_contract(scope=scope):
        return 0
    counted = [one for one in loaded if not one.check.posted_before]
    tolerance = Tolerance(policy.tolerance_cents, policy.tolerance_percent)
    compared = compare(scope=scope, lines=[line for one in counted for line in one.lines])
    apart = [
        (one.check, line, *compared[line.id])
        for one in counted
        for line in one.lines
        if beyond(compared[line.id][0], tolerance=tolerance)
    ]
    if not apart:
        return 0
    patience = appeal_days_of(scope=scope, claim_ids={line.claim_id for _, line, _, _ in apart if line.claim_id})
    made = []
    for check, line, how, billed in apart:
        assert line.claim_id is not None
        assert billed is not None
        wait = timedelta(days=patience.get(line.claim_id, policy.appeal_days))
        decided_on = queries.decided_on(scope=scope, check=check)
        made.append(_underpayment(scope, line, how, billed, decided_on=decided_on, wait=wait, now=now))
    added = rows.add_new(made)
    _again(scope, [row for row in made if row.id not in added], now=now)
    emit_all(
        events.UNDERPAYMENT_OPENED, scope=scope, object_type="underpayment", now=now,
        objects=[(row.id, 1) for row in made if row.id in added and row.state == "open"],
    )  # fmt: skip
    return len(added)


def _underpayment(
    scope: Scope, line: RemittanceLine, how: Compared, billed: BilledService, *, decided_on: date, wait: timedelta,
    now: datetime,
) -> Underpayment:  # fmt: skip
    assert line.claim_id is not None
    assert line.patient_id is not None
    return Underpayment(
        id=new_uuid(), practice_id=scope.practice_id, line_id=line.id, claim_id=line.claim_id,
        appointment_id=line.appointment_id, patient_id=line.patient_id, payer_id=billed.payer_id,
        service_code=billed.service_code, units=billed.units, expected_cents=how.expected_cents,
        allowed_cents=how.allowed_cents, stated=how.stated, rule=how.rule[:120], decided_on=decided_on,
        deadline_on=decided_on + wait, state="open" if how.difference_cents > 0 else "noted", state_before="",
        recovered_cents=None, note="", letter_id=None, version=1, created_at=now, updated_at=now,
    )  # fmt: skip


_AGAIN = """
UPDATE remittance_underpayment u SET
    expected_cents = n.expected_cents, allowed_cents = n.allowed_cents, stated = n.stated, rule = n.rule,
    decided_on = n.decided_on, deadline_on = n.deadline_on,
    state = CASE WHEN u.state_before IN ('', 'open', 'noted') THEN n.state ELSE u.state_before END,
    state_before = '', updated_at = %s, version = u.version + 1
FROM json_to_recordset(%s::json) n (line_id uuid, expected_cents bigint, allowed_cents bigint, stated boolean, rule text,
    decided_on date, deadline_on date, state text)
WHERE u.practice_id = %s AND u.line_id = n.line_id AND u.state = 'withdrawn'
"""


def _again(scope: Scope, made: Sequence[Underpayment], *, now: datetime) -> None:
    """Let what was withdrawn with its file stand again, as it was worked on; the amounts are those found now."""
    if not made:
        return
    said = [
        {
            "line_id": str(row.line_id), "expected_cents": row.expected_cents, "allowed_cents": row.allowed_cents,
            "stated": row.stated, "rule": row.rule, "decided_on": row.decided_on.isoformat(),
            "deadline_on": row.deadline_on.isoformat(), "state": row.state,
        }
        for row in made
    ]  # fmt: skip
    sql.run(_AGAIN, (now, json.dumps(said), scope.practice_id))


def keep_standing(*, scope: Scope, underpayments: Sequence[Underpayment], stands: set[UUID], now: datetime) -> None:
    """
    Withdraw those whose decision does not stand any more, and let those stand again whose decision does again.

    :param stands: the lines of decisions that stand, of the claims of these
    """
    for state in LIVE:
        fallen = [row.id for row in underpayments if row.state == state and row.line_id not in stands]
        again = [
            row.id for row in underpayments
            if (row.state, row.state_before) == ("withdrawn", state) and row.line_id in stands
        ]  # fmt: skip
        Underpayment.move(fallen, practice_id=scope.practice_id, source=state, to="withdrawn", at=now)
        Underpayment.move(again, practice_id=scope.practice_id, source="withdrawn", to=state, at=now)


def settle_underpayment(
    *, scope: Scope, underpayment_id: UUID, to: str, note: str, recovered_cents: int | None, now: datetime
) -> Underpayment:
    """
    Say what became of an underpayment. Books nothing: money that comes in after all comes with a remittance.

    :param to: a state of `rules.underpayments.MOVES`
    :param recovered_cents: what came in, where it was recovered; otherwise None
    :raises Invalid: the amount is missing, is more than the difference, or is not for that state
    :raises StateConflict: it is in no state that leads there
    """
    scope.require(Permission.REMITTANCES_POST)
    if (to == "recovered") != (recovered_cents is not None):
        code = "required" if to == "recovered" else "not-allowed"
        raise Invalid("1 field is not valid.", errors=(FieldError("/recovered", code),))
    row = queries.get_underpayment(scope=scope, underpayment_id=underpayment_id, lock=True)
    if row.state not in MOVES[to]:
        raise StateConflict(f"An underpayment that is {row.state} cannot become {to}.", current_state=row.state)
    most = row.expected_cents - row.allowed_cents
    if recovered_cents is not None and recovered_cents > most:
        fault = FieldError("/recovered/amount", "too-large", f"At most {most} cents: what is missing of the contract.")
        raise Invalid("1 field is not valid.", errors=(fault,))
    row.state, row.note, row.recovered_cents = to, note, recovered_cents
    return _changed(scope, row, ["state", "note", "recovered_cents"], now=now)


def write_dispute(*, scope: Scope, underpayment_id: UUID, words: str, now: datetime) -> Underpayment:
    """
    Make the letter that disputes an underpayment and keep it with the patient's documents. Sending it is a person's.

    :param words: the practice's own reasons; empty: that the contract says otherwise
    :raises StateConflict: it is neither open nor disputed
    """
    scope.require(Permission.REMITTANCES_POST)
    row = queries.get_underpayment(scope=scope, underpayment_id=underpayment_id, lock=True)
    if row.state not in ("open", "disputed"):
        raise StateConflict(f"An underpayment that is {row.state} is not disputed.", current_state=row.state)
    data = underpayment_pdf(scope=scope, underpayment=row, words=words, today=scope.day_of(now))
    document = documents.store(
        scope=scope, patient_id=row.patient_id, kind="appeal_letter", data=data,
        content_type="application/pdf", now=now,
    )  # fmt: skip
    row.letter_id = document.id
    return _changed(scope, row, ["letter_id"], now=now)


def _changed(scope: Scope, row: Underpayment, fields: Sequence[str], *, now: datetime) -> Underpayment:
    row.version += 1
    row.updated_at = now
    row.save(update_fields=[*fields, "version", "updated_at"])
    scope.trail.changed = list(fields)
    scope.trail.target("underpayment", row.id, row.version)
    emit(
        events.UNDERPAYMENT_UPDATED, scope=scope, object_type="underpayment", object_id=row.id, version=row.version,
        now=now, changed=list(fields),
    )  # fmt: skip
    return row
