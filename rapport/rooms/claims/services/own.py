"""The claim that a call is about."""

from __future__ import annotations

from uuid import UUID

from rapport.kernel.ids import parse_type_id
from rapport.kernel.problems import FieldError, NotAtSource, ReferenceNotFound
from rapport.platform.access.scope import Scope
from rapport.rooms.claims import queries
from rapport.rooms.claims.models import Claim


def parse_reference(kind: str, *, text: str, pointer: str) -> UUID:
    id = parse_type_id(kind, text)
    if id is None:
        raise ReferenceNotFound(
            "A field refers to something that is not here.",
            errors=(FieldError(pointer, "reference-not-found"),),
        )
    return id


def own(*, scope: Scope, claim_id: UUID) -> Claim:
    """Return a claim to work on, held. :raises NotAtSource: another system has it, and does all of that"""
    claim = queries.get_claim(scope=scope, claim_id=claim_id, lock=True)
    if claim.mirrored:
        raise NotAtSource("The portal has this claim: it is changed and sent there.")
    return claim
