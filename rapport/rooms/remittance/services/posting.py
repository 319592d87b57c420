"""What a file says, posted once, and taken back exactly."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from uuid import UUID

from django.db import transaction

from rapport.kernel.problems import Conflict, StateConflict
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.blobs.store import default_store
from rapport.platform.db import sql
from rapport.platform.db.crashpoints import Crashpoint, crashpoint
from rapport.platform.outbox.emit import emit
from rapport.rooms.claims import services as claim_services
from rapport.rooms.ledger import queries as entries
from rapport.rooms.ledger import services as ledger
from rapport.rooms.ledger.rules import entries as book
from rapport.rooms.remittance import events, queries
from rapport.rooms.remittance.models import EraFile, Remittance, RemittanceLine
from rapport.rooms.remittance.rules.planning import is_denied

from .reading import content, faulty, holds


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
        post_rows(scope=scope, file=file, now=now)
    scope.trail.target("era_file", file.id, file.version)
    return file


def _still_held(scope: Scope, file: EraFile) -> bool:
    """Read a held file again: the practice may have put its NPI right since."""
    data = default_store().get(
        key=file.blob_key, aad=f"{file.practice_id}|era|{file.id}", digest=file.sha256
    )
    _, checks, findings = content(data)
    return faulty([*findings, *holds(scope=scope, checks=checks)])


@transaction.atomic
def post_rows(*, scope: Scope, file: EraFile, now: datetime) -> None:
    """Post every check of a file, all of it or nothing."""
    one_at_a_time(scope=scope)
    file.postings += 1
    for check_row in queries.remittances_of(scope=scope, era_file_id=file.id):
        note_copy(scope=scope, check=check_row)
        if check_row.posted_before:
            continue
        # Entries count from the day they are posted, in the practice's zone; the payer's date is kept
        # on the remittance. A check dated tomorrow would else be invisible in today's balance.
        day = scope.day_of(now)
        by_claim: dict[int, list[RemittanceLine]] = {}
        for line in queries.lines_of(scope=scope, remittance_id=check_row.id):
            by_claim.setdefault(line.claim_position, []).append(line)
        for lines in by_claim.values():
            _post_claim(scope, lines, day=day, turn=file.postings, now=now)
            crashpoint(Crashpoint.REMITTANCE_CLAIM_POSTED)
        for number, adjustment in enumerate(check_row.provider_adjustments, 1):
            if adjustment["cents"]:
                source = book.Source(
                    "remittance", check_row.id, _turn(f"PLB-{number}", file.postings)
                )
                entry = book.payer_level(
                    source, day, cents=-adjustment["cents"], reason=adjustment["reason"]
                )
                ledger.post(scope=scope, entry=entry, now=now)
    _set_state(file, "posted", now)
    tell(scope=scope, file=file, event=events.ERA_POSTED, now=now)


def one_at_a_time(*, scope: Scope) -> None:
    """
    Let one file of the practice be read or posted at a time, until the transaction ends.

    Two files can say the same thing of the same service: each looks for what the other posted.
    """
    sql.one("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"{scope.practice_id}|era",))


def note_copy(*, scope: Scope, check: Remittance) -> None:
    """Note whether a check stands posted already, so that it is shown, and not posted again."""
    posted = queries.stands_posted(scope=scope, check=check)
    if posted != check.posted_before:
        check.posted_before = posted
        check.save(update_fields=["posted_before"])


def _turn(name: str, turn: int) -> str:
    """Return an entry's name for one posting of a file: each posting has entries of its own."""
    return name if turn == 1 else f"{name}@{turn}"


