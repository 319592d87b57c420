"""
Asking payers what became of claims (276), and filing what they say (277).

A question is a submission like any other: frozen, committed as `sending` before a socket opens, with the
same four answers. It carries no claim, so that nothing of it moves one; only what is told does, and only
forwards. One question is open for a claim at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from rapport.kernel.ids import new_uuid
from rapport.kernel.money import Money, NotMoney
from rapport.kernel.problems import NotAtSource, StateConflict
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.jobs import registry as jobs
from rapport.platform.outbox.emit import emit
from rapport.platform.tenancy import queries as tenancy
from rapport.protocols.x12 import status276
from rapport.protocols.x12.envelope import TransactionSet
from rapport.protocols.x12.status277 import ClaimStatus, Status, StatusAnswer
from rapport.protocols.x12.status277 import read as read_277
from rapport.rooms.claims import events, mapping, queries
from rapport.rooms.claims.models import (
    Channel,
    Claim,
    ClaimHistory,
    InboundFile,
    StatusInquiry,
    Submission,
    ToldStatus,
)
from rapport.rooms.claims.rules import inquiries as rules
from rapport.rooms.claims.rules.ways import QUESTIONS, QUESTIONS_A_FILE
from rapport.rooms.claims.states import Action, ClaimState, WorkKind
from rapport.rooms.coverage import services as coverage

from .assembly import NoChannel
from .freezing import keep_file, record_of
from .numbers import control_number_of
from .reopening import turn_up_taken
from .sending import settle_by_answer
from .work import open_work, settle_work

MOST_AT_ONCE = 500
"""Claims in one file of questions."""
_EVENTS = {
    Action.ACCEPT: events.CLAIM_ACCEPTED,
    Action.ACKNOWLEDGE: events.CLAIM_ACKNOWLEDGED,
    Action.REJECT: events.CLAIM_REJECTED,
}


def inquire_status(*, scope: Scope, claim_id: UUID, now: datetime) -> Claim:
    """
    Ask the payer what became of a claim. While a question is open, that one stands.

    :raises StateConflict: no payer can know of it
    :raises NoChannel: it was not sent by a channel that can carry a question
    """
    scope.require(Permission.CLAIMS_WRITE)
    claim = queries.get_claim(scope=scope, claim_id=claim_id, lock=True)
    if claim.mirrored:
        raise NotAtSource("The portal has this claim, and asks its payer.")
    sent = queries.submissions_of(scope=scope, claim_id=claim.id)
    if claim.state not in rules.MAY_ASK or not sent:
        raise StateConflict(
            f"No payer can know of a claim that is {claim.state}.", current_state=claim.state,
            allowed_from=sorted(rules.MAY_ASK),
        )  # fmt: skip
    channel = queries.get_channel(scope=scope, channel_id=sent[-1].submission.channel_id)
    if channel.kind not in QUESTIONS or not channel.active:
        raise NoChannel(
            "The claim's channel carries no questions: it is out of use, takes claims alone, or files are carried by hand."
        )
    if queries.open_inquiry(scope=scope, claim_id=claim.id, since=now - rules.PATIENCE) is None:
        _ask(scope, channel, [claim], reason="person", now=now)
    return claim


def inquire_what_is_due(*, scope: Scope, now: datetime) -> int:
    """
    Ask for every claim of which no decision came in time; return of how many.

    Claims whose last question was not answered in time go on the work list before that.
    """
    open_work(
        scope=scope, kind=WorkKind.STATUS, claim_ids=queries.unanswered(scope=scope, now=now),
        code="unanswered", now=now,
    )  # fmt: skip
    by_channel: dict[UUID, list[Claim]] = {}
    for row in queries.overdue(scope=scope, now=now, most=MOST_AT_ONCE):
        by_channel.setdefault(row.channel_id, []).append(row.claim)
    for channel_id, claims in by_channel.items():
        channel = queries.get_channel(scope=scope, channel_id=channel_id)
        most = QUESTIONS_A_FILE.get(channel.kind, MOST_AT_ONCE)
        for first in range(0, len(claims), most):
            _ask(scope, channel, claims[first : first + most], reason="schedule", now=now)
    return sum(map(len, by_channel.values()))


def _ask(
    scope: Scope, channel: Channel, claims: Sequence[Claim], *, reason: str, now: datetime
) -> Submission:
    """Freeze the questions about some claims into one file, and have it sent."""
    practice = tenancy.get_practice(scope=scope)
    traces = {claim.id: control_number_of("S") for claim in claims}
    asked = [
        mapping.status_inquiry(
            record_of(queries.submissions_of(scope=scope, claim_id=claim.id)[-1].row),
            payer_claim_number=claim.payer_claim_number, trace=traces[claim.id],
            sender_id=channel.settings["sender_id"], practice_name=practice.name,
        )
        for claim in claims
    ]  # fmt: skip
    asked.sort(
        key=lambda one: (one.payer.id, one.provider.id)
    )  # those of one payer share its level
    reference = control_number_of("Q")
    body = status276.write(asked, reference=reference, at=now.astimezone(scope.time_zone))
    submission = keep_file(
        scope=scope, id=new_uuid(), channel_id=channel.id, bodies=[body.segments], batch_id=reference,
        key=reference, claim=None, attempt=1, substitutions=body.substitutions, kind="276", now=now,
    )  # fmt: skip
    StatusInquiry.objects.bulk_create(
        StatusInquiry(
            practice_id=scope.practice_id, claim=claim, submission=submission, trace=traces[claim.id],
            reason=reason, by=scope.actor_id, asked_at=now,
        )
        for claim in claims
    )  # fmt: skip
    for claim in claims:
        _note(scope, claim, "ask_status", reason, submission_id=submission.id, now=now)
    jobs.defer(
        "claims.send_submission", scope, queueing_lock=f"send:{submission.id}",
        submission_id=submission.id,
    )  # fmt: skip
    return submission


def file_status(*, scope: Scope, file: InboundFile, part: TransactionSet, now: datetime) -> bool:
    """File what a 277 says of our questions. :return: whether it was about any"""
    known = False
    for answer in read_277(part):
        for said in answer.claims:
            for inquiry in _asked(scope, answer, said):
                known = _file(scope, file, inquiry, answer.payer.last, said, now=now) or known
    return known


def file_benefits(*, scope: Scope, file: InboundFile, part: TransactionSet, now: datetime) -> None:
    """
    Bring a 271 to coverage, which asked; a file in doubt that it answers did arrive.

    A file with an answer to nothing that was asked here is parked, whatever else it answers: somebody should look.
    """
    came = coverage.receive_answers(scope=scope, part=part, now=now)
    for submission in Submission.objects.visible_to(scope).filter(id__in=came.file_ids):
        settle_by_answer(scope=scope, submission=submission, now=now)
    if came.unknown:
        file.outcome, file.detail = "parked", f"unknown-trace:{came.unknown}"
        InboundFile.objects.visible_to(scope).filter(id=file.id).update(outcome=file.outcome, detail=file.detail)


def turn_away(
    *, scope: Scope, file: InboundFile, submission: Submission, code: str, now: datetime
) -> None:
    """File that questions were refused for their form. :param code: as acknowledgements have it: `999:R`"""
    coverage.refuse_file(scope=scope, file_id=submission.id, code=code, now=now)
    said = ClaimStatus(trace="", statuses=())
    for inquiry in StatusInquiry.objects.visible_to(scope).filter(submission_id=submission.id):
        _file(scope, file, inquiry, "", said, now=now, refused=code)


def _asked(scope: Scope, answer: StatusAnswer, said: ClaimStatus) -> list[StatusInquiry]:
    """The questions that a status answers: by our trace; of a whole request by the file's own number."""
    rows = StatusInquiry.objects.visible_to(scope)
    if answer.subscriber is None:
        whole = Submission.objects.visible_to(scope).filter(batch_id=said.trace).first()
        return list(rows.filter(submission_id=whole.id)) if whole is not None else []
    exact = rows.filter(trace=said.trace.strip().upper()).first()
    if exact is not None:
        return [exact]
    ours = {said.trace, *(one.value for one in said.references if one.kind == "EJ")}
    latest = (
        rows.filter(claim__control_number__in=[one.strip().upper() for one in ours])
        .order_by("-asked_at")
        .first()
    )
    return [latest] if latest is not None else []


