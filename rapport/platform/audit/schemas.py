"""The trail's shapes in the API."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from rapport.kernel.ids import PREFIXES, type_id
from rapport.platform.access.scope import Scope
from rapport.platform.api.shapes import Instant, Shape, instant

from .chain import COLUMNS, Verification


class ActorOut(Struct):
    """Who acted. A key is named by its own id, never by a person's."""

    type: Literal["user", "api_key", "system", "nobody"]
    id: str | None
    roles: list[str]


class TargetOut(Struct):
    """What was acted on."""

    type: str
    id: str
    version: int | None


class AuditSourceOut(Struct):
    """Where it came from."""

    ip: str | None
    user_agent: str
    app: str | None
    """The API key, when a program acted."""


class AuditEventOut(Shape):
    """One row of the trail, with its place in the chain."""

    object: Literal["audit_event"]
    id: str
    seq: int
    occurred_at: Instant
    practice_id: str
    actor: ActorOut
    on_behalf_of: None
    session_id: str | None
    amr: list[str]
    action: str
    outcome: Literal["allow", "deny", "error"]
    reason: str | None
    patient_ids: list[str]
    target: TargetOut | None
    fields: list[str]
    changed: list[str]
    count: int
    source: AuditSourceOut
    request_id: str | None
    prev_hash: str
    hash: str


class VerificationOut(Shape):
    """What a look at the chain found."""

    object: Literal["audit_verification"]
    valid: bool
    first_bad_seq: int | None
    checked: int
    unchained: int
    checkpoint: Literal["match", "mismatch", "none"]
    from_seq: int
    to_seq: int


class CheckpointOut(Shape):
    """Where the chain stood at a moment, signed with ed25519 over a JSON array of the rest."""

    object: Literal["audit_checkpoint"]
    practice_id: str
    """The practice as UUID: it is part of what is signed."""
    seq: int
    hash: str
    at: str
    previous: str
    key: str
    signature: str


EVENT_COLUMNS = f"{COLUMNS}, l.seq, l.prev_hash, l.hash"
"""What `event_out` reads, in its order."""

_ACTORS = {"user": "user", "api_key": "api_key", "system": "practice"}


def _public(kind: str | None, id: Any) -> str | None:
    """Return an object's public id; of a kind that has none, the plain UUID."""
    if id is None:
        return None
    return type_id(kind, id) if kind in PREFIXES else str(id)


def event_out(row: tuple[Any, ...], scope: Scope) -> AuditEventOut:
    """Return the shape of an event from a row of `EVENT_COLUMNS`."""
    actor_type = row[2]
    return AuditEventOut(
        object="audit_event",
        id=type_id("audit_event", row[0]),
        seq=row[20],
        occurred_at=instant(row[1]),
        practice_id=type_id("practice", scope.practice_id),
        actor=ActorOut(actor_type, _public(_ACTORS.get(actor_type), row[3])
                       if actor_type in _ACTORS else None, row[4]),
        on_behalf_of=None,
        session_id=_public("session", row[5]),
        amr=row[6],
        action=row[7],
        outcome=row[8],
        reason=row[9],
        patient_ids=[type_id("patient", patient) for patient in row[10]],
        target=TargetOut(row[11], str(_public(row[11], row[12])), row[13])
        if row[11] and row[12] else None,
        fields=row[14],
        changed=row[15],
        count=row[16],
        source=AuditSourceOut(
            row[17], row[18], _public("api_key", row[3]) if actor_type == "api_key" else None
        ),
        request_id=_public("request", row[19]),
        prev_hash=bytes(row[21]).hex(),
        hash=bytes(row[22]).hex(),
    )  # fmt: skip


def verification_out(found: Verification) -> VerificationOut:
    """Return the shape of a verification."""
    return VerificationOut(
        object="audit_verification", valid=found.valid, first_bad_seq=found.first_bad_seq,
        checked=found.checked, unchained=found.unchained, checkpoint=found.checkpoint,
        from_seq=found.from_seq, to_seq=found.to_seq,
    )  # fmt: skip
