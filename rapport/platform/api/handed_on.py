"""
Deeds that another system does for a connected practice: on their way (202), or waited for where that is preferred.

A room asks by its port, inside the request's transaction, and answers here. Who prefers to wait
(`Prefer: wait`) is answered after the commit, outside of any transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Annotated, Any, Generic, Protocol, TypeVar
from uuid import UUID

from django.http import HttpResponse
from msgspec import Meta, Struct, structs

from rapport.kernel.ids import new_uuid
from rapport.kernel.outcomes import Done, Outcome, Pending, Refused
from rapport.kernel.problems import (
    ConnectionStands,
    ConnectorDrift,
    ConnectorNotReady,
    FieldError,
    FieldNotAtSource,
    NotPermittedThere,
    PortalPace,
    RefusedAtSource,
    Uncalibrated,
    WriteUnderWay,
)
from rapport.platform.access.scope import Scope, system_scope
from rapport.platform.db.session import entered
from rapport.platform.tenancy.source import NotTakenOver

from .router import ScopedRequest, render
from .shapes import Answer

MOST_SECONDS = 20
"""How long a call waits for another system at most."""
CONFIRMED = "confirmed"
"""State of a write that is done."""
PROBLEMS = (
    ConnectorNotReady, RefusedAtSource, FieldNotAtSource, ConnectionStands, WriteUnderWay, NotPermittedThere,
    Uncalibrated, PortalPace, ConnectorDrift,
)  # fmt: skip
"""What a route that hands on may answer, beside its own problems."""


class WriteRef(Struct):
    """A write on its way to the system in which the practice's records are kept."""

    id: str
    state: Annotated[str, Meta(description="intended, submitted, in_doubt, …")]


class Wait(Protocol):
    """See for so long at most what becomes of a write. Called outside of any transaction."""

    def __call__(self, *, scope: Scope, write_id: str, seconds: float) -> Outcome: ...


@dataclass(frozen=True, slots=True)
class HandedOn:
    """How a room answers what it has handed on."""

    status: int
    """Of the answer once it is done."""
    show: Callable[[UUID], Answer]
    """The record that is here, by its id."""
    asked: Callable[[WriteRef], Any]
    """The record as it was asked for, with `write`; called at once."""
    take_over: Callable[[Scope, Done], UUID]
    """Mirrors what the other system has, and returns the record's id here."""
    wait: Wait
    pointers: Mapping[str, str] = field(default_factory=dict)
    """Value -> where the caller gave it."""


P = TypeVar("P")


class Supplied(Generic[P]):
    """What a room is supplied with to hand on to; until then, and without it, nothing can be."""

    def __init__(self) -> None:
        self._record: P | None = None

    def supply(self, record: P | None) -> None:
        """Name it, once in each process. None: there is nothing any more."""
        self._record = record

    def get(self) -> P:
        """Return it. :raises ConnectorNotReady: there is none"""
        if self._record is None:
            raise ConnectorNotReady()
        return self._record


def key_of(request: ScopedRequest) -> str:
    """Return what makes a deed at the source the same deed when it is asked for again."""
    key = request.edge.key
    own = f"{request.auth.actor_id}|{request.edge.route}|{key.text}" if key else new_uuid().hex
    return sha256(own.encode()).hexdigest()


def answer(request: ScopedRequest, outcome: Outcome, *, how: HandedOn) -> Answer:
    """
    Answer what was handed on.

    :raises RefusedAtSource: the other system has refused it
    """
    if isinstance(outcome, Done):
        try:
            shown = how.show(how.take_over(request.auth, outcome))
        except NotTakenOver:
            return Answer(how.asked(WriteRef(outcome.write_id, CONFIRMED)), status=202)
        shown.status = how.status
        return shown
    if isinstance(outcome, Refused):
        raise refusal(outcome, how.pointers)
    shape = how.asked(WriteRef(outcome.write_id, outcome.state))
    preferred = (request.headers.get("Prefer") or "").lower().split(",")
    if any(part.strip().partition("=")[0] == "wait" for part in preferred):
        request.edge.headers["Preference-Applied"] = "wait"
        request.edge.afterwards = lambda: _waited(request, outcome, shape, how)
    return Answer(shape, status=202)


def _waited(request: ScopedRequest, noted: Pending, shape: Any, how: HandedOn) -> HttpResponse:
    """Return the answer that the work has come to, or where it stands when the time is over."""
    scope = request.auth
    outcome = how.wait(scope=scope, write_id=noted.write_id, seconds=MOST_SECONDS)
    if isinstance(outcome, Refused):
        raise refusal(outcome, how.pointers)
    if isinstance(outcome, Pending):
        stands = structs.replace(shape, write=WriteRef(outcome.write_id, outcome.state))
        return render(stands, request=request, status=202)
    house = system_scope(
        practice_id=scope.practice_id, actor_id=scope.practice_id, time_zone=scope.time_zone,
        livemode=scope.livemode,
    )  # fmt: skip
    try:
        with entered(house):
            id = how.take_over(house, outcome)
    except NotTakenOver:
        # It is done there; it is here once what it refers to is.
        return render(structs.replace(shape, write=WriteRef(noted.write_id, CONFIRMED)), request=request, status=202)
    with entered(scope):
        return render(how.show(id), request=request, status=how.status)


def refusal(refused: Refused, pointers: Mapping[str, str]) -> RefusedAtSource:
    """Return the problem that says what the other system had against it, and at which fields."""
    errors = tuple(
        FieldError(pointers[name], "refused-at-source", said)
        for name, said in refused.fields.items()
        if name in pointers
    )
    return RefusedAtSource(refused.message, errors=errors)


__all__ = ["MOST_SECONDS", "PROBLEMS", "HandedOn", "Supplied", "WriteRef", "answer", "key_of", "refusal"]
