"""
The relay: makes deliveries of events, and sends those that are due, at least once and in order.

Several may run, in any number of processes. One delivery is taken at a time, under a lease with a
fence: a relay that slept through its lease cannot write its answer over another's. Nothing is
held in the database while the other side takes its time.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connections
from django.utils import timezone

from rapport.kernel.ids import type_id
from rapport.platform.access.scope import Scope, system_scope
from rapport.platform.audit import write as audit
from rapport.platform.db import sql
from rapport.platform.db.crashpoints import Crashpoint, crashpoint
from rapport.platform.db.session import entered
from rapport.platform.net import guarded
from rapport.platform.telemetry import metrics
from rapport.protocols.webhooks import schedule, signing

from . import message, services

logger = logging.getLogger(__name__)

LEASE_SECONDS = 60
"""Longer than the longest a send can take."""
TIMEOUT_SECONDS = 20.0
FAN_OUT_BATCH = 500
PATIENCE = timedelta(days=3)
"""An endpoint that only failed for this long is disabled."""
LONGEST_WAIT = timedelta(hours=24)
"""The most that a receiver's Retry-After can ask for."""

_LEASE = "SELECT * FROM rapport_lease_delivery(%s, %s)"
_READ = (
    f"SELECT d.endpoint_id, d.object_id, d.sequence, d.attempts, w.url, w.signature,"  # noqa: S608
    f" w.secret_sealed, w.previous_secret_sealed, w.previous_secret_until, {message.COLUMNS}"
    " FROM outbox_delivery d"
    " JOIN outbox_webhookendpoint w ON w.practice_id = d.practice_id AND w.id = d.endpoint_id"
    " JOIN outbox_outboxevent e ON e.practice_id = d.practice_id AND e.id = d.event_id"
    " WHERE d.practice_id = %s AND d.id = %s AND d.fence = %s AND d.state = 'pending'"
    " AND w.state = 'enabled'"
)
_RECORD = (
    "UPDATE outbox_delivery SET state = %s, attempts = attempts + 1, next_attempt_at = %s,"
    " leased_until = NULL, last_status = %s, last_error = %s, last_attempt_at = %s"
    " WHERE practice_id = %s AND id = %s AND fence = %s AND state = 'pending'"
)
_NEXT_IS_DUE = (
    "UPDATE outbox_delivery SET next_attempt_at = %(now)s WHERE practice_id = %(practice)s"
    " AND next_attempt_at > %(now)s AND id = (SELECT id FROM outbox_delivery"
    " WHERE practice_id = %(practice)s AND endpoint_id = %(endpoint)s"
    " AND object_id = %(object)s AND state = 'pending' ORDER BY sequence LIMIT 1)"
)
_OTHERS_WAIT = (
    "UPDATE outbox_delivery SET next_attempt_at = %s WHERE practice_id = %s AND endpoint_id = %s"
    " AND object_id = %s AND state = 'pending' AND sequence > %s AND next_attempt_at < %s"
)


@dataclass(frozen=True, slots=True)
class Lease:
    """A delivery that this relay may send, for a while."""

    practice_id: UUID
    delivery_id: UUID
    fence: int


