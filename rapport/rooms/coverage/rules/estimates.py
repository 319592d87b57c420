"""
Good-faith estimates for patients who pay themselves: when they are due, and when a bill leaves them. Plain values.

Source: No Surprises Act, 45 CFR 149.610 (what, and when) and 149.620 (dispute from 400 USD above it on).
"""

from __future__ import annotations

from datetime import date, timedelta

from rapport.rooms.coverage.states import EstimateStanding

DISPUTE_CENTS = 40_000
"""From so much above the estimate on a patient may dispute the bill."""
LONGEST = timedelta(days=365)
"""An estimate of services that recur covers twelve months at most."""


def due_on(*, asked_on: date, first_service_on: date | None) -> date | None:
    """
    Return by which day a patient must have the estimate.

    Booked 3 to 9 business days ahead: one business day after; ten or more ahead, or without an appointment: three.

    :param asked_on: when the visit was booked, or the estimate asked for
    :param first_service_on: None: the patient asked, and nothing is booked
    :return: None: booked less than three business days ahead, so that none is due
    """
    if first_service_on is None:
        return _business_days_after(asked_on, 3)
    ahead = _business_days_between(asked_on, first_service_on)
    if ahead < 3:
        return None
    return _business_days_after(asked_on, 1 if ahead < 10 else 3)


def _works(day: date) -> bool:
    # Federal holidays are left out: what falls on one is due earlier by this, never later.
    return day.weekday() < 5


def _business_days_after(day: date, count: int) -> date:
    while count:
        day += timedelta(days=1)
        count -= _works(day)
    return day


def _business_days_between(first: date, last: date) -> int:
    days = (last - first).days
    return sum(_works(first + timedelta(days=step)) for step in range(1, days + 1))


def standing(*, estimated_cents: int, charged_cents: int, warn_cents: int) -> EstimateStanding:
    """
    Return how charges stand to an estimate.

    :param warn_cents: from how much above it on the practice is warned
    """
    over = charged_cents - estimated_cents
    if over >= DISPUTE_CENTS:
        return EstimateStanding.EXCEEDED
    return EstimateStanding.NEAR if over > 0 and over >= warn_cents else EstimateStanding.WITHIN
