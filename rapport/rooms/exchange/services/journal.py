"""
The journal of one write: looked up, checked, noted as submitted, sent once, read back.

take (commit) -> read -> arm (commit) -> mark_submitted (commit) -> send -> record_answer (commit) -> read
again -> record_read_back (commit). A worker that dies after `submitted` leaves a write in doubt, and
that is looked for, never repeated: only a portal that was proved twice not to have it gets it again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from rapport.platform.access.scope import Scope
from rapport.platform.audit import write as audit
from rapport.platform.crypto import aead
from rapport.platform.outbox.emit import emit
from rapport.rooms.exchange import events, queries
from rapport.rooms.exchange.models import Connection, Write
from rapport.rooms.exchange.ports import Got, InDoubt, Reason, Refused, Submitted, Trouble
from rapport.rooms.exchange.rules import canonical
from rapport.rooms.exchange.rules.finding import Found, Match, alike, kind_of, look
from rapport.rooms.exchange.rules.matters import DRIFT, Matter
from rapport.rooms.exchange.states import WORKS, WriteState

from . import attention
from .portals import ability_of
from .written import tell_room

LEASE = timedelta(seconds=120)
"""A request that was let out is over by then, with its turn and its answer. Renewed before each one of a send."""
LOOKED_FOR_EACH = timedelta(seconds=15)
"""How often what a worker left behind is looked for, while its form may still be on its way."""
LATER = timedelta(seconds=30)
"""How soon it is tried again when the portal did not answer."""
UNDERSTOOD = timedelta(minutes=15)
"""How soon it is tried again when a page has changed: somebody has to look at it."""
READS = 2
"""So many complete lists must lack it before it is called absent."""
SENDS = 3
"""The first, and at most two more after it was proved absent."""
OLD_DOUBT = timedelta(minutes=5)
"""In doubt for so long, a person is asked."""
WORKER_DIED, WORKER_FAILED = "worker_died", "worker_failed"
"""Why nobody heard an answer: who submitted it is gone, or broke and gave it back."""
NEVER_LEFT = frozenset({Reason.WITHHELD_LOCKED, Reason.NOT_PERMITTED, Reason.MEANING_GUARD})
"""Troubles before the send that another try would meet again: the write is refused."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A write in a worker's hands."""

    write_id: UUID
    connection_id: UUID
    ability: str
    read_back: str
    state: WriteState
    fence: int
    settle_seconds: int
    key_fields: tuple[str, ...]
    remote_id: str | None
    """The record that is changed; None: one is made."""
    parent_id: str | None
    """The record under which one is made."""
    makes_another: bool
    """Those with its key that were there before are not it."""
    named: str
    """The record that the portal's answer said it had made; empty: it named none, or none is made."""
    own_page: str
    """The ability that reads one record of this kind by its id; empty: none does."""
    known_before: frozenset[str]
    claimed: bool
    values: Mapping[str, Any] = field(repr=False)
    seen: Mapping[str, Any] | None = field(repr=False)


def place_of(*, write: Write, part: str) -> bytes:
    """Return what a part of a write is sealed for."""
    return f"exchange_write|{write.practice_id}|{write.id}|{part}".encode()


def opened(*, write: Write, part: str) -> dict[str, Any] | None:
    """Return a sealed part of a write: `values` (with `seen`), `found` or `message`."""
    sealed = {"values": write.values_sealed, "found": write.found_sealed, "message": write.message_sealed}[part]
    if sealed is None:
        return None
    return canonical.load(aead.open_(bytes(sealed), aad=place_of(write=write, part=part), purpose="field"))


def _sealed(write: Write, part: str, values: Mapping[str, Any]) -> bytes:
    return aead.seal(canonical.dump(values), aad=place_of(write=write, part=part), purpose="field")


