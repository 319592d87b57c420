"""The token bucket as arithmetic, and how fast to go after the portal has said how it feels."""

from __future__ import annotations

from dataclasses import dataclass

SLOW_FACTOR = 3.0
"""Answers this many times slower than usual mean that we ask too fast,"""
STRUGGLE_SECONDS = 0.5
"""and so slow at least: of a portal that answers in milliseconds, one that takes thirty says nothing."""
SYNC_LEAVES = 0.5
"""Share of the burst that scheduled work leaves to whoever waits for an answer: so many requests go out at once."""
LEAST_SHARE = 0.1
"""Never slower than this share of the declared rate."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """Tokens now, and how they come in."""

    tokens: float
    rate: float
    burst: float


def fill(bucket: Bucket, *, seconds: float) -> float:
    """
    Return the tokens after a while.

    >>> fill(Bucket(1.0, 2.0, 6.0), seconds=1), fill(Bucket(5.0, 2.0, 6.0), seconds=9)
    (3.0, 6.0)
    """
    return min(bucket.burst, bucket.tokens + bucket.rate * max(0.0, seconds))


def wait_for(bucket: Bucket, *, cost: float, keep: float = 0.0) -> float:
    """
    Return the seconds until so many tokens are there. 0: they are.

    :param keep: tokens that stay for others: a sync leaves some for whoever waits for an answer

    >>> wait_for(Bucket(0.0, 2.0, 6.0), cost=1)
    0.5
    """
    return max(0.0, (cost + keep - bucket.tokens) / bucket.rate)


def next_rate(
    *, rate: float, declared: float, latency: float, usual: float, busy: bool
) -> float:
    """
    Return the rate to go on with: halved when the portal struggles, else a little more each time.

    >>> next_rate(rate=2.0, declared=3.0, latency=0.1, usual=0.1, busy=True)
    1.0
    >>> next_rate(rate=2.0, declared=3.0, latency=0.1, usual=0.1, busy=False)
    2.06
    >>> next_rate(rate=2.0, declared=3.0, latency=0.04, usual=0.01, busy=False)
    2.06
    """
    least = declared * LEAST_SHARE
    if busy or (usual > 0 and latency > max(usual * SLOW_FACTOR, STRUGGLE_SECONDS)):
        return max(least, rate / 2)
    return min(declared, rate + declared * 0.02)
