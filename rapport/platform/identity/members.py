"""Who works in a practice, with which roles. A change holds from the next request on."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import connection
from django.db.models import F

from rapport.kernel.codes import digits
from rapport.kernel.ids import parse_type_id
from rapport.kernel.problems import (
    Conflict,
    FieldError,
    Invalid,
    NotFound,
    ReferenceNotFound,
    StateConflict,
)
from rapport.platform.access.permissions import Permission, Role
from rapport.platform.access.scope import Scope, system_scope
from rapport.platform.api import etags
from rapport.platform.db import sql
from rapport.platform.db.session import set_scope
from rapport.platform.tenancy.models import Practice

from . import services
from .keys import Escalation
from .mfa import MfaRequiredByPolicy
from .models import Affiliation, ApiKey, Membership, User


class MemberExists(Conflict):
    code, title = "member-exists", "This person works here already."


def clinician_of(*, scope: Scope, user_id: UUID) -> UUID | None:
    """Return which clinician of the roster a person is in this practice; None: none."""
    row = Membership.objects.visible_to(scope).filter(user_id=user_id).first()
    return row.clinician_id if row else None


def keys_among(*, scope: Scope, ids: Collection[UUID]) -> set[UUID]:
    """Return those ids of actors that are API keys of the practice, withdrawn ones too; the others are people."""
    return set(ApiKey.objects.visible_to(scope).filter(id__in=list(ids)).values_list("id", flat=True))


def refer_to_member(*, scope: Scope, text: str | None, pointer: str) -> UUID | None:
    """Return the user that a body names, who works here; None for none. :raises ReferenceNotFound: nobody here"""
    if text is None:
        return None
    id = parse_type_id("user", text)
    if id is None or not Membership.objects.visible_to(scope).filter(user_id=id).exists():
        raise ReferenceNotFound(
            "A field refers to something that is not here.",
            errors=(FieldError(pointer, "reference-not-found"),),
            _sought=[("user", id)] if id else [],
        )
    return id


def _reference(scope: Scope, kind: str, text: str | None, pointer: str) -> UUID | None:
    """Return the id of an object of this practice that a body names, whichever room keeps it."""
    if text is None:
        return None
    id = parse_type_id(kind, text)
    place = sql.one("SELECT table_name FROM audit_kind WHERE kind = %s", (kind,))
    if id is not None and place is not None:
        with connection.cursor() as cursor:
            table = connection.ops.quote_name(place[0])
            cursor.execute(
                f"SELECT 1 FROM {table} WHERE practice_id = %s AND id = %s",  # noqa: S608 - from our migrations; lint: allow danger - a quoted name of ours
                [scope.practice_id, id],
            )
            if cursor.fetchone():
                return id
    raise ReferenceNotFound(
        "A field refers to something that is not here.",
        errors=(FieldError(pointer, "reference-not-found"),),
        _sought=[(kind, id)] if id else [],
    )


def _clinicians(scope: Scope, given: Sequence[str]) -> list[UUID]:
    found = [
        _reference(scope, "clinician", text, f"/supervises/{place}")
        for place, text in enumerate(dict.fromkeys(given))
    ]
    return [id for id in found if id is not None]


def _may_give(scope: Scope, roles: Sequence[Role]) -> None:
    """Let people who manage members give any role, and programs any but the highest."""
    if scope.actor_type == "api_key" and Role.PRACTICE_ADMINISTRATOR in roles:
        raise Escalation(reason="role_escalation")


def invite(
    *,
    scope: Scope,
    login: str,
    display_name: str,
    roles: Sequence[Role],
    clinician_id: str | None,
    supervises: Sequence[str],
    now: datetime,
) -> Membership:
    """
    Let somebody work here. Who has no password yet sets one by `POST /v1/password-resets`.

    :param display_name: for a person who is new to this installation; others keep theirs
    :raises MemberExists: they do already
    :raises ReferenceNotFound: a clinician is not of this practice
    :raises Escalation: a program gives the administrator's role
    """
    scope.require(Permission.MEMBERS_MANAGE)
    _may_give(scope, roles)
    login = login.strip().lower()
    user = User.objects.filter(login=login).first()
    if user is None:
        user = services.create_user(login=login, password=None, display_name=display_name, now=now)
    elif Membership.objects.visible_to(scope).filter(user=user).exists():
        raise MemberExists("Change their membership instead.")
    member = services.add_member(
        scope=scope, user=user, roles=list(dict.fromkeys(roles)), now=now,
        clinician_id=_reference(scope, "clinician", clinician_id, "/clinician_id"),
        supervises=_clinicians(scope, supervises),
    )  # fmt: skip
    scope.trail.target("membership", member.id, member.version)
    return member


def change(
    *, scope: Scope, membership_id: UUID, if_match: str, given: Mapping[str, Any], now: datetime
) -> Membership:
    """
    Change roles, clinician, supervision, or switch off. Switched off, every session ends at once
    and the person's keys of this practice open nothing.

    :param given: the fields that were sent
    :raises NotFound: no such membership here
    :raises PreconditionFailed: it was changed since
    :raises StateConflict: the practice would be left without an administrator
    :raises MfaRequiredByPolicy: the second factor was to be switched off
    """
    scope.require(Permission.MEMBERS_MANAGE)
    member: Membership | None = (
        Membership.objects.visible_to(scope).select_for_update().filter(id=membership_id).first()
    )
    if member is None:
        raise NotFound(_sought=[("membership", membership_id)])
    if given.get("mfa_required") is False:
        raise MfaRequiredByPolicy()
    etags.check(member, if_match)
    values: dict[str, Any] = {}
    if "roles" in given:
        _may_give(scope, given["roles"])
        values["roles"] = [role.value for role in dict.fromkeys(given["roles"])]
    if "active" in given:
        values["active"] = given["active"]
    if "clinician_id" in given:
        values["clinician_id"] = _reference(
            scope, "clinician", given["clinician_id"], "/clinician_id"
        )
    if "supervises" in given:
        values["supervises"] = _clinicians(scope, given["supervises"])
    changed = [name for name, value in values.items() if getattr(member, name) != value]
    for name in changed:
        setattr(member, name, values[name])
    if changed:
        _keep_an_administrator(scope, member)
        # Conditional besides the lock, so that no version is ever written over by one that had
        # not seen it.
        written = Membership.objects.visible_to(scope).filter(id=member.id, version=member.version)
        if written.update(**{name: values[name] for name in changed}, version=F("version") + 1, updated_at=now) != 1:
            raise StateConflict("It was changed at the same moment: read it again.")
        member.version += 1
        member.updated_at = now
    if "active" in changed and not member.active:
        services.end_sessions_here(scope=scope, user_id=member.user_id, reason="disabled", now=now)
    scope.trail.changed = changed
    scope.trail.target("membership", member.id, member.version)
    return member


def _keep_an_administrator(scope: Scope, member: Membership) -> None:
    chief = Role.PRACTICE_ADMINISTRATOR.value
    if member.active and chief in member.roles:
        return
    others = Membership.objects.visible_to(scope).filter(active=True, roles__contains=[chief])
    # Locked, so that two administrators cannot switch each other off at the same moment.
    if not list(others.exclude(id=member.id).select_for_update().order_by("id")):
        was = Membership.objects.visible_to(scope).get(id=member.id)
        if was.active and chief in was.roles:
            raise StateConflict("Make somebody else administrator first.", current_state="last")


def practices_of(*, scope: Scope) -> list[Practice]:
    """Return the practices that the person works in, by name; for a program its own."""
    if scope.actor_type != "user" or scope.user_id is None:
        return [Practice.objects.get(id=scope.practice_id)]
    mine = Affiliation.objects.filter(user_id=scope.user_id)
    homes = list(mine.values_list("practice_id", flat=True))
    found = []
    for home in homes:
        inside = system_scope(practice_id=home, actor_id=home, time_zone=scope.time_zone)
        set_scope(inside)
        works = Membership.objects.visible_to(inside).filter(user_id=scope.user_id, active=True)
        if works.exists():
            found.append(Practice.objects.get(id=home))
    set_scope(scope)
    return sorted(found, key=lambda practice: (practice.name, practice.id))


def change_practice(
    *, scope: Scope, practice_id: UUID, if_match: str, given: Mapping[str, Any], now: datetime
) -> Practice:
    """
    Change the practice's own data.

    :param given: the fields that were sent
    :raises NotFound: it is not the practice of this token
    :raises PreconditionFailed: it was changed since
    :raises MfaRequiredByPolicy: the second factor was to be switched off
    """
    scope.require(Permission.PRACTICE_WRITE)
    if practice_id != scope.practice_id:
        raise NotFound()
    practice = Practice.objects.select_for_update().get(id=practice_id)
    if given.get("mfa_required") is False:
        raise MfaRequiredByPolicy()
    etags.check(practice, if_match)
    values = {
        name: value if value is not None else ""
        for name, value in given.items()
        if name not in ("mfa_required", "address")
    }
    if "tax_id" in values:
        values["tax_id"] = digits(values["tax_id"])
    if "phone" in values:
        values["phone"] = digits(values["phone"])
    if "time_zone" in values:
        _check_zone(values["time_zone"])
    if given.get("address") is not None:
        address = given["address"]
        values |= {
            "address_line1": address.line1,
            "address_line2": address.line2 or "",
            "city": address.city,
            "state_code": address.state,
            "postal_code": address.postal_code,
        }
    changed = [name for name, value in values.items() if getattr(practice, name) != value]
    for name in changed:
        setattr(practice, name, values[name])
    if changed:
        practice.version += 1
        practice.updated_at = now
        practice.save(update_fields=[*changed, "version", "updated_at"])
    scope.trail.changed = changed
    scope.trail.target("practice", practice.id, practice.version)
    return practice


def _check_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise Invalid(
            "1 field is not valid.",
            errors=(FieldError("/time_zone", "unknown-time-zone", "Use an IANA name."),),
        ) from error
