"""What a practice wants of coverage, and the checks that follow from it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from rapport.kernel.problems import FieldError, Invalid
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.api import etags
from rapport.rooms.coverage import queries
from rapport.rooms.coverage.models import CoverageSettings
from rapport.rooms.coverage.states import CheckReason, PayerKind, Rank, Submitter, Transaction
from rapport.rooms.scheduling import queries as scheduling

from .eligibility import NoWayToAsk, asks_by_file, request_check

EARLIER_BY_FILE = timedelta(days=2)
"""How much earlier than others a payer is asked that answers by file."""


def change_settings(
    *, scope: Scope, if_match: str, now: datetime, given: Mapping[str, Any]
) -> CoverageSettings:
    """
    Change what the practice wants.

    :raises PreconditionFailed: it was changed since
    """
    scope.require(Permission.PAYERS_WRITE)
    row = queries.settings_of(scope=scope, now=now, lock=True)
    etags.check(row, if_match)
    empty = [name for name, value in given.items() if value is None]
    if empty:
        raise Invalid(
            f"{len(empty)} field(s) are not valid.",
            errors=tuple(FieldError(f"/{name}", "required") for name in empty),
        )
    changed = [name for name, value in given.items() if getattr(row, name) != value]
    for name in changed:
        setattr(row, name, given[name])
    if changed:
        row.version += 1
        row.updated_at = now
        row.save()
    scope.trail.target("practice", scope.practice_id, row.version)
    scope.trail.changed = sorted(changed)
    return row


def check_before_visits(*, scope: Scope, now: datetime) -> int:
    """
    Ask the payers of the next days' visits, as far as the practice wants it.

    Payers that are asked by file are asked two days earlier, since they answer the next day or the one after.
    Each policy at most once in `check_again_days`; not where the portal asks the payer, where the payer needs an
    enrolment for inquiries that is not active, or where there is no channel. Running it again asks nothing twice.

    :return: how many were asked
    """
    wanted = queries.settings_of(scope=scope, now=now)
    if wanted.check_days_before == 0:
        return 0
    last = scope.day_of(now) + timedelta(days=wanted.check_days_before)
    by_file = asks_by_file(scope=scope)
    policies: dict[Any, Any] = {}
    for visit in scheduling.expected_between(scope=scope, after=now, last=last + EARLIER_BY_FILE):
        policy = queries.policy_for(
            scope=scope, patient_id=visit.patient_id, on=visit.service_on, rank=Rank.PRIMARY
        )
        if policy is not None and (visit.service_on <= last or by_file(policy.payer)):
            policies.setdefault(policy.id, (policy, visit.service_on))
    asked = queries.last_asked(scope=scope, policy_ids=list(policies))
    since = now - timedelta(days=wanted.check_again_days)
    done = 0
    for policy, on in policies.values():
        if policy.id in asked and asked[policy.id] > since:
            continue
        if not _may_ask(scope, policy.payer, now=now):
            continue
        try:
            request_check(
                scope=scope, policy_id=policy.id, service_on=on, now=now, reason=CheckReason.BEFORE_VISIT
            )
        except NoWayToAsk:
            return done
        done += 1
    return done


def _may_ask(scope: Scope, payer: Any, *, now: datetime) -> bool:
    if payer.kind != PayerKind.INSURANCE or not payer.payer_id_code or queries.submitter_of(scope=scope, payer=payer) is not Submitter.RAPPORT:
        return False
    return not queries.enrollment_notices(
        scope=scope, payer_id=payer.id, transactions=(Transaction.ELIGIBILITY,), on=scope.day_of(now)
    )
