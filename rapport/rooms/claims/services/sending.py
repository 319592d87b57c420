"""
Handing a submission over: the state is committed before the socket opens.

begin_sending (commit) -> the driver, outside any transaction -> record_answer (commit). A worker
that dies in between leaves `sending`; the next one asks the other side before it sends anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from rapport.kernel.problems import StateConflict
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.api import etags
from rapport.platform.jobs import registry as jobs
from rapport.platform.outbox.emit import emit_all
from rapport.rooms.claims import events, queries
from rapport.rooms.claims.models import Channel, Claim, ClaimBatch, Submission, WorkItem
from rapport.rooms.claims.ports import Held, InDoubt, Later, NotHeld, Refused, Sent
from rapport.rooms.claims.queries import batches as files
from rapport.rooms.claims.states import Action, ClaimState, SubmissionState, WorkKind
from rapport.rooms.coverage import services as coverage

from .channels import open_secret
from .work import open_work, settle_work

LEASE = timedelta(seconds=90)
"""Longer than any driver waits. A worker that is silent for longer is taken for dead."""
BY_HAND = frozenset({"download", "portal"})
"""Kinds of channel over which nothing is sent: a person carries it, and says so."""
DOUBT_RETRY = 30
"""Seconds after which the other side is asked again when it could not say, at least."""
DOUBT_PATIENCE = timedelta(minutes=10)
"""How long it is asked before a person is."""
FIRST_WAIT, LONGEST_WAIT = 15, 3600
"""Seconds before another try: doubled with each one, and never less than the other side asked for."""
TOLD_AFTER = 10
"""Tries (some two hours) after which a person is told of a file that is not taken."""


@dataclass(frozen=True, slots=True)
class Sending:
    """What a worker needs to hand one file over, outside any transaction."""

    submission_id: UUID
    fence: int
    ask_first: bool
    """It may have arrived already: ask, and send only if it has not."""
    channel_kind: str
    channel_settings: dict[str, object]
    channel_secret: str
    file: bytes
    name: str
    key: str
    sha256: str


def begin_sending(*, scope: Scope, submission_id: UUID, now: datetime) -> Sending | None:
    """
    Take a submission for sending, and write that down. Commit before calling the driver.

    :return: None when there is nothing to do: sent, refused, not yet due, or another is at it
    """
    submission = Submission.objects.visible_to(scope).select_for_update().filter(id=submission_id).first()
    if submission is None or submission.state in (SubmissionState.SENT, SubmissionState.REFUSED):
        return None
    if submission.retry_at and submission.retry_at > now:
        return None
    if submission.leased_until and submission.leased_until > now:
        return None
    channel = queries.get_channel(scope=scope, channel_id=submission.channel_id)
    if not channel.active or channel.kind in BY_HAND:
        return None
    ask_first = submission.state != SubmissionState.READY
    if not ask_first:
        submission.move(
            SubmissionState.SENDING, at=now, fence=submission.fence, leased_until=now + LEASE
        )
        _move(scope, submission, Action.BEGIN_SEND, now=now)
    Submission.objects.visible_to(scope).filter(id=submission.id).update(
        fence=submission.fence + 1, leased_until=now + LEASE
    )
    return _sending(submission, channel, ask_first=ask_first)


def _sending(submission: Submission, channel: Channel, *, ask_first: bool) -> Sending:
    return Sending(
        submission_id=submission.id,
        fence=submission.fence + 1,
        ask_first=ask_first,
        channel_kind=channel.kind,
        channel_settings=channel.settings,
        channel_secret=open_secret(channel),
        file=queries.submission_bytes(submission=submission),
        name=submission.file_name,
        key=submission.key,
        sha256=submission.sha256,
    )


def record_answer(
    *, scope: Scope, sending: Sending, answer: Sent | Refused | Later | InDoubt, now: datetime
) -> Submission | None:
    """
    Write down what the driver said of a send.

    :return: None when another worker has taken the submission since: then nothing is written
    """
    submission = _locked(scope, sending)
    if submission is None:
        return None
    if isinstance(answer, Sent):
        _sent(scope, submission, receipt=answer.receipt, fence=sending.fence, now=now)
    elif isinstance(answer, InDoubt):
        submission.move(
            SubmissionState.IN_DOUBT, at=now, fence=sending.fence, leased_until=None,
            retry_at=now + _wait(sending, DOUBT_RETRY), last_code="in-doubt",
        )  # fmt: skip
        _move(scope, submission, Action.RECORD_DOUBT, event=events.CLAIM_UNKNOWN, now=now)
    elif isinstance(answer, Later) or answer.try_again:
        wait = _wait(sending, answer.retry_after_seconds if isinstance(answer, Later) else 300)
        code = "later" if isinstance(answer, Later) else answer.reason_code
        submission.move(
            SubmissionState.READY, at=now, fence=sending.fence, leased_until=None,
            retry_at=now + wait, last_code=code[:60],
        )  # fmt: skip
        _move(scope, submission, Action.RECORD_NOT_SENT, detail=code, now=now)
        if sending.fence >= TOLD_AFTER:
            _ask_a_person(scope, submission, WorkKind.REFUSED, "not-delivered", now=now)
    else:
        submission.move(
            SubmissionState.REFUSED, at=now, fence=sending.fence, leased_until=None,
            last_code=answer.reason_code[:60],
        )  # fmt: skip
        _move(
            scope, submission, Action.RECORD_REFUSED, detail=answer.reason_code,
            event=events.CLAIM_REJECTED, now=now,
        )  # fmt: skip
        coverage.refuse_file(scope=scope, file_id=submission.id, code=answer.reason_code, now=now)
    return submission


def resolve_doubt(
    *, scope: Scope, sending: Sending, answer: Held | NotHeld | InDoubt, now: datetime
) -> Submission | None:
    """
    Write down what the other side said when it was asked whether it has the file.

    Held: it was sent. NotHeld: it may be sent again, as it is. InDoubt: ask again later.
    """
    submission = _locked(scope, sending)
    if submission is None:
        return None
    if isinstance(answer, Held):
        _sent(scope, submission, receipt=answer.receipt, fence=sending.fence, now=now)
        _settle(scope, submission, how="found", now=now)
    elif isinstance(answer, NotHeld):
        submission.move(
            SubmissionState.READY, at=now, fence=sending.fence, leased_until=None, retry_at=None,
            last_code="not-held",
        )  # fmt: skip
        _move(scope, submission, Action.RECORD_NOT_SENT, detail="not-held", now=now)
        _settle(scope, submission, how="not-held", now=now)
    else:
        if submission.state == SubmissionState.SENDING:
            submission.move(SubmissionState.IN_DOUBT, at=now, fence=sending.fence)
            _move(scope, submission, Action.RECORD_DOUBT, event=events.CLAIM_UNKNOWN, now=now)
        Submission.objects.visible_to(scope).filter(id=submission.id, fence=sending.fence).update(
            leased_until=None, retry_at=now + _wait(sending, DOUBT_RETRY), last_code="in-doubt"
        )
        if now - submission.state_changed_at > DOUBT_PATIENCE:
            _ask_a_person(scope, submission, WorkKind.DOUBT, "in-doubt", now=now)
    return submission


def _wait(sending: Sending, asked: int) -> timedelta:
    """Return how long the next try waits. The fence counts tries. :param asked: seconds, at least"""
    return timedelta(seconds=max(asked, min(FIRST_WAIT * 2 ** min(sending.fence - 1, 12), LONGEST_WAIT)))


def settle_doubt(
    *, scope: Scope, claim_id: UUID, if_match: str, arrived: bool, reference: str, now: datetime
) -> Claim:
    """
    Write down that a person saw whether a claim's file arrived; it holds for every claim of the file.

    :param arrived: False: it is certainly not there, and is sent again as it is
    :param reference: what the other side calls it
    :raises StateConflict: it is not in doubt, it is being asked about at this moment, or an answer to it came
    :raises Forbidden: other claims of the file are not the actor's to see
    """
    scope.require(Permission.CLAIMS_SUBMIT)
    claim = queries.get_claim(scope=scope, claim_id=claim_id)
    etags.check(claim, if_match)
    latest = queries.latest_submission(scope=scope, claim_id=claim.id)
    rows = Submission.objects.visible_to(scope).select_for_update()
    submission = rows.filter(id=latest.id).first() if latest else None
    if submission is None or submission.state != SubmissionState.IN_DOUBT or claim.state != ClaimState.UNKNOWN:
        raise StateConflict("Nothing of it is in doubt.", current_state=claim.state, allowed_from=["unknown"])
    if submission.leased_until and submission.leased_until > now:
        raise StateConflict("The clearinghouse is being asked at this moment.", current_state=claim.state)
    if not arrived and _answered(scope, submission):
        raise StateConflict("Another claim of the same file was answered: it arrived.", current_state=claim.state)
    files.see_whole_file(scope=scope, submission_id=submission.id)
    fence = submission.fence + 1
    Submission.objects.visible_to(scope).filter(id=submission.id).update(fence=fence)
    if arrived:
        _sent(scope, submission, receipt=reference, fence=fence, now=now)
    else:
        submission.move(
            SubmissionState.READY, at=now, fence=fence, leased_until=None, retry_at=None, last_code="by-hand"
        )
        _move(scope, submission, Action.RECORD_NOT_SENT, detail="by-hand", now=now)
        jobs.defer(
            "claims.send_submission", scope, queueing_lock=f"send:{submission.id}", submission_id=submission.id
        )
    _settle(scope, submission, how="arrived" if arrived else "not-arrived", now=now)
    return queries.get_claim(scope=scope, claim_id=claim_id)


def settle_by_answer(*, scope: Scope, submission: Submission, now: datetime) -> None:
    """An answer to a file that was in doubt says that it arrived."""
    if submission.state == SubmissionState.IN_DOUBT:
        _sent(scope, submission, receipt="answered", fence=submission.fence, now=now)
        _settle(scope, submission, how="answered", now=now)


def _answered(scope: Scope, submission: Submission) -> bool:
    """Whether a claim of a file in doubt is no longer in doubt itself."""
    later = queries.superseded(scope=scope, submission_id=submission.id)
    ids = [row.claim_id for row in queries.claims_in(scope=scope, submission_id=submission.id)]
    states = Claim.objects.visible_to(scope).filter(id__in=[id for id in ids if id not in later])
    return states.exclude(state=ClaimState.UNKNOWN).exists()


def _ask_a_person(scope: Scope, submission: Submission, kind: WorkKind, code: str, *, now: datetime) -> None:
    ids = [row.claim_id for row in queries.claims_in(scope=scope, submission_id=submission.id)]
    items = WorkItem.objects.visible_to(scope).filter(claim_id__in=ids, kind=kind)
    told = set(items.filter(resolved_at=None).values_list("claim_id", flat=True))
    fresh = [id for id in ids if id not in told]
    open_work(scope=scope, kind=kind, claim_ids=fresh, code=code, now=now)


def _settle(scope: Scope, submission: Submission, *, how: str, now: datetime) -> None:
    ids = [row.claim_id for row in queries.claims_in(scope=scope, submission_id=submission.id)]
    settle_work(scope=scope, kinds=[WorkKind.DOUBT], claim_ids=ids, how=how, now=now)


def mark_submitted(*, scope: Scope, claim_id: UUID, if_match: str, reference: str, now: datetime) -> Claim:
    """
    Write down that a person carried a claim's file to the payer; it holds for every claim of the file.

    :param reference: what the other side calls it
    :raises StateConflict: it does not wait for that, or its channel sends by itself
    :raises Forbidden: other claims of the file are not the actor's to see
    """
    scope.require(Permission.CLAIMS_SUBMIT)
    claim = queries.get_claim(scope=scope, claim_id=claim_id)
    etags.check(claim, if_match)
    latest = queries.latest_submission(scope=scope, claim_id=claim.id)
    if latest is None or claim.state != ClaimState.QUEUED:
        raise StateConflict("Only a queued claim of a channel by hand is carried.", current_state=claim.state)
    _carry(scope, latest, reference, now=now)
    return queries.get_claim(scope=scope, claim_id=claim_id)


def mark_batch_submitted(
    *, scope: Scope, claim_batch_id: UUID, if_match: str, reference: str, now: datetime
) -> ClaimBatch:
    """
    Write down that a person carried a batch's file to the payer.

    :raises StateConflict: it has no file, was carried already, or its channel sends by itself
    :raises Forbidden: a claim of the file is not the actor's to see
    """
    scope.require(Permission.CLAIMS_SUBMIT)
    batch = files.get_batch(scope=scope, claim_batch_id=claim_batch_id, lock=True)
    etags.check(batch, if_match)
    _carry(scope, files.file_of_batch(scope=scope, batch=batch), reference, now=now)
    batch.version, batch.updated_at = batch.version + 1, now
    batch.save(update_fields=["version", "updated_at"])
    scope.trail.target("claim_batch", batch.id, batch.version)
    return batch


def _carry(scope: Scope, submission: Submission, reference: str, *, now: datetime) -> None:
    files.see_whole_file(scope=scope, submission_id=submission.id)
    channel = queries.get_channel(scope=scope, channel_id=submission.channel_id)
    if channel.kind not in BY_HAND:
        raise StateConflict("Its channel sends by itself.", current_state=submission.state)
    if not submission.move(
        SubmissionState.SENT, at=now, fence=submission.fence, receipt=reference[:200], last_code="by-hand"
    ):
        raise StateConflict("It was carried already.", current_state=submission.state)
    _move(scope, submission, Action.CARRY, event=events.CLAIM_SUBMITTED, now=now)


def _locked(scope: Scope, sending: Sending) -> Submission | None:
    row: Submission | None = (
        Submission.objects.visible_to(scope)
        .select_for_update()
        .filter(id=sending.submission_id, fence=sending.fence)
        .first()
    )
    return row


def _sent(scope: Scope, submission: Submission, *, receipt: str, fence: int, now: datetime) -> None:
    submission.move(
        SubmissionState.SENT, at=now, fence=fence, leased_until=None, retry_at=None,
        receipt=receipt[:200], last_code="",
    )  # fmt: skip
    if fence > TOLD_AFTER:
        carried = queries.claims_in(scope=scope, submission_id=submission.id)
        settle_work(
            scope=scope, kinds=[WorkKind.REFUSED], claim_ids=[row.claim_id for row in carried], how="sent", now=now
        )
    # An acknowledgement may have overtaken us: a claim that is further on already stays there.
    _move(scope, submission, Action.RECORD_SENT, event=events.CLAIM_SUBMITTED, now=now)


def _move(
    scope: Scope, submission: Submission, action: Action, *, now: datetime, detail: str = "", event: str = ""
) -> None:
    """Move those of the file's claims that may, and tell it of each; not those that a later file carries."""
    later = queries.superseded(scope=scope, submission_id=submission.id)
    carried = queries.claims_in(scope=scope, submission_id=submission.id)
    moved = Claim.move_all(
        action, practice_id=scope.practice_id, by=scope.actor_id, at=now, detail=detail,
        claim_ids=[row.claim_id for row in carried if row.claim_id not in later],
        submission_id=submission.id,
    )  # fmt: skip
    if action is Action.RECORD_REFUSED:
        open_work(
            scope=scope, kind=WorkKind.REFUSED, claim_ids=[id for id, _ in moved], code=detail, now=now
        )
    if event:
        emit_all(event, scope=scope, object_type="claim", objects=moved, now=now, changed=["state"])
