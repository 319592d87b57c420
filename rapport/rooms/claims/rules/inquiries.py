"""When a payer is asked what became of a claim, and how far its answer may move the claim. Plain values."""

from __future__ import annotations

from datetime import datetime, timedelta

from rapport.rooms.claims.states import Action, ClaimState

S = ClaimState
MAY_ASK = frozenset(
    {S.UNKNOWN, S.SUBMITTED, S.ACKNOWLEDGED, S.ACCEPTED, S.REJECTED, S.PAID, S.DENIED}
)
"""A payer may know of it: a person may ask."""
WAITING = frozenset({S.SUBMITTED, S.ACKNOWLEDGED, S.ACCEPTED})
"""No decision has come: asked by schedule."""
AGAIN = timedelta(days=7)
"""How long after a question the next one follows by schedule."""
SOON = timedelta(days=1)
"""How long after an answer that says nothing: the payer could not tell, or would not."""
PATIENCE = timedelta(days=3)
"""How long an answer may take. After that the question is taken for lost: somebody is told, and may ask anew."""
MOST_SCHEDULED = 8
"""How often one claim is asked for by schedule; then a person must."""
ASKS_FOR_SOMEBODY = frozenset({"not_found", "information_requested", "paid", "denied"})
"""Standings that put an undecided claim on the work list."""
SAYS_NOTHING = frozenset({"later", "request_refused", "unknown"})
"""Standings from which nothing follows for the claim."""

_REACHED = frozenset(
    {
        "accepted", "pending", "information_requested", "finalized", "paid", "denied", "revised",
        "forwarded",
    }
)  # fmt: skip


def due(
    *,
    state: str,
    sent_at: datetime,
    asked_at: datetime | None,
    told: str,
    asked: int,
    days: int,
    now: datetime,
) -> bool:
    """
    Tell whether a claim is to be asked for by schedule.

    :param days: how long this payer is given (`Profile.status_after_days`)
    :param sent_at: when its latest file was made
    :param asked_at: when it was asked for last; None: never since it was sent
    :param told: standing that the last question brought; empty while it is unanswered
    :param asked: how often it was asked for since it was sent
    """
    if state not in WAITING or asked >= MOST_SCHEDULED or now - sent_at < timedelta(days=days):
        return False
    if asked_at is None:
        return True
    return now - asked_at >= (SOON if told in SAYS_NOTHING else AGAIN)


def move_for(standing: str, state: str) -> Action | None:
    """
    Return the move that an answer makes of a claim; None: it stays where it is.

    An answer says that the payer has the claim, or turned it away. What was paid or denied is decided by a
    remittance alone, and what is decided is not undone by an answer.
    """
    if state in (S.UNKNOWN, S.SUBMITTED, S.ACKNOWLEDGED):
        if standing in _REACHED:
            return Action.ACCEPT
        if standing == "received" and state != S.ACKNOWLEDGED:
            return Action.ACKNOWLEDGE
    if standing == "rejected" and state in (S.UNKNOWN, *WAITING):
        return Action.REJECT
    return None
