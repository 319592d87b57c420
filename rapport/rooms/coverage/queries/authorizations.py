"""What is gone of authorisations, counted from the visits and claims as they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from rapport.kernel.problems import NotFound
from rapport.platform.access.scope import Scope
from rapport.platform.db.rows import by_id
from rapport.rooms.coverage.models import Authorization, Policy
from rapport.rooms.coverage.ports import Asked, Claims
from rapport.rooms.coverage.rules.authorizations import (
    Grant,
    Sharing,
    Visit,
    notices,
    share_out,
    wanted,
)
from rapport.rooms.coverage.rules.notices import Notice
from rapport.rooms.coverage.states import CountedBy, Rank, Standing
from rapport.rooms.scheduling import queries as scheduling
from rapport.rooms.scheduling.states import AppointmentStatus

_claims: list[Claims] = []


def supply_claims(claims: Claims) -> None:
    """Name who knows what payers were asked for. Called by claims when it is loaded."""
    _claims[:] = [claims]


def get_authorization(*, scope: Scope, authorization_id: UUID, lock: bool = False) -> Authorization:
    """Return an authorisation of a patient the actor may see. :raises NotFound: there is none."""
    row = by_id(Authorization, scope=scope, id=authorization_id, lock=lock)
    if row is None:
        raise NotFound(_sought=[("authorization", authorization_id)])
    scope.trail.patient_ids.add(row.patient_id)
    return row


def authorizations_of(*, scope: Scope, authorization_ids: Sequence[UUID]) -> list[Authorization]:
    """Return authorisations in the order of their ids, with policy and payer; those that the actor may not see are left out."""
    rows = (
        Authorization.objects.visible_to(scope)
        .select_related("policy__payer")
        .filter(id__in=list(authorization_ids))
    )
    found = {row.id: row for row in rows}
    return [found[id] for id in authorization_ids if id in found]


def numbers_of(*, scope: Scope, authorization_ids: Iterable[UUID]) -> dict[UUID, str]:
    """Return authorisation -> its number."""
    rows = Authorization.objects.visible_to(scope).filter(id__in=set(authorization_ids))
    return dict(rows.values_list("id", "number"))


@dataclass(frozen=True, slots=True)
class Standings:
    """How an authorisation stands: what is gone, and what is left."""

    used: int
    in_flight: int
    booked: int
    left: int | None
    """None: it has no number."""
    short: int
    """Visits that it is for, and for which nothing is left."""


@dataclass(frozen=True, slots=True)
class _Shared:
    """The authorisations of one policy, and who uses them."""

    policy: Policy
    """With its payer."""
    grants: list[Grant]
    visits: dict[UUID, Visit]
    sharing: Sharing


def standings_of(*, scope: Scope, authorizations: Sequence[Authorization]) -> dict[UUID, Standings]:
    """Return how each authorisation stands now."""
    shared = _shared(scope, {row.policy_id for row in authorizations})
    found = {}
    for row in authorizations:
        of_policy = shared[row.policy_id]
        grant = next(grant for grant in of_policy.grants if grant.id == row.id)
        share = of_policy.sharing.shares[row.id]
        found[row.id] = Standings(
            share.used, share.in_flight, share.booked, of_policy.sharing.left(grant),
            sum(grant.fits(visit) for visit in of_policy.sharing.short),
        )  # fmt: skip
    return found


def _shared(scope: Scope, policy_ids: Iterable[UUID]) -> dict[UUID, _Shared]:
    rows = Policy.objects.visible_to(scope).prefetch_related("payer")
    policies = {row.id: row for row in rows.filter(id__any_of=policy_ids)}
    known = list(Authorization.objects.visible_to(scope).filter(policy_id__any_of=policies))
    grants: dict[UUID, list[Grant]] = {id: [] for id in policies}
    for row in known:
        grants[row.policy_id].append(_grant(row))
    visits: list[scheduling.BillingFacts] = []
    if known:
        ends = [row.ends_on for row in known]
        visits = scheduling.visits_between(
            scope=scope, patient_ids=list({row.patient_id for row in known}),
            first=min(row.starts_on for row in known),
            last=max(end for end in ends if end) if None not in ends else None,
        )  # fmt: skip
    asked = _asked(scope, [visit.appointment_id for visit in visits])
    return {id: _of_policy(policy, grants[id], visits, asked) for id, policy in policies.items()}


def _grant(row: Authorization) -> Grant:
    return Grant(
        id=row.id, codes=frozenset(row.service_codes), counted_by=CountedBy(row.counted_by),
        allowed=row.allowed, used_before=row.used_before, starts_on=row.starts_on,
        ends_on=row.ends_on, active=row.active,
    )  # fmt: skip


def _asked(scope: Scope, appointment_ids: Sequence[UUID]) -> dict[UUID, list[Asked]]:
    found: dict[UUID, list[Asked]] = {}
    for claims in _claims if appointment_ids else []:
        for one in claims.asked_for(scope=scope, appointment_ids=appointment_ids):
            found.setdefault(one.appointment_id, []).append(one)
    return found


def _of_policy(
    policy: Policy, grants: list[Grant], facts: Sequence[scheduling.BillingFacts],
    asked: Mapping[UUID, list[Asked]],
) -> _Shared:  # fmt: skip
    visits = {}
    for one in facts:
        if one.patient_id == policy.patient_id:
            visit = _visit(policy, one, asked.get(one.appointment_id, []))
            if visit is not None:
                visits[visit.id] = visit
    return _Shared(policy, grants, visits, share_out(grants, list(visits.values())))


def _visit(policy: Policy, facts: scheduling.BillingFacts, asked: Sequence[Asked]) -> Visit | None:
    """Return a visit as it counts for a policy; None: it does not. A denied one gives back what it took."""
    on = facts.service_on
    if on < policy.starts_on or (policy.ends_on is not None and on > policy.ends_on):
        return None
    mine = [one for one in asked if one.payer_id == policy.payer_id]
    if asked and not mine and policy.rank == Rank.PRIMARY:
        return None  # another payer is asked for it
    if any(one.decision == "denied" for one in mine):
        return None
    paid = any(one.decision == "paid" for one in mine)
    took_place = facts.status == AppointmentStatus.COMPLETED
    return Visit(
        id=facts.appointment_id, on=on, code=facts.code, units=facts.units,
        standing=Standing.USED if paid else Standing.IN_FLIGHT if took_place else Standing.BOOKED,
        claimed_under=next((one.authorization_id for one in mine if one.authorization_id), None),
    )  # fmt: skip


def authorization_notices(
    *, scope: Scope, visits: Mapping[UUID, Sequence[Visit]], today: date
) -> dict[UUID, tuple[UUID | None, list[Notice]]]:
    """
    Return appointment -> the authorisation that it uses, and what is to be said of that.

    Visits whose payer wants none and has given none are left out. Few questions, however many they are.

    :param visits: policy -> visits of its patient that it is to pay for; how they stand is found out here
    """
    shared = _shared(scope, visits)
    found: dict[UUID, tuple[UUID | None, list[Notice]]] = {}
    for policy_id, mine in visits.items():
        of_policy = shared[policy_id]
        wants = of_policy.policy.payer.authorization_for
        for visit in mine:
            if of_policy.grants or wanted(wants, visit.code):
                known = of_policy.visits.get(visit.id, visit)
                found[visit.id] = (
                    of_policy.sharing.under.get(visit.id),
                    notices(
                        known, grants=of_policy.grants, sharing=of_policy.sharing, today=today,
                        required=wanted(wants, visit.code),
                    ),
                )  # fmt: skip
    return found