def _post_claim(
    scope: Scope, lines: list[RemittanceLine], *, day: date, turn: int, now: datetime
) -> None:
    first = lines[0]
    reversal = first.status_code == "22"
    patient = 0
    for line in lines:
        line.ledger_entry_ids = list(_post_line(scope, line, day=day, turn=turn, now=now))
        line.save(update_fields=["ledger_entry_ids"])
        patient += sum(a["cents"] for a in line.adjustments if a["plan"] == "patient")
    if first.claim_id is None:
        return
    if reversal:
        claim_services.record_reversal(
            scope=scope, claim_id=first.claim_id, detail="835:22", now=now
        )
        return
    claim_services.record_decision(
        scope=scope,
        claim_id=first.claim_id,
        denied=is_denied(
            paid_cents=sum(line.paid_cents for line in lines),
            patient_cents=patient,
            reasons=[(a["group"], a["reason"]) for line in lines for a in line.adjustments],
        ),
        payer_claim_number=first.payer_claim_number,
        detail=f"835:{first.status_code}",
        now=now,
    )


def _post_line(
    scope: Scope, line: RemittanceLine, *, day: date, turn: int, now: datetime
) -> Iterable[UUID]:
    """Post the payment and each adjustment of one service; yield the entries."""

    def put(entry: book.NewEntry) -> UUID:
        return ledger.post(scope=scope, entry=entry, now=now).entry_id

    if line.patient_id is None:
        if line.paid_cents:
            source = book.Source("remittance_line", line.id, _turn("paid", turn))
            yield put(book.payer_level(source, day, cents=line.paid_cents, reason="UNMATCHED"))
        return
    about = book.About(
        line.patient_id, line.appointment_id, claim_id=line.claim_id, service_on=line.service_on
    )
    if line.paid_cents:
        yield put(
            book.insurance_payment(
                book.Source("remittance_line", line.id, _turn("paid", turn)),
                day,
                about,
                cents=line.paid_cents,
            )
        )
    for number, adjustment in enumerate(line.adjustments, 1):
        name = f"{adjustment['group']}-{adjustment['reason']}"
        source = book.Source("remittance_line", line.id, _turn(f"{name}#{number}", turn))
        cents: int = adjustment["cents"]
        if cents == 0:
            continue
        if adjustment["plan"] == "contractual":
            yield put(book.contractual_adjustment(source, day, about, cents=cents, reason=name))
        elif adjustment["plan"] == "patient":
            yield put(book.transfer_to_patient(source, day, about, cents=cents, reason=name))


def unpost_file(*, scope: Scope, era_file_id: UUID, reason: str, now: datetime) -> EraFile:
    """
    Take back exactly what a file posted, by entries that reverse each of it.

    :raises StateConflict: it is not posted
    """
    scope.require(Permission.REMITTANCES_POST)
    file = queries.get_era_file(scope=scope, era_file_id=era_file_id, lock=True)
    if file.state != "posted":
        raise StateConflict(
            f"A file that is {file.state} cannot be taken back.", current_state=file.state
        )
    for check_row in queries.remittances_of(scope=scope, era_file_id=file.id):
        if check_row.posted_before:
            continue  # nothing of it was posted from here
        claim_ids = set()
        for line in queries.lines_of(scope=scope, remittance_id=check_row.id):
            for entry_id in line.ledger_entry_ids:
                ledger.reverse(scope=scope, entry_id=entry_id, reason=reason, now=now)
            if line.claim_id:
                claim_ids.add(line.claim_id)
        for number in range(1, len(check_row.provider_adjustments) + 1):
            entry = _ledger_entry(scope, check_row.id, _turn(f"PLB-{number}", file.postings))
            if entry is not None:
                ledger.reverse(scope=scope, entry_id=entry, reason=reason, now=now)
        for claim_id in claim_ids:
            claim_services.record_reversal(
                scope=scope, claim_id=claim_id, detail="835:unposted", now=now
            )
    _set_state(file, "unposted", now)
    tell(scope=scope, file=file, event=events.ERA_UNPOSTED, now=now)
    scope.trail.reason = reason
    scope.trail.target("era_file", file.id, file.version)
    return file


def _ledger_entry(scope: Scope, remittance_id: UUID, line: str) -> UUID | None:
    """Return the ledger entry of a check's own posting, if there is one."""
    row = entries.entry_by_source(scope=scope, kind="remittance", id=remittance_id, line=line)
    return row.id if row else None


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
