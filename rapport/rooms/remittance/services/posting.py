"""What a file says, posted once, and taken back exactly."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from django.db import transaction

from rapport.kernel.problems import Conflict, StateConflict
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.db import rows, sql
from rapport.platform.db.crashpoints import Crashpoint, crashpoint
from rapport.platform.outbox.emit import emit
from rapport.rooms.claims import services as claim_services
from rapport.rooms.ledger import queries as entries
from rapport.rooms.ledger import services as ledger
from rapport.rooms.ledger.rules import entries as book
from rapport.rooms.remittance import events, queries
from rapport.rooms.remittance.models import EraFile, Remittance, RemittanceLine
from rapport.rooms.remittance.rules.planning import NO_DECISION, is_denied
from rapport.rooms.remittance.rules.policy import Policy

from . import booking
from .judging import claims_in, judge, policy_of
from .keeping import Loaded, load
from .reading import content, faulty, holds
from .telling import words_of
from .work_lists import keep_standing, note_posted

CLAIMS_AT_ONCE = 1000
"""How many claims' entries go to the ledger together."""


class RemittanceHeld(Conflict):
    code = "remittance-held"
    title = "The remittance does not balance, or is not this practice's; nothing was posted."


def post_file(*, scope: Scope, era_file_id: UUID, now: datetime) -> EraFile:
    """
    Post what a file says. A check that stands posted, from this file or another, is not posted again.

    Services that nobody knows are booked against the payer's clearing account, never dropped.

    A file that was taken back can be posted again, and one that was held because the practice's own
    NPI was wrong can be posted once that is right.

    :raises RemittanceHeld: it does not balance, or is not this practice's
    :raises StateConflict: a claim it speaks of is in a state that no payer decides in
    """
    scope.require(Permission.REMITTANCES_POST)
    file = queries.get_era_file(scope=scope, era_file_id=era_file_id, lock=True)
    if file.state == "held" and _still_held(scope, file):
        raise RemittanceHeld(
            "Look at its findings, and ask the payer for a right one.", findings=file.findings[:20]
        )
    if file.state != "posted":
        one_at_a_time(scope=scope)
        loaded = load(scope=scope, file=file)
        for one in loaded:
            note_copy(scope=scope, one=one)
        policy = policy_of(scope=scope)
        judge(scope=scope, loaded=loaded, policy=policy, today=scope.day_of(now))
        post_rows(scope=scope, file=file, loaded=loaded, policy=policy, now=now)
    scope.trail.target("era_file", file.id, file.version)
    return file


def _still_held(scope: Scope, file: EraFile) -> bool:
    """Read a held file again: the practice may have put its NPI right since."""
    _, checks, findings = content(queries.bytes_of(file=file))
    return faulty([*findings, *holds(scope=scope, checks=checks)])


@transaction.atomic
def post_rows(
    *, scope: Scope, file: EraFile, loaded: Sequence[Loaded], policy: Policy, now: datetime
) -> None:
    """
    Post every check of a file that was judged, all of it or nothing.

    The caller holds the practice's turn (`one_at_a_time`) since before it judged.
    """
    file.postings += 1
    # Entries count from the day they are posted, in the practice's zone; the payer's date is kept
    # on the remittance. A check dated tomorrow would else be invisible in today's balance.
    day = scope.day_of(now)
    for one in loaded:
        if one.check.posted_before:
            continue
        for part in rows.ahead(_parts(one, day=day, turn=file.postings)):
            entries = [entry for own in part.entries for entry in own]
            posted = iter(ledger.post_many(scope=scope, entries=entries, now=now))
            for line, own in zip(part.lines, part.entries, strict=True):
                line.ledger_entry_ids = [next(posted) for _ in own]
            write(scope=scope, one=one, lines=part.lines)
            claim_services.record_decisions(scope=scope, decisions=part.decisions, now=now)
            crashpoint(Crashpoint.REMITTANCE_CLAIMS_POSTED)
        one.written = True
        ledger.post_many(
            scope=scope, entries=list(booking.of_check(one.check, day=day, turn=file.postings)), now=now
        )
    _set_state(file, "posted", now)
    lines = [line for one in loaded if not one.check.posted_before for line in one.lines]
    turned = claims_in(line for line in lines if line.status_code == "22")
    # What was decided anew may have come, and been posted, before the reversal of what was decided first.
    turned -= claims_in(line for line in lines if line.status_code not in ("22", *NO_DECISION))
    _claims_as_they_stand(scope, turned, detail="835:22", now=now)
    note_posted(scope=scope, loaded=loaded, policy=policy, now=now)
    tell(scope=scope, file=file, event=events.ERA_POSTED, now=now)


