"""Practices over HTTP: those the caller works in."""

from __future__ import annotations

from django.utils import timezone

from rapport.kernel.ids import type_id
from rapport.kernel.problems import NotFound
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.api import etags
from rapport.platform.api.router import ScopedRequest
from rapport.platform.api.shapes import Answer, Page, instant, path_id
from rapport.platform.identity import examples, members, mfa
from rapport.platform.identity import schemas_house as s
from rapport.platform.tenancy.models import Practice
from rapport.platform.tenancy.queries import get_practice
from rapport.platform.tenancy.source import System

from .base import keeping_mfa, router


def _shape(practice: Practice, scope: Scope) -> s.PracticeOut:
    return s.PracticeOut(
        object="practice",
        id=type_id("practice", practice.id),
        name=practice.name,
        current=practice.id == scope.practice_id,
        time_zone=practice.time_zone,
        livemode=practice.livemode,
        system="connected" if practice.system == System.CONNECTED else "native",
        caseload_only=practice.caseload_only,
        sends_to_next_payer=practice.sends_to_next_payer,
        mfa_required=True,
        npi=practice.npi or None,
        tax_id=practice.tax_id or None,
        taxonomy_code=practice.taxonomy_code or None,
        phone=practice.phone or None,
        address=s.PracticeAddressOut(
            line1=practice.address_line1 or None,
            line2=practice.address_line2 or None,
            city=practice.city or None,
            state=practice.state_code or None,
            postal_code=practice.postal_code or None,
        ),
        version=practice.version,
        created_at=instant(practice.created_at),
        updated_at=instant(practice.updated_at),
    )


def _answer(practice: Practice, scope: Scope) -> Answer:
    scope.trail.target("practice", practice.id, practice.version)
    return Answer(_shape(practice, scope), etag=etags.of(practice.id, practice.version))


@router.get(
    "/practices",
    summary="List one's practices",
    needs=Permission.PRACTICE_READ,
    action="practice.list",
    kind="list",
    returns=(200, s.PracticeOut),
    example=examples.page(examples.PRACTICE),
)
def list_practices(request: ScopedRequest) -> Page:
    """
    The practices the caller works in, by name; `current` marks the one this token opens. To work
    in another one, sign in to it. An API key has one practice.
    """
    scope = request.auth
    found = members.practices_of(scope=scope)
    scope.trail.count = len(found)
    return Page(
        data=[_shape(practice, scope) for practice in found], has_more=False, next_cursor=None
    )


@router.get(
    "/practices/{practice_id}",
    summary="Read the practice",
    needs=Permission.PRACTICE_READ,
    action="practice.read",
    returns=(200, s.PracticeOut),
    example=examples.PRACTICE,
)
def read_practice(request: ScopedRequest, practice_id: str) -> Answer:
    """The practice of this token. Every other one is not found, also where the caller works in it."""
    scope = request.auth
    if path_id("practice", practice_id) != scope.practice_id:
        raise NotFound()
    return _answer(get_practice(scope=scope), scope)


@router.patch(
    "/practices/{practice_id}",
    summary="Change the practice",
    needs=Permission.PRACTICE_WRITE,
    action="practice.update",
    returns=(200, s.PracticeOut),
    match=True,
    problems=(mfa.MfaRequiredByPolicy,),
    example=examples.PRACTICE,
    request_example={"phone": "5035550199"},
)
def change_practice(request: ScopedRequest, practice_id: str, body: s.PracticeChange) -> Answer:
    """
    Change name, zone, billing identifiers, address, whether caseloads are kept apart, or whether claims to further
    payers leave by themselves. The second
    factor cannot be switched off, and a test practice never becomes a live one.
    """
    id = path_id("practice", practice_id)
    practice = keeping_mfa(
        request,
        lambda: members.change_practice(
            scope=request.auth, practice_id=id, if_match=request.edge.if_match,
            given={name: getattr(body, name) for name in body.model_fields_set},
            now=timezone.now(),
        ),
    )  # fmt: skip
    return _answer(practice, request.auth)