def take(*, scope: Scope, write_id: UUID, now: datetime) -> Taken | None:
    """
    Take a write into one's hands. The caller holds the connection's writer lock.

    Whoever had it before is therefore dead, or has lost the database: it may live, and a request that it
    let out may be under way. It lets out no other (`keep_hold`), and what it has sent is not called absent
    before that request is over.

    :return: None when there is nothing to do: settled, not due, not approved, or the connection stands still
    """
    write = Write.objects.visible_to(scope).select_for_update().filter(id=write_id).first()
    if write is None or write.state not in (
        WriteState.INTENDED, WriteState.ARMED, WriteState.SUBMITTED, WriteState.IN_DOUBT
    ):  # fmt: skip
        return None
    if write.attended and write.approved_at is None:
        return None
    if write.retry_at and write.retry_at > now:
        return None
    connection = queries.get_connection(scope=scope, connection_id=write.connection_id)
    if connection.state not in WORKS:
        return None
    given_back = write.leased_until is None
    write.fence, write.leased_until = write.fence + 1, now + LEASE
    write.save(update_fields=["fence", "leased_until"])
    if write.state == WriteState.SUBMITTED and not write.claimed:
        # Whoever submitted it is gone: nobody heard what the portal said.
        reason = WORKER_FAILED if given_back else WORKER_DIED
        write.move(WriteState.IN_DOUBT, by=scope.actor_id, at=now, fence=write.fence, reason=reason)
        _tell(scope, write, events.IN_DOUBT, now)
    body = opened(write=write, part="values") or {}
    can = ability_of(definition=connection.definition, name=write.ability)
    return Taken(
        write_id=write.id, connection_id=write.connection_id, ability=write.ability,
        read_back=write.read_back, state=WriteState(write.state), fence=write.fence,
        settle_seconds=write.settle_seconds, key_fields=tuple(write.key_fields),
        remote_id=None if write.makes_new else write.remote_id, parent_id=write.parent_id or None,
        makes_another=can is not None and can.makes_another,
        named=write.remote_id if write.makes_new and not write.parent_id else "",
        own_page=_own_page(connection, write), known_before=frozenset(write.known_before or ()), claimed=write.claimed,
        values=body["values"], seen=body["seen"],
    )  # fmt: skip


def _own_page(connection: Connection, write: Write) -> str:
    """What proves a change of such a record reads it by its id, where it is another than what lists them."""
    change = ability_of(definition=connection.definition, name=f"{kind_of(write.ability)}.update")
    return change.read_back if change is not None and change.read_back != write.read_back else ""


def let_go(*, scope: Scope, taken: Taken) -> None:
    """Give a write back as it stands, unless another has taken it since."""
    Write.objects.visible_to(scope).filter(id=taken.write_id, fence=taken.fence).update(leased_until=None)


def keep_hold(*, scope: Scope, taken: Taken, now: datetime) -> bool:
    """
    Say before a request of a send that one is still at it.

    :return: False: another worker has the write, and nothing of it may leave here any more
    """
    kept = Write.objects.visible_to(scope).filter(
        id=taken.write_id, fence=taken.fence, state=WriteState.SUBMITTED
    ).update(leased_until=now + LEASE)  # fmt: skip
    return kept == 1


def _mine(scope: Scope, taken: Taken) -> Write | None:
    row: Write | None = (
        Write.objects.visible_to(scope)
        .select_for_update()
        .filter(id=taken.write_id, fence=taken.fence)
        .first()
    )
    return row


def _look(taken: Taken, got: Got) -> Found:
    rows = [row for row in got.rows if row.remote_id not in taken.known_before]
    found = look(rows, values=taken.values, key=taken.key_fields, remote_id=taken.remote_id, seen=taken.seen)
    if found.match is Match.NOTHING and taken.named:
        # The portal said which it made: that one, too, where somebody has given it another hour since.
        found = look(rows, values=taken.values, key=taken.key_fields, remote_id=taken.named, seen=None)
    if taken.parent_id is None or found.values is None:
        return found
    return replace(found, values={**found.values, "under": taken.parent_id, "count": len(got.rows)})


def _set_aside(write: Write, taken: Taken, got: Got) -> Taken:
    """
    Before the first send: those that look like what is to be made are not it, under the same record or of exports.

    Two addenda may say the same, and each export is one more. What a text is found by tells nothing of who wrote it when, so only one that
    was not there before counts; what is known once stays so, or a late one would be taken for an early one.
    """
    if write.known_before is None:
        write.known_before = alike(got.rows, values=taken.values, key=taken.key_fields)
        write.save(update_fields=["known_before"])
    return replace(taken, known_before=frozenset(write.known_before))


def arm(*, scope: Scope, taken: Taken, got: Got, now: datetime) -> WriteState | None:
    """
    Decide by what the portal has now whether the write may be sent.

    :return: the state it came to, ARMED: send it; None: another has taken it since
    """
    write = _mine(scope, taken)
    if write is None:
        return None
    if taken.parent_id is not None or taken.makes_another:
        taken = _set_aside(write, taken, got)
    _note(scope, write, "connector_write.look_up")
    found = _look(taken, got)
    if found.match is Match.EQUAL:
        _confirm(scope, write, found, now, reason="existed")
    elif found.match is Match.NOTHING and taken.remote_id is not None:
        _conflict(scope, write, found, now, reason="gone")
    elif found.match is Match.NOT_SHOWN:
        # What could not be proved afterwards is not sent.
        _conflict(scope, write, found, now, reason="not_shown")
    elif found.match is Match.DIFFERENT and (taken.remote_id is None or taken.seen is not None):
        _conflict(scope, write, found, now)
    elif write.state == WriteState.INTENDED:
        write.move(WriteState.ARMED, by=scope.actor_id, at=now, fence=taken.fence)
    return WriteState(write.state)


