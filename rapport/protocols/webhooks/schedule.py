"""When to try a delivery again: the published schedule, with jitter."""

from __future__ import annotations

RETRY_SECONDS = (0, 5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400)
"""Seconds to wait before attempt 1, 2, 3 …: in all about 75 hours. After the last it is dead."""
JITTER = 0.2
"""Each wait is lengthened or shortened by up to this share."""


def delay_before(attempt: int, *, chance: float) -> float | None:
    """
    Return the seconds to wait before an attempt, or None when there is none any more.

    :param attempt: 1 for the first
    :param chance: a random number from 0 to 1, for the jitter

    >>> delay_before(3, chance=0.5), delay_before(11, chance=0.5)
    (300.0, None)
    """
    if attempt > len(RETRY_SECONDS):
        return None
    return RETRY_SECONDS[attempt - 1] * (1 - JITTER + 2 * JITTER * chance)