@dataclass(frozen=True, slots=True)
class Sending:
    """What is sent, and where."""

    endpoint_id: UUID
    object_id: UUID
    sequence: int
    attempts: int
    url: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an attempt."""

    status: int | None
    error: str = ""
    """Empty: it succeeded."""
    retry_after: timedelta | None = None


def _scope(practice_id: UUID) -> Scope:
    return system_scope(practice_id=practice_id, actor_id=practice_id, time_zone=ZoneInfo("UTC"))


def retry_after(text: str | None, *, now: datetime) -> timedelta | None:
    """
    Return the wait that a Retry-After header asks for: seconds, or an HTTP date (RFC 9110).

    >>> retry_after("7", now=datetime(2026, 1, 1, tzinfo=UTC))
    datetime.timedelta(seconds=7)
    """
    if not text:
        return None
    text = text.strip()
    if text.isascii() and text.isdigit():
        return min(timedelta(seconds=int(text[:9])), LONGEST_WAIT)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(timedelta(0), min(moment - now, LONGEST_WAIT))


def _judge(reply: guarded.Reply, *, now: datetime) -> Outcome:
    """Say what an answer means: 2xx is success, and nothing else is."""
    if 200 <= reply.status < 300:
        return Outcome(reply.status)
    if 300 <= reply.status < 400:
        return Outcome(reply.status, "redirect")
    if reply.status == 410:
        return Outcome(reply.status, "gone")
    wait = retry_after(reply.retry_after, now=now) if reply.status in (429, 503) else None
    return Outcome(reply.status, "status", wait)


class Relay:
    """Fans events out and sends what is due. Safe to run many times over."""

    def __init__(
        self,
        *,
        practice_id: UUID | None = None,
        post: Callable[..., guarded.Reply] = guarded.post,
        clock: Callable[[], datetime] = timezone.now,
        timeout: float = TIMEOUT_SECONDS,
        delay_before: Callable[..., float | None] = schedule.delay_before,
    ) -> None:
        """
        :param practice_id: send this practice's deliveries only; None: everybody's
        :param timeout: seconds that a receiver has for its answer
        :param delay_before: seconds before attempt n, None when there is none
        """
        self.delay_before = delay_before
        self.practice_id, self.post, self.clock, self.timeout = practice_id, post, clock, timeout

    def fan_out(self) -> int:
        """Make the deliveries of events that have none yet; return how many events there were."""
        row = sql.one("SELECT rapport_fan_out(%s)", (FAN_OUT_BATCH,))
        return int(row[0]) if row else 0

    def lease(self) -> Lease | None:
        """Take the next delivery that is due, or None."""
        row = sql.one(_LEASE, (LEASE_SECONDS, self.practice_id))
        return Lease(*row) if row else None

    def run_once(self) -> bool:
        """Do one step of work; return whether there was any."""
        fanned = self.fan_out()
        lease = self.lease()
        if lease is not None:
            self.deliver(lease)
        return bool(fanned or lease)

    def run(self, stop: threading.Event, *, idle_seconds: float = 0.5) -> None:
        """Work until told to stop. What is under way is finished first."""
        while not stop.is_set():
            try:
                worked = self.run_once()
            except Exception:
                logger.exception("relay step failed")
                connections.close_all()
                stop.wait(2)
                continue
            if not worked:
                stop.wait(idle_seconds)
        connections.close_all()

    def deliver(self, lease: Lease) -> None:
        """Send one delivery and note what became of it."""
        with entered(_scope(lease.practice_id)):
            sending = self._read(lease)
        if sending is None:
            return
        crashpoint(Crashpoint.RELAY_AFTER_LEASE)
        outcome = self._send(sending)
        crashpoint(Crashpoint.RELAY_AFTER_SEND)
        with entered(_scope(lease.practice_id)) as scope:
            self._record(scope, lease, sending, outcome)

    def _read(self, lease: Lease) -> Sending | None:
        row = sql.one(_READ, (lease.practice_id, lease.delivery_id, lease.fence))
        if row is None:
            return None
        (
            endpoint_id, object_id, sequence, attempts, url, kind, sealed, previous, until, *event,
        ) = row  # fmt: skip
        now = self.clock()
        keys = [bytes(sealed)]
        if previous and until and until > now:
            keys.append(bytes(previous))
        secrets = [
            services.open_secret(practice_id=lease.practice_id, endpoint_id=endpoint_id, sealed=key)
            for key in keys
        ]
        body, id, stamp = (
            message.body_of(tuple(event)),
            type_id("event", event[0]),
            int(now.timestamp()),
        )
        sign = signing.sign_v1a if kind == "v1a" else signing.sign_v1
        headers = signing.headers(id, stamp, [sign(key, id, stamp, body) for key in secrets])
        headers |= {"content-type": "application/json", "user-agent": "Rapport-Webhooks/1"}
        return Sending(endpoint_id, object_id, sequence, attempts, url, headers, body)

    def _send(self, sending: Sending) -> Outcome:
        try:
            reply = self.post(
                sending.url, body=sending.body, headers=sending.headers, timeout=self.timeout,
                local=settings.RAPPORT.local_webhooks,
            )  # fmt: skip
        except guarded.BlockedAddress:
            return Outcome(None, "blocked_address")
        except guarded.UrlNotAllowed:
            return Outcome(None, "url_not_allowed")
        except guarded.SendFailed as failure:
            return Outcome(None, failure.kind)
        return _judge(reply, now=self.clock())

    def _record(self, scope: Scope, lease: Lease, sending: Sending, outcome: Outcome) -> None:
        now = self.clock()
        state, next_at = self._next(sending, outcome, now)
        kept = sql.run(
            _RECORD,
            (state, next_at, outcome.status, outcome.error, now, lease.practice_id,
             lease.delivery_id, lease.fence),
        )  # fmt: skip
        metrics.count_delivery(
            "blocked" if outcome.error in ("blocked_address", "url_not_allowed")
            else "succeeded" if state == "succeeded"
            else "dead" if state == "dead" else "failed"
        )  # fmt: skip
        if not kept:
            logger.warning("delivery was taken over", extra={"delivery_id": str(lease.delivery_id)})
            return
        place: dict[str, Any] = {
            "practice": lease.practice_id, "endpoint": sending.endpoint_id,
            "object": sending.object_id, "now": now,
        }  # fmt: skip
        if state == "pending":
            sql.run(
                _OTHERS_WAIT,
                (next_at, lease.practice_id, sending.endpoint_id, sending.object_id,
                 sending.sequence, next_at),
            )  # fmt: skip
        else:
            sql.run(_NEXT_IS_DUE, place)
        self._note(scope, lease, sending, outcome, now)

    def _next(self, sending: Sending, outcome: Outcome, now: datetime) -> tuple[str, datetime]:
        """Return the delivery's next state, and when it is tried again."""
        if not outcome.error:
            return "succeeded", now
        delay = self.delay_before(sending.attempts + 2, chance=random.random())  # noqa: S311
        if delay is None or outcome.error == "gone":
            return "dead", now
        return "pending", now + max(timedelta(seconds=delay), outcome.retry_after or timedelta(0))

    def _note(
        self, scope: Scope, lease: Lease, sending: Sending, outcome: Outcome, now: datetime
    ) -> None:
        """Keep the endpoint's record: since when it fails, and whether that is long enough."""
        if not outcome.error:
            sql.run(
                "UPDATE outbox_webhookendpoint SET failing_since = NULL"
                " WHERE practice_id = %s AND id = %s AND failing_since IS NOT NULL",
                (lease.practice_id, sending.endpoint_id),
            )
            return
        if outcome.error in _AUDITED:
            audit.append(
                scope=scope, action="webhook.deliver", outcome=_AUDITED[outcome.error][0],
                reason=_AUDITED[outcome.error][1], target_type="delivery",
                target_id=lease.delivery_id,
            )  # fmt: skip
        sql.run(
            "UPDATE outbox_webhookendpoint SET failing_since = %s"
            " WHERE practice_id = %s AND id = %s AND failing_since IS NULL",
            (now, lease.practice_id, sending.endpoint_id),
        )
        endpoint = services.get_endpoint(scope=scope, endpoint_id=sending.endpoint_id, lock=True)
        reason = "gone" if outcome.error == "gone" else ""
        if endpoint.failing_since and now - endpoint.failing_since >= PATIENCE:
            reason = reason or "failing"
        if reason and endpoint.state == "enabled":
            services.disable(scope=scope, endpoint=endpoint, now=now, reason=reason)
            audit.append(
                scope=scope, action="webhook_endpoint.disable", reason=reason,
                target_type="webhook_endpoint", target_id=endpoint.id,
                target_version=endpoint.version, changed=["state"],
            )  # fmt: skip


_AUDITED = {
    "blocked_address": ("deny", "ssrf"),
    "url_not_allowed": ("deny", "ssrf"),
    "redirect": ("error", "redirect"),
}
"""Failures that are noted in the audit trail: outcome and reason."""
