"""
Asking payers about many policies by file (270), and taking what comes back (271) hours later.

A file is noted with all that it asks and handed to claims in the same transaction; claims sends it once, as it
sends claims. Each question has a trace of its own, by which its answer is found in whatever file and order it comes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from uuid import UUID

from rapport.kernel.ids import new_uuid
from rapport.kernel.problems import StateConflict
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.protocols.x12 import elig270, elig271
from rapport.protocols.x12.check import check_bytes
from rapport.protocols.x12.envelope import Address, Numbers, TransactionSet, interchange
from rapport.rooms.coverage import queries
from rapport.rooms.coverage.models import EligibilityCheck, EligibilityExchange, EligibilityFile
from rapport.rooms.coverage.ports import NumbersUsedUp, Whereabouts
from rapport.rooms.coverage.states import CheckState

from . import eligibility as asking

MOST = 99
"""Patients in one file: the guide's limit for a batch (005010X279, 1.4)."""
ANSWER_WITHIN = timedelta(hours=24)
"""After that an answer is late. Most payers answer a file over night."""
GIVEN_UP_AFTER = timedelta(days=5)
"""After that none is awaited any more: the policy may be asked about again. One that comes all the same is taken."""


def make_files(*, scope: Scope, now: datetime) -> int:
    """
    Put the checks that wait for one into files, each of one payer.

    A check that the guide has something against ends here, so that no payer turns away the others with it.

    :return: how many files
    """
    waiting = queries.waiting_for_file(scope=scope, now=now)
    made = 0
    for (channel_id, _), group in groupby(waiting, key=lambda one: (one.channel_id, one.payer_id)):
        checks = list(group)
        for first in range(0, len(checks), MOST):
            made += _make_file(scope, channel_id, checks[first : first + MOST], now=now)
    return made


def _make_file(scope: Scope, channel_id: UUID, checks: Sequence[EligibilityCheck], *, now: datetime) -> bool:
    at = now.astimezone(scope.time_zone)
    before = queries.exchanges_of(scope=scope, check_ids=[one.id for one in checks])
    asked: list[tuple[EligibilityCheck, int, elig270.Inquiry]] = []
    for check in checks:
        number = len(before[check.id]) + 1
        policy = queries.get_policy(scope=scope, policy_id=check.policy_id)
        question = asking.question_of(scope=scope, check=check, policy=policy, trace=_trace(check, number))
        fault = _fault(question, at=at)
        if fault:
            asking.end(scope=scope, check=check, state=CheckState.REFUSED, code=f"guide:{fault}", now=now)
        else:
            asked.append((check, number, question))
    if not asked:
        return False
    id, reference = new_uuid(), asking.opaque("E")
    body = elig270.write([question for _, _, question in asked], reference=reference, at=at)
    try:
        taken = asking.ways[0].hand_in(
            scope=scope, channel_id=channel_id, id=id, segments=body.segments, reference=reference,
            substitutions=body.substitutions, now=now,
        )  # fmt: skip
        code = "channel-inactive"
    except NumbersUsedUp as problem:
        taken, code = False, problem.code
    if not taken:
        for check, _, _ in asked:
            asking.end(scope=scope, check=check, state=CheckState.REFUSED, code=code, now=now)
        return False
    due = now + ANSWER_WITHIN
    file = EligibilityFile(
        id=id, practice_id=scope.practice_id, channel_id=channel_id, payer_id=asked[0][0].payer_id,
        reference=reference, created_at=now, answer_by=due,
    )  # fmt: skip
    file.save(force_insert=True)
    EligibilityExchange.objects.bulk_create(
        EligibilityExchange(
            practice_id=scope.practice_id, check_of=check, number=number, file=file, key=question.trace, tries=1,
            created_at=now,
        )
        for check, number, question in asked
    )  # fmt: skip
    for check, _, _ in asked:
        check.move(CheckState.ASKED, now=now, retry_at=None, answer_by=due)
    return True


def _trace(check: EligibilityCheck, number: int) -> str:
    """Return TRN02 of a check's question: a later one has another, so that no answer is taken for its predecessor's."""
    return check.trace if number == 1 else f"{check.trace}N{number}"


def _fault(question: elig270.Inquiry, *, at: datetime) -> str:
    """Return the rule that a question breaks by itself; empty: none."""
    body = elig270.write([question], reference="1", at=at)
    alone = interchange(
        [("270", body.segments)], sender=Address("ZZ", "1"), receiver=Address("ZZ", "1"),
        numbers=Numbers(1, 1, 1), at=at, usage="T",
    )  # fmt: skip
    return next((one.rule for one in check_bytes(b"".join(alone)).findings if one.severity == "error"), "")


@dataclass(frozen=True, slots=True)
class Came:
    """What one transaction set of answers was about."""

    file_ids: frozenset[UUID]
    """Our files that it answers."""
    unknown: int
    """Answers to nothing that was asked here."""