def mark_submitted(*, scope: Scope, taken: Taken, now: datetime) -> bool:
    """
    Note that the form leaves. Commit before the first byte does.

    :return: False: it must not be sent
    """
    write = _mine(scope, taken)
    if write is None:
        return False
    moved = write.move(
        WriteState.SUBMITTED, by=scope.actor_id, at=now, fence=taken.fence, sends=write.sends + 1, reads=0,
        claimed=False, reason="", leased_until=now + LEASE,
    )  # fmt: skip
    if moved:
        _note(scope, write, "connector_write.submit", fields=sorted(taken.values))
    return moved


def _note(scope: Scope, write: Write, action: str, *, fields: Sequence[str] = (), outcome: str = "allow") -> None:
    """Say in the trail that the portal was asked about this record: who touched a patient is asked there."""
    audit.append(
        scope=scope, action=action, outcome=outcome, target_type="connector_write", target_id=write.id,
        patient_ids=[write.patient_id] if write.patient_id else [], reason=write.ability, fields=fields,
    )  # fmt: skip


def record_answer(
    *, scope: Scope, taken: Taken, answer: Submitted | Refused | InDoubt | Trouble, now: datetime
) -> Write | None:
    """
    Write down what the portal said of a form that left, or that it did not leave.

    :return: None when another worker has taken the write since
    """
    write = _mine(scope, taken)
    if write is None:
        return None
    settle = now + timedelta(seconds=taken.settle_seconds)
    if isinstance(answer, Submitted):
        write.claimed, write.retry_at, write.leased_until = True, settle, None
        if not write.parent_id:  # the page that says so may be the one of the record above
            write.remote_id = write.remote_id or (answer.remote_id or "")[:200]
        write.save(update_fields=["claimed", "retry_at", "leased_until", "remote_id"])
    elif isinstance(answer, Refused):
        said = {"message": answer.message, "fields": dict(answer.fields)}
        write.move(
            WriteState.REFUSED, by=scope.actor_id, at=now, fence=taken.fence, leased_until=None,
            retry_at=None, reason="refused", message_sealed=_sealed(write, "message", said),
            differs=sorted(answer.fields),
        )  # fmt: skip
        announce(scope=scope, write=write, now=now)
    elif isinstance(answer, InDoubt):
        write.move(
            WriteState.IN_DOUBT, by=scope.actor_id, at=now, fence=taken.fence, leased_until=None,
            retry_at=settle, reason="no_answer",
        )  # fmt: skip
        _tell(scope, write, events.IN_DOUBT, now)
    elif answer.reason in NEVER_LEFT:
        write.move(
            WriteState.REFUSED, by=scope.actor_id, at=now, fence=taken.fence, leased_until=None,
            retry_at=None, reason=answer.reason.value, sends=write.sends - 1,
        )  # fmt: skip
        announce(scope=scope, write=write, now=now)
    else:
        # Nothing left the house: it is as if it had not been tried.
        write.move(
            WriteState.INTENDED, by=scope.actor_id, at=now, fence=taken.fence, leased_until=None,
            retry_at=now + _wait(answer), reason=answer.reason.value, sends=write.sends - 1,
        )  # fmt: skip
    return write


def _wait(trouble: Trouble) -> timedelta:
    if trouble.reason is Reason.SESSION_EXPIRED:
        return timedelta(0)
    if trouble.reason in DRIFT:
        return UNDERSTOOD
    return timedelta(seconds=trouble.retry_after_seconds or LATER.total_seconds())


def postpone(*, scope: Scope, taken: Taken, trouble: Trouble, now: datetime) -> Write | None:
    """The portal could not be read: leave the write as it is, and come back."""
    write = _mine(scope, taken)
    if write is None:
        return None
    _note(scope, write, "connector_write.look_up", outcome="error")
    if trouble.reason in (Reason.NOT_PERMITTED, Reason.WITHHELD_LOCKED) and write.state in (
        WriteState.INTENDED, WriteState.ARMED
    ):  # fmt: skip
        write.move(
            WriteState.REFUSED, by=scope.actor_id, at=now, fence=taken.fence, leased_until=None,
            retry_at=None, reason=trouble.reason.value,
        )  # fmt: skip
        announce(scope=scope, write=write, now=now)
        return write
    write.leased_until, write.retry_at = None, now + _wait(trouble)
    write.save(update_fields=["leased_until", "retry_at"])
    _ask_somebody(scope, write, now)
    return write


def record_read_back(*, scope: Scope, taken: Taken, got: Got, now: datetime) -> Write | None:
    """
    Settle a write by what a complete list has in its place.

    :return: None when another worker has taken it since
    """
    write = _mine(scope, taken)
    if write is None:
        return None
    _note(scope, write, "connector_write.read_back")
    found = _look(taken, got)
    if found.match is Match.EQUAL:
        _confirm(scope, write, found, now)
    elif found.match in (Match.DIFFERENT, Match.NOT_SHOWN):
        _conflict(scope, write, found, now, reason=found.match.value)
    else:
        _missing(scope, write, taken, now)
    return write