class _Part(NamedTuple):
    """Some claims of a check, with all that is made of them before the database is asked."""

    lines: list[RemittanceLine]
    entries: list[list[book.NewEntry]]
    """Of each line."""
    decisions: list[claim_services.Decision]


def _parts(one: Loaded, *, day: date, turn: int) -> Iterable[_Part]:
    by_claim = _by_claim(one.lines)
    for start in range(0, len(by_claim), CLAIMS_AT_ONCE):
        claims = by_claim[start : start + CLAIMS_AT_ONCE]
        lines = [line for claim in claims for line in claim]
        yield _Part(
            lines,
            [list(booking.of_line(line, day=day, turn=turn)) for line in lines],
            [said for claim in claims for said in decision(check=one.check, lines=claim, day=day)],
        )


def _by_claim(lines: Iterable[RemittanceLine]) -> list[list[RemittanceLine]]:
    """Return a check's services by the claim payment they stand in."""
    found: dict[int, list[RemittanceLine]] = {}
    for line in lines:
        found.setdefault(line.claim_position, []).append(line)
    return list(found.values())


def decision(
    *, check: Remittance, lines: Sequence[RemittanceLine], day: date
) -> Iterable[claim_services.Decision]:
    """Yield what one claim payment says of its claim, if it is ours and something was decided."""
    first = lines[0]
    if first.claim_id is None or first.status_code in NO_DECISION:
        return
    yield claim_services.Decision(
        claim_id=first.claim_id,
        detail=f"835:{first.status_code}",
        denied=denied(lines),
        payer_claim_number=first.payer_claim_number,
        reversal=first.status_code == "22",
        words=words_of(check=check, lines=lines, day=day),
    )


def denied(lines: Sequence[RemittanceLine]) -> bool:
    """Tell whether the services of a claim were denied, as a whole."""
    return is_denied(
        paid_cents=sum(line.paid_cents for line in lines),
        adjustments=[one for line in lines for one in line.adjustments],
    )


_SAVE = """
UPDATE remittance_remittanceline l SET adjustments = n.adjustments, ledger_entry_ids = n.entries
FROM json_to_recordset(%s::json) n (id uuid, adjustments jsonb, entries uuid[])
WHERE l.practice_id = %s AND l.id = n.id
"""


def write(*, scope: Scope, one: Loaded, lines: Sequence[RemittanceLine]) -> None:
    """Write services of a check down: as new, or their plans and entries."""
    if one.written:
        save_lines(scope=scope, lines=lines)
    else:
        rows.add_many(lines)


def save_lines(*, scope: Scope, lines: Sequence[RemittanceLine]) -> None:
    """Write down the plans and entries of services, all at once."""
    said = [
        {"id": str(line.id), "adjustments": line.adjustments, "entries": [str(id) for id in line.ledger_entry_ids]}
        for line in lines
    ]  # fmt: skip
    sql.run(_SAVE, (json.dumps(said), scope.practice_id))


def one_at_a_time(*, scope: Scope) -> None:
    """
    Let one file of the practice be read or posted at a time, until the transaction ends.

    Two files can say the same thing of the same service: each looks for what the other posted.
    """
    sql.hold(f"{scope.practice_id}|era")


