"""What an answer of a portal means when it is not what was asked for. Pure: the definition's signals, then the plain ones."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from rapport.connectors.portals.answer import Answer
from rapport.connectors.portals.definition import Signal
from rapport.connectors.portals.predicates import holds
from rapport.rooms.exchange.ports import Finding, Reason, Trouble

USUAL_WAIT_SECONDS = 60
LONGEST_WAIT_SECONDS = 3600

SENTENCES = {
    Reason.CREDENTIALS_REJECTED: "The portal does not take this user name and password. Enter the right ones.",
    Reason.SECOND_FACTOR_NEEDED: "The portal asks for a second factor that only a person has.",
    Reason.SECOND_FACTOR_DENIED: "The portal did not take the second factor.",
    Reason.SECOND_FACTOR_EXPIRED: "The second factor came too late. Begin the sign-in again.",
    Reason.PASSWORD_EXPIRED: "The portal wants a new password. Set one there, then enter it here.",
    Reason.TERMS_PENDING: "The portal shows terms that a person has to read and accept.",
    Reason.NEW_DEVICE: "The portal does not know this device. An administrator of the portal has to confirm it.",
    Reason.ACCOUNT_LOCKED: "The portal has locked this user.",
    Reason.SESSION_TAKEN: "Somebody else signed in as this user, and the portal ended our session.",
    Reason.BLOCKED_BY_PORTAL: "The portal wants to see a person. Everything here stops until somebody has looked.",
    Reason.NOT_PERMITTED: "This user may not see that at the portal.",
    Reason.WITHHELD_LOCKED: "The record is locked at the portal: it changes no more.",
    Reason.SESSION_EXPIRED: "The session at the portal has ended.",
    Reason.PORTAL_DOWN: "The portal does not answer.",
    Reason.CUT_SHORT: "The portal's answer broke off in the middle.",
    Reason.MAINTENANCE: "The portal says that it is being maintained.",
    Reason.BUSY: "The portal asks for fewer calls.",
    Reason.NOT_READY: "The portal is still preparing it.",
    Reason.DRIFT_SUSPECT: "The portal's page is not as it was, and what it shows cannot be trusted.",
    Reason.DRIFT_BREAKING: "The portal's page has changed so that it cannot be read.",
    Reason.MEANING_GUARD: "What is found on the page is not the control that is meant. It was not touched.",
    Reason.INCOMPLETE: "The list did not prove that it is whole.",
    Reason.CONNECTOR_OUTDATED: "The connector does not fit this portal.",
    Reason.HOST_NOT_ALLOWED: "The portal led to a host that the connector does not name.",
    Reason.NO_BROWSER: "There is no browser here to sign in with.",
}  # fmt: skip
"""For the person who has to act; one for each reason."""


def trouble(
    reason: Reason, *, findings: Sequence[Finding] = (), detail: str = "", retry_after: int | None = None,
    picture: bytes | None = None,
) -> Trouble:  # fmt: skip
    """Return a trouble with the sentence of its reason."""
    return Trouble(
        reason=reason, detail=detail or SENTENCES[reason], retry_after_seconds=retry_after, findings=tuple(findings),
        picture=picture,
    )  # fmt: skip


def first(signals: Sequence[Signal], answer: Answer, *, expected: str) -> Signal | None:
    """Return the first signal that holds of an answer, from the top down."""
    return next((one for one in signals if holds(one.when, answer, expected=expected)), None)


def plain(answer: Answer, *, expected: str) -> Reason | None:
    """
    Return what an answer means on which no signal holds; None: it may be what was asked for.

    Nothing is guessed of 401, 403 or a redirect: which of them ends a session is for the
    definition to say, and where it does not, it does not know its portal.
    """
    if answer.status == 429:
        return Reason.BUSY
    if answer.status >= 500:
        return Reason.PORTAL_DOWN
    if answer.status != 200:
        return Reason.DRIFT_BREAKING
    if expected in ("json", "html", "csv") and answer.got != expected:
        return Reason.CUT_SHORT if answer.breaks_off else Reason.DRIFT_BREAKING
    return None


def seen(answer: Answer, *, place: str, expected: str) -> Finding:
    """Return what came instead, without a word of its content."""
    kind = "a redirect" if answer.leads_to else answer.got
    return Finding(place=place, seen=f"status {answer.status}, {kind}", expected=f"status 200, {expected}")


def retry_after(answer: Answer, *, now: datetime) -> int | None:
    """Return for how many seconds the portal asks to be left alone; None: it says nothing."""
    said = answer.headers.get("retry-after", "").strip()
    if not said:
        return None
    try:
        seconds = int(said) if said.isdigit() else int((_instant(said) - now).total_seconds())
    except (ValueError, TypeError):
        return USUAL_WAIT_SECONDS
    return max(1, min(seconds, LONGEST_WAIT_SECONDS))


def _instant(text: str) -> datetime:
    found = parsedate_to_datetime(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
