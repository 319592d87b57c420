"""What coverage adds to the answers of rooms below it."""

from __future__ import annotations

from uuid import UUID

from django.utils import timezone

from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.rooms.scheduling.ports import PaidBy
from rapport.rooms.scheduling.services import register_annex

from . import queries


def who_pays(scope: Scope, appointment_id: UUID) -> PaidBy | None:
    """Return what coverage has to say of an appointment; what the payer said is for who may read policies."""
    found = queries.who_pays(scope=scope, appointment_id=appointment_id, now=timezone.now())
    if found is None:
        return None
    may_read = scope.allows(Permission.POLICIES_READ)
    return PaidBy(
        [(notice.code, notice.message) for notice in found.notices], found.eligibility if may_read else None
    )


def connect() -> None:
    """Let appointments show what is to be known of who pays for them."""
    register_annex("paid_by", supply=who_pays)