def note_copy(*, scope: Scope, one: Loaded) -> None:
    """Note whether a check stands posted already, so that it is shown, and not posted again."""
    posted = queries.stands_posted(scope=scope, check=one.check, lines=one.lines)
    if posted != one.check.posted_before:
        one.check.posted_before = posted
        one.check.save(update_fields=["posted_before"])


def unpost_file(*, scope: Scope, era_file_id: UUID, reason: str, now: datetime) -> EraFile:
    """
    Take back exactly what a file posted, by entries that reverse each of it.

    :raises StateConflict: it is not posted, or another file has taken back (22) what it decided
    """
    scope.require(Permission.REMITTANCES_POST)
    file = queries.get_era_file(scope=scope, era_file_id=era_file_id, lock=True)
    if file.state != "posted":
        raise StateConflict(
            f"A file that is {file.state} cannot be taken back.", current_state=file.state
        )
    one_at_a_time(scope=scope)
    loaded = [one for one in load(scope=scope, file=file) if not one.check.posted_before]
    lines = [line for one in loaded for line in one.lines]
    claim_ids = claims_in(lines)
    alone = queries.left_alone(scope=scope, claim_ids=claim_ids)
    ledger.reverse_many(
        scope=scope, reason=reason, now=now,
        entry_ids=[
            *(id for line in lines for id in line.ledger_entry_ids),
            *(id for one in loaded for id in _entries_of(scope, one.check, file.postings)),
        ],
    )  # fmt: skip
    for one in loaded:
        claim_services.withdraw_decisions(scope=scope, remittance_id=one.check.id, now=now)
    _set_state(file, "unposted", now)
    if queries.left_alone(scope=scope, claim_ids=claim_ids) - alone:
        raise StateConflict(
            "Another file takes back what this one decided. Take that one back first.", current_state="posted"
        )
    again = claim_services.reinstate(scope=scope, claim_ids=claim_ids, now=now)
    _claims_as_they_stand(scope, claim_ids | again, detail="835:unposted", now=now)
    keep_standing(scope=scope, claim_ids=claim_ids, now=now)
    tell(scope=scope, file=file, event=events.ERA_UNPOSTED, now=now)
    scope.trail.reason = reason
    scope.trail.target("era_file", file.id, file.version)
    return file


def _claims_as_they_stand(
    scope: Scope, claim_ids: set[UUID], *, detail: str, now: datetime
) -> None:
    """Bring claims to what the decisions say that are left."""
    left: dict[UUID, list[RemittanceLine]] = {}
    for service, lines in queries.standing(scope=scope, claim_ids=claim_ids).items():
        if service[0] is not None:
            left.setdefault(service[0], []).extend(lines)
    claim_services.record_decisions(
        scope=scope, now=now,
        decisions=[
            claim_services.Decision(claim_id=id, detail=detail, denied=denied(left[id]))
            if id in left
            else claim_services.Decision(claim_id=id, detail=detail, reversal=True)
            for id in sorted(claim_ids)
        ],
    )  # fmt: skip


def _entries_of(scope: Scope, check: Remittance, turn: int) -> Iterable[UUID]:
    """Yield the ledger entries of a check's own posting."""
    names = {booking.named(f"PLB-{number}", turn=turn) for number in range(1, len(check.provider_adjustments) + 1)}
    if names:
        for row in entries.entries_of(scope=scope, kind="remittance", id=check.id):
            if row.source_line in names:
                yield row.id


def _set_state(file: EraFile, state: str, now: datetime) -> None:
    file.state, file.updated_at = state, now
    file.version += 1
    file.save(update_fields=["state", "postings", "updated_at", "version"])


def tell(*, scope: Scope, file: EraFile, event: str, now: datetime) -> None:
    """Tell of a file's new state."""
    emit(
        event, scope=scope, object_type="era_file", object_id=file.id, version=file.version, now=now,
        changed=["state"],
    )  # fmt: skip
