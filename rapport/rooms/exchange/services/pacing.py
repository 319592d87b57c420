"""The rate governor: one token bucket per connection, in the database, for every process."""

from __future__ import annotations

from datetime import datetime, timedelta
from math import ceil
from uuid import UUID

from rapport.platform.access.scope import Scope
from rapport.rooms.exchange.models import Connection, Pace
from rapport.rooms.exchange.ports import Manifest
from rapport.rooms.exchange.problems import PortalPace
from rapport.rooms.exchange.rules import pacing

PATIENCE_SECONDS = 2.0
"""Longer than this nobody who waits for an answer is kept waiting: 429 says when to come back."""
SLOWED_ONCE_IN = timedelta(seconds=2)
"""Several slow answers at once are one sign, not many."""
BUSY_SECONDS = 30
"""How long to be silent when the portal asked for it and did not say how long."""


def set_pace(*, scope: Scope, connection: Connection, manifest: Manifest, now: datetime) -> None:
    """Take over what a definition allows; a bucket that is there keeps its tokens."""
    Pace.objects.bulk_create(
        [
            Pace(
                practice_id=scope.practice_id, connection=connection, tokens=manifest.burst,
                rate=manifest.requests_per_second, declared=manifest.requests_per_second,
                burst=manifest.burst, parallel=manifest.parallel, filled_at=now,
            )
        ],
        ignore_conflicts=True,
    )  # fmt: skip
    Pace.objects.visible_to(scope).filter(connection_id=connection.id).exclude(
        declared=manifest.requests_per_second, burst=manifest.burst, parallel=manifest.parallel
    ).update(
        declared=manifest.requests_per_second, rate=manifest.requests_per_second,
        burst=manifest.burst, parallel=manifest.parallel,
    )  # fmt: skip


def _filled(pace: Pace, now: datetime) -> pacing.Bucket:
    seconds = (now - pace.filled_at).total_seconds()
    bucket = pacing.Bucket(pace.tokens, pace.rate, pace.burst)
    return pacing.Bucket(pacing.fill(bucket, seconds=seconds), pace.rate, pace.burst)


def _kept(pace: Pace, keep: float) -> float:
    return min(keep * pace.burst, pace.burst - 1)


def take(*, scope: Scope, connection_id: UUID, keep: float, now: datetime) -> float:
    """
    Take a token for one request.

    :param keep: share of the burst that must stay for others
    :return: 0: it may leave; else how many seconds to wait before asking again
    """
    pace = Pace.objects.visible_to(scope).select_for_update().get(connection_id=connection_id)
    if pace.hold_until is not None and pace.hold_until > now:
        return float((pace.hold_until - now).total_seconds())
    bucket = _filled(pace, now)
    wait = pacing.wait_for(bucket, cost=1, keep=_kept(pace, keep))
    if wait > 0:
        return wait
    pace.tokens, pace.filled_at = bucket.tokens - 1, max(now, pace.filled_at)
    pace.save(update_fields=["tokens", "filled_at"])
    return 0.0


def charge(*, scope: Scope, connection_id: UUID, requests: int, now: datetime) -> None:
    """Charge requests that left without asking; the bucket may go below zero, and all wait for it."""
    pace = Pace.objects.visible_to(scope).select_for_update().get(connection_id=connection_id)
    pace.tokens, pace.filled_at = _filled(pace, now).tokens - requests, max(now, pace.filled_at)
    pace.save(update_fields=["tokens", "filled_at"])


def note_answer(
    *, scope: Scope, connection_id: UUID, seconds: float, busy: bool, now: datetime,
    retry_after_seconds: int | None = None,
) -> None:
    """Go slower when the portal struggles, and a little faster each time it does not."""
    pace = Pace.objects.visible_to(scope).select_for_update().get(connection_id=connection_id)
    rate = pacing.next_rate(
        rate=pace.rate, declared=pace.declared, latency=seconds, usual=pace.usual_seconds, busy=busy
    )
    if rate < pace.rate:
        if pace.slowed_at is not None and now - pace.slowed_at < SLOWED_ONCE_IN:
            rate = pace.rate
        else:
            pace.slowed_at = now
    elif not busy:
        weight = 0.1 if pace.usual_seconds else 1.0
        pace.usual_seconds += (seconds - pace.usual_seconds) * weight
    pace.tokens, pace.filled_at = _filled(pace, now).tokens, max(now, pace.filled_at)
    pace.rate = rate
    if busy:
        pace.hold_until = now + timedelta(seconds=retry_after_seconds or BUSY_SECONDS)
    pace.save()


def require_room(*, scope: Scope, connection: Connection, now: datetime) -> None:
    """
    Pass if a call for somebody who waits could leave soon. Nothing is taken.

    :raises PortalPace: it could not; `Retry-After` says when
    """
    pace = Pace.objects.visible_to(scope).filter(connection_id=connection.id).first()
    if pace is None:
        return
    wait = pacing.wait_for(_filled(pace, now), cost=1)
    if pace.hold_until is not None:
        wait = max(wait, (pace.hold_until - now).total_seconds())
    if wait > PATIENCE_SECONDS:
        raise PortalPace(headers={"Retry-After": str(ceil(wait))}, reason="portal_pace")


def is_at_pace(*, scope: Scope, connection_id: UUID, now: datetime) -> bool:
    """Tell whether the portal is asked as fast as it allows: scheduled work would have to wait."""
    pace = Pace.objects.visible_to(scope).filter(connection_id=connection_id).first()
    if pace is None:
        return False
    return pacing.wait_for(_filled(pace, now), cost=1, keep=_kept(pace, pacing.SYNC_LEAVES)) > 0


def silent_for(*, scope: Scope, connection_id: UUID, now: datetime) -> float:
    """Return for how many seconds the portal asked for silence; 0: it did not."""
    row = Pace.objects.visible_to(scope).filter(connection_id=connection_id, hold_until__gt=now).first()
    return (row.hold_until - now).total_seconds() if row is not None and row.hold_until else 0.0


def parallel_of(*, scope: Scope, connection_id: UUID) -> tuple[int, int]:
    """
    Return how many calls may be under way at once, and how many of them may be scheduled work.

    A portal that struggles gets fewer calls at once, as it gets slower ones. Where it bears more than one, one
    place is left to whoever waits for an answer.
    """
    row = Pace.objects.visible_to(scope).filter(connection_id=connection_id).first()
    if row is None:
        return 1, 1
    share = row.rate / row.declared if row.declared else 1.0
    places = max(1, int(row.parallel * share + 0.001))
    return max(places, min(2, row.parallel)), max(1, places - 1)
