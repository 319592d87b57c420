"""Asking for a write into a portal, approving it, and settling what nobody knows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from django.db import IntegrityError, transaction

from rapport.kernel.problems import FieldError, Invalid, StateConflict
from rapport.platform.access.scope import Scope
from rapport.platform.crypto import aead
from rapport.platform.jobs import registry as jobs
from rapport.rooms.exchange import queries
from rapport.rooms.exchange.models import Breaker, Connection, Write
from rapport.rooms.exchange.ports import Ability
from rapport.rooms.exchange.problems import (
    ConnectionStands,
    ConnectorDrift,
    NotPermittedThere,
    Uncalibrated,
    WriteKeyReused,
    WriteUnderWay,
)
from rapport.rooms.exchange.rules import canonical
from rapport.rooms.exchange.rules.finding import kind_of
from rapport.rooms.exchange.rules.matters import Matter
from rapport.rooms.exchange.rules.rights import to_write
from rapport.rooms.exchange.states import WORKS, WriteState

from . import attention, pacing
from .journal import announce, place_of
from .portals import ability_of


class Guard(Protocol):
    """Refuses a write that a room knows to be wrong, before anything of it is noted."""

    def __call__(
        self, *, scope: Scope, connection: Connection, values: Mapping[str, Any], remote_id: str
    ) -> None:
        """Pass, or raise the problem that stands against it."""


_guards: dict[str, Guard] = {}


def register_guard(*, ability: str, guard: Guard | None) -> None:
    """Name who may refuse writes of an ability: `claims.submit`, … None: nobody."""
    if guard is None:
        _guards.pop(ability, None)
    else:
        _guards[ability] = guard


def begin_write(
    *, scope: Scope, connection_id: UUID, ability: str, values: Mapping[str, Any], key: str, now: datetime,
    patient_id: UUID | None = None, remote_id: str = "", seen: Mapping[str, Any] | None = None,
    aside: Mapping[str, Any] | None = None,
) -> Write:
    """
    Note a write in the journal; a worker carries it out. The same key gives the same write.

    The caller has checked the permission that its own deed needs.

    :param values: in the names of the contract
    :param key: the caller's idempotency key
    :param remote_id: the record to change, or under which one is made; empty: one is made, and found again by its key
    :param seen: of a change, the values it rests on: if the portal has others now, it conflicts
    :param aside: what the caller wants back with it, and the portal is not told
    :raises WriteKeyReused: the key belongs to another write
    :raises WriteUnderWay: another write of the same thing is not settled
    :raises Conflict: a room's guard knows it to be wrong, such as a claim that is open elsewhere
    :raises ConnectionStands: or NotPermittedThere, ConnectorDrift, PortalPace: it cannot be written now
    """
    connection = queries.get_connection(scope=scope, connection_id=connection_id)
    body = canonical.dump(
        {
            "ability": ability, "values": canonical.record(values), "remote_id": remote_id,
            "seen": canonical.record(seen) if seen is not None else None, "aside": dict(aside or {}),
        }
    )  # fmt: skip
    digest = aead.blind_index(body.decode(), context=f"exchange_write|{connection.id}")
    known = _known(scope, connection, key, digest)
    if known is not None:
        return known
    guard = _guards.get(ability)
    if guard is not None:
        guard(scope=scope, connection=connection, values=values, remote_id=remote_id)
    can = _require_open(scope, connection, ability)
    pacing.require_room(scope=scope, connection=connection, now=now)
    under = remote_id if can.makes_child else ""
    row = Write(
        practice_id=scope.practice_id, connection=connection, patient_id=patient_id, ability=ability,
        read_back=can.read_back or f"{kind_of(ability)}.read", key=key, payload_digest=digest,
        remote_id="" if under else remote_id, parent_id=under, makes_new=bool(under) or not remote_id,
        key_fields=list(can.key), natural_key=_natural_key(connection, can, canonical.record(values), remote_id),
        settle_seconds=can.settle_seconds, attended=can.attended, asked_by=scope.actor_id,
        state_changed_at=now, created_at=now,
    )  # fmt: skip
    row.values_sealed = aead.seal(body, aad=place_of(write=row, part="values"), purpose="field")
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        known = _known(scope, connection, key, digest)
        if known is not None:
            return known
        raise WriteUnderWay(reason="write_under_way") from error
    if patient_id is not None:
        scope.trail.patient_ids.add(patient_id)
    if can.attended:
        attention.call_for(
            scope=scope, connection=connection, matter=Matter.WRITE_TO_APPROVE, now=now,
            capability=ability, subject_id=row.id,
        )  # fmt: skip
    else:
        defer(scope=scope, write=row)
    return row


def _known(scope: Scope, connection: Connection, key: str, digest: bytes) -> Write | None:
    row = queries.latest_write(scope=scope, connection_id=connection.id, key=key)
    if row is not None and bytes(row.payload_digest) != digest:
        raise WriteKeyReused(reason="write_key_reused")
    return row


def _require_open(scope: Scope, connection: Connection, ability: str) -> Ability:
    if connection.state not in WORKS:
        raise ConnectionStands("See its open attention items.", current_state=connection.state)
    can = ability_of(definition=connection.definition, name=ability)
    if can is None or can.kind != "write":
        raise Invalid("The definition cannot write that.", errors=(FieldError("/ability", "not-known"),))
    if can.level == "uncalibrated" and not connection.calibration:
        raise Uncalibrated(reason="uncalibrated")
    if connection.permitted.get(ability) is False:
        raise NotPermittedThere(portal_permission=ability, reason="not_permitted")
    broken = Breaker.objects.visible_to(scope).filter(
        connection_id=connection.id, capability=ability, kind="drift", opened_at__isnull=False
    )
    if broken.exists():
        raise ConnectorDrift(reason="drift", capability=ability)
    return can


def _natural_key(connection: Connection, can: Ability, values: Mapping[str, Any], remote_id: str) -> bytes:
    if can.makes_child and not remote_id:
        raise Invalid("It is made under another record.", errors=(FieldError("/remote_id", "required"),))
    if remote_id and not can.makes_child:
        parts: dict[str, Any] = {"kind": kind_of(can.name), "remote_id": remote_id}
    else:
        missing = [name for name in can.key if values.get(name) is None]
        if missing or not can.key:
            raise Invalid(
                "Fields are missing by which the write is found again.",
                errors=tuple(FieldError(f"/values/{name}", "required") for name in missing),
            )
        under = {"under": remote_id} if remote_id else {}
        parts = {"kind": kind_of(can.name), "key": {name: values[name] for name in can.key}} | under
    return aead.blind_index(canonical.dump(parts).decode(), context=f"exchange_key|{connection.id}")


def defer(*, scope: Scope, write: Write) -> None:
    """Ask a worker to take a write up, unless one was asked."""
    jobs.defer("exchange.write", scope, queueing_lock=f"write:{write.id}", write_id=write.id)


def approve(*, scope: Scope, connection_id: UUID, write_id: UUID, now: datetime) -> Write:
    """
    Approve a write that cannot be undone. Who may do such a thing here may approve it there.

    :raises StateConflict: it waits for no approval
    """
    write = queries.get_write(scope=scope, connection_id=connection_id, write_id=write_id, lock=True)
    scope.require(to_write(write.ability))
    if not write.attended or write.approved_at is not None or write.state != WriteState.INTENDED:
        raise StateConflict("It waits for no approval.", current_state=write.state)
    write.approved_by, write.approved_at = scope.actor_id, now
    write.save(update_fields=["approved_by", "approved_at"])
    _done_with(scope, write, now)
    defer(scope=scope, write=write)
    return write


def settle(
    *, scope: Scope, connection_id: UUID, write_id: UUID, outcome: str, remote_id: str | None, now: datetime
) -> Write:
    """
    Say what a person has seen of a write.

    :param outcome: `happened`, `did_not_happen`, or `dropped` before anything was sent
    :raises StateConflict: the journal knows better
    """
    write = queries.get_write(scope=scope, connection_id=connection_id, write_id=write_id, lock=True)
    scope.require(to_write(write.ability))
    if write.leased_until is not None and write.leased_until > now:
        raise StateConflict("A worker is at it. Wait a moment.", current_state=write.state)
    unsent = write.state == WriteState.INTENDED and write.sends == 0
    fits = {
        "happened": write.state in (WriteState.IN_DOUBT, WriteState.ABSENT),
        "did_not_happen": write.state == WriteState.IN_DOUBT,
        "dropped": unsent,
    }[outcome]
    to = {
        "happened": WriteState.CONFIRMED, "did_not_happen": WriteState.ABSENT,
        "dropped": WriteState.REFUSED,
    }[outcome]  # fmt: skip
    found = remote_id if remote_id and outcome == "happened" else write.remote_id
    if not fits or not write.move(
        to, by=scope.actor_id, at=now, reason="by_person", retry_at=None, remote_id=found
    ):
        raise StateConflict("That does not fit what the journal knows.", current_state=write.state)
    _done_with(scope, write, now)
    announce(scope=scope, write=write, now=now)
    scope.trail.reason = outcome
    return write


def _done_with(scope: Scope, write: Write, now: datetime) -> None:
    connection = queries.get_connection(scope=scope, connection_id=write.connection_id, lock=True)
    attention.went_away(scope=scope, connection=connection, matters=list(Matter), now=now, subject_id=write.id)
    scope.trail.target("connector_write", write.id)
