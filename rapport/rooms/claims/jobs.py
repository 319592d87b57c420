"""Work of this room that waits for the outside. No call is made inside a transaction."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from uuid import UUID

from django.utils import timezone

from rapport.platform.access.scope import Scope
from rapport.platform.db.crashpoints import Crashpoint, crashpoint
from rapport.platform.db.session import entered
from rapport.platform.jobs import registry as jobs

from . import queries, services
from .models import Channel
from .ports import Clearinghouse, NotHeld
from .services.channels import open_secret

logger = logging.getLogger(__name__)

Supplier = Callable[[Mapping[str, object], str], Clearinghouse]
"""Channel settings and secret -> driver."""

_suppliers: dict[str, Supplier] = {}


def supply(kind: str, supplier: Supplier) -> None:
    """Name the driver of a kind of channel. Called by `config.wiring`."""
    _suppliers[kind] = supplier


def _driver(kind: str, settings: Mapping[str, object], secret: str) -> Clearinghouse:
    return _suppliers[kind](settings, secret)


@jobs.task("claims.send_submission", retries=20)
def send_submission(*, scope: Scope, submission_id: str) -> None:
    """
    Hand one file over, or find out what became of an earlier try.

    Ends in one of four ways; `later` and `in doubt` run this again after a while.
    """
    id = UUID(submission_id)
    with entered(scope):
        sending = services.begin_sending(scope=scope, submission_id=id, now=timezone.now())
    if sending is None:
        return
    driver = _driver(sending.channel_kind, sending.channel_settings, sending.channel_secret)
    if sending.ask_first:
        found = driver.find(name=sending.name, key=sending.key, sha256=sending.sha256)
        with entered(scope):
            services.resolve_doubt(scope=scope, sending=sending, answer=found, now=timezone.now())
            jobs.defer(
                "claims.send_submission", scope=scope, submission_id=submission_id,
                schedule_in=0 if isinstance(found, NotHeld) else 30,
            )  # fmt: skip
        return
    crashpoint(Crashpoint.CLAIM_BEFORE_SEND)
    answer = driver.send(file=sending.file, name=sending.name, key=sending.key)
    crashpoint(Crashpoint.CLAIM_AFTER_SEND)
    with entered(scope):
        submission = services.record_answer(
            scope=scope, sending=sending, answer=answer, now=timezone.now()
        )
        crashpoint(Crashpoint.CLAIM_BEFORE_MARK_COMMIT)
        if submission is not None and submission.retry_at is not None:
            wait = (submission.retry_at - timezone.now()).total_seconds()
            jobs.defer(
                "claims.send_submission", scope=scope, submission_id=submission_id,
                schedule_in=max(1, int(wait) + 1),
            )  # fmt: skip
    crashpoint(Crashpoint.CLAIM_AFTER_MARK)


@jobs.task("claims.fetch_answers", retries=3)
def fetch_answers(*, scope: Scope, channel_id: str) -> None:
    """Fetch what a channel has for us, file by file; each is kept and read in one transaction."""
    id = UUID(channel_id)
    with entered(scope):
        channel = queries.get_channel(scope=scope, channel_id=id)
        if not channel.active or channel.kind not in _suppliers:
            return
        driver = _driver(channel.kind, channel.settings, open_secret(channel))
        cursor = channel.inbound_cursor
    while True:
        files, after = driver.list_inbound(after=cursor)
        for file in files:
            with entered(scope):
                services.receive_file(scope=scope, channel_id=id, arrived=file, now=timezone.now())
        with entered(scope):
            Channel.objects.visible_to(scope).filter(id=id).update(
                inbound_cursor=after, last_fetched_at=timezone.now()
            )
        if not files:
            return
        cursor = after


@jobs.periodic("claims.poll", every_seconds=15)
def poll(*, scope: Scope) -> None:
    """For one practice: fetch the answers of its channels, and take up sends that were left open."""
    with entered(scope):
        channels = list(
            Channel.objects.visible_to(scope).filter(active=True, kind__in=list(_suppliers))
        )
        open_ids = [str(s.id) for s in queries.open_submissions(scope=scope)]
        for channel in channels:
            jobs.defer(
                "claims.fetch_answers", scope=scope, queueing_lock=f"fetch:{channel.id}",
                channel_id=str(channel.id),
            )  # fmt: skip
        for submission_id in open_ids:
            jobs.defer(
                "claims.send_submission", scope=scope, queueing_lock=f"send:{submission_id}",
                submission_id=submission_id,
            )  # fmt: skip