def _file(
    scope: Scope, file: InboundFile, inquiry: StatusInquiry, source: str, said: ClaimStatus, *,
    now: datetime, refused: str = "",
) -> bool:  # fmt: skip
    claim = queries.get_claim(scope=scope, claim_id=inquiry.claim_id, lock=True)
    if (
        ToldStatus.objects.visible_to(scope)
        .filter(inbound_file_id=file.id, inquiry_id=inquiry.id)
        .exists()
    ):
        return True
    standing = "request_refused" if refused else said.standing
    newest = max(said.statuses, key=lambda one: one.on or date.min, default=Status(()))
    ToldStatus.objects.create(
        practice_id=scope.practice_id, inquiry=inquiry, claim=claim, inbound_file=file, standing=standing,
        codes=[
            {"category": one.category, "code": one.code, "entity": one.entity}
            for status in said.statuses
            for one in status.reasons
        ][:50] or [{"category": refused, "code": "", "entity": ""}],
        effective_on=newest.on, charge_cents=_cents(newest.charge), paid_cents=_cents(newest.paid),
        paid_on=newest.paid_on, payment_number=newest.payment_number[:50],
        payer_claim_number=said.payer_claim_number[:50], source=source[:60], received_at=now,
    )  # fmt: skip
    reason = newest.reasons[0] if newest.reasons else None
    detail = refused or (f"277:{reason.category}:{reason.code}" if reason else "277")
    if queries.asked_before_last_send(scope=scope, inquiry=inquiry):
        # It speaks of an earlier file of the claim: kept, and nothing follows from it.
        _note(
            scope,
            claim,
            "status_told",
            f"{detail}:old",
            submission_id=inquiry.submission_id,
            now=now,
        )
        return True
    _note(scope, claim, "status_told", detail, submission_id=inquiry.submission_id, now=now)
    if said.payer_claim_number and said.payer_claim_number != claim.payer_claim_number:
        Claim.objects.visible_to(scope).filter(id=claim.id).update(
            payer_claim_number=said.payer_claim_number[:50]
        )
    action = rules.move_for(standing, claim.state)
    event = events.CLAIM_STATUS_TOLD
    if action is Action.ACCEPT and (sent := queries.latest_submission(scope=scope, claim_id=claim.id)) is not None:
        turn_up_taken(scope=scope, claim_id=claim.id, submission_id=sent.id, detail=detail, now=now)
        claim.refresh_from_db()
    if action is not None and claim.allows(action):
        claim.move(
            action, by=scope.actor_id, at=now, detail=detail, submission_id=inquiry.submission_id
        )
        event = _EVENTS[action]
    _tell_somebody(scope, claim, standing, detail, rejected=action is Action.REJECT, now=now)
    emit(
        event, scope=scope, object_type="claim", object_id=claim.id, version=claim.version, now=now,
        changed=["state"] if action is not None else ["status_inquiries"],
    )  # fmt: skip
    return True


