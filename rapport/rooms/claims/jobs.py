"""Work of this room that waits for the outside. No call is made inside a transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone

from rapport.platform.access.scope import Scope, system_scope
from rapport.platform.db import sql
from rapport.platform.db.crashpoints import Crashpoint, crashpoint
from rapport.platform.db.session import entered
from rapport.platform.jobs import registry as jobs
from rapport.rooms.coverage import services as coverage

from . import queries, services
from .models import Channel, Submission
from .ports import Clearinghouse, Sent
from .services.channels import open_secret
from .states import SubmissionState

OPEN = (SubmissionState.READY, SubmissionState.SENDING, SubmissionState.IN_DOUBT)
"""Not settled: something remains to be done."""

Supplier = Callable[[Mapping[str, object], str], Clearinghouse]
"""Channel settings and secret -> driver."""

_suppliers: dict[str, Supplier] = {}


def supply(kind: str, supplier: Supplier) -> None:
    """Name the driver of a kind of channel. Called by `config.wiring`."""
    _suppliers[kind] = supplier


def _driver(kind: str, settings: Mapping[str, object], secret: str) -> Clearinghouse:
    return _suppliers[kind](settings, secret)


coverage.supply_inquiries(services.ChannelInquiries(_driver))


@jobs.task("claims.send_submission", retries=10, outside=True)
def send_submission(*, scope: Scope, submission_id: UUID) -> None:
    """
    Hand one file over, or find out what became of an earlier try.

    Ends in one of four ways; `later` and `in doubt` run this again after a while.
    """
    with entered(scope):
        sending = services.begin_sending(
            scope=scope, submission_id=submission_id, now=timezone.now()
        )
    if sending is None:
        return
    driver = _driver(sending.channel_kind, sending.channel_settings, sending.channel_secret)
    if sending.ask_first:
        found = driver.find(name=sending.name, key=sending.key, sha256=sending.sha256)
        with entered(scope):
            submission = services.resolve_doubt(
                scope=scope, sending=sending, answer=found, now=timezone.now()
            )
            _again(scope, submission)
        return
    crashpoint(Crashpoint.CLAIM_BEFORE_SEND)
    answer = driver.send(file=sending.file, name=sending.name, key=sending.key)
    crashpoint(Crashpoint.CLAIM_AFTER_SEND)
    with entered(scope):
        submission = services.record_answer(
            scope=scope, sending=sending, answer=answer, now=timezone.now()
        )
        if submission is not None and isinstance(answer, Sent) and answer.reply is not None:
            services.receive_file(
                scope=scope, channel_id=submission.channel_id, arrived=answer.reply, now=timezone.now()
            )
        _again(scope, submission)
        crashpoint(Crashpoint.CLAIM_BEFORE_MARK_COMMIT)
    crashpoint(Crashpoint.CLAIM_AFTER_MARK)


@jobs.task("claims.make_batch", retries=10, outside=True)
def make_batch(*, scope: Scope, claim_batch_id: UUID) -> None:
    """Put a batch's claims into its file, set by set. Each set is kept by itself: killed, it goes on from there."""
    more = True
    while more:
        with entered(scope):
            more = services.make_set(scope=scope, batch_id=claim_batch_id, now=timezone.now())
        crashpoint(Crashpoint.BATCH_SET_KEPT)
    with entered(scope):
        services.finish_batch(scope=scope, batch_id=claim_batch_id, now=timezone.now())


@jobs.task("claims.warn_of_limits")
def warn_of_limits(*, scope: Scope) -> dict[str, int]:
    """Tell of the claims of a practice whose time runs out."""
    return {"claims": services.warn_of_limits(scope=scope, now=timezone.now())}


@jobs.periodic("claims.limits", seconds=3600)
def look_at_limits() -> None:
    """Ask for each practice with a claim whose payer's time limit comes near somewhere on earth."""
    with transaction.atomic():
        practices = sql.rows("SELECT practice_id, time_zone FROM rapport_filing_practices()")
    for practice_id, zone in practices:
        scope = system_scope(practice_id=practice_id, actor_id=practice_id, time_zone=ZoneInfo(zone))
        with entered(scope):
            jobs.defer("claims.warn_of_limits", scope, queueing_lock="limits")


def _again(scope: Scope, submission: Submission | None) -> None:
    """Ask for another run, when the submission is not settled."""
    if submission is None or submission.state not in OPEN:
        return
    wait = timedelta(seconds=1)
    if submission.retry_at is not None:
        wait = max(wait, submission.retry_at - timezone.now() + wait)
    jobs.defer(
        "claims.send_submission", scope, queueing_lock=f"send:{submission.id}", schedule_in=wait,
        submission_id=submission.id,
    )  # fmt: skip


@jobs.task("claims.fetch_answers", retries=2, outside=True)
def fetch_answers(*, scope: Scope, channel_id: UUID) -> None:
    """Fetch what a channel has for us, file by file; each is kept and read in one transaction."""
    with entered(scope):
        channel = queries.get_channel(scope=scope, channel_id=channel_id)
        if not channel.active or channel.kind not in _suppliers:
            return
        driver = _driver(channel.kind, channel.settings, open_secret(channel))
        cursor = channel.inbound_cursor
    while True:
        files, after = driver.list_inbound(after=cursor)
        for file in files:
            with entered(scope):
                services.receive_file(
                    scope=scope, channel_id=channel_id, arrived=file, now=timezone.now()
                )
        with entered(scope):
            Channel.objects.visible_to(scope).filter(id=channel_id).update(
                inbound_cursor=after, last_fetched_at=timezone.now()
            )
        if not files:
            return
        cursor = after


def _practices() -> list[UUID]:
    """The practices that have a channel."""
    with transaction.atomic():
        return [row[0] for row in sql.rows("SELECT practice_id FROM rapport_channel_practices()")]


@jobs.periodic("claims.poll", seconds=5)
def poll() -> None:
    """Ask every active channel for answers, and take up sends that a dead worker left open."""
    for practice_id in _practices():
        scope = system_scope(practice_id=practice_id, actor_id=practice_id, time_zone=ZoneInfo("UTC"))
        with entered(scope):
            now = timezone.now()
            channels = Channel.objects.visible_to(scope).filter(active=True, kind__in=list(_suppliers))
            for channel in channels:
                jobs.defer(
                    "claims.fetch_answers", scope, queueing_lock=f"fetch:{channel.id}",
                    channel_id=channel.id,
                )  # fmt: skip
            for submission in queries.open_submissions(scope=scope):
                if submission.leased_until is None or submission.leased_until < now:
                    _again(scope, submission)


@jobs.task("claims.inquire_due")
def inquire_due(*, scope: Scope, now: datetime) -> dict[str, int]:
    """Ask payers for a practice's claims of which no decision came in time."""
    return {"asked": services.inquire_what_is_due(scope=scope, now=now)}


@jobs.periodic("claims.inquire", seconds=3600)
def inquire() -> None:
    """Have every practice that has a channel ask for what is due."""
    for practice_id in _practices():
        scope = system_scope(practice_id=practice_id, actor_id=practice_id, time_zone=ZoneInfo("UTC"))
        with entered(scope):
            jobs.defer("claims.inquire_due", scope, queueing_lock=f"inquire:{practice_id}")
