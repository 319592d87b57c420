"""Papers that belong to a claim: named in it by a number, and sent beside it by somebody who says so."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from rapport.kernel.problems import FieldError, Invalid, ReferenceNotFound, StateConflict
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.api import etags
from rapport.rooms.claims.models import ClaimAttachment
from rapport.rooms.claims.queries import desk
from rapport.rooms.claims.states import ClaimState
from rapport.rooms.documents import queries as documents

from .judging import judge
from .numbers import control_number_of
from .own import own, parse_reference

MOST = 10
"""Of one claim: the guide has room for no more (2300 PWK)."""


def attach(*, scope: Scope, claim_id: UUID, body: Any, now: datetime) -> ClaimAttachment:
    """
    Let a claim name a paper of its patient. It goes with the claim's next file, by a number of its own.

    :param body: `schemas.AttachmentIn`
    :raises ReferenceNotFound: the document is not there for this actor, or is of somebody else
    :raises StateConflict: the claim is on its way or decided
    :raises Invalid: it names ten already
    """
    scope.require(Permission.CLAIMS_WRITE)
    claim = own(scope=scope, claim_id=claim_id)
    if claim.state not in (ClaimState.DRAFT, ClaimState.VALIDATED, ClaimState.HELD, ClaimState.REJECTED):
        raise StateConflict(f"A claim that is {claim.state} takes no more papers.", current_state=claim.state)
    id = parse_reference("document", text=body.document_id, pointer="/document_id")
    found = documents.find_document(scope=scope, document_id=id)
    if found is None or found.patient_id != claim.patient_id:
        raise ReferenceNotFound(
            "A field refers to something that is not here.",
            errors=(FieldError("/document_id", "reference-not-found"),), _sought=[("document", id)],
        )  # fmt: skip
    if len(desk.attachments_of(scope=scope, claim_ids=[claim.id]).get(claim.id, [])) >= MOST:
        raise Invalid(
            "1 field is not valid.",
            errors=(FieldError("/document_id", "too-many", f"A claim names {MOST} papers at most."),),
        )
    paper = ClaimAttachment.objects.create(
        practice_id=scope.practice_id, claim=claim, patient_id=claim.patient_id, document_id=id,
        report_type=body.report_type, way=body.way, control_number=control_number_of("A"), created_at=now,
        updated_at=now,
    )  # fmt: skip
    if claim.state in (ClaimState.DRAFT, ClaimState.VALIDATED):
        judge(scope=scope, claim=claim, now=now)
    scope.trail.target("claim_attachment", paper.id, paper.version)
    return paper


def mark_attachment_sent(
    *, scope: Scope, claim_attachment_id: UUID, if_match: str, how: str, now: datetime
) -> ClaimAttachment:
    """Write down that somebody sent a paper, and how. :raises StateConflict: it was sent already"""
    scope.require(Permission.CLAIMS_WRITE)
    paper = desk.get_attachment(scope=scope, claim_attachment_id=claim_attachment_id, lock=True)
    etags.check(paper, if_match)
    paper.move(how=how, by=scope.actor_id, at=now)
    scope.trail.target("claim_attachment", paper.id, paper.version)
    return paper


