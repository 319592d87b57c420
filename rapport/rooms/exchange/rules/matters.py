"""Everything that can need somebody: one sentence, one owner, one thing to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from rapport.rooms.exchange.ports import OWNERS, Owner, Reason


class Matter(StrEnum):
    """What needs somebody beside the reasons that a portal gives."""

    WRITE_TO_APPROVE = "write_to_approve"
    WRITE_IN_DOUBT = "write_in_doubt"
    WRITE_CONFLICTING = "write_conflicting"
    WRITE_ABSENT = "write_absent"
    DRIFT_HEALED = "drift_healed"
    OTHER_SUBJECT = "other_subject"
    OTHER_PATIENT = "other_patient"
    MAILBOX_CLOSED = "mailbox_closed"
    EXPORT_DIFFERS = "export_differs"
    EXPORT_UNREADABLE = "export_unreadable"


@dataclass(frozen=True, slots=True)
class Call:
    """What a person is told."""

    owner: Owner
    sentence: str
    to_do: str


def _of(reason: Reason, sentence: str, to_do: str) -> tuple[str, Call]:
    return reason.value, Call(OWNERS[reason], sentence, to_do)


P = Owner.PRACTICE

CALLS: Mapping[str, Call] = MappingProxyType(
    dict(
        (
            _of(Reason.CREDENTIALS_REJECTED, "The portal does not take this user name and password.", "Give the new password; the old one is never sent again."),
            _of(Reason.SECOND_FACTOR_NEEDED, "The portal asks for a second factor.", "Answer the open challenge with the code, or approve the sign-in."),
            _of(Reason.SECOND_FACTOR_DENIED, "The second factor was denied.", "Ask who denied it; then sign in again."),
            _of(Reason.SECOND_FACTOR_EXPIRED, "Nobody answered the second factor in time.", "Sign in again, and answer while the code is good."),
            _of(Reason.PASSWORD_EXPIRED, "The portal wants a new password.", "Sign in at the portal as this user, choose a new password, and give it here."),
            _of(Reason.TERMS_PENDING, "The portal shows terms that somebody has to accept.", "Sign in at the portal as this user, read and accept them, then try again."),
            _of(Reason.NEW_DEVICE, "The portal does not know this device.", "Confirm the device at the portal, then try again."),
            _of(Reason.ACCOUNT_LOCKED, "The portal has locked the account.", "Let the portal's administrator unlock it, then try again."),
            _of(Reason.SESSION_TAKEN, "Somebody else signed in as this user, and the portal closed our session.", "Keep this user for the connection alone; we wait before we sign in again."),
            _of(Reason.BLOCKED_BY_PORTAL, "The portal objects to being used by a program.", "Ask the portal's vendor; nothing is sent until you try again."),
            _of(Reason.NOT_PERMITTED, "The portal's user may not do this.", "Give the user the right at the portal, if it is meant to have it."),
            _of(Reason.WITHHELD_LOCKED, "The record is locked at the portal.", "Add an addendum, or unlock it at the portal."),
            _of(Reason.SESSION_EXPIRED, "The portal ended the session.", "Nothing: we sign in again."),
            _of(Reason.PORTAL_DOWN, "The portal does not answer.", "Nothing: we ask again after a while."),
            _of(Reason.CUT_SHORT, "A page of the portal broke off in the middle.", "Nothing: we ask again after a while."),
            _of(Reason.MAINTENANCE, "The portal is being maintained.", "Nothing: we ask again after a while."),
            _of(Reason.NOT_READY, "The portal is still preparing a file.", "Nothing: we ask again after a while."),
            _of(Reason.BUSY, "The portal asks for patience.", "Nothing: we ask more slowly."),
            _of(Reason.DRIFT_SUSPECT, "A page looks different, and what it shows is not believed.", "Look at the drift report; accept it if the new page is right."),
            _of(Reason.DRIFT_BREAKING, "A page has lost something that is needed.", "Look at the drift report; this part waits for a new definition."),
            _of(Reason.MEANING_GUARD, "A control is no longer what it was, so it was not pressed.", "Look at the drift report; this part waits for a new definition."),
            _of(Reason.INCOMPLETE, "A list could not be proved to be whole, so it was not used.", "Look at the drift report; the mirror keeps what it had."),
            _of(Reason.CONNECTOR_OUTDATED, "The definition does not fit this portal.", "Install the newer definition, then try again."),
            _of(Reason.HOST_NOT_ALLOWED, "The portal leads to a host that the definition does not allow.", "Look at the address; this part waits for a new definition."),
            _of(Reason.NO_BROWSER, "There is no browser here to sign in with.", "Install Chromium where the workers run; the sign-in goes on by itself then."),
            (Matter.WRITE_TO_APPROVE.value, Call(P, "A write that cannot be undone waits for approval.", "Look at it, then approve or drop it.")),
            (Matter.WRITE_IN_DOUBT.value, Call(P, "It is not known whether the portal took a write.", "Look at the portal, and say whether it is there. It is never sent again by itself.")),
            (Matter.WRITE_CONFLICTING.value, Call(P, "The portal has something else in place of a write.", "Compare both versions, and decide at the portal.")),
            (Matter.WRITE_ABSENT.value, Call(P, "The portal does not have a write that was sent.", "Look at the portal, then write it anew.")),
            (Matter.DRIFT_HEALED.value, Call(Owner.US, "Something on a page was found by other evidence than before.", "Look at the drift report; the data are used.")),
            (Matter.OTHER_SUBJECT.value, Call(P, "The portal says that another user is signed in than before.", "Give the credentials of the connection's own user, or make a new connection.")),
            (Matter.OTHER_PATIENT.value, Call(Owner.US, "The portal answered with another patient's record.", "Look at the run; nothing of it was used.")),
            (Matter.EXPORT_DIFFERS.value, Call(Owner.US, "The portal's own export says something else than its list.", "Look at the drift report and compare those records at the portal; the mirror keeps what the list shows.")),
            (Matter.EXPORT_UNREADABLE.value, Call(Owner.US, "The portal's export could not be read, so it was not compared.", "Look at the drift report; the file itself is kept.")),
            (Matter.MAILBOX_CLOSED.value, Call(P, "The mailbox with the portal's codes could not be read.", "Look at its address and give its password again; until then answer the challenges yourself.")),
        )
    )
)  # fmt: skip
"""Reason or matter -> what a person is told. A test checks that none is missing."""

STOPS = frozenset(
    {
        Reason.CREDENTIALS_REJECTED, Reason.SECOND_FACTOR_NEEDED, Reason.SECOND_FACTOR_DENIED,
        Reason.SECOND_FACTOR_EXPIRED, Reason.PASSWORD_EXPIRED, Reason.TERMS_PENDING,
        Reason.NEW_DEVICE, Reason.ACCOUNT_LOCKED, Reason.BLOCKED_BY_PORTAL,
        Reason.CONNECTOR_OUTDATED, Reason.HOST_NOT_ALLOWED, Matter.OTHER_SUBJECT,
    }
)  # fmt: skip
"""These stop the whole connection until a person acts: no call and no sign-in goes out."""

DRIFT = frozenset(
    {Reason.DRIFT_SUSPECT, Reason.DRIFT_BREAKING, Reason.MEANING_GUARD, Reason.INCOMPLETE, Matter.OTHER_PATIENT}
)
"""What a page shows is not used. One capability each."""

BREAKS = frozenset({Reason.DRIFT_BREAKING, Reason.MEANING_GUARD})
"""Drift that stops its capability until there is a new definition, or a person accepts it."""

DOWN = frozenset({Reason.PORTAL_DOWN, Reason.MAINTENANCE})
"""Nobody there: the transport breaker counts them."""
