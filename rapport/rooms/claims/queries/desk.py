"""Questions about what a biller sets and settles: profiles, rules, work, papers, the printer."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from rapport.kernel.problems import NotFound
from rapport.platform.access.scope import Scope
from rapport.platform.db.rows import by_id
from rapport.rooms.claims.models import (
    ClaimAttachment,
    ClaimRules,
    InboundFile,
    PayerProfile,
    PrintSetting,
    WorkItem,
)
from rapport.rooms.claims.rules.profiles import Profile, effective


def profile_row(*, scope: Scope, payer_id: UUID) -> PayerProfile:
    """Return what the practice has said of a payer; where it has said nothing, an empty one that is not kept yet."""
    row: PayerProfile | None = by_id(PayerProfile, scope=scope, id=payer_id)
    return row or PayerProfile(id=payer_id, practice_id=scope.practice_id, payer_id=payer_id, version=0)


def profiles_of(*, scope: Scope, payers: Collection[Any]) -> dict[UUID, Profile]:
    """Return payer -> how it wants its claims: the practice's word before what is usual for its kind."""
    rows = PayerProfile.objects.visible_to(scope).filter(id__in=[payer.id for payer in payers])
    own = {row.id: row.own for row in rows}
    return {
        payer.id: effective(filing_indicator=payer.claim_filing_indicator, own=own.get(payer.id, {}))
        for payer in payers
    }


def get_work_item(*, scope: Scope, work_item_id: UUID, lock: bool = False) -> WorkItem:
    """Return an item of the work list. :raises NotFound: there is none for this actor"""
    row = by_id(WorkItem, scope=scope, id=work_item_id, lock=lock)
    if row is None:
        raise NotFound(_sought=[("work_item", work_item_id)])
    scope.trail.patient_ids.add(row.patient_id)
    scope.trail.target("work_item", row.id, row.version)
    return row


def work_items_of(*, scope: Scope, work_item_ids: Sequence[UUID]) -> list[WorkItem]:
    """Return items in the order of their ids; those that are not the actor's to see are left out."""
    found = {row.id: row for row in WorkItem.objects.visible_to(scope).filter(id__in=list(work_item_ids))}
    scope.trail.patient_ids.update(row.patient_id for row in found.values())
    return [found[id] for id in work_item_ids if id in found]


def inbound_files_of(*, scope: Scope, inbound_file_ids: Sequence[UUID]) -> list[InboundFile]:
    """Return files that came through channels, in the order of their ids."""
    found = {row.id: row for row in InboundFile.objects.visible_to(scope).filter(id__in=list(inbound_file_ids))}
    return [found[id] for id in inbound_file_ids if id in found]


def rules_now(*, scope: Scope) -> ClaimRules | None:
    """Return the practice's own claim rules as they hold; None: it has none."""
    row: ClaimRules | None = ClaimRules.objects.visible_to(scope).order_by("-number").first()
    return row


def get_rules(*, scope: Scope, claim_rules_id: UUID) -> ClaimRules:
    """Return one version of the practice's rules. :raises NotFound: there is none"""
    row = by_id(ClaimRules, scope=scope, id=claim_rules_id)
    if row is None:
        raise NotFound(_sought=[("claim_rules", claim_rules_id)])
    return row


def rules_of(*, scope: Scope, claim_rules_ids: Sequence[UUID]) -> list[ClaimRules]:
    """Return versions in the order of their ids."""
    found = {row.id: row for row in ClaimRules.objects.visible_to(scope).filter(id__in=list(claim_rules_ids))}
    return [found[id] for id in claim_rules_ids if id in found]


def attachments_of(*, scope: Scope, claim_ids: Collection[UUID]) -> dict[UUID, list[ClaimAttachment]]:
    """Return claim -> its papers, the first one first."""
    found: dict[UUID, list[ClaimAttachment]] = {}
    rows = ClaimAttachment.objects.visible_to(scope).filter(claim_id__any_of=claim_ids)
    for row in rows.order_by("created_at", "id"):
        found.setdefault(row.claim_id, []).append(row)
    return found


def get_attachment(*, scope: Scope, claim_attachment_id: UUID, lock: bool = False) -> ClaimAttachment:
    """Return a claim's paper. :raises NotFound: there is none for this actor"""
    row = by_id(ClaimAttachment, scope=scope, id=claim_attachment_id, lock=lock)
    if row is None:
        raise NotFound(_sought=[("claim_attachment", claim_attachment_id)])
    scope.trail.patient_ids.add(row.patient_id)
    scope.trail.target("claim_attachment", row.id, row.version)
    return row


def print_setting(*, scope: Scope) -> PrintSetting:
    """Return how far the practice's printer is off; an empty one that is not kept where nobody has said."""
    row: PrintSetting | None = by_id(PrintSetting, scope=scope, id=scope.practice_id)
    return row or PrintSetting(id=scope.practice_id, practice_id=scope.practice_id, version=0)
