"""Scope: who is asking, for which practice, with which permissions, and what they touched."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from rapport.kernel.problems import Forbidden, InsufficientScope

from .permissions import Permission, Role


@dataclass(slots=True)
class Trail:
    """
    What one operation touched, for its single audit row.

    Queries and services say what they saw or changed; the edge that runs the operation writes
    the row in the same transaction. Ids, names of fields and counts only: never a value.
    """

    patient_ids: set[UUID] = field(default_factory=set)
    target_type: str | None = None
    target_id: UUID | None = None
    target_version: int | None = None
    fields: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    count: int = 0
    reason: str | None = None
    """Why: a reason a person gave, or the name of a rule."""
    extra: list[dict[str, Any]] = field(default_factory=list)
    """Further audit rows of the same operation, as arguments of `audit.write.append`."""

    def target(self, kind: str, id: UUID, version: int | None = None) -> None:
        """Name the one object that the operation is about."""
        self.target_type, self.target_id, self.target_version = kind, id, version

    def clear(self) -> None:
        """Forget what was noted; an operation that is run again starts clean."""
        self.__init__()  # type: ignore[misc]


@dataclass(frozen=True, slots=True)
class Source:
    """Where a request came from."""

    ip: str = ""
    user_agent: str = ""
    request_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """
    The first argument of every query and service.

    Built once, at the edge (session, API key, job), and never widened after. The database
    transaction carries the same practice and caseload, so a query that forgets a filter still
    cannot leave them.
    """

    practice_id: UUID
    actor_type: str
    """`user`, `api_key` or `system` (a job)."""
    actor_id: UUID
    permissions: frozenset[Permission]
    time_zone: ZoneInfo
    """The practice's zone: what it means by *today*."""
    user_id: UUID | None = None
    """The person, when one is signed in; for an API key its owner."""
    roles: frozenset[Role] = frozenset()
    clinician_id: UUID | None = None
    """The clinician this person is, if they are one."""
    supervisee_ids: frozenset[UUID] = frozenset()
    """Clinicians whose notes this person may approve."""
    caseload: frozenset[UUID] | None = None
    """Clinicians whose patients are visible; None: every patient of the practice."""
    session_id: UUID | None = None
    amr: tuple[str, ...] = ()
    """Ways the person proved who they are (RFC 8176): `pwd`, `otp`, …"""
    livemode: bool = False
    connected: bool = False
    """Another system is the practice's truth: what is here is its mirror, and writes go there."""
    held: frozenset[Permission] = frozenset()
    """What the roles allow before an API key's scopes narrow it; tells 403 texts apart."""
    source: Source = Source()
    trail: Trail = field(default_factory=Trail)

    def allows(self, permission: Permission) -> bool:
        """Tell whether the actor holds the permission."""
        return permission in self.permissions

    def require(self, permission: Permission) -> None:
        """
        Pass if the actor holds the permission.

        :raises InsufficientScope: an API key's scopes leave it out
        :raises Forbidden: the actor's roles do not hold it
        """
        if permission in self.permissions:
            return
        if self.actor_type == "api_key":
            raise InsufficientScope(
                reason="scope" if permission in self.held else "owner_permission",
                headers={
                    "WWW-Authenticate": 'Bearer error="insufficient_scope", '
                    f'scope="{permission.value}"'
                },
            )
        raise Forbidden(reason="permission")

    def day_of(self, instant: datetime) -> date:
        """Return the day it is in the practice at this instant."""
        return instant.astimezone(self.time_zone).date()


def system_scope(
    *, practice_id: UUID, actor_id: UUID, time_zone: ZoneInfo, livemode: bool = False
) -> Scope:
    """
    Return the scope of work that no person asked for just now (a job, a driver's answer).

    It sees the whole practice and nothing outside it; its audit rows say `system`.
    """
    return Scope(
        practice_id=practice_id,
        actor_type="system",
        actor_id=actor_id,
        permissions=frozenset(Permission),
        time_zone=time_zone,
        livemode=livemode,
    )
