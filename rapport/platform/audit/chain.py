"""
The chain: each event's place, and a hash over all before it, so that tampering shows.

Events are written without a lock; a moment later a batch of them is linked, under one lock per
practice. What is linked cannot be changed, removed, swapped or renumbered without breaking the
chain; what cuts its end, or makes the whole chain anew, differs from the checkpoints outside the
database (`checkpoints`). A row that was tampered with before it was linked is not covered: the
worker links every few seconds, and every look at the trail links first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Literal

import msgspec

from rapport.kernel.ids import new_uuid
from rapport.platform.access.scope import Scope
from rapport.platform.db import sql

from . import checkpoints

START = bytes(32)
"""What the first link names as the hash before it."""
Agreement = Literal["match", "mismatch", "none"]
BATCH = 5_000
"""Events that are linked, or checked, at a time."""
MOST_CHECKED = 250_000
"""Links that one call of `verify` looks at; a longer chain is checked in parts."""

COLUMNS = (
    "e.id, e.occurred_at, e.actor_type, e.actor_id, e.roles, e.session_id, e.amr, e.action,"
    " e.outcome, e.reason, e.patient_ids, e.target_type, e.target_id, e.target_version, e.fields,"
    " e.changed, e.count, host(e.ip), e.user_agent, e.request_id"
)
"""Everything an event says, in the order of its canonical form."""

_encoder = msgspec.json.Encoder(uuid_format="canonical")

_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('audit-chain:' || %s::text, 0))"
_LAST = "SELECT seq, hash FROM audit_auditlink WHERE practice_id = %s ORDER BY seq DESC LIMIT 1"
_WAITING = (
    f"SELECT {COLUMNS} FROM audit_auditevent e"  # noqa: S608 - constants
    " WHERE e.practice_id = %(practice)s AND e.id = ANY(ARRAY("
    " SELECT p.event_id FROM audit_pending p WHERE p.practice_id = %(practice)s LIMIT %(most)s))"
    " ORDER BY e.occurred_at, e.id"
)
_LINK = (
    "INSERT INTO audit_auditlink (practice_id, id, seq, event_id, prev_hash, hash)"
    " SELECT %s, * FROM unnest(%s::uuid[], %s::bigint[], %s::uuid[], %s::bytea[], %s::bytea[])"
)
_DONE = "DELETE FROM audit_pending WHERE practice_id = %s AND event_id = ANY(%s)"
_READ = (
    f"SELECT l.seq, l.prev_hash, l.hash, l.event_id, {COLUMNS}"  # noqa: S608 - constants
    " FROM audit_auditlink l LEFT JOIN audit_auditevent e"
    " ON e.practice_id = l.practice_id AND e.id = l.event_id"
    " WHERE l.practice_id = %s AND l.seq BETWEEN %s AND %s ORDER BY l.seq"
)
_LOOSE = (
    "SELECT count(*) FILTER (WHERE p.event_id IS NOT NULL),"
    " count(*) FILTER (WHERE p.event_id IS NULL)"
    " FROM audit_auditevent e LEFT JOIN audit_auditlink l"
    " ON l.practice_id = e.practice_id AND l.event_id = e.id"
    " LEFT JOIN audit_pending p ON p.practice_id = e.practice_id AND p.event_id = e.id"
    " WHERE e.practice_id = %s AND l.event_id IS NULL"
)
_HASH_AT = "SELECT hash FROM audit_auditlink WHERE practice_id = %s AND seq = %s"


@dataclass(frozen=True, slots=True)
class Verification:
    """What a look at the chain found."""

    valid: bool
    first_bad_seq: int | None
    """The first place where the chain is not what it was; None when it is whole."""
    checked: int
    """Links that were looked at."""
    unchained: int
    """Events that wait for their link; the next batch takes them."""
    checkpoint: Agreement
    """`match`, `mismatch`, or `none` when none was made yet."""
    from_seq: int
    to_seq: int


def canonical(event: tuple[Any, ...]) -> bytes:
    """
    Return the bytes that an event's hash is made over, from a row of `COLUMNS`.

    A JSON array of all it says, instants in UTC with microseconds. Never to be changed: every
    chain that exists was made with it.
    """
    id, occurred_at, *rest = event
    moment = occurred_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return _encoder.encode([id, moment, *rest])


def link_hash(prev: bytes, seq: int, event: bytes) -> bytes:
    """Return the hash of a link: over the hash before it, its place, and its event."""
    return sha256(prev + seq.to_bytes(8, "big") + event).digest()


def chain_practice(scope: Scope) -> int:
    """
    Link every event that waits, and return how many there were.

    Runs in the present transaction, which holds the practice's chain until it ends.
    """
    practice = scope.practice_id
    sql.rows(_LOCK, (practice,))
    last = sql.one(_LAST, (practice,))
    seq, prev = (last[0], bytes(last[1])) if last else (0, START)
    linked = 0
    while True:
        waiting = sql.rows(_WAITING, {"practice": practice, "most": BATCH})
        if not waiting:
            return linked
        seqs, ids, prevs, hashes = [], [], [], []
        for event in waiting:
            seq += 1
            seqs.append(seq)
            ids.append(event[0])
            prevs.append(prev)
            prev = link_hash(prev, seq, canonical(event))
            hashes.append(prev)
        sql.run(_LINK, (practice, [new_uuid() for _ in ids], seqs, ids, prevs, hashes))
        sql.run(_DONE, (practice, ids))
        linked += len(waiting)


def _batches(scope: Scope, first: int, last: int) -> Iterator[list[tuple[Any, ...]]]:
    for start in range(first, last + 1, BATCH):
        yield sql.rows(_READ, (scope.practice_id, start, min(start + BATCH - 1, last)))


def _walk(scope: Scope, first: int, last: int, prev: bytes) -> tuple[int | None, int]:
    """Recompute the links from `first` to `last`: (first bad one or None, how many were seen)."""
    expected = first
    for batch in _batches(scope, first, last):
        for seq, named_prev, named_hash, _, *event in batch:
            if seq != expected or event[0] is None or bytes(named_prev) != prev:
                return expected, expected - first
            prev = link_hash(prev, seq, canonical(tuple(event)))
            if prev != bytes(named_hash):
                return seq, seq - first
            expected += 1
    return (None if expected > last else expected), expected - first


def _against_checkpoints(scope: Scope, end: int) -> tuple[Agreement, int | None]:
    """Compare the chain with what was noted outside: (result, first place that differs)."""
    known = checkpoints.read(scope.practice_id)
    if not known:
        return "none", None
    agreed = 0
    for point in known:
        row = sql.one(_HASH_AT, (scope.practice_id, point.seq))
        if row is None:  # cut off
            return "mismatch", min(point.seq, end + 1)
        if not point.genuine or bytes(row[0]).hex() != point.hash:  # made anew
            return "mismatch", agreed + 1
        agreed = point.seq
    return "match", None


def verify(scope: Scope, from_seq: int = 1, to_seq: int | None = None) -> Verification:
    """
    Recompute the chain between two places (both included) and compare it with the checkpoints.

    :param to_seq: None: to the end; at most `MOST_CHECKED` links are looked at
    """
    row = sql.one(_LAST, (scope.practice_id,))
    end = row[0] if row else 0
    last = min(end if to_seq is None else to_seq, end, from_seq + MOST_CHECKED - 1)
    prev, bad, checked = START, None, 0
    if from_seq > 1:
        before = sql.one(_HASH_AT, (scope.practice_id, from_seq - 1))
        if before is None and last >= from_seq:
            bad = from_seq - 1
        prev = bytes(before[0]) if before else START
    if bad is None and last >= from_seq:
        bad, checked = _walk(scope, from_seq, last, prev)
    checkpoint, differs_at = _against_checkpoints(scope, end)
    bad = differs_at if bad is None else bad
    loose = sql.one(_LOOSE, (scope.practice_id,))
    waiting, torn = loose if loose else (0, 0)
    if bad is None and torn:
        # An event without a link that does not wait for one: its link was taken away.
        bad = end + 1
    return Verification(
        valid=bad is None, first_bad_seq=bad, checked=checked, unchained=waiting + torn,
        checkpoint=checkpoint, from_seq=from_seq, to_seq=last,
    )  # fmt: skip


def make_checkpoint(scope: Scope, *, now: datetime) -> bool:
    """
    Note the chain's present end outside the database, signed. Return whether it had grown.

    A chain that no longer agrees with the last checkpoint gets no new one: a checkpoint must
    never make tampering look right.
    """
    row = sql.one(_LAST, (scope.practice_id,))
    if row is None:
        return False
    known = checkpoints.read(scope.practice_id)
    if known:
        agreed = sql.one(_HASH_AT, (scope.practice_id, known[-1].seq))
        if known[-1].seq >= row[0] or agreed is None or bytes(agreed[0]).hex() != known[-1].hash:
            return False
    checkpoints.append(scope.practice_id, seq=row[0], hash=bytes(row[1]).hex(), now=now)
    return True
