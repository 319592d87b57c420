"""How payers want their claims, over HTTP."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.utils import timezone

from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.api import etags
from rapport.platform.api.router import ScopedRequest
from rapport.platform.api.shapes import Answer, path_id
from rapport.rooms.claims import examples, services
from rapport.rooms.claims.queries import desk
from rapport.rooms.claims.schemas import profiles as s
from rapport.rooms.coverage import queries as coverage

from .base import router


def _whole(scope: Scope, payer_id: UUID) -> Answer:
    payer = coverage.get_payer(scope=scope, payer_id=payer_id)
    profile = desk.profile_row(scope=scope, payer_id=payer_id)
    return Answer(
        s.profile_out(profile, filing_indicator=payer.claim_filing_indicator),
        etag=etags.of(profile.id, profile.version),
    )


@router.get(
    "/payers/{payer_id}/claim-profile",
    summary="Read how a payer wants its claims",
    needs=Permission.PAYERS_READ,
    action="payer.read_profile",
    returns=(200, s.ProfileOut),
    example=examples.PROFILE,
)
def get_profile(request: ScopedRequest, payer_id: str) -> Answer:
    """
    Every value, and whether the practice has said it or it is what is usual for this kind of payer
    (`default, verify`: no contract says so until somebody has looked).
    """
    return _whole(request.auth, path_id("payer", payer_id))


@router.patch(
    "/payers/{payer_id}/claim-profile",
    summary="Say how a payer wants its claims",
    needs=Permission.PAYERS_WRITE,
    action="payer.change_profile",
    connected="kept",
    returns=(200, s.ProfileOut),
    match=True,
    example=examples.PROFILE,
    request_example={"filing_limit_days": 120, "supervision": "bill_under_supervisor"},
)
def change_profile(request: ScopedRequest, payer_id: str, body: s.ProfileChange) -> Answer:
    """
    Put the practice's own word in place of defaults; `null` lets a default hold again.

    It holds for claims that are made or validated from now on; what was sent stays as it was.
    """
    given: dict[str, Any] = {name: getattr(body, name) for name in body.model_fields_set}
    id = path_id("payer", payer_id)
    services.change_profile(
        scope=request.auth, payer_id=id, if_match=request.edge.if_match, given=given, now=timezone.now()
    )
    return _whole(request.auth, id)
