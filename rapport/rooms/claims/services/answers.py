"""
What comes back through a channel: TA1, 999 and 277CA move claims; an 835 goes to remittance.

Every file is kept as it came and read once. An answer never moves a claim backwards: a late 999
after a payment is kept, and changes nothing. What is about nothing we know is parked.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from rapport.kernel.ids import new_uuid
from rapport.platform.access.scope import Scope
from rapport.platform.blobs.store import default_store
from rapport.platform.outbox.emit import emit
from rapport.protocols.x12 import acks
from rapport.protocols.x12.envelope import TransactionSet, transaction_sets
from rapport.protocols.x12.syntax import NotX12, Segment, read
from rapport.rooms.claims import events, queries
from rapport.rooms.claims.models import Acknowledgement, Channel, Claim, InboundFile, Submission
from rapport.rooms.claims.ports import InboundFile as Arrived
from rapport.rooms.claims.states import Action


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
        return _interchange(scope, channel, file, acks.read_ta1(part), now=now)
    if part.kind in ("999", "997"):
        return _syntax(scope, channel, file, acks.read_999(part), now=now)
    if part.kind == "277":
        return _claims(scope, file, acks.read_277ca(part), now=now)
    return False


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


def _interchange(scope: Scope, channel: Channel, file: InboundFile, ack: acks.InterchangeAck, *, now: datetime) -> bool:
    submission = Submission.objects.visible_to(scope).filter(
        channel_id=channel.id, interchange_number=_number(ack.interchange)
    ).first()  # fmt: skip
    if submission is None:
        return False
    verdict = "received" if ack.accepted else "rejected"
    codes = [{"code": ack.note, "segment": "TA1", "position": 0, "element": ""}]
    _note(scope, file, submission, "TA1", verdict, codes, source="", now=now)
    if not ack.accepted:
        _move(scope, submission, Action.REJECT, f"TA1:{ack.code}:{ack.note}", events.CLAIM_REJECTED, now=now)
    return True


def _syntax(scope: Scope, channel: Channel, file: InboundFile, ack: acks.GroupAck, *, now: datetime) -> bool:
    submission = Submission.objects.visible_to(scope).filter(
        channel_id=channel.id, group_number=_number(ack.group)
    ).first()  # fmt: skip
    if submission is None:
        return False
    code = ack.sets[0].code if ack.sets else ack.code
    accepted = code in ("A", "E", "P")
    codes: list[dict[str, Any]] = [
        {"code": e.code, "segment": e.segment, "position": e.position, "element": e.element}
        for one in ack.sets
        for e in one.errors
    ] or [{"code": code, "segment": "", "position": 0, "element": ""}]
    Submission.objects.visible_to(scope).filter(id=submission.id).update(syntax_code=code[:1])
    _note(scope, file, submission, "999", "received" if accepted else "rejected", codes, source="", now=now)
    if accepted:
        _move(scope, submission, Action.ACKNOWLEDGE, f"999:{code}", events.CLAIM_ACKNOWLEDGED, now=now)
    else:
        _move(scope, submission, Action.REJECT, f"999:{code}", events.CLAIM_REJECTED, now=now)
    return True


def _claims(scope: Scope, file: InboundFile, answer: acks.ClaimAcks, *, now: datetime) -> bool:
    known = False
    for said in answer.claims:
        claim = Claim.objects.visible_to(scope).filter(control_number=said.control.strip().upper()).first()
        if claim is None:
            continue
        submission = None
        if answer.batch_id:
            submission = Submission.objects.visible_to(scope).filter(
                claim_id=claim.id, batch_id=answer.batch_id
            ).first()  # fmt: skip
        submission = submission or queries.latest_submission(scope=scope, claim_id=claim.id)
        if submission is None:
            continue
        known = True
        statuses = [*said.statuses, *(s for line in said.line_statuses.values() for s in line)]
        codes = [
            {"code": f"{s.category}:{s.code}", "segment": "STC", "position": 0, "element": s.entity}
            for s in statuses
        ]
        _note(scope, file, submission, "277CA", said.verdict, codes, source=answer.source, now=now)
        if said.payer_claim_number:
            Claim.objects.visible_to(scope).filter(id=claim.id).update(
                payer_claim_number=said.payer_claim_number[:50]
            )
        detail = f"277CA:{statuses[0].category}:{statuses[0].code}" if statuses else "277CA"
        if said.verdict == "rejected":
            _move(scope, submission, Action.REJECT, detail, events.CLAIM_REJECTED, now=now)
        elif said.verdict == "accepted":
            _move(scope, submission, Action.ACCEPT, detail, events.CLAIM_ACCEPTED, now=now)
        else:
            _move(scope, submission, Action.ACKNOWLEDGE, detail, events.CLAIM_ACKNOWLEDGED, now=now)
    return known


def _note(
    scope: Scope, file: InboundFile, submission: Submission, kind: str, verdict: str,
    codes: list[dict[str, Any]], *, source: str, now: datetime,
) -> None:  # fmt: skip
    Acknowledgement.objects.create(
        practice_id=scope.practice_id, claim_id=submission.claim_id, submission=submission,
        inbound_file=file, kind=kind, verdict=verdict, codes=codes[:50], source=source[:60], received_at=now,
    )  # fmt: skip


def _move(
    scope: Scope, submission: Submission, action: Action, detail: str, event: str, *, now: datetime
) -> None:
    """Move the submission's claim, if its state allows it and this is its latest submission."""
    claim = queries.get_claim(scope=scope, claim_id=submission.claim_id, lock=True)
    latest = queries.latest_submission(scope=scope, claim_id=claim.id)
    if latest is None or latest.id != submission.id or not claim.allows(action):
        return
    before = claim.state
    claim.move(action, by=scope.actor_id, at=now, detail=detail, submission_id=submission.id)
    if claim.state != before:
        emit(
            event, scope=scope, object_type="claim", object_id=claim.id, version=claim.version, now=now,
            changed=["state"],
        )  # fmt: skip