def receive_answers(*, scope: Scope, part: TransactionSet, now: datetime) -> Came:
    """
    Take what a 271 says, answer by answer, for the question whose trace it gives back.

    The first answer to a question stands; the same again changes nothing. An answer that refuses before it looks at
    anybody carries no trace: it is of all questions of its file that nothing else was said of.
    """
    said = list(elig271.read(part))
    keys = {trace for one in said for trace in one.traces}
    here = {row.key: row for row in queries.asked_in_files(scope=scope, keys=keys)}
    files: set[UUID] = set()
    unknown = 0
    whole: list[elig271.Answer] = []
    for one in said:
        row = next((here[trace] for trace in one.traces if trace in here), None)
        if row is not None and row.file_id is not None:
            files.add(row.file_id)
            _take(scope, row, one, part, now=now)
        elif one.subscriber is None and not one.traces:
            whole.append(one)
        elif not _told_below(one, said):
            unknown += 1
    for one in whole:
        file = EligibilityFile.objects.visible_to(scope).filter(reference=one.reference).first()
        if file is None or not one.refusals:
            unknown += 1
            continue
        files.add(file.id)
        for row in EligibilityExchange.objects.visible_to(scope).filter(file_id=file.id, outcome=""):
            _take(scope, row, one, part, now=now)
    return Came(frozenset(files), unknown)


def _told_below(one: elig271.Answer, said: Sequence[elig271.Answer]) -> bool:
    """Whether an answer tells a subscriber's own benefits, beside those of the dependant who was asked about."""
    return one.dependant is None and any(
        other.dependant is not None and other.subscriber == one.subscriber for other in said
    )


def _take(
    scope: Scope, row: EligibilityExchange, one: elig271.Answer, part: TransactionSet, *, now: datetime
) -> None:
    check = queries.get_check(scope=scope, check_id=row.check_of_id, lock=True)
    exchange = EligibilityExchange.objects.visible_to(scope).get(id=row.id)
    if exchange.outcome and exchange.response_blob_key:
        return
    asking.take(
        scope=scope, check=check, exchange=exchange, said=one,
        data=_excerpt(one, part, now=now.astimezone(scope.time_zone)), now=now,
    )  # fmt: skip


def _excerpt(one: elig271.Answer, part: TransactionSet, *, now: datetime) -> bytes:
    """Return an answer without those about other people that came with it, under the file's numbers."""
    head = part.envelope
    numbers = Numbers(*(int(text) if text.isdecimal() else 0 for text in (head.interchange, head.group, part.st.get(2))))
    return b"".join(
        interchange(
            [("271", elig271.alone(part, one))], sender=Address("ZZ", head.sender),
            receiver=Address("ZZ", head.receiver), numbers=numbers, at=now, usage=head.usage or "P",
            version=head.version, delimiters=part.st.delimiters,
        )
    )  # fmt: skip


def refuse_file(*, scope: Scope, file_id: UUID, code: str, now: datetime) -> None:
    """
    End the checks of a file that was turned away (TA1, 999) or refused by the clearinghouse: the payer was not asked.

    What was answered already stays so.

    :param code: `999:R`, `TA1:R:025`, or a driver's
    """
    rows = EligibilityExchange.objects.visible_to(scope).filter(file_id=file_id, outcome="").order_by("id")
    for row in rows:
        check = queries.get_check(scope=scope, check_id=row.check_of_id, lock=True)
        EligibilityExchange.objects.visible_to(scope).filter(id=row.id).update(outcome=code[:60])
        if check.state == CheckState.ASKED:
            asking.end(scope=scope, check=check, state=CheckState.REFUSED, code=code, now=now)


def give_up(*, scope: Scope, check_id: UUID, now: datetime) -> EligibilityCheck:
    """
    Await an answer no longer that is late: somebody says so, since it may mean to ask and pay again.

    :raises StateConflict: it is not in a file, has ended, or is not late yet
    """
    scope.require(Permission.POLICIES_WRITE)
    check = queries.get_check(scope=scope, check_id=check_id, lock=True)
    if check.state != CheckState.ASKED or check.answer_by is None or check.answer_by > now:
        raise StateConflict(
            "Only an answer to a file that is late can be given up.", current_state=check.state,
            allowed_from=[CheckState.ASKED.value],
        )  # fmt: skip
    asking.end(scope=scope, check=check, state=CheckState.UNANSWERED, code="given-up", now=now)
    scope.trail.target("eligibility_check", check.id, check.version)
    return check


def give_up_what_is_lost(*, scope: Scope, now: datetime) -> int:
    """
    End the checks of files that were not answered in days. A file that still waits to be sent is not lost.

    :return: how many checks
    """
    late = queries.late_checks(scope=scope, before=now - (GIVEN_UP_AFTER - ANSWER_WITHIN))
    files = queries.latest_file_of(scope=scope, check_ids=[one.id for one in late])
    where = whereabouts(scope=scope, file_ids=list(set(files.values())))
    ended = 0
    for check in late:
        place = where.get(files[check.id])
        if place is not None and place.state in ("ready", "sending"):
            continue
        asking.end(scope=scope, check=check, state=CheckState.UNANSWERED, code="no-answer", now=now)
        ended += 1
    return ended


def whereabouts(*, scope: Scope, file_ids: Sequence[UUID]) -> Mapping[UUID, Whereabouts]:
    """Return where files of questions are, as claims knows, which sends them."""
    return asking.ways[0].whereabouts(scope=scope, ids=file_ids) if asking.ways and file_ids else {}
