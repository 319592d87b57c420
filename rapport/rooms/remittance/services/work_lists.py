"""What posting and taking back does to the work lists: denials, and what was allowed below a contract."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from rapport.platform.access.scope import Scope
from rapport.rooms.remittance import queries
from rapport.rooms.remittance.models import Denial, Underpayment
from rapport.rooms.remittance.rules.policy import Policy

from .denials import keep_standing as keep_denials
from .denials import open_denials
from .keeping import Loaded
from .underpayments import keep_standing as keep_underpayments
from .underpayments import open_underpayments


def note_posted(*, scope: Scope, loaded: Sequence[Loaded], policy: Policy, now: datetime) -> None:
    """Open what a person has to look at in checks that were posted, and withdraw what their reversals took back."""
    open_denials(scope=scope, loaded=loaded, policy=policy, now=now)
    open_underpayments(scope=scope, loaded=loaded, policy=policy, now=now)
    turned = {
        line.claim_id
        for one in loaded
        if not one.check.posted_before
        for line in one.lines
        if line.status_code == "22" and line.claim_id
    }
    keep_standing(scope=scope, claim_ids=turned, now=now)


def keep_standing(*, scope: Scope, claim_ids: Iterable[UUID], now: datetime) -> None:
    """
    Withdraw what rests on decisions that do not stand any more, reversed or taken back with their file.

    What was withdrawn and rests on a decision that stands again, since its reversal was taken back, is where it was.
    """
    wanted = list(claim_ids)
    if not wanted:
        return
    denials = list(Denial.objects.visible_to(scope).filter(claim_id__any_of=wanted).exclude(state="resolved"))
    below = list(Underpayment.objects.visible_to(scope).filter(claim_id__any_of=wanted))
    concerned = {row.claim_id for row in (*denials, *below)}
    if not concerned:
        return
    stands = {
        line.id for lines in queries.standing(scope=scope, claim_ids=concerned).values() for line in lines
    }
    keep_denials(scope=scope, denials=denials, stands=stands, now=now)
    keep_underpayments(scope=scope, underpayments=below, stands=stands, now=now)
