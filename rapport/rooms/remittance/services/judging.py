"""What posting a file would do, and whether it may do it by itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from rapport.platform.access.scope import Scope
from rapport.rooms.claims import queries as claims
from rapport.rooms.remittance import queries
from rapport.rooms.remittance.models import RemittanceLine
from rapport.rooms.remittance.rules import matching, planning, provider
from rapport.rooms.remittance.rules.policy import DAYS_AHEAD, STOPS, Policy, Stop

from .after_others import book_what_is_open
from .keeping import Loaded


@dataclass(slots=True)
class Judgement:
    """A file as it would be posted: its services have their plans (not saved), and what stands against it."""

    loaded: list[Loaded]
    stops: list[Stop] = field(default_factory=list)
    """Why it waits for a person; none: it posts itself."""


def judge(*, scope: Scope, loaded: list[Loaded], policy: Policy, today: date, posted: bool = False) -> Judgement:
    """
    Plan every service of a file that is not posted, and say what a person should look at first.

    A reversal takes back what was done about the decision that it mirrors, whatever would be done today.
    The order in which decisions and reversals came does not matter: each reversal has its decision, in
    this file or posted before, or waits for it.

    :param today: in the practice's zone
    :param posted: these services are of a posted file and were matched since: they stand themselves
    """
    rules: set[str] = set()
    counted = [one for one in loaded if not one.check.posted_before]
    lines = [line for one in counted for line in one.lines]
    unplanned = [one for one in loaded if not (one.check.posted_before and one.written)]
    plan(scope=scope, lines=[line for one in unplanned for line in one.lines], policy=policy)
    fallen = _pair(scope, lines, rules, posted=posted)
    book_what_is_open(scope=scope, lines=lines, fallen=fallen)
    for one in counted:
        rules |= set(_of_check(scope, one, policy, today))
    for line in lines:
        rules |= set(_of_line(line, policy))
    if not policy.automatic:
        rules.add("policy-by-hand")
    return Judgement(loaded, [Stop(rule, STOPS[rule]) for rule in STOPS if rule in rules])


def plan(*, scope: Scope, lines: Sequence[RemittanceLine], policy: Policy) -> None:
    """Give each adjustment of services what is done about it, where no reversal says otherwise (not saved)."""
    further = claims.further_payers(scope=scope, claim_ids=claims_in(lines))
    for line in lines:
        line.adjustments = planning.planned(
            line.adjustments, status=line.status_code, paid_cents=line.paid_cents, overrides=policy.overrides,
            further=line.claim_id in further,
        )  # fmt: skip


def _pair(scope: Scope, lines: Sequence[RemittanceLine], rules: set[str], *, posted: bool) -> set[UUID]:
    """
    Give each reversal its decision's plans; note reversals without one, and services decided twice.

    :return: the decisions that are taken back here
    """
    fallen: set[UUID] = set()
    known = [line for line in lines if line.claim_id is not None and line.appointment_id is not None]
    standing = queries.standing(scope=scope, claim_ids={line.claim_id for line in known if line.claim_id})
    here: dict[queries.Service, tuple[list[RemittanceLine], list[RemittanceLine]]] = {}
    for line in known:
        decided, reversed_ = here.setdefault(queries.service_of(line), ([], []))
        if line.status_code == "22":
            reversed_.append(line)
        elif line.status_code not in planning.NO_DECISION:
            decided.append(line)
    with_services = {(line.remittance_id, line.claim_position) for line in lines if line.position}
    for service, (decided, reversals) in here.items():
        own = {line.id for line in (*decided, *reversals)} if posted else set()
        open_ = [*(one for one in standing.get(service, ()) if one.id not in own), *decided]
        for reversal in reversals:
            mate = next((one for one in open_ if queries.mirrors(reversal=reversal, line=one)), None)
            if mate is None:
                rules.add("reversal-unknown")
                continue
            open_.remove(mate)
            fallen.add(mate.id)
            reversal.adjustments = planning.as_decided(reversal.adjustments, mate.adjustments)
        new = [
            line for line in decided
            if line.position or (line.remittance_id, line.claim_position) not in with_services
        ]  # fmt: skip
        if new and len(open_) > 1 and len(open_) - _about_to_fall(scope, new) > 1:
            rules.add("paid-before")
    return fallen


def _about_to_fall(scope: Scope, decided: Sequence[RemittanceLine]) -> int:
    """Return how many of these decisions a reversal takes back that waits for nothing but them: both then post."""
    ids = [line.claim_id for line in decided if line.claim_id is not None]
    waiting = queries.waiting_reversals(scope=scope, claim_ids=ids)
    falling = 0
    for line in decided:
        mate = next((one for one in waiting if queries.mirrors(reversal=one, line=line)), None)
        if mate is not None:
            waiting.remove(mate)
            falling += 1
    return falling


def _of_check(scope: Scope, one: Loaded, policy: Policy, today: date) -> Iterable[str]:
    check = one.check
    if check.same_trace:
        others = queries.same_trace(
            scope=scope, payer_identifier=check.payer_identifier, trace=check.trace, but=check.era_file_id
        )
        # Payers repeat a number on checks of nothing; those say nothing of the same money.
        if check.total_cents or any(
            (other.paid_on, other.total_cents) == (check.paid_on, check.total_cents) for other in others
        ):
            yield "same-trace"
    if check.total_cents < 0:
        yield "negative-check"
    if check.paid_on is not None and check.paid_on > today + DAYS_AHEAD:
        yield "dated-ahead"
    codes = [one["reason"] for one in check.provider_adjustments]
    if any(provider.plan_for(code) == "review" for code in codes):
        yield "provider-adjustment-unknown"
    if codes and not policy.provider_adjustments:
        yield "policy-provider-adjustment"
    if policy.most_cents is not None and abs(check.total_cents) > policy.most_cents:
        yield "policy-amount"


def _of_line(line: RemittanceLine, policy: Policy) -> Iterable[str]:
    if line.status_code in planning.NO_DECISION:
        yield "no-decision"
    if line.claim_id is None or line.appointment_id is None:
        if not (policy.unmatched_to_clearing or line.set_aside):
            yield "unmatched"
    elif matching.below(line.matched_by, policy.least_confidence):
        yield "policy-confidence"
    if line.status_code == "22" and not policy.takebacks:
        yield "policy-takeback"
    if not policy.denials and planning.denied_cents(line.adjustments) > 0:
        yield "policy-denial"


def policy_of(*, scope: Scope) -> Policy:
    """Return what the practice lets post itself: its own policy, or the default."""
    row = queries.get_policy(scope=scope)
    if row is None:
        return Policy()
    return Policy(
        automatic=row.automatic, least_confidence=row.least_confidence, denials=row.denials,
        takebacks=row.takebacks, provider_adjustments=row.provider_adjustments,
        unmatched_to_clearing=row.unmatched_to_clearing, most_cents=row.most_cents,
        appeal_days=row.appeal_days, tolerance_cents=row.tolerance_cents,
        tolerance_percent=row.tolerance_percent, overrides=row.overrides,
    )  # fmt: skip


def claims_in(lines: Iterable[RemittanceLine]) -> set[UUID]:
    """Return the claims that services are of."""
    return {line.claim_id for line in lines if line.claim_id is not None}
