"""Memberships over HTTP."""

from __future__ import annotations

from uuid import UUID

from django.utils import timezone

from rapport.kernel.problems import ReferenceNotFound, StateConflict
from rapport.platform.access.permissions import Permission
from rapport.platform.api.lists import Filter, ListSpec, Sort
from rapport.platform.api.router import ScopedRequest
from rapport.platform.api.shapes import Answer, path_id
from rapport.platform.identity import examples, keys, members, mfa
from rapport.platform.identity import schemas_house as s

from .base import keeping_mfa, one, router

_SOURCE = "identity_membership m JOIN identity_user u ON u.id = m.user_id"
_ONE = f"SELECT {s.MEMBER_COLUMNS} FROM {_SOURCE} WHERE m.practice_id = %s AND m.id = %s"  # noqa: S608 - constants

MEMBERS = ListSpec(
    route="memberships",
    columns=s.MEMBER_COLUMNS,
    source=_SOURCE,
    id_column="m.id",
    practice_column="m.practice_id",
    sorts={
        "created_at": Sort("m.created_at", "timestamptz"),
        "name": Sort("u.display_name", "text"),
    },
    default_sort="name",
    filters={
        "active": Filter("m.active", "bool"),
        "role": Filter("", "text", condition="m.roles @> ARRAY[{value}::varchar]"),
    },
    build=s.member_out,
)


def _answer(request: ScopedRequest, id: UUID) -> Answer:
    return one(
        request, kind="membership", statement=_ONE, parameters=(request.auth.practice_id, id),
        build=s.member_out, id=id,
    )  # fmt: skip


@router.get(
    "/memberships",
    summary="List members",
    needs=Permission.MEMBERS_READ,
    action="membership.list",
    returns=(200, s.MembershipOut),
    list_spec=MEMBERS,
    example=examples.page(examples.MEMBERSHIP),
)
def list_members(request: ScopedRequest) -> Answer:
    """Everybody who works or has worked here, by name, with their roles."""
    return MEMBERS.run(request, scope=request.auth)


@router.get(
    "/memberships/{membership_id}",
    summary="Read a membership",
    needs=Permission.MEMBERS_READ,
    action="membership.read",
    returns=(200, s.MembershipOut),
    example=examples.MEMBERSHIP,
)
def get_member(request: ScopedRequest, membership_id: str) -> Answer:
    """One membership: the person, their roles, and whom they supervise."""
    return _answer(request, path_id("membership", membership_id))


@router.post(
    "/memberships",
    summary="Add a member",
    needs=Permission.MEMBERS_MANAGE,
    action="membership.create",
    denial="role_escalation",
    returns=(201, s.MembershipOut),
    problems=(members.MemberExists, ReferenceNotFound, keys.Escalation),
    example=examples.MEMBERSHIP,
    request_example=examples.NEW_MEMBERSHIP,
)
def add_member(request: ScopedRequest, body: s.MembershipIn) -> Answer:
    """
    Let a person work here, with roles. Somebody new to this installation sets their password by
    `POST /v1/password-resets` and signs in with a mailed code until they enrol an authenticator.
    """
    member = members.invite(
        scope=request.auth, login=body.login, display_name=body.display_name, roles=body.roles,
        clinician_id=body.clinician_id, supervises=body.supervises, now=timezone.now(),
    )  # fmt: skip
    return _answer(request, member.id)


@router.patch(
    "/memberships/{membership_id}",
    summary="Change a membership",
    needs=Permission.MEMBERS_MANAGE,
    action="membership.update",
    denial="role_escalation",
    returns=(200, s.MembershipOut),
    match=True,
    problems=(ReferenceNotFound, StateConflict, keys.Escalation, mfa.MfaRequiredByPolicy),
    example=examples.MEMBERSHIP,
    request_example={"roles": ["clinician", "supervisor"]},
)
def change_member(request: ScopedRequest, membership_id: str, body: s.MembershipChange) -> Answer:
    """
    Change roles, clinician or supervision, or set `active` to false. It holds from the next
    request on, for every session and key of the person. A practice keeps one administrator, and
    `mfa_required` cannot be false.
    """
    id = path_id("membership", membership_id)
    keeping_mfa(
        request,
        lambda: members.change(
            scope=request.auth, membership_id=id, if_match=request.edge.if_match,
            given={name: getattr(body, name) for name in body.model_fields_set},
            now=timezone.now(),
        ),
    )  # fmt: skip
    return _answer(request, id)