def _missing(scope: Scope, write: Write, taken: Taken, now: datetime) -> None:
    if write.reason == WORKER_DIED and now - write.state_changed_at < LEASE:
        write.leased_until, write.retry_at = None, min(now + LOOKED_FOR_EACH, write.state_changed_at + LEASE)
        write.save(update_fields=["leased_until", "retry_at"])
        return
    write.reads += 1
    if write.reads < READS:
        write.leased_until = None
        write.retry_at = now + timedelta(seconds=max(1, taken.settle_seconds))
        write.save(update_fields=["reads", "leased_until", "retry_at"])
        return
    write.move(
        WriteState.ABSENT, by=scope.actor_id, at=now, fence=taken.fence, leased_until=None,
        retry_at=None, reads=write.reads, reason="not_there",
    )  # fmt: skip
    if not write.claimed and write.sends < SENDS:
        write.move(WriteState.INTENDED, by=scope.actor_id, at=now, fence=taken.fence, reason="again")
        return
    # The portal said that it was done and does not show it, or it was lost three times: a person looks.
    connection = queries.get_connection(scope=scope, connection_id=write.connection_id, lock=True)
    attention.call_for(
        scope=scope, connection=connection, matter=Matter.WRITE_ABSENT, now=now,
        capability=write.ability, subject_id=write.id,
    )  # fmt: skip
    announce(scope=scope, write=write, now=now)


def _confirm(scope: Scope, write: Write, found: Found, now: datetime, *, reason: str = "") -> None:
    moved = write.move(
        WriteState.CONFIRMED, by=scope.actor_id, at=now, fence=write.fence, leased_until=None,
        retry_at=None, remote_id=(found.remote_id or write.remote_id)[:200], reason=reason, differs=[],
        found_sealed=_sealed(write, "found", found.values or {}),
    )  # fmt: skip
    if not moved:
        return
    connection = queries.get_connection(scope=scope, connection_id=write.connection_id, lock=True)
    attention.went_away(scope=scope, connection=connection, matters=list(Matter), now=now, subject_id=write.id)
    announce(scope=scope, write=write, now=now)
    aside = (opened(write=write, part="values") or {}).get("aside") or {}
    tell_room(scope=scope, connection=connection, write=write, values=found.values or {}, aside=aside, now=now)


def _conflict(scope: Scope, write: Write, found: Found, now: datetime, *, reason: str = "different") -> None:
    moved = write.move(
        WriteState.CONFLICTING, by=scope.actor_id, at=now, fence=write.fence, leased_until=None,
        retry_at=None, remote_id=(found.remote_id or write.remote_id)[:200], reason=reason,
        differs=list(found.differs), found_sealed=_sealed(write, "found", found.values or {}),
    )  # fmt: skip
    if not moved:
        return
    connection = queries.get_connection(scope=scope, connection_id=write.connection_id, lock=True)
    attention.call_for(
        scope=scope, connection=connection, matter=Matter.WRITE_CONFLICTING, now=now,
        capability=write.ability, subject_id=write.id,
    )  # fmt: skip
    announce(scope=scope, write=write, now=now)


def _ask_somebody(scope: Scope, write: Write, now: datetime) -> None:
    """A write that nobody could look for is put before a person."""
    if write.state != WriteState.IN_DOUBT or now - write.state_changed_at < OLD_DOUBT:
        return
    connection = queries.get_connection(scope=scope, connection_id=write.connection_id, lock=True)
    attention.call_for(
        scope=scope, connection=connection, matter=Matter.WRITE_IN_DOUBT, now=now,
        capability=write.ability, subject_id=write.id,
    )  # fmt: skip


def ask_about_old_doubts(*, scope: Scope, connection_id: UUID, now: datetime) -> None:
    """Put every write that is in doubt for long before a person."""
    rows = Write.objects.visible_to(scope).filter(
        connection_id=connection_id, state=WriteState.IN_DOUBT, state_changed_at__lt=now - OLD_DOUBT
    )
    for write in rows:
        _ask_somebody(scope, write, now)


def announce(*, scope: Scope, write: Write, now: datetime) -> None:
    """Tell how a settled write ended."""
    confirmed = write.state == WriteState.CONFIRMED
    _tell(scope, write, events.WRITE_CONFIRMED if confirmed else events.WRITE_FAILED, now)


def _tell(scope: Scope, write: Write, event: str, now: datetime) -> None:
    emit(
        event, scope=scope, object_type="connector_write", object_id=write.id, version=write.fence + 1,
        now=now, changed=["state"],
    )  # fmt: skip