def _tell_somebody(
    scope: Scope, claim: Claim, standing: str, code: str, *, rejected: bool, now: datetime
) -> None:
    """Put a claim on the work list where an answer asks for a person, or take it off where it does not."""
    if rejected:
        open_work(scope=scope, kind=WorkKind.REJECTED, claim_ids=[claim.id], code=code, now=now)
    elif standing in rules.ASKS_FOR_SOMEBODY and claim.state in (*rules.WAITING, ClaimState.UNKNOWN):
        open_work(scope=scope, kind=WorkKind.STATUS, claim_ids=[claim.id], code=f"{code}:{standing}", now=now)
    elif standing not in rules.SAYS_NOTHING:
        settle_work(scope=scope, kinds=[WorkKind.STATUS], claim_ids=[claim.id], how=code, now=now)


def _cents(value: Decimal | None) -> int | None:
    """Return dollars in cents; None for what is no money."""
    try:
        return None if value is None else Money.from_decimal(value).cents
    except NotMoney:
        return None


def _note(
    scope: Scope, claim: Claim, action: str, detail: str, *, submission_id: UUID, now: datetime
) -> None:
    """Add to the claim's history what is no move."""
    ClaimHistory.objects.create(
        practice_id=scope.practice_id, claim=claim, action=action, state=claim.state, by=scope.actor_id,
        at=now, detail=detail[:80], submission_id=submission_id,
    )  # fmt: skip
