"""
Places where the process may be told to die or to stand still, so that tests can prove what survives it.

`RAPPORT_CRASHPOINTS=relay.after_send:3` kills the process (SIGKILL: no cleaning up) the third
time it comes by; `relay.after_send:3:stop` stops it there (SIGSTOP) until somebody sends SIGCONT.
Without the variable a crashpoint costs one comparison.
"""

from __future__ import annotations

import os
import signal
from enum import StrEnum


class Crashpoint(StrEnum):
    """Every place. Each sits between two steps that a crash could tear apart."""

    BEFORE_COMMIT = "request.before_commit"
    """All is written, nothing is kept yet."""
    AFTER_COMMIT = "request.after_commit"
    """All is kept, the caller has no answer yet."""
    RELAY_AFTER_LEASE = "relay.after_lease"
    """A delivery is taken, nothing was sent."""
    RELAY_AFTER_SEND = "relay.after_send"
    """The other side has the message, we have not noted it."""
    JOB_BEFORE_WORK = "job.before_work"
    """A job is taken and its try is counted."""
    JOB_AFTER_WORK = "job.after_work"
    """A job's work is kept, the queue does not know."""
    CLAIM_BEFORE_SEND = "claim.before_send"
    """The submission is noted as sending; the socket is not open yet."""
    CLAIM_AFTER_SEND = "claim.after_send"
    """The clearinghouse has answered, we have not noted it."""
    CLAIM_BEFORE_MARK_COMMIT = "claim.before_mark_commit"
    """The answer is written, not yet committed."""
    CLAIM_AFTER_MARK = "claim.after_mark"
    """The answer is kept, the queue does not know."""
    BATCH_SET_KEPT = "batch.set_kept"
    """A set of a batch is frozen, its file is not whole."""
    LEDGER_HEAD_WRITTEN = "ledger.head_written"
    """An entry's head is written, its postings are not."""
    CHARGE_BEFORE_SEND = "charge.before_send"
    """The charge (or refund) is noted as sending; the socket is not open yet."""
    CHARGE_AFTER_SEND = "charge.after_send"
    """The processor has answered, we have not noted it."""
    CHARGE_BEFORE_MARK_COMMIT = "charge.before_mark_commit"
    """The answer is written and booked, not yet committed."""
    CHARGE_AFTER_MARK = "charge.after_mark"
    """The answer is kept, the queue does not know."""
    REMITTANCE_CLAIMS_POSTED = "remittance.claims_posted"
    """One claim of a remittance is posted, the others are not."""
    BOOKS_BEFORE_SEND = "books.before_send"
    """A day's totals are noted as sending; the socket is not open yet."""
    BOOKS_AFTER_SEND = "books.after_send"
    """The books elsewhere may have them, we have not noted it."""
    WRITE_INTENDED = "write.intended"
    """A write into a portal is wanted; the portal was not looked at."""
    WRITE_PRE_IMAGE = "write.pre_image"
    """What stands in the portal now is read, and not noted."""
    WRITE_ARMED = "write.armed"
    """All is checked; nothing says yet that the form leaves."""
    WRITE_BEFORE_LEAVE = "write.before_leave"
    """The write is noted as submitted; no byte has left."""
    WRITE_AFTER_LEAVE = "write.after_leave"
    """The portal may have taken the form, we have not noted its answer."""
    WRITE_NOTED = "write.noted"
    """The portal's answer is kept; nothing was read back."""
    WRITE_READ_BACK = "write.read_back"
    """The portal was read again; what was found is not kept yet."""


def _wanted() -> dict[str, tuple[int, signal.Signals]]:
    """Return name -> which time, and what befalls the process then, from the environment."""
    wanted = {}
    for entry in os.environ.get("RAPPORT_CRASHPOINTS", "").split(","):
        name, _, rest = entry.partition(":")
        if name:
            nth, _, how = rest.partition(":")
            wanted[str(Crashpoint(name))] = (int(nth or 1), signal.SIGSTOP if how == "stop" else signal.SIGKILL)
    return wanted


_left = _wanted()


def crashpoint(place: Crashpoint) -> None:
    """Die here, or stand still, if the environment says so."""
    if not _left or place not in _left:
        return
    nth, how = _left[place]
    _left[place] = (nth - 1, how)
    if nth == 1:
        os.kill(os.getpid(), how)
