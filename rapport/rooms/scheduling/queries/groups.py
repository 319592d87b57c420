"""Questions about groups. Members whom the actor may not see are counted, and never named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from rapport.kernel.problems import NotFound
from rapport.platform.access.scope import Scope
from rapport.platform.db import sql
from rapport.platform.db.rows import by_id
from rapport.rooms.scheduling.models import Appointment, Group, GroupSession
from rapport.rooms.scheduling.states import SEATED, AppointmentStatus, GroupSessionStatus


def get_group(*, scope: Scope, group_id: UUID, lock: bool = False) -> Group:
    """Return a group. :raises NotFound: there is none here"""
    row = by_id(Group, scope=scope, id=group_id, lock=lock)
    if row is None:
        raise NotFound(_sought=[("group", group_id)])
    return row


def get_session(*, scope: Scope, group_session_id: UUID, lock: bool = False) -> GroupSession:
    """Return a session of a group. :raises NotFound: there is none here"""
    row = by_id(GroupSession, scope=scope, id=group_session_id, lock=lock)
    if row is None:
        raise NotFound(_sought=[("group_session", group_session_id)])
    return row


def upcoming(*, scope: Scope, group_id: UUID, after: datetime) -> list[GroupSession]:
    """Return the sessions of a group that are booked and begin after an instant, in order, each row held."""
    rows = GroupSession.objects.visible_to(scope).filter(
        group_id=group_id, status=GroupSessionStatus.BOOKED, start_at__gt=after
    )
    return list(rows.select_for_update().order_by("start_at", "id"))


def seated(*, scope: Scope, group_session_id: UUID, lock: bool = False) -> list[Appointment]:
    """Return the appointments of those who have a place in a session, as far as the actor may see them."""
    rows = Appointment.objects.visible_to(scope).filter(
        group_session_id=group_session_id, status__in=list(SEATED)
    )
    return list((rows.select_for_update() if lock else rows).order_by("id"))


def seats_taken(*, group_session_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Return session -> how many members have a place in it, whoever may see them; none: not in it."""
    rows = sql.rows("SELECT * FROM rapport_group_seats(%s)", (list(group_session_ids),))
    return {row[0]: row[1] for row in rows}


def size_of(*, group_id: UUID) -> int:
    """Return how many members a group has, whoever may see them."""
    row = sql.one("SELECT rapport_group_size(%s)", (group_id,))
    assert row is not None
    return int(row[0])


@dataclass(frozen=True, slots=True)
class Part:
    """One member's part of a session: what a note of it needs to know."""

    appointment_id: UUID
    patient_id: UUID
    clinician_id: UUID
    service_on: date
    """The day it is in the practice."""
    attended: bool
    """The patient is there, or was."""


def parts_of(*, scope: Scope, group_session_id: UUID) -> list[Part]:
    """Return the parts of a session that the actor may see. :raises NotFound: there is no such session here"""
    get_session(scope=scope, group_session_id=group_session_id)
    there = (AppointmentStatus.CHECKED_IN, AppointmentStatus.COMPLETED)
    return [
        Part(row.id, row.patient_id, row.clinician_id, scope.day_of(row.start_at), row.status in there)
        for row in seated(scope=scope, group_session_id=group_session_id)
    ]


_NAMES = (
    "SELECT a.patient_id, p.first_name, p.middle_name, p.preferred_name, p.last_name FROM scheduling_appointment a"
    " JOIN roster_patient p ON p.practice_id = a.practice_id AND p.id = a.patient_id"
    " WHERE a.practice_id = %s AND a.group_session_id = %s"
)


def names_in(*, scope: Scope, group_session_id: UUID) -> dict[UUID, frozenset[str]]:
    """Return patient -> names, of who has or had a place in a session, as far as the actor may see them."""
    rows = sql.rows(_NAMES, (scope.practice_id, group_session_id))
    return {row[0]: frozenset(name for name in row[1:] if name) for row in rows}


@dataclass(frozen=True, slots=True)
class Company:
    """Who else is in the session that a visit is a part of."""

    own: frozenset[str]
    """Names of the patient whose visit it is."""
    others: frozenset[str]
    """Names of everybody else in it, as far as the actor may see them: nobody learns here who else is there."""


def company_of(*, scope: Scope, appointment_id: UUID) -> Company | None:
    """Return the names in the session that a visit is a part of; None: the patient came alone."""
    row = by_id(Appointment, scope=scope, id=appointment_id)
    if row is None or row.group_session_id is None:
        return None
    names = names_in(scope=scope, group_session_id=row.group_session_id)
    own = names.pop(row.patient_id, frozenset())
    return Company(own=own, others=frozenset().union(*names.values()))


@dataclass(frozen=True, slots=True)
class Person:
    """A member whom the actor may see."""

    patient_id: UUID
    display_name: str
    appointment_id: UUID | None = None
    """In a session."""
    status: str = ""
    """In a session: where that appointment stands."""


def groups_of(*, scope: Scope, ids: Sequence[UUID]) -> list[Group]:
    """Return groups by their ids, in that order."""
    rows = Group.objects.visible_to(scope).select_related("clinician", "service_code").filter(id__in=list(ids))
    found = {row.id: row for row in rows}
    return [found[id] for id in ids]


def sessions_of(*, scope: Scope, ids: Sequence[UUID]) -> list[GroupSession]:
    """Return sessions by their ids, in that order."""
    rows = GroupSession.objects.visible_to(scope).filter(id__in=list(ids))
    found = {row.id: row for row in rows.select_related("clinician", "service_code", "group")}
    return [found[id] for id in ids]


_MEMBERS = (
    "SELECT m.group_id, m.patient_id, coalesce(nullif(p.preferred_name, ''), p.first_name), p.last_name"
    " FROM scheduling_groupmember m"
    " JOIN roster_patient p ON p.practice_id = m.practice_id AND p.id = m.patient_id"
    " WHERE m.practice_id = %s AND m.group_id = ANY(%s) AND m.left_at IS NULL ORDER BY m.joined_at, m.id"
)
_SEATED = (
    "SELECT a.group_session_id, a.patient_id, coalesce(nullif(p.preferred_name, ''), p.first_name), p.last_name,"
    " a.id, a.status FROM scheduling_appointment a"
    " JOIN roster_patient p ON p.practice_id = a.practice_id AND p.id = a.patient_id"
    " WHERE a.practice_id = %s AND a.group_session_id = ANY(%s) ORDER BY a.created_at, a.id"
)


def _people(statement: str, *, scope: Scope, ids: Sequence[UUID]) -> dict[UUID, list[Person]]:
    people: dict[UUID, list[Person]] = {id: [] for id in ids}
    for row in sql.rows(statement, (scope.practice_id, list(ids))):
        people[row[0]].append(Person(row[1], f"{row[2]} {row[3]}", *row[4:]))
        scope.trail.patient_ids.add(row[1])
    return people


def members_of(*, scope: Scope, group_ids: Sequence[UUID]) -> dict[UUID, list[Person]]:
    """Return group -> its members, as far as the actor may see them."""
    return _people(_MEMBERS, scope=scope, ids=group_ids)


def people_in(*, scope: Scope, group_session_ids: Sequence[UUID]) -> dict[UUID, list[Person]]:
    """Return session -> who has or had a place in it, as far as the actor may see them."""
    return _people(_SEATED, scope=scope, ids=group_session_ids)
