"""
What comes back through a channel: TA1, 999 and 277CA move claims; a 277 is filed with what was asked; an
835 goes to remittance.

Every file is kept as it came and read once. An answer never moves a claim backwards: a late 999
after a payment is kept, and changes nothing. What is about nothing we know is parked.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from rapport.kernel.ids import new_uuid
from rapport.platform.access.scope import Scope
from rapport.platform.blobs.store import default_store
from rapport.platform.outbox.emit import emit, emit_all
from rapport.protocols.x12 import acks
from rapport.protocols.x12.check import guide_of
from rapport.protocols.x12.envelope import TransactionSet, transaction_sets
from rapport.protocols.x12.syntax import NotX12, Segment, read
from rapport.rooms.claims import events, queries
from rapport.rooms.claims.models import (
    Acknowledgement,
    Channel,
    Claim,
    InboundFile,
    Submission,
    SubmittedClaim,
)
from rapport.rooms.claims.ports import InboundFile as Arrived
from rapport.rooms.claims.states import DECIDED, MOVES, Action, ClaimState, WorkKind

from .batches import follow_up
from .inquiries import file_benefits, file_status, turn_away
from .numbers import go_on_beyond
from .reopening import turn_up_taken
from .sending import settle_by_answer
from .work import open_work

_DECIDED = (*sorted(DECIDED), ClaimState.VOIDED, ClaimState.REPLACED)
DUPLICATE = "025"
"""TA105: the interchange control number was used before."""

_Note = tuple[UUID, str, list[dict[str, Any]], int]
"""Claim, verdict, codes, and the segment of the file that says so."""


@transaction.atomic
def receive_file(*, scope: Scope, channel_id: UUID, arrived: Arrived, now: datetime) -> InboundFile | None:
    """
    Keep a file and act on what it says, in one transaction.

    :return: None when a file of that name was received before
    """
    channel = queries.get_channel(scope=scope, channel_id=channel_id)
    if InboundFile.objects.visible_to(scope).filter(channel_id=channel_id, name=arrived.name).exists():
        return None
    id = new_uuid()
    ref = default_store().put(data=arrived.data, aad=f"{scope.practice_id}|inbound|{id}")
    file = InboundFile(
        id=id, practice_id=scope.practice_id, channel=channel, name=arrived.name[:200],
        kind=arrived.kind[:10], blob_key=ref.key, sha256=ref.sha256, received_at=now, outcome="read",
    )  # fmt: skip
    if arrived.kind == "835":
        file.save(force_insert=True)
        emit(
            events.REMITTANCE_FILE_RECEIVED, scope=scope, object_type="inbound_file", object_id=file.id,
            version=1, now=now,
        )  # fmt: skip
        return file
    try:
        parts = list(transaction_sets(read(arrived.data)))
    except NotX12 as error:
        file.outcome, file.detail = "unreadable", f"{error.rule}:{error.segment}:{error.index}"[:80]
        file.save(force_insert=True)
        return file
    file.save(force_insert=True)
    known = [_take(scope, channel, file, part, now=now) for part in parts]
    if not any(known):
        InboundFile.objects.visible_to(scope).filter(id=file.id).update(outcome="parked")
        file.outcome = "parked"
    return file


def mark_unreadable(*, scope: Scope, inbound_file_id: UUID) -> None:
    """Say of a file that what it is for could not read it."""
    InboundFile.objects.visible_to(scope).filter(id=inbound_file_id).update(outcome="unreadable")


def _take(scope: Scope, channel: Channel, file: InboundFile, part: TransactionSet | Segment, *, now: datetime) -> bool:
    """Act on one part of a file. :return: whether it was about something we know"""
    if isinstance(part, Segment):
        return _interchange(scope, channel, file, acks.read_ta1(part), segment=part.index, now=now)
    if part.kind in ("999", "997"):
        return _syntax(scope, channel, file, acks.read_999(part), now=now)
    if part.kind == "271":
        file_benefits(scope=scope, file=file, part=part, now=now)
        return True
    if part.kind == "277" and guide_of(part) == "277":
        return file_status(scope=scope, file=file, part=part, now=now)
    if part.kind == "277":
        return _claims(scope, file, acks.read_277ca(part), now=now)
    return False


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


def _interchange(
    scope: Scope, channel: Channel, file: InboundFile, ack: acks.InterchangeAck, *, segment: int, now: datetime
) -> bool:
    number = _number(ack.interchange)
    submission = Submission.objects.visible_to(scope).filter(
        channel_id=channel.id, interchange_number=number
    ).first()  # fmt: skip
    if ack.note == DUPLICATE or (submission is None and number > channel.last_interchange):
        go_on_beyond(scope=scope, channel=channel, seen=number)
    if submission is None:
        return False
    verdict = "received" if ack.accepted else "rejected"
    codes = [{"code": ack.note, "segment": "TA1", "position": 0, "element": ""}]
    claims = queries.claims_in(scope=scope, submission_id=submission.id)
    _note(scope, file, submission, "TA1", [(row.claim_id, verdict, codes, segment) for row in claims], now=now)
    if not ack.accepted:
        ids = [row.claim_id for row in claims]
        code = f"TA1:{ack.code}:{ack.note}"
        _move(scope, submission, ids, Action.REJECT, code, events.CLAIM_REJECTED, now=now)
        turn_away(scope=scope, file=file, submission=submission, code=code, now=now)
    return True


def _syntax(scope: Scope, channel: Channel, file: InboundFile, ack: acks.GroupAck, *, now: datetime) -> bool:
    """
    Take a 999 for what it says of each claim: the fault's position tells whose it is.

    A set is turned away whole. Its claims without fault never reached the payer, so they are made ready
    again, and leave with the next file; where nobody's fault is named, all of them wait for a person.
    """
    number = _number(ack.group)
    submission = Submission.objects.visible_to(scope).filter(
        channel_id=channel.id, group_number=number
    ).first()  # fmt: skip
    if submission is None:
        if number > channel.last_group:
            go_on_beyond(scope=scope, channel=channel, seen=number)
        return False
    settle_by_answer(scope=scope, submission=submission, now=now)
    carried = queries.claims_in(scope=scope, submission_id=submission.id)
    said = {_number(one.control): one for one in ack.sets}
    worst = next((code for code in ("R", "P", "E") if code in {s.code for s in said.values()}), ack.code)
    Submission.objects.visible_to(scope).filter(id=submission.id).update(syntax_code=worst[:1])
    notes: list[_Note] = []
    passed: dict[str, list[UUID]] = {}
    turned: list[UUID] = []
    returned: list[UUID] = []
    for number in sorted({row.set_number for row in carried}):
        mine = [row for row in carried if row.set_number == number]
        one = said.get(number)
        if one is None and said:
            continue  # nothing was said of this set yet
        code = one.code if one else ack.code
        errors = one.errors if one else []
        blamed = {row.claim_id for row in mine if any(_within(row, error) for error in errors)}
        alone = len(mine) == 1
        for row in mine:
            about = [e for e in errors if _within(row, e) or alone or not blamed]
            codes: list[dict[str, Any]] = [
                {"code": e.code, "segment": e.segment, "position": e.position, "element": e.element}
                for e in about
            ] or [{"code": code, "segment": "", "position": 0, "element": ""}]
            if code in ("A", "E", "P"):
                verdict = "received"
                passed.setdefault(code, []).append(row.claim_id)
            elif row.claim_id in blamed or alone or not blamed:
                verdict = "rejected"
                turned.append(row.claim_id)
            else:
                verdict = "returned"
                returned.append(row.claim_id)
            notes.append((row.claim_id, verdict, codes, one.index if one else 0))
    _note(scope, file, submission, "999", notes, now=now)
    for code, ids in passed.items():
        _move(scope, submission, ids, Action.ACKNOWLEDGE, f"999:{code}", events.CLAIM_ACKNOWLEDGED, now=now)
    _move(scope, submission, turned, Action.REJECT, f"999:{worst}", events.CLAIM_REJECTED, now=now)
    back = _move(scope, submission, returned, Action.RETURN, f"999:{worst}", "", now=now)
    follow_up(scope=scope, submission_id=submission.id, claim_ids=back, now=now)
    if worst == "R":
        turn_away(scope=scope, file=file, submission=submission, code="999:R", now=now)
    return True


def _within(row: SubmittedClaim, error: acks.SyntaxError_) -> bool:
    return row.first_position <= error.position <= row.last_position


def _claims(scope: Scope, file: InboundFile, answer: acks.ClaimAcks, *, now: datetime) -> bool:
    known = False
    numbers = {said.control.strip().upper() for said in answer.claims}
    here = {
        claim.control_number: claim
        for claim in Claim.objects.visible_to(scope).filter(control_number__in=numbers)
    }
    for said in answer.claims:
        claim = here.get(said.control.strip().upper())
        if claim is None:
            continue
        sent = queries.submissions_of(scope=scope, claim_id=claim.id)
        if not sent:
            continue
        named = [one for one in sent if answer.batch_id and one.row.batch_id == answer.batch_id]
        submission = (named or sent)[-1].submission
        known = True
        if named:
            settle_by_answer(scope=scope, submission=submission, now=now)
        statuses = [*said.statuses, *(s for line in said.line_statuses.values() for s in line)]
        codes = [
            {"code": f"{s.category}:{s.code}", "segment": "STC", "position": 0, "element": s.entity}
            for s in statuses
        ]
        _note(scope, file, submission, "277CA", [(claim.id, said.verdict, codes, said.index)],
              source=answer.source, now=now)  # fmt: skip
        if said.payer_claim_number and submission.id == sent[-1].submission.id:
            # What a payer that has decided calls the claim stands: a late acknowledgement does not rename it, and
            # one of a file that was sent anew since does not name it at all.
            Claim.objects.visible_to(scope).filter(
                Q(payer_claim_number="") | ~Q(state__in=_DECIDED), id=claim.id
            ).update(payer_claim_number=said.payer_claim_number[:50])
        detail = f"277CA:{statuses[0].category}:{statuses[0].code}" if statuses else "277CA"
        action, event = {
            "rejected": (Action.REJECT, events.CLAIM_REJECTED),
            "accepted": (Action.ACCEPT, events.CLAIM_ACCEPTED),
        }.get(said.verdict, (Action.ACKNOWLEDGE, events.CLAIM_ACKNOWLEDGED))
        if action is Action.ACCEPT:
            turn_up_taken(scope=scope, claim_id=claim.id, submission_id=submission.id, detail=detail, now=now)
        _move(scope, submission, [claim.id], action, detail, event, now=now)
    return known


def _note(
    scope: Scope, file: InboundFile, submission: Submission, kind: str,
    said: Sequence[_Note], *, now: datetime, source: str = "",
) -> None:  # fmt: skip
    Acknowledgement.objects.bulk_create(
        Acknowledgement(
            practice_id=scope.practice_id, claim_id=claim_id, submission=submission, inbound_file=file,
            kind=kind, verdict=verdict, codes=codes[:50], source=source[:60], received_at=now, segment=segment,
        )
        for claim_id, verdict, codes, segment in said
    )  # fmt: skip


def _move(
    scope: Scope, submission: Submission, claim_ids: Sequence[UUID], action: Action, detail: str, event: str,
    *, now: datetime,
) -> list[UUID]:  # fmt: skip
    """Move claims of a submission whose state allows it and which no later one carries; return which."""
    later = queries.superseded(scope=scope, submission_id=submission.id)
    wanted = [id for id in claim_ids if id not in later]
    here = MOVES[action].target
    already = set(
        Claim.objects.visible_to(scope).filter(id__in=wanted, state=here.value).values_list("id", flat=True)
    )
    moved = Claim.move_all(
        action, practice_id=scope.practice_id, claim_ids=wanted, by=scope.actor_id, at=now, detail=detail,
        submission_id=submission.id,
    )  # fmt: skip
    if action is Action.REJECT:
        open_work(
            scope=scope, kind=WorkKind.REJECTED, claim_ids=[id for id, _ in moved], code=detail, now=now
        )
    if event:
        news = [(id, version) for id, version in moved if id not in already]
        emit_all(event, scope=scope, object_type="claim", objects=news, now=now, changed=["state"])
    return [id for id, _ in moved]
