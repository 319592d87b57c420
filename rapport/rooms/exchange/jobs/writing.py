"""Writes: one writer for each connection, and each step of the journal committed before the next."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from django.utils import timezone

from rapport.platform.access.scope import Scope
from rapport.platform.db.crashpoints import Crashpoint, crashpoint
from rapport.platform.db.session import entered
from rapport.platform.jobs import registry as jobs
from rapport.rooms.exchange import queries, services
from rapport.rooms.exchange.models import Write
from rapport.rooms.exchange.ports import (
    Got,
    InDoubt,
    Reason,
    Refused,
    Submitted,
    Target,
    Trouble,
    Verdict,
)
from rapport.rooms.exchange.rules.finding import given_for
from rapport.rooms.exchange.services.journal import Taken
from rapport.rooms.exchange.states import OPEN_WRITES, WriteState

from .caller import call
from .locks import LockTimeout, held
from .pace import LostHold

logger = logging.getLogger(__name__)

WRITER_SECONDS = 60.0
"""How long a job waits for the write before it."""
DOUBTS_FIRST = 2
"""So many that were sent are looked for before one more is: of many at once none is in doubt until all have left."""


@jobs.task("exchange.write", retries=10, outside=True)
def write(
    *, scope: Scope, write_id: UUID, wait_seconds: float = WRITER_SECONDS, sign_in: bool = True
) -> dict[str, str] | None:
    """
    Carry one write a step further: send it, or find out what became of it.

    :param wait_seconds: how long to wait for the write before it; then it comes again
    :param sign_in: False: this process has no browser; a worker goes on where no session stands
    """
    with entered(scope):
        connection_id = Write.objects.visible_to(scope).get(id=write_id).connection_id
    try:
        with held(connection_id, "writer", wait_seconds=wait_seconds):
            if sign_in:  # a worker; whoever waits for an answer is not kept waiting for others
                _doubts_first(scope, connection_id, write_id)
            row = carry_on(scope=scope, write_id=write_id, sign_in=sign_in)
    except LockTimeout:
        with entered(scope):
            row = Write.objects.visible_to(scope).get(id=write_id)
            _again(scope, row)
    return {"state": row.state} if row is not None else None


def _doubts_first(scope: Scope, connection_id: UUID, write_id: UUID) -> None:
    with entered(scope):
        sent = queries.due_doubts(scope=scope, connection_id=connection_id, now=timezone.now(), most=DOUBTS_FIRST)
    for other in sent:
        if other == write_id:
            continue
        try:
            carry_on(scope=scope, write_id=other)
        except Exception:  # its own job meets it again; this one goes on
            logger.warning("a write in doubt could not be looked at", extra={"write_id": str(other)}, exc_info=True)
            return


def carry_on(*, scope: Scope, write_id: UUID, sign_in: bool = True) -> Write | None:
    """
    Take a write up where it stands. The caller holds the connection's writer lock.

    :return: as it stands afterwards; None when there was nothing to do
    """
    with entered(scope):
        taken = services.take(scope=scope, write_id=write_id, now=timezone.now())
    if taken is None:
        return None
    try:
        if taken.state in (WriteState.INTENDED, WriteState.ARMED):
            crashpoint(Crashpoint.WRITE_INTENDED)
            return _send(scope, taken, sign_in)
        return _read_back(scope, taken, sign_in)
    except Exception:
        # Nobody is at it any more. Whoever comes next finds out what became of it.
        with entered(scope):
            services.let_go(scope=scope, taken=taken)
        raise


def _find(scope: Scope, taken: Taken, sign_in: bool) -> Got | Trouble:
    """Read the list in which the write is, or would be. What is not believed proves nothing."""
    given = given_for(taken.values, found=taken.seen, remote_id=taken.remote_id or taken.parent_id)
    return _read(scope, taken, taken.read_back, given, sign_in)


def _with_named(scope: Scope, taken: Taken, got: Got, sign_in: bool) -> Got | Trouble:
    """
    Add the record that the portal said it had made, where the list does not have it.

    Somebody may have moved it to a day that is not looked at, before it was looked for.
    """
    if not taken.named or not taken.own_page or any(row.remote_id == taken.named for row in got.rows):
        return got
    one = _read(scope, taken, taken.own_page, {"remote_id": taken.named}, sign_in)
    if isinstance(one, Trouble):
        # Who may not see it looks at the list alone; otherwise nothing is called absent while this is not known.
        return got if one.reason is Reason.NOT_PERMITTED else one
    return replace(got, rows=(*got.rows, *(row for row in one.rows if row.remote_id == taken.named)))


def _read(
    scope: Scope, taken: Taken, ability: str, narrow: Mapping[str, str], sign_in: bool
) -> Got | Trouble:
    def ask(target: Target, session: bytes, now: datetime) -> Got | Trouble:
        return services.portal().read(
            target, ability=ability, given=narrow, session=session, baseline=None, now=now
        )

    answer, _ = call(
        scope=scope, connection_id=taken.connection_id, capability=ability, ask=ask, sign_in=sign_in
    )
    if isinstance(answer, Trouble):
        return answer
    wanted = narrow.get("patient_id")
    strangers = [row for row in answer.rows if row.values.get("patient") not in (None, wanted)]
    if wanted is not None and strangers:
        with entered(scope):
            services.note_other_patient(
                scope=scope, connection_id=taken.connection_id, capability=ability, now=timezone.now()
            )
        return Trouble(Reason.DRIFT_SUSPECT)
    if answer.verdict in (Verdict.SUSPECT, Verdict.BREAKING):
        return Trouble(Reason.DRIFT_SUSPECT)
    return answer if answer.complete else Trouble(Reason.INCOMPLETE)


def _send(scope: Scope, taken: Taken, sign_in: bool) -> Write | None:
    answer = _find(scope, taken, sign_in)
    crashpoint(Crashpoint.WRITE_PRE_IMAGE)
    with entered(scope):
        if isinstance(answer, Trouble):
            row = services.postpone(scope=scope, taken=taken, trouble=answer, now=timezone.now())
            _again(scope, row)
            return row
        state = services.arm(scope=scope, taken=taken, got=answer, now=timezone.now())
        if state is not WriteState.ARMED:
            return _settled(scope, taken)
    crashpoint(Crashpoint.WRITE_ARMED)
    with entered(scope):
        if not services.mark_submitted(scope=scope, taken=taken, now=timezone.now()):
            return None
    crashpoint(Crashpoint.WRITE_BEFORE_LEAVE)

    def ask(target: Target, session: bytes, now: datetime) -> Submitted | Refused | InDoubt | Trouble:
        opened = taken.remote_id or taken.parent_id
        which = {"remote_id": opened} if opened is not None else {}
        return services.portal().submit(
            target, ability=taken.ability, values={**taken.values, **which}, session=session, now=now
        )

    def still_mine() -> bool:
        return services.keep_hold(scope=scope, taken=taken, now=timezone.now())

    try:
        # An ended session is not renewed in here: the record is looked at again before it is sent again.
        sent, _ = call(
            scope=scope, connection_id=taken.connection_id, capability=taken.ability, ask=ask, renew=False,
            sign_in=sign_in, still_mine=still_mine,
        )  # fmt: skip
    except LostHold:
        return None  # whoever has it now finds out what became of it
    crashpoint(Crashpoint.WRITE_AFTER_LEAVE)
    assert isinstance(sent, Submitted | Refused | InDoubt | Trouble)
    with entered(scope):
        row = services.record_answer(scope=scope, taken=taken, answer=sent, now=timezone.now())
        _again(scope, row)
    crashpoint(Crashpoint.WRITE_NOTED)
    return row


def _read_back(scope: Scope, taken: Taken, sign_in: bool) -> Write | None:
    answer = _find(scope, taken, sign_in)
    if isinstance(answer, Got):
        answer = _with_named(scope, taken, answer, sign_in)
    crashpoint(Crashpoint.WRITE_READ_BACK)
    with entered(scope):
        if isinstance(answer, Trouble):
            row = services.postpone(scope=scope, taken=taken, trouble=answer, now=timezone.now())
        else:
            row = services.record_read_back(scope=scope, taken=taken, got=answer, now=timezone.now())
        _again(scope, row)
        return row


def _settled(scope: Scope, taken: Taken) -> Write:
    row: Write = Write.objects.visible_to(scope).get(id=taken.write_id)
    return row


def _again(scope: Scope, row: Write | None) -> None:
    """Ask for another run, when the write is not settled."""
    if row is None or row.state not in OPEN_WRITES:
        return
    wait = timedelta(0)
    if row.retry_at is not None:
        wait = max(wait, row.retry_at - timezone.now() + timedelta(milliseconds=20))
    jobs.defer(
        "exchange.write", scope, queueing_lock=f"write:{row.id}", schedule_in=wait or None, write_id=row.id
    )
