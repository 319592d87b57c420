"""
Asking payers about policies: noted, asked outside of any transaction, and what came of it written down.

What is asked by file is noted here, and leaves by `eligibility_files`. At once: begin (commit) -> the channel -> record
(commit). A question changes nothing at the payer: where the other side knows it by its key, it is handed over again after
a lost reply; where not, somebody asks anew. An answer that the payer cannot give now is asked for anew, a few times.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from rapport.kernel.ids import new_uuid
from rapport.kernel.problems import Conflict, FieldError, Invalid
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.blobs.store import default_store
from rapport.platform.jobs import registry as jobs
from rapport.platform.outbox.emit import emit
from rapport.platform.tenancy import queries as tenancy
from rapport.protocols.x12 import benefits, elig270, elig271
from rapport.protocols.x12.envelope import TransactionSet, transaction_sets
from rapport.protocols.x12.syntax import NotX12, read
from rapport.rooms.coverage import events, mapping, queries
from rapport.rooms.coverage.models import EligibilityCheck, EligibilityExchange, Payer, Policy
from rapport.rooms.coverage.models.eligibility import UNDER_WAY
from rapport.rooms.coverage.ports import Answered, InDoubt, Inquiries, Later, Refused
from rapport.rooms.coverage.rules import eligibility as rules
from rapport.rooms.coverage.states import CheckReason, CheckState, PayerKind
from rapport.rooms.roster import queries as roster

LEASE = timedelta(seconds=90)
"""Longer than any driver waits. A worker that is silent for longer is taken for dead."""
DOUBT_RETRY = timedelta(seconds=30)
TRIES = 6
"""How often one file is handed over before the check is given up."""
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

_ENDED = {
    CheckState.ANSWERED: events.ELIGIBILITY_ANSWERED, CheckState.REFUSED: events.ELIGIBILITY_REFUSED,
    CheckState.UNANSWERED: events.ELIGIBILITY_UNANSWERED,
}  # fmt: skip

ways: list[Inquiries] = []


class NoWayToAsk(Conflict):
    code = "no-channel"
    title = "The practice has no channel through which payers can be asked."


def supply_inquiries(way: Inquiries) -> None:
    """Name the way to the payers. Called by claims when it is loaded."""
    ways[:] = [way]


def opaque(prefix: str) -> str:
    """Return a number that says nothing: 80 random bits."""
    return prefix + "".join(secrets.choice(_LETTERS) for _ in range(16))


def request_check(
    *, scope: Scope, policy_id: UUID, now: datetime, service_on: date | None = None,
    service_types: Sequence[str] = elig270.MENTAL_HEALTH, reason: CheckReason = CheckReason.ASKED,
) -> EligibilityCheck:  # fmt: skip
    """
    Ask a policy's payer what it covers. A job hands the 270 over: it is made and kept here, or put into a file there.

    Where a check of the policy is under way already, that one is returned.

    :param service_on: the day that is asked for; None: today
    :raises NotFound: no such policy for this actor
    :raises NoWayToAsk: no channel of the practice takes questions
    :raises Invalid: the policy's payer is no insurance, or has no id at a clearinghouse
    """
    scope.require(Permission.POLICIES_WRITE)
    policy = queries.get_policy(scope=scope, policy_id=policy_id)
    # The patient's row is the lock: checks of one policy are made one after the other.
    roster.get_patient(scope=scope, patient_id=policy.patient_id, lock=True)
    known = _under_way(scope, policy.id)
    if known is not None:
        scope.trail.target("eligibility_check", known.id, known.version)
        return known
    payer = queries.get_payer(scope=scope, payer_id=policy.payer_id)
    if payer.kind != PayerKind.INSURANCE:
        raise Invalid(
            "1 field is not valid.",
            errors=(FieldError("/payer/kind", "billed-by-invoice", "Only insurances are asked by 270."),),
        )
    if not payer.payer_id_code:
        raise Invalid(
            "1 field is not valid.",
            errors=(FieldError("/payer/payer_id_code", "required", "Give the payer its id first."),),
        )
    way = ways[0].way(scope=scope, asked_by=payer.eligibility_by) if ways else None
    if way is None:
        raise NoWayToAsk("Add a channel to a clearinghouse that answers at once, or takes files of questions.")
    check = EligibilityCheck(
        practice_id=scope.practice_id, patient_id=policy.patient_id, policy=policy, payer=payer,
        channel_id=way.channel_id, by_file=way.by_file, reason=reason.value, service_on=service_on or scope.day_of(now),
        service_types=list(service_types), trace=opaque("RE"), state=CheckState.QUEUED.value,
        created_at=now, updated_at=now,
    )  # fmt: skip
    check.save(force_insert=True)
    if not way.by_file:
        _make_exchange(scope, check, policy, number=1, now=now)
    scope.trail.patient_ids.add(policy.patient_id)
    scope.trail.target("eligibility_check", check.id, check.version)
    _defer(scope, check)
    return check


def asks_by_file(*, scope: Scope) -> Callable[[Payer], bool]:
    """Return what tells of a payer whether a question to it would leave in a file."""
    known: dict[str, bool] = {}

    def tell(payer: Payer) -> bool:
        asked_by = payer.eligibility_by
        if asked_by not in known:
            way = ways[0].way(scope=scope, asked_by=asked_by) if ways else None
            known[asked_by] = way is not None and way.by_file
        return known[asked_by]

    return tell


def _under_way(scope: Scope, policy_id: UUID) -> EligibilityCheck | None:
    rows = EligibilityCheck.objects.visible_to(scope).filter(policy_id=policy_id, state__in=UNDER_WAY)
    row: EligibilityCheck | None = rows.first()
    return row


def question_of(*, scope: Scope, check: EligibilityCheck, policy: Policy, trace: str) -> elig270.Inquiry:
    """Return what a check asks, from the rows as they are now."""
    return mapping.inquiry(
        policy=policy, on=check.service_on, trace=trace, service_types=check.service_types,
        patient=roster.get_patient(scope=scope, patient_id=check.patient_id),
        payer=queries.get_payer(scope=scope, payer_id=check.payer_id),
        practice=tenancy.get_practice(scope=scope),
    )  # fmt: skip


def _make_exchange(
    scope: Scope, check: EligibilityCheck, policy: Policy, *, number: int, now: datetime
) -> None:
    """Make the 270 and keep it. From here on it does not change."""
    at = now.astimezone(scope.time_zone)
    asked = question_of(scope=scope, check=check, policy=policy, trace=check.trace)
    body = elig270.write([asked], reference=opaque("E"), at=at)
    data = ways[0].envelope(
        scope=scope, channel_id=check.channel_id, kind="270", segments=body.segments, at=at
    )
    id = new_uuid()
    ref = default_store().put(data=data, aad=queries.place(scope=scope, exchange_id=id, side="request"))
    EligibilityExchange(
        id=id, practice_id=scope.practice_id, check_of=check, number=number, key=f"{check.trace}-{number}",
        request_blob_key=ref.key, request_sha256=ref.sha256, created_at=now,
    ).save(force_insert=True)  # fmt: skip


def take_up(*, scope: Scope, check: EligibilityCheck) -> None:
    """Let a worker have a check that is due."""
    _defer(scope, check)


def _defer(scope: Scope, check: EligibilityCheck, *, wait: timedelta | None = None) -> None:
    if check.by_file:
        # One that is to wait holds back none that need not.
        once = f"eligibility-files:{check.id}" if wait else "eligibility-files"
        jobs.defer("coverage.ask_by_file", scope, lock="eligibility-files", queueing_lock=once, schedule_in=wait)
        return
    jobs.defer(
        "coverage.ask_eligibility", scope, queueing_lock=f"eligibility:{check.id}", schedule_in=wait,
        check_id=check.id,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asking:
    """What a worker needs to ask, outside any transaction."""

    check_id: UUID
    exchange_id: UUID
    fence: int
    channel_id: UUID
    file: bytes
    key: str

    def send(self, scope: Scope) -> Answered | Refused | Later | InDoubt:
        """Hand the question over, and wait."""
        return ways[0].ask(scope=scope, channel_id=self.channel_id, file=self.file, key=self.key)


def begin_asking(*, scope: Scope, check_id: UUID, now: datetime) -> Asking | None:
    """
    Take a check for asking, and write that down. Commit before calling the channel.

    :return: None when there is nothing to do: answered, given up, not yet due, or another is at it
    """
    check = queries.get_check(scope=scope, check_id=check_id, lock=True)
    if check.state not in UNDER_WAY or check.by_file or (check.retry_at and check.retry_at > now):
        return None
    if check.leased_until and check.leased_until > now:
        return None
    exchange = queries.latest_exchange(scope=scope, check_id=check.id)
    if check.state == CheckState.ASKING and not ways[0].asks_again(scope=scope, channel_id=check.channel_id):
        # A worker died while it asked: the payer may have been asked, and it may have cost something.
        end(scope=scope, check=check, state=CheckState.UNANSWERED, code="in-doubt", now=now)
        return None
    if exchange.outcome:  # the payer answered that it cannot answer now: another question is made
        exchange_number = exchange.number + 1
        policy = queries.get_policy(scope=scope, policy_id=check.policy_id)
        _make_exchange(scope, check, policy, number=exchange_number, now=now)
        exchange = queries.latest_exchange(scope=scope, check_id=check.id)
    EligibilityExchange.objects.visible_to(scope).filter(id=exchange.id).update(tries=exchange.tries + 1)
    check.fence += 1
    check.move(CheckState.ASKING, now=now, leased_until=now + LEASE, retry_at=None)
    file = default_store().get(
        key=exchange.request_blob_key, aad=queries.place(scope=scope, exchange_id=exchange.id, side="request"),
        digest=exchange.request_sha256,
    )  # fmt: skip
    return Asking(check.id, exchange.id, check.fence, check.channel_id, file, exchange.key)


def record_answer(
    *, scope: Scope, asking: Asking, answer: Answered | Refused | Later | InDoubt, now: datetime
) -> EligibilityCheck | None:
    """
    Write down what came of a question.

    :return: None when another worker has taken the check since: then nothing is written
    """
    check = queries.get_check(scope=scope, check_id=asking.check_id, lock=True)
    if check.fence != asking.fence or check.state != CheckState.ASKING:
        return None
    exchange = EligibilityExchange.objects.visible_to(scope).get(id=asking.exchange_id)
    if isinstance(answer, Answered):
        _read(scope, check, exchange, answer.data, now=now)
    elif isinstance(answer, Refused):
        end(scope=scope, check=check, state=CheckState.REFUSED, code=answer.reason_code, now=now)
    elif isinstance(answer, InDoubt) and not ways[0].asks_again(scope=scope, channel_id=check.channel_id):
        end(scope=scope, check=check, state=CheckState.UNANSWERED, code="in-doubt", now=now)
    elif exchange.tries >= TRIES:
        end(scope=scope, check=check, state=CheckState.UNANSWERED, code="no-answer", now=now)
    else:
        doubt = isinstance(answer, InDoubt)
        wait = DOUBT_RETRY if doubt else timedelta(seconds=answer.retry_after_seconds)  # type: ignore[union-attr]  # it is the other one
        _wait(scope, check, wait, code="in-doubt" if doubt else "later", now=now)
    return check


def _read(
    scope: Scope, check: EligibilityCheck, exchange: EligibilityExchange, data: bytes, *, now: datetime
) -> None:
    """Take from an answer that came at once what it says of the question."""
    said = _answer_in(data, check.trace)
    if said is not None:
        take(scope=scope, check=check, exchange=exchange, said=said, data=data, now=now)
    else:
        code = _why_not(data)
        keep_response(scope=scope, exchange=exchange, data=data, outcome=code, now=now)
        end(scope=scope, check=check, state=CheckState.UNANSWERED, code=code, now=now)


def keep_response(
    *, scope: Scope, exchange: EligibilityExchange, data: bytes, outcome: str, now: datetime
) -> None:
    """Keep what came back as it came. Once: a trigger refuses another."""
    ref = default_store().put(data=data, aad=queries.place(scope=scope, exchange_id=exchange.id, side="response"))
    EligibilityExchange.objects.visible_to(scope).filter(id=exchange.id).update(
        response_blob_key=ref.key, response_sha256=ref.sha256, outcome=outcome, answered_at=now
    )


def take(
    *, scope: Scope, check: EligibilityCheck, exchange: EligibilityExchange, said: elig271.Answer, data: bytes,
    now: datetime,
) -> None:  # fmt: skip
    """
    Keep an answer to a question as it came, and take from it what it says.

    Of a check that has ended, only benefits are taken: nobody is asked again for it.
    """
    refusals = said.refusals
    told = said.outcome == "answered"
    code = "answered" if told else refusals[0].reason if refusals else "empty"
    keep_response(scope=scope, exchange=exchange, data=data, outcome=code, now=now)
    if check.state not in UNDER_WAY and not told:
        return
    check.refusals = rules.refused(refusals)
    if told:
        check.snapshot = rules.snapshot(benefits.summary(said, on=check.service_on))
        check.answered_at = now
        end(scope=scope, check=check, state=CheckState.ANSWERED, code="", now=now)
        return
    wait = rules.again_in(refusals, answers=exchange.number)
    if wait is not None:
        _wait(scope, check, wait, code=f"aaa:{code}", now=now)
    else:
        end(scope=scope, check=check, state=CheckState.REFUSED, code=f"aaa:{code}", now=now)


def _why_not(data: bytes) -> str:
    """Return why a file is no answer: `not-taken` when it says that the question was not right, else `unreadable`."""
    try:
        parts = list(transaction_sets(read(data)))
    except NotX12:
        return "unreadable"
    kinds = {part.kind if isinstance(part, TransactionSet) else part.tag for part in parts}
    return "not-taken" if kinds & {"TA1", "999"} else "unreadable"


def _answer_in(data: bytes, trace: str) -> elig271.Answer | None:
    """Return what a file says of our question; None: it cannot be read, or speaks of something else."""
    try:
        parts = list(transaction_sets(read(data)))
    except NotX12:
        return None
    found = [
        answer
        for part in parts
        if isinstance(part, TransactionSet) and part.kind == "271"
        for answer in elig271.read(part)
    ]
    mine = [answer for answer in found if trace in answer.traces]
    # A refusal from above the patient carries no trace; it is ours when it is all there is.
    return mine[0] if mine else found[0] if len(found) == 1 and not found[0].traces else None


def _wait(scope: Scope, check: EligibilityCheck, wait: timedelta, *, code: str, now: datetime) -> None:
    check.move(CheckState.QUEUED, now=now, leased_until=None, retry_at=now + wait, last_code=code)
    _defer(scope, check, wait=wait + timedelta(seconds=1))


def end(*, scope: Scope, check: EligibilityCheck, state: CheckState, code: str, now: datetime) -> None:
    """Bring a check to its end, and tell of it."""
    check.move(state, now=now, leased_until=None, retry_at=None, last_code=code[:60])
    emit(
        _ENDED[state], scope=scope, object_type="eligibility_check", object_id=check.id,
        version=check.version, now=now,
    )  # fmt: skip
